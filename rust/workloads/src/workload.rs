//! What a workload is called, how large it is, and what it can hold.

use std::fmt;
use std::str::FromStr;

/// Most nodes of a workload.
pub const MAX_NODES: u32 = 100_000;
/// Most pods that are measured, and most that stand before them.
pub const MAX_PODS: u32 = 1_000_000;

/// Sizes that each workload which scales is listed at, in nodes.
const LISTED_NODES: [u32; 5] = [500, 1_000, 5_000, 20_000, 100_000];
/// Applications of `Production`, if its size names no other number.
const APPLICATIONS: u32 = 400;
/// Most applications: names and images are told apart by four digits.
const MAX_APPLICATIONS: u32 = 9_999;
/// Pods that the one node of `SchedulingDaemonset` and `SchedulingWhileGated` takes.
pub(crate) const ONE_NODE_PODS: u32 = 90_000;
/// Plain pods on a node of 4 CPUs, 100m each.
const PLAIN_PODS_A_NODE: u32 = 40;
/// Pods on a node.
pub(crate) const PODS_A_NODE: u32 = 110;
/// Volumes that a node of `SchedulingCSIPVs` attaches.
pub(crate) const VOLUMES_A_NODE: u32 = 39;
/// Of so many pods of `Unschedulable`, one asks for 9 CPUs.
pub(crate) const ONE_LARGE_IN: u32 = 100;

macro_rules! shapes {
    ($($shape:ident: $what:literal)*) => {
        /// Which nodes and pods a workload has; the names are `scheduler_perf`'s where it has the workload.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Shape {
            $(#[doc = $what] $shape,)*
        }

        impl Shape {
            /// All of them, in the order in which they are listed.
            pub const ALL: &[Self] = &[$(Self::$shape),*];

            /// The name, such as `SchedulingBasic`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$shape => stringify!($shape),)*
                }
            }

            /// What it is, in one line.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$shape => $what,)*
                }
            }
        }
    };
}

shapes! {
    SchedulingBasic: "Plain pods on plain nodes."
    SchedulingPodAntiAffinity: "Required anti-affinity by host name: one pod a node."
    SchedulingPodAffinity: "Required affinity by zone, all nodes in one zone."
    SchedulingPreferredPodAffinity: "Preferred affinity by host name."
    SchedulingPreferredPodAntiAffinity: "Preferred anti-affinity by host name."
    SchedulingNodeAffinity: "Required node affinity to two zones, all nodes in one of them."
    TopologySpreading: "Spread over three zones, required, by a skew of 5."
    PreferredTopologySpreading: "Spread over three zones, preferred, by a skew of 5."
    DefaultTopologySpreading: "Pods of a Service in three zones: the scheduler's own default constraints."
    MixedSchedulingBasePod: "Plain pods among plain ones, ones with affinity, anti-affinity, and both preferred."
    Unschedulable: "Plain pods, and one in a hundred that fits nowhere: 9 CPUs, priority 10."
    PreemptionBasic: "Full nodes, and pods of priority 10 that evict three each."
    SchedulingDaemonset: "Pods for one named node, among many others."
    SchedulingInTreePVs: "A bound volume a pod, of an in-tree source."
    SchedulingCSIPVs: "A bound CSI volume a pod, 39 a node."
    SchedulingWhileGated: "Pods for one node, beside gated ones."
    Heterogeneous: "Every node and every pod differs; a third have pod affinity or spread."
    Production: "Applications as a production cluster has them, arriving in random order."
}

/// Nodes, first and measured pods of a run that `scheduler_perf` has, and whether its name says the measured pods.
struct Upstream {
    nodes: u32,
    first: u32,
    measured: u32,
    in_name: bool,
}

const fn short(nodes: u32, first: u32, measured: u32) -> Upstream {
    Upstream { nodes, first, measured, in_name: false }
}

const fn long(nodes: u32, first: u32, measured: u32) -> Upstream {
    Upstream { nodes, first, measured, in_name: true }
}

