//! Random selectors and affinity terms.

use bayplan_api::{
    LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, NodeAffinity, NodeSelector,
    NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm,
    PreferredSchedulingTerm, Str, WeightedPodAffinityTerm,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::vocabulary::{
    HOSTNAME, NAMESPACES, NODE_LABELS, POD_LABELS, TOPOLOGY_KEYS, labels, node_name, one_of,
    sometimes, text,
};

/// A key of a vocabulary, and up to two of its values.
fn key_and_values(
    vocabulary: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = (Str, Vec<Str>)> {
    one_of(vocabulary)
        .prop_flat_map(|(key, values)| (Just(Str::from(key)), vec(text(values), 1..=2)))
}

fn requirement(
    vocabulary: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = LabelSelectorRequirement> {
    let operator = one_of(&[
        LabelSelectorOperator::In,
        LabelSelectorOperator::NotIn,
        LabelSelectorOperator::Exists,
        LabelSelectorOperator::DoesNotExist,
    ]);
    (key_and_values(vocabulary), operator).prop_map(|((key, values), operator)| {
        let takes_values =
            matches!(operator, LabelSelectorOperator::In | LabelSelectorOperator::NotIn);
        LabelSelectorRequirement {
            key,
            operator,
            values: if takes_values { values } else { Vec::new() },
        }
    })
}

/// A label selector over a vocabulary: by labels, by expressions, both, or `{}`.
pub fn label_selector(
    vocabulary: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = LabelSelector> {
    let one_label = key_and_values(vocabulary)
        .prop_map(|(key, values)| values.into_iter().next().map(|value| (key, value)));
    prop_oneof![
        1 => Just(LabelSelector::default()),
        6 => one_label.prop_map(|label| LabelSelector {
            match_labels: label.into_iter().collect(),
            match_expressions: Vec::new(),
        }),
        3 => (labels(vocabulary), vec(requirement(vocabulary), 0..=2)).prop_map(
            |(match_labels, match_expressions)| LabelSelector { match_labels, match_expressions }
        ),
    ]
}

fn namespace_labels() -> &'static [(&'static str, &'static [&'static str])] {
    &[("env", &["dev", "prod"]), ("team", &["a"])]
}

/// Labels of a namespace.
pub(super) fn labels_of_namespace() -> impl Strategy<Value = bayplan_api::Labels> {
    labels(namespace_labels())
}

/// A term of a pod (anti-)affinity.
pub fn pod_affinity_term() -> impl Strategy<Value = PodAffinityTerm> {
    let namespaces = sometimes(0.2, text(&NAMESPACES), 1..=2);
    (
        option::weighted(0.93, label_selector(&POD_LABELS)),
        namespaces,
        text(&TOPOLOGY_KEYS),
        option::weighted(0.3, label_selector(namespace_labels())),
    )
        .prop_map(|(label_selector, namespaces, topology_key, namespace_selector)| {
            PodAffinityTerm {
                label_selector,
                namespaces,
                topology_key,
                namespace_selector,
                match_label_keys: Vec::new(),
                mismatch_label_keys: Vec::new(),
            }
        })
}

/// A pod affinity or anti-affinity.
pub(super) fn pod_affinity() -> impl Strategy<Value = PodAffinity> {
    let weighted = (1..=100_i32, pod_affinity_term())
        .prop_map(|(weight, term)| WeightedPodAffinityTerm { weight, term });
    (vec(pod_affinity_term(), 0..=2), vec(weighted, 0..=2))
        .prop_map(|(required, preferred)| PodAffinity { required, preferred })
}

fn node_requirement() -> impl Strategy<Value = NodeSelectorRequirement> {
    let by_label = (
        key_and_values(&NODE_LABELS),
        one_of(&[
            NodeSelectorOperator::In,
            NodeSelectorOperator::NotIn,
            NodeSelectorOperator::Exists,
            NodeSelectorOperator::DoesNotExist,
        ]),
    )
        .prop_map(|((key, values), operator)| {
            let takes_values =
                matches!(operator, NodeSelectorOperator::In | NodeSelectorOperator::NotIn);
            NodeSelectorRequirement {
                key,
                operator,
                values: if takes_values { values } else { Vec::new() },
            }
        });
    let by_number = (
        text(&["rack", "gen", "missing"]),
        one_of(&[NodeSelectorOperator::Gt, NodeSelectorOperator::Lt]),
        text(&["0", "2", "5", "9999999999", "x"]),
    )
        .prop_map(|(key, operator, value)| NodeSelectorRequirement {
            key,
            operator,
            values: vec![value],
        });
    let by_host = (0..9_usize, one_of(&[NodeSelectorOperator::In, NodeSelectorOperator::NotIn]))
        .prop_map(|(index, operator)| NodeSelectorRequirement {
            key: HOSTNAME.into(),
            operator,
            values: vec![node_name(index).into()],
        });
    prop_oneof![6 => by_label, 2 => by_number, 1 => by_host]
}

fn field_requirement() -> impl Strategy<Value = NodeSelectorRequirement> {
    let operator =
        prop_oneof![3 => Just(NodeSelectorOperator::In), 1 => Just(NodeSelectorOperator::NotIn)];
    (0..9_usize, operator).prop_map(|(index, operator)| NodeSelectorRequirement {
        key: "metadata.name".into(),
        operator,
        values: vec![node_name(index).into()],
    })
}

/// A term of a node selector; sometimes an empty one.
pub fn node_selector_term() -> impl Strategy<Value = NodeSelectorTerm> {
    let fields = sometimes(0.2, field_requirement(), 1..=2);
    (vec(node_requirement(), 0..=2), fields).prop_map(|(match_expressions, match_fields)| {
        NodeSelectorTerm { match_expressions, match_fields }
    })
}

/// A node affinity, required, preferred or both.
pub fn node_affinity() -> impl Strategy<Value = NodeAffinity> {
    let preferred = (1..=100_i32, node_selector_term())
        .prop_map(|(weight, preference)| PreferredSchedulingTerm { weight, preference });
    let required = vec(node_selector_term(), 1..=2)
        .prop_map(|node_selector_terms| NodeSelector { node_selector_terms });
    (option::of(required), vec(preferred, 0..=2))
        .prop_map(|(required, preferred)| NodeAffinity { required, preferred })
}
