//! Pods.

use super::affinity::{affinity, label_keys, match_label_keys};
use super::error::At;
use super::meta::{formed, labels, metadata};
use super::resources::{Asker, pod_resources, requirements};
use super::selector::{Values, label_selector};
use super::storage::{claim_spec, volume_source};
use super::text::{dns1123_label, dns1123_subdomain, label_value, qualified_name};
use super::{Checked, FieldError, each, first_repeated};
use crate::{
    Container, ContainerPort, Labels, Pod, PodSpec, Protocol, ResourceRequirements, Str,
    TaintEffect, Toleration, TolerationOperator, TopologySpreadConstraint,
    UnsatisfiableConstraintAction, Volume, VolumeSource,
};

/// `ValidatePodCreate`, of `pkg/apis/core/validation/validation.go`.
///
/// A pod that has a node exists already, so its selectors may hold values that are no label values.
///
/// # Errors
///
/// The first field that breaks a rule.
pub fn validate_pod(pod: &Pod) -> Result<(), FieldError> {
    metadata(&pod.metadata, dns1123_subdomain)?;
    spec(pod).field("spec")
}

fn spec(pod: &Pod) -> Checked {
    let spec = &pod.spec;
    let what = if spec.node_name.is_empty() { Values::Labels } else { Values::Any };
    let own = &pod.metadata.labels;

    volumes(pod)?;
    if spec.containers.is_empty() {
        return Err(FieldError::required("containers", "a pod needs at least one container"));
    }
    each("containers", &spec.containers, |one| container(one, spec.host_network))?;
    each("initContainers", &spec.init_containers, |one| {
        container(one, false)?;
        repeated_host_port(std::slice::from_ref(one)).map_or(Ok(()), |(_, error)| Err(error))
    })?;
    container_names(spec)?;
    if let Some((index, error)) = repeated_host_port(&spec.containers) {
        return Err(error).index(index).field("containers");
    }
    if let Some(resources) = &spec.resources {
        pod_resources(spec, resources).field("resources")?;
    }
    labels("nodeSelector", &spec.node_selector)?;
    if let Some(one) = &spec.affinity {
        affinity(one, own, what).field("affinity")?;
    }
    scheduling_gates(spec)?;
    topology_spread_constraints(&spec.topology_spread_constraints, own, what)
        .field("topologySpreadConstraints")?;
    if !spec.node_name.is_empty() {
        formed("nodeName", &spec.node_name, dns1123_subdomain)?;
    }
    each("tolerations", &spec.tolerations, toleration)?;
    if !spec.priority_class_name.is_empty() {
        formed("priorityClassName", &spec.priority_class_name, dns1123_subdomain)?;
    }
    if spec.overhead.is_empty() {
        return Ok(());
    }
    // As in the original, the rules of limits hold for the overhead.
    let overhead =
        ResourceRequirements { limits: spec.overhead.clone(), ..ResourceRequirements::default() };
    requirements(&overhead, Asker::Container).field("overhead")
}

fn container(container: &Container, host_network: bool) -> Checked {
    // A name is asked for by the API server, but a decision only tells names apart.
    if !container.name.is_empty() {
        formed("name", &container.name, dns1123_label)?;
    }
    each("ports", &container.ports, |port| container_port(port, host_network))?;
    requirements(&container.resources, Asker::Container).field("resources")
}

fn container_port(port: &ContainerPort, host_network: bool) -> Checked {
    let in_range = |name: &str, number: i32| {
        if (1..=65535).contains(&number) {
            return Ok(());
        }
        Err(FieldError::invalid(name, number, "must be between 1 and 65535, inclusive"))
    };
    if port.container_port == 0 {
        return Err(FieldError::required("containerPort", ""));
    }
    in_range("containerPort", port.container_port)?;
    if port.host_port != 0 {
        in_range("hostPort", port.host_port)?;
    }
    if host_network && port.host_port != port.container_port {
        let detail = "must be the containerPort when hostNetwork is true";
        return Err(FieldError::invalid("hostPort", port.host_port, detail));
    }
    Ok(())
}

/// `checkHostPortConflicts`: a protocol, address and port stand only once; the container and the port that repeat one.
fn repeated_host_port(containers: &[Container]) -> Option<(usize, FieldError)> {
    let ports: Vec<(usize, usize, &ContainerPort)> = containers
        .iter()
        .enumerate()
        .flat_map(|(outer, container)| {
            container.ports.iter().enumerate().map(move |(inner, port)| (outer, inner, port))
        })
        .filter(|(_, _, port)| port.host_port != 0)
        .collect();
    let repeated =
        first_repeated(&ports, |(_, _, port)| (port.protocol, &*port.host_ip, port.host_port))?;
    let (outer, inner, port) = ports.get(repeated)?;
    let protocol = match port.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
        Protocol::Sctp => "SCTP",
    };
    let text = format!("{protocol}/{}/{}", port.host_ip, port.host_port);
    let error = FieldError::duplicate("hostPort", &text);
    Some((*outer, Err::<(), _>(error).index(*inner).field("ports").err()?))
}

