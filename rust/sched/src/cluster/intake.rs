//! `PodIntake`: pods on their way into a cluster, made small as they come.

use std::ops::Range;

use bayplan_api::{Objects, Pod, PodSink, Str, VolumeSource};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::{Cluster, ClusterError, Place, PodInfo, PodRow};
use crate::index_vec::{Idx, IndexVec, TemplateId};

/// Takes pods while they are read, so that memory never holds them all as objects.
///
/// What pods have in common is kept once, as the *shape* of them all; it is worked on once, too.
///
/// ```
/// use bayplan_api::Reader;
/// use bayplan_sched::cluster::{Cluster, PodIntake};
///
/// let text = br#"{"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}"#;
/// let mut pods = PodIntake::default();
/// let mut reader = Reader::new().giving_pods_to(&mut pods);
/// reader.read_bytes("in", text)?;
/// let objects = reader.finish()?;
/// let cluster = Cluster::from_objects_and_pods(objects, pods)?;
/// assert!(cluster.find_pod("default", "a").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct PodIntake {
    shapes: IndexSet<Pod, FxBuildHasher>,
    /// By the pod's number; `None` where it has not come yet.
    pods: Vec<Option<Arrival>>,
    /// Names of volumes that no decision looks at: most are one pod's own, as `kube-api-access-x7k2p`.
    volumes: String,
}

#[derive(Debug)]
struct Arrival {
    /// The row, with the number of the pod's shape for its template.
    row: PodRow,
    /// `spec.nodeName`, of a pod that has not finished.
    node_name: Str,
    /// Where the names of the pod's volumes are.
    volumes: Range<usize>,
}

/// A pod that was taken in.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    /// What it shares with others, defaulted and validated: `spec` and labels without what is its own.
    pub shape: &'a Pod,
    /// `spec.nodeName`, of a pod that has not finished.
    pub node_name: &'a Str,
    /// Whether it has succeeded or failed.
    pub finished: bool,
}

/// The names of volumes that no decision looks at.
fn other_volumes(pod: &mut Pod) -> impl Iterator<Item = &mut Str> {
    let volumes = pod.spec.volumes.iter_mut();
    volumes.filter(|volume| volume.source == VolumeSource::Other).map(|volume| &mut volume.name)
}

impl PodIntake {
    /// What `pod` comes to: its row, the name of its node, and its shape; the names of its volumes go into `volumes`.
    fn split(mut pod: Pod, volumes: &mut String) -> (PodRow, Str, Pod) {
        let row = PodRow::take(&mut pod);
        let node_name = std::mem::take(&mut pod.spec.node_name);
        for name in other_volumes(&mut pod) {
            volumes.push_str(name);
            volumes.push('/'); // which no name has
            *name = Str::EMPTY;
        }
        (row, node_name, pod)
    }
}

impl PodIntake {
    /// The pods in their order.
    pub fn iter(&self) -> impl Iterator<Item = Arriving<'_>> {
        self.pods.iter().flatten().filter_map(|Arrival { row, node_name, .. }| {
            let shape = self.shapes.get_index(row.template.index())?;
            Some(Arriving { shape, node_name, finished: row.place == Place::Finished })
        })
    }
}

impl PodSink for PodIntake {
    fn take(&mut self, number: usize, pod: Pod) {
        let start = self.volumes.len();
        let (mut row, node_name, shape) = Self::split(pod, &mut self.volumes);
        let shape = self.shapes.insert_full(shape).0;
        row.template = TemplateId::from_index(shape);
        if self.pods.len() <= number {
            self.pods.resize_with(number + 1, || None);
        }
        if let Some(slot) = self.pods.get_mut(number) {
            *slot = Some(Arrival { row, node_name, volumes: start..self.volumes.len() });
        }
    }

    fn has(&self, number: usize, pod: &Pod) -> bool {
        let Some(Some(known)) = self.pods.get(number) else { return false };
        let mut volumes = String::new();
        let (mut row, node_name, shape) = Self::split(pod.clone(), &mut volumes);
        let Some(shape) = self.shapes.get_index_of(&shape) else { return false };
        row.template = TemplateId::from_index(shape);
        row == known.row
            && node_name == known.node_name
            && self.volumes.get(known.volumes.clone()) == Some(&volumes)
    }
}

impl Cluster {
    /// The cluster that these objects and pods make, each kind in its order; pods among the objects come before those
    /// that were taken in.
    ///
    /// # Errors
    /// [`ClusterError`] when an object stands twice, or a table would be too long.
    pub fn from_objects_and_pods(
        mut objects: Objects,
        pods: PodIntake,
    ) -> Result<Self, ClusterError> {
        let mut cluster = Self::default();
        let first = std::mem::take(&mut objects.pods);
        for object in objects.into_objects() {
            cluster.add_object(object)?;
        }
        for pod in first {
            cluster.add_pod(pod)?;
        }
        cluster.add_pods(pods)?;
        cluster.shrink_to_fit();
        Ok(cluster)
    }

    fn add_pods(&mut self, intake: PodIntake) -> Result<(), ClusterError> {
        let PodIntake { shapes, pods, volumes: _ } = intake;
        self.pods.reserve_exact(pods.len());
        self.pod_names.reserve(&self.pods, pods.len());
        let shapes: IndexVec<TemplateId, Pod> = shapes.into_iter().collect();
        let mut templates: IndexVec<TemplateId, Option<TemplateId>> =
            IndexVec::filled(None, shapes.len());
        for Arrival { mut row, node_name, .. } in pods.into_iter().flatten() {
            self.check_new(&row)?;
            let shape = row.template;
            let template = match templates[shape] {
                Some(known) => known,
                None => self.intern_template(PodInfo::template_of(&shapes[shape])),
            };
            templates[shape] = Some(template);
            row.template = template;
            let place = self.place_of(&row, &node_name);
            self.push_pod(row, place);
        }
        Ok(())
    }
}
