//! `PodInfo`: a pod template, its requests summed and its affinity terms made ready.
//!
//! Follows `PodInfo` in `pkg/scheduler/framework/types.go` of v1.34.

use bayplan_api::{
    LabelSelector, Labels, ObjectMeta, OwnerReference, Pod, PodAffinityTerm, PreemptionPolicy, Str,
    VolumeSource,
};

use super::ports::{HostPort, host_ports};
use crate::resource::{PodAmounts, Resources, pod_amounts};

/// What all pods with equal scheduling-relevant fields share.
#[derive(Debug, Clone, PartialEq)]
pub struct PodInfo {
    /// The pod reduced to the fields that decisions depend on; it has no name.
    pub pod: Pod,
    /// What the pod counts for.
    pub amounts: PodAmounts,
    /// Its host ports.
    pub host_ports: Vec<HostPort>,
    /// `podAffinity.required…`.
    pub required_affinity: Vec<AffinityTerm>,
    /// `podAntiAffinity.required…`.
    pub required_anti_affinity: Vec<AffinityTerm>,
    /// `podAffinity.preferred…` with its weights.
    pub preferred_affinity: Vec<(i64, AffinityTerm)>,
    /// `podAntiAffinity.preferred…` with its weights.
    pub preferred_anti_affinity: Vec<(i64, AffinityTerm)>,
}

/// `framework.AffinityTerm`: an affinity term with the namespaces that it names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AffinityTerm {
    /// `namespaces`, or the pod's own if neither they nor a selector are given.
    pub namespaces: Vec<Str>,
    /// `namespaceSelector`.
    pub namespace_selector: Option<LabelSelector>,
    /// `labelSelector`; absent matches no pod.
    pub selector: Option<LabelSelector>,
    /// `topologyKey`.
    pub topology_key: Str,
}

impl AffinityTerm {
    fn new(namespace: &Str, term: &PodAffinityTerm) -> Self {
        let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
        Self {
            namespaces: if own { vec![namespace.clone()] } else { term.namespaces.clone() },
            namespace_selector: term.namespace_selector.clone(),
            selector: term.label_selector.clone(),
            topology_key: term.topology_key.clone(),
        }
    }

    /// `AffinityTerm.Matches`: whether the term means that pod, whose namespace has `namespace_labels`.
    pub fn matches(&self, pod: &PodInfo, namespace_labels: &Labels) -> bool {
        let namespace = &pod.pod.metadata.namespace;
        let meant = self.namespaces.contains(namespace)
            || self.namespace_selector.as_ref().is_some_and(|all| all.matches(namespace_labels));
        meant && self.selects(pod)
    }

    /// Whether the term's label selector selects the pod, wherever it is.
    pub fn selects(&self, pod: &PodInfo) -> bool {
        self.selector.as_ref().is_some_and(|selector| selector.matches(&pod.pod.metadata.labels))
    }
}

impl PodInfo {
    /// Reduces a pod to its template: equal templates are decided alike.
    pub fn template_of(pod: &Pod) -> Pod {
        let mut spec = pod.spec.clone();
        spec.node_name = Str::default();
        spec.priority_class_name = Str::default();
        spec.scheduling_gates.clear();
        spec.volumes.retain(|volume| !matches!(volume.source, VolumeSource::Other));
        let named = Self::is_named(pod);
        for toleration in &mut spec.tolerations {
            toleration.toleration_seconds = None;
        }
        let own_name = if named { pod.metadata.name.clone() } else { Str::default() };
        let uid = if named { pod.metadata.uid.clone() } else { Str::default() };
        let controller = pod
            .metadata
            .controller()
            .map(|owner| OwnerReference { uid: Str::default(), ..owner.clone() });
        let mut status = bayplan_api::PodStatus {
            container_statuses: pod.status.container_statuses.clone(),
            init_container_statuses: pod.status.init_container_statuses.clone(),
            conditions: pod.status.conditions.clone(),
            ..Default::default()
        };
        status.container_statuses.retain(|status| status.resources.is_some());
        status.init_container_statuses.retain(|status| status.resources.is_some());
        status.conditions.retain(|condition| condition.condition_type == "PodResizePending");
        Pod {
            metadata: ObjectMeta {
                name: own_name,
                namespace: pod.metadata.namespace.clone(),
                uid,
                labels: pod.metadata.labels.clone(),
                owner_references: controller.into_iter().collect(),
                ..Default::default()
            },
            spec,
            status,
        }
    }

    /// Whether the names of the pod's claims are made of its own name.
    pub(super) fn is_named(pod: &Pod) -> bool {
        let volumes = pod.spec.volumes.iter();
        volumes.into_iter().any(|v| matches!(v.source, VolumeSource::Ephemeral { .. }))
    }

    /// Makes a template ready; `template` comes from [`PodInfo::template_of`].
    pub fn new(resources: &mut Resources, template: Pod) -> Self {
        let namespace = &template.metadata.namespace;
        let affinity = template.spec.affinity.as_deref().cloned().unwrap_or_default();
        let required = |terms: &[PodAffinityTerm]| {
            terms.iter().map(|term| AffinityTerm::new(namespace, term)).collect::<Vec<_>>()
        };
        let preferred = |terms: &[bayplan_api::WeightedPodAffinityTerm]| {
            terms
                .iter()
                .map(|weighted| {
                    (i64::from(weighted.weight), AffinityTerm::new(namespace, &weighted.term))
                })
                .collect::<Vec<_>>()
        };
        let pod_affinity = affinity.pod_affinity.unwrap_or_default();
        let anti_affinity = affinity.pod_anti_affinity.unwrap_or_default();
        Self {
            amounts: pod_amounts(resources, &template),
            host_ports: host_ports(&template),
            required_affinity: required(&pod_affinity.required),
            required_anti_affinity: required(&anti_affinity.required),
            preferred_affinity: preferred(&pod_affinity.preferred),
            preferred_anti_affinity: preferred(&anti_affinity.preferred),
            pod: template,
        }
    }

    /// All affinity terms, required and preferred.
    pub fn terms(&self) -> impl Iterator<Item = &AffinityTerm> {
        let required = self.required_affinity.iter().chain(&self.required_anti_affinity);
        let preferred = self.preferred_affinity.iter().chain(&self.preferred_anti_affinity);
        required.chain(preferred.map(|(_, term)| term))
    }

    /// The pod's priority; 0 when it has none.
    pub fn priority(&self) -> i32 {
        self.pod.spec.priority.unwrap_or(0)
    }

    /// Whether the pod may evict others of lower priority.
    pub fn may_preempt(&self) -> bool {
        self.pod.spec.preemption_policy != Some(PreemptionPolicy::Never)
    }

    /// Whether the pod has volumes that stand for claims, its own or shared ones.
    pub fn has_claims(&self) -> bool {
        self.pod.spec.volumes.iter().any(|volume| {
            matches!(
                volume.source,
                VolumeSource::PersistentVolumeClaim { .. } | VolumeSource::Ephemeral { .. }
            )
        })
    }

    /// Whether a volume plugin has anything to do with the pod.
    pub fn has_volumes(&self) -> bool {
        let read = |source: &VolumeSource| {
            !matches!(
                source,
                VolumeSource::Other
                    | VolumeSource::HostPath
                    | VolumeSource::Nfs
                    | VolumeSource::Csi { .. }
            )
        };
        self.pod.spec.volumes.iter().any(|volume| read(&volume.source))
    }
}
