//! How many nodes a decision looks at, in which order, and which of equally good ones it takes.
//!
//! kube-scheduler does not look at every node of a large cluster: it walks the nodes from where the last decision stopped, until
//! enough of them are feasible, and of those with the highest total it draws one. Both are options here ([`SchedulerOptions`]);
//! without them all nodes are looked at in node order and the first of the best is taken.
//!
//! Follows `findNodesThatPassFilters`, `numFeasibleNodesToFind` and `selectHost` in `pkg/scheduler/schedule_one.go`,
//! `pkg/scheduler/backend/cache/node_tree.go` and `GetOffsetAndNumCandidates` in
//! `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go` of v1.34, with a parallelism of 1.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{LabelColumn, NodeColumns};
use crate::config::DefaultPreemptionArgs;
use crate::index_vec::NodeIdx;

/// Which nodes a decision looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sampling {
    /// All, in node order, whatever `percentageOfNodesToScore` says; preemption tries every node where it may help.
    #[default]
    All,
    /// As many as kube-scheduler would: it walks the nodes zone by zone in turn, from where the last decision stopped, until as
    /// many are feasible as `percentageOfNodesToScore` asks for; preemption obeys `minCandidateNodesPercentage` and
    /// `minCandidateNodesAbsolute`.
    Kube,
}

/// Which of the nodes with the highest total is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TieBreak {
    /// The first that was looked at: in node order, or with [`Sampling::Kube`] in the order of the walk.
    /// Preemption's search begins at the first node.
    #[default]
    First,
    /// One of them, each with the same probability. With [`Sampling::Kube`] preemption's search begins at a random node.
    ///
    /// The draws are a function of the seed and of how many there were on the cluster before ([`Cycle`]): the same on every
    /// machine.
    Random {
        /// The seed.
        seed: u64,
    },
}

/// What a scheduler does apart from its configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedulerOptions {
    /// Which nodes a decision looks at.
    pub sampling: Sampling,
    /// Which of equally good nodes is chosen.
    pub tie_break: TieBreak,
}

/// What a decision leaves to the next beside the pods: kept by the cluster, so that a copy of it goes on alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cycle {
    /// `nextStartNodeIndex`: where in the list of nodes the next walk begins.
    pub next_start_node: usize,
    /// How many random numbers were drawn.
    pub rolls: u64,
}

impl Cycle {
    /// Moves on by the nodes that were looked at; `nodes` is how many there are.
    pub(crate) fn walked(&mut self, steps: usize, nodes: usize) {
        self.next_start_node = (self.next_start_node + steps) % nodes.max(1);
    }

    /// Draws a number from 0 to `below` − 1, each with the same probability; 0 if there is no choice.
    pub(crate) fn draw(&mut self, seed: u64, below: usize) -> usize {
        let Ok(below) = u64::try_from(below) else { return 0 };
        if below < 2 {
            return 0;
        }
        // The numbers from here on are too few for a last round over all remainders.
        let end = u64::MAX - u64::MAX % below;
        loop {
            let number = split_mix(seed, self.rolls);
            self.rolls = self.rolls.wrapping_add(1);
            if number < end {
                return usize::try_from(number % below).unwrap_or_default();
            }
        }
    }
}

/// Number `index` of the generator `SplitMix64` begun with `seed` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, OOPSLA 2014).
const fn split_mix(seed: u64, index: u64) -> u64 {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let state = seed.wrapping_add(GAMMA.wrapping_mul(index.wrapping_add(1)));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl TieBreak {
    /// Which of `count` things to take.
    pub(crate) fn pick(self, count: usize, cycle: &mut Cycle) -> usize {
        match self {
            Self::First => 0,
            Self::Random { seed } => cycle.draw(seed, count),
        }
    }
}

/// `minFeasibleNodesToFind`.
const MIN_FEASIBLE_NODES_TO_FIND: i32 = 100;
/// `minFeasibleNodesPercentageToFind`.
const MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND: i32 = 5;

/// `numFeasibleNodesToFind`: how many feasible nodes of `nodes` are enough; `percentage` is the profile's, else the
/// configuration's.
pub(crate) fn feasible_nodes_to_find(percentage: Option<i32>, nodes: usize) -> usize {
    let all = i32::try_from(nodes).unwrap_or(i32::MAX);
    if all < MIN_FEASIBLE_NODES_TO_FIND {
        return nodes;
    }
    let percentage = match percentage.unwrap_or_default() {
        0 => (50 - all / 125).max(MIN_FEASIBLE_NODES_PERCENTAGE_TO_FIND),
        percentage => percentage,
    };
    let wanted = (all.wrapping_mul(percentage) / 100).max(MIN_FEASIBLE_NODES_TO_FIND);
    usize::try_from(wanted).unwrap_or(nodes)
}

/// `calculateNumCandidates`: how many nodes that preemption could free are enough, of those where it may help.
pub(crate) fn candidates_to_find(args: &DefaultPreemptionArgs, nodes: usize) -> usize {
    let all = i32::try_from(nodes).unwrap_or(i32::MAX);
    let share = all.wrapping_mul(args.min_candidate_nodes_percentage) / 100;
    let wanted = share.max(args.min_candidate_nodes_absolute).min(all);
    usize::try_from(wanted).unwrap_or_default()
}

/// `nodeTree.list`: the first node of each zone, then the second of each, and so on. Zones stand in the order of their first
/// nodes; a zone is that of a region, and all nodes without either make up one.
pub(crate) fn list_order(nodes: &NodeColumns) -> Vec<NodeIdx> {
    let columns = |keys: [&str; 2]| keys.map(|key| nodes.labels.column(key));
    // A deprecated label counts before the other one, even if it is empty.
    let regions =
        columns(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]);
    let zones = columns(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]);
    let mut tree: IndexMap<(&str, &str), Vec<NodeIdx>, FxBuildHasher> = IndexMap::default();
    for node in nodes.iter() {
        tree.entry((label(regions, node), label(zones, node))).or_default().push(node);
    }
    let longest = tree.values().map(Vec::len).max().unwrap_or_default();
    (0..longest)
        .flat_map(|at| tree.values().filter_map(move |zone| zone.get(at).copied()))
        .collect()
}

