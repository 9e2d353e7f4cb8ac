//! Events: objects that come, change and go, and what a scheduler and `kubectl` do to pods and nodes.

use bayplan_api::{Event, Kind, Node, Object, ObjectKey, Pod, Str, Taint, TaintEffect};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::pods::Place;
use super::storage::claim_name;
use super::undo::Undo;
use super::{Cluster, ClusterError, MAX_ROWS};
use crate::index_vec::{Idx, NodeIdx, ObjectIdx, PodIdx};

/// Why an event cannot happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such object.
    #[error("there is no {0}")]
    NotFound(ObjectKey),
    /// There is one already.
    #[error("{0} is there already")]
    AlreadyExists(ObjectKey),
    /// The pod does not wait.
    #[error("{pod} does not wait: it {state}")]
    NotPending {
        /// Which pod.
        pod: ObjectKey,
        /// What it does instead.
        state: String,
    },
    /// The pod was not assumed, and cannot be forgotten.
    #[error("{0} was not assumed, so it cannot be forgotten")]
    NotAssumed(ObjectKey),
    /// The node has no such taint.
    #[error("Node {node} has no taint {taint}")]
    NoTaint {
        /// The node's name.
        node: Str,
        /// The taint's key, and its effect if one was named.
        taint: Str,
    },
    /// A table would be too long.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Which of several events cannot happen, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {position}: {error}")]
pub struct ApplyError {
    /// The event's position, from 0.
    pub position: usize,
    /// Why it cannot happen.
    pub error: ChangeError,
}

/// Storage objects that changed, on which it depends what pods attach.
#[derive(Debug, Default)]
struct Touched {
    claims: IndexSet<(Str, Str), FxBuildHasher>,
    volumes: IndexSet<Str, FxBuildHasher>,
    classes: bool,
}

impl Touched {
    fn note(&mut self, key: &ObjectKey) {
        match key.kind {
            Kind::PersistentVolumeClaim => {
                self.claims.insert((key.namespace.clone(), key.name.clone()));
            }
            Kind::PersistentVolume => {
                self.volumes.insert(key.name.clone());
            }
            Kind::StorageClass => self.classes = true,
            _ => {}
        }
    }
}

impl Cluster {
    /// Lets events happen one after another, all of them or none.
    ///
    /// The cluster is then as if its objects had been read in their new state: an object that changed keeps its place
    /// among those of its kind, one that came is the last, and one that came with another uid than that of its name is
    /// another object.
    ///
    /// # Errors
    /// [`ApplyError`] for the first event that cannot happen; the cluster is then as it was.
    pub fn apply(&mut self, events: impl IntoIterator<Item = Event>) -> Result<(), ApplyError> {
        let fork = self.fork();
        let mut touched = Touched::default();
        let mut events = events.into_iter().enumerate();
        let result = events.try_for_each(|(position, event)| {
            self.apply_one(event, &mut touched).map_err(|error| ApplyError { position, error })
        });
        if result.is_ok() {
            self.refresh_touched(touched);
        }
        let ended = if result.is_ok() { self.commit(fork) } else { self.rollback(fork) };
        debug_assert_eq!(ended, Ok(()), "the fork was opened here");
        result
    }

    /// Adds an object of a kind other than `Pod`.
    pub(super) fn add_object(&mut self, object: Object) -> Result<(), ClusterError> {
        let key = object.key();
        if self.find_object(&ObjectKey { uid: Str::EMPTY, ..key.clone() }).is_some() {
            let separator = if key.namespace.is_empty() { "" } else { "/" };
            let name = format!("{}{separator}{}", key.namespace, key.name);
            return Err(ClusterError::Duplicate { kind: key.kind.name(), name });
        }
        if key.kind == Kind::Node && self.nodes.row_count() >= MAX_ROWS {
            let count = self.nodes.row_count() + 1;
            return Err(ClusterError::TooMany { kind: "Node", count, limit: MAX_ROWS });
        }
        self.put_object(object);
        Ok(())
    }

