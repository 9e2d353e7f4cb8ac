//! `Encap`: the outer headers, made once and written before each inner frame.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::bytes::{self, Writer};
use crate::checksum::Checksum;
use crate::ecn::{Ecn, EcnCodepoint};
use crate::error::{EncodeError, Layer};
use crate::ether_type::EtherType;
use crate::ethernet::EthernetHeader;
use crate::flow::{PortRange, flow_hash};
use crate::frame::{LINUX_PORT, PORT};
use crate::headers::{Headers, IpHeader};
use crate::ip_protocol::IpProtocol;
use crate::ipv4::{Fragment, Ipv4Header};
use crate::ipv6::{FlowLabel, Ipv6Header};
use crate::link::Start;
use crate::mac::MacAddress;
use crate::udp::UdpHeader;
use crate::vlan::{Priority, VlanTag};
use crate::vlan_id::VlanId;
use crate::vni::Vni;
use crate::vxlan::{NextProtocol, VxlanHeader};

/// The most VLAN tags that are written outside.
pub const MAX_TAGS: usize = 4;
/// The longest outer headers, in bytes.
pub const MAX_HEADERS: usize = EthernetHeader::LEN
    + MAX_TAGS * VlanTag::LEN
    + Ipv6Header::LEN
    + UdpHeader::LEN
    + VxlanHeader::LEN;

/// Where the UDP source port comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourcePort {
    /// Always this one.
    Fixed(u16),
    /// By the inner flow: [`flow_hash`] with a seed, spread over a range.
    Flow {
        /// The ports.
        range: PortRange,
        /// What tells one sender's choice from another's.
        seed: u64,
    },
}

/// Where the outer TTL or hop limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ttl {
    /// 64, and 1 to a multicast group, as Linux has it.
    #[default]
    Default,
    /// Always this one.
    Fixed(u8),
    /// That of the inner packet; as `Default` when it is no IP.
    Inherit,
}

/// Where the outer differentiated services code point comes from. ECN is another matter: see [`Ecn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dscp {
    /// The upper six bits of this type of service.
    Fixed(u8),
    /// That of the inner packet; 0 when it is no IP.
    Inherit,
}

/// Where the outer DF flag comes from, over IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DontFragment {
    /// Clear, as Linux has it by default.
    #[default]
    Clear,
    /// Set.
    Set,
    /// That of the inner packet. IPv6 counts as set, anything but IP as clear (`VXLAN_DF_INHERIT` in `vxlan_core.c`).
    Inherit,
}

/// A VLAN tag to be written outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OuterTag {
    /// Which tag it is: [`EtherType::VLAN`] or [`EtherType::QINQ`].
    pub ether_type: EtherType,
    /// Priority.
    pub priority: Priority,
    /// Whether it may be dropped first.
    pub drop_eligible: bool,
    /// The VLAN.
    pub id: VlanId,
}

/// What the outer headers say. [`new`](Self::new) gives what Linux sends unless told otherwise; change the fields to taste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Source and destination of the outer Ethernet header; without them, packets start with IP.
    pub ethernet: Option<(MacAddress, MacAddress)>,
    /// Its VLAN tags, outermost first, at most [`MAX_TAGS`].
    pub tags: Vec<OuterTag>,
    /// Address of this VTEP.
    pub source: IpAddr,
    /// Address of the other one.
    pub destination: IpAddr,
    /// UDP source port.
    pub source_port: SourcePort,
    /// UDP destination port.
    pub destination_port: u16,
    /// The VXLAN header. With a next protocol that is not Ethernet, inner packets start as that says.
    pub vxlan: VxlanHeader,
    /// TTL or hop limit.
    pub ttl: Ttl,
    /// Differentiated services code point.
    pub dscp: Dscp,
    /// What becomes of the inner ECN field.
    pub ecn: Ecn,
    /// DF, over IPv4.
    pub dont_fragment: DontFragment,
    /// Identification, over IPv4. RFC 6864 lets packets that are never fragmented have any.
    pub identification: u16,
    /// Flow label, over IPv6.
    pub flow_label: FlowLabel,
    /// Whether the UDP checksum is computed, or 0. RFC 7348 section 5 wants 0 over IPv4; Linux computes it (`udpcsum`), and a receiver over
    /// IPv6 takes 0 only if told to (`udp6zerocsumtx`, `udp6zerocsumrx`).
    pub udp_checksum: bool,
}

