//! The nodes: one column a property, one row a node.

use bayplan_api::{Node, Taint};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::codes::CodeColumn;
use super::images::Images;
use super::labels::{NewLabel, NodeLabels};
use super::pod_info::PodInfo;
use super::ports::UsedPorts;
use crate::go::len64;
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx, PodIdx, ResourceId, TemplateId};
use crate::node_set::NodeSet;
use crate::resource::{PODS, Resources, amounts};

/// What is known of all nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeColumns {
    pub(super) objects: IndexVec<NodeIdx, Node>,
    live: NodeSet,
    /// Labels and names.
    pub labels: NodeLabels,
    /// Images.
    pub images: Images,
    /// `spec.unschedulable`.
    pub unschedulable: NodeSet,
    taint_lists: IndexSet<Vec<Taint>, FxBuildHasher>,
    taint_list_of: CodeColumn,
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

/// What a change of nodes added to tables that only grow; each is the last of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grown {
    /// A label's key or value.
    Label(NewLabel),
    /// A list of taints.
    TaintList,
    /// Image names: how many there were before.
    Images(usize),
    /// Resources: how many there were before.
    Resources(usize),
}

impl NodeColumns {
    /// Adds an empty row for a node and lets it be one of the nodes.
    pub(super) fn push(
        &mut self,
        node: Node,
        resources: &mut Resources,
        grown: impl FnMut(Grown),
    ) -> NodeIdx {
        let row = self.objects.push(node);
        self.allowed_pods.push(0);
        self.pod_count.push(0);
        self.non_zero_milli_cpu.push(0);
        self.non_zero_memory.push(0);
        self.used_ports.push(UsedPorts::default());
        self.volume_pods.push(Vec::new());
        self.pods.push(Vec::new());
        for column in self.resources.as_mut_slice() {
            column.allocatable.push(0);
            column.requested.push(0);
        }
        self.resize_sets();
        self.insert(row, resources, grown);
        row
    }

    /// Takes the last row off, which is none of the nodes.
    pub(super) fn pop(&mut self) {
        self.objects.pop();
        self.allowed_pods.pop();
        self.pod_count.pop();
        self.non_zero_milli_cpu.pop();
        self.non_zero_memory.pop();
        self.used_ports.pop();
        self.volume_pods.pop();
        self.pods.pop();
        for column in self.resources.as_mut_slice() {
            column.allocatable.pop();
            column.requested.pop();
        }
        self.resize_sets();
    }

    fn resize_sets(&mut self) {
        let rows = self.objects.len();
        self.labels.resize(rows);
        self.taint_list_of.resize(rows);
        self.live.resize(rows);
        self.unschedulable.resize(rows);
        for column in self.resources.as_mut_slice() {
            column.offered.resize(rows);
        }
    }

    /// Lets the row be one of the nodes, with what its object says.
    pub(super) fn insert(
        &mut self,
        row: NodeIdx,
        resources: &mut Resources,
        mut grown: impl FnMut(Grown),
    ) {
        let node = &self.objects[row];
        self.live.insert(row);
        self.labels.add_node(row, node, |new| grown(Grown::Label(new)));
        let images = self.images.len();
        self.images.add_node(row, node);
        if self.images.len() > images {
            grown(Grown::Images(images));
        }
        self.insert_rest(row, resources, grown);
    }

    /// The columns beside labels and images: they do not look at other rows.
    fn insert_rest(
        &mut self,
        row: NodeIdx,
        resources: &mut Resources,
        mut grown: impl FnMut(Grown),
    ) {
        let node = &self.objects[row];
        self.unschedulable.set(row, node.spec.unschedulable);
        let (list, is_new) = self.taint_lists.insert_full(node.spec.taints.clone());
        if is_new {
            grown(Grown::TaintList);
        }
        self.taint_list_of.set(row, Domain::from_index(list));
        let allocatable = &node.status.allocatable;
        self.allowed_pods[row] = allocatable.get(PODS).map_or(0, bayplan_api::Quantity::value);
        let known = resources.len();
        let amounts = amounts(resources, allocatable);
        if resources.len() > known {
            grown(Grown::Resources(known));
        }
        self.widen(resources);
        for column in self.resources.as_mut_slice() {
            column.allocatable[row] = 0;
            column.offered.remove(row);
        }
        for (resource, amount) in amounts {
            let column = &mut self.resources[resource];
            column.allocatable[row] = amount;
            column.offered.insert(row);
        }
    }