    fn apply_one(&mut self, event: Event, touched: &mut Touched) -> Result<(), ChangeError> {
        match event {
            Event::Added(object) => self.added(object, touched),
            Event::Modified(object) => self.modified(object, touched),
            Event::Deleted(key) => self.deleted(&key, touched),
            Event::Assume { pod, node } => {
                let (index, node) = (self.pod_of(&pod)?, self.node_named(&node)?);
                self.must_wait(&pod, index)?;
                self.place_pod(index, node, true);
                Ok(())
            }
            Event::Forget { pod } => {
                let index = self.pod_of(&pod)?;
                if !self.pods[index].assumed {
                    return Err(ChangeError::NotAssumed(pod));
                }
                self.forget_pod(index);
                Ok(())
            }
            Event::Bind { pod, node } => {
                let (index, node) = (self.pod_of(&pod)?, self.node_named(&node)?);
                if !self.pods[index].assumed {
                    self.must_wait(&pod, index)?;
                }
                self.place_pod(index, node, false);
                Ok(())
            }
            Event::Cordon { node } => {
                self.change_node(&node, |node| node.spec.unschedulable = true)
            }
            Event::Uncordon { node } => {
                self.change_node(&node, |node| node.spec.unschedulable = false)
            }
            Event::Label { node, labels } => self.change_node(&node, |node| {
                for (key, value) in labels.iter() {
                    match value {
                        Some(value) => node.metadata.labels.insert(key.clone(), value.clone()),
                        None => node.metadata.labels.remove(key),
                    };
                }
            }),
            Event::Taint { node, taints } => {
                self.change_node(&node, |node| taints.into_iter().for_each(|one| taint(node, one)))
            }
            Event::Untaint { node, key, effect } => {
                let is_meant = |taint: &Taint| is_taint(taint, &key, effect);
                let row = self.node_named(&node)?;
                if !self.nodes.object(row).spec.taints.iter().any(is_meant) {
                    let taint = effect
                        .map_or(key.clone(), |effect| format!("{key}:{}", effect.as_str()).into());
                    return Err(ChangeError::NoTaint { node, taint });
                }
                self.change_node(&node, |node| node.spec.taints.retain(|taint| !is_meant(taint)))
            }
            Event::Resize { node, allocatable } => self.change_node(&node, |node| {
                for (name, amount) in allocatable.iter() {
                    node.status.allocatable.insert(name.clone(), amount.clone());
                }
            }),
        }
    }

    fn added(&mut self, object: Object, touched: &mut Touched) -> Result<(), ChangeError> {
        let key = object.key();
        let by_name = ObjectKey { uid: Str::EMPTY, ..key.clone() };
        if !key.uid.is_empty() && self.evicted(&key).is_some() {
            return Ok(());
        }
        if self.exists(&by_name) {
            // a watch that begins anew tells of what is known already
            if !key.uid.is_empty() && self.uid_of(&by_name).is_some_and(|uid| uid == key.uid) {
                return self.modified(object, touched);
            }
            return Err(ChangeError::AlreadyExists(by_name));
        }
        touched.note(&key);
        match object {
            Object::Pod(pod) => drop(self.add_pod(*pod)?),
            object => self.add_object(object)?,
        }
        Ok(())
    }

    fn modified(&mut self, object: Object, touched: &mut Touched) -> Result<(), ChangeError> {
        let key = object.key();
        let by_name = ObjectKey { uid: Str::EMPTY, ..key.clone() };
        if self.evicted(&key).is_some() {
            // it is on its way out elsewhere; here it is gone already
            return Ok(());
        }
        let Some(uid) = self.uid_of(&by_name) else {
            return Err(ChangeError::NotFound(by_name));
        };
        touched.note(&key);
        if !uid.is_empty() && !key.uid.is_empty() && uid != key.uid {
            self.deleted(&by_name, touched)?;
            return self.added(object, touched);
        }
        match object {
            Object::Pod(pod) => self.update_pod(self.pod_of(&by_name)?, *pod),
            object => self.put_object(object),
        }
        Ok(())
    }

    fn deleted(&mut self, key: &ObjectKey, touched: &mut Touched) -> Result<(), ChangeError> {
        if key.kind == Kind::Pod {
            let evicted = self.evicted(key);
            let pod = evicted.map_or_else(|| self.pod_of(key), Ok)?;
            self.delete_pod(pod);
            return Ok(());
        }
        let not_found = || ChangeError::NotFound(key.clone());
        let row = self.find_object(key).ok_or_else(not_found)?;
        touched.note(&self.key_of(key.kind, row));
        let object = ObjectIdx::from_index(row);
        let owners = &mut self.owners;
        let undo = match key.kind {
            Kind::Node => {
                let node = NodeIdx::from_index(row);
                self.unsettle(node);
                self.nodes.remove(node);
                self.storage.nodes_changed();
                Some(Undo::NodeRemoved(node))
            }
            Kind::Namespace => self.namespaces.remove(object).map(Undo::from),
            Kind::Service => owners.services.remove(object).map(Undo::from),
            Kind::ReplicationController => {
                owners.replication_controllers.remove(object).map(Undo::from)
            }
            Kind::ReplicaSet => owners.replica_sets.remove(object).map(Undo::from),
            Kind::StatefulSet => owners.stateful_sets.remove(object).map(Undo::from),
            Kind::PodDisruptionBudget => self.pod_disruption_budgets.remove(object).map(Undo::from),
            Kind::PriorityClass => self.priority_classes.remove(object).map(Undo::from),
            kind => {
                let log = &mut self.log;
                self.storage.remove(kind, row, &mut |undo| {
                    log.push(|| Undo::Storage(Box::new(undo)));
                });
                None
            }
        };
        if let Some(undo) = undo {
            self.log.push(|| undo);
        }
        self.touch();
        Ok(())
    }

