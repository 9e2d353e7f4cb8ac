//! `VolumeBinding`: do the pod's volumes reach the node, or can they be found or made there?
//!
//! Follows `plugins/volumebinding/{volume_binding,binder}.go` of v1.34 and
//! `k8s.io/component-helpers/storage/volume/pv_helpers.go` v0.34.

use std::collections::{BTreeMap, BTreeSet};

use bayplan_api::{
    CsiStorageCapacity, Labels, Node, NodeSelector, ObjectMeta, ObjectReference, Objects,
    PersistentVolume, PersistentVolumeClaim, Pod, Quantity, StorageClass, TopologySelectorTerm,
    VolumeBindingMode,
};

use super::go_sort::sort_slice;
use super::labels::Selector;
use super::node_affinity::node_selector_matches;
use super::volumes::{
    self, check_owner, claim_name, claim_not_found, class_name_of_claim, class_name_of_volume,
    node_affinity_on,
};
use super::{Code, Failure, PreFilter, Rejection};

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// What earlier placements reserved: claims and volumes as they will be.
#[derive(Debug, Clone, Default)]
pub(super) struct Assumed {
    claims: BTreeMap<(String, String), PersistentVolumeClaim>,
    volumes: BTreeMap<String, PersistentVolume>,
}

impl Assumed {
    fn claim(
        &self,
        objects: &Objects,
        namespace: &str,
        name: &str,
    ) -> Option<PersistentVolumeClaim> {
        let assumed = self.claims.get(&(namespace.to_owned(), name.to_owned()));
        assumed.or_else(|| volumes::claim(objects, namespace, name)).cloned()
    }

    fn volume(&self, objects: &Objects, name: &str) -> Option<PersistentVolume> {
        self.volumes.get(name).or_else(|| volumes::volume(objects, name)).cloned()
    }

    fn volumes_of_class(&self, objects: &Objects, class_name: &str) -> Vec<PersistentVolume> {
        let all = objects.persistent_volumes.iter();
        all.map(|volume| self.volumes.get(volume.metadata.name.as_str()).unwrap_or(volume))
            .filter(|volume| class_name_of_volume(volume) == class_name)
            .cloned()
            .collect()
    }
}

/// The pod's claims, as `PreFilter` sorted them.
#[derive(Debug, Clone, Default)]
pub(super) struct FilterState {
    bound: Vec<PersistentVolumeClaim>,
    delayed: Vec<PersistentVolumeClaim>,
}

/// What is to be reserved when the pod is placed on a node.
#[derive(Debug, Clone, Default)]
pub(super) struct PodVolumes {
    bindings: Vec<(PersistentVolume, PersistentVolumeClaim)>,
    provisions: Vec<PersistentVolumeClaim>,
}

/// `PreFilter`.
pub(super) fn pre_filter(
    pod: &Pod,
    objects: &Objects,
    assumed: &Assumed,
) -> Result<(PreFilter, FilterState), Failure> {
    let mut state = FilterState::default();
    if !has_claims(pod, objects)? {
        return Ok((PreFilter::Skip, state));
    }
    let mut unbound_immediate = false;
    for (name, ephemeral) in claims_of(pod) {
        let namespace = &pod.metadata.namespace;
        let Some(claim) = assumed.claim(objects, namespace, &name) else {
            return Err(Failure::Error(format!("error getting PVC \"{namespace}/{name}\"")));
        };
        if ephemeral {
            check_owner(pod, &claim).map_err(Failure::Error)?;
        }
        if is_fully_bound(&claim) {
            state.bound.push(claim);
        } else if is_delayed(&claim, objects) && claim.spec.volume_name.is_empty() {
            state.delayed.push(claim);
        } else {
            unbound_immediate = true;
        }
    }
    if unbound_immediate {
        return Err(Rejection::new(
            Code::UnschedulableAndUnresolvable,
            "pod has unbound immediate PersistentVolumeClaims",
        )
        .into());
    }
    Ok((PreFilter::Run, state))
}

fn claims_of(pod: &Pod) -> impl Iterator<Item = (String, bool)> {
    pod.spec.volumes.iter().filter_map(|volume| claim_name(pod, volume))
}

/// `podHasPVCs`: looks at the claims as the API server has them.
fn has_claims(pod: &Pod, objects: &Objects) -> Result<bool, Rejection> {
    let reject = |reason: String| Rejection::new(Code::UnschedulableAndUnresolvable, reason);
    let mut has_claims = false;
    for (name, ephemeral) in claims_of(pod) {
        has_claims = true;
        let Some(claim) = volumes::claim(objects, &pod.metadata.namespace, &name) else {
            return Err(reject(if ephemeral {
                format!(
                    "waiting for ephemeral volume controller to create the persistentvolumeclaim \
                     \"{name}\""
                )
            } else {
                claim_not_found(&name)
            }));
        };
        if claim.phase == "Lost" {
            return Err(reject(format!(
                "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{}\"",
                claim.spec.volume_name
            )));
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return Err(reject(format!("persistentvolumeclaim \"{name}\" is being deleted")));
        }
        if ephemeral {
            check_owner(pod, claim).map_err(reject)?;
        }
    }
    Ok(has_claims)
}

fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty() && claim.metadata.annotations.contains_key(BIND_COMPLETED)
}

/// `IsDelayBindingMode`.
fn is_delayed(claim: &PersistentVolumeClaim, objects: &Objects) -> bool {
    volumes::class(objects, &class_name_of_claim(claim))
        .is_some_and(|class| class.volume_binding_mode == VolumeBindingMode::WaitForFirstConsumer)
}

/// `FindPodVolumes`: what would be reserved on the node, or the reasons why not.
pub(super) fn filter(
    state: &FilterState,
    node: &Node,
    objects: &Objects,
    assumed: &Assumed,
) -> Result<PodVolumes, Failure> {
    let csi_node = volumes::csi_node(objects, &node.metadata.name);
    let mut bound_satisfied = true;
    let mut bound_found = true;
    for claim in &state.bound {
        let Some(volume) = assumed.volume(objects, &claim.spec.volume_name) else {
            bound_found = false;
            break;
        };
        let affinity = node_affinity_on(&volume, csi_node)
            .map_err(|error| Failure::Error(format!("could not translate pv: {error}")))?;
        if !reaches(affinity.as_ref(), node) {
            bound_satisfied = false;
            break;
        }
    }

    let mut found = PodVolumes::default();
    let unbound =
        find_unbound(state, node, objects, assumed, &mut found).map_err(Failure::Error)?;

    let mut reasons = Vec::new();
    if !bound_satisfied {
        reasons.push("node(s) didn't match PersistentVolume's node affinity");
    }
    match unbound {
        Unbound::Satisfied => {}
        Unbound::NoMatch => {
            reasons.push("node(s) didn't find available persistent volumes to bind");
        }
        Unbound::NotEnoughSpace => reasons.push("node(s) did not have enough free storage"),
    }
    if !bound_found {
        reasons.push("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
    }
    if reasons.is_empty() {
        return Ok(found);
    }
    Err(Rejection {
        code: Code::UnschedulableAndUnresolvable,
        reasons: reasons.into_iter().map(str::to_owned).collect(),
    }
    .into())
}

/// What can be done about the claims that are bound when the pod is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unbound {
    Satisfied,
    NoMatch,
    NotEnoughSpace,
}

fn find_unbound(
    state: &FilterState,
    node: &Node,
    objects: &Objects,
    assumed: &Assumed,
    found: &mut PodVolumes,
) -> Result<Unbound, String> {
    let mut to_match = Vec::new();
    let mut to_provision = Vec::new();
    for claim in &state.delayed {
        match claim.metadata.annotations.get(SELECTED_NODE) {
            Some(selected) if *selected != node.metadata.name => return Ok(Unbound::NoMatch),
            Some(_) => to_provision.push(claim.clone()),
            None => to_match.push(claim.clone()),
        }
    }

    // The smallest claims first, so that each gets the smallest volume that fits.
    sort_slice(&mut to_match, |a, b| {
        storage(&a.spec.resources.requests) < storage(&b.spec.resources.requests)
    });
    let mut chosen = BTreeSet::new();
    for claim in to_match {
        let volumes = assumed.volumes_of_class(objects, &class_name_of_claim(&claim));
        match find_matching_volume(&claim, &volumes, node, &chosen) {
            Some(volume) => {
                chosen.insert(volume.metadata.name.to_string());
                found.bindings.push((volume.clone(), claim));
            }
            None => to_provision.push(claim),
        }
    }

    for claim in to_provision {
        let class_name = class_name_of_claim(&claim);
        let Some(class) = volumes::class(objects, &class_name) else {
            return Err(format!("failed to find storage class \"{class_name}\""));
        };
        let provisioner = class.provisioner.as_str();
        if provisioner.is_empty()
            || provisioner == NO_PROVISIONER
            || !topology_matches(&class.allowed_topologies, &node.metadata.labels)
        {
            return Ok(Unbound::NoMatch);
        }
        if !has_enough_capacity(&claim, class, node, objects) {
            return Ok(Unbound::NotEnoughSpace);
        }
        found.provisions.push(claim);
    }
    Ok(Unbound::Satisfied)
}

fn storage(list: &bayplan_api::ResourceList) -> Quantity {
    list.get("storage").cloned().unwrap_or(Quantity::from_value(0))
}

/// `CheckNodeAffinity`: against the node's labels alone.
fn reaches(affinity: Option<&NodeSelector>, node: &Node) -> bool {
    let labels_only = Node {
        metadata: ObjectMeta { labels: node.metadata.labels.clone(), ..ObjectMeta::default() },
        ..Node::default()
    };
    affinity.is_none_or(|selector| node_selector_matches(selector, &labels_only))
}