impl Shape {
    /// The runs of `test/integration/scheduler_perf/*/performance-config.yaml` of v1.34.1; those that differ in
    /// feature gates only are one. Of `MixedSchedulingBasePod` the first pods are all five sorts together.
    const fn upstream(self) -> &'static [Upstream] {
        match self {
            Self::SchedulingBasic => {
                const {
                    &[
                        short(5, 5, 10),
                        short(500, 500, 1_000),
                        short(5_000, 1_000, 1_000),
                        long(5_000, 1_000, 10_000),
                        long(5_000, 5_000, 50_000),
                    ]
                }
            }
            Self::SchedulingPodAntiAffinity => {
                const {
                    &[
                        short(5, 1, 4),
                        short(500, 100, 400),
                        short(5_000, 1_000, 1_000),
                        long(5_000, 1_000, 2_000),
                    ]
                }
            }
            Self::SchedulingPodAffinity
            | Self::SchedulingPreferredPodAffinity
            | Self::SchedulingPreferredPodAntiAffinity
            | Self::SchedulingCSIPVs => {
                const {
                    &[
                        short(5, 5, 10),
                        short(500, 500, 1_000),
                        short(5_000, 5_000, 1_000),
                        long(5_000, 5_000, 5_000),
                    ]
                }
            }
            Self::SchedulingNodeAffinity => {
                const {
                    &[
                        short(5, 5, 10),
                        short(500, 500, 1_000),
                        short(5_000, 5_000, 1_000),
                        long(5_000, 5_000, 10_000),
                    ]
                }
            }
            Self::TopologySpreading | Self::PreferredTopologySpreading => {
                const {
                    &[
                        short(5, 10, 10),
                        short(500, 1_000, 1_000),
                        short(5_000, 5_000, 2_000),
                        long(5_000, 5_000, 5_000),
                    ]
                }
            }
            Self::DefaultTopologySpreading => {
                const {
                    &[
                        short(5, 10, 10),
                        short(500, 1_000, 1_000),
                        long(5_000, 5_000, 10_000),
                        long(5_000, 5_000, 50_000),
                    ]
                }
            }
            Self::MixedSchedulingBasePod => {
                const {
                    &[
                        short(5, 10, 10),
                        short(500, 1_000, 1_000),
                        short(5_000, 10_000, 1_000),
                        long(5_000, 10_000, 5_000),
                    ]
                }
            }
            Self::Unschedulable => {
                const {
                    &[
                        long(5, 1, 10),
                        long(500, 10, 1_000),
                        long(5_000, 100, 1_000),
                        long(5_000, 100, 10_000),
                    ]
                }
            }
            Self::PreemptionBasic => const { &[short(5, 20, 5), short(1_000, 4_000, 1_000)] },
            Self::SchedulingDaemonset => const { &[short(5, 0, 10), short(15_000, 0, 30_000)] },
            Self::SchedulingInTreePVs => {
                const {
                    &[
                        short(5, 5, 10),
                        short(500, 500, 1_000),
                        short(5_000, 5_000, 1_000),
                        long(5_000, 1_000, 2_000),
                    ]
                }
            }
            Self::SchedulingWhileGated => const { &[short(1, 10, 10), short(1, 10_000, 20_000)] },
            Self::Heterogeneous | Self::Production => const { &[] },
        }
    }

    /// First and measured pods of so many nodes, in the proportion of `scheduler_perf`'s largest run.
    const fn in_proportion(self, nodes: u32) -> (u32, u32) {
        match self {
            Self::SchedulingBasic | Self::DefaultTopologySpreading => (nodes, 10 * nodes),
            Self::SchedulingPodAntiAffinity | Self::SchedulingInTreePVs => {
                (nodes / 5, nodes.div_ceil(5) * 2)
            }
            Self::SchedulingPodAffinity
            | Self::SchedulingPreferredPodAffinity
            | Self::SchedulingPreferredPodAntiAffinity
            | Self::TopologySpreading
            | Self::PreferredTopologySpreading
            | Self::SchedulingCSIPVs => (nodes, nodes),
            Self::SchedulingNodeAffinity => (nodes, 2 * nodes),
            Self::MixedSchedulingBasePod => (2 * nodes, nodes),
            Self::Unschedulable => (nodes.div_ceil(50), 2 * nodes),
            Self::PreemptionBasic => (4 * nodes, nodes),
            Self::SchedulingDaemonset => (0, if nodes > 45_000 { 90_000 } else { 2 * nodes }),
            Self::SchedulingWhileGated => (10_000, 20_000),
            Self::Heterogeneous => (2 * nodes, nodes.div_ceil(5) * 3),
            Self::Production => (5 * nodes, if nodes > 50_000 { MAX_PODS } else { 20 * nodes }),
        }
    }

    /// First pods of so many nodes: as many as upstream's run of these measured pods has, or in proportion.
    fn first_of(self, nodes: u32, measured: u32) -> u32 {
        let known = self.upstream().iter().find(|up| (up.nodes, up.measured) == (nodes, measured));
        known.map_or_else(|| self.in_proportion(nodes).0, |up| up.first)
    }

    /// First and measured pods of so many nodes when the size does not say more.
    fn pods_of(self, nodes: u32) -> (u32, u32) {
        let known = self.upstream().iter().find(|up| up.nodes == nodes && !up.in_name);
        known.map_or_else(|| self.in_proportion(nodes), |up| (up.first, up.measured))
    }

    /// The sizes that are listed, smallest first: upstream's, and 500 to 100,000 nodes where it can have so many.
    pub fn sizes(self) -> Vec<Workload> {
        let mut sizes: Vec<Size> =
            (self.upstream().iter()).map(|up| self.size(up.nodes, up.measured)).collect();
        for nodes in LISTED_NODES {
            let size = self.size(nodes, self.in_proportion(nodes).1);
            let is_there = |it: &Size| it.nodes == nodes && it.measured >= size.measured;
            if self.check(size).is_ok() && !sizes.iter().any(is_there) {
                sizes.push(size);
            }
        }
        sizes.sort_unstable();
        sizes.into_iter().map(|size| Workload { shape: self, size }).collect()
    }

    fn size(self, nodes: u32, measured: u32) -> Size {
        let applications = if self == Self::Production { APPLICATIONS } else { 0 };
        Size { nodes, measured, first: self.first_of(nodes, measured), applications }
    }

    /// Whether the nodes can take all of the pods.
    fn check(self, size: Size) -> Result<(), SizeProblem> {
        let Size { nodes, first, measured, applications } = size;
        let within = |what, count, most: u64| {
            let fits = u64::from(count) <= most;
            if fits { Ok(()) } else { Err(SizeProblem::TooMany { what, count, most }) }
        };
        let at_least_one = |what, count| {
            if count == 0 { Err(SizeProblem::None { what }) } else { Ok(()) }
        };
        at_least_one(Unit::Nodes, nodes)?;
        at_least_one(Unit::Pods, measured)?;
        within(Unit::Nodes, nodes, u64::from(MAX_NODES))?;
        within(Unit::Init, first, u64::from(MAX_PODS))?;
        within(Unit::Pods, measured, u64::from(MAX_PODS))?;
        let a_node = |pods: u32| u64::from(nodes) * u64::from(pods);
        let left = |most: u64| most.saturating_sub(u64::from(first));
        match self {
            Self::SchedulingBasic
            | Self::SchedulingPodAffinity
            | Self::SchedulingPreferredPodAffinity
            | Self::SchedulingPreferredPodAntiAffinity
            | Self::SchedulingNodeAffinity
            | Self::TopologySpreading
            | Self::PreferredTopologySpreading
            | Self::SchedulingInTreePVs
            | Self::Unschedulable => {
                within(Unit::Init, first, a_node(PLAIN_PODS_A_NODE))?;
                within(Unit::Pods, measured, left(a_node(PLAIN_PODS_A_NODE)))
            }
            Self::SchedulingPodAntiAffinity => {
                within(Unit::Init, first, a_node(1))?;
                within(Unit::Pods, measured, left(a_node(1)))
            }
            Self::DefaultTopologySpreading => {
                within(Unit::Init, first, a_node(PLAIN_PODS_A_NODE))?;
                within(Unit::Pods, measured, left(a_node(PODS_A_NODE)))
            }
            Self::MixedSchedulingBasePod => {
                // A fifth of the first pods stand one on a node.
                within(Unit::Init, first, a_node(5))?;
                within(Unit::Pods, measured, left(a_node(PLAIN_PODS_A_NODE)))
            }
            Self::PreemptionBasic => {
                within(Unit::Init, first, a_node(4))?;
                within(Unit::Pods, measured, a_node(1))
            }
            Self::SchedulingCSIPVs => {
                within(Unit::Init, first, a_node(VOLUMES_A_NODE))?;
                within(Unit::Pods, measured, left(a_node(VOLUMES_A_NODE)))
            }
            Self::SchedulingDaemonset => {
                within(Unit::Init, first, 0)?;
                within(Unit::Pods, measured, u64::from(ONE_NODE_PODS))
            }
            Self::SchedulingWhileGated => {
                within(Unit::Nodes, nodes, 1)?;
                within(Unit::Pods, measured, u64::from(ONE_NODE_PODS))
            }
            Self::Heterogeneous => {
                // Requests are 600m and 2 GiB in the mean, the smallest pool's nodes 8 CPUs.
                within(Unit::Init, first, a_node(10))?;
                within(Unit::Pods, measured, left(a_node(10)))
            }
            Self::Production => {
                at_least_one(Unit::Templates, applications)?;
                within(Unit::Templates, applications, u64::from(MAX_APPLICATIONS))?;
                // Each application has a first pod, for others to be near to.
                within(Unit::Templates, applications, u64::from(first))?;
                within(Unit::Init, first, a_node(30))?;
                within(Unit::Pods, measured, left(a_node(30)))
            }
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Nodes. `SchedulingDaemonset` has one more, the one that its pods are for.
    pub nodes: u32,
    /// Pods that are measured.
    pub measured: u32,
    /// Pods that stand before anything is measured; with `SchedulingWhileGated`, that wait gated.
    pub first: u32,
    /// Applications of `Production`; 0 with the others.
    pub applications: u32,
}

/// A workload: what it is made of, and how much of it.
///
/// Its text is `NAME/SIZE`, and `SIZE` is made of counts joined by `_` or `/`: `500Nodes`, `5000Nodes_50000Pods`,
/// `5kNodes/100Init/10kPods` (`k` is a thousand). Of what is not said there is as much as `scheduler_perf` has at these
/// nodes, or in proportion. `GatedPods` is another word for `Init`, and `Production` takes a number of `Templates`.
///
/// ```
/// use bayplan_workloads::Workload;
///
/// let workload: Workload = "SchedulingBasic/5000Nodes_50000Pods".parse()?;
/// assert_eq!((workload.size.nodes, workload.size.first, workload.size.measured), (5_000, 5_000, 50_000));
/// assert_eq!(workload.to_string(), "SchedulingBasic/5000Nodes_50000Pods");
/// # Ok::<(), bayplan_workloads::WorkloadError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// Which nodes and pods.
    pub shape: Shape,
    /// How many.
    pub size: Size,
}

