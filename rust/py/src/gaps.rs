//! What a dump lacks that decisions would read.
//!
//! A kind of which there is no object at all was perhaps never asked for. Where its absence changes what is decided
//! about the pods at hand, and only there, that is worth a word.

use bayplan_api::{Objects, Pod, PodAffinityTerm, VolumeSource};
use bayplan_sched::cluster::{Arriving, PodIntake};

/// One sentence for each kind that is wholly absent though decisions would read it.
pub(crate) fn gaps(objects: &Objects, pods: &PodIntake) -> Vec<String> {
    let pending: Vec<&Pod> = pods.iter().filter(is_pending).map(|pod| pod.shape).collect();
    if pending.is_empty() {
        return Vec::new();
    }
    let mut gaps = Vec::new();
    let mut note = |is_gap: bool, text: &str| {
        if is_gap {
            gaps.push(text.to_owned());
        }
    };
    note(objects.nodes.is_empty(), "no Nodes: no pod can be placed");
    let owners = objects.services.len()
        + objects.replication_controllers.len()
        + objects.replica_sets.len()
        + objects.stateful_sets.len();
    note(
        owners == 0 && pending.iter().any(|pod| pod.spec.topology_spread_constraints.is_empty()),
        "no Services, ReplicationControllers, ReplicaSets or StatefulSets: no default spreading",
    );
    note(
        objects.namespaces.is_empty() && pods.iter().any(|pod| selects_namespaces(pod.shape)),
        "no Namespaces: the namespaceSelector of a pod affinity term selects none",
    );
    let claims = pending.iter().any(|pod| mounts_claim(pod));
    note(
        claims && objects.persistent_volume_claims.is_empty(),
        "no PersistentVolumeClaims: pods that mount one stay pending",
    );
    let bound =
        objects.persistent_volume_claims.iter().any(|claim| !claim.spec.volume_name.is_empty());
    note(
        claims && bound && objects.persistent_volumes.is_empty(),
        "no PersistentVolumes: pods whose claim is bound to one stay pending",
    );
    note(
        claims && objects.storage_classes.is_empty(),
        "no StorageClasses: claims that are not bound stay so",
    );
    note(
        claims && objects.csi_nodes.is_empty(),
        "no CSINodes: volumes are not counted against limits",
    );
    let evicts = pending.iter().filter_map(|pod| pod.spec.priority).max();
    let running = pods.iter().filter(is_running);
    let weakest = running.map(|pod| pod.shape.spec.priority.unwrap_or(0)).min();
    note(
        objects.pod_disruption_budgets.is_empty()
            && weakest.is_some_and(|weakest| evicts.unwrap_or(0) > weakest),
        "no PodDisruptionBudgets: preemption spares no pod for their sake",
    );
    gaps
}

fn is_pending(pod: &Arriving<'_>) -> bool {
    pod.node_name.is_empty() && !pod.finished
}

fn is_running(pod: &Arriving<'_>) -> bool {
    !pod.node_name.is_empty() && !pod.finished
}

fn mounts_claim(pod: &Pod) -> bool {
    let sources = pod.spec.volumes.iter().map(|volume| &volume.source);
    sources.into_iter().any(|source| {
        matches!(
            source,
            VolumeSource::PersistentVolumeClaim { .. } | VolumeSource::Ephemeral { .. }
        )
    })
}

/// Whether a term of the pod reads the labels of namespaces; `{}` selects all without looking.
fn selects_namespaces(pod: &Pod) -> bool {
    let Some(affinity) = &pod.spec.affinity else { return false };
    let reads = |term: &PodAffinityTerm| {
        term.namespace_selector
            .as_ref()
            .is_some_and(|s| !(s.match_labels.is_empty() && s.match_expressions.is_empty()))
    };
    [&affinity.pod_affinity, &affinity.pod_anti_affinity].into_iter().flatten().any(|terms| {
        terms.required.iter().any(reads)
            || terms.preferred.iter().any(|weighted| reads(&weighted.term))
    })
}