impl Outer {
    /// From one VTEP to another: port 8472, source ports by flow over [`PortRange::DYNAMIC`], UDP checksum, all else as Linux' defaults.
    pub fn new(source: IpAddr, destination: IpAddr, vni: Vni) -> Self {
        Self {
            ethernet: None,
            tags: Vec::new(),
            source,
            destination,
            source_port: SourcePort::Flow { range: PortRange::default(), seed: 0 },
            destination_port: LINUX_PORT,
            vxlan: VxlanHeader::new(vni),
            ttl: Ttl::default(),
            dscp: Dscp::Fixed(0),
            ecn: Ecn::default(),
            dont_fragment: DontFragment::default(),
            identification: 0,
            flow_label: FlowLabel::default(),
            udp_checksum: true,
        }
    }

    /// The same as RFC 7348 has it: port 4789, no UDP checksum over IPv4, ECN by RFC 6040.
    #[must_use]
    pub fn rfc(self) -> Self {
        let udp_checksum = self.source.is_ipv6();
        Self { destination_port: PORT, udp_checksum, ecn: Ecn::Rfc6040, ..self }
    }
}

/// What one packet has other than its [`Outer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerPacket {
    /// VNI.
    pub vni: Option<Vni>,
    /// Outer source address.
    pub source: Option<IpAddr>,
    /// Outer destination address.
    pub destination: Option<IpAddr>,
    /// Outer source MAC; without an outer Ethernet header it is not written.
    pub source_mac: Option<MacAddress>,
    /// Outer destination MAC; without an outer Ethernet header it is not written.
    pub destination_mac: Option<MacAddress>,
    /// UDP source port.
    pub source_port: Option<u16>,
    /// Identification, over IPv4.
    pub identification: Option<u16>,
}

/// Writes outer headers before inner frames.
///
/// ```
/// use bayplan_vxlan::{Decoder, Encap, Outer, Vni};
///
/// let vni = Vni::new(1).unwrap();
/// let encap = Encap::new(Outer::new("192.0.2.1".parse()?, "192.0.2.2".parse()?, vni))?;
/// let inner = [0x5a; 60];
/// let mut packet = vec![0; encap.encoded_len(inner.len())];
/// encap.encode(&inner, &mut packet)?;
///
/// let decoder = Decoder::new().link(bayplan_vxlan::LinkType::RAW);
/// let frame = decoder.decode(&packet)?;
/// assert_eq!((frame.vxlan.vni(), frame.inner.bytes), (vni, &inner[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encap {
    outer: Outer,
    /// Tags, and the `EtherType` after them.
    tags: [u8; MAX_TAGS * VlanTag::LEN],
    tags_len: usize,
    ethernet: EthernetHeader,
    header_len: usize,
    inner: Start,
}

