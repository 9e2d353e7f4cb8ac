//! `decode_batch`: packets → columns.

use core::net::IpAddr;

use super::Spans;
use super::columns::{Columns, NO_VLAN, Row};
use super::shape::{Network, Stack};
use crate::bytes;
use crate::checksum::Checksum;
use crate::error::{DecodeError, Fault, Layer};
use crate::ethernet::EthernetHeader;
use crate::frame::{Checksums, Decoder, Frame};
use crate::headers::{Headers, IpHeader};
use crate::ip_protocol::IpProtocol;
use crate::link::LinkType;
use crate::udp::UdpHeader;
use crate::vlan::VlanTags;
use crate::vxlan::{Device, Mode, VxlanHeader};

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoded {
    /// Packets looked at.
    pub packets: usize,
    /// Packets with a VXLAN header that was taken.
    pub frames: usize,
    /// Packets that are something else ([`Fault::is_not_vxlan`]).
    pub not_vxlan: usize,
}

/// Packets of one block: few enough for what is staged of them, and for their headers, to stay in the first-level cache.
const BLOCK: usize = 64;

/// Decodes the outermost VXLAN header of each packet into columns, as [`Decoder::decode`] does one. A packet that is refused
/// has its reason in the columns and keeps no other from being decoded.
pub fn decode_batch(
    decoder: &Decoder,
    buffer: &[u8],
    spans: Spans<'_>,
    columns: &mut Columns<'_>,
) -> Decoded {
    let packets = spans.len();
    let mut decoded = Decoded { packets, ..Decoded::default() };
    let mut usual = Usual::new(decoder, columns.want_inner());
    let mut staged = [Packet::NONE; BLOCK];
    let mut odd = [0; BLOCK];
    let mut first = 0;
    while first < packets {
        let rows = first..packets.min(first + BLOCK);
        let n = rows.len();
        let mut odd_rows = 0;
        for (row, place) in rows.zip(&mut staged) {
            if let Some(packet) = usual.decode(buffer, spans, row) {
                *place = packet;
            } else {
                // What the place holds already is written to this row, and then the right values over it.
                if let Some(place) = odd.get_mut(odd_rows) {
                    *place = row;
                }
                odd_rows += 1;
            }
        }
        if odd_rows < n {
            columns.write_all(first, staged.get(..n).unwrap_or_default());
        }
        decoded.frames += n - odd_rows;
        for &row in odd.iter().take(odd_rows) {
            decode_odd(decoder, buffer, spans, row, columns, &mut decoded);
        }
        first += BLOCK;
    }
    decoded
}

/// A packet that has one of the usual stacks, for the columns to be read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// Where it starts in the buffer.
    start: u64,
    pub(super) outer: Stack<'a>,
    /// UDP and VXLAN headers.
    tunnel: &'a [u8; TUNNEL],
    pub(super) inner_length: u32,
    pub(super) inner_captured: u32,
    pub(super) inner: Stack<'a>,
}

const TUNNEL: usize = UdpHeader::LEN + VxlanHeader::LEN;

impl Packet<'_> {
    const NONE: Packet<'static> = Packet {
        start: 0,
        outer: Stack::NONE,
        tunnel: &[0; TUNNEL],
        inner_length: 0,
        inner_captured: 0,
        inner: Stack::NONE,
    };

    /// A field of the UDP header: source port, destination port, length, checksum.
    #[inline]
    pub(super) fn udp(&self, field: usize) -> u16 {
        self.tunnel.as_chunks::<2>().0.get(field).map_or(0, |field| u16::from_be_bytes(*field))
    }

    #[inline]
    pub(super) fn vxlan(&self) -> VxlanHeader {
        VxlanHeader::from_bytes(self.tunnel.last_chunk().copied().unwrap_or_default())
    }

    #[inline]
    pub(super) fn vxlan_offset(&self) -> u32 {
        self.outer.header_length + 8
    }

    #[inline]
    pub(super) fn inner_offset(&self) -> u64 {
        self.start + u64::from(self.outer.header_length + 16)
    }
}

/// What tells usual packets from others, made ready for a batch.
#[derive(Debug)]
struct Usual<'d> {
    decoder: &'d Decoder,
    inner: bool,
    /// The port of the packet before, and the VXLAN bits that must be clear to it.
    port: u16,
    forbidden: u64,
}

/// The I flag.
const VNI_VALID: u64 = 0x08 << 56;