    /// Puts an object of a kind other than `Pod` where the one of its name stood, or behind the others of its kind.
    fn put_object(&mut self, object: Object) {
        self.touch();
        let owners = &mut self.owners;
        let undo = match object {
            Object::Node(node) => return self.put_node(*node),
            Object::Namespace(object) => self.namespaces.put(*object).1.into(),
            Object::Service(object) => owners.services.put(*object).1.into(),
            Object::ReplicationController(object) => {
                owners.replication_controllers.put(*object).1.into()
            }
            Object::ReplicaSet(object) => owners.replica_sets.put(*object).1.into(),
            Object::StatefulSet(object) => owners.stateful_sets.put(*object).1.into(),
            Object::PodDisruptionBudget(object) => {
                self.pod_disruption_budgets.put(*object).1.into()
            }
            Object::PriorityClass(object) => self.priority_classes.put(*object).1.into(),
            object => {
                let log = &mut self.log;
                self.storage.put(object, &mut |undo| {
                    log.push(|| Undo::Storage(Box::new(undo)));
                });
                return;
            }
        };
        self.log.push(|| undo);
    }

    fn put_node(&mut self, node: Node) {
        let log = &mut self.log;
        let Some(row) = self.nodes.labels.find_node(&node.metadata.name) else {
            log.push(|| Undo::NodePushed);
            let grown = |grown| log.push(|| Undo::Grown(grown));
            let row = self.nodes.push(node, &mut self.resources, grown);
            self.storage.nodes_changed();
            self.settle_absent(row);
            return;
        };
        let relabelled = self.nodes.object(row).metadata.labels != node.metadata.labels;
        let before = self.nodes.object(row);
        log.push(|| Undo::NodeReplaced { node: row, before: Box::new(before.clone()) });
        let grown = |grown| log.push(|| Undo::Grown(grown));
        self.nodes.replace(row, node, &mut self.resources, grown);
        if relabelled {
            self.storage.nodes_changed();
        }
    }

    fn change_node(
        &mut self,
        name: &Str,
        change: impl FnOnce(&mut Node),
    ) -> Result<(), ChangeError> {
        let row = self.node_named(name)?;
        let mut node = self.nodes.object(row).clone();
        change(&mut node);
        if node != *self.nodes.object(row) {
            self.touch();
            self.put_node(node);
        }
        Ok(())
    }

    /// Works out again what pods attach whose claims, or what these are bound to, changed.
    fn refresh_touched(&mut self, mut touched: Touched) {
        for claim in self.storage.claims_bound_to(&touched.volumes) {
            touched.claims.insert(claim);
        }
        if !touched.classes && touched.claims.is_empty() {
            return;
        }
        self.refresh_attachments(|pod: &Pod| {
            let namespace = &pod.metadata.namespace;
            let mut names = pod.spec.volumes.iter().filter_map(|volume| claim_name(pod, volume));
            touched.classes || names.any(|name| touched.claims.contains(&(namespace.clone(), name)))
        });
    }

    fn must_wait(&self, key: &ObjectKey, pod: PodIdx) -> Result<(), ChangeError> {
        let row = &self.pods[pod];
        let state = match row.place {
            Place::Pending if row.scheduling_gates.is_empty() => return Ok(()),
            Place::Pending => "is gated".to_owned(),
            Place::On(node) if row.assumed => format!("is assumed on {}", self.nodes.name(node)),
            Place::On(node) => format!("is on {}", self.nodes.name(node)),
            Place::Elsewhere(absent) => {
                format!("is on {}, which is not in the cluster", self.absent_name(absent))
            }
            Place::Finished => "has finished".to_owned(),
            Place::Evicted => "was evicted".to_owned(),
            Place::Deleted => "was deleted".to_owned(),
        };
        Err(ChangeError::NotPending { pod: key.clone(), state })
    }

    /// The pod that is meant, if it was evicted and nobody has said since that it is gone.
    fn evicted(&self, key: &ObjectKey) -> Option<PodIdx> {
        if key.kind != Kind::Pod {
            return None;
        }
        self.pod_named(&key.namespace, &key.name).filter(|&pod| {
            let row = &self.pods[pod];
            row.place == Place::Evicted && row.may_have_uid(&key.uid)
        })
    }

