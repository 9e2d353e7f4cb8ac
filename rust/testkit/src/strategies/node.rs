//! Random nodes.

use bayplan_api::{
    ContainerImage, Node, ObjectMeta, Quantity, ResourceList, Str, Taint, TaintEffect,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::vocabulary::{
    HOSTNAME, IMAGES, NODE_LABELS, amount, labels, node_name, one_of, sometimes, text,
};

/// A node; [`node_name`] of its position names it.
pub fn node() -> impl Strategy<Value = Node> {
    let hostname = prop_oneof![
        8 => Just(Some(None)),
        1 => Just(None),
        1 => Just(Some(Some("shared"))),
    ];
    (
        (labels(&NODE_LABELS), hostname),
        allocatable(),
        taints(),
        prop::bool::weighted(0.08),
        vec(image(), 0..=3),
    )
        .prop_map(|((mut labels, hostname), allocatable, taints, unschedulable, images)| {
            // The real name is filled in when the node gets one.
            match hostname {
                None => {}
                Some(None) => {
                    labels.insert(HOSTNAME.into(), "".into());
                }
                Some(Some(name)) => {
                    labels.insert(HOSTNAME.into(), name.into());
                }
            }
            let mut node = Node {
                metadata: ObjectMeta { labels, ..ObjectMeta::default() },
                ..Node::default()
            };
            node.spec.unschedulable = unschedulable;
            node.spec.taints = taints;
            node.status.capacity = allocatable.clone();
            node.status.allocatable = allocatable;
            node.status.images = images;
            node
        })
}

/// Names a node.
pub(super) fn name(node: &mut Node, index: usize) {
    let name: Str = node_name(index).into();
    if node.metadata.labels.get(HOSTNAME).is_some_and(|hostname| hostname.is_empty()) {
        node.metadata.labels.insert(HOSTNAME.into(), name.clone());
    }
    node.metadata.uid = format!("node/{name}").into();
    node.metadata.name = name;
}

fn allocatable() -> impl Strategy<Value = ResourceList> {
    let entry = |probability: f64, name: &'static str, usual: &[&'static str]| {
        option::weighted(probability, amount(usual)).prop_map(move |amount| (name, amount))
    };
    (
        entry(0.97, "cpu", &["1", "2", "3920m", "4", "8"]),
        entry(0.97, "memory", &["1Gi", "3Gi", "4Gi", "7910Mi", "16Gi"]),
        entry(0.7, "ephemeral-storage", &["10Gi", "47e9"]),
        option::weighted(0.95, one_of(&[0_i64, 1, 3, 5, 110]))
            .prop_map(|count| ("pods", count.map(Quantity::from_value))),
        entry(0.3, "example.com/gpu", &["1", "2", "8"]),
        entry(0.2, "hugepages-2Mi", &["0", "64Mi", "1Gi"]),
        entry(0.1, "nonsense", &["5"]),
    )
        .prop_map(|(a, b, c, d, e, f, g)| {
            [a, b, c, d, e, f, g]
                .into_iter()
                .filter_map(|(name, amount)| Some((Str::from(name), amount?)))
                .collect()
        })
}

/// Taints, none twice with the same key and effect.
fn taints() -> impl Strategy<Value = Vec<Taint>> {
    let taint = (
        text(&["dedicated", "maintenance", "node.kubernetes.io/unschedulable"]),
        text(&["", "db", "gpu"]),
        one_of(&[
            TaintEffect::NoSchedule,
            TaintEffect::PreferNoSchedule,
            TaintEffect::PreferNoSchedule,
            TaintEffect::NoExecute,
        ]),
    )
        .prop_map(|(key, value, effect)| Taint { key, value, effect });
    sometimes(0.4, taint, 1..=3).prop_map(|taints| {
        let mut unique: Vec<Taint> = Vec::new();
        for taint in taints {
            if !unique.iter().any(|own| own.key == taint.key && own.effect == taint.effect) {
                unique.push(taint);
            }
        }
        unique
    })
}

fn image() -> impl Strategy<Value = ContainerImage> {
    let size = prop_oneof![
        4 => one_of(&[50_000_000_i64, 431_000_000, 1_048_576_001, 5_000_000_000]),
        1 => Just(0),
        1 => Just(i64::MAX),
    ];
    (vec(text(&IMAGES), 0..=2), size)
        .prop_map(|(names, size_bytes)| ContainerImage { names, size_bytes })
}
