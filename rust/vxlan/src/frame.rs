//! `Decoder` and `Frame`: from the start of a packet to the frame that VXLAN carries, nested ones too.

use alloc::vec::Vec;

use crate::bytes;
use crate::checksum::ChecksumStatus;
use crate::error::{DecodeError, Fault, Layer};
use crate::erspan::ErspanHeader;
use crate::ether_type::EtherType;
use crate::ethernet::EthernetHeader;
use crate::gre::GreHeader;
use crate::headers::{Headers, IpHeader};
use crate::ip_protocol::IpProtocol;
use crate::link::{LinkType, Start};
use crate::udp::UdpHeader;
use crate::vlan::{VlanTag, VlanTags};
use crate::vxlan::{Device, Mode, NextProtocol, VxlanHeader};

/// The port of RFC 7348 section 5, assigned by IANA.
pub const PORT: u16 = 4789;
/// The default port of Linux, and flannel's.
pub const LINUX_PORT: u16 = 8472;
/// The port of VXLAN-GPE, assigned by IANA.
pub const GPE_PORT: u16 = 4790;

/// How many VXLAN headers inside one another are followed. Each checksum covers all that is inside, so that without a bound a long packet
/// of nothing but headers would cost the square of its length.
pub const MAX_DEPTH: usize = 64;

/// Whether checksums are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Checksums {
    /// No: packets captured where a device computes the checksums have unfinished ones.
    #[default]
    Ignore,
    /// The IPv4 header checksum, and the UDP checksum where there is one and the datagram is all there. None at
    /// all is fine over IPv4; over IPv6 it is refused (RFC 8200 section 8.1).
    Verify,
    /// The same, but without a UDP checksum over IPv6 as well (RFC 6935; `udp6zerocsumrx` of Linux).
    VerifyZeroOverIpv6,
}