    /// Lets the row be none of the nodes any more; its object stays, for those who still ask for its name.
    pub(super) fn remove(&mut self, row: NodeIdx) {
        let node = &self.objects[row];
        self.live.remove(row);
        self.labels.remove_node(row, node);
        self.images.remove_node(row, node, &self.objects);
        self.unschedulable.remove(row);
        for column in self.resources.as_mut_slice() {
            column.allocatable[row] = 0;
            column.offered.remove(row);
        }
    }

    /// Puts another object of the same name in a node's place; gives back the one before.
    pub(super) fn replace(
        &mut self,
        row: NodeIdx,
        node: Node,
        resources: &mut Resources,
        mut grown: impl FnMut(Grown),
    ) -> Node {
        let labels = self.objects[row].metadata.labels != node.metadata.labels;
        let images = self.objects[row].status.images != node.status.images;
        if labels {
            self.labels.remove_node(row, &self.objects[row]);
        }
        if images {
            self.images.remove_node(row, &self.objects[row], &self.objects);
        }
        let before = std::mem::replace(&mut self.objects[row], node);
        let node = &self.objects[row];
        if labels {
            self.labels.add_node(row, node, |new| grown(Grown::Label(new)));
        }
        if images {
            let known = self.images.len();
            self.images.add_node(row, node);
            if self.images.len() > known {
                grown(Grown::Images(known));
            }
        }
        self.insert_rest(row, resources, grown);
        before
    }

    /// Takes back what only grew.
    pub(super) fn forget(&mut self, grown: Grown, resources: &mut Resources) {
        match grown {
            Grown::Label(new) => self.labels.forget(new),
            Grown::TaintList => drop(self.taint_lists.pop()),
            Grown::Images(known) => self.images.truncate(known),
            Grown::Resources(known) => {
                resources.truncate(known);
                self.resources.truncate(known);
            }
        }
    }

    /// Makes columns for resources that are new.
    pub(super) fn widen(&mut self, resources: &Resources) {
        while self.resources.len() < resources.len() {
            self.resources.push(ResourceColumn {
                allocatable: IndexVec::filled(0, self.row_count()),
                requested: IndexVec::filled(0, self.row_count()),
                offered: NodeSet::empty(self.row_count()),
            });
        }
    }

    /// `NodeInfo.update`: adds a pod to a row, or takes it off; integers wrap as in Go.
    pub(super) fn count_pod(
        &mut self,
        template: TemplateId,
        pod: &PodInfo,
        node: NodeIdx,
        delta: i64,
    ) {
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

    /// How many rows the columns have: the nodes, and those that were taken out.
    pub const fn row_count(&self) -> usize {
        self.objects.len()
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.live.count()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// How many nodes there are, as Go counts them.
    pub fn count64(&self) -> i64 {
        len64(self.count())
    }

    /// The nodes; a row that was taken out is none.
    pub const fn live(&self) -> &NodeSet {
        &self.live
    }

    /// The nodes in node order.
    pub fn iter(&self) -> impl Iterator<Item = NodeIdx> {
        self.live.iter()
    }

    /// All rows, whether they are nodes or not.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = NodeIdx> + use<> {
        self.objects.indices()
    }

    /// The node's object.
    pub fn object(&self, node: NodeIdx) -> &Node {
        &self.objects[node]
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
        self.taint_list_of.get(node).index()
    }

    /// The nodes whose lists of taints are wanted; each distinct list is looked at once.
    pub(crate) fn with_taints(&self, wanted: impl Fn(&[Taint]) -> bool) -> NodeSet {
        let wanted: IndexVec<Domain, bool> = self.taint_lists().map(wanted).collect();
        self.taint_list_of.with(|list| wanted.get(list).copied().unwrap_or(false))
    }
}
