//! How many nodes are looked at, and in which order.
//!
//! Follows `numFeasibleNodesToFind` in `schedule_one.go`, `backend/cache/node_tree.go`, `GetZoneKey` in
//! `k8s.io/component-helpers/node/topology/helpers.go` and `calculateNumCandidates` in
//! `plugins/defaultpreemption/default_preemption.go` of v1.34.

use bayplan_api::Node;

use super::NodeInfo;

/// What says how many nodes are enough; without it all are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSampling {
    /// `percentageOfNodesToScore`, 0 to 100; 0 adapts it to the cluster.
    pub percentage_of_nodes_to_score: i32,
    /// `DefaultPreemptionArgs.minCandidateNodesPercentage`, 0 to 100.
    pub min_candidate_nodes_percentage: i32,
    /// `DefaultPreemptionArgs.minCandidateNodesAbsolute`.
    pub min_candidate_nodes_absolute: i32,
}

impl ModelSampling {
    /// `numFeasibleNodesToFind`.
    pub(super) fn feasible_nodes_to_find(self, all: usize) -> usize {
        if all < 100 {
            return all;
        }
        let count = i64::try_from(all).unwrap_or(i64::MAX);
        let mut percentage = i64::from(self.percentage_of_nodes_to_score);
        if percentage == 0 {
            percentage = 50 - count / 125;
            if percentage < 5 {
                percentage = 5;
            }
        }
        let found = count * percentage / 100;
        if found < 100 { 100 } else { usize::try_from(found).unwrap_or(all) }
    }

    /// `calculateNumCandidates`.
    pub(super) fn candidates_to_find(self, nodes: usize) -> usize {
        let count = i64::try_from(nodes).unwrap_or(i64::MAX);
        let mut wanted = count * i64::from(self.min_candidate_nodes_percentage) / 100;
        if wanted < i64::from(self.min_candidate_nodes_absolute) {
            wanted = i64::from(self.min_candidate_nodes_absolute);
        }
        usize::try_from(wanted).unwrap_or(nodes).min(nodes)
    }
}

/// `GetZoneKey`.
fn zone_key(node: &Node) -> String {
    let label = |key: &str| node.metadata.labels.get(key);
    let zone = label("failure-domain.beta.kubernetes.io/zone")
        .or_else(|| label("topology.kubernetes.io/zone"))
        .map_or("", |zone| zone.as_str());
    let region = label("failure-domain.beta.kubernetes.io/region")
        .or_else(|| label("topology.kubernetes.io/region"))
        .map_or("", |region| region.as_str());
    if region.is_empty() && zone.is_empty() {
        return String::new();
    }
    format!("{region}:\0:{zone}")
}

/// `nodeTree.list`: one node of each zone in turn. Positions in `nodes`.
pub(super) fn tree_order(nodes: &[NodeInfo<'_>]) -> Vec<usize> {
    let mut zones: Vec<(String, Vec<usize>)> = Vec::new();
    for (position, info) in nodes.iter().enumerate() {
        let key = zone_key(info.node);
        match zones.iter_mut().find(|(zone, _)| *zone == key) {
            Some((_, members)) => members.push(position),
            None => zones.push((key, vec![position])),
        }
    }
    let mut list = Vec::new();
    let mut index = 0;
    while list.len() < nodes.len() {
        for (_, members) in &zones {
            list.extend(members.get(index));
        }
        index += 1;
    }
    list
}
