//! `KubeSchedulerConfiguration`: types, defaults, validation and reading.

mod args;
mod defaults;
mod error;
mod expand;
mod extension_point;
mod go_text;
mod in_tree;
mod name_rules;
mod read;
#[cfg(test)]
mod recorded;
mod strict;
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
