//! A cluster as objects again, and what objects do not say of it.

use bayplan_api::{ObjectMeta, Objects, Pod, PodCondition, PodSpec, PodStatus, Str};

use super::pods::{DISRUPTION_TARGET, PREEMPTION_BY_SCHEDULER};
use super::ports::HostPort;
use super::table::Name;
use super::{Cluster, ClusterError, KeptFields, Place, PodRow, StorageChange};
use crate::index_vec::{Idx, IndexVec, NodeIdx, PodIdx};
use crate::sampling::Cycle;

/// What a cluster knows that its objects do not say; nearly always nothing.
///
/// Nodes are named by their position among the nodes, pods by theirs among [`Objects::pods`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bookkeeping {
    /// The pods of nodes on which they do not stand in the order in which they would be read.
    pub order: Vec<(usize, Vec<usize>)>,
    /// The host ports in use on nodes where they are not those of the node's pods: of two pods with the same port, one has
    /// left and freed it.
    pub ports: Vec<(usize, Vec<HostPort>)>,
    /// The pods that are assumed, and what the objects that are reserved for each say themselves.
    pub assumed: Vec<(usize, Vec<Reserved>)>,
    /// The nominated pods that are being deleted and that the queue has passed over.
    pub passed_over: Vec<usize>,
    /// What the last decision left to the next.
    pub cycle: Cycle,
}

/// A [`StorageChange`] by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// Sets the claim for which a volume is reserved.
    ClaimRef {
        /// The volume's name.
        volume: Str,
        /// `spec.claimRef`.
        claim_ref: Option<bayplan_api::ObjectReference>,
    },
    /// Sets the node for which a claim's volume is to be made.
    SelectedNode {
        /// The claim's namespace and name.
        claim: (Str, Str),
        /// The node's name.
        node: Option<Str>,
    },
}

impl Cluster {
    /// The objects of the cluster as they are now, each kind in its order. Reading them again gives a cluster in which the
    /// same is decided, as far as [`Cluster::bookkeeping`] has nothing to add.
    ///
    /// Of a pod it has what decisions read and what [`KeptFields`] names; of other objects, what reading kept.
    pub fn to_objects(&self) -> Objects {
        let mut objects = Objects {
            nodes: self.nodes.iter().map(|node| self.nodes.object(node).clone()).collect(),
            pods: self
                .pods
                .iter()
                .filter(|row| row.place.exists())
                .map(|row| self.pod(row))
                .collect(),
            namespaces: self.namespaces.values().cloned().collect(),
            services: self.owners.services.values().cloned().collect(),
            replication_controllers: self
                .owners
                .replication_controllers
                .values()
                .cloned()
                .collect(),
            replica_sets: self.owners.replica_sets.values().cloned().collect(),
            stateful_sets: self.owners.stateful_sets.values().cloned().collect(),
            pod_disruption_budgets: self.pod_disruption_budgets.values().cloned().collect(),
            priority_classes: self.priority_classes.values().cloned().collect(),
            ..Objects::default()
        };
        self.storage.export(&mut objects);
        objects
    }

    /// The pod's object as it is now.
    fn pod(&self, row: &PodRow) -> Pod {
        let template = &self.template(row.template).pod;
        let kept = row.kept.fields();
        let KeptFields { uid, resource_version, annotations, node_name, pod_ips, .. } = kept;
        let node_name = match row.place {
            Place::On(node) => self.nodes.name(node).clone(),
            Place::Elsewhere(absent) => self.absent_name(absent).into(),
            _ => node_name,
        };
        let mut conditions = template.status.conditions.clone();
        if row.preempted {
            conditions.push(PodCondition {
                condition_type: DISRUPTION_TARGET.into(),
                status: "True".into(),
                reason: PREEMPTION_BY_SCHEDULER.into(),
            });
        }
        Pod {
            metadata: ObjectMeta {
                name: row.name.clone(),
                namespace: row.namespace.clone(),
                uid,
                resource_version,
                annotations,
                creation_timestamp: kept.creation_timestamp,
                deletion_timestamp: kept.deletion_timestamp,
                ..template.metadata.clone()
            },
            spec: PodSpec {
                node_name,
                scheduling_gates: row.scheduling_gates.to_vec(),
                ..template.spec.clone()
            },
            status: PodStatus {
                phase: kept.phase,
                start_time: row.start_time(),
                pod_ips,
                host_ip: kept.host_ip,
                nominated_node_name: row.nominated.clone(),
                conditions,
                ..template.status.clone()
            },
        }
    }

