//! `Lease`: the subnet of a node, and what the node announces of itself.
//!
//! Follows `pkg/lease/lease.go`, `pkg/subnet/subnet.go` and `pkg/subnet/etcd/registry.go` of
//! flannel at cdf76059. In etcd a lease is a key and a value:
//!
//! ```
//! use bayplan_overlay::{LeaseAttrs, SubnetKey};
//!
//! let key: SubnetKey = "/coreos.com/network/subnets/10.5.52.0-24".parse()?;
//! assert_eq!(key.to_string(), "10.5.52.0-24");
//! let value = r#"{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}"#;
//! let attrs = LeaseAttrs::parse(value.as_bytes())?;
//! assert_eq!(attrs.public_ip.to_string(), "192.168.64.3");
//! assert_eq!(attrs.to_json(), value);
//! # Ok::<(), bayplan_overlay::OverlayError>(())
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::OverlayError;
use crate::json::{self, Faults, names};
use crate::text::push;
use crate::{Family, MacAddr};

/// What a node announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseAttrs {
    /// `PublicIP`: where packets for the node go; `0.0.0.0` when absent.
    pub public_ip: Ipv4Addr,
    /// `PublicIPv6`.
    pub public_ipv6: Option<Ipv6Addr>,
    /// `BackendType`; empty for the backends `udp` and `alloc`.
    pub backend_type: String,
    /// `BackendData`, JSON as written.
    pub backend_data: Option<String>,
    /// `BackendV6Data`, JSON as written.
    pub backend_v6_data: Option<String>,
}

impl Default for LeaseAttrs {
    fn default() -> Self {
        Self {
            public_ip: Ipv4Addr::UNSPECIFIED,
            public_ipv6: None,
            backend_type: String::new(),
            backend_data: None,
            backend_v6_data: None,
        }
    }
}

impl LeaseAttrs {
    /// What a node of the backend `vxlan` announces: for each family its address, and the VNI and
    /// address of its device.
    pub fn vxlan(
        vni: u32,
        ipv4: Option<(Ipv4Addr, MacAddr)>,
        ipv6: Option<(Ipv6Addr, MacAddr)>,
    ) -> Self {
        Self {
            public_ip: ipv4.map_or(Ipv4Addr::UNSPECIFIED, |(address, _)| address),
            public_ipv6: ipv6.map(|(address, _)| address),
            backend_type: "vxlan".into(),
            backend_data: ipv4.map(|(_, mac)| VxlanData { vni, vtep_mac: Some(mac) }.to_json()),
            backend_v6_data: ipv6.map(|(_, mac)| VxlanData { vni, vtep_mac: Some(mac) }.to_json()),
        }
    }

    /// Reads the value of a lease in etcd.
    ///
    /// # Errors
    /// The text is not JSON, or a field has a value of another type.
    pub fn parse(text: &[u8]) -> Result<Self, OverlayError> {
        let (mut attrs, mut faults) = (Self::default(), Faults::default());
        for json::Member { name, value } in json::members(text, "lease")? {
            let raw = || Some(String::from_utf8_lossy(value).into_owned());
            match () {
                () if names(&name, "PublicIP") => attrs.public_ip = json::ipv4("PublicIP", value)?,
                () if names(&name, "PublicIPv6") => {
                    attrs.public_ipv6 = json::ipv6("PublicIPv6", value)?;
                }
                () if names(&name, "BackendType") => {
                    faults.string("BackendType", value, &mut attrs.backend_type);
                }
                () if names(&name, "BackendData") => attrs.backend_data = raw(),
                () if names(&name, "BackendV6Data") => attrs.backend_v6_data = raw(),
                () => {}
            }
        }
        faults.done()?;
        Ok(attrs)
    }

