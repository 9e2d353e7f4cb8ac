//! Pods: small rows that point to templates, and where each of them is.

use std::mem;

use bayplan_api::{Pod, PodPhase, Str, Time};

use super::ports::UsedPorts;
use super::undo::Undo;
use super::{Cluster, ClusterError, Kept, KeptFields, MAX_ROWS, PodInfo, StorageChange};
use crate::index_vec::{AbsentId, Idx, NodeIdx, PodIdx, TemplateId};

/// One pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRow {
    /// `metadata.namespace`.
    pub namespace: Str,
    /// `metadata.name`.
    pub name: Str,
    /// Where it is.
    pub place: Place,
    /// What it shares with its equals.
    pub template: TemplateId,
    /// The template of what kube-scheduler still knows of a nominated pod that is being deleted, once it has passed it over:
    /// a pod that asks for nothing.
    pub shell: Option<TemplateId>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub terminating: bool,
    /// Whether it counts where it is before anybody bound it (`Cache.AssumePod`).
    pub assumed: bool,
    /// Whether the pod is being deleted because kube-scheduler evicted it for another.
    pub preempted: bool,
    /// Names of `spec.schedulingGates`.
    pub scheduling_gates: Box<[Str]>,
    /// `status.nominatedNodeName`, whether or not there is such a node; empty when absent.
    pub nominated: Str,
    /// `status.startTime`, the nanoseconds as bytes, which need no alignment; [`NOT_STARTED`] when absent.
    start_time: [u8; 16],
    /// What decisions do not read.
    pub kept: Kept,
}

/// A moment before all that a time stamp can say.
const NOT_STARTED: i128 = i128::MIN;

/// Where a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Not assigned: it waits for a decision.
    Pending,
    /// It counts on a node.
    On(NodeIdx),
    /// Its `spec.nodeName` is no node of the cluster: it counts nowhere.
    Elsewhere(AbsentId),
    /// Succeeded or Failed: it does not exist for the scheduler.
    Finished,
    /// It was evicted for another pod.
    Evicted,
    /// It was deleted; its row stays empty.
    Deleted,
}

impl Place {
    /// Whether the pod is still one of the cluster.
    pub const fn exists(self) -> bool {
        !matches!(self, Self::Evicted | Self::Deleted)
    }
}

impl PodRow {
    /// Takes what is a pod's own out of `pod` and leaves what others may share, `spec.nodeName` and, where the names of its claims
    /// are made of them, its name and UID.
    pub(super) fn take(pod: &mut Pod) -> Self {
        let terminating = pod.metadata.deletion_timestamp.is_some();
        let finished = is_finished(pod);
        let preempted = terminating && is_preempted(pod);
        let named = PodInfo::is_named(pod);
        let own = |text: &mut Str| if named { text.clone() } else { mem::take(text) };
        let Pod { metadata, spec, status } = pod;
        let started = status.start_time.take().map_or(NOT_STARTED, |start| start.unix_nanos);
        let kept = KeptFields {
            uid: own(&mut metadata.uid),
            resource_version: mem::take(&mut metadata.resource_version),
            annotations: mem::take(&mut metadata.annotations),
            creation_timestamp: metadata.creation_timestamp.take(),
            deletion_timestamp: metadata.deletion_timestamp.take(),
            node_name: if finished { mem::take(&mut spec.node_name) } else { Str::EMPTY },
            phase: mem::take(&mut status.phase),
            pod_ips: mem::take(&mut status.pod_ips),
            host_ip: mem::take(&mut status.host_ip),
        };
        Self {
            namespace: metadata.namespace.clone(),
            name: own(&mut metadata.name),
            place: if finished { Place::Finished } else { Place::Pending },
            template: TemplateId::from_index(usize::MAX),
            shell: None,
            terminating,
            assumed: false,
            preempted,
            scheduling_gates: mem::take(&mut spec.scheduling_gates).into_boxed_slice(),
            nominated: mem::take(&mut status.nominated_node_name),
            start_time: started.to_le_bytes(),
            kept: Kept::from(&kept),
        }
    }

    /// `status.startTime`.
    pub fn start_time(&self) -> Option<Time> {
        let unix_nanos = i128::from_le_bytes(self.start_time);
        (unix_nanos != NOT_STARTED).then_some(Time { unix_nanos })
    }