/// Which packets are VXLAN, and which of those are taken.
///
/// ```
/// use bayplan_vxlan::{Decoder, Device, Mode};
///
/// let decoder = Decoder::new().mode(Mode::Linux).port(4789, Device::Gbp);
/// # let frame = [0; 10];
/// let error = decoder.decode(&frame).unwrap_err();
/// assert_eq!(error.to_string(), "ethernet at byte 0: 14 bytes needed, 10 available");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoder {
    ports: Vec<(u16, Device)>,
    pub(crate) mode: Mode,
    pub(crate) checksums: Checksums,
    pub(crate) link: LinkType,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// The ports 4789 and 8472 as plain VXLAN and 4790 as GPE, reserved bits ignored, checksums too, packets that start with Ethernet.
    pub fn new() -> Self {
        let ports =
            [(PORT, Device::Plain), (LINUX_PORT, Device::Plain), (GPE_PORT, Device::Gpe)].to_vec();
        Self {
            ports,
            mode: Mode::default(),
            checksums: Checksums::default(),
            link: LinkType::ETHERNET,
        }
    }

    /// Only these UDP destination ports.
    #[must_use]
    pub fn ports(mut self, ports: &[(u16, Device)]) -> Self {
        self.ports.clear();
        ports.iter().fold(self, |decoder, (port, device)| decoder.port(*port, *device))
    }

    /// This UDP destination port as well, or as another kind of device.
    #[must_use]
    pub fn port(mut self, port: u16, device: Device) -> Self {
        match self.ports.iter_mut().find(|(known, _)| *known == port) {
            Some((_, known)) => *known = device,
            None => self.ports.push((port, device)),
        }
        self
    }

    /// What to do about reserved bits.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether checksums are verified.
    #[must_use]
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.checksums = checksums;
        self
    }

    /// What packets start with.
    #[must_use]
    pub fn link(mut self, link: LinkType) -> Self {
        self.link = link;
        self
    }

    /// What a UDP destination port speaks; `None` when it is no VXLAN port.
    #[inline]
    pub fn device(&self, port: u16) -> Option<Device> {
        self.ports.iter().find(|(known, _)| *known == port).map(|(_, device)| *device)
    }

    /// The outermost VXLAN header of a packet, all before it, and the frame in it.
    ///
    /// # Errors
    ///
    /// The first header at which it turns out that the packet is none, or damaged.
    #[inline]
    pub fn decode<'a>(&self, packet: &'a [u8]) -> Result<Frame<'a>, DecodeError> {
        let (start, rest) = self.link.open(packet)?;
        self.decode_from(start, rest, packet.len() - rest.len(), 0)
    }

    /// All VXLAN headers of a packet, outermost first: inner frames that are VXLAN packets themselves are decoded too.
    ///
    /// An error of the outermost one is an item. An inner frame that is something else ends the iteration; one that reaches
    /// a VXLAN port but holds no VXLAN that can be taken is an error again, and so is the header after [`MAX_DEPTH`] of them.
    pub fn frames<'d, 'a>(&'d self, packet: &'a [u8]) -> Frames<'d, 'a> {
        let next = match self.link.open(packet) {
            Ok((start, rest)) => Next::Start(start, rest, packet.len() - rest.len()),
            Err(error) => Next::Fault(error),
        };
        Frames { decoder: self, next, depth: 0 }
    }

    #[inline]
    fn decode_from<'a>(
        &self,
        start: Start,
        bytes: &'a [u8],
        offset: usize,
        depth: usize,
    ) -> Result<Frame<'a>, DecodeError> {
        let mut headers = Headers::decode(start, bytes, offset);
        let mut carrier = None;
        loop {
            if let Some(fault) = headers.fault {
                return Err(fault);
            }
            let Some((ip, protocol)) = headers.ip.zip(headers.protocol) else {
                return Err(no_ip(&headers));
            };
            self.check_ip(&ip, &headers)?;
            match protocol {
                IpProtocol::UDP => return self.decode_udp(ip, &headers, carrier, depth),
                IpProtocol::GRE => {
                    let (opened, start, rest) = Carrier::open(&headers)?;
                    carrier = Some(opened);
                    let offset = headers.payload_offset + (headers.payload.len() - rest.len());
                    headers = Headers::decode(start, rest, offset);
                }
                IpProtocol(found) => {
                    let fault = Fault::Protocol { found };
                    return Err(DecodeError::new(ip_layer(&ip), headers.network_offset, fault));
                }
            }
        }
    }

    #[inline]
    fn check_ip(&self, ip: &IpHeader<'_>, headers: &Headers<'_>) -> Result<(), DecodeError> {
        let offset = headers.network_offset;
        if let Some((start, more)) = ip.fragment() {
            let fault = Fault::Fragment { fragment_offset: u32::from(start), more };
            return Err(DecodeError::new(ip_layer(ip), offset, fault));
        }
        if self.checksums != Checksums::Ignore
            && let Some(ChecksumStatus::Bad { found, expected }) = ip.checksum_status()
        {
            let fault = Fault::Checksum { found, expected };
            return Err(DecodeError::new(Layer::Ipv4, offset, fault));
        }
        Ok(())
    }

    #[inline]
    fn decode_udp<'a>(
        &self,
        ip: IpHeader<'a>,
        headers: &Headers<'a>,
        carrier: Option<Carrier>,
        depth: usize,
    ) -> Result<Frame<'a>, DecodeError> {
        let udp_offset = headers.payload_offset;
        let (udp, _) = UdpHeader::decode(headers.payload, udp_offset)?;
        let Some(device) = self.device(udp.destination_port) else {
            let fault = Fault::Port { found: udp.destination_port };
            return Err(DecodeError::new(Layer::Udp, udp_offset, fault));
        };
        let most = headers.payload_length;
        let length = match usize::from(udp.length) {
            // RFC 2675 section 4, and BIG TCP over IPv4
            0 => most,
            length if (UdpHeader::LEN..=most).contains(&length) => length,
            found => {
                let fault = Fault::Length { found, least: UdpHeader::LEN, most };
                return Err(DecodeError::new(Layer::Udp, udp_offset, fault));
            }
        };
        let vxlan_offset = udp_offset + UdpHeader::LEN;
        let datagram = bytes::at_most(headers.payload, length);
        let (vxlan, inner) =
            VxlanHeader::decode(bytes::from(datagram, UdpHeader::LEN), vxlan_offset)?;
        let protocol = vxlan.check(device, self.mode, vxlan_offset)?;
        let inner = Inner {
            protocol,
            offset: vxlan_offset + VxlanHeader::LEN,
            length: length.saturating_sub(UdpHeader::LEN + VxlanHeader::LEN),
            bytes: inner,
        };
        if self.mode == Mode::Linux
            && protocol == NextProtocol::ETHERNET
            && inner.bytes.len() < EthernetHeader::LEN
        {
            let (needed, available) = (EthernetHeader::LEN, inner.bytes.len());
            let layer = Layer::InnerEthernet;
            return Err(DecodeError::truncated(layer, inner.offset, needed, available));
        }
        let frame = Frame {
            depth,
            carrier,
            ethernet: headers.ethernet,
            vlans: headers.vlans,
            ip,
            ip_offset: headers.network_offset,
            udp,
            udp_offset,
            vxlan,
            vxlan_offset,
            device,
            inner,
            datagram,
            datagram_length: length,
        };
        if self.checksums != Checksums::Ignore {
            frame.check_udp(self.checksums)?;
        }
        Ok(frame)
    }
}

