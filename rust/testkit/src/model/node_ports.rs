//! `NodePorts`: are the host ports that the pod wants free?
//!
//! Follows `plugins/nodeports/node_ports.go` of v1.34 and `HostPortInfo` of
//! `k8s.io/kube-scheduler/framework/types.go` v0.34.

use std::collections::BTreeSet;

use bayplan_api::{ContainerPort, Pod, Protocol};

use super::{Code, PreFilter, Rejection};

const ALL_HOST_IPS: &str = "0.0.0.0";

/// A host port: address, protocol, number.
pub(super) type HostPort = (String, Protocol, i32);

/// `schedutil.GetHostPorts`: of containers and sidecars, not of init containers that end.
pub(super) fn host_ports(pod: &Pod) -> Vec<HostPort> {
    let sidecars = pod.spec.init_containers.iter().filter(|c| c.restart_policy_always);
    sidecars
        .chain(&pod.spec.containers)
        .flat_map(|container| &container.ports)
        .filter(|port| port.host_port > 0)
        .map(|port| (host_ip(port).to_owned(), port.protocol, port.host_port))
        .collect()
}

fn host_ip(port: &ContainerPort) -> &str {
    if port.host_ip.is_empty() { ALL_HOST_IPS } else { &port.host_ip }
}

pub(super) fn pre_filter(pod: &Pod) -> PreFilter {
    if host_ports(pod).is_empty() { PreFilter::Skip } else { PreFilter::Run }
}

pub(super) fn filter(pod: &Pod, used: &BTreeSet<HostPort>) -> Result<(), Rejection> {
    for (ip, protocol, port) in host_ports(pod) {
        let conflict = used.iter().any(|(used_ip, used_protocol, used_port)| {
            (*used_protocol, *used_port) == (protocol, port)
                && (ip == ALL_HOST_IPS || used_ip == ALL_HOST_IPS || *used_ip == ip)
        });
        if conflict {
            return Err(Rejection::new(
                Code::Unschedulable,
                "node(s) didn't have free ports for the requested pod ports",
            ));
        }
    }
    Ok(())
}
