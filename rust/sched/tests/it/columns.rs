//! What plugins say of whole sets of nodes is what they say node by node.

use std::sync::Arc;

use bayplan_api::{Objects, Str};
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::{
    InterPodAffinityArgs, NodeAffinityArgs, PodTopologySpreadArgs,
    PodTopologySpreadConstraintsDefaulting,
};
use bayplan_sched::framework::{
    Dependency, Filter, MAX_NODE_SCORE, Plugin, PreFilter, PreScore, Score,
};
use bayplan_sched::index_vec::{Idx, NodeIdx, PodIdx};
use bayplan_sched::node_set::NodeSet;
use bayplan_sched::plugins::image_locality::ImageLocality;
use bayplan_sched::plugins::inter_pod_affinity::InterPodAffinity;
use bayplan_sched::plugins::node_affinity::NodeAffinity;
use bayplan_sched::plugins::pod_topology_spread::PodTopologySpread;
use bayplan_sched::plugins::taint_toleration::TaintToleration;
use bayplan_testkit::strategies::{ClusterShape, cluster};
use proptest::prelude::*;
use proptest::sample::Index;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
/// What a row has that is not asked about: no score brings it to zero.
const UNFIT: i32 = -1_000_000;
const WEIGHT: i32 = 7;

/// How values of topology keys are shared, beside what nodes say at random.
#[derive(Debug, Clone, Copy)]
enum Domains {
    AsTheyAre,
    /// No two nodes have the same host name, and none lacks it.
    Alone,
    /// More zones than are kept as sets, some of them shared.
    Many,
}

/// Enough nodes for sets of several words.
fn objects() -> impl Strategy<Value = Objects> {
    let shape = ClusterShape { nodes: 1..=150, running: 0..=40, pending: 1..=8, storage: false };
    let domains = prop_oneof![Just(Domains::AsTheyAre), Just(Domains::Alone), Just(Domains::Many),];
    (cluster(shape), domains).prop_map(|(mut objects, domains)| {
        for (number, node) in objects.nodes.iter_mut().enumerate() {
            let labels = &mut node.metadata.labels;
            match domains {
                Domains::AsTheyAre => {}
                Domains::Alone => drop(labels.insert(HOSTNAME.into(), node.metadata.name.clone())),
                Domains::Many if number % 9 == 0 => drop(labels.remove(ZONE)),
                Domains::Many => {
                    labels.insert(ZONE.into(), Str::from(format!("zone-{}", number % 97)));
                }
            }
        }
        objects
    })
}

fn plugins() -> Vec<Box<dyn Plugin>> {
    vec![
        Box::new(InterPodAffinity::new(InterPodAffinityArgs::default())),
        Box::new(InterPodAffinity::new(InterPodAffinityArgs {
            hard_pod_affinity_weight: 5,
            ignore_preferred_terms_of_existing_pods: true,
        })),
        Box::new(PodTopologySpread::new(PodTopologySpreadArgs::default())),
        Box::new(PodTopologySpread::new(PodTopologySpreadArgs {
            default_constraints: Vec::new(),
            defaulting_type: PodTopologySpreadConstraintsDefaulting::List,
        })),
        Box::new(ImageLocality),
        Box::new(TaintToleration),
        Box::new(NodeAffinity::new(NodeAffinityArgs::default())),
    ]
}

fn filter_of(plugin: &dyn Plugin, cluster: &Cluster, pod: PodIdx) -> Option<Box<dyn Filter>> {
    let template = Arc::clone(cluster.template(cluster.pods()[pod].template));
    match plugin.filter()?.pre_filter(&template, cluster) {
        Ok(PreFilter::Run { filter, .. }) => Some(filter),
        Ok(PreFilter::Skip) | Err(_) => None,
    }
}

fn score_of(plugin: &dyn Plugin, cluster: &Cluster, pod: PodIdx) -> Option<Box<dyn Score>> {
    let template = Arc::clone(cluster.template(cluster.pods()[pod].template));
    match plugin.score()?.pre_score(&template, cluster) {
        Ok(PreScore::Run(score)) => Some(score),
        Ok(PreScore::Skip) | Err(_) => None,
    }
}