/// The error of a packet that is no IP: it names the field that says so.
#[cold]
fn no_ip(headers: &Headers<'_>) -> DecodeError {
    let (layer, before) = match (headers.vlans.is_empty(), headers.ethernet) {
        (false, _) => (Layer::Vlan, VlanTag::LEN),
        (true, Some(_)) => (Layer::Ethernet, EthernetHeader::LEN),
        (true, None) => (Layer::Link, headers.network_offset),
    };
    let fault = Fault::EtherType { found: headers.ether_type.0 };
    DecodeError::new(layer, headers.network_offset.saturating_sub(before), fault)
}

fn ip_layer(ip: &IpHeader<'_>) -> Layer {
    match ip {
        IpHeader::V4(_) => Layer::Ipv4,
        IpHeader::V6(..) => Layer::Ipv6,
    }
}

/// What brought a mirrored packet here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Carrier {
    /// The GRE header.
    pub gre: GreHeader,
    /// Where it starts, in bytes from the start of the frame.
    pub gre_offset: usize,
    /// The ERSPAN header, where there is one.
    pub erspan: Option<ErspanHeader>,
}

impl Carrier {
    /// What GRE carries: Ethernet, as it is or with an ERSPAN header of type II before it, or IP.
    fn open<'a>(headers: &Headers<'a>) -> Result<(Self, Start, &'a [u8]), DecodeError> {
        let gre_offset = headers.payload_offset;
        let (gre, rest) = GreHeader::decode(headers.payload, gre_offset)?;
        let mut carrier = Self { gre, gre_offset, erspan: None };
        match gre.protocol {
            EtherType::ETHERNET => Ok((carrier, Start::Ethernet, rest)),
            EtherType::IPV4 | EtherType::IPV6 => {
                Ok((carrier, Start::EtherType(gre.protocol), rest))
            }
            // Type I has no sequence number, and no header of its own either (draft-foschiano-erspan section 4.1)
            EtherType::ERSPAN if gre.sequence.is_none() => Ok((carrier, Start::Ethernet, rest)),
            EtherType::ERSPAN => {
                let offset = gre_offset + gre.len();
                let (erspan, rest) = ErspanHeader::decode(rest, offset)?;
                carrier.erspan = Some(erspan);
                Ok((carrier, Start::Ethernet, rest))
            }
            EtherType(found) => {
                Err(DecodeError::new(Layer::Gre, gre_offset, Fault::EtherType { found }))
            }
        }
    }
}

/// A VXLAN header, the stack it came in, and the frame it carries. Offsets are in bytes from the start of the captured packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// How many VXLAN headers stand before this one.
    pub depth: usize,
    /// GRE and ERSPAN before the stack, where the packet was mirrored; the last one, if that happened more than once.
    pub carrier: Option<Carrier>,
    /// The Ethernet header; `None` where the stack started without one.
    pub ethernet: Option<EthernetHeader>,
    /// Its VLAN tags.
    pub vlans: VlanTags<'a>,
    /// The IP header.
    pub ip: IpHeader<'a>,
    /// Where it starts.
    pub ip_offset: usize,
    /// The UDP header.
    pub udp: UdpHeader,
    /// Where it starts.
    pub udp_offset: usize,
    /// The VXLAN header.
    pub vxlan: VxlanHeader,
    /// Where it starts.
    pub vxlan_offset: usize,
    /// What the port speaks.
    pub device: Device,
    /// What VXLAN carries.
    pub inner: Inner<'a>,
    datagram: &'a [u8],
    datagram_length: usize,
}

