//! Usual packets straight into the buffer: the outer headers as a few words, from what the batch has in common and what a row has of its own.

use core::net::IpAddr;

use super::EncodeBatch;
use super::shape::{Network, Stack};
use crate::bytes;
use crate::checksum::Checksum;
use crate::ecn::EcnCodepoint;
use crate::encap::{DontFragment, Dscp, Encap, SourcePort, Ttl};
use crate::ethernet::EthernetHeader;
use crate::flow::FlowHasher;
use crate::ip_protocol::IpProtocol;
use crate::ipv4::{Fragment, Ipv4Header};
use crate::ipv6::Ipv6Header;
use crate::link::Start;
use crate::udp::UdpHeader;
use crate::vni::Vni;
use crate::vxlan::VxlanHeader;

/// IPv4, UDP and VXLAN headers, in words.
const WORDS_V4: usize = (Ipv4Header::MIN_LEN + UdpHeader::LEN + VxlanHeader::LEN) / 4;
/// IPv6, UDP and VXLAN headers, in words.
const WORDS_V6: usize = (Ipv6Header::LEN + UdpHeader::LEN + VxlanHeader::LEN) / 4;
/// Longest Ethernet header for here: with one tag.
const ETHERNET: usize = EthernetHeader::LEN + 4;

/// What usual packets of a batch have in common.
#[derive(Debug)]
pub(super) struct Usual<'e> {
    encap: &'e Encap,
    ethernet: [u8; ETHERNET],
    ethernet_len: usize,
    v4: bool,
    /// Source and destination in 16 bytes; of IPv4 the last four count.
    source: [u8; 16],
    destination: [u8; 16],
    vxlan: u64,
}

impl<'e> Usual<'e> {
    /// `None` when no packet of this `Encap` is for here: more than one tag, or inner packets that do not start with Ethernet.
    pub(super) fn new(encap: &'e Encap) -> Option<Self> {
        let outer = encap.outer();
        if encap.inner_start() != Start::Ethernet {
            return None;
        }
        let mut ethernet = [0; ETHERNET];
        let header = encap.ethernet_bytes();
        ethernet.get_mut(..header.len())?.copy_from_slice(&header);
        let octets = |address: IpAddr| match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        Some(Self {
            encap,
            ethernet,
            ethernet_len: header.len(),
            v4: outer.source.is_ipv4(),
            source: octets(outer.source),
            destination: octets(outer.destination),
            vxlan: u64::from_be_bytes(outer.vxlan.with_vni(Vni::default()).to_bytes()),
        })
    }

    /// Writes the packet of a row to a place that is as long as it. `false` for anything unusual, and whenever `Encap::encode_with` would refuse the
    /// row: the place holds anything then.
    #[inline]
    pub(super) fn write(
        &self,
        batch: &EncodeBatch<'_>,
        row: usize,
        inner: &[u8],
        packet: &mut [u8],
    ) -> bool {
        let written = match (self.ethernet_len, self.v4) {
            (14, true) => self.write_v4::<14>(batch, row, inner, packet),
            (14, false) => self.write_v6::<14>(batch, row, inner, packet),
            (0, true) => self.write_v4::<0>(batch, row, inner, packet),
            (0, false) => self.write_v6::<0>(batch, row, inner, packet),
            (18, true) => self.write_v4::<18>(batch, row, inner, packet),
            (18, false) => self.write_v6::<18>(batch, row, inner, packet),
            _ => None,
        };
        written.is_some()
    }

