//! The nodes: one column a property, one row a node.

use bayplan_api::{Node, Taint};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::images::Images;
use super::labels::NodeLabels;
use super::pod_info::PodInfo;
use super::ports::UsedPorts;
use super::{ClusterError, MAX_ROWS};
use crate::go::len64;
use crate::index_vec::{IndexVec, NodeIdx, PodIdx, ResourceId, TemplateId};
use crate::node_set::NodeSet;
use crate::resource::{PODS, Resources, amounts};

/// What is known of all nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeColumns {
    pub(super) objects: IndexVec<NodeIdx, Node>,
    /// Labels and names.
    pub labels: NodeLabels,
    /// Images.
    pub images: Images,
    /// `spec.unschedulable`.
    pub unschedulable: NodeSet,
    taint_lists: IndexSet<Vec<Taint>, FxBuildHasher>,
    taint_list_of: IndexVec<NodeIdx, usize>,
    /// How many pods a node takes: `status.allocatable.pods`.
    pub allowed_pods: IndexVec<NodeIdx, i64>,
    /// How many pods a node has.
    pub pod_count: IndexVec<NodeIdx, i64>,
    resources: IndexVec<ResourceId, ResourceColumn>,
    /// Thousandths of cpu requested, counting the scores' assumptions (`NonZeroRequested.MilliCPU`).
    pub non_zero_milli_cpu: IndexVec<NodeIdx, i64>,
    /// Bytes of memory requested, counting the scores' assumptions (`NonZeroRequested.Memory`).
    pub non_zero_memory: IndexVec<NodeIdx, i64>,
    /// Host ports in use.
    pub used_ports: IndexVec<NodeIdx, UsedPorts>,
    /// How many pods of which template with volumes that a decision reads are on each node, by template.
    pub(crate) volume_pods: IndexVec<NodeIdx, Vec<(TemplateId, i64)>>,
    /// The pods of each node in kube-scheduler's order.
    pub pods: IndexVec<NodeIdx, Vec<PodIdx>>,
}

/// One resource over all nodes, in its own unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceColumn {
    /// `status.allocatable`; 0 where it is absent.
    pub allocatable: IndexVec<NodeIdx, i64>,
    /// The sum of what the node's pods request.
    pub requested: IndexVec<NodeIdx, i64>,
    /// The nodes whose allocatable names the resource.
    pub offered: NodeSet,
}

impl NodeColumns {
    pub(super) fn new(objects: Vec<Node>) -> Result<Self, ClusterError> {
        let count = objects.len();
        if count > MAX_ROWS {
            return Err(ClusterError::TooMany { kind: "Node", count, limit: MAX_ROWS });
        }
        let objects: IndexVec<NodeIdx, Node> = objects.into_iter().collect();
        let labels = NodeLabels::new(objects.iter());
        if let Some((_, node)) = objects
            .iter_enumerated()
            .find(|(row, node)| labels.find_node(&node.metadata.name) != Some(*row))
        {
            let name = node.metadata.name.to_string();
            return Err(ClusterError::Duplicate { kind: "Node", name });
        }
        let mut taint_lists = IndexSet::default();
        let taint_list_of = objects
            .iter()
            .map(|node| taint_lists.insert_full(node.spec.taints.clone()).0)
            .collect();
        let allowed_pods = objects
            .iter()
            .map(|node| node.status.allocatable.get(PODS).map_or(0, bayplan_api::Quantity::value))
            .collect();
        Ok(Self {
            labels,
            images: Images::new(objects.iter()),
            unschedulable: NodeSet::from_fn(count, |node| objects[node].spec.unschedulable),
            taint_lists,
            taint_list_of,
            allowed_pods,
            pod_count: IndexVec::filled(0, count),
            resources: IndexVec::new(),
            non_zero_milli_cpu: IndexVec::filled(0, count),
            non_zero_memory: IndexVec::filled(0, count),
            used_ports: IndexVec::filled(UsedPorts::default(), count),
            volume_pods: IndexVec::filled(Vec::new(), count),
            pods: IndexVec::filled(Vec::new(), count),
            objects,
        })
    }

    pub(super) fn read_allocatable(&mut self, resources: &mut Resources) {
        for node in self.objects.indices() {
            let allocatable = amounts(resources, &self.objects[node].status.allocatable);
            self.widen(resources);
            for (resource, amount) in allocatable {
                let column = &mut self.resources[resource];
                column.allocatable[node] = amount;
                column.offered.insert(node);
            }
        }
        self.widen(resources);
    }

    /// Makes columns for resources that are new.
    pub(super) fn widen(&mut self, resources: &Resources) {
        while self.resources.len() < resources.len() {
            self.resources.push(ResourceColumn {
                allocatable: IndexVec::filled(0, self.len()),
                requested: IndexVec::filled(0, self.len()),
                offered: NodeSet::empty(self.len()),
            });
        }
    }

    /// `NodeInfo.update`: adds a pod to a row, or takes it off; integers wrap as in Go.
    pub(super) fn count(&mut self, template: TemplateId, pod: &PodInfo, node: NodeIdx, delta: i64) {
        for &(resource, amount) in &pod.amounts.running {
            let requested = &mut self.resources[resource].requested[node];
            *requested = requested.wrapping_add(amount.wrapping_mul(delta));
        }
        let cpu = &mut self.non_zero_milli_cpu[node];
        *cpu = cpu.wrapping_add(pod.amounts.non_zero_milli_cpu.wrapping_mul(delta));
        let memory = &mut self.non_zero_memory[node];
        *memory = memory.wrapping_add(pod.amounts.non_zero_memory.wrapping_mul(delta));
        self.pod_count[node] += delta;
        for port in &pod.host_ports {
            if delta > 0 {
                self.used_ports[node].add(port);
            } else {
                self.used_ports[node].remove(port);
            }
        }
        if pod.has_volumes() {
            self.count_volumes(template, node, delta);
        }
    }

    fn count_volumes(&mut self, template: TemplateId, node: NodeIdx, delta: i64) {
        let pods = &mut self.volume_pods[node];
        match pods.binary_search_by_key(&template, |(template, _)| *template) {
            Err(at) => pods.insert(at, (template, delta)),
            Ok(at) => {
                let left = pods.get_mut(at).map(|(_, count)| {
                    *count += delta;
                    *count
                });
                if left == Some(0) {
                    pods.remove(at);
                }
            }
        }
    }

    /// How many nodes there are.
    pub const fn len(&self) -> usize {
        self.objects.len()
    }

    /// How many nodes there are, as Go counts them.
    pub fn len64(&self) -> i64 {
        len64(self.len())
    }

    /// Whether there are no nodes.
    pub const fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The rows in node order.
    pub fn indices(&self) -> impl ExactSizeIterator<Item = NodeIdx> + use<> {
        self.objects.indices()
    }

    /// The node's name.
    pub fn name(&self, node: NodeIdx) -> &bayplan_api::Str {
        &self.objects[node].metadata.name
    }

    /// The column of a resource.
    pub fn resource(&self, resource: ResourceId) -> &ResourceColumn {
        &self.resources[resource]
    }

    /// The distinct lists of taints.
    pub fn taint_lists(&self) -> impl ExactSizeIterator<Item = &[Taint]> {
        self.taint_lists.iter().map(Vec::as_slice)
    }

    /// Which of [`NodeColumns::taint_lists`] the node has.
    pub fn taint_list_of(&self, node: NodeIdx) -> usize {
        self.taint_list_of[node]
    }
}
