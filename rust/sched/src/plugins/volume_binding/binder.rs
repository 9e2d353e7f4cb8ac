//! The binder: which volume for which claim, for many nodes at once.
//!
//! kube-scheduler walks through claims and volumes node by node; here the sets of nodes walk through them, which comes to
//! the same and costs a few words a volume.
//!
//! Follows `binder.go` in `pkg/scheduler/framework/plugins/volumebinding` of v1.34 and `FindMatchingVolume` in
//! `k8s.io/component-helpers/storage/volume` v0.34.

use bayplan_api::{Quantity, VolumeSource};

use crate::cluster::{Claim, Cluster, PodInfo, Storage, StorageChange, claim_name};
use crate::go_sort::sort_slice;
use crate::index_vec::{ClaimIdx, NodeIdx, VolumeIdx};
use crate::node_set::NodeSet;

const NOT_SUPPORTED_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A pod's claims.
#[derive(Debug)]
pub(super) struct PodVolumeClaims {
    bound: Vec<ClaimIdx>,
    /// Unbound, of a class that waits for a pod.
    delayed: Vec<ClaimIdx>,
    /// Whether there are others, which somebody else has to bind first.
    pub(super) unbound_immediate: bool,
}

/// What was found for a pod on some nodes.
#[derive(Debug, Clone)]
pub(super) struct PodVolumes {
    /// Nodes that do not reach a bound volume.
    pub(super) node_conflict: NodeSet,
    /// Nodes where a claim finds no volume, and none can be made.
    pub(super) bind_conflict: NodeSet,
    /// Nodes without the space to make one.
    pub(super) not_enough_space: NodeSet,
    /// Nodes that a claim keeps off whose volume does not exist.
    pub(super) missing_volume: NodeSet,
    /// Nodes on which kube-scheduler fails, and how.
    pub(super) errors: Vec<(NodeSet, String)>,
    /// Which volume a claim would get on which nodes.
    bindings: Vec<(ClaimIdx, VolumeIdx, NodeSet)>,
    /// For which claims a volume would be made on which nodes.
    provisions: Vec<(ClaimIdx, NodeSet)>,
}

impl PodVolumeClaims {
    /// `podHasPVCs` and `GetPodVolumeClaims`: sorts the pod's claims.
    ///
    /// # Errors
    /// The reason when a claim cannot be used.
    pub(super) fn new(pod: &PodInfo, storage: &Storage) -> Result<Self, String> {
        let pod = &pod.pod;
        let mut claims = Vec::new();
        for volume in &pod.spec.volumes {
            let Some(name) = claim_name(pod, volume) else { continue };
            let ephemeral = matches!(volume.source, VolumeSource::Ephemeral { .. });
            let name_text = name.as_str();
            let Some(index) = storage.find_claim(&pod.metadata.namespace, &name) else {
                return Err(if ephemeral {
                    format!(
                        "waiting for ephemeral volume controller to create the persistentvolumeclaim {name_text:?}"
                    )
                } else {
                    format!("persistentvolumeclaim {name_text:?} not found")
                });
            };
            let claim = storage.claim(index);
            if claim.object.phase == "Lost" {
                return Err(format!(
                    "persistentvolumeclaim {name_text:?} bound to non-existent persistentvolume {:?}",
                    claim.object.spec.volume_name.as_str()
                ));
            }
            if claim.object.metadata.deletion_timestamp.is_some() {
                return Err(format!("persistentvolumeclaim {name_text:?} is being deleted"));
            }
            if ephemeral {
                claim.is_for_pod(pod)?;
            }
            claims.push(index);
        }
        let mut sorted = Self { bound: Vec::new(), delayed: Vec::new(), unbound_immediate: false };
        for index in claims {
            let claim = storage.claim(index);
            let waits =
                storage.class(claim.class_name()).is_some_and(|class| class.waits_for_consumer);
            if claim.is_fully_bound() {
                sorted.bound.push(index);
            } else if waits && claim.object.spec.volume_name.is_empty() {
                sorted.delayed.push(index);
            } else {
                sorted.unbound_immediate = true;
            }
        }
        Ok(sorted)
    }

    /// `FindPodVolumes` for each of the nodes.
    pub(super) fn find(&self, cluster: &Cluster, nodes: &NodeSet) -> PodVolumes {
        let empty = NodeSet::empty(nodes.universe());
        let mut found = PodVolumes {
            node_conflict: empty.clone(),
            bind_conflict: empty.clone(),
            not_enough_space: empty.clone(),
            missing_volume: empty,
            errors: Vec::new(),
            bindings: Vec::new(),
            provisions: Vec::new(),
        };
        found.check_bound_claims(cluster, nodes.clone(), &self.bound);
        let mut open = nodes.clone();
        for (failed, _) in &found.errors {
            open.subtract(failed);
        }
        found.find_unbound(cluster, open, &self.delayed);
        found
    }
}