/// `FindMatchingVolume`: a volume that is bound to the claim beforehand, or the smallest that fits.
fn find_matching_volume<'v>(
    claim: &PersistentVolumeClaim,
    volumes: &'v [PersistentVolume],
    node: &Node,
    chosen: &BTreeSet<String>,
) -> Option<&'v PersistentVolume> {
    let wanted = storage(&claim.spec.resources.requests);
    let attributes_class = |name: &Option<bayplan_api::Str>| name.clone().unwrap_or_default();
    let mut smallest: Option<&PersistentVolume> = None;
    for volume in volumes {
        let bound = is_bound_to(volume, claim);
        let unusable = chosen.contains(volume.metadata.name.as_str())
            || (volume.spec.claim_ref.is_some() && !bound)
            || storage(&volume.spec.capacity) < wanted
            || claim.spec.volume_mode != volume.spec.volume_mode
            || attributes_class(&claim.spec.volume_attributes_class_name)
                != attributes_class(&volume.spec.volume_attributes_class_name)
            || volume.metadata.deletion_timestamp.is_some();
        if unusable {
            continue;
        }
        let reaches = reaches(volume.spec.node_affinity.as_ref(), node);
        if bound {
            return reaches.then_some(volume);
        }
        let selected = claim.spec.selector.as_ref().is_none_or(|selector| {
            Selector::from_label_selector(Some(selector)).matches(&volume.metadata.labels)
        });
        let fits = volume.phase == "Available"
            && selected
            && class_name_of_volume(volume) == class_name_of_claim(claim)
            && reaches
            && claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode));
        if fits
            && smallest.is_none_or(|smallest| {
                storage(&volume.spec.capacity) < storage(&smallest.spec.capacity)
            })
        {
            smallest = Some(volume);
        }
    }
    smallest
}

/// `IsVolumeBoundToClaim`.
fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.spec.claim_ref.as_ref().is_some_and(|reference| {
        reference.name == claim.metadata.name
            && reference.namespace == claim.metadata.namespace
            && (reference.uid.is_empty() || reference.uid == claim.metadata.uid)
    })
}

/// `MatchTopologySelectorTerms`: no terms match everything, an empty term nothing.
fn topology_matches(terms: &[TopologySelectorTerm], labels: &Labels) -> bool {
    terms.is_empty()
        || terms.iter().any(|term| {
            !term.match_label_expressions.is_empty()
                && term.match_label_expressions.iter().all(|requirement| {
                    labels.get(&requirement.key).is_some_and(|own| requirement.values.contains(own))
                })
        })
}

/// `hasEnoughCapacity`: only drivers that publish their capacity are asked.
fn has_enough_capacity(
    claim: &PersistentVolumeClaim,
    class: &StorageClass,
    node: &Node,
    objects: &Objects,
) -> bool {
    let Some(wanted) = claim.spec.resources.requests.get("storage") else { return true };
    let driver =
        objects.csi_drivers.iter().find(|driver| driver.metadata.name == class.provisioner);
    if !driver.is_some_and(|driver| driver.storage_capacity) {
        return true;
    }
    let sufficient = |capacity: &CsiStorageCapacity| {
        let limit = capacity.maximum_volume_size.as_ref().or(capacity.capacity.as_ref());
        limit.is_some_and(|limit| limit.value() >= wanted.value())
    };
    objects.csi_storage_capacities.iter().any(|capacity| {
        capacity.storage_class_name == class.metadata.name
            && sufficient(capacity)
            && capacity.node_topology.is_some()
            && Selector::from_label_selector(capacity.node_topology.as_ref())
                .matches(&node.metadata.labels)
    })
}

/// `Reserve`: `AssumePodVolumes`.
pub(super) fn reserve(
    pod: &Pod,
    node: &Node,
    found: PodVolumes,
    objects: &Objects,
    assumed: &mut Assumed,
) {
    let all_bound = claims_of(pod).all(|(name, _)| {
        let claim = assumed.claim(objects, &pod.metadata.namespace, &name);
        claim.is_some_and(|claim| is_fully_bound(&claim))
    });
    if all_bound {
        return;
    }
    for (mut volume, claim) in found.bindings {
        volume.spec.claim_ref = Some(ObjectReference {
            kind: "PersistentVolumeClaim".into(),
            namespace: claim.metadata.namespace.clone(),
            name: claim.metadata.name.clone(),
            uid: claim.metadata.uid.clone(),
        });
        assumed.volumes.insert(volume.metadata.name.to_string(), volume);
    }
    for mut claim in found.provisions {
        claim.metadata.annotations.insert(SELECTED_NODE.into(), node.metadata.name.clone());
        let key = (claim.metadata.namespace.to_string(), claim.metadata.name.to_string());
        assumed.claims.insert(key, claim);
    }
}