    #[inline]
    fn write_v4<const E: usize>(
        &self,
        batch: &EncodeBatch<'_>,
        row: usize,
        inner: &[u8],
        packet: &mut [u8],
    ) -> Option<()> {
        let address = |column: &[[u8; 16]], of_all: &[u8; 16]| {
            let address = u128::from_be_bytes(*column.get(row).unwrap_or(of_all));
            // only ::ffff:a.b.c.d is an IPv4 address
            let [upper @ .., a, b, c, d] = address.to_be_bytes();
            let mapped = upper == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
            mapped.then_some(u32::from_be_bytes([a, b, c, d]))
        };
        let source = address(batch.source, &self.source)?;
        let destination = address(batch.destination, &self.destination)?;
        let total_length = u16::try_from(inner.len() + 4 * WORDS_V4).ok()?;
        let udp_length = total_length - 20;
        let fields = self.fields(batch, row, inner, destination >> 28 == 0xe)?;
        // Each packet has a number of its own, so that fragments of one cannot be taken for another's (RFC 791 section 3.2).
        let [.., a, b] = row.to_be_bytes();
        let identification =
            self.encap.outer().identification.wrapping_add(u16::from_be_bytes([a, b]));
        let mut words = [0; WORDS_V4];
        words[0] = word(0x4500 | u16::from(fields.traffic_class), total_length);
        words[1] = word(identification, fields.fragment.0);
        let next = u32::from(fields.ttl) << 24 | u32::from(IpProtocol::UDP.0) << 16;
        (words[3], words[4]) = (source, destination);
        let sum = [words[0], words[1], next, source, destination]
            .iter()
            .fold(Checksum::new(), |sum, word| sum.add_u32(*word));
        words[2] = next | u32::from(sum.finish());
        let tunnel = fields.tunnel(udp_length);
        (words[5], words[6], words[7], words[8]) = (tunnel[0], tunnel[1], tunnel[2], tunnel[3]);
        if self.encap.outer().udp_checksum {
            let pseudo_header =
                [source, destination, u32::from(IpProtocol::UDP.0), u32::from(udp_length)];
            words[6] |= udp_checksum(&pseudo_header, &tunnel, inner);
        }
        self.put::<E, WORDS_V4>(batch, row, &words, inner, packet)
    }

    #[inline]
    fn write_v6<const E: usize>(
        &self,
        batch: &EncodeBatch<'_>,
        row: usize,
        inner: &[u8],
        packet: &mut [u8],
    ) -> Option<()> {
        let source = address_words(batch.source.get(row).unwrap_or(&self.source));
        let destination = address_words(batch.destination.get(row).unwrap_or(&self.destination));
        let udp_length = u16::try_from(inner.len() + 16).ok()?;
        let fields = self.fields(batch, row, inner, destination[0] >> 24 == 0xff)?;
        let mut words = [0; WORDS_V6];
        words[0] =
            6 << 28 | u32::from(fields.traffic_class) << 20 | self.encap.outer().flow_label.get();
        words[1] = word(udp_length, u16::from(IpProtocol::UDP.0) << 8 | u16::from(fields.ttl));
        let mut tunnel = fields.tunnel(udp_length);
        if self.encap.outer().udp_checksum {
            let [s0, s1, s2, s3] = source;
            let [d0, d1, d2, d3] = destination;
            let (protocol, length) = (u32::from(IpProtocol::UDP.0), u32::from(udp_length));
            let pseudo_header = [s0, s1, s2, s3, d0, d1, d2, d3, protocol, length];
            tunnel[1] |= udp_checksum(&pseudo_header, &tunnel, inner);
        }
        let rest = source.iter().chain(&destination).chain(&tunnel);
        words.iter_mut().skip(2).zip(rest).for_each(|(place, word)| *place = *word);
        self.put::<E, WORDS_V6>(batch, row, &words, inner, packet)
    }

    /// What depends on the inner frame and the columns. `multicast`: whether the outer destination is a group.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "returned through memory in small pieces and read in large ones, it stalls"
    )]
    fn fields(
        &self,
        batch: &EncodeBatch<'_>,
        row: usize,
        inner: &[u8],
        multicast: bool,
    ) -> Option<Fields> {
        let outer = self.encap.outer();
        let stack = Stack::of(inner)?;
        let traffic_class = stack.network.traffic_class();
        let dscp = match outer.dscp {
            Dscp::Fixed(type_of_service) => type_of_service,
            Dscp::Inherit => traffic_class,
        };
        let ecn = outer.ecn.encapsulate(EcnCodepoint::of(traffic_class));
        let ttl = match (outer.ttl, stack.network.ttl()) {
            (Ttl::Fixed(ttl), _) | (Ttl::Inherit, Some(ttl)) => ttl,
            _ if multicast => 1,
            _ => 64,
        };
        let dont_fragment = match (outer.dont_fragment, stack.network) {
            (DontFragment::Set, _) | (DontFragment::Inherit, Network::V6(_)) => true,
            (DontFragment::Inherit, Network::V4(_)) => stack.network.fragment().dont_fragment(),
            _ => false,
        };
        let source_port = match (batch.source_port.get(row), outer.source_port) {
            (Some(&port), _) | (None, SourcePort::Fixed(port)) => port,
            (None, SourcePort::Flow { range, seed }) => range.port(flow_hash(&stack, seed)),
        };
        let vxlan = match batch.vni.get(row) {
            Some(&vni) => self.vxlan | u64::from(Vni::new(vni)?.get()) << 8,
            None => u64::from_be_bytes(outer.vxlan.to_bytes()),
        };
        Some(Fields {
            traffic_class: dscp & !0b11 | ecn.bits(),
            ttl,
            fragment: if dont_fragment { Fragment::DONT_FRAGMENT } else { Fragment(0) },
            ports: word(source_port, outer.destination_port),
            vxlan,
        })
    }

    /// Ethernet header, words and inner frame to a place as long as all of them.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "returned through memory in small pieces and read in large ones, it stalls"
    )]
    fn put<const E: usize, const W: usize>(
        &self,
        batch: &EncodeBatch<'_>,
        row: usize,
        words: &[u32; W],
        inner: &[u8],
        packet: &mut [u8],
    ) -> Option<()> {
        let (ethernet, rest) = packet.split_first_chunk_mut::<E>()?;
        *ethernet = *self.ethernet.first_chunk()?;
        if E != 0 {
            if let (Some(place), Some(mac)) =
                (ethernet.first_chunk_mut(), batch.destination_mac.get(row))
            {
                *place = *mac;
            }
            if let (Some(place), Some(mac)) = (ethernet.get_mut(6..12), batch.source_mac.get(row)) {
                place.copy_from_slice(mac);
            }
        }
        let (headers, payload) = rest.split_at_mut_checked(4 * W)?;
        let headers = headers.as_chunks_mut::<4>().0.first_chunk_mut::<W>()?;
        *headers = words.map(u32::to_be_bytes);
        copy(payload, inner);
        Some(())
    }
}