impl PodVolumes {
    /// `checkBoundClaims`: the first claim whose volume is not to be had decides.
    fn check_bound_claims(&mut self, cluster: &Cluster, mut open: NodeSet, claims: &[ClaimIdx]) {
        let storage = cluster.storage();
        for &claim in claims {
            let name = &storage.claim(claim).object.spec.volume_name;
            let Some(volume) = storage.find_volume(name) else {
                self.missing_volume.union(&open);
                return;
            };
            let migrated = storage.volume(volume).migrated_plugin().map(|plugin| {
                NodeSet::from_fn(open.universe(), |node| {
                    let csi_node = storage.csi_node(cluster.nodes().name(node));
                    open.contains(node) && csi_node.is_some_and(|node| node.has_migrated(plugin))
                })
            });
            let mut reached = open.clone();
            if let Some(nodes) = storage.nodes_of_volume(volume, cluster.nodes()) {
                reached.intersect(nodes);
            }
            if let Some(mut migrated) = migrated.filter(|migrated| !migrated.is_empty()) {
                reached.subtract(&migrated);
                match storage.nodes_of_translated(volume, cluster.nodes()) {
                    Ok(nodes) => {
                        if let Some(nodes) = nodes {
                            migrated.intersect(nodes);
                        }
                        reached.union(&migrated);
                    }
                    Err(error) => {
                        open.subtract(&migrated);
                        self.errors.push((migrated, error));
                    }
                }
            }
            open.subtract(&reached);
            self.node_conflict.union(&open);
            open = reached;
        }
    }

    /// Claims that are not bound: a volume to bind, or one to be made.
    fn find_unbound(&mut self, cluster: &Cluster, mut open: NodeSet, claims: &[ClaimIdx]) {
        let storage = cluster.storage();
        let (selected, to_match): (Vec<ClaimIdx>, Vec<ClaimIdx>) =
            claims.iter().partition(|&&claim| storage.claim(claim).selected_node.is_some());
        for &claim in &selected {
            let node = storage.claim(claim).selected_node.as_ref();
            let node = node.and_then(|name| cluster.nodes().labels.find_node(name));
            let mut only = NodeSet::empty(open.universe());
            if let Some(node) = node {
                only.insert(node);
            }
            let mut elsewhere = open.clone();
            elsewhere.subtract(&only);
            self.bind_conflict.union(&elsewhere);
            open.intersect(&only);
        }
        let mut to_provision: Vec<(ClaimIdx, NodeSet)> =
            selected.into_iter().map(|claim| (claim, open.clone())).collect();
        let mut to_match: Vec<(Quantity, ClaimIdx)> =
            to_match.into_iter().map(|claim| (storage.claim(claim).requested(), claim)).collect();
        sort_slice(&mut to_match, |(a, _), (b, _)| a < b);
        for (_, claim) in to_match {
            let unmatched = self.find_matching(cluster, claim, open.clone());
            if !unmatched.is_empty() {
                to_provision.push((claim, unmatched));
            }
        }
        self.check_provisions(cluster, open, to_provision);
    }

    /// `FindMatchingVolume` on each of the nodes; gives back those where there is none.
    ///
    /// Of equally large volumes kube-scheduler takes any; here it is the first in the order in which they were read.
    fn find_matching(&mut self, cluster: &Cluster, index: ClaimIdx, mut open: NodeSet) -> NodeSet {
        let storage = cluster.storage();
        let claim = storage.claim(index);
        let mut unmatched = NodeSet::empty(open.universe());
        let (prebound, available) = candidates(storage, claim);
        for volume in prebound {
            // A volume kept for the claim decides, whether the node reaches it or not.
            let mut here = open.clone();
            self.exclude_chosen(volume, &mut here);
            open.subtract(&here);
            let mut reached = here.clone();
            if let Some(nodes) = storage.nodes_of_volume(volume, cluster.nodes()) {
                reached.intersect(nodes);
            }
            here.subtract(&reached);
            unmatched.union(&here);
            self.bind(index, volume, reached);
        }
        for volume in available {
            if open.is_empty() {
                break;
            }
            let mut here = open.clone();
            self.exclude_chosen(volume, &mut here);
            if let Some(nodes) = storage.nodes_of_volume(volume, cluster.nodes()) {
                here.intersect(nodes);
            }
            open.subtract(&here);
            self.bind(index, volume, here);
        }
        unmatched.union(&open);
        unmatched
    }

