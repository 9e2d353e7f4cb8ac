//! VXLAN (RFC 7348 section 5), and what two drafts put into its reserved bits.
//!
//! ```text
//!  0                   1                   2                   3
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------------------------+
//! |R|R|R|R|I|R|R|R|                  reserved                     |  RFC 7348
//! |G|R|R|R|I|R|R|R|R|D|R|R|A|R|R|R|        group policy ID        |  draft-smith-vxlan-group-policy (GBP)
//! |R|R|Ver|I|P|R|O|           reserved            | next protocol |  draft-ietf-nvo3-vxlan-gpe-01 (GPE)
//! +-+-+-+-+-+-+-+-+---------------+---------------+---------------+
//! |                      VNI                      |   reserved    |
//! +-----------------------------------------------+---------------+
//! ```

use core::fmt;

use crate::bytes;
use crate::error::{DecodeError, Fault, Layer};
use crate::ether_type::EtherType;
use crate::vni::Vni;

/// What kind of VXLAN a port speaks: which of the reserved bits have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Device {
    /// RFC 7348 alone.
    #[default]
    Plain,
    /// With group policies, as a Linux device with `gbp`.
    Gbp,
    /// With a next protocol, as a Linux device with `gpe`; it cannot have group policies as well.
    Gpe,
}

/// What to do about reserved bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// As RFC 7348 section 5 says: they are ignored on receipt.
    #[default]
    Rfc,
    /// As Linux does (`vxlan_rcv` in `drivers/net/vxlan/vxlan_core.c`): a packet with any reserved bit set that the
    /// [`Device`] has no use for is refused, and so is one without an inner Ethernet header.
    Linux,
}

/// A VXLAN header, bit for bit.
///
/// ```
/// use bayplan_vxlan::{GroupPolicy, Vni, VxlanHeader};
///
/// let header = VxlanHeader::new(Vni::new(100).unwrap());
/// assert_eq!(header.to_bytes(), [0x08, 0, 0, 0, 0, 0, 100, 0]);
///
/// let policy = GroupPolicy { id: 0x0123, dont_learn: true, applied: true };
/// assert_eq!(header.with_group_policy(policy).to_bytes(), [0x88, 0x48, 0x01, 0x23, 0, 0, 100, 0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct VxlanHeader(u64);

/// The I flag.
const FLAG_I: u64 = 0x08 << 56;
/// Bits of RFC 7348.
const PLAIN: u64 = FLAG_I | (0x00ff_ffff << 8);
const GBP_G: u64 = 0x80 << 56;
const GBP_D: u64 = 0x40 << 48;
const GBP_A: u64 = 0x08 << 48;
/// `VXLAN_GBP_USED_BITS`: with `gbp`, Linux takes G and anything in the three bytes after the flags.
const GBP_USED: u64 = GBP_G | (0x00ff_ffff << 32);
const GPE_VERSION: u64 = 0x30 << 56;
const GPE_P: u64 = 0x04 << 56;
const GPE_O: u64 = 0x01 << 56;
/// `VXLAN_GPE_USED_BITS`.
const GPE_USED: u64 = GPE_VERSION | GPE_P | GPE_O | (0xff << 32);

/// Group policy of a packet (draft-smith-vxlan-group-policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GroupPolicy {
    /// Group of the sender.
    pub id: u16,
    /// D: the receiver must not learn the source address of the inner frame.
    pub dont_learn: bool,
    /// A: the policy was applied already.
    pub applied: bool,
}

impl GroupPolicy {
    /// The packet mark by which Linux says the same: D in bit 22, A in bit 19, the group in the lower 16.
    pub fn to_mark(self) -> u32 {
        u32::from(self.dont_learn) << 22 | u32::from(self.applied) << 19 | u32::from(self.id)
    }

