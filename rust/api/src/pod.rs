//! `Pod` and what it is made of.

use crate::{
    Affinity, LabelSelector, Labels, ObjectMeta, PersistentVolumeClaimSpec, ResourceList, Str,
    TaintEffect, Time,
};

/// `v1.Pod`, as far as bayplan keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Pod {
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// `spec`.
    pub spec: PodSpec,
    /// `status`.
    pub status: PodStatus,
}

/// `v1.PodSpec`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodSpec {
    /// `nodeName`; empty while the pod is pending.
    pub node_name: Str,
    /// `schedulerName`; `default-scheduler` after defaulting.
    pub scheduler_name: Str,
    /// `priority`; filled from the priority class by defaulting.
    pub priority: Option<i32>,
    /// `priorityClassName`.
    pub priority_class_name: Str,
    /// `preemptionPolicy`.
    pub preemption_policy: Option<PreemptionPolicy>,
    /// `nodeSelector`.
    pub node_selector: Labels,
    /// `affinity`.
    pub affinity: Option<Box<Affinity>>,
    /// `tolerations`.
    pub tolerations: Vec<Toleration>,
    /// `topologySpreadConstraints`.
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// `containers`.
    pub containers: Vec<Container>,
    /// `initContainers`.
    pub init_containers: Vec<Container>,
    /// `overhead`.
    pub overhead: ResourceList,
    /// `resources`: requests and limits of the whole pod.
    pub resources: Option<Box<ResourceRequirements>>,
    /// `hostNetwork`.
    pub host_network: bool,
    /// `volumes`.
    pub volumes: Vec<Volume>,
    /// `schedulingGates`, by name.
    pub scheduling_gates: Vec<Str>,
    /// `resourceClaims`, by name of the entry.
    pub resource_claims: Vec<Str>,
}

/// `v1.PodStatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodStatus {
    /// `phase`.
    pub phase: PodPhase,
    /// `startTime`.
    pub start_time: Option<Time>,
    /// `nominatedNodeName`; empty when absent.
    pub nominated_node_name: Str,
    /// `podIP` and `podIPs`, without doubles.
    pub pod_ips: Vec<Str>,
    /// `hostIP`; empty when absent.
    pub host_ip: Str,
    /// `containerStatuses`.
    pub container_statuses: Vec<ContainerStatus>,
    /// `initContainerStatuses`.
    pub init_container_statuses: Vec<ContainerStatus>,
    /// `conditions`, those that a decision or a report reads: `PodScheduled`, `PodResizePending`,
    /// `DisruptionTarget`.
    pub conditions: Vec<PodCondition>,
    /// `resize`: the older way to say what the condition `PodResizePending` says.
    pub resize: Str,
}

/// `v1.PodPhase`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PodPhase {
    /// Accepted, not all containers started. The default when absent.
    #[default]
    Pending,
    /// Bound and started.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, one of them badly.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// `v1.PodCondition`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PodCondition {
    /// `type`.
    pub condition_type: Str,
    /// `status`: `True`, `False` or `Unknown`.
    pub status: Str,
    /// `reason`.
    pub reason: Str,
}

/// `v1.ContainerStatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ContainerStatus {
    /// Name of the container.
    pub name: Str,
    /// `allocatedResources`.
    pub allocated_resources: ResourceList,
    /// `resources`: what is in effect; absent when the kubelet does not say.
    pub resources: Option<Box<ResourceRequirements>>,
}

/// `v1.PreemptionPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PreemptionPolicy {
    /// May evict pods of lower priority.
    PreemptLowerPriority,
    /// Never evicts.
    Never,
}

/// `v1.ResourceRequirements`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ResourceRequirements {
    /// `requests`.
    pub requests: ResourceList,
    /// `limits`.
    pub limits: ResourceList,
}

/// `v1.Container`, as far as scheduling looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Container {
    /// `name`.
    pub name: Str,
    /// `image`.
    pub image: Str,
    /// `resources`.
    pub resources: ResourceRequirements,
    /// `ports`.
    pub ports: Vec<ContainerPort>,
    /// `restartPolicy` is `Always`: with init containers, a sidecar.
    pub restart_policy_always: bool,
}

/// `v1.ContainerPort`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContainerPort {
    /// `hostPort`; 0 for none.
    pub host_port: i32,
    /// `containerPort`.
    pub container_port: i32,
    /// `hostIP`; empty when absent.
    pub host_ip: Str,
    /// `protocol`.
    pub protocol: Protocol,
}

