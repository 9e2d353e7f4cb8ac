//! Kubernetes objects as data, as far as scheduling and the overlay network look at them.

#![forbid(unsafe_code)]

mod affinity;
pub mod defaults;
mod event;
pub mod json;
mod map;
mod members;
mod meta;
mod node;
mod object;
mod objects;
mod pod;
mod policy;
mod quantity;
mod read;
mod selector;
mod storage;
mod str;
mod time;
pub mod validation;
mod workload;
mod yaml;

pub use affinity::*;
pub use event::{Event, Events};
pub use map::{Labels, Map};
pub use meta::{ObjectMeta, OwnerReference};
pub use node::*;
pub use object::{Kind, Object, ObjectKey};
pub use objects::Objects;
pub use pod::*;
pub use policy::*;
pub use quantity::{Quantity, QuantityError};
pub use read::{EventReader, InputProblem, InvalidInput, PodSink, ReadError, Reader, json_text};
pub use selector::*;
pub use storage::*;
pub use str::Str;
pub use time::{Time, TimeError};
pub use workload::*;
pub use yaml::{YamlError, yaml_to_json};

/// `v1.ResourceList`: quantities by resource name.
pub type ResourceList = Map<Quantity>;