fn narrows(filter: &dyn Filter, cluster: &Cluster, nodes: &NodeSet) -> Result<(), TestCaseError> {
    let (mut narrowed, mut expected) = (nodes.clone(), nodes.clone());
    filter.narrow(cluster, &mut narrowed);
    expected.retain(|node| filter.fits(cluster, node));
    prop_assert_eq!(narrowed, expected, "{:?}", filter);
    Ok(())
}

fn adds(
    score: &mut Box<dyn Score>,
    cluster: &Cluster,
    nodes: &NodeSet,
) -> Result<(), TestCaseError> {
    if score.is_skipped() || nodes.is_empty() {
        return Ok(());
    }
    let mut plain = score.boxed_clone();
    if score.depends_on() == Dependency::FeasibleSet {
        score.feasible_nodes(cluster, nodes);
        plain.feasible(cluster, &mut nodes.iter().map(|node| (node, 1)));
    }
    let rows: Vec<NodeIdx> = nodes.iter().collect();
    let mut scores: Vec<i64> = rows.iter().map(|&node| plain.raw(cluster, node)).collect();
    if plain.has_normalize() {
        plain.normalize(&rows, &mut scores);
    }
    let all = 0..cluster.nodes().row_count();
    let before: Vec<i32> = all
        .map(|row| if nodes.contains(NodeIdx::from_index(row)) { 1_000 } else { UNFIT })
        .collect();
    let mut sums = before.clone();
    let in_range = scores.iter().all(|score| (0..=MAX_NODE_SCORE).contains(score));
    prop_assert_eq!(score.add_to(cluster, nodes, WEIGHT, &mut sums), in_range, "{:?}", score);
    if !in_range {
        return Ok(());
    }
    let mut scores = scores.into_iter();
    for (row, (sum, before)) in sums.into_iter().zip(before).enumerate() {
        if nodes.contains(NodeIdx::from_index(row)) {
            let expected = i32::try_from(scores.next().unwrap()).unwrap() * WEIGHT;
            prop_assert_eq!(sum - before, expected, "row {} of {:?}", row, score);
        } else {
            prop_assert!((UNFIT..=UNFIT + 100 * WEIGHT).contains(&sum), "row {row} of {score:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_set_of_nodes_is_filtered_and_scored_as_its_nodes(
        objects in objects(), subsets in proptest::collection::vec(any::<u64>(), 3),
        places in proptest::collection::vec(any::<Index>(), 4),
    ) {
        let mut cluster = Cluster::from_objects(objects).unwrap();
        let waiting: Vec<PodIdx> = cluster.waiting().collect();
        // All nodes, about half of them, and a few.
        let sets = [u64::MAX, subsets[0], subsets[1] & subsets[2] & subsets[0]].map(|bits| {
            let mut nodes = cluster.nodes().live().clone();
            nodes.retain(|node| bits >> (node.index() * 7 % 64) & 1 == 1);
            nodes
        });
        let plugins = plugins();
        let (mut filters, mut scores) = (Vec::new(), Vec::new());
        for plugin in &plugins {
            for &pod in &waiting {
                filters.extend(filter_of(plugin.as_ref(), &cluster, pod));
                scores.extend(score_of(plugin.as_ref(), &cluster, pod));
            }
        }
        for round in 0..2 {
            for nodes in &sets {
                for filter in &filters {
                    narrows(filter.as_ref(), &cluster, nodes)?;
                }
                for score in &mut scores {
                    adds(score, &cluster, nodes)?;
                }
            }
            if round > 0 {
                break;
            }
            let revision = cluster.revision();
            for (&pod, place) in waiting.iter().zip(&places) {
                cluster.assume_pod(pod, NodeIdx::from_index(place.index(cluster.nodes().row_count())));
            }
            for change in cluster.changes_since(revision).unwrap() {
                for filter in &mut filters {
                    filter.pod_changed(&cluster, change);
                }
                for score in &mut scores {
                    score.pod_changed(&cluster, change);
                }
            }
        }
    }
}