    fn bind(&mut self, claim: ClaimIdx, volume: VolumeIdx, nodes: NodeSet) {
        if !nodes.is_empty() {
            self.bindings.push((claim, volume, nodes));
        }
    }

    /// Takes out the nodes on which another claim of the pod gets the volume.
    fn exclude_chosen(&self, volume: VolumeIdx, nodes: &mut NodeSet) {
        for (_, _, taken) in self.bindings.iter().filter(|(_, chosen, _)| *chosen == volume) {
            nodes.subtract(taken);
        }
    }

    /// `checkVolumeProvisions`: the first claim for which no volume can be made decides.
    fn check_provisions(
        &mut self,
        cluster: &Cluster,
        mut open: NodeSet,
        claims: Vec<(ClaimIdx, NodeSet)>,
    ) {
        let storage = cluster.storage();
        for (index, mut nodes) in claims {
            let claim = storage.claim(index);
            nodes.intersect(&open);
            let Some(class) = storage.class(claim.class_name()) else { continue };
            let provisioner = &class.provisioner;
            let mut allowed = nodes.clone();
            if provisioner.is_empty() || *provisioner == NOT_SUPPORTED_PROVISIONER {
                allowed = NodeSet::empty(nodes.universe());
            } else if let Some(topologies) = storage.nodes_of_class(class, cluster.nodes()) {
                allowed.intersect(topologies);
            }
            let mut conflict = nodes.clone();
            conflict.subtract(&allowed);
            self.bind_conflict.union(&conflict);
            let mut sufficient = allowed.clone();
            if let Some(space) = storage.nodes_with_capacity(claim, cluster.nodes()) {
                sufficient.intersect(&space);
            }
            allowed.subtract(&sufficient);
            self.not_enough_space.union(&allowed);
            nodes.subtract(&sufficient);
            open.subtract(&nodes);
            self.provisions.push((index, sufficient));
        }
    }

    /// `AssumePodVolumes`: what is to be changed so that later pods see what was found for the node.
    pub(super) fn assume(&self, cluster: &Cluster, node: NodeIdx) -> Vec<StorageChange> {
        let storage = cluster.storage();
        let bindings = self.bindings.iter().filter(|(_, _, nodes)| nodes.contains(node));
        let bindings = bindings.filter_map(|(claim, volume, _)| {
            let reference = storage.claim(*claim).reference();
            let claim_ref = storage.volume(*volume).claim_ref.as_ref();
            let bound = claim_ref.is_some_and(|claim_ref| {
                claim_ref.name == reference.name
                    && claim_ref.namespace == reference.namespace
                    && claim_ref.uid == reference.uid
            });
            (!bound)
                .then_some(StorageChange::ClaimRef { volume: *volume, claim_ref: Some(reference) })
        });
        let name = cluster.nodes().name(node);
        let provisions = self.provisions.iter().filter(|(claim, nodes)| {
            nodes.contains(node) && storage.claim(*claim).selected_node.as_ref() != Some(name)
        });
        let provisions = provisions
            .map(|&(claim, _)| StorageChange::SelectedNode { claim, node: Some(name.clone()) });
        bindings.chain(provisions).collect()
    }
}

/// The volumes that come into question for the claim, but for the nodes that reach them: those kept for it, and those
/// that are free, the smallest first.
fn candidates(storage: &Storage, claim: &Claim) -> (Vec<VolumeIdx>, Vec<VolumeIdx>) {
    let spec = &claim.object.spec;
    let requested = claim.requested();
    let attributes_class = spec.volume_attributes_class_name.as_deref().unwrap_or_default();
    let mut prebound = Vec::new();
    let mut available: Vec<(Quantity, VolumeIdx)> = Vec::new();
    for &index in storage.volumes_of_class(claim.class_name()) {
        let row = storage.volume(index);
        let (volume, metadata) = (&row.object.spec, &row.object.metadata);
        let bound_to_claim = row.is_bound_to(claim);
        if row.claim_ref.is_some() && !bound_to_claim {
            continue;
        }
        let capacity = row.capacity();
        if capacity < requested
            || volume.volume_mode != spec.volume_mode
            || volume.volume_attributes_class_name.as_deref().unwrap_or_default()
                != attributes_class
            || metadata.deletion_timestamp.is_some()
        {
            continue;
        }
        if bound_to_claim {
            prebound.push(index);
        } else if row.object.phase == "Available"
            && spec.selector.as_ref().is_none_or(|selector| selector.matches(&metadata.labels))
            && spec.access_modes.iter().all(|mode| volume.access_modes.contains(mode))
        {
            available.push((capacity, index));
        }
    }
    available.sort_by(|(a, _), (b, _)| a.cmp(b));
    (prebound, available.into_iter().map(|(_, index)| index).collect())
}