impl Encap {
    /// Makes ready what all packets have in common.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MixedFamilies`]; [`EncodeError::TooManyTags`].
    pub fn new(outer: Outer) -> Result<Self, EncodeError> {
        if outer.source.is_ipv4() != outer.destination.is_ipv4() {
            return Err(EncodeError::MixedFamilies);
        }
        if outer.tags.len() > MAX_TAGS {
            return Err(EncodeError::TooManyTags { tags: outer.tags.len(), limit: MAX_TAGS });
        }
        let (ip_len, mut next) = match outer.source {
            IpAddr::V4(_) => (Ipv4Header::MIN_LEN, EtherType::IPV4),
            IpAddr::V6(_) => (Ipv6Header::LEN, EtherType::IPV6),
        };
        let mut tags = [0; MAX_TAGS * VlanTag::LEN];
        let tags_len = outer.tags.len() * VlanTag::LEN;
        // From the innermost one out, since each says what follows it.
        let mut places = tags.as_chunks_mut::<{ VlanTag::LEN }>().0.iter_mut();
        let places = places.by_ref().take(outer.tags.len());
        for (place, tag) in places.rev().zip(outer.tags.iter().rev()) {
            *place = VlanTag {
                priority: tag.priority,
                drop_eligible: tag.drop_eligible,
                id: tag.id,
                ether_type: next,
            }
            .to_bytes();
            next = tag.ether_type;
        }
        let (source, destination) = outer.ethernet.unwrap_or_default();
        let ethernet_len =
            if outer.ethernet.is_some() { EthernetHeader::LEN + tags_len } else { 0 };
        let inner = match outer.vxlan.gpe().next_protocol.and_then(NextProtocol::ether_type) {
            None | Some(EtherType::ETHERNET) => Start::Ethernet,
            Some(ether_type) => Start::EtherType(ether_type),
        };
        Ok(Self {
            ethernet: EthernetHeader { destination, source, ether_type: next },
            tags,
            tags_len,
            header_len: ethernet_len + ip_len + UdpHeader::LEN + VxlanHeader::LEN,
            inner,
            outer,
        })
    }

    /// What the outer headers say.
    pub const fn outer(&self) -> &Outer {
        &self.outer
    }

    /// What inner packets start with.
    pub(crate) const fn inner_start(&self) -> Start {
        self.inner
    }

    /// The outer Ethernet header with its tags; nothing without one.
    pub(crate) fn ethernet_bytes(&self) -> Vec<u8> {
        if self.outer.ethernet.is_none() {
            return Vec::new();
        }
        [&self.ethernet.to_bytes()[..], bytes::at_most(&self.tags, self.tags_len)].concat()
    }

    /// Length of the outer headers in bytes: 50 over IPv4 and 70 over IPv6, with Ethernet and without tags.
    #[inline]
    pub const fn header_len(&self) -> usize {
        self.header_len
    }

    /// Length in bytes of a packet that carries an inner frame of `inner` bytes.
    #[inline]
    pub const fn encoded_len(&self, inner: usize) -> usize {
        self.header_len.saturating_add(inner)
    }

    /// Writes outer headers and inner frame, and says how long they are.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more than 65,535 bytes of IP; [`EncodeError::BufferTooShort`].
    pub fn encode(&self, inner: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode_with(&PerPacket::default(), inner, out)
    }

    /// The same with what this packet has of its own.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), and [`EncodeError::MixedFamilies`] when an address is of the other IP version.
    pub fn encode_with(
        &self,
        packet: &PerPacket,
        inner: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let mut writer = Writer::new(out, self.encoded_len(inner.len()))?;
        let (headers, length) = self.headers(packet, inner)?;
        writer.put(bytes::at_most(&headers, length));
        writer.put(inner);
        Ok(writer.written())
    }