impl<'a> Frame<'a> {
    /// Whether the checksum of the IPv4 header is right; `None` over IPv6.
    pub fn ip_checksum_status(&self) -> Option<ChecksumStatus> {
        self.ip.checksum_status()
    }

    /// Whether the UDP checksum is right. A routing header of IPv6 is not followed to its last address.
    pub fn udp_checksum_status(&self) -> ChecksumStatus {
        if self.udp.checksum == 0 {
            return ChecksumStatus::NotPresent;
        }
        if self.datagram.len() < self.datagram_length {
            return ChecksumStatus::Unverified;
        }
        let length = u32::try_from(self.datagram_length).unwrap_or(u32::MAX);
        let sum = self.ip.pseudo_header(IpProtocol::UDP, length).add_bytes(self.datagram);
        if sum.fold() == 0xffff {
            return ChecksumStatus::Good;
        }
        // Without the field: ones' complement subtraction
        let expected = sum.add_u16(!self.udp.checksum).finish_udp();
        ChecksumStatus::Bad { found: self.udp.checksum, expected }
    }

    fn check_udp(&self, checksums: Checksums) -> Result<(), DecodeError> {
        let fault = match self.udp_checksum_status() {
            ChecksumStatus::Bad { found, expected } => Fault::Checksum { found, expected },
            ChecksumStatus::NotPresent
                if checksums == Checksums::Verify && self.ip.version() == 6 =>
            {
                Fault::ZeroChecksum
            }
            _ => return Ok(()),
        };
        Err(DecodeError::new(Layer::Udp, self.udp_offset, fault))
    }

    /// Length of UDP header and payload in bytes, where its length field says 0 too.
    pub const fn udp_length(&self) -> usize {
        self.datagram_length
    }

    /// The layers of what VXLAN carries.
    #[inline]
    pub fn inner_headers(&self) -> Headers<'a> {
        self.inner.headers()
    }
}

/// What a VXLAN header carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner<'a> {
    /// What it is: Ethernet, except from a GPE device.
    pub protocol: NextProtocol,
    /// Where it starts, in bytes from the start of the captured packet.
    pub offset: usize,
    /// Its length in bytes, as the headers around it have it.
    pub length: usize,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

impl<'a> Inner<'a> {
    /// Its layers.
    #[inline]
    pub fn headers(&self) -> Headers<'a> {
        Headers::decode(self.start(), self.bytes, self.offset)
    }

    /// Whether the capture has less than there was.
    pub const fn is_cut(&self) -> bool {
        self.bytes.len() < self.length
    }

    fn start(&self) -> Start {
        match self.protocol {
            NextProtocol::ETHERNET => Start::Ethernet,
            protocol => Start::EtherType(protocol.ether_type().unwrap_or_default()),
        }
    }
}

/// The VXLAN headers of a packet, by [`Decoder::frames`].
#[derive(Debug, Clone)]
pub struct Frames<'d, 'a> {
    decoder: &'d Decoder,
    next: Next<'a>,
    depth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Next<'a> {
    Start(Start, &'a [u8], usize),
    Fault(DecodeError),
    End,
}

impl<'a> Iterator for Frames<'_, 'a> {
    type Item = Result<Frame<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (start, bytes, offset) = match core::mem::replace(&mut self.next, Next::End) {
            Next::Start(start, bytes, offset) => (start, bytes, offset),
            Next::Fault(error) => return Some(Err(error)),
            Next::End => return None,
        };
        match self.decoder.decode_from(start, bytes, offset, self.depth) {
            Ok(frame) if self.depth == MAX_DEPTH => {
                let fault = Fault::TooDeep { limit: MAX_DEPTH };
                Some(Err(DecodeError::new(Layer::Vxlan, frame.vxlan_offset, fault)))
            }
            Ok(frame) => {
                let inner = &frame.inner;
                self.next = Next::Start(inner.start(), inner.bytes, inner.offset);
                self.depth += 1;
                Some(Ok(frame))
            }
            Err(error) if self.depth == 0 || reached_vxlan(&error) => Some(Err(error)),
            Err(_) => None,
        }
    }
}

/// Whether the packet went to a VXLAN port before it turned out to be wrong.
fn reached_vxlan(error: &DecodeError) -> bool {
    match error.layer {
        Layer::Vxlan | Layer::InnerEthernet => true,
        Layer::Udp => !matches!(error.fault, Fault::Port { .. } | Fault::Truncated { .. }),
        _ => false,
    }
}