    /// The group policy that a packet with this mark is sent with; `None` when it has none.
    pub fn from_mark(mark: u32) -> Option<Self> {
        let [_, flags, i0, i1] = mark.to_be_bytes();
        let policy = Self {
            id: u16::from_be_bytes([i0, i1]),
            dont_learn: flags & 0x40 != 0,
            applied: flags & 0x08 != 0,
        };
        (policy != Self::default()).then_some(policy)
    }
}

/// What follows a VXLAN-GPE header (`include/net/tun_proto.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct NextProtocol(pub u8);

impl NextProtocol {
    /// IPv4.
    pub const IPV4: Self = Self(1);
    /// IPv6.
    pub const IPV6: Self = Self(2);
    /// Ethernet, as plain VXLAN always carries.
    pub const ETHERNET: Self = Self(3);
    /// Network service header.
    pub const NSH: Self = Self(4);
    /// MPLS, unicast.
    pub const MPLS: Self = Self(5);

    /// The `EtherType` of the same protocol; `None` when it is not known.
    pub const fn ether_type(self) -> Option<EtherType> {
        Some(match self {
            Self::IPV4 => EtherType::IPV4,
            Self::IPV6 => EtherType::IPV6,
            Self::ETHERNET => EtherType::ETHERNET,
            Self::NSH => EtherType::NSH,
            Self::MPLS => EtherType::MPLS,
            _ => return None,
        })
    }
}

impl fmt::Display for NextProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The fields of VXLAN-GPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Gpe {
    /// Version, 0 to 3; 0 is the only one there is.
    pub version: u8,
    /// What follows; `None` when P is clear.
    pub next_protocol: Option<NextProtocol>,
    /// O: operations, administration and maintenance.
    pub oam: bool,
}

impl VxlanHeader {
    /// Length in bytes.
    pub const LEN: usize = 8;

    /// The header of RFC 7348: the I flag, the VNI, and zeros.
    #[inline]
    pub const fn new(vni: Vni) -> Self {
        let [a, b, c] = vni.to_be_bytes();
        Self(u64::from_be_bytes([0x08, 0, 0, 0, a, b, c, 0]))
    }

    /// The same with a group policy. One of nothing at all clears G, as Linux does for a packet without a mark.
    #[must_use]
    pub fn with_group_policy(self, policy: GroupPolicy) -> Self {
        let cleared = self.0 & !GBP_USED;
        if policy == GroupPolicy::default() {
            return Self(cleared);
        }
        let dont_learn = if policy.dont_learn { GBP_D } else { 0 };
        let applied = if policy.applied { GBP_A } else { 0 };
        Self(cleared | GBP_G | dont_learn | applied | u64::from(policy.id) << 32)
    }

    /// The same with P set and this next protocol.
    #[must_use]
    pub fn with_next_protocol(self, protocol: NextProtocol) -> Self {
        Self(self.0 & !GPE_USED | GPE_P | u64::from(protocol.0) << 32)
    }

    /// The same with another VNI.
    #[must_use]
    #[inline]
    pub const fn with_vni(self, vni: Vni) -> Self {
        let [f, r0, r1, r2, .., r3] = self.to_bytes();
        let [a, b, c] = vni.to_be_bytes();
        Self(u64::from_be_bytes([f, r0, r1, r2, a, b, c, r3]))
    }

    /// The header at the front of `bytes`, and what follows it; whether it may be taken, [`check`](Self::check) says.
    /// `offset`, from the start of the frame, is for errors.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    #[inline]
    pub fn decode(bytes: &[u8], offset: usize) -> Result<(Self, &[u8]), DecodeError> {
        let (header, rest) = bytes::take::<{ Self::LEN }>(bytes, Layer::Vxlan, offset)?;
        Ok((Self::from_bytes(*header), rest))
    }

