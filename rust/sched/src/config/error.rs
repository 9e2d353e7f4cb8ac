//! What can be wrong with a configuration.

use std::fmt;

use bayplan_api::Str;

use super::ExtensionPoint;
use super::go_text::quote;

/// A configuration that cannot be used: everything that was found wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{}", file, if file.is_empty() { "" } else { ": " }, Joined(problems))]
pub struct ConfigError {
    /// The name of the file, as it was given; empty for a configuration that comes from no file.
    pub file: Str,
    /// What is wrong, in the order in which kube-scheduler checks; at least one.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// The same error with the name of the file from which the configuration came.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<Str>) -> Self {
        self.file = name.into();
        self
    }

    /// Whether the configuration is fine for kube-scheduler and only asks for what bayplan does not
    /// do.
    pub fn is_unsupported(&self) -> bool {
        self.problems.iter().all(|problem| matches!(problem, ConfigProblem::Unsupported { .. }))
    }
}

/// Problems as Go's `Aggregate` prints errors: one plain, several in brackets, none twice.
struct Joined<'a>(&'a [ConfigProblem]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::with_capacity(self.0.len());
        for text in self.0.iter().map(ToString::to_string) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [one] => f.write_str(one),
            several => write!(f, "[{}]", several.join(", ")),
        }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// The bytes are neither JSON nor YAML.
    #[error("{message}")]
    Syntax {
        /// What the reader says, with the position.
        message: String,
    },
    /// A value has the wrong type or does not fit its type.
    #[error("{field}: expected {expected}, found {found}")]
    WrongType {
        /// The path of the field; empty at the top.
        field: String,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A field that the type does not have; case matters.
    #[error("unknown field {}", quote(.field))]
    UnknownField {
        /// The path of the field.
        field: String,
    },
    /// A field that is written twice.
    #[error("duplicate field {}", quote(.field))]
    DuplicateField {
        /// The path of the field.
        field: String,
    },
    /// An `apiVersion` other than `kubescheduler.config.k8s.io/v1`.
    #[error(
        "{field}: no kind {} is registered for version {}: only {} is read{}",
        quote(.kind), quote(.found), super::API_VERSION, removed(.found)
    )]
    ApiVersion {
        /// The path of the field.
        field: String,
        /// The `kind` beside it.
        kind: String,
        /// The version that is written.
        found: String,
    },
    /// A `kind` that is missing or wrong.
    #[error("{field}: expected {}, found {}", quote(.expected), quote(.found))]
    Kind {
        /// The path of the field.
        field: String,
        /// The kind that must stand there.
        expected: String,
        /// The kind that stands there; empty if it is missing.
        found: String,
    },
    /// A value that validation rejects, in kube-scheduler's words.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A profile that cannot be built, in kube-scheduler's words.
    #[error("creating profile for scheduler name {scheduler_name}: {error}")]
    Profile {
        /// The profile's `schedulerName`.
        scheduler_name: Str,
        /// What hinders.
        error: ProfileError,
    },
    /// Something that kube-scheduler does and bayplan does not.
    #[error("{field}: {what} is not supported: {}", quote(.value))]
    Unsupported {
        /// The path of the field.
        field: String,
        /// What it asks for.
        what: &'static str,
        /// The name or address that is written there.
        value: Str,
    },
}

/// What became of an old `apiVersion`.
fn removed(version: &str) -> &'static str {
    match version {
        "kubescheduler.config.k8s.io/v1beta3" => " (v1beta3 was removed in Kubernetes 1.29)",
        "kubescheduler.config.k8s.io/v1beta2" => " (v1beta2 was removed in Kubernetes 1.28)",
        "kubescheduler.config.k8s.io/v1beta1" => " (v1beta1 was removed in Kubernetes 1.25)",
        "kubescheduler.config.k8s.io/v1alpha2" | "kubescheduler.config.k8s.io/v1alpha1" => {
            " (the alpha versions were removed long ago)"
        }
        _ => "",
    }
}

