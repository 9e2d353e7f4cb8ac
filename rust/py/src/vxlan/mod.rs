//! VXLAN: buffers of packets to columns and back, and captures.
//!
//! Buffers come as arrays of `numpy`, whose safe borrows are used as they are: nothing is copied, and no `unsafe` is ours. Such a borrow
//!
//! - holds the array, which holds the export of whatever lies under it, so that it can neither be freed, nor resized, nor unmapped meanwhile;
//! - comes after a claim to the memory (`claims.rs`): a call that would write where another call reads or writes is refused, also from another thread, with the interpreter released.
//!
//! It cannot keep Python code on another thread from storing into a buffer that it may write to; that is what callers are told not to do. What then may
//! come out wrong is the rows of those packets. Nothing is found by offsets that the buffer says and that are not checked against its length, which is no part of the buffer; headers
//! are copied out of it as whole arrays before a field is looked at, and every slice is cut by checked indexing.

mod capture;
mod claims;
mod codec;
mod columns;
mod settings;

pub(crate) use capture::{VxlanCapture, vxlan_stats, vxlan_strip, vxlan_wrap};
pub(crate) use codec::{
    vxlan_columns, vxlan_decode, vxlan_decode_headers, vxlan_encode, vxlan_encode_headers,
    vxlan_faults, vxlan_layers,
};
pub(crate) use settings::{VxlanDecoder, VxlanEncap};