impl<'d> Usual<'d> {
    fn new(decoder: &'d Decoder, inner: bool) -> Self {
        let mut usual = Self { decoder, inner, port: 0, forbidden: 0 };
        usual.look_up(0);
        usual
    }

    /// All bits for a port that is not for here: the I flag is wanted as well, so that nothing passes.
    fn look_up(&mut self, port: u16) {
        self.port = port;
        self.forbidden = match (self.decoder.device(port), self.decoder.mode) {
            (None | Some(Device::Gpe), _) => u64::MAX,
            (Some(_), Mode::Rfc) => 0,
            (Some(device), Mode::Linux) => VxlanHeader::from_bytes([0xff; 8]).reserved_bits(device),
        };
    }

    /// `None` for anything unusual, and whenever `Decoder::decode` would refuse the packet.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "returned through memory in small pieces and read in large ones, it stalls"
    )]
    fn decode<'a>(&mut self, buffer: &'a [u8], spans: Spans<'_>, row: usize) -> Option<Packet<'a>> {
        let (start, _) = spans.range(row)?;
        let packet = spans.get(buffer, row)?;
        if self.decoder.link != LinkType::ETHERNET {
            return None;
        }
        let outer = Stack::of(packet)?;
        if outer.network.protocol() != IpProtocol::UDP || outer.network.fragment().is_fragment() {
            return None;
        }
        let (tunnel, _) = outer.payload.split_first_chunk::<TUNNEL>()?;
        let port = u16::from_be_bytes([tunnel[2], tunnel[3]]);
        if port != self.port {
            self.look_up(port);
        }
        let length = usize::from(u16::from_be_bytes([tunnel[4], tunnel[5]]));
        let [.., v0, v1, v2, v3, v4, v5, v6, v7] = *tunnel;
        let vxlan = u64::from_be_bytes([v0, v1, v2, v3, v4, v5, v6, v7]);
        if vxlan & VNI_VALID == 0
            || vxlan & self.forbidden != 0
            || length < TUNNEL
            || length > outer.payload_length
        {
            return None;
        }
        let datagram = bytes::at_most(outer.payload, length);
        if self.decoder.checksums != Checksums::Ignore {
            self.verify(&outer, datagram, length)?;
        }
        let inner = bytes::from(datagram, TUNNEL);
        // Who wants to know of a frame that short why it is none, asks the general decoder.
        if inner.len() < EthernetHeader::LEN {
            return None;
        }
        let (inner_length, inner_captured) = (narrow(length - TUNNEL), narrow(inner.len()));
        let inner = if self.inner { Stack::of(inner)? } else { Stack::NONE };
        Some(Packet { start, outer, tunnel, inner_length, inner_captured, inner })
    }

    /// `None` when a checksum is wrong, or missing where it must not be.
    fn verify(&self, outer: &Stack<'_>, datagram: &[u8], length: usize) -> Option<()> {
        let (addresses, zero_is_fine) = match outer.network {
            Network::Other => return None,
            Network::V4(ip) => {
                if Checksum::new().add_bytes(ip).fold() != 0xffff {
                    return None;
                }
                (bytes::from(ip, 12), true)
            }
            Network::V6(ip) => {
                (bytes::from(ip, 8), self.decoder.checksums == Checksums::VerifyZeroOverIpv6)
            }
        };
        let [.., c0, c1] = *datagram.first_chunk::<{ UdpHeader::LEN }>()?;
        if [c0, c1] == [0, 0] {
            return zero_is_fine.then_some(());
        }
        if datagram.len() < length {
            return Some(());
        }
        let sum = Checksum::new()
            .add_bytes(addresses)
            .add_u16(u16::from(IpProtocol::UDP.0))
            .add_u32(narrow(length))
            .add_bytes(datagram);
        (sum.fold() == 0xffff).then_some(())
    }
}

/// By the general decoder, field by field.
#[inline(never)]
fn decode_odd(
    decoder: &Decoder,
    buffer: &[u8],
    spans: Spans<'_>,
    row: usize,
    columns: &mut Columns<'_>,
    decoded: &mut Decoded,
) {
    let values = match decode_one(decoder, buffer, spans, row) {
        Ok(values) => {
            decoded.frames += 1;
            values
        }
        Err(error) => {
            decoded.not_vxlan += usize::from(error.fault.is_not_vxlan());
            refused(&error)
        }
    };
    columns.write(row, &values);
}

