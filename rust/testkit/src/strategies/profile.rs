//! Random profiles.

use std::collections::BTreeSet;

use bayplan_api::{
    NodeAffinity, NodeSelectorOperator, TopologySpreadConstraint, UnsatisfiableConstraintAction,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::selector::node_affinity;
use super::vocabulary::{HOSTNAME, RACK, ZONE, one_of, sometimes};
use crate::builders::constraint;
use crate::model::{DefaultConstraints, FitArgs, ModelProfile, Plugin, ScoringStrategy};

/// A profile: the default one in one of three cases, else with other plugins, weights and arguments.
pub fn profile() -> impl Strategy<Value = ModelProfile> {
    prop_oneof![1 => Just(ModelProfile::default()), 2 => custom_profile()]
}

fn custom_profile() -> impl Strategy<Value = ModelProfile> {
    let disabled = || sometimes(0.25, one_of(&Plugin::DEFAULT_ORDER), 1..=3);
    (
        disabled(),
        disabled(),
        vec(one_of(&[1_i64, 1, 2, 3, 10, 100]), Plugin::DEFAULT_ORDER.len()),
        (prop::bool::weighted(0.9), option::weighted(0.3, node_affinity())),
        (fit_args(), resources()),
        (0..=100_i32, any::<bool>()),
        default_constraints(),
    )
        .prop_map(
            |(no_filter, no_score, weights, (preemption, added), (fit, balanced), pods, spread)| {
                let mut profile = ModelProfile::default();
                profile.filter.retain(|plugin| !no_filter.contains(plugin));
                profile.score = Plugin::DEFAULT_ORDER
                    .into_iter()
                    .zip(weights)
                    .filter(|(plugin, _)| plugin.has_score() && !no_score.contains(plugin))
                    .collect();
                profile.preemption = preemption;
                // One without anything in it is not valid.
                profile.added_affinity = added
                    .filter(|affinity| {
                        affinity.required.is_some() || !affinity.preferred.is_empty()
                    })
                    .map(with_numbers);
                profile.fit = fit;
                profile.balanced_resources = balanced.into_iter().map(|(name, _)| name).collect();
                (
                    profile.hard_pod_affinity_weight,
                    profile.ignore_preferred_terms_of_existing_pods,
                ) = pods;
                profile.default_constraints = spread;
                profile
            },
        )
}

/// In a configuration, unlike in a pod, only numbers are greater or less than others.
fn with_numbers(mut affinity: NodeAffinity) -> NodeAffinity {
    let required = affinity.required.iter_mut().flat_map(|own| &mut own.node_selector_terms);
    let preferred = affinity.preferred.iter_mut().map(|own| &mut own.preference);
    for requirement in required.chain(preferred).flat_map(|term| &mut term.match_expressions) {
        if matches!(requirement.operator, NodeSelectorOperator::Gt | NodeSelectorOperator::Lt) {
            for value in &mut requirement.values {
                if value.parse::<i64>().is_err() {
                    *value = "2".into();
                }
            }
        }
    }
    affinity
}

/// Resources and weights, none twice.
fn resources() -> impl Strategy<Value = Vec<(String, i64)>> {
    let names = ["cpu", "memory", "ephemeral-storage", "example.com/gpu"];
    btree_set(one_of(&names), 1..=3).prop_flat_map(|names| {
        let weighted = |name: &str| (Just(name.to_owned()), one_of(&[1_i64, 2, 5, 100]));
        names.into_iter().map(weighted).collect::<Vec<_>>()
    })
}

fn fit_args() -> impl Strategy<Value = FitArgs> {
    let shape = btree_set(0..=100_i64, 1..=4).prop_flat_map(|points| {
        points.into_iter().map(|at| (Just(at), 0..=10_i64)).collect::<Vec<_>>()
    });
    let strategy = prop_oneof![
        2 => Just(ScoringStrategy::LeastAllocated),
        1 => Just(ScoringStrategy::MostAllocated),
        1 => shape.prop_map(ScoringStrategy::RequestedToCapacityRatio),
    ];
    let ignored = |name: &'static str| {
        prop::bool::weighted(0.2).prop_map(move |ignored| -> BTreeSet<String> {
            ignored.then(|| name.to_owned()).into_iter().collect()
        })
    };
    (ignored("example.com/gpu"), ignored("example.com"), strategy, resources()).prop_map(
        |(ignored_resources, ignored_resource_groups, strategy, resources)| FitArgs {
            ignored_resources,
            ignored_resource_groups,
            strategy,
            resources,
        },
    )
}

fn default_constraints() -> impl Strategy<Value = DefaultConstraints> {
    let entry = |key: &'static str| {
        option::weighted(
            0.5,
            (
                1..=3_i32,
                one_of(&[
                    UnsatisfiableConstraintAction::DoNotSchedule,
                    UnsatisfiableConstraintAction::ScheduleAnyway,
                ]),
            )
                .prop_map(move |(max_skew, when)| constraint(max_skew, key.into(), when, None)),
        )
    };
    let list = (entry(HOSTNAME), entry(ZONE), entry(RACK)).prop_map(|(a, b, c)| {
        let constraints: Vec<TopologySpreadConstraint> = [a, b, c].into_iter().flatten().collect();
        DefaultConstraints::List(constraints)
    });
    prop_oneof![1 => Just(DefaultConstraints::System), 1 => list]
}
