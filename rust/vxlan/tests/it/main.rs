//! The codec against vectors, captures, models of the tables in the RFCs, and arbitrary bytes.

mod batch;
mod capture_files;
mod captures;
mod checks;
mod encap;
mod frame;
mod headers;
mod packets;
mod properties;
