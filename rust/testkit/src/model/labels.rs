//! Label selectors: `k8s.io/apimachinery/pkg/labels` v0.34.

use bayplan_api::{LabelSelector, LabelSelectorOperator, Labels, Str};

/// `labels.Selector`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// `labels.Nothing()`: what an absent `LabelSelector` becomes.
    Nothing,
    /// All requirements must hold; with none, everything matches.
    All(Vec<Requirement>),
}

/// `labels.Requirement`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    key: Str,
    operator: LabelSelectorOperator,
    values: Vec<Str>,
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            LabelSelectorOperator::In => value.is_some_and(|value| self.values.contains(value)),
            LabelSelectorOperator::NotIn => !value.is_some_and(|value| self.values.contains(value)),
            LabelSelectorOperator::Exists => value.is_some(),
            LabelSelectorOperator::DoesNotExist => value.is_none(),
        }
    }
}

impl Selector {
    /// `metav1.LabelSelectorAsSelector`.
    pub(super) fn from_label_selector(selector: Option<&LabelSelector>) -> Self {
        let Some(selector) = selector else { return Self::Nothing };
        let mut requirements = set_requirements(&selector.match_labels);
        requirements.extend(selector.match_expressions.iter().map(|expression| Requirement {
            key: expression.key.clone(),
            operator: expression.operator,
            values: expression.values.clone(),
        }));
        Self::All(requirements)
    }

    /// `labels.SelectorFromSet`.
    pub(super) fn from_set(labels: &Labels) -> Self {
        Self::All(set_requirements(labels))
    }

    /// `Selector.Empty`: whether there are no requirements. `Nothing` is not empty.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::All(requirements) if requirements.is_empty())
    }

    /// `Selector.Matches`.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::Nothing => false,
            Self::All(requirements) => {
                requirements.iter().all(|requirement| requirement.matches(labels))
            }
        }
    }

    /// `Selector.Requirements`; `None` for `Nothing`.
    pub(super) fn requirements(&self) -> Option<&[Requirement]> {
        match self {
            Self::Nothing => None,
            Self::All(requirements) => Some(requirements),
        }
    }

    /// `Selector.Add`.
    pub(super) fn add(&mut self, more: &[Requirement]) {
        if let Self::All(requirements) = self {
            requirements.extend_from_slice(more);
        }
    }
}

fn set_requirements(labels: &Labels) -> Vec<Requirement> {
    labels
        .iter()
        .map(|(key, value)| Requirement {
            key: key.clone(),
            operator: LabelSelectorOperator::In,
            values: vec![value.clone()],
        })
        .collect()
}
