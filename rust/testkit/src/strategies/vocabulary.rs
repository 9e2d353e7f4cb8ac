//! The words that random objects are made of.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use bayplan_api::{Labels, Quantity, Str};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::{option, sample};

use crate::builders;

/// Names of the namespaces; the last one has no `Namespace` object.
pub const NAMESPACES: [&str; 3] = ["default", "prod", "nowhere"];

pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
pub(super) const RACK: &str = "rack";

/// Topology keys; the last one is on no node.
pub(super) const TOPOLOGY_KEYS: [&str; 4] = [HOSTNAME, ZONE, RACK, "example.com/none"];

/// Keys of pod labels and the values that they have.
pub(super) const POD_LABELS: [(&str, &[&str]); 3] =
    [("app", &["web", "db", ""]), ("tier", &["fe", "be"]), ("version", &["1", "2"])];

/// Keys of node labels, besides the hostname, and the values that they have.
pub(super) const NODE_LABELS: [(&str, &[&str]); 5] = [
    (ZONE, &["a", "b", "c", ""]),
    ("topology.kubernetes.io/region", &["r1", "r2"]),
    (RACK, &["1", "2", "10"]),
    ("disk", &["ssd"]),
    ("gen", &["3", "7", "x"]),
];

pub(super) const IMAGES: [&str; 5] = [
    "nginx",
    "nginx:latest",
    "postgres:16",
    "registry.example.com:5000/team/web",
    "registry.example.com:5000/team/web:v2",
];

/// One of the values.
pub(super) fn one_of<T: Clone + Debug + 'static>(
    values: &[T],
) -> impl Strategy<Value = T> + use<T> {
    sample::select(values.to_vec())
}

/// One of the texts.
pub(super) fn text(values: &[&'static str]) -> impl Strategy<Value = Str> + use<> {
    one_of(values).prop_map(Str::from)
}

/// Labels over a vocabulary: each key is there in two of three cases.
pub fn labels(
    vocabulary: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = Labels> {
    let entries: Vec<_> = vocabulary
        .iter()
        .map(|(key, values)| option::weighted(0.66, text(values)).prop_map(move |v| (*key, v)))
        .collect();
    entries.prop_map(|entries| {
        entries.into_iter().filter_map(|(key, value)| Some((Str::from(key), value?))).collect()
    })
}

/// The name of the node at a position.
pub fn node_name(index: usize) -> String {
    format!("node-{index}")
}

/// A quantity: mostly one of `usual`, sometimes nothing, seldom far too much.
pub(super) fn amount(usual: &[&'static str]) -> impl Strategy<Value = Quantity> + use<> {
    prop_oneof![
        20 => one_of(usual),
        2 => Just("0"),
        1 => one_of(&["9223372036854775807", "9e15", "1P"]),
    ]
    .prop_map(builders::quantity)
}

/// Some values with a probability, else none.
pub(super) fn sometimes<S: Strategy>(
    probability: f64,
    values: S,
    count: RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<S::Value>> {
    option::weighted(probability, vec(values, count)).prop_map(Option::unwrap_or_default)
}
