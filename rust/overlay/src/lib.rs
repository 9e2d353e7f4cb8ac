//! The overlay network that placed pods talk over: flannel's.
//!
//! Everything here is what flannel at cdf76059 (v0.28.9 and eight commits) and Linux do, worked out
//! from values: nothing reads a clock, chance or a network.
//!
//! | question | answer |
//! |---|---|
//! | What does `net-conf.json` say, and is it right? | [`NetConf`], [`Backend`] |
//! | Which subnet does a node get from etcd? | [`LeaseRegistry`] |
//! | Which nodes of a cluster take part, with what? | [`kube_nodes`], [`etcd_nodes`] |
//! | What does a node make and program? | [`Overlay::links`], [`Overlay::table`], [`SubnetEnv`] |
//! | What changes with another node? | [`node_event`], [`Daemon`], [`difference`] |
//! | Which addresses do pods get, and for how many are there? | [`address_pods`], [`Capacity`] |
//! | What is wrong? | [`check()`], and the [`Finding`]s of all the others |
//! | How does a packet get from pod to pod? | [`Overlay::trace`], [`Overlay::trace_as`] |
//! | What does that cost? | [`Encapsulation`], [`Message`], [`pairs`] |
//!
//! ```
//! use bayplan_api::{Node, json};
//! use bayplan_overlay::{Assume, KubeOptions, NetConf, Overlay, Segments, kube_nodes};
//!
//! let conf = NetConf::parse(br#"{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}"#)?;
//! let node = |number: u8| {
//!     let text = format!(
//!         r#"{{"metadata": {{"name": "node-{number}"}}, "spec": {{"podCIDR": "10.244.{number}.0/24"}},
//!             "status": {{"addresses": [{{"type": "InternalIP", "address": "192.168.0.{number}"}}]}}}}"#
//!     );
//!     json::from_slice::<Node>(text.as_bytes()).expect("a node")
//! };
//! let options = KubeOptions { assume: Assume::Announcement, ..KubeOptions::default() };
//! let (nodes, _assumed) = kube_nodes(&conf, &[node(1), node(2)], &options)?;
//! let overlay = Overlay::new(conf, nodes, Segments::One)?;
//! let entries = overlay.table("node-1")?.flat_map(|other| other.entries);
//! let commands: Vec<String> = entries.map(|entry| entry.set_command()).collect();
//! assert_eq!(commands[2], "ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink");
//! # Ok::<(), bayplan_overlay::OverlayError>(())
//! ```

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
