//! `Headers`: the layers of one packet from Ethernet to IP, as far as the bytes go.

use core::net::IpAddr;

use crate::arp::ArpPacket;
use crate::bytes;
use crate::checksum::{Checksum, ChecksumStatus};
use crate::ecn::EcnCodepoint;
use crate::error::{DecodeError, Fault, Layer};
use crate::ether_type::EtherType;
use crate::ethernet::EthernetHeader;
use crate::ip_protocol::IpProtocol;
use crate::ipv4::Ipv4Header;
use crate::ipv6::{Ipv6Extensions, Ipv6Header};
use crate::link::Start;
use crate::vlan::VlanTags;

/// An IP header of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IpHeader<'a> {
    /// IPv4, options included.
    V4(Ipv4Header<'a>),
    /// IPv6, and its extension headers.
    V6(Ipv6Header, Ipv6Extensions<'a>),
}

impl IpHeader<'_> {
    /// 4 or 6.
    pub const fn version(&self) -> u8 {
        match self {
            Self::V4(_) => 4,
            Self::V6(..) => 6,
        }
    }

    /// Whom the packet is from.
    pub const fn source(&self) -> IpAddr {
        match self {
            Self::V4(header) => IpAddr::V4(header.source),
            Self::V6(header, _) => IpAddr::V6(header.source),
        }
    }

    /// Whom it is for.
    pub const fn destination(&self) -> IpAddr {
        match self {
            Self::V4(header) => IpAddr::V4(header.destination),
            Self::V6(header, _) => IpAddr::V6(header.destination),
        }
    }

    /// Time to live or hop limit.
    pub const fn ttl(&self) -> u8 {
        match self {
            Self::V4(header) => header.ttl,
            Self::V6(header, _) => header.hop_limit,
        }
    }

    /// Type of service or traffic class: DSCP and ECN.
    pub const fn traffic_class(&self) -> u8 {
        match self {
            Self::V4(header) => header.type_of_service,
            Self::V6(header, _) => header.traffic_class,
        }
    }

    /// The ECN field.
    pub const fn ecn(&self) -> EcnCodepoint {
        EcnCodepoint::of(self.traffic_class())
    }

    /// Whether the packet is a part of one: where the part starts in bytes, and whether more follow.
    pub fn fragment(&self) -> Option<(u16, bool)> {
        match self {
            Self::V4(header) if header.fragment.is_fragment() => {
                Some((header.fragment.offset(), header.fragment.more()))
            }
            Self::V4(_) => None,
            Self::V6(_, extensions) if extensions.is_empty() => None,
            Self::V6(_, extensions) => {
                extensions.fragment().map(|fragment| (fragment.offset, fragment.more))
            }
        }
    }

    /// The header checksum; `None` for IPv6, which has none.
    pub fn checksum_status(&self) -> Option<ChecksumStatus> {
        match self {
            Self::V4(header) => Some(header.checksum_status()),
            Self::V6(..) => None,
        }
    }

    /// The checksum of a transport header, over `length` bytes that start with it: the sum with the pseudo header.
    pub(crate) fn pseudo_header(&self, protocol: IpProtocol, length: u32) -> Checksum {
        match self {
            Self::V4(header) => Checksum::new().add_ipv4_pseudo_header(
                header.source,
                header.destination,
                protocol,
                length,
            ),
            Self::V6(header, _) => Checksum::new().add_ipv6_pseudo_header(
                header.source,
                header.destination,
                protocol,
                length,
            ),
        }
    }
}

/// The layers of a packet down to IP. Where the bytes end or make no sense, what was found until then stands, and [`fault`](Self::fault)
/// says why it goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The Ethernet header; `None` where the packet started without one.
    pub ethernet: Option<EthernetHeader>,
    /// 802.1Q and 802.1ad tags.
    pub vlans: VlanTags<'a>,
    /// What follows Ethernet and its tags.
    pub ether_type: EtherType,
    /// Where that starts, in bytes from the start of the frame.
    pub network_offset: usize,
    /// The IP header.
    pub ip: Option<IpHeader<'a>>,
    /// What follows IP and its extension headers.
    pub protocol: Option<IpProtocol>,
    /// Where the payload starts, in bytes from the start of the frame: after IP and its extension headers, or after what
    /// was found of the packet.
    pub payload_offset: usize,
    /// Length of the payload in bytes, as the packet's length fields have it; as captured where they say 0 (BIG TCP) or there is none.
    pub payload_length: usize,
    /// What there is of the payload, without padding behind it.
    pub payload: &'a [u8],
    /// Why the headers end before they should.
    pub fault: Option<DecodeError>,
}

