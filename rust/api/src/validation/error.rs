//! `FieldError`: which field of an object breaks which rule.

use std::borrow::Cow;
use std::fmt;

/// A field that breaks a rule of the API.
///
/// Prints as the API server does: `spec.tolerations[0].operator: Invalid value: "Equal": must be …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {}", self.body())]
pub struct FieldError {
    /// Where the field is, from the object: `spec.containers[0].resources.limits[cpu]`.
    pub path: String,
    /// What stands there.
    pub value: BadValue,
    /// The rule.
    pub problem: FieldProblem,
}

/// The value of a field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadValue {
    /// Nothing to show: the field is absent, or the fault is that it is there.
    Absent,
    /// A text, cut where it is very long.
    Text(String),
    /// A number.
    Number(i64),
}

/// What is wrong with a field; a detail says what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldProblem {
    /// The field must be there.
    Required(&'static str),
    /// The field does not have the form or the range that it must have.
    Invalid(Cow<'static, str>),
    /// The field is none of the values that there are.
    Unsupported(&'static [&'static str]),
    /// An earlier item of the list is the same.
    Duplicate,
    /// The field may not be there, as the rest of the object stands.
    Forbidden(Cow<'static, str>),
    /// The field has more bytes than it may have.
    TooLong {
        /// How many it may have.
        max_bytes: usize,
    },
}

/// Longest value that is shown, in characters.
const SHOWN: usize = 200;

impl From<&str> for BadValue {
    fn from(text: &str) -> Self {
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self::Text(shown)
    }
}

impl From<i32> for BadValue {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl FieldError {
    #[cold]
    fn new(field: &str, value: impl Into<BadValue>, problem: FieldProblem) -> Self {
        Self { path: field.to_owned(), value: value.into(), problem }
    }

    #[cold]
    pub(super) fn required(field: &str, detail: &'static str) -> Self {
        Self::new(field, BadValue::Absent, FieldProblem::Required(detail))
    }

    #[cold]
    pub(super) fn invalid(
        field: &str,
        value: impl Into<BadValue>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(field, value, FieldProblem::Invalid(detail.into()))
    }

    #[cold]
    pub(super) fn unsupported(
        field: &str,
        value: &str,
        supported: &'static [&'static str],
    ) -> Self {
        Self::new(field, value, FieldProblem::Unsupported(supported))
    }

    #[cold]
    pub(super) fn duplicate(field: &str, value: &str) -> Self {
        Self::new(field, value, FieldProblem::Duplicate)
    }

    #[cold]
    pub(super) fn forbidden(field: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(field, BadValue::Absent, FieldProblem::Forbidden(detail.into()))
    }

    #[cold]
    pub(super) fn too_long(field: &str, max_bytes: usize) -> Self {
        Self::new(field, BadValue::Absent, FieldProblem::TooLong { max_bytes })
    }

    /// The same error seen from the outside of `segment`.
    #[cold]
    fn under(mut self, segment: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, segment);
        self
    }

    /// The message without the path: the problem, the value, what was expected.
    pub(crate) fn body(&self) -> String {
        let value = &self.value;
        let named = |kind: &str, detail: &str| {
            let mut text = kind.to_owned();
            for part in [value.to_string(), detail.to_owned()] {
                if !part.is_empty() {
                    text.push_str(": ");
                    text.push_str(&part);
                }
            }
            text
        };
        match &self.problem {
            FieldProblem::Required(detail) => named("Required value", detail),
            FieldProblem::Invalid(detail) => named("Invalid value", detail),
            FieldProblem::Unsupported(supported) => {
                let quoted: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
                named("Unsupported value", &format!("supported values: {}", quoted.join(", ")))
            }
            FieldProblem::Duplicate => named("Duplicate value", ""),
            FieldProblem::Forbidden(detail) => named("Forbidden", detail),
            FieldProblem::TooLong { max_bytes } => {
                named("Too long", &format!("may not be more than {max_bytes} bytes"))
            }
        }
    }
}

/// Puts a path together while an error travels up, so that a valid object pays nothing for it.
pub(super) trait At {
    /// The fault is in the field `name`, or in a chain of them, `spec.template`.
    fn field(self, name: &str) -> Self;
    /// The fault is in the item `index`.
    fn index(self, index: usize) -> Self;
    /// The fault is in the entry `key`.
    fn key(self, key: &str) -> Self;
}

impl<T> At for Result<T, FieldError> {
    #[inline]
    fn field(self, name: &str) -> Self {
        self.map_err(|error| error.under(name))
    }

    #[inline]
    fn index(self, index: usize) -> Self {
        self.map_err(|error| error.under(&format!("[{index}]")))
    }

    #[inline]
    fn key(self, key: &str) -> Self {
        self.map_err(|error| error.under(&format!("[{key}]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_print_path_problem_value_and_rule() {
        let cases = [
            (FieldError::required("name", ""), "a[2].name: Required value"),
            (FieldError::required("", "one of two"), "a[2]: Required value: one of two"),
            (
                FieldError::invalid("key", "x\"y", "must be short"),
                "a[2].key: Invalid value: \"x\\\"y\": must be short",
            ),
            (
                FieldError::invalid("port", 70_000, "too great"),
                "a[2].port: Invalid value: 70000: too great",
            ),
            (
                FieldError::unsupported("mode", "C", &["A", "B"]),
                "a[2].mode: Unsupported value: \"C\": supported values: \"A\", \"B\"",
            ),
            (FieldError::duplicate("name", "n"), "a[2].name: Duplicate value: \"n\""),
            (FieldError::forbidden("claims", "not here"), "a[2].claims: Forbidden: not here"),
            (
                FieldError::too_long("name", 63),
                "a[2].name: Too long: may not be more than 63 bytes",
            ),
        ];
        for (error, text) in cases {
            assert_eq!(Err::<(), _>(error).index(2).field("a").unwrap_err().to_string(), text);
        }
        let error = FieldError::invalid("", "9", "x");
        let error = Err::<(), _>(error).key("cpu").field("limits").field("spec").unwrap_err();
        assert_eq!(error.path, "spec.limits[cpu]");
    }

    #[test]
    fn long_values_are_cut() {
        let BadValue::Text(shown) = BadValue::from("é".repeat(300).as_str()) else {
            panic!("a text");
        };
        assert_eq!(shown.chars().count(), 201);
    }
}
