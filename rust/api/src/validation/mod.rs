//! The rules of the API server for the fields that a decision reads.
//!
//! Follows the validation of Kubernetes v1.34.1, what a new object must obey: `pkg/apis/core/validation`,
//! `pkg/apis/{apps,policy,scheduling,storage}/validation` and `k8s.io/apimachinery`. Objects are checked after
//! [defaulting](crate::defaults). Where the API server keeps what older versions let through (label values in
//! selectors of objects that exist already), bound pods, volumes and budgets may have it too.
//!
//! **Not checked:** what no decision looks at (security contexts, probes, environment, …).

mod affinity;
mod error;
mod event;
mod meta;
mod node;
mod pod;
mod policy;
mod resources;
mod selector;
mod storage;
mod text;
mod workload;

pub use error::{BadValue, FieldError, FieldProblem};
pub use event::validate_event;
pub use node::validate_node;
pub use pod::validate_pod;
pub use policy::{validate_namespace, validate_pod_disruption_budget, validate_priority_class};
pub use storage::{
    validate_csi_driver, validate_csi_node, validate_csi_storage_capacity,
    validate_persistent_volume, validate_persistent_volume_claim, validate_storage_class,
    validate_volume_attachment,
};
pub use workload::{
    validate_replica_set, validate_replication_controller, validate_service, validate_stateful_set,
};

pub(crate) use resources::{is_huge_pages, is_overcommit_allowed};

use error::At;

/// What a check says.
type Checked = Result<(), FieldError>;

/// Checks each item of the list `name` in turn.
fn each<T>(name: &str, items: &[T], mut check: impl FnMut(&T) -> Checked) -> Checked {
    for (index, item) in items.iter().enumerate() {
        check(item).index(index).field(name)?;
    }
    Ok(())
}

/// The index of the first item whose key an earlier item has.
///
/// Lists are short, so pairs are compared; a long one is sorted instead, for hostile input.
fn first_repeated<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Option<usize> {
    const SHORT: usize = 16;
    if items.len() <= SHORT {
        return (1..items.len()).find(|&index| {
            let (earlier, rest) = items.split_at(index);
            let later = rest.first().map(&key);
            earlier.iter().any(|item| Some(key(item)) == later)
        });
    }
    let mut seen = std::collections::BTreeSet::new();
    items.iter().position(|item| !seen.insert(key(item)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repeated_key_is_found_in_short_and_long_lists() {
        for length in [0_usize, 1, 2, 15, 16, 17, 40] {
            let mut items: Vec<usize> = (0..length).collect();
            assert_eq!(first_repeated(&items, |item| *item), None, "{length}");
            if length > 1 {
                items[length - 1] = items[0];
                assert_eq!(first_repeated(&items, |item| *item), Some(length - 1), "{length}");
            }
        }
    }
}
