"""The members that bayplan keeps of nodes and pods, as msgspec structs.

msgspec passes over all other members, as bayplan does. Quantities and times stay strings here: bayplan has parsed them.
"""

from __future__ import annotations

import msgspec

Labels = dict[str, str] | None
Resources = dict[str, str | int | float] | None


class Struct(msgspec.Struct, rename="camel"):
    """Members are named as in the API."""


class OwnerReference(Struct):
    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(Struct):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: Labels = None
    annotations: Labels = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference] | None = None


class Taint(Struct):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Struct):
    unschedulable: bool | None = None
    taints: list[Taint] | None = None
    pod_cidr: str = msgspec.field(default="", name="podCIDR")
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")
    provider_id: str = msgspec.field(default="", name="providerID")


class NodeAddress(Struct):
    type: str = ""
    address: str = ""


class ContainerImage(Struct):
    names: list[str] | None = None
    size_bytes: int = 0


class NodeInfo(Struct):
    kubelet_version: str = ""


class NodeStatus(Struct):
    capacity: Resources = None
    allocatable: Resources = None
    addresses: list[NodeAddress] | None = None
    images: list[ContainerImage] | None = None
    node_info: NodeInfo | None = None


class LabelSelectorRequirement(Struct):
    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class LabelSelector(Struct):
    match_labels: Labels = None
    match_expressions: list[LabelSelectorRequirement] | None = None


class NodeSelectorTerm(Struct):
    match_expressions: list[LabelSelectorRequirement] | None = None
    match_fields: list[LabelSelectorRequirement] | None = None


class NodeSelector(Struct):
    node_selector_terms: list[NodeSelectorTerm] | None = None


class PreferredSchedulingTerm(Struct):
    weight: int = 0
    preference: NodeSelectorTerm | None = None


class NodeAffinity(Struct):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] | None = (
        None
    )


class PodAffinityTerm(Struct):
    label_selector: LabelSelector | None = None
    namespaces: list[str] | None = None
    topology_key: str = ""
    namespace_selector: LabelSelector | None = None
    match_label_keys: list[str] | None = None
    mismatch_label_keys: list[str] | None = None


class WeightedPodAffinityTerm(Struct):
    weight: int = 0
    pod_affinity_term: PodAffinityTerm | None = None


class PodAffinity(Struct):
    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] | None = None
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] | None = (
        None
    )


class Affinity(Struct):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(Struct):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class TopologySpreadConstraint(Struct):
    max_skew: int = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: list[str] | None = None


class ResourceRequirements(Struct):
    requests: Resources = None
    limits: Resources = None


class ContainerPort(Struct):
    host_port: int = 0
    container_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")
    protocol: str = ""


class Container(Struct):
    name: str = ""
    image: str = ""
    resources: ResourceRequirements | None = None
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class Claim(Struct):
    claim_name: str = ""
    read_only: bool = False


class Csi(Struct):
    driver: str = ""
    read_only: bool | None = None


class Volume(Struct):
    name: str = ""
    persistent_volume_claim: Claim | None = None
    csi: Csi | None = None


class Named(Struct):
    name: str = ""


class PodSpec(Struct):
    node_name: str = ""
    scheduler_name: str = ""
    priority: int | None = None
    priority_class_name: str = ""
    preemption_policy: str | None = None
    node_selector: Labels = None
    affinity: Affinity | None = None
    tolerations: list[Toleration] | None = None
    topology_spread_constraints: list[TopologySpreadConstraint] | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    overhead: Resources = None
    resources: ResourceRequirements | None = None
    host_network: bool | None = None
    volumes: list[Volume] | None = None
    scheduling_gates: list[Named] | None = None
    resource_claims: list[Named] | None = None


class PodIp(Struct):
    ip: str = ""


class ContainerStatus(Struct):
    name: str = ""
    allocated_resources: Resources = None
    resources: ResourceRequirements | None = None


class PodCondition(Struct):
    type: str = ""
    status: str = ""
    reason: str = ""


class PodStatus(Struct):
    phase: str = ""
    start_time: str | None = None
    nominated_node_name: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: list[PodIp] | None = msgspec.field(default=None, name="podIPs")
    host_ip: str = msgspec.field(default="", name="hostIP")
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    conditions: list[PodCondition] | None = None
    resize: str = ""


class Node(Struct, tag_field="kind", tag="Node"):
    metadata: ObjectMeta
    spec: NodeSpec
    status: NodeStatus


class Pod(Struct, tag_field="kind", tag="Pod"):
    metadata: ObjectMeta
    spec: PodSpec
    status: PodStatus


class List(Struct):
    items: list[Node | Pod]
