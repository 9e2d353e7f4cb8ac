//! The overlay: what flannel itself says, laws against simple models, and examples of its
//! documentation.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod check;
mod cluster;
mod hostile;
mod kube;
mod leases;
mod paths;
mod pods;
mod recorded;
mod tables;
