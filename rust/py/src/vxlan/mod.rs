//! VXLAN: buffers of packets to columns and back, and captures.
//!
//! Buffers come as arrays of `numpy`, whose safe borrows are used as they are: nothing is copied, and no `unsafe` is ours. Such a borrow
//!
//! - holds the array, which holds the export of whatever lies under it, so that it can neither be freed, nor resized, nor unmapped meanwhile;
//! - comes after a claim to the memory (`claims.rs`): a call that would write where another call reads or writes is refused, also from another thread, with the interpreter released.
//!
//! It cannot keep Python code on another thread from storing into a buffer that it may write to; that is what callers are told not to do. In Rust's terms such
//! a store is a data race. What then may come out wrong is the rows of those packets: the codec is safe code, and every slice is cut with a check against the length of the buffer,
//! which no store changes.

mod capture;
mod claims;
mod codec;
mod columns;
mod settings;

pub(crate) use capture::VxlanCapture;
pub(crate) use codec::{
    vxlan_columns, vxlan_decode, vxlan_decode_headers, vxlan_encode, vxlan_encode_headers,
    vxlan_faults, vxlan_layers,
};
pub(crate) use settings::{VxlanDecoder, VxlanEncap};
