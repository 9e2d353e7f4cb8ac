//! Namespaces, priority classes and disruption budgets.

use super::FieldError;
use super::error::At;
use super::meta::metadata;
use super::selector::{Values, label_selector};
use super::text::{dns1123_label, dns1123_subdomain, path_segment};
use crate::defaults::SYSTEM_PRIORITY_CLASSES;
use crate::{Namespace, PodDisruptionBudget, PriorityClass};

/// `scheduling.HighestUserDefinablePriority`.
const HIGHEST_USER_DEFINABLE_PRIORITY: i32 = 1_000_000_000;

/// `ValidateNamespace`, of `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_namespace(namespace: &Namespace) -> Result<(), FieldError> {
    metadata(&namespace.metadata, dns1123_label)
}

/// `ValidatePriorityClass`, of `pkg/apis/scheduling/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_priority_class(class: &PriorityClass) -> Result<(), FieldError> {
    metadata(&class.metadata, dns1123_subdomain)?;
    let name = &*class.metadata.name;
    if name.starts_with("system-") {
        let system = SYSTEM_PRIORITY_CLASSES.iter().find(|(system, _)| *system == name);
        let Some((_, value)) = system else {
            let detail = "names that start with 'system-' are those of the system classes";
            return Err(FieldError::forbidden("metadata.name", detail));
        };
        if class.value != *value {
            let detail = format!("the system class {name} has the value {value}");
            return Err(FieldError::forbidden("value", detail));
        }
        if class.global_default {
            let detail = "a system class is not the default";
            return Err(FieldError::forbidden("globalDefault", detail));
        }
    } else if class.value > HIGHEST_USER_DEFINABLE_PRIORITY {
        let detail = format!("the highest priority is {HIGHEST_USER_DEFINABLE_PRIORITY}");
        return Err(FieldError::forbidden("value", detail));
    }
    Ok(())
}

/// `ValidatePodDisruptionBudget`, of `pkg/apis/policy/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_pod_disruption_budget(budget: &PodDisruptionBudget) -> Result<(), FieldError> {
    metadata(&budget.metadata, path_segment)?;
    if let Some(selector) = &budget.selector {
        label_selector(selector, Values::Any).field("spec.selector")?;
    }
    if budget.disruptions_allowed < 0 {
        let detail = "must be greater than or equal to 0";
        return Err(FieldError::invalid(
            "status.disruptionsAllowed",
            budget.disruptions_allowed,
            detail,
        ));
    }
    Ok(())
}