impl Workload {
    /// All workloads at all sizes that are listed, smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        Shape::ALL.iter().flat_map(|shape| shape.sizes())
    }

    /// The part of the name after the slash.
    pub fn size_name(&self) -> String {
        let Self { shape, size } = *self;
        let plain = shape.size(size.nodes, size.measured);
        let nodes = format!("{}{}", size.nodes, if size.nodes == 1 { "Node" } else { "Nodes" });
        let mut parts = vec![nodes];
        if shape == Shape::SchedulingWhileGated {
            parts.push(format!("{}GatedPods", size.first));
            if (size.first, size.measured) != gated_of(size.first) {
                parts.push(format!("{}Pods", size.measured));
            }
            return parts.join("_");
        }
        let is_short = (shape.upstream().iter())
            .any(|up| !up.in_name && (up.nodes, up.measured) == (size.nodes, size.measured));
        if size.first != plain.first {
            parts.push(format!("{}Init", size.first));
        }
        if !is_short || size.first != plain.first {
            parts.push(format!("{}Pods", size.measured));
        }
        if size.applications != plain.applications {
            parts.push(format!("{}Templates", size.applications));
        }
        parts.join("_")
    }
}

/// `SchedulingWhileGated`'s pods beside so many gated ones, as upstream has them.
const fn gated_of(gated: u32) -> (u32, u32) {
    (gated, if gated == 10 { 10 } else { 20_000 })
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shape, self.size_name())
    }
}