    /// What [`Cluster::to_objects`] does not say.
    pub fn bookkeeping(&self) -> Bookkeeping {
        let mut positions: IndexVec<PodIdx, usize> = IndexVec::new();
        let mut next = 0;
        for row in &self.pods {
            positions.push(next);
            next += usize::from(row.place.exists());
        }
        let mut bookkeeping = Bookkeeping { cycle: self.cycle, ..Bookkeeping::default() };
        for (at, node) in self.nodes.iter().enumerate() {
            let pods = &self.nodes.pods[node];
            if !pods.is_sorted() {
                let pods = pods.iter().map(|&pod| positions[pod]);
                bookkeeping.order.push((at, pods.collect()));
            }
            let used = self.nodes.used_ports[node].sorted();
            if used != self.ports_of_pods(node).sorted() {
                bookkeeping.ports.push((at, used));
            }
        }
        for (pod, row) in self.pods.iter_enumerated().filter(|(_, row)| row.assumed) {
            let changes = self.reserved.get(&pod).map_or(&[][..], Vec::as_slice);
            let changes = changes.iter().map(|change| self.storage.restoring(change));
            let said = changes.filter_map(|change| self.by_names(&change)).collect();
            debug_assert!(row.place.exists(), "who is gone is not assumed");
            bookkeeping.assumed.push((positions[pod], said));
        }
        let passed_over = self.nominated_pods().filter(|&pod| self.pods[pod].shell.is_some());
        bookkeeping.passed_over = passed_over.map(|pod| positions[pod]).collect();
        bookkeeping
    }

    /// The cluster of which the objects and the bookkeeping were taken.
    ///
    /// # Errors
    /// [`ClusterError`] when the objects make no cluster. Bookkeeping that does not fit the objects is passed over.
    pub fn restore(objects: Objects, bookkeeping: Bookkeeping) -> Result<Self, ClusterError> {
        let mut cluster = Self::from_objects(objects)?;
        cluster.cycle = bookkeeping.cycle;
        for (node, pods) in bookkeeping.order {
            let node = NodeIdx::from_index(node);
            let pods: Vec<PodIdx> = pods.into_iter().map(PodIdx::from_index).collect();
            let mut sorted = pods.clone();
            sorted.sort_unstable();
            if let Some(known) = cluster.nodes.pods.get_mut(node)
                && *known == sorted
            {
                *known = pods;
            }
        }
        for (node, ports) in bookkeeping.ports {
            if let Some(known) = cluster.nodes.used_ports.get_mut(NodeIdx::from_index(node)) {
                *known = ports.into_iter().collect();
            }
        }
        for pod in bookkeeping.passed_over.into_iter().map(PodIdx::from_index) {
            if cluster.pods.get(pod).is_some() {
                cluster.pass_over(pod);
            }
        }
        for (pod, said) in bookkeeping.assumed {
            let pod = PodIdx::from_index(pod);
            let said: Vec<StorageChange> =
                said.iter().filter_map(|change| cluster.by_rows(change)).collect();
            let Some(row) = cluster.pods.get_mut(pod) else { continue };
            row.assumed = true;
            let changes: Vec<StorageChange> =
                said.iter().map(|change| cluster.storage.restoring(change)).collect();
            for change in said {
                cluster.storage.say(change);
            }
            if !changes.is_empty() {
                cluster.reserved.insert(pod, changes);
            }
        }
        Ok(cluster)
    }

    /// Forgets rows of objects that are gone, if they are many; every row number may be another one then.
    ///
    /// # Errors
    /// None, for a cluster is made of its own objects; [`ClusterError`] if that is not so.
    pub fn compact(&mut self) -> Result<(), ClusterError> {
        let live = 2 * self.pod_names.len() + KEPT_ROWS;
        let many = self.pods.len() > live
            || self.templates.len() > live
            || self.nodes.row_count() > 2 * self.nodes.count() + KEPT_ROWS;
        if !many || self.open_forks() > 0 {
            return Ok(());
        }
        let fresh = Self::restore(self.to_objects(), self.bookkeeping())?;
        let (epochs, changes_before) = (self.epochs + 1, self.revision() + 1);
        *self = Self { epoch: epochs, epochs, changes_before, changes: Vec::new(), ..fresh };
        Ok(())
    }

    fn by_names(&self, change: &StorageChange) -> Option<Reserved> {
        Some(match change {
            StorageChange::ClaimRef { volume, claim_ref } => Reserved::ClaimRef {
                volume: self.storage.volume_name(*volume)?.1,
                claim_ref: claim_ref.clone(),
            },
            StorageChange::SelectedNode { claim, node } => {
                let claim: Name = self.storage.claim_name(*claim)?;
                Reserved::SelectedNode { claim, node: node.clone() }
            }
        })
    }

    fn by_rows(&self, change: &Reserved) -> Option<StorageChange> {
        Some(match change {
            Reserved::ClaimRef { volume, claim_ref } => StorageChange::ClaimRef {
                volume: self.storage.find_volume(volume)?,
                claim_ref: claim_ref.clone(),
            },
            Reserved::SelectedNode { claim: (namespace, name), node } => {
                let claim = self.storage.find_claim(namespace, name)?;
                StorageChange::SelectedNode { claim, node: node.clone() }
            }
        })
    }
}

/// How many rows of objects that are gone are kept before it is worth while to forget them.
const KEPT_ROWS: usize = 4096;