/// The node's value in the first of the columns where it has one.
fn label(columns: [Option<&LabelColumn>; 2], node: NodeIdx) -> &str {
    let mut values = columns.into_iter().flatten();
    values.find_map(|column| column.value(column.domain(node))).map_or("", Str::as_str)
}

#[cfg(test)]
mod tests {
    use bayplan_api::{Node, Objects};

    use super::*;
    use crate::cluster::Cluster;
    use crate::index_vec::Idx;

    #[test]
    fn numbers_are_those_of_split_mix_64() {
        // The first numbers of the reference implementation (Vigna, splitmix64.c) from the state 1234567.
        let first = [0, 1, 2].map(|index| split_mix(1_234_567, index));
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_draw_is_within_its_bounds_and_covers_them() {
        for below in [2, 3, 7, 10] {
            let mut cycle = Cycle::default();
            let mut counts = vec![0; below];
            for _ in 0..below * 1000 {
                if let Some(count) = counts.get_mut(cycle.draw(42, below)) {
                    *count += 1;
                }
            }
            assert_eq!(counts.iter().sum::<i32>(), i32::try_from(below * 1000).unwrap());
            assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn without_a_choice_nothing_is_drawn() {
        let mut cycle = Cycle::default();
        assert_eq!((cycle.draw(7, 0), cycle.draw(7, 1), cycle), (0, 0, Cycle::default()));
        assert_eq!(TieBreak::First.pick(5, &mut cycle), 0);
        assert_eq!(cycle, Cycle::default());
    }

    #[test]
    fn enough_nodes_as_kube_scheduler_counts_them() {
        // TestNumFeasibleNodesToFind of v1.34, and its edges.
        let cases = [
            (None, 10, 10),
            (Some(40), 10, 10),
            (None, 99, 99),
            (None, 100, 100),
            (None, 1000, 420),
            (Some(40), 1000, 400),
            (None, 6000, 300),
            (Some(40), 6000, 2400),
            (Some(0), 5000, 500),
            (Some(1), 5000, 100),
            (Some(3), 5000, 150),
            (Some(100), 5000, 5000),
            (None, 100_000, 5000),
        ];
        for (percentage, nodes, wanted) in cases {
            assert_eq!(feasible_nodes_to_find(percentage, nodes), wanted, "{percentage:?} {nodes}");
        }
    }

    #[test]
    fn enough_candidates_as_kube_scheduler_counts_them() {
        let cases = [
            ((10, 100), 50, 50),
            ((10, 100), 500, 100),
            ((10, 100), 5000, 500),
            ((0, 1), 5000, 1),
            ((1, 0), 99, 0),
            ((1, 0), 250, 2),
            ((100, 0), 7, 7),
        ];
        for ((percentage, absolute), nodes, wanted) in cases {
            let args = DefaultPreemptionArgs {
                min_candidate_nodes_percentage: percentage,
                min_candidate_nodes_absolute: absolute,
            };
            assert_eq!(candidates_to_find(&args, nodes), wanted, "{percentage} {absolute} {nodes}");
        }
    }

    const ZONE: &str = "topology.kubernetes.io/zone";
    const REGION: &str = "topology.kubernetes.io/region";
    const BETA: &str = "failure-domain.beta.kubernetes.io/zone";

    #[test]
    fn zones_take_turns() {
        let node = |name: &str, labels: &[(&str, &str)]| {
            let mut node = Node::default();
            node.metadata.name = name.into();
            node.metadata.labels =
                labels.iter().map(|&(key, value)| (key.into(), value.into())).collect();
            node
        };
        let nodes = [
            node("a-1", &[(ZONE, "a")]),
            node("a-2", &[(ZONE, "a")]),
            node("none-1", &[]),
            // The deprecated label wins.
            node("a-3", &[(BETA, "a"), (ZONE, "b")]),
            // The same zone of a region is another.
            node("ra-1", &[(ZONE, "a"), (REGION, "r")]),
            node("b-1", &[(ZONE, "b")]),
            // An empty deprecated label counts, too.
            node("none-2", &[(BETA, ""), (ZONE, "b")]),
            node("a-4", &[(ZONE, "a"), (REGION, "")]),
        ];
        let objects = Objects { nodes: nodes.to_vec(), ..Objects::default() };
        let cluster = Cluster::from_objects(objects).unwrap();
        let columns = cluster.nodes();
        let order: Vec<&str> =
            list_order(columns).into_iter().map(|node| columns.name(node).as_str()).collect();
        assert_eq!(order, ["a-1", "none-1", "ra-1", "b-1", "a-2", "none-2", "a-3", "a-4"]);
        assert_eq!(list_order(columns).first(), Some(&NodeIdx::from_index(0)));
    }

    #[test]
    fn a_walk_goes_round() {
        let mut cycle = Cycle { next_start_node: 7, rolls: 3 };
        cycle.walked(5, 10);
        assert_eq!(cycle, Cycle { next_start_node: 2, rolls: 3 });
        cycle.walked(0, 0);
        assert_eq!(cycle.next_start_node, 0);
    }
}