/// What a size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nodes.
    Nodes,
    /// Pods that stand before.
    Init,
    /// Pods that are measured.
    Pods,
    /// Applications, each with a template of its own.
    Templates,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nodes => "nodes",
            Self::Init => "first pods",
            Self::Pods => "measured pods",
            Self::Templates => "templates",
        })
    }
}

/// Why a text names no workload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// There is no workload of this name.
    #[error("no workload {name:?}")]
    UnknownName {
        /// What stood before the slash.
        name: String,
    },
    /// The size cannot be.
    #[error("workload {name} has no size {size:?}: {problem}")]
    Size {
        /// The workload.
        name: &'static str,
        /// What stood after the slash.
        size: String,
        /// Why.
        problem: SizeProblem,
    },
}

/// Why a workload cannot have a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeProblem {
    /// A part is not a number and a word.
    #[error("{part:?} is not a count such as 500Nodes, 100Init, 10kPods or 400Templates")]
    Part {
        /// The part.
        part: String,
    },
    /// A count is said twice.
    #[error("the number of {what} stands there twice")]
    Twice {
        /// Which.
        what: Unit,
    },
    /// No number of nodes.
    #[error("the number of nodes is missing")]
    NoNodes,
    /// The workload has none of these.
    #[error("it has no {what}")]
    Foreign {
        /// Which.
        what: Unit,
    },
    /// There must be one at least.
    #[error("it needs {what}")]
    None {
        /// Which.
        what: Unit,
    },
    /// More than fit.
    #[error("it holds at most {most} {what}, not {count}")]
    TooMany {
        /// Which.
        what: Unit,
        /// How many were asked for.
        count: u32,
        /// How many there can be.
        most: u64,
    },
}

