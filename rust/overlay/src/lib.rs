//! The overlay network that placed pods talk over: flannel's.
//!
//! [`NetConf`] is the configuration, a [`Lease`] the subnet of a node.

#![forbid(unsafe_code)]

mod allocate;
mod backend;
mod check;
mod config;
mod diff;
mod error;
mod family;
mod finding;
mod ipam;
mod json;
mod kube;
mod lease;
mod mac;
mod occupied;
mod overhead;
mod path;
mod random;
mod subnet_env;
mod tables;
mod text;
mod traffic;

pub use allocate::*;
pub use backend::{
    Backend, BackendType, ExtensionConfig, VxlanConfig, WireguardConfig, WireguardMode,
};
pub use check::{Mode, check};
pub use config::{NetConf, SubnetRange, SubnetRanges};
pub use diff::*;
pub use error::{ConfigProblem, OverlayError};
pub use family::Family;
pub use finding::{Finding, Severity};
pub use ipam::*;
pub use kube::*;
pub use lease::*;
pub use mac::MacAddr;
pub use overhead::*;
pub use path::*;
pub use random::Draw;
pub use subnet_env::SubnetEnv;
pub use tables::*;
pub use traffic::*;
