//! The owners of pods.

use super::error::At;
use super::meta::{labels, metadata};
use super::selector::{Values, label_selector};
use super::text::path_segment;
use super::{Checked, FieldError};
use crate::{LabelSelector, ReplicaSet, ReplicationController, Service, StatefulSet};

/// The selector of a service, of `ValidateService` in `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_service(service: &Service) -> Result<(), FieldError> {
    metadata(&service.metadata, path_segment)?;
    service.selector.as_ref().map_or(Ok(()), |one| labels("selector", one)).field("spec")
}

/// The selector of a replication controller, of `ValidateReplicationController` in
/// `pkg/apis/core/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_replication_controller(
    controller: &ReplicationController,
) -> Result<(), FieldError> {
    metadata(&controller.metadata, path_segment)?;
    if controller.selector.is_empty() {
        return Err(FieldError::required("spec.selector", ""));
    }
    labels("selector", &controller.selector).field("spec")
}

/// The selector of a replica set, of `ValidateReplicaSetSpec` in `pkg/apis/apps/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_replica_set(set: &ReplicaSet) -> Result<(), FieldError> {
    metadata(&set.metadata, path_segment)?;
    selector(set.selector.as_ref())
}

/// The selector of a stateful set, of `ValidateStatefulSetSpec` in `pkg/apis/apps/validation/validation.go`.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_stateful_set(set: &StatefulSet) -> Result<(), FieldError> {
    metadata(&set.metadata, path_segment)?;
    selector(set.selector.as_ref())
}

fn selector(selector: Option<&LabelSelector>) -> Checked {
    let Some(selector) = selector else {
        return Err(FieldError::required("spec.selector", ""));
    };
    if selector.is_empty() {
        return Err(FieldError::invalid("spec.selector", "{}", "must not be empty"));
    }
    label_selector(selector, Values::Labels).field("spec.selector")
}