/// One count of a size, such as `10kPods`.
fn part(text: &str) -> Option<(Unit, u32)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, word) = text.split_at_checked(digits)?;
    let (word, factor) = word.strip_prefix('k').map_or((word, 1), |word| (word, 1_000));
    let unit = match word {
        "Node" | "Nodes" => Unit::Nodes,
        "Init" | "GatedPods" => Unit::Init,
        "Pods" => Unit::Pods,
        "Templates" => Unit::Templates,
        _ => return None,
    };
    Some((unit, number.parse::<u32>().ok()?.checked_mul(factor)?))
}

fn size(shape: Shape, text: &str) -> Result<Size, SizeProblem> {
    let (mut nodes, mut first, mut measured, mut templates) = (None, None, None, None);
    for text in text.split(['_', '/']) {
        let Some((unit, count)) = part(text) else {
            return Err(SizeProblem::Part { part: text.to_owned() });
        };
        let slot = match unit {
            Unit::Nodes => &mut nodes,
            Unit::Init => &mut first,
            Unit::Pods => &mut measured,
            Unit::Templates if shape != Shape::Production => {
                return Err(SizeProblem::Foreign { what: unit });
            }
            Unit::Templates => &mut templates,
        };
        if slot.replace(count).is_some() {
            return Err(SizeProblem::Twice { what: unit });
        }
    }
    let nodes = nodes.ok_or(SizeProblem::NoNodes)?;
    if nodes > MAX_NODES {
        let most = u64::from(MAX_NODES);
        return Err(SizeProblem::TooMany { what: Unit::Nodes, count: nodes, most });
    }
    let usual = match (shape, first, measured) {
        (Shape::SchedulingWhileGated, Some(gated), _) => gated_of(gated),
        (_, _, Some(measured)) => (shape.first_of(nodes, measured), measured),
        _ => shape.pods_of(nodes),
    };
    let plain = shape.size(nodes, measured.unwrap_or(usual.1));
    let size = Size {
        first: first.unwrap_or(usual.0),
        applications: templates.unwrap_or(plain.applications),
        ..plain
    };
    shape.check(size).map(|()| size)
}