/// `v1.Protocol`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// `v1.Toleration`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Toleration {
    /// The taint key; empty with `Exists` tolerates every key.
    pub key: Str,
    /// How `value` is compared.
    pub operator: TolerationOperator,
    /// The taint value.
    pub value: Str,
    /// The effect; absent tolerates every effect.
    pub effect: Option<TaintEffect>,
    /// `tolerationSeconds`.
    pub toleration_seconds: Option<i64>,
}

/// `v1.TolerationOperator`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TolerationOperator {
    /// Key and value must be equal. The default when absent.
    #[default]
    Equal,
    /// The key is enough.
    Exists,
}

/// `v1.TopologySpreadConstraint`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopologySpreadConstraint {
    /// `maxSkew`, 1 or more.
    pub max_skew: i32,
    /// `topologyKey`.
    pub topology_key: Str,
    /// `whenUnsatisfiable`.
    pub when_unsatisfiable: UnsatisfiableConstraintAction,
    /// `labelSelector`; absent matches no pod.
    pub label_selector: Option<LabelSelector>,
    /// `minDomains`.
    pub min_domains: Option<i32>,
    /// `nodeAffinityPolicy`; absent is `Honor`.
    pub node_affinity_policy: Option<NodeInclusionPolicy>,
    /// `nodeTaintsPolicy`; absent is `Ignore`.
    pub node_taints_policy: Option<NodeInclusionPolicy>,
    /// `matchLabelKeys`.
    pub match_label_keys: Vec<Str>,
}

/// `v1.UnsatisfiableConstraintAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnsatisfiableConstraintAction {
    /// A filter.
    DoNotSchedule,
    /// A score.
    ScheduleAnyway,
}

/// `v1.NodeInclusionPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeInclusionPolicy {
    /// The nodes that the policy names do not take part.
    Honor,
    /// All nodes take part.
    Ignore,
}

/// `v1.Volume`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Volume {
    /// `name`.
    pub name: Str,
    /// What the volume is.
    pub source: VolumeSource,
}

/// `v1.VolumeSource`: the sources that scheduling tells apart; `pod.spec.volumes[*]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VolumeSource {
    /// A source that no plugin looks at: `configMap`, `secret`, `emptyDir`, `projected`, …
    Other,
    /// `persistentVolumeClaim`.
    PersistentVolumeClaim {
        /// Name of the claim in the pod's namespace.
        claim_name: Str,
        /// `readOnly`.
        read_only: bool,
    },
    /// `ephemeral`: a claim named `<pod>-<volume>`.
    Ephemeral {
        /// `volumeClaimTemplate.spec`; absent when the dump has none.
        claim: Option<Box<PersistentVolumeClaimSpec>>,
    },
    /// `gcePersistentDisk`.
    GcePersistentDisk {
        /// `pdName`.
        pd_name: Str,
        /// `readOnly`.
        read_only: bool,
    },
    /// `awsElasticBlockStore`.
    AwsElasticBlockStore {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `azureDisk`.
    AzureDisk {
        /// `diskName`.
        disk_name: Str,
        /// `diskURI`.
        disk_uri: Str,
        /// Whether `kind` is `Managed`, in any case; absent is `Shared`.
        managed: bool,
    },
    /// `azureFile`.
    AzureFile {
        /// `shareName`.
        share_name: Str,
    },
    /// `cinder`.
    Cinder {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `portworxVolume`.
    PortworxVolume {
        /// `volumeID`.
        volume_id: Str,
    },
    /// `vsphereVolume`.
    VsphereVolume {
        /// `volumePath`.
        volume_path: Str,
    },
    /// `iscsi`.
    Iscsi {
        /// `targetPortal`.
        target_portal: Str,
        /// `iqn`.
        iqn: Str,
        /// `lun`.
        lun: i32,
        /// `readOnly`.
        read_only: bool,
    },
    /// `rbd`.
    Rbd {
        /// `monitors`.
        monitors: Vec<Str>,
        /// `image`.
        image: Str,
        /// `pool`; `rbd` when absent.
        pool: Str,
        /// `readOnly`.
        read_only: bool,
    },
    /// `csi`: an inline CSI volume.
    Csi {
        /// `driver`.
        driver: Str,
        /// `readOnly`.
        read_only: bool,
    },
    /// `hostPath`.
    HostPath,
    /// `nfs`.
    Nfs,
}
