//! The codec against vectors, captures, models of the tables in the RFCs, and arbitrary bytes.

#![expect(
    clippy::tests_outside_test_module,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "this crate is tests only, which need not be fast"
)]

mod batch;
mod capture_files;
mod captures;
mod checks;
mod encap;
mod frame;
mod headers;
mod packets;
mod properties;
