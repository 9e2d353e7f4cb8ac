//! `Status`: why a plugin says no.

use std::borrow::Cow;

/// `framework.Code`, as far as a plugin rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The pod does not fit now; evicting others may help.
    Unschedulable,
    /// The pod does not fit, whoever leaves.
    UnschedulableAndUnresolvable,
    /// kube-scheduler's own plugin fails, and the whole attempt with it.
    Error,
}

impl Code {
    /// The name in kube-scheduler.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Self::Error => "Error",
        }
    }
}

/// A reason in kube-scheduler's words.
pub type Reason = Cow<'static, str>;

/// `framework.Status` of a rejection: success is the absence of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Status {
    /// Whether evicting pods may help.
    pub code: Code,
    /// The reasons, in the plugin's order; at least one.
    pub reasons: Vec<Reason>,
}

impl Status {
    /// A rejection that evicting pods may resolve.
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self { code: Code::Unschedulable, reasons: vec![reason.into()] }
    }

    /// A rejection that evicting pods cannot resolve.
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self { code: Code::UnschedulableAndUnresolvable, reasons: vec![reason.into()] }
    }

    /// A failure of kube-scheduler's own plugin.
    pub fn error(message: impl Into<Reason>) -> Self {
        Self { code: Code::Error, reasons: vec![message.into()] }
    }
}
