//! Tests of what tests share.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod quirks;
mod random;
