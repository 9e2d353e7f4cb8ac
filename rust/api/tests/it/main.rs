//! Tests of the crate from outside, in one binary.

#![expect(
    clippy::tests_outside_test_module,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "this crate is tests only"
)]

mod events;
mod json;
mod quantity;
mod read;
mod real_dumps;
mod time;
mod validation;
mod write;