    /// `metadata.uid`; empty when the dump has none.
    pub fn uid(&self) -> Str {
        self.kept.uid()
    }

    /// Whether that is the pod's namespace and name.
    pub(super) fn is_named(&self, namespace: &str, name: &str) -> bool {
        *self.name == *name && *self.namespace == *namespace
    }

    /// Whether `uid` may mean the pod: it is its UID, or one of the two is not known.
    pub(super) fn may_have_uid(&self, uid: &str) -> bool {
        uid.is_empty() || self.kept.has_uid(uid) || self.kept.has_uid("")
    }

    pub(super) fn key(&self) -> (Str, Str) {
        (self.namespace.clone(), self.name.clone())
    }
}

fn is_finished(pod: &Pod) -> bool {
    matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// The type of the condition of a pod that is evicted, and the reason if kube-scheduler evicts it.
pub(super) const DISRUPTION_TARGET: &str = "DisruptionTarget";
pub(super) const PREEMPTION_BY_SCHEDULER: &str = "PreemptionByScheduler";

/// What `podTerminatingByPreemption` asks of a pod that is being deleted; the first condition of the type counts.
fn is_preempted(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter();
    conditions
        .find(|condition| condition.condition_type == DISRUPTION_TARGET)
        .is_some_and(|found| found.status == "True" && found.reason == PREEMPTION_BY_SCHEDULER)
}

impl Cluster {
    /// Adds a pod: on the node that it names, or pending.
    ///
    /// # Errors
    /// [`ClusterError`] when a pod of that namespace and name is there already, or the table is full.
    pub fn add_pod(&mut self, mut pod: Pod) -> Result<PodIdx, ClusterError> {
        let row = PodRow::take(&mut pod);
        self.check_new(&row)?;
        let template = self.intern_template(PodInfo::template_of(&pod));
        let place = self.place_of(&row, &pod.spec.node_name);
        Ok(self.push_pod(PodRow { template, ..row }, place))
    }

    /// Whether there is room for the pod and none of its name.
    pub(super) fn check_new(&self, row: &PodRow) -> Result<(), ClusterError> {
        if self.pods.len() >= MAX_ROWS {
            let count = self.pods.len() + 1;
            return Err(ClusterError::TooMany { kind: "Pod", count, limit: MAX_ROWS });
        }
        let PodRow { namespace, name, .. } = row;
        match self.pod_named(namespace, name) {
            Some(known) if self.pods[known].place.exists() => {
                let name = format!("{namespace}/{name}");
                Err(ClusterError::Duplicate { kind: "Pod", name })
            }
            _ => Ok(()),
        }
    }

    /// Adds a pod whose template is known.
    pub(super) fn push_pod(&mut self, row: PodRow, place: Place) -> PodIdx {
        let index = self.pods.push(PodRow { place: Place::Pending, ..row });
        self.waiting.set(index, true);
        self.log.push(|| Undo::PodPushed);
        self.index_nomination(index);
        let before = self.pod_names.insert(&self.pods, index);
        self.log.push(|| Undo::PodName { key: self.pods[index].key(), before });
        self.put_pod(index, place);
        index
    }

    /// The pod that has a name, or had it when it was evicted.
    pub(super) fn pod_named(&self, namespace: &str, name: &str) -> Option<PodIdx> {
        self.pod_names.get(&self.pods, namespace, name)
    }

    /// Puts another object in a pod's place; an assumed pod stays assumed until its object names a node.
    pub(super) fn update_pod(&mut self, index: PodIdx, mut pod: Pod) {
        let row = PodRow::take(&mut pod);
        let template = self.intern_template(PodInfo::template_of(&pod));
        let was_on = match self.pods[index].place {
            Place::On(node) => self.position_on(node, index).map(|at| (node, at)),
            _ => None,
        };
        let assumed = self.pods[index].assumed;
        let mut place = self.place_of(&row, &pod.spec.node_name);
        let stays = assumed && place == Place::Pending && row.scheduling_gates.is_empty();
        if stays {
            place = self.pods[index].place;
        } else {
            self.settle_reserved(index, place);
        }
        self.take_pod(index);
        let row = PodRow { assumed: stays, template, place: Place::Pending, ..row };
        let before = mem::replace(&mut self.pods[index], row);
        self.log.push(|| Undo::PodRow { pod: index, before: Box::new(before) });
        self.index_nomination(index);
        match (was_on, place) {
            (Some((before, at)), Place::On(node)) if before == node => {
                self.count(index, node, 1);
                self.insert_on(node, at, index);
                self.set_place(index, place);
            }
            _ => self.put_pod(index, place),
        }
    }

    /// Takes a pod out of the cluster; the order of the other pods of its node stays, and what was reserved for it is free.
    pub(super) fn delete_pod(&mut self, index: PodIdx) {
        self.unreserve(index);
        self.take_pod(index);
        self.set_assumed(index, false);
        self.set_place(index, Place::Deleted);
        let key = self.pods[index].key();
        if self.pod_named(&key.0, &key.1) == Some(index) {
            let before = self.pod_names.remove(&self.pods, &key);
            self.log.push(|| Undo::PodName { key, before });
        }
    }

    /// Lets a pending pod count on a node (`Cache.AssumePod`), behind the pods that the node has.
    pub fn assume_pod(&mut self, pod: PodIdx, node: NodeIdx) {
        self.note_place(pod, Place::On(node));
        self.pods[pod].assumed = true;
        self.count_change(pod, node, 1);
        self.nodes.pods[node].push(pod);
        self.log.push(|| Undo::PodAssumed(pod));
    }

    /// Undoes [`Cluster::assume_pod`].
    pub(super) fn unassume_pod(&mut self, pod: PodIdx) {
        if let Place::On(node) = self.pods[pod].place {
            self.nodes.pods[node].pop();
            self.count_change(pod, node, -1);
        }
        self.note_place(pod, Place::Pending);
        self.pods[pod].assumed = false;
    }

    /// Reserves for a pod that is assumed what it will use.
    pub(crate) fn reserve(&mut self, pod: PodIdx, changes: Vec<StorageChange>) {
        for change in &changes {
            self.change_storage(change.clone());
        }
        if !changes.is_empty() {
            self.set_reserved(pod, changes);
        }
    }

    /// Lets an assumed pod wait again (`Cache.ForgetPod`, after `Unreserve`).
    pub(super) fn forget_pod(&mut self, pod: PodIdx) {
        self.unreserve(pod);
        self.take_pod(pod);
        self.set_assumed(pod, false);
        self.set_place(pod, Place::Pending);
    }

    /// Lets a pod that waits or is assumed be assumed on a node, or bound to it; where it is assumed, it stays.
    pub(super) fn place_pod(&mut self, pod: PodIdx, node: NodeIdx, assumed: bool) {
        self.settle_reserved(pod, Place::On(node));
        if self.pods[pod].place != Place::On(node) {
            self.take_pod(pod);
            self.put_pod(pod, Place::On(node));
        }
        self.set_assumed(pod, assumed);
    }

    /// The pods that wait and are nominated to a node, in the queue or not, in the order of their rows.
    pub(crate) fn nominated_pods(&self) -> impl Iterator<Item = PodIdx> {
        self.nominated.iter().copied()
    }

    /// Nominates a pod to a node, or with an empty name to none.
    pub(crate) fn nominate(&mut self, pod: PodIdx, node: Str) {
        if self.pods[pod].nominated != node {
            let before = mem::replace(&mut self.pods[pod].nominated, node);
            self.log.push(|| Undo::Nominated { pod, before });
            self.index_nomination(pod);
        }
    }

    /// Notes that the queue has passed over a pod that is being deleted: if it is nominated, it goes on being so as a pod that
    /// asks for nothing.
    pub(crate) fn pass_over(&mut self, pod: PodIdx) {
        let row = &self.pods[pod];
        if !row.nominated.is_empty() && row.shell.is_none() {
            let mut shell = Pod::default();
            shell.metadata.namespace = row.namespace.clone();
            let template = self.intern_template(shell);
            self.pods[pod].shell = Some(template);
            self.log.push(|| Undo::PassedOver(pod));
        }
    }

    /// Notes whether the pod waits and its row names a node to which it is nominated.
    pub(super) fn index_nomination(&mut self, pod: PodIdx) {
        let waits = |row: &PodRow| row.place == Place::Pending && !row.nominated.is_empty();
        if self.pods.get(pod).is_some_and(waits) {
            self.nominated.insert(pod);
        } else {
            self.nominated.remove(&pod);
        }
    }

    /// Takes a pod off its node (`Cache.RemovePod`); the last pod of the node takes its place, as in kube-scheduler.
    pub fn evict_pod(&mut self, pod: PodIdx) {
        let Place::On(node) = self.pods[pod].place else { return };
        self.forget_reserved(pod);
        self.set_assumed(pod, false);
        self.count(pod, node, -1);
        if let Some(at) = self.position_on(node, pod) {
            self.nodes.pods[node].swap_remove(at);
            self.log.push(|| Undo::SwapRemoved { node, at, pod });
        }
        self.set_place(pod, Place::Evicted);
    }

    /// Pods whose node came into being count there from now on.
    pub(super) fn settle_absent(&mut self, node: NodeIdx) {
        let name = self.nodes.name(node).clone();
        let Some(absent) = self.absent.get_index_of(&name).map(AbsentId::from_index) else {
            return;
        };
        for pod in self.absent_pods(absent).to_vec() {
            self.take_pod(pod);
            self.put_pod(pod, Place::On(node));
        }
    }

    /// The pods of a node that goes count nowhere from now on.
    pub(super) fn unsettle(&mut self, node: NodeIdx) {
        let name = self.nodes.name(node).clone();
        for pod in self.nodes.pods[node].clone() {
            self.take_pod(pod);
            let absent = self.absent_node(&name);
            self.put_pod(pod, Place::Elsewhere(absent));
        }
    }

    /// Where a new pod is to be whose `spec.nodeName` is `name`.
    pub(super) fn place_of(&mut self, row: &PodRow, name: &Str) -> Place {
        if row.place == Place::Finished {
            return Place::Finished;
        }
        if name.is_empty() {
            return Place::Pending;
        }
        match self.nodes.labels.find_node(name) {
            Some(node) => Place::On(node),
            None => Place::Elsewhere(self.absent_node(name)),
        }
    }

    /// Puts a pod that is nowhere where it is to be: on a node, where it would stand had all pods been read in the order of
    /// their rows.
    fn put_pod(&mut self, pod: PodIdx, place: Place) {
        match place {
            Place::On(node) => {
                self.count(pod, node, 1);
                let pods = &self.nodes.pods[node];
                let at = pods.iter().rposition(|&other| other < pod).map_or(0, |at| at + 1);
                self.insert_on(node, at, pod);
            }
            Place::Elsewhere(absent) => {
                let at = self.absent_pods(absent).binary_search(&pod).unwrap_or_else(|at| at);
                self.insert_absent(absent, at, pod);
            }
            _ => {}
        }
        self.set_place(pod, place);
    }

    /// Takes a pod from where it is; it is nowhere then.
    fn take_pod(&mut self, pod: PodIdx) {
        match self.pods[pod].place {
            Place::On(node) => {
                self.count(pod, node, -1);
                if let Some(at) = self.position_on(node, pod) {
                    self.remove_on(node, at);
                    self.log.push(|| Undo::Removed { node, at, pod });
                }
                if !self.template(self.pods[pod].template).host_ports.is_empty() {
                    // counting freed a port that another pod may hold too
                    self.nodes.used_ports[node] = self.ports_of_pods(node);
                }
            }
            Place::Elsewhere(absent) => {
                if let Ok(at) = self.absent_pods(absent).binary_search(&pod) {
                    self.remove_absent(absent, at);
                    self.log.push(|| Undo::AbsentRemoved { absent, at, pod });
                }
            }
            _ => {}
        }
        self.set_place(pod, Place::Pending);
    }

    fn position_on(&self, node: NodeIdx, pod: PodIdx) -> Option<usize> {
        // the newest pods leave most often
        self.nodes.pods[node].iter().rposition(|&other| other == pod)
    }

    /// The host ports of the pods that are on a node.
    pub(super) fn ports_of_pods(&self, node: NodeIdx) -> UsedPorts {
        let pods = self.nodes.pods[node].iter();
        let ports = pods.flat_map(|&pod| &self.template(self.pods[pod].template).host_ports);
        ports.cloned().collect()
    }

    fn insert_on(&mut self, node: NodeIdx, at: usize, pod: PodIdx) {
        self.nodes.pods[node].insert(at, pod);
        self.log.push(|| Undo::Inserted { node, at });
    }

    /// Takes the pod at a position off the node's list.
    pub(super) fn remove_on(&mut self, node: NodeIdx, at: usize) {
        self.nodes.pods[node].remove(at);
    }

    fn insert_absent(&mut self, absent: AbsentId, at: usize, pod: PodIdx) {
        if let Some((_, pods)) = self.absent.get_index_mut(absent.index()) {
            pods.insert(at, pod);
            self.log.push(|| Undo::AbsentInserted { absent, at });
        }
    }

    pub(super) fn remove_absent(&mut self, absent: AbsentId, at: usize) {
        if let Some((_, pods)) = self.absent.get_index_mut(absent.index()) {
            pods.remove(at);
        }
    }

    fn absent_node(&mut self, name: &Str) -> AbsentId {
        let known = self.absent.len();
        let entry = self.absent.entry(name.clone());
        let absent = AbsentId::from_index(entry.index());
        entry.or_default();
        if self.absent.len() > known {
            self.log.push(|| Undo::AbsentPushed);
        }
        absent
    }

    /// The name of a node that is not in the cluster.
    pub fn absent_name(&self, absent: AbsentId) -> &str {
        self.absent.get_index(absent.index()).map_or("", |(name, _)| name.as_str())
    }

    /// The pod of that uid, which is looked for from the first row on.
    pub fn find_pod_by_uid(&self, uid: &str) -> Option<PodIdx> {
        let mut pods = self.pods.iter_enumerated();
        pods.find(|(_, row)| row.place.exists() && row.kept.has_uid(uid)).map(|(pod, _)| pod)
    }

    fn absent_pods(&self, absent: AbsentId) -> &[PodIdx] {
        self.absent.get_index(absent.index()).map_or(&[], |(_, pods)| pods.as_slice())
    }

    fn set_place(&mut self, pod: PodIdx, place: Place) {
        let before = self.note_place(pod, place);
        if before != place {
            self.log.push(|| Undo::Place { pod, before });
        }
    }

    /// Writes where a pod is; gives back where it was.
    pub(super) fn note_place(&mut self, pod: PodIdx, place: Place) -> Place {
        self.waiting.set(pod, place == Place::Pending);
        let before = mem::replace(&mut self.pods[pod].place, place);
        if !self.pods[pod].nominated.is_empty() {
            self.index_nomination(pod);
        }
        before
    }

    /// The pods that wait for a decision, in the order of their rows.
    pub fn waiting(&self) -> impl Iterator<Item = PodIdx> {
        self.waiting.iter()
    }

    fn set_assumed(&mut self, pod: PodIdx, assumed: bool) {
        if mem::replace(&mut self.pods[pod].assumed, assumed) != assumed {
            self.log.push(|| Undo::Assumed { pod, before: !assumed });
        }
    }

    /// `Unreserve`: what was assumed for the pod is again what the objects say.
    fn unreserve(&mut self, pod: PodIdx) {
        if self.reserved.contains_key(&pod) {
            for change in self.set_reserved(pod, Vec::new()) {
                self.change_storage(self.storage.restoring(&change));
            }
        }
    }

    /// What was reserved for a pod is bound with it where it is assumed, and free if it comes elsewhere.
    fn settle_reserved(&mut self, pod: PodIdx, place: Place) {
        if place == self.pods[pod].place {
            self.forget_reserved(pod);
        } else {
            self.unreserve(pod);
        }
    }

    /// What was reserved stays as it is, whatever becomes of the pod.
    fn forget_reserved(&mut self, pod: PodIdx) {
        if self.reserved.contains_key(&pod) {
            self.set_reserved(pod, Vec::new());
        }
    }

    fn set_reserved(&mut self, pod: PodIdx, changes: Vec<StorageChange>) -> Vec<StorageChange> {
        let before = if changes.is_empty() {
            self.reserved.swap_remove(&pod)
        } else {
            self.reserved.insert(pod, changes)
        };
        let before = before.unwrap_or_default();
        self.log.push(|| Undo::Reserved { pod, before: before.clone() });
        before
    }

    fn count(&mut self, pod: PodIdx, node: NodeIdx, delta: i64) {
        self.count_change(pod, node, delta);
        self.log.push(|| Undo::Counted { pod, node, delta });
    }
}
