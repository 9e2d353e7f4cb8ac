//! Tests of the crate from outside, in one binary.

#![expect(clippy::tests_outside_test_module, reason = "this crate is tests only")]

mod json;
mod quantity;
mod real_dumps;
mod time;