impl<'a> Headers<'a> {
    /// The layers of a packet. `offset` is where `bytes` start in the frame.
    #[inline]
    pub fn decode(start: Start, bytes: &'a [u8], offset: usize) -> Self {
        let mut headers = Self {
            ethernet: None,
            vlans: VlanTags::default(),
            ether_type: EtherType::ETHERNET,
            network_offset: offset,
            ip: None,
            protocol: None,
            payload_offset: offset,
            payload_length: bytes.len(),
            payload: bytes,
            fault: None,
        };
        headers.fault = headers.read(start).err();
        headers
    }

    #[inline]
    fn read(&mut self, start: Start) -> Result<(), DecodeError> {
        match start {
            Start::EtherType(ether_type) => self.ether_type = ether_type,
            Start::Ethernet => {
                let (ethernet, rest) = EthernetHeader::decode(self.payload, self.payload_offset)?;
                self.ethernet = Some(ethernet);
                self.ether_type = ethernet.ether_type;
                self.advance(rest);
            }
        }
        if self.ether_type.is_vlan() {
            let (vlans, ether_type, rest) =
                VlanTags::decode(self.ether_type, self.payload, self.payload_offset)?;
            self.vlans = vlans;
            self.ether_type = ether_type;
            self.advance(rest);
        }
        self.network_offset = self.payload_offset;
        match self.ether_type {
            EtherType::IPV4 => self.read_ipv4(),
            EtherType::IPV6 => self.read_ipv6(),
            _ => Ok(()),
        }
    }

    #[inline]
    fn read_ipv4(&mut self) -> Result<(), DecodeError> {
        let offset = self.payload_offset;
        let (ip, rest) = Ipv4Header::decode(self.payload, offset)?;
        let (header, total) = (ip.len(), usize::from(ip.total_length));
        self.ip = Some(IpHeader::V4(ip));
        self.protocol = Some(ip.protocol);
        self.advance(rest);
        // 0: "use the captured length", as GSO leaves it
        if total != 0 {
            let Some(length) = total.checked_sub(header) else {
                let most = usize::from(u16::MAX);
                let fault = Fault::Length { found: total, least: header, most };
                return Err(DecodeError::new(Layer::Ipv4, offset, fault));
            };
            self.limit(length);
        }
        Ok(())
    }

    #[inline]
    fn read_ipv6(&mut self) -> Result<(), DecodeError> {
        let offset = self.payload_offset;
        let (ip, rest) = Ipv6Header::decode(self.payload, offset)?;
        self.ip = Some(IpHeader::V6(ip, Ipv6Extensions::default()));
        self.protocol = Some(ip.next_header);
        self.advance(rest);
        if ip.payload_length != 0 {
            self.limit(usize::from(ip.payload_length));
        }
        if !ip.next_header.is_extension() {
            return Ok(());
        }
        let (extensions, protocol, rest) =
            Ipv6Extensions::decode(ip.next_header, self.payload, self.payload_offset)?;
        if ip.payload_length == 0
            && let Some(jumbo) = extensions.jumbo_payload_length()
        {
            let found = usize::try_from(jumbo).unwrap_or(usize::MAX);
            let least = extensions.as_bytes().len();
            if found < least {
                let fault = Fault::Length { found, least, most: usize::MAX };
                return Err(DecodeError::new(Layer::Ipv6, offset, fault));
            }
            self.limit(found);
        }
        self.ip = Some(IpHeader::V6(ip, extensions));
        self.protocol = Some(protocol);
        let rest = bytes::at_most(rest, self.payload.len() - extensions.as_bytes().len());
        self.advance(rest);
        Ok(())
    }

    /// The payload starts later: with `rest`, the end of what it was.
    #[inline]
    fn advance(&mut self, rest: &'a [u8]) {
        let by = self.payload.len() - rest.len();
        self.payload = rest;
        self.payload_offset += by;
        self.payload_length = self.payload_length.saturating_sub(by);
    }

    /// A length field says how long the payload is: less of it is a cut capture, more of it padding.
    #[inline]
    fn limit(&mut self, length: usize) {
        self.payload_length = length;
        self.payload = bytes::at_most(self.payload, length);
    }

    /// Source and destination port, where the payload is the start of TCP, UDP or SCTP and has them.
    #[inline]
    pub fn ports(&self) -> Option<(u16, u16)> {
        if self.fault.is_some() || !self.protocol?.has_ports() {
            return None;
        }
        if self.ip?.fragment().is_some_and(|(offset, _)| offset != 0) {
            return None;
        }
        let [s0, s1, d0, d1] = *self.payload.first_chunk::<4>()?;
        Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
    }

    /// The ARP packet; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`ArpPacket::decode`].
    pub fn arp(&self) -> Option<Result<ArpPacket, DecodeError>> {
        (self.fault.is_none() && self.ether_type == EtherType::ARP)
            .then(|| ArpPacket::decode(self.payload, self.network_offset).map(|(packet, _)| packet))
    }
}