    /// The value of a lease in etcd, as flannel writes it.
    pub fn to_json(&self) -> String {
        let mut out = format!(r#"{{"PublicIP":"{}","PublicIPv6":"#, self.public_ip);
        match self.public_ipv6 {
            Some(address) => push(&mut out, format_args!("\"{address}\"")),
            None => out.push_str("null"),
        }
        if !self.backend_type.is_empty() {
            push(&mut out, format_args!(r#","BackendType":{}"#, json::quoted(&self.backend_type)));
        }
        for (name, data) in
            [("BackendData", &self.backend_data), ("BackendV6Data", &self.backend_v6_data)]
        {
            if let Some(data) = data {
                push(&mut out, format_args!(r#","{name}":{}"#, json::compact(data)));
            }
        }
        out.push('}');
        out
    }

    /// The public address of a family; none for IPv4 when it is `0.0.0.0`.
    pub fn public(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => {
                Some(self.public_ip).filter(|address| !address.is_unspecified()).map(IpAddr::V4)
            }
            Family::Ipv6 => self.public_ipv6.map(IpAddr::V6),
        }
    }

    /// The data of a family, JSON as written.
    pub fn data(&self, family: Family) -> Option<&str> {
        match family {
            Family::Ipv4 => self.backend_data.as_deref(),
            Family::Ipv6 => self.backend_v6_data.as_deref(),
        }
    }

    /// The data of a family, as the backend `vxlan` reads it.
    ///
    /// # Errors
    /// There is none, it is not JSON, or a field has a value of another type.
    pub fn vxlan_data(&self, family: Family) -> Result<VxlanData, OverlayError> {
        VxlanData::parse(self.data(family).unwrap_or_default().as_bytes())
    }
}

/// `BackendData` of the backend `vxlan`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VxlanData {
    /// `VNI`. flannel does not look at that of other nodes.
    pub vni: u32,
    /// `VtepMAC`: address of the node's device; none when absent.
    pub vtep_mac: Option<MacAddr>,
}

impl VxlanData {
    /// Reads `{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}`.
    ///
    /// # Errors
    /// The text is not JSON, or a field has a value of another type.
    pub fn parse(text: &[u8]) -> Result<Self, OverlayError> {
        let (mut data, mut vni, mut faults) = (Self::default(), 0, Faults::default());
        for json::Member { name, value } in json::members(text, "BackendData")? {
            if names(&name, "VNI") {
                faults.uint("VNI", value, &mut vni);
            } else if names(&name, "VtepMAC") {
                let shown = json::shown(value);
                let text = shown.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                let text = text.ok_or_else(|| OverlayError::MacAddress { value: shown.clone() })?;
                data.vtep_mac = Some(text.parse()?);
            }
        }
        faults.done()?;
        data.vni = u32::try_from(vni).map_err(|_| OverlayError::Config {
            field: "VNI",
            value: vni.to_string(),
            problem: crate::ConfigProblem::Range { low: 0, high: u32::MAX.into() },
        })?;
        Ok(data)
    }

    /// The text, as flannel writes it.
    pub fn to_json(&self) -> String {
        match self.vtep_mac {
            Some(mac) => format!(r#"{{"VNI":{},"VtepMAC":"{mac}"}}"#, self.vni),
            None => format!(r#"{{"VNI":{},"VtepMAC":""}}"#, self.vni),
        }
    }
}

/// `BackendData` of the backend `wireguard`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireguardData {
    /// `PublicKey`, base 64.
    pub public_key: String,
    /// `Port`; 0 when absent.
    pub port: u16,
}

impl WireguardData {
    /// Reads `{"PublicKey":"…","Port":51820}`; an empty text is one without fields.
    ///
    /// # Errors
    /// The text is not JSON, or a field has a value of another type.
    pub fn parse(text: &[u8]) -> Result<Self, OverlayError> {
        let (mut data, mut port, mut faults) = (Self::default(), 0, Faults::default());
        if text.is_empty() {
            return Ok(data);
        }
        for json::Member { name, value } in json::members(text, "BackendData")? {
            if names(&name, "PublicKey") {
                faults.string("PublicKey", value, &mut data.public_key);
            } else if names(&name, "Port") {
                faults.uint("Port", value, &mut port);
            }
        }
        faults.done()?;
        data.port = u16::try_from(port).map_err(|_| OverlayError::Config {
            field: "Port",
            value: port.to_string(),
            problem: crate::ConfigProblem::Range { low: 0, high: u16::MAX.into() },
        })?;
        Ok(data)
    }
}

/// When a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiration {
    /// At this time, in seconds since 1970.
    At(u64),
    /// Never: a reservation, or a lease in kube mode.
    Never,
}

/// The subnet of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The subnet of IPv4, when the family is enabled.
    pub subnet: Option<Ipv4Net>,
    /// The subnet of IPv6, when the family is enabled.
    pub ipv6_subnet: Option<Ipv6Net>,
    /// What the node announces.
    pub attrs: LeaseAttrs,
    /// When it ends.
    pub expiration: Expiration,
}

impl Lease {
    /// The subnet of a family.
    pub fn subnet_of(&self, family: Family) -> Option<IpNet> {
        match family {
            Family::Ipv4 => self.subnet.map(IpNet::V4),
            Family::Ipv6 => self.ipv6_subnet.map(IpNet::V6),
        }
    }

    /// Whether flannel takes both for leases of the same subnet (`sameSubnet`): by the families
    /// that `self` has.
    pub fn same_subnet(&self, other: &Self) -> bool {
        (self.subnet.is_none() || self.subnet == other.subnet)
            && (self.ipv6_subnet.is_none() || self.ipv6_subnet == other.ipv6_subnet)
    }
}

/// The key of a lease in etcd: `10.5.52.0-24`, of dual stack `10.12.13.0-24&fd00:12:13::-56`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubnetKey {
    /// The subnet of IPv4; host bits are kept as written.
    pub subnet: Ipv4Net,
    /// The subnet of IPv6.
    pub ipv6_subnet: Option<Ipv6Net>,
}

impl fmt::Display for SubnetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.subnet.addr(), self.subnet.prefix_len())?;
        match self.ipv6_subnet {
            Some(net) => write!(f, "&{}-{}", net.addr(), net.prefix_len()),
            None => Ok(()),
        }
    }
}