/// The names of containers and init containers are all different.
fn container_names(spec: &PodSpec) -> Checked {
    let all: Vec<&Container> = spec
        .containers
        .iter()
        .chain(&spec.init_containers)
        .filter(|container| !container.name.is_empty())
        .collect();
    if let Some(index) = first_repeated(&all, |container| &*container.name)
        && let Some(container) = all.get(index)
    {
        return Err(FieldError::duplicate("name", &container.name)).field("containers");
    }
    Ok(())
}

fn scheduling_gates(spec: &PodSpec) -> Checked {
    let gates = &spec.scheduling_gates;
    super::meta::each_formed("schedulingGates", gates, qualified_name)?;
    if let Some(index) = first_repeated(gates, Str::as_str)
        && let Some(gate) = gates.get(index)
    {
        return Err(FieldError::duplicate("", gate)).index(index).field("schedulingGates");
    }
    if !gates.is_empty() && !spec.node_name.is_empty() {
        return Err(FieldError::forbidden("nodeName", "a pod with scheduling gates has no node"));
    }
    Ok(())
}

fn toleration(toleration: &Toleration) -> Checked {
    if !toleration.key.is_empty() {
        formed("key", &toleration.key, qualified_name)?;
    } else if toleration.operator != TolerationOperator::Exists {
        let detail = "must be Exists when the key is empty, which means all keys and values";
        return Err(FieldError::invalid("operator", "Equal", detail));
    }
    if toleration.toleration_seconds.is_some() && toleration.effect != Some(TaintEffect::NoExecute)
    {
        let effect = toleration.effect.map_or("", TaintEffect::as_str);
        let detail = "must be NoExecute when tolerationSeconds is there";
        return Err(FieldError::invalid("effect", effect, detail));
    }
    match toleration.operator {
        TolerationOperator::Equal => formed("value", &toleration.value, label_value),
        TolerationOperator::Exists if !toleration.value.is_empty() => {
            let detail = "must be empty when the operator is Exists";
            Err(FieldError::invalid("value", &*toleration.value, detail))
        }
        TolerationOperator::Exists => Ok(()),
    }
}

/// The name in the API.
const fn action_name(action: UnsatisfiableConstraintAction) -> &'static str {
    match action {
        UnsatisfiableConstraintAction::DoNotSchedule => "DoNotSchedule",
        UnsatisfiableConstraintAction::ScheduleAnyway => "ScheduleAnyway",
    }
}

/// `validateTopologySpreadConstraints`; paths start at the index.
fn topology_spread_constraints(
    constraints: &[TopologySpreadConstraint],
    pod: &Labels,
    what: Values,
) -> Checked {
    each("", constraints, |constraint| {
        if constraint.max_skew <= 0 {
            return Err(FieldError::invalid(
                "maxSkew",
                constraint.max_skew,
                "must be greater than 0",
            ));
        }
        if constraint.topology_key.is_empty() {
            return Err(FieldError::required("topologyKey", "must not be empty"));
        }
        if let Some(domains) = constraint.min_domains {
            if domains <= 0 {
                return Err(FieldError::invalid("minDomains", domains, "must be greater than 0"));
            }
            if constraint.when_unsatisfiable != UnsatisfiableConstraintAction::DoNotSchedule {
                let detail = "needs whenUnsatisfiable: DoNotSchedule";
                return Err(FieldError::invalid("minDomains", domains, detail));
            }
        }
        let selector = constraint.label_selector.as_ref();
        label_keys("matchLabelKeys", &constraint.match_label_keys, selector)?;
        match_label_keys(&constraint.match_label_keys, selector, pod)?;
        selector.map_or(Ok(()), |selector| label_selector(selector, what)).field("labelSelector")
    })?;
    let key = |one: &'_ TopologySpreadConstraint| action_name(one.when_unsatisfiable);
    if let Some(index) = first_repeated(constraints, |one| (&*one.topology_key, key(one)))
        && let Some(one) = constraints.get(index)
    {
        let pair = format!("{{{}, {}}}", one.topology_key, key(one));
        return Err(FieldError::duplicate("{topologyKey, whenUnsatisfiable}", &pair)).index(index);
    }
    Ok(())
}

/// `ValidateVolumes`, as far as volumes are told apart here.
fn volumes(pod: &Pod) -> Checked {
    let volumes = &pod.spec.volumes;
    each("volumes", volumes, |volume: &Volume| {
        if volume.name.is_empty() {
            return Err(FieldError::required("name", ""));
        }
        formed("name", &volume.name, dns1123_label)?;
        match &volume.source {
            VolumeSource::Ephemeral { claim: Some(claim) } => {
                claim_spec(claim).field("ephemeral.volumeClaimTemplate.spec")
            }
            VolumeSource::Ephemeral { claim: None } => {
                Err(FieldError::required("ephemeral.volumeClaimTemplate", ""))
            }
            source => volume_source(source),
        }
    })?;
    if let Some(index) = first_repeated(volumes, |volume| &*volume.name)
        && let Some(volume) = volumes.get(index)
    {
        return Err(FieldError::duplicate("name", &volume.name)).index(index).field("volumes");
    }
    Ok(())
}
