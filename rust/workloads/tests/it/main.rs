//! The objects of the workloads: the same each time, valid, and as many as the size says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod objects;