/// Frames up to this long are copied in steps of 32 bytes; a call of `memcpy` costs more than that.
const SHORT: usize = 256;

/// Copies a frame to a place as long as it.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    let n = from.len().min(to.len());
    let (Some(to), Some(from)) = (to.get_mut(..n), from.get(..n)) else { return };
    if !(32..=SHORT).contains(&n) {
        to.copy_from_slice(from);
        return;
    }
    // The last step overlaps the one before.
    for (to, from) in to.as_chunks_mut::<32>().0.iter_mut().zip(from.as_chunks::<32>().0) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<32>(), from.last_chunk::<32>()) {
        *to = *from;
    }
}

/// What the outer headers have of the inner frame and the row.
#[derive(Debug)]
struct Fields {
    traffic_class: u8,
    ttl: u8,
    fragment: Fragment,
    ports: u32,
    vxlan: u64,
}

impl Fields {
    /// UDP without its checksum, and VXLAN.
    #[inline]
    fn tunnel(&self, udp_length: u16) -> [u32; 4] {
        let [f0, f1, f2, f3, v0, v1, v2, v3] = self.vxlan.to_be_bytes();
        let (flags, vni) = ([f0, f1, f2, f3], [v0, v1, v2, v3]);
        [self.ports, word(udp_length, 0), u32::from_be_bytes(flags), u32::from_be_bytes(vni)]
    }
}

#[inline]
fn word(upper: u16, lower: u16) -> u32 {
    u32::from(upper) << 16 | u32::from(lower)
}

#[inline]
fn address_words(address: &[u8; 16]) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(address.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

#[inline]
fn udp_checksum(pseudo_header: &[u32], tunnel: &[u32; 4], inner: &[u8]) -> u32 {
    let words = pseudo_header.iter().chain(tunnel);
    let sum = words.fold(Checksum::new(), |sum, word| sum.add_u32(*word));
    u32::from(sum.add_bytes(inner).finish_udp())
}

/// As [`flow_hash`](crate::flow_hash), which says what is hashed.
#[inline]
fn flow_hash(stack: &Stack<'_>, seed: u64) -> u32 {
    let mut hasher = FlowHasher::new(seed);
    match stack.network {
        Network::Other => {
            let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = *stack.ethernet;
            hasher.mix(u64::from_be_bytes([0, 0, d0, d1, d2, d3, d4, d5]));
            hasher.mix(u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]));
            hasher.mix(u64::from(stack.ether_type.0));
            return hasher.finish();
        }
        Network::V4(ip) => {
            let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *ip;
            hasher.mix(u64::from_be_bytes([s0, s1, s2, s3, d0, d1, d2, d3]));
        }
        Network::V6(ip) => {
            for word in bytes::from(ip, 8).as_chunks::<8>().0 {
                hasher.mix(u64::from_be_bytes(*word));
            }
        }
    }
    let whole = !stack.network.fragment().is_fragment();
    let [source, destination] = if whole { stack.ports() } else { [0, 0] };
    hasher.mix_ports(source, destination, stack.network.protocol());
    hasher.finish()
}