    /// The outer headers of an inner frame, and how many bytes of them count.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`]; [`EncodeError::MixedFamilies`].
    pub fn headers(
        &self,
        packet: &PerPacket,
        inner: &[u8],
    ) -> Result<([u8; MAX_HEADERS], usize), EncodeError> {
        let udp_length = inner.len().saturating_add(UdpHeader::LEN + VxlanHeader::LEN);
        let too_long = |layer, length: usize| EncodeError::TooLong {
            layer,
            length,
            limit: usize::from(u16::MAX),
        };
        let Ok(udp_length) = u16::try_from(udp_length) else {
            return Err(too_long(Layer::Udp, udp_length));
        };
        let layers = Headers::decode(self.inner, inner, 0);
        let traffic_class = layers.ip.map_or(0, |ip| ip.traffic_class());
        let dscp = match self.outer.dscp {
            Dscp::Fixed(type_of_service) => type_of_service,
            Dscp::Inherit => traffic_class,
        };
        let ecn = self.outer.ecn.encapsulate(EcnCodepoint::of(traffic_class));
        let traffic_class = dscp & !0b11 | ecn.bits();
        let source = packet.source.unwrap_or(self.outer.source);
        let destination = packet.destination.unwrap_or(self.outer.destination);
        let ttl = match (self.outer.ttl, layers.ip) {
            (Ttl::Fixed(ttl), _) => ttl,
            (Ttl::Inherit, Some(ip)) => ip.ttl(),
            _ if destination.is_multicast() => 1,
            _ => 64,
        };

        let mut headers = [0; MAX_HEADERS];
        let mut writer = Writer::new(&mut headers, self.header_len)?;
        if self.outer.ethernet.is_some() {
            let ethernet = EthernetHeader {
                destination: packet.destination_mac.unwrap_or(self.ethernet.destination),
                source: packet.source_mac.unwrap_or(self.ethernet.source),
                ether_type: self.ethernet.ether_type,
            };
            writer.put(&ethernet.to_bytes());
            writer.put(bytes::at_most(&self.tags, self.tags_len));
        }
        let mut udp = UdpHeader {
            source_port: packet.source_port.unwrap_or_else(|| self.source_port(&layers)),
            destination_port: self.outer.destination_port,
            length: udp_length,
            checksum: 0,
        };
        let vxlan = packet.vni.map_or(self.outer.vxlan, |vni| self.outer.vxlan.with_vni(vni));
        let pseudo_header = match (self.outer.source, source, destination) {
            (IpAddr::V4(_), IpAddr::V4(source), IpAddr::V4(destination)) => {
                let minimum = u16::try_from(Ipv4Header::MIN_LEN).unwrap_or_default();
                let Some(total_length) = udp_length.checked_add(minimum) else {
                    return Err(too_long(
                        Layer::Ipv4,
                        usize::from(udp_length) + Ipv4Header::MIN_LEN,
                    ));
                };
                let mut ip = Ipv4Header {
                    type_of_service: traffic_class,
                    total_length,
                    identification: packet.identification.unwrap_or(self.outer.identification),
                    fragment: self.fragment(&layers),
                    ttl,
                    protocol: IpProtocol::UDP,
                    checksum: 0,
                    source,
                    destination,
                    options: &[],
                };
                ip.checksum = ip.computed_checksum();
                let mut fixed = [0; Ipv4Header::MIN_LEN];
                ip.encode(&mut fixed)?;
                writer.put(&fixed);
                let length = u32::from(udp_length);
                Checksum::new().add_ipv4_pseudo_header(source, destination, IpProtocol::UDP, length)
            }
            (IpAddr::V6(_), IpAddr::V6(source), IpAddr::V6(destination)) => {
                let ip = Ipv6Header {
                    traffic_class,
                    flow_label: self.outer.flow_label,
                    payload_length: udp_length,
                    next_header: IpProtocol::UDP,
                    hop_limit: ttl,
                    source,
                    destination,
                };
                writer.put(&ip.to_bytes());
                let length = u32::from(udp_length);
                Checksum::new().add_ipv6_pseudo_header(source, destination, IpProtocol::UDP, length)
            }
            _ => return Err(EncodeError::MixedFamilies),
        };
        if self.outer.udp_checksum {
            let sum = pseudo_header
                .add_bytes(&udp.to_bytes())
                .add_bytes(&vxlan.to_bytes())
                .add_bytes(inner);
            udp.checksum = sum.finish_udp();
        }
        writer.put(&udp.to_bytes());
        writer.put(&vxlan.to_bytes());
        let length = writer.written();
        Ok((headers, length))
    }

    fn source_port(&self, inner: &Headers<'_>) -> u16 {
        match self.outer.source_port {
            SourcePort::Fixed(port) => port,
            SourcePort::Flow { range, seed } => range.port(flow_hash(inner, seed)),
        }
    }

    fn fragment(&self, inner: &Headers<'_>) -> Fragment {
        let set = match (self.outer.dont_fragment, inner.ip) {
            (DontFragment::Set, _) | (DontFragment::Inherit, Some(IpHeader::V6(..))) => true,
            (DontFragment::Inherit, Some(IpHeader::V4(ip))) => ip.fragment.dont_fragment(),
            _ => false,
        };
        if set { Fragment::DONT_FRAGMENT } else { Fragment::default() }
    }
}