#[inline]
fn decode_one(
    decoder: &Decoder,
    buffer: &[u8],
    spans: Spans<'_>,
    row: usize,
) -> Result<Row, DecodeError> {
    let Some(packet) = spans.get(buffer, row) else {
        return Err(out_of_buffer(buffer, spans, row));
    };
    let frame = decoder.decode(packet)?;
    let start = spans.range(row).map_or(0, |(start, _)| start);
    Ok(values(&frame, start))
}

#[cold]
fn out_of_buffer(buffer: &[u8], spans: Spans<'_>, row: usize) -> DecodeError {
    let end = spans.range(row).map_or(u64::MAX, |(_, end)| end);
    let available = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
    DecodeError::new(Layer::Packet, 0, Fault::OutOfBuffer { end, available })
}

#[cold]
fn refused(error: &DecodeError) -> Row {
    Row {
        code: error.fault.code(),
        fault_layer: error.layer.number(),
        fault_offset: narrow(error.offset),
        ..Row::NONE
    }
}

/// The row of a frame in a packet that starts at `start` of the buffer.
#[inline]
fn values(frame: &Frame<'_>, start: u64) -> Row {
    let ethernet = frame.ethernet.unwrap_or_default();
    let inner = frame.inner_headers();
    let inner_ethernet = inner.ethernet.unwrap_or_default();
    let (inner_source_port, inner_destination_port) = inner.ports().unwrap_or_default();
    let (outer_source, outer_source_ipv4) = address(Some(frame.ip.source()));
    let (outer_destination, outer_destination_ipv4) = address(Some(frame.ip.destination()));
    let (inner_source, inner_source_ipv4) = address(inner.ip.map(|ip| ip.source()));
    let (inner_destination, inner_destination_ipv4) = address(inner.ip.map(|ip| ip.destination()));
    Row {
        code: 0,
        fault_layer: 0xff,
        fault_offset: 0,
        outer_source_mac: ethernet.source.octets(),
        outer_destination_mac: ethernet.destination.octets(),
        outer_vlan: vlan(frame.vlans),
        outer_ip_version: frame.ip.version(),
        outer_source,
        outer_destination,
        outer_source_ipv4,
        outer_destination_ipv4,
        outer_ttl: frame.ip.ttl(),
        outer_traffic_class: frame.ip.traffic_class(),
        source_port: frame.udp.source_port,
        destination_port: frame.udp.destination_port,
        udp_checksum: frame.udp.checksum,
        vni: frame.vxlan.vni().get(),
        flags: frame.vxlan.flags(),
        vxlan_header: frame.vxlan.to_bytes(),
        vxlan_offset: narrow(frame.vxlan_offset),
        inner_offset: start + u64::from(narrow(frame.inner.offset)),
        inner_length: narrow(frame.inner.length),
        inner_captured: narrow(frame.inner.bytes.len()),
        inner_type: inner_type(&inner),
        inner_source_mac: inner_ethernet.source.octets(),
        inner_destination_mac: inner_ethernet.destination.octets(),
        inner_vlan: vlan(inner.vlans),
        inner_ip_version: inner.ip.as_ref().map_or(0, IpHeader::version),
        inner_source,
        inner_destination,
        inner_source_ipv4,
        inner_destination_ipv4,
        inner_protocol: inner.protocol.unwrap_or_default().0,
        inner_source_port,
        inner_destination_port,
    }
}

/// What the inner frame carries: nothing can be said of one that ends before its type.
#[inline]
fn inner_type(inner: &Headers<'_>) -> u16 {
    match inner.fault {
        Some(DecodeError { layer: Layer::Ethernet | Layer::Vlan, .. }) => 0,
        _ => inner.ether_type.0,
    }
}

#[inline]
fn vlan(tags: VlanTags<'_>) -> u16 {
    tags.outermost().map_or(NO_VLAN, |tag| tag.id.get())
}

#[inline]
fn address(address: Option<IpAddr>) -> ([u8; 16], u32) {
    match address {
        None => ([0; 16], 0),
        Some(IpAddr::V4(address)) => (address.to_ipv6_mapped().octets(), address.to_bits()),
        Some(IpAddr::V6(address)) => (address.octets(), 0),
    }
}

/// Offsets and lengths inside a packet: one of 4 GiB and more has the greatest number.
#[inline]
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
