//! Namespaces, priority classes and disruption budgets.

use crate::{LabelSelector, ObjectMeta, PreemptionPolicy, Str};

/// `v1.Namespace`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Namespace {
    /// `metadata`.
    pub metadata: ObjectMeta,
}

/// `schedulingv1.PriorityClass`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PriorityClass {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `value`.
    pub value: i32,
    /// `globalDefault`.
    pub global_default: bool,
    /// `preemptionPolicy`.
    pub preemption_policy: Option<PreemptionPolicy>,
}

/// `policyv1.PodDisruptionBudget`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodDisruptionBudget {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec.selector`; absent selects nothing, `{}` everything in the namespace.
    pub selector: Option<LabelSelector>,
    /// `status.disruptionsAllowed`.
    pub disruptions_allowed: i32,
    /// `status.disruptedPods`: names of pods whose eviction is already counted.
    pub disrupted_pods: Vec<Str>,
}
