//! What can be wrong with a capture.

use std::io;

/// Why a capture cannot be read on. The records before it stand. Offsets are in bytes from the start of the capture, uncompressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The bytes could not be had.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Compressed data that cannot be unpacked.
    #[error("the {format} data is damaged: {error}")]
    Compression {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// What the decompressor said.
        #[source]
        error: io::Error,
    },
    /// The first bytes are those of no capture that is known.
    #[error("not a pcap or pcapng capture: it starts with {magic:02x?}")]
    NotACapture {
        /// Those bytes.
        magic: [u8; 4],
    },
    /// A version of the format that is not known.
    #[error("version {major}.{minor} of the capture, at byte {offset}, is not known")]
    Version {
        /// Where the header starts.
        offset: u64,
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// The capture ends in the middle of something.
    #[error("the capture ends at byte {offset}: {needed} bytes needed, {available} available")]
    Truncated {
        /// Where what is cut starts.
        offset: u64,
        /// How long it is, in bytes, as far as it is known.
        needed: usize,
        /// How much of it there is, in bytes.
        available: usize,
    },
    /// A length that cannot be: beyond what is read, or against the lengths around it.
    #[error("at byte {offset}, a length of {length} bytes is not between {least} and {most}")]
    Length {
        /// Where the record or block starts.
        offset: u64,
        /// The length, in bytes.
        length: u64,
        /// The least it can be, in bytes.
        least: u64,
        /// The most it can be, in bytes.
        most: u64,
    },
    /// The two lengths of a block differ.
    #[error("the block at byte {offset} says {first} bytes at its start and {last} at its end")]
    BlockLengths {
        /// Where the block starts.
        offset: u64,
        /// The length at its start, in bytes.
        first: u32,
        /// The length at its end, in bytes.
        last: u32,
    },
    /// A section whose byte-order magic says neither order.
    #[error("the section at byte {offset} has the byte-order magic {magic:02x?}")]
    ByteOrder {
        /// Where the section starts.
        offset: u64,
        /// The magic.
        magic: [u8; 4],
    },
    /// A packet of an interface that was not described.
    #[error("the packet at byte {offset} is of interface {interface}, and there are {interfaces}")]
    Interface {
        /// Where the block starts.
        offset: u64,
        /// The interface.
        interface: u32,
        /// How many were described.
        interfaces: usize,
    },
    /// More interfaces than are kept.
    #[error("the section has more than {limit} interfaces, at byte {offset}")]
    TooManyInterfaces {
        /// Where the block starts.
        offset: u64,
        /// How many are kept.
        limit: usize,
    },
}

/// Why a record cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureWriteError {
    /// The bytes could not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A time that the format cannot say: pcap has 32 bits of seconds, pcapng 64 of nanoseconds, both from 1970 on.
    #[error("the format cannot say the time {seconds} s from 1970")]
    Timestamp {
        /// Seconds.
        seconds: i64,
    },
    /// A packet that the format cannot say the length of.
    #[error("the format cannot say a length of {length} bytes")]
    TooLong {
        /// Length, in bytes.
        length: usize,
    },
    /// A link type that the format cannot say.
    #[error("the format cannot say the link type {link}")]
    LinkType {
        /// The link type.
        link: u32,
    },
    /// An interface that was not added.
    #[error("interface {interface} was not added")]
    Interface {
        /// The interface.
        interface: u32,
    },
}
