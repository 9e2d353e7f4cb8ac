//! `decode_batch`: packets → columns.

use core::net::IpAddr;

use super::Spans;
use super::columns::{Columns, NO_VLAN, Row};
use crate::error::{DecodeError, Fault, Layer};
use crate::frame::{Decoder, Frame};
use crate::headers::{Headers, IpHeader};
use crate::vlan::VlanTags;

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

/// Decodes the outermost VXLAN header of each packet into columns, as [`Decoder::decode`] does one. A packet that is refused
/// has its reason in the columns and keeps no other from being decoded.
pub fn decode_batch(
    decoder: &Decoder,
    buffer: &[u8],
    spans: Spans<'_>,
    columns: &mut Columns<'_>,
) -> Decoded {
    let mut decoded = Decoded { packets: spans.len(), ..Decoded::default() };
    for row in 0..spans.len() {
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
    decoded
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
