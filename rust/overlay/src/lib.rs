//! The overlay network that placed pods talk over: flannel's.
//!
//! [`NetConf`] is the configuration, a [`Lease`] the subnet of a node.

#![forbid(unsafe_code)]

mod backend;
mod config;
mod error;
mod family;
mod json;
mod mac;
mod random;

pub use backend::{
    Backend, BackendType, ExtensionConfig, VxlanConfig, WireguardConfig, WireguardMode,
};
pub use config::{NetConf, SubnetRange, SubnetRanges};
pub use error::{ConfigProblem, OverlayError};
pub use family::Family;
pub use mac::MacAddr;
pub use random::Draw;
