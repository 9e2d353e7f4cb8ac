//! `KubeSchedulerConfiguration`: types, defaults, validation and reading.

mod args;
#[allow(dead_code, reason = "reading sets defaults")]
mod defaults;
mod error;
mod expand;
mod extension_point;
#[allow(dead_code, reason = "reading parses durations")]
mod go_text;
mod in_tree;
mod name_rules;
mod types;
pub mod unchecked;
mod validation;

pub use args::*;
pub use defaults::DEFAULT_SCHEDULER_NAME;
pub use error::{ConfigError, ConfigProblem, FieldError, FieldErrorKind, ProfileError};
pub use expand::{ExpandedProfile, MAX_NODE_SCORE};
pub use extension_point::{ExtensionPoint, ExtensionPoints};
pub use in_tree::{IN_TREE, PluginRegistry, names};
pub use types::*;