    /// The header of these bytes.
    #[inline]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// The header as it goes on the wire.
    #[inline]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        self.0.to_be_bytes()
    }

    /// The first byte: flags.
    #[inline]
    pub const fn flags(&self) -> u8 {
        let [flags, ..] = self.to_bytes();
        flags
    }

    /// I: whether there is a VNI.
    #[inline]
    pub const fn has_vni(&self) -> bool {
        self.0 & FLAG_I != 0
    }

    /// The VNI; without the I flag it means nothing.
    #[inline]
    pub const fn vni(&self) -> Vni {
        let [.., a, b, c, _] = self.to_bytes();
        Vni::from_be_bytes([a, b, c])
    }

    /// The group policy, where G is set.
    pub const fn group_policy(&self) -> Option<GroupPolicy> {
        if self.0 & GBP_G == 0 {
            return None;
        }
        let [_, _, i0, i1, ..] = self.to_bytes();
        Some(GroupPolicy {
            id: u16::from_be_bytes([i0, i1]),
            dont_learn: self.0 & GBP_D != 0,
            applied: self.0 & GBP_A != 0,
        })
    }

    /// The fields of VXLAN-GPE.
    #[inline]
    pub const fn gpe(&self) -> Gpe {
        let [flags, _, _, next, ..] = self.to_bytes();
        Gpe {
            version: flags >> 4 & 0b11,
            next_protocol: if self.0 & GPE_P == 0 { None } else { Some(NextProtocol(next)) },
            oam: self.0 & GPE_O != 0,
        }
    }

    /// The bits that are set and have no meaning for this kind of device, as a big-endian number.
    #[inline]
    pub const fn reserved_bits(&self, device: Device) -> u64 {
        let known = match device {
            Device::Plain => PLAIN,
            Device::Gbp => PLAIN | GBP_USED,
            Device::Gpe => PLAIN | GPE_USED,
        };
        self.0 & !known
    }

    /// Whether a receiver takes the header, and what follows it then. `offset`, from the start of the frame, is for errors.
    ///
    /// A GPE device takes packets without P as Ethernet in [`Mode::Rfc`], and refuses them in [`Mode::Linux`].
    ///
    /// # Errors
    ///
    /// [`Fault::VniFlagClear`] always. In [`Mode::Linux`] for GPE [`Fault::Version`] unless it is 0, [`Fault::ReservedBits`] with O when it
    /// is set, [`Fault::NextProtocol`] when there is none or it is not known; for all, [`Fault::ReservedBits`].
    #[inline]
    pub fn check(
        &self,
        device: Device,
        mode: Mode,
        offset: usize,
    ) -> Result<NextProtocol, DecodeError> {
        // "the I flag MUST be set to 1 for a valid VXLAN Network ID"
        if !self.has_vni() {
            let fault = Fault::VniFlagClear { flags: self.flags() };
            return Err(DecodeError::new(Layer::Vxlan, offset, fault));
        }
        let mut next = NextProtocol::ETHERNET;
        if device == Device::Gpe {
            let gpe = self.gpe();
            next = gpe.next_protocol.unwrap_or(next);
            if mode == Mode::Linux {
                self.check_gpe(gpe)
                    .map_err(|fault| DecodeError::new(Layer::Vxlan, offset, fault))?;
            }
        }
        let bits = self.reserved_bits(device);
        if mode == Mode::Linux && bits != 0 {
            return Err(DecodeError::new(Layer::Vxlan, offset, Fault::ReservedBits { bits }));
        }
        Ok(next)
    }

    /// `vxlan_parse_gpe_proto`, in its order.
    fn check_gpe(self, gpe: Gpe) -> Result<(), Fault> {
        let Some(next) = gpe.next_protocol else {
            return Err(Fault::NextProtocol { found: 0 });
        };
        if gpe.version != 0 {
            return Err(Fault::Version { found: gpe.version });
        }
        if gpe.oam {
            return Err(Fault::ReservedBits { bits: self.0 & GPE_O });
        }
        if next.ether_type().is_none() {
            return Err(Fault::NextProtocol { found: next.0 });
        }
        Ok(())
    }
}