/// The longest prefix of `text` without its last digits, and their number.
fn split_number(text: &str) -> Option<(&str, u8)> {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text.get(head.len()..)?;
    Some((head.strip_suffix('-')?, number.parse().ok()?))
}

/// The longest end of `text` made of these characters.
fn tail(text: &str, is: impl Fn(char) -> bool) -> &str {
    text.get(text.trim_end_matches(is).len()..).unwrap_or_default()
}

impl FromStr for SubnetKey {
    type Err = OverlayError;

    /// Reads the end of `text`, as flannel does, which looks for its pattern anywhere before the
    /// end: a whole path in etcd will do.
    ///
    /// # Errors
    /// No key stands there; a prefix of 32 (flannel reads five bits) or 128 (seven).
    fn from_str(text: &str) -> Result<Self, OverlayError> {
        read_key(text).ok_or_else(|| OverlayError::SubnetKey { key: json::shown(text.as_bytes()) })
    }
}

fn read_key(text: &str) -> Option<SubnetKey> {
    let (head, length) = split_number(text)?;
    let (head, length, ipv6_subnet) = match tail(head, |c| matches!(c, '0'..='9' | 'a'..='f' | ':'))
    {
        // what ends an IPv6 address can end an IPv4 address too: only the sign tells them apart
        address if head.strip_suffix(address).is_some_and(|head| head.ends_with('&')) => {
            let net = Ipv6Net::new(address.parse().ok()?, length).ok().filter(|_| length < 128)?;
            let rest = head.strip_suffix(address)?.strip_suffix('&')?;
            let (head, length) = split_number(rest)?;
            (head, length, Some(net))
        }
        _ => (head, length, None),
    };
    // four numbers; what stands before the first one does not matter
    let digits = tail(head, |c| c.is_ascii_digit() || c == '.');
    let mut numbers = digits.rsplit('.');
    let mut octets = [numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?];
    octets.reverse();
    let address: Ipv4Addr = octets.join(".").parse().ok()?;
    let subnet = Ipv4Net::new(address, length).ok().filter(|_| length < 32)?;
    Some(SubnetKey { subnet, ipv6_subnet })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_and_prints_as_flannels_tests_say() {
        for (text, ipv4, ipv6) in [
            ("10.12.13.0-24", "10.12.13.0/24", None),
            ("10.12.13.0-24&fd00:12:13::-56", "10.12.13.0/24", Some("fd00:12:13::/56")),
        ] {
            let key: SubnetKey = text.parse().unwrap();
            assert_eq!(key.subnet.to_string(), ipv4);
            assert_eq!(key.ipv6_subnet.map(|net| net.to_string()).as_deref(), ipv6);
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_flannels_tests_refuse_and_prefixes_beyond_its_bits() {
        for text in [
            "",
            "10",
            "10.12.13.0",
            "10.12.13-24",
            "10.12.13.300-24",
            "10.12.13.0-24hi",
            "&2001::-56",
            "10.12.13.0-24&:12:13:-56",
            "10.12.13.0-24&20011::-56",
            "10.12.13.0-24&2001-56",
            "10.12.13.0-24&2001::",
            "10.12.13.0-24&2001::-56hi",
            "10.12.13.0-32",
            "10.12.13.0-24&fd00::-128",
            "10.12.13.0-999",
        ] {
            assert_eq!(
                text.parse::<SubnetKey>(),
                Err(OverlayError::SubnetKey { key: text.into() }),
                "{text}"
            );
        }
    }

    #[test]
    fn data_of_a_node_reads_as_flannel_reads_it() {
        let data = VxlanData::parse(br#"{"vni": 7, "VtepMAC": "0E-2A-00-00-00-01"}"#).unwrap();
        assert_eq!(data.to_json(), r#"{"VNI":7,"VtepMAC":"0e:2a:00:00:00:01"}"#);
        assert_eq!(VxlanData::parse(b"{}"), Ok(VxlanData::default()));
        assert_eq!(VxlanData::parse(b"null"), Ok(VxlanData::default()));
        for text in [
            "",
            "{",
            r#"{"VNI": -1}"#,
            r#"{"VNI": 4294967296}"#,
            r#"{"VtepMAC": null}"#,
            r#"{"VtepMAC": ""}"#,
        ] {
            assert!(VxlanData::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_is_written_compact_and_escaped_as_go_does() {
        let attrs = LeaseAttrs::parse(br#"{"publicip": "1.2.3.4", "BackendType": "a<b", "BackendData": {"x": [1, "a b & \" c"]}, "more": 1}"#).unwrap();
        assert_eq!(
            attrs.to_json(),
            r#"{"PublicIP":"1.2.3.4","PublicIPv6":null,"BackendType":"a\u003cb","BackendData":{"x":[1,"a b \u0026 \" c"]}}"#
        );
    }
}
