//! `PodTopologySpread`: are the pods that belong together spread over the topology domains?
//!
//! | extension point | what it does |
//! |---|---|
//! | PreFilter | counts matching pods by domain for the constraints `DoNotSchedule` |
//! | Filter | rejects nodes without the keys, and nodes whose domain would exceed `maxSkew` |
//! | PreScore | counts matching pods by domain for the constraints `ScheduleAnyway`, the pod's own or the defaults |
//! | Score | Σ count · ln(domains + 2) + maxSkew − 1, rounded; the fewer the better |
//!
//! Follows `pkg/scheduler/framework/plugins/podtopologyspread` of v1.34 and `helper/spread.go`.

mod constraint;
mod filtering;
mod scoring;

use std::sync::Arc;

use bayplan_api::{TopologySpreadConstraint, UnsatisfiableConstraintAction};

use crate::cluster::{Cluster, PodInfo};
use crate::config::{PodTopologySpreadArgs, PodTopologySpreadConstraintsDefaulting};
use crate::framework::{FilterPlugin, Plugin, PreFilter, PreScore, ScorePlugin, Status};
use constraint::Constraint;

/// The plugin.
#[derive(Debug)]
pub struct PodTopologySpread {
    default_constraints: Vec<TopologySpreadConstraint>,
    system_defaulted: bool,
}

/// Its name.
pub const NAME: &str = "PodTopologySpread";
const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

impl PodTopologySpread {
    /// The plugin with its arguments.
    pub fn new(args: PodTopologySpreadArgs) -> Self {
        match args.defaulting_type {
            PodTopologySpreadConstraintsDefaulting::System => Self {
                default_constraints: vec![soft(HOSTNAME, 3), soft(ZONE, 5)],
                system_defaulted: true,
            },
            PodTopologySpreadConstraintsDefaulting::List => {
                Self { default_constraints: args.default_constraints, system_defaulted: false }
            }
        }
    }

    /// The constraints that hold for the pod: its own if it has any, else the defaults if something selects it.
    fn constraints(
        &self,
        pod: &PodInfo,
        cluster: &Cluster,
        action: UnsatisfiableConstraintAction,
    ) -> Vec<Constraint> {
        let own = &pod.pod.spec.topology_spread_constraints;
        let of_action = |constraints: &[TopologySpreadConstraint]| -> Vec<Constraint> {
            constraints
                .iter()
                .filter(|constraint| constraint.when_unsatisfiable == action)
                .map(|constraint| Constraint::new(constraint, pod))
                .collect()
        };
        if !own.is_empty() {
            return of_action(own);
        }
        let mut constraints = of_action(&self.default_constraints);
        if constraints.is_empty() {
            return constraints;
        }
        let selector = constraint::default_selector(pod, cluster);
        if selector.is_empty() {
            return Vec::new();
        }
        for constraint in &mut constraints {
            constraint.select(selector.clone(), pod);
        }
        constraints
    }
}

/// One of kube-scheduler's own default constraints.
fn soft(topology_key: &str, max_skew: i32) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew,
        topology_key: topology_key.into(),
        when_unsatisfiable: UnsatisfiableConstraintAction::ScheduleAnyway,
        label_selector: None,
        min_domains: None,
        node_affinity_policy: None,
        node_taints_policy: None,
        match_label_keys: Vec::new(),
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn FilterPlugin> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn ScorePlugin> {
        Some(self)
    }
}

impl FilterPlugin for PodTopologySpread {
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status> {
        let hard = UnsatisfiableConstraintAction::DoNotSchedule;
        let constraints = self.constraints(pod, cluster, hard);
        if constraints.is_empty() {
            return Ok(PreFilter::Skip);
        }
        Ok(PreFilter::run(filtering::SpreadFilter::new(constraints, pod, cluster)))
    }
}

impl ScorePlugin for PodTopologySpread {
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        let soft = UnsatisfiableConstraintAction::ScheduleAnyway;
        let constraints = self.constraints(pod, cluster, soft);
        if constraints.is_empty() {
            return Ok(PreScore::Skip);
        }
        let own = !pod.pod.spec.topology_spread_constraints.is_empty();
        let require_all = own || !self.system_defaulted;
        Ok(PreScore::run(scoring::SpreadScore::new(constraints, pod, cluster, require_all)))
    }

    fn without_pre_score(
        &self,
        _pod: &Arc<PodInfo>,
        _cluster: &Cluster,
    ) -> Result<PreScore, String> {
        Err(format!("error reading \"PreScore{NAME}\" from cycleState: not found"))
    }
}
