//! VXLAN headers alone, eight bytes each.

use crate::error::EncodeError;
use crate::vni::Vni;
use crate::vxlan::{Device, Mode, VxlanHeader};

/// Writes a header for each VNI: this one with that VNI. Gives how many were written: as many as the shorter has rows.
///
/// # Errors
///
/// [`EncodeError::Vni`] for the first VNI of more than 24 bits; the headers say anything then.
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
pub fn decode_headers(
    headers: &[[u8; VxlanHeader::LEN]],
    device: Device,
    mode: Mode,
    vni: &mut [u32],
    flags: &mut [u8],
    code: &mut [u8],
) -> usize {
    for (place, header) in vni.iter_mut().zip(headers) {
        *place = VxlanHeader::from_bytes(*header).vni().get();
    }
    for (place, header) in flags.iter_mut().zip(headers) {
        *place = VxlanHeader::from_bytes(*header).flags();
    }
    let check = |header: &[u8; VxlanHeader::LEN]| {
        let header = VxlanHeader::from_bytes(*header);
        match header.check(device, mode, 0) {
            Ok(_) => 0,
            Err(error) => error.fault.code(),
        }
    };
    for (place, header) in code.iter_mut().zip(headers) {
        *place = check(header);
    }
    headers.iter().filter(|header| check(header) != 0).count()
}
