//! VXLAN headers alone, eight bytes each.

#[cfg(feature = "std")]
use multiversion::multiversion;

use crate::error::EncodeError;
use crate::vni::Vni;
use crate::vxlan::{Device, Mode, VxlanHeader};

/// Writes a header for each VNI: this one with that VNI. Gives how many were written: as many as the shorter has rows.
///
/// # Errors
///
/// [`EncodeError::Vni`] for the first VNI of more than 24 bits; the headers say anything then.
#[cfg_attr(feature = "std", multiversion(targets("x86_64+avx2", "x86_64+ssse3")))]
pub fn encode_headers(
    header: VxlanHeader,
    vnis: &[u32],
    out: &mut [[u8; VxlanHeader::LEN]],
) -> Result<usize, EncodeError> {
    let template = header.with_vni(Vni::default()).to_bytes();
    let template = u64::from_be_bytes(template);
    let mut all = 0;
    for (place, &vni) in out.iter_mut().zip(vnis) {
        all |= vni;
        *place = (template | u64::from(vni) << 8).to_be_bytes();
    }
    if all > Vni::MAX.get() {
        let too_large = vnis.iter().find(|vni| **vni > Vni::MAX.get());
        return Err(EncodeError::Vni { vni: too_large.copied().unwrap_or(all) });
    }
    Ok(out.len().min(vnis.len()))
}

/// Reads VNI and flags of each header, and whether it would be taken: [`Fault::code`](crate::Fault::code), or 0. A column that is not wanted is empty.
/// Gives how many were refused.
#[cfg_attr(feature = "std", multiversion(targets("x86_64+avx2", "x86_64+ssse3")))]
pub fn decode_headers(
    headers: &[[u8; VxlanHeader::LEN]],
    device: Device,
    mode: Mode,
    vni: &mut [u32],
    flags: &mut [u8],
    code: &mut [u8],
) -> usize {
    let check = |header: &[u8; VxlanHeader::LEN]| {
        let header = VxlanHeader::from_bytes(*header);
        header.check(device, mode, 0).map_or_else(|error| error.fault.code(), |_| 0)
    };
    // A GPE device looks at more than bits.
    let reserved = match (device, mode) {
        (Device::Gpe, Mode::Linux) => None,
        (_, Mode::Rfc) => Some(0),
        (device, Mode::Linux) => Some(VxlanHeader::from_bytes([0xff; 8]).reserved_bits(device)),
    };
    let mut refused = 0;
    let mut first = 0;
    for headers in headers.chunks(BLOCK) {
        for (place, header) in rows(vni, first).zip(headers) {
            let [.., a, b, c, _] = *header;
            *place = u32::from_be_bytes([0, a, b, c]);
        }
        for (place, header) in rows(flags, first).zip(headers) {
            *place = header[0];
        }
        let bad = match reserved {
            None => headers.iter().map(|header| u32::from(check(header) != 0)).sum::<u32>(),
            Some(reserved) => {
                let bad = |header: &[u8; VxlanHeader::LEN]| {
                    u32::from(
                        (u64::from_be_bytes(*header) ^ VNI_VALID) & (reserved | VNI_VALID) != 0,
                    )
                };
                headers.iter().map(bad).sum::<u32>()
            }
        };
        refused += usize::try_from(bad).unwrap_or(usize::MAX);
        if bad == 0 {
            rows(code, first).zip(headers).for_each(|(place, _)| *place = 0);
        } else {
            rows(code, first).zip(headers).for_each(|(place, header)| *place = check(header));
        }
        first += BLOCK;
    }
    refused
}

/// Headers that are read for one column after the other before the next ones are looked at: they stay in the first-level cache.
const BLOCK: usize = 1024;

/// The I flag.
const VNI_VALID: u64 = 0x08 << 56;

#[inline]
fn rows<T>(column: &mut [T], first: usize) -> core::slice::IterMut<'_, T> {
    column.get_mut(first..).unwrap_or_default().iter_mut()
}
