//! Laws of the engine, over random clusters.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod incremental;
mod properties;
