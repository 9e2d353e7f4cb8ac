//! `VxlanDecoder` and `VxlanEncap`: what a call decodes or writes, made ready once.

use std::net::IpAddr;

use bayplan_vxlan::{
    Checksums, Decoder, Device, DontFragment, Dscp, Ecn, Encap, EncodeError, EtherType, FlowLabel,
    LinkType, MacAddress, Mode, Outer, OuterTag, PortRange, Priority, SourcePort, Ttl, VlanId, Vni,
    VxlanHeader,
};
use pyo3::prelude::*;

use crate::enter::guard;
use crate::error::{Fault, NativeError};

/// Which packets are VXLAN, and which of those are taken.
#[derive(Debug)]
#[pyclass(frozen, module = "bayplan._native")]
pub(crate) struct VxlanDecoder {
    pub(crate) decoder: Decoder,
    /// How the header alone is checked.
    pub(crate) mode: Mode,
}

fn one_of<T: Copy>(field: &str, value: &str, choices: &[(&str, T)]) -> Result<T, NativeError> {
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == value) {
        return Ok(*choice);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let message = format!("none of {}", names.join(", "));
    Err(NativeError::argument(Fault::new(message).field(field).value(value)))
}

/// A kind of device by its name.
///
/// # Errors
///
/// `NativeError::Argument` for another name.
pub(crate) fn device(field: &str, name: &str) -> Result<Device, NativeError> {
    let choices = [("plain", Device::Plain), ("gbp", Device::Gbp), ("gpe", Device::Gpe)];
    one_of(field, name, &choices)
}

#[pymethods]
impl VxlanDecoder {
    #[new]
    fn new(ports: Vec<(u16, String)>, mode: &str, checksums: &str, link: u32) -> PyResult<Self> {
        Ok(guard(|| {
            let mode = one_of("mode", mode, &[("rfc", Mode::Rfc), ("linux", Mode::Linux)])?;
            let checksums = one_of(
                "checksums",
                checksums,
                &[
                    ("ignore", Checksums::Ignore),
                    ("verify", Checksums::Verify),
                    ("verify-zero-over-ipv6", Checksums::VerifyZeroOverIpv6),
                ],
            )?;
            let mut decoder =
                Decoder::new().ports(&[]).mode(mode).checksums(checksums).link(LinkType(link));
            for (port, name) in ports {
                decoder = decoder.port(port, device("ports", &name)?);
            }
            Ok(Self { decoder, mode })
        })?)
    }
}

/// Outer headers.
#[derive(Debug)]
#[pyclass(frozen, module = "bayplan._native")]
pub(crate) struct VxlanEncap {
    pub(crate) encap: Encap,
}

/// A field of `bayplan.vxlan.encode` as text.
fn parse<T: std::str::FromStr>(field: &str, text: &str, what: &str) -> Result<T, NativeError> {
    text.parse().map_err(|_| {
        NativeError::argument(Fault::new(format!("not {what}")).field(field).value(text))
    })
}

fn number<T>(
    field: &str,
    value: impl std::fmt::Display,
    made: Option<T>,
    what: &str,
) -> Result<T, NativeError> {
    made.ok_or_else(|| {
        NativeError::argument(
            Fault::new(format!("not {what}")).field(field).value(value.to_string()),
        )
    })
}

/// VLAN tags, outermost first: the last one by 802.1Q, those before it by 802.1ad.
fn tags(ids: &[u16]) -> Result<Vec<OuterTag>, NativeError> {
    let mut tags = Vec::new();
    for &id in ids.iter().rev() {
        let ether_type = if tags.is_empty() { EtherType::VLAN } else { EtherType::QINQ };
        let id = number("vlans", id, VlanId::new(id), "a VLAN from 0 to 4095")?;
        tags.push(OuterTag { ether_type, priority: Priority::default(), drop_eligible: false, id });
    }
    tags.reverse();
    Ok(tags)
}

#[pymethods]
impl VxlanEncap {
    #[new]
    #[pyo3(signature = (*, vni, src, dst, flags, macs, vlans, src_port, src_ports, seed, port, ttl, dscp, ecn, df, flow_label, udp_checksum))]
    #[expect(clippy::too_many_arguments, reason = "each is a header field with a name in Python")]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are handed over")]
    fn new(
        vni: u32,
        src: &str,
        dst: &str,
        flags: u8,
        macs: Option<(String, String)>,
        vlans: Vec<u16>,
        src_port: Option<u16>,
        src_ports: (u16, u16),
        seed: u64,
        port: u16,
        ttl: Option<i16>,
        dscp: Option<u8>,
        ecn: &str,
        df: &str,
        flow_label: u32,
        udp_checksum: Option<bool>,
    ) -> PyResult<Self> {
        Ok(guard(|| {
            let vni = number("vni", vni, Vni::new(vni), "a number below 2**24")?;
            let source: IpAddr = parse("src", src, "an IP address")?;
            let destination: IpAddr = parse("dst", dst, "an IP address")?;
            let mac = |field, text: &str| parse::<MacAddress>(field, text, "a MAC address");
            let ethernet = match macs {
                Some((from, to)) => Some((mac("src_mac", &from)?, mac("dst_mac", &to)?)),
                None => None,
            };
            let (min, max) = src_ports;
            let range = PortRange::new(min, max).map_err(|error| {
                NativeError::argument(Fault::new(error.to_string()).field("src_ports"))
            })?;
            let outer = Outer {
                ethernet,
                tags: tags(&vlans)?,
                source_port: src_port.map_or(SourcePort::Flow { range, seed }, SourcePort::Fixed),
                destination_port: port,
                vxlan: VxlanHeader::from_bytes([flags, 0, 0, 0, 0, 0, 0, 0]).with_vni(vni),
                ttl: match ttl {
                    None => Ttl::Default,
                    Some(-1) => Ttl::Inherit,
                    Some(ttl) => Ttl::Fixed(number(
                        "ttl",
                        ttl,
                        u8::try_from(ttl).ok(),
                        "a number below 256",
                    )?),
                },
                dscp: match dscp {
                    None => Dscp::Inherit,
                    Some(dscp) if dscp < 64 => Dscp::Fixed(dscp << 2),
                    Some(dscp) => number("dscp", dscp, None, "a number below 64")?,
                },
                ecn: one_of("ecn", ecn, &[("linux", Ecn::Linux), ("rfc6040", Ecn::Rfc6040)])?,
                dont_fragment: one_of(
                    "df",
                    df,
                    &[
                        ("clear", DontFragment::Clear),
                        ("set", DontFragment::Set),
                        ("inherit", DontFragment::Inherit),
                    ],
                )?,
                flow_label: number(
                    "flow_label",
                    flow_label,
                    FlowLabel::new(flow_label),
                    "a number below 2**20",
                )?,
                udp_checksum: udp_checksum.unwrap_or(true),
                ..Outer::new(source, destination, vni)
            };
            let encap = Encap::new(outer).map_err(|error| {
                let field = match error {
                    EncodeError::TooManyTags { .. } => "vlans",
                    _ => "src",
                };
                NativeError::argument(Fault::new(error.to_string()).field(field))
            })?;
            Ok(Self { encap })
        })?)
    }
}