/// Why a profile cannot be built (`NewFramework` in `pkg/scheduler/framework/runtime/framework.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A plugin does not take its arguments.
    #[error("initializing plugin {}: {problem}", quote(.plugin))]
    Plugin {
        /// The plugin.
        plugin: Str,
        /// What is wrong with the arguments.
        problem: FieldError,
    },
    /// A plugin is given arguments of another plugin's type.
    #[error("initializing plugin {}: want args to be of type {plugin}Args", quote(.plugin))]
    ArgsType {
        /// The plugin.
        plugin: Str,
    },
    /// There is no plugin of that name.
    #[error("{} {} does not exist", .point.interface(), quote(.plugin))]
    DoesNotExist {
        /// The extension point at which it is missed first.
        point: ExtensionPoint,
        /// The name.
        plugin: Str,
    },
    /// A plugin is enabled at an extension point at which it does not take part.
    #[error("plugin {} does not extend {} plugin", quote(.plugin), .point.interface())]
    DoesNotExtend {
        /// The extension point.
        point: ExtensionPoint,
        /// The plugin.
        plugin: Str,
    },
    /// A plugin is enabled twice.
    #[error("plugin {} already registered as {}", quote(.plugin), quote(.point.interface()))]
    AlreadyRegistered {
        /// The extension point.
        point: ExtensionPoint,
        /// The plugin.
        plugin: Str,
    },
    /// There is not exactly one plugin that sorts the queue.
    #[error(
        "only one queue sort plugin required for profile with scheduler name {}, but got {count}",
        quote(.scheduler_name)
    )]
    QueueSort {
        /// The profile's `schedulerName`.
        scheduler_name: Str,
        /// How many there are.
        count: usize,
    },
    /// There is no plugin that binds.
    #[error("at least one bind plugin is needed for profile with scheduler name {}", quote(.scheduler_name))]
    NoBind {
        /// The profile's `schedulerName`.
        scheduler_name: Str,
    },
    /// The weights are so large that the sum of scores could leave `int64`.
    #[error("total score of Score plugins could overflow")]
    ScoreOverflow,
    /// The queue, which all profiles share, would be sorted in two ways.
    #[error(
        "different queue sort plugins for profile {}: {}, first: {}",
        quote(.scheduler_name), quote(.plugin), quote(.first)
    )]
    DifferentQueueSort {
        /// The profile's `schedulerName`.
        scheduler_name: Str,
        /// Its plugin.
        plugin: Str,
        /// The first profile's plugin.
        first: Str,
    },
    /// An extender takes resources off `NodeResourcesFit`, which the profile does not have.
    #[error("can't find NodeResourcesFitArgs in plugin config")]
    NoNodeResourcesFit,
}

/// A value that validation rejects; prints as `field.Error` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// What sort of error it is.
    pub kind: FieldErrorKind,
    /// The path of the field.
    pub field: String,
    /// The value as it is printed; `None` where the sort of error shows none.
    pub value: Option<String>,
    /// What is wrong; empty if the sort says it all.
    pub detail: String,
}

/// The sort of a [`FieldError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// `Required value`.
    Required,
    /// `Duplicate value`.
    Duplicate,
    /// `Invalid value`.
    Invalid,
    /// `Unsupported value`.
    NotSupported,
    /// `Forbidden`.
    Forbidden,
}

impl std::error::Error for FieldError {}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FieldErrorKind::Required => "Required value",
            FieldErrorKind::Duplicate => "Duplicate value",
            FieldErrorKind::Invalid => "Invalid value",
            FieldErrorKind::NotSupported => "Unsupported value",
            FieldErrorKind::Forbidden => "Forbidden",
        };
        write!(f, "{}: {kind}", self.field)?;
        if let Some(value) = &self.value {
            write!(f, ": {value}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}