    fn exists(&self, key: &ObjectKey) -> bool {
        match key.kind {
            Kind::Pod => self.pod_of(key).is_ok(),
            _ => self.find_object(key).is_some(),
        }
    }

    /// The uid of an object, empty if it has none; `None` if there is no such object.
    fn uid_of(&self, key: &ObjectKey) -> Option<Str> {
        match key.kind {
            Kind::Pod => self.pod_of(key).ok().map(|pod| self.pods[pod].uid()),
            kind => self.find_object(key).map(|row| self.key_of(kind, row).uid),
        }
    }

    fn node_named(&self, name: &Str) -> Result<NodeIdx, ChangeError> {
        self.nodes.labels.find_node(name).ok_or_else(|| {
            ChangeError::NotFound(ObjectKey::named(Kind::Node, Str::EMPTY, name.clone()))
        })
    }

    /// The pod that is meant: by name, by uid, or by both.
    fn pod_of(&self, key: &ObjectKey) -> Result<PodIdx, ChangeError> {
        let exists = |pod: &PodIdx| self.pods[*pod].place.exists();
        let found = if key.name.is_empty() {
            self.find_pod_by_uid(&key.uid)
        } else {
            let named = self.pod_named(&key.namespace, &key.name).filter(exists);
            named.filter(|&pod| self.pods[pod].may_have_uid(&key.uid))
        };
        found.ok_or_else(|| ChangeError::NotFound(key.clone()))
    }

    /// The row of an object of a kind other than `Pod`.
    fn find_object(&self, key: &ObjectKey) -> Option<usize> {
        match key.kind {
            Kind::Node if key.name.is_empty() => {
                let mut nodes = self.nodes.iter();
                nodes.find(|&row| self.nodes.object(row).metadata.uid == key.uid).map(Idx::index)
            }
            Kind::Node => {
                let row = self.nodes.labels.find_node(&key.name)?;
                let uid = &self.nodes.object(row).metadata.uid;
                let is_meant = key.uid.is_empty() || uid.is_empty() || *uid == key.uid;
                is_meant.then(|| row.index())
            }
            Kind::Namespace => self.namespaces.find_key(key).map(Idx::index),
            Kind::Service => self.owners.services.find_key(key).map(Idx::index),
            Kind::ReplicationController => {
                self.owners.replication_controllers.find_key(key).map(Idx::index)
            }
            Kind::ReplicaSet => self.owners.replica_sets.find_key(key).map(Idx::index),
            Kind::StatefulSet => self.owners.stateful_sets.find_key(key).map(Idx::index),
            Kind::PodDisruptionBudget => self.pod_disruption_budgets.find_key(key).map(Idx::index),
            Kind::PriorityClass => self.priority_classes.find_key(key).map(Idx::index),
            _ => self.storage.find(key),
        }
    }

    /// Name and uid of the object in a row.
    fn key_of(&self, kind: Kind, row: usize) -> ObjectKey {
        let object = ObjectIdx::from_index(row);
        let metadata = match kind {
            Kind::Node => Some(&self.nodes.object(NodeIdx::from_index(row)).metadata),
            Kind::Namespace => self.namespaces.metadata(object),
            Kind::Service => self.owners.services.metadata(object),
            Kind::ReplicationController => self.owners.replication_controllers.metadata(object),
            Kind::ReplicaSet => self.owners.replica_sets.metadata(object),
            Kind::StatefulSet => self.owners.stateful_sets.metadata(object),
            Kind::PodDisruptionBudget => self.pod_disruption_budgets.metadata(object),
            Kind::PriorityClass => self.priority_classes.metadata(object),
            kind => self.storage.metadata(kind, row),
        };
        let [namespace, name, uid] = metadata.map_or_else(Default::default, |metadata| {
            [&metadata.namespace, &metadata.name, &metadata.uid].map(Str::clone)
        });
        ObjectKey { uid, ..ObjectKey::named(kind, namespace, name) }
    }
}

/// `kubectl taint --overwrite`: a taint of the same key and effect is replaced.
fn taint(node: &mut Node, taint: Taint) {
    let taints = &mut node.spec.taints;
    let same = |known: &&mut Taint| is_taint(known, &taint.key, Some(taint.effect));
    match taints.iter_mut().find(same) {
        Some(known) => *known = taint,
        None => taints.push(taint),
    }
}

fn is_taint(taint: &Taint, key: &Str, effect: Option<TaintEffect>) -> bool {
    taint.key == *key && effect.is_none_or(|effect| taint.effect == effect)
}