impl FromStr for Workload {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, WorkloadError> {
        let (name, size_text) = text.split_once('/').unwrap_or((text, ""));
        let Some(&shape) = Shape::ALL.iter().find(|shape| shape.name() == name) else {
            return Err(WorkloadError::UnknownName { name: name.to_owned() });
        };
        let size = size(shape, size_text).map_err(|problem| WorkloadError::Size {
            name: shape.name(),
            size: size_text.to_owned(),
            problem,
        })?;
        Ok(Self { shape, size })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PODS, Shape, Size, SizeProblem, Unit, Workload, WorkloadError};

    fn counts(text: &str) -> (u32, u32, u32) {
        let Size { nodes, first, measured, .. } = text.parse::<Workload>().unwrap().size;
        (nodes, first, measured)
    }

    #[test]
    fn upstream_names_have_upstreams_counts() {
        assert_eq!(counts("SchedulingBasic/500Nodes"), (500, 500, 1_000));
        assert_eq!(counts("SchedulingBasic/5000Nodes"), (5_000, 1_000, 1_000));
        assert_eq!(counts("SchedulingBasic/5000Nodes_10000Pods"), (5_000, 1_000, 10_000));
        assert_eq!(counts("SchedulingBasic/5000Nodes_50000Pods"), (5_000, 5_000, 50_000));
        assert_eq!(counts("SchedulingPodAntiAffinity/5000Nodes_2000Pods"), (5_000, 1_000, 2_000));
        assert_eq!(counts("TopologySpreading/5000Nodes_5000Pods"), (5_000, 5_000, 5_000));
        assert_eq!(counts("MixedSchedulingBasePod/5000Nodes_5000Pods"), (5_000, 10_000, 5_000));
        assert_eq!(counts("Unschedulable/5kNodes/100Init/10kPods"), (5_000, 100, 10_000));
        assert_eq!(counts("Unschedulable/5kNodes/20kInit/10kPods"), (5_000, 20_000, 10_000));
        assert_eq!(counts("PreemptionBasic/1000Nodes"), (1_000, 4_000, 1_000));
        assert_eq!(counts("SchedulingDaemonset/15000Nodes"), (15_000, 0, 30_000));
        assert_eq!(counts("SchedulingWhileGated/1Node_10GatedPods"), (1, 10, 10));
        assert_eq!(counts("SchedulingWhileGated/1Node_10000GatedPods"), (1, 10_000, 20_000));
    }

    #[test]
    fn other_sizes_are_in_proportion() {
        assert_eq!(counts("SchedulingBasic/100000Nodes"), (100_000, 100_000, MAX_PODS));
        assert_eq!(counts("SchedulingBasic/100Nodes_7Pods"), (100, 100, 7));
        assert_eq!(counts("SchedulingBasic/100Nodes_0Init_7Pods"), (100, 0, 7));
        assert_eq!(counts("Heterogeneous/5000Nodes"), (5_000, 10_000, 3_000));
        assert_eq!(counts("Production/5000Nodes"), (5_000, 25_000, 100_000));
        assert_eq!(counts("Production/100000Nodes"), (100_000, 500_000, MAX_PODS));
    }

