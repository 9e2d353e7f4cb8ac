//! Random whole clusters, small and weighted to the edges.
//!
//! The vocabularies are short, so that things collide: labels match, resources run out, ports clash,
//! domains are shared. What comes out is valid for the API server and has its defaults filled in.

mod cluster;
mod node;
mod pod;
mod profile;
mod selector;
mod vocabulary;
mod volume;

pub use cluster::{ClusterShape, cluster, fill_up};
pub use node::node;
pub use pod::{PodShape, pod};
pub use profile::profile;
pub use selector::{label_selector, node_affinity, node_selector_term, pod_affinity_term};
pub use vocabulary::{NAMESPACES, labels, node_name};
pub use volume::{Storage, storage};
