//! Host ports: what a pod wants, what a node has given away.
//!
//! Follows `HostPortInfo` in `k8s.io/kube-scheduler/framework/types.go` v0.34 and `GetHostPorts` in `pkg/scheduler/util/utils.go` of v1.34.

use bayplan_api::{Pod, Protocol, Str};

/// A port on the node's own address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    /// The address; `0.0.0.0` for all of them.
    pub ip: Str,
    /// The protocol.
    pub protocol: Protocol,
    /// The port, 1 to 65535.
    pub port: i32,
}

const ALL_ADDRESSES: &str = "0.0.0.0";

/// The host ports of containers and sidecars; plain init containers' do not count.
pub(super) fn host_ports(pod: &Pod) -> Vec<HostPort> {
    let sidecars = pod.spec.init_containers.iter().filter(|init| init.restart_policy_always);
    sidecars
        .chain(&pod.spec.containers)
        .flat_map(|container| &container.ports)
        .filter(|port| port.host_port > 0)
        .map(|port| HostPort {
            ip: if port.host_ip.is_empty() { ALL_ADDRESSES.into() } else { port.host_ip.clone() },
            protocol: port.protocol,
            port: port.host_port,
        })
        .collect()
}

/// The host ports in use on one node.
///
/// A set, as in kube-scheduler: two running pods with the same port count once, and the first to go frees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedPorts(Vec<HostPort>);

impl FromIterator<HostPort> for UsedPorts {
    fn from_iter<I: IntoIterator<Item = HostPort>>(ports: I) -> Self {
        let mut used = Self::default();
        for port in ports {
            used.add(&port);
        }
        used
    }
}

impl UsedPorts {
    /// `HostPortInfo.Add`; tells whether the port was free.
    pub fn add(&mut self, port: &HostPort) -> bool {
        let new = !self.0.contains(port);
        if new {
            self.0.push(port.clone());
        }
        new
    }

    /// `HostPortInfo.Remove`; tells whether the port was in use.
    pub fn remove(&mut self, port: &HostPort) -> bool {
        let at = self.0.iter().position(|used| used == port);
        at.map(|at| self.0.swap_remove(at)).is_some()
    }

    /// `HostPortInfo.CheckConflict`: the same protocol and port on the same address, or on all addresses on either side.
    pub fn conflicts(&self, wanted: &HostPort) -> bool {
        self.0.iter().any(|used| {
            used.port == wanted.port
                && used.protocol == wanted.protocol
                && (wanted.ip == ALL_ADDRESSES || used.ip == ALL_ADDRESSES || used.ip == wanted.ip)
        })
    }

    /// The ports in use, in ascending order.
    pub fn sorted(&self) -> Vec<HostPort> {
        let mut ports = self.0.clone();
        ports.sort_unstable();
        ports
    }

    /// Whether no port is in use.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
