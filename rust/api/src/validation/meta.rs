//! Names, namespaces and labels.

use super::error::At;
use super::text::{Form, dns1123_label, label_value, path_segment, qualified_name};
use super::{Checked, FieldError};
use crate::{Labels, ObjectMeta, Str};

/// `ValidateObjectMeta`: the name has `form`, the namespace and the labels are valid.
///
/// That an object of a namespace has one is not asked for: the reader fills it in.
pub(super) fn metadata(metadata: &ObjectMeta, form: fn(&str) -> Form) -> Checked {
    let name = || {
        if metadata.name.is_empty() {
            return Err(FieldError::required("name", "an object needs a name"));
        }
        formed("name", &metadata.name, path_segment)?;
        formed("name", &metadata.name, form)?;
        if !metadata.namespace.is_empty() {
            formed("namespace", &metadata.namespace, dns1123_label)?;
        }
        labels("labels", &metadata.labels)
    };
    name().field("metadata")
}

/// `value` of the field `name` has `form`.
pub(super) fn formed(name: &str, value: &str, form: impl Fn(&str) -> Form) -> Checked {
    form(value).map_err(|detail| FieldError::invalid(name, value, detail))
}

/// `ValidateLabels`: keys and values.
pub(super) fn labels(name: &str, labels: &Labels) -> Checked {
    for (key, value) in labels.iter() {
        formed(name, key, qualified_name)?;
        formed("", value, label_value).key(key).field(name)?;
    }
    Ok(())
}

/// Each text of the list `name` has `form`.
pub(super) fn each_formed(name: &str, values: &[Str], form: fn(&str) -> Form) -> Checked {
    super::each(name, values, |value| formed("", value, form))
}