    #[test]
    fn a_name_says_the_same_workload_again() {
        for workload in Workload::all() {
            assert_eq!(workload.to_string().parse(), Ok(workload), "{workload}");
        }
        for text in [
            "SchedulingBasic/100Nodes_0Init_7Pods",
            "SchedulingBasic/500Nodes_7Init_1000Pods",
            "Unschedulable/5000Nodes_20000Init_10000Pods",
            "Production/500Nodes_10000Pods_1000Templates",
            "SchedulingWhileGated/1Node_10000GatedPods_80000Pods",
        ] {
            assert_eq!(text.parse::<Workload>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn every_shape_lists_what_it_can_hold() {
        for &shape in Shape::ALL {
            let sizes = shape.sizes();
            let nodes: Vec<u32> = sizes.iter().map(|workload| workload.size.nodes).collect();
            assert!(nodes.is_sorted(), "{shape}: {nodes:?}");
            if shape == Shape::SchedulingWhileGated {
                assert_eq!(nodes, [1, 1]);
                continue;
            }
            for wanted in [500, 1_000, 5_000, 20_000, 100_000] {
                assert!(nodes.contains(&wanted), "{shape}: {nodes:?}");
            }
        }
        let most = Workload::all().map(|workload| workload.size.measured).max();
        assert_eq!(most, Some(MAX_PODS));
    }

    #[test]
    fn says_why_there_is_no_such_workload() {
        let problem = |text: &str| match text.parse::<Workload>() {
            Err(WorkloadError::Size { problem, .. }) => problem,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(
            "Basic/5Nodes".parse::<Workload>(),
            Err(WorkloadError::UnknownName { name: "Basic".to_owned() })
        );
        for part in ["", "5Nodes_", "Nodes", "5nodes", "5Nodes_5", "99999999999Nodes", "-1Nodes"] {
            assert!(
                matches!(problem(&format!("SchedulingBasic/{part}")), SizeProblem::Part { .. }),
                "{part}"
            );
        }
        assert_eq!(problem("SchedulingBasic/5Pods"), SizeProblem::NoNodes);
        assert_eq!(
            problem("SchedulingBasic/5Nodes_5Nodes"),
            SizeProblem::Twice { what: Unit::Nodes }
        );
        assert_eq!(
            problem("SchedulingBasic/5Nodes_5Templates"),
            SizeProblem::Foreign { what: Unit::Templates }
        );
        assert_eq!(problem("SchedulingBasic/0Nodes"), SizeProblem::None { what: Unit::Nodes });
        assert_eq!(problem("SchedulingBasic/5Nodes_0Pods"), SizeProblem::None { what: Unit::Pods });
        let too_many = |what, count, most| SizeProblem::TooMany { what, count, most };
        for (text, what, count, most) in [
            ("SchedulingBasic/100001Nodes", Unit::Nodes, 100_001, 100_000),
            ("SchedulingBasic/4294967295Nodes", Unit::Nodes, u32::MAX, 100_000),
            ("SchedulingBasic/100000Nodes_1000001Pods", Unit::Pods, 1_000_001, 1_000_000),
            ("SchedulingBasic/10Nodes_391Pods", Unit::Pods, 391, 390),
            ("SchedulingPodAntiAffinity/500Nodes_401Pods", Unit::Pods, 401, 400),
            ("SchedulingPodAntiAffinity/500Nodes_501Init", Unit::Init, 501, 500),
            ("SchedulingCSIPVs/10Nodes_0Init_391Pods", Unit::Pods, 391, 390),
            ("SchedulingDaemonset/10Nodes_90001Pods", Unit::Pods, 90_001, 90_000),
            ("SchedulingWhileGated/2Nodes", Unit::Nodes, 2, 1),
            ("PreemptionBasic/10Nodes_11Pods", Unit::Pods, 11, 10),
            ("Production/500Nodes_2501Templates", Unit::Templates, 2_501, 2_500),
        ] {
            assert_eq!(problem(text), too_many(what, count, most), "{text}");
        }
    }
}
