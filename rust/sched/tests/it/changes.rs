//! A cluster that changes is the one that its objects make, and a fork that is rolled back never was.

use std::ops::ControlFlow;

use bayplan_api::{
    Event, Kind, Object, ObjectKey, ObjectMeta, Objects, Pod, PodPhase, Str, Taint, TaintEffect,
};
use bayplan_sched::cluster::{ApplyError, ChangeError, Cluster, ForkError};
use bayplan_sched::{Decided, Detail, Sampling, Scheduler, SchedulerOptions, TieBreak};
use bayplan_testkit::strategies::{ClusterShape, cluster};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// What happens next, as far as it can be said without knowing the cluster.
#[derive(Debug, Clone)]
struct Step {
    verb: Index,
    which: Index,
    other: Index,
    flag: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (any::<Index>(), any::<Index>(), any::<Index>(), any::<bool>())
        .prop_map(|(verb, which, other, flag)| Step { verb, which, other, flag })
}

fn objects() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape { storage: true, ..ClusterShape::default() })
}

/// The objects as plain lists, which every event edits as a person would.
#[derive(Debug, Clone)]
struct Model {
    objects: Objects,
    /// Objects that may come, and shapes that others may take.
    spare: Objects,
    assumed: Vec<ObjectKey>,
    came: usize,
}

/// Adds, replaces or takes out one of a list, and says so as an event.
macro_rules! edit {
    ($model:ident, $step:ident, $list:ident) => {{
        let at = |len: usize| (len > 0).then(|| $step.which.index(len));
        let spare = &$model.spare.$list;
        let spare = (!spare.is_empty()).then(|| $step.other.get(spare).clone());
        match ($step.verb.index(5), spare, at($model.objects.$list.len())) {
            (0 | 1, Some(mut spare), _) => {
                $model.came += 1;
                spare.metadata.name = format!("came-{}", $model.came).into();
                spare.metadata.uid = format!("uid-of-{}", $model.came).into();
                $model.objects.$list.push(spare.clone());
                Some(Event::Added(spare.into()))
            }
            (2 | 3, Some(mut spare), Some(at)) => {
                let before: ObjectMeta = $model.objects.$list[at].metadata.clone();
                spare.metadata.name = before.name;
                spare.metadata.namespace = before.namespace;
                spare.metadata.uid = before.uid.clone();
                if $step.flag && !before.uid.is_empty() {
                    // another object of the same name: it stands behind the others
                    $model.came += 1;
                    spare.metadata.uid = format!("uid-of-{}", $model.came).into();
                    $model.objects.$list.remove(at);
                    $model.objects.$list.push(spare.clone());
                } else {
                    $model.objects.$list[at] = spare.clone();
                }
                Some(Event::Modified(spare.into()))
            }
            (4, _, Some(at)) => {
                let object: Object = $model.objects.$list.remove(at).into();
                let key = object.key();
                let by_uid = ObjectKey { name: Str::EMPTY, namespace: Str::EMPTY, ..key.clone() };
                Some(Event::Deleted(if $step.flag && !key.uid.is_empty() { by_uid } else { key }))
            }
            _ => None,
        }
    }};
}

impl Model {
    fn new(objects: Objects, spare: Objects) -> Self {
        Self { objects, spare, assumed: Vec::new(), came: 0 }
    }

    /// The event that the step is now; `None` if there is nothing to which it could happen.
    fn event(&mut self, step: &Step) -> Option<Event> {
        let step = step.clone();
        match step.other.index(26) {
            0..=2 => edit!(self, step, nodes),
            3..=6 => self.edit_pods(&step),
            7 => edit!(self, step, namespaces),
            8 => edit!(self, step, services),
            9 => edit!(self, step, replication_controllers),
            10 => edit!(self, step, replica_sets),
            11 => edit!(self, step, stateful_sets),
            12 => edit!(self, step, persistent_volumes),
            13 => edit!(self, step, persistent_volume_claims),
            14 => edit!(self, step, storage_classes),
            15 => edit!(self, step, csi_nodes),
            16 => edit!(self, step, csi_drivers),
            17 => edit!(self, step, csi_storage_capacities),
            18 => edit!(self, step, volume_attachments),
            19 => edit!(self, step, pod_disruption_budgets),
            20 | 21 => self.place(&step),
            22 => self.forget(&step),
            _ => self.change_node(&step),
        }
    }

    fn edit_pods(&mut self, step: &Step) -> Option<Event> {
        let at = step.which.index(self.objects.pods.len().max(1));
        if step.verb.index(5) == 4 {
            let pod = (at < self.objects.pods.len()).then(|| self.objects.pods.remove(at))?;
            self.assumed.retain(|key| !is(&pod, key));
            return Some(Event::Deleted(Object::from(pod).key()));
        }
        let spare = self.spare.pods.get(step.other.index(self.spare.pods.len().max(1)))?;
        let mut pod = spare.clone();
        pod.spec.node_name = match (step.which.index(4), self.objects.nodes.len()) {
            (0, _) => "nowhere".into(),
            (1, 1..) => step.verb.get(&self.objects.nodes).metadata.name.clone(),
            _ => Str::EMPTY,
        };
        self.came += 1;
        pod.metadata.uid = format!("uid-of-{}", self.came).into();
        if step.verb.index(5) < 2 {
            pod.metadata.name = format!("came-{}", self.came).into();
            self.objects.pods.push(pod.clone());
            return Some(Event::Added(pod.into()));
        }
        let listed = self.objects.pods.get_mut(at)?;
        pod.metadata.name = listed.metadata.name.clone();
        pod.metadata.namespace = listed.metadata.namespace.clone();
        if step.flag && !listed.metadata.uid.is_empty() {
            self.assumed.retain(|key| !is(&pod, key));
            self.objects.pods.remove(at);
            self.objects.pods.push(pod.clone());
            return Some(Event::Modified(pod.into()));
        }
        pod.metadata.uid = listed.metadata.uid.clone();
        let event = Event::Modified(pod.clone().into());
        if self.assumed.iter().any(|key| is(&pod, key)) {
            if waits(&pod) {
                // its object does not know yet where it was put
                pod.spec.node_name = listed.spec.node_name.clone();
            } else {
                self.assumed.retain(|key| !is(&pod, key));
            }
        }
        *listed = pod;
        Some(event)
    }

    fn place(&mut self, step: &Step) -> Option<Event> {
        let node = self.objects.nodes.get(step.verb.index(self.objects.nodes.len().max(1)))?;
        let node = node.metadata.name.clone();
        let mut pods: Vec<_> = self.objects.pods.iter_mut().filter(|pod| waits(pod)).collect();
        let at = step.which.index(pods.len().max(1));
        let pod = pods.get_mut(at)?;
        pod.spec.node_name = node.clone();
        let pod = Object::from((**pod).clone()).key();
        Some(if step.flag {
            self.assumed.push(pod.clone());
            Event::Assume { pod, node }
        } else {
            Event::Bind { pod, node }
        })
    }

    /// An assumed pod is forgotten, or bound where it is.
    fn forget(&mut self, step: &Step) -> Option<Event> {
        let at = step.which.index(self.assumed.len().max(1));
        let key = self.assumed.get(at)?.clone();
        let pod = self.objects.pods.iter_mut().find(|pod| is(pod, &key))?;
        let node = pod.spec.node_name.clone();
        let is_there = self.objects.nodes.iter().any(|known| known.metadata.name == node);
        let pod = self.assumed.remove(at);
        if step.flag && is_there {
            return Some(Event::Bind { pod, node });
        }
        let listed = self.objects.pods.iter_mut().find(|listed| is(listed, &pod))?;
        listed.spec.node_name = Str::EMPTY;
        Some(Event::Forget { pod })
    }

    fn change_node(&mut self, step: &Step) -> Option<Event> {
        let at = step.which.index(self.objects.nodes.len().max(1));
        let model = self.objects.nodes.get_mut(at)?;
        let node = model.metadata.name.clone();
        let spare = self.spare.nodes.get(step.other.index(self.spare.nodes.len().max(1)));
        Some(match step.verb.index(6) {
            0 => {
                model.spec.unschedulable = true;
                Event::Cordon { node }
            }
            1 => {
                model.spec.unschedulable = false;
                Event::Uncordon { node }
            }
            2 => {
                let (key, value) = spare?.metadata.labels.iter().next()?;
                let value = step.flag.then(|| value.clone());
                match &value {
                    Some(value) => model.metadata.labels.insert(key.clone(), value.clone()),
                    None => model.metadata.labels.remove(key),
                };
                Event::Label { node, labels: vec![(key.clone(), value)].into() }
            }
            3 => {
                let taint = Taint {
                    key: "dedicated".into(),
                    value: if step.flag { "a".into() } else { Str::EMPTY },
                    effect: TaintEffect::NoSchedule,
                };
                let same = |t: &Taint| t.key == taint.key && t.effect == taint.effect;
                match model.spec.taints.iter_mut().find(|taint| same(taint)) {
                    Some(known) => *known = taint.clone(),
                    None => model.spec.taints.push(taint.clone()),
                }
                Event::Taint { node, taints: vec![taint] }
            }
            4 => {
                let taint = model.spec.taints.first()?.clone();
                let effect = step.flag.then_some(taint.effect);
                model.spec.taints.retain(|t| {
                    t.key != taint.key || effect.is_some_and(|effect| effect != t.effect)
                });
                Event::Untaint { node, key: taint.key, effect }
            }
            _ => {
                let allocatable = spare?.status.allocatable.clone();
                for (name, amount) in allocatable.iter() {
                    model.status.allocatable.insert(name.clone(), amount.clone());
                }
                Event::Resize { node, allocatable }
            }
        })
    }
}

fn is(pod: &Pod, key: &ObjectKey) -> bool {
    pod.metadata.namespace == key.namespace && pod.metadata.name == key.name
}

fn waits(pod: &Pod) -> bool {
    let finished = matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
    pod.spec.node_name.is_empty() && pod.spec.scheduling_gates.is_empty() && !finished
}

/// Two clusters are alike; if not, says where they part.
fn alike(one: &Cluster, other: &Cluster) -> Result<(), TestCaseError> {
    if one == other {
        return Ok(());
    }
    let texts = [format!("{one:#?}"), format!("{other:#?}")];
    let mut lines = texts[0].lines().zip(texts[1].lines()).enumerate();
    let part = lines.find(|(_, (one, other))| one != other);
    let at = part.map_or(0, |(at, _)| at);
    let near = |text: &str| {
        text.lines().skip(at.saturating_sub(30)).take(40).collect::<Vec<_>>().join("\n")
    };
    Err(TestCaseError::fail(format!("{}\n--- but ---\n{}", near(&texts[0]), near(&texts[1]))))
}

/// Every decision about the pods that wait, in turn; the cluster is left as it was.
fn decisions(cluster: &mut Cluster) -> Vec<Value> {
    let mut decisions = Vec::new();
    for scheduler in [Scheduler::default(), drawing()] {
        let mut cluster = cluster.what_if();
        scheduler.schedule_pending(&mut cluster, Detail::Trace, |cluster, decision| {
            decisions.push(serde_json::to_value(decision.trace_form(cluster)).unwrap());
            ControlFlow::Continue(())
        });
    }
    decisions
}

/// A scheduler whose decisions hang on those before, and on the order of the nodes by zones.
fn drawing() -> Scheduler {
    Scheduler::default().with_options(SchedulerOptions {
        sampling: Sampling::Kube,
        tie_break: TieBreak::Random { seed: 3 },
    })
}

/// Applies the events that the steps are, in calls of up to three.
fn take_steps(cluster: &mut Cluster, model: &mut Model, steps: &[Step]) {
    for steps in steps.chunks(3) {
        let events: Vec<Event> = steps.iter().filter_map(|step| model.event(step)).collect();
        cluster.apply(events).unwrap();
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn changed_one_by_one_is_the_same_as_loaded_afresh(
        objects in objects(), spare in objects(), steps in steps(),
    ) {
        let mut changed = Cluster::from_objects(objects.clone()).unwrap();
        let mut model = Model::new(objects, spare);
        take_steps(&mut changed, &mut model, &steps);
        let mut afresh = Cluster::from_objects(model.objects).unwrap();
        prop_assert_eq!(changed.to_objects(), afresh.to_objects());
        prop_assert_eq!(decisions(&mut changed), decisions(&mut afresh));
    }

    #[test]
    fn rolled_back_it_is_what_it_was(
        objects in objects(), spare in objects(), steps in steps(), more in steps(),
    ) {
        let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
        let before = cluster.clone();
        let decided = decisions(&mut cluster);
        alike(&cluster, &before)?;
        let mut model = Model::new(objects, spare);
        let outer = cluster.fork();
        take_steps(&mut cluster, &mut model, &steps);
        let between = cluster.clone();
        let inner = cluster.fork();
        drawing().schedule_pending(&mut cluster, Detail::Placement, |_, _| {
            ControlFlow::Continue(())
        });
        let mut lost = model.clone();
        lost.objects = cluster.to_objects();
        lost.assumed.clear();
        // what was scheduled is assumed, so that only other pods can be edited at random
        let edits: Vec<Event> = more.iter().filter_map(|step| lost.event(step)).collect();
        let _ = cluster.apply(edits);
        cluster.rollback(inner).unwrap();
        alike(&cluster, &between)?;
        prop_assert_eq!(cluster.rollback(inner), Err(ForkError));
        cluster.rollback(outer).unwrap();
        alike(&cluster, &before)?;
        prop_assert_eq!(decisions(&mut cluster), decided);
    }

    #[test]
    fn committed_it_is_as_if_it_had_not_been_forked(
        objects in objects(), spare in objects(), steps in steps(),
    ) {
        let mut plain = Cluster::from_objects(objects.clone()).unwrap();
        let mut forked = plain.clone();
        let mut model = Model::new(objects, spare);
        let mut same = model.clone();
        take_steps(&mut plain, &mut model, &steps);
        let outer = forked.fork();
        let (first, second) = steps.split_at(steps.len() / 2);
        take_steps(&mut forked, &mut same, first);
        let parted = forked.clone();
        let inner = forked.fork();
        take_steps(&mut forked, &mut same, second);
        // a fork that becomes a cluster of its own can be rolled back no further
        let mut own = forked.clone();
        own.begin_at(inner).unwrap();
        prop_assert_eq!(own.open_forks(), 0);
        alike(&own, &forked)?;
        let mut rest = forked.clone();
        rest.rollback(inner).unwrap();
        alike(&rest, &parted)?;
        forked.commit(inner).unwrap();
        forked.commit(outer).unwrap();
        prop_assert_eq!(forked.open_forks(), 0);
        // in calls of three, steps fall apart elsewhere when they are split: only the outcome is the same
        prop_assert_eq!(forked.to_objects(), plain.to_objects());
        prop_assert_eq!(decisions(&mut forked), decisions(&mut plain));
    }

    #[test]
    fn a_plan_outlives_forks(objects in objects(), spare in objects(), steps in steps()) {
        let scheduler = Scheduler::default();
        let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
        let mut session = scheduler.session();
        let mut ask = |cluster: &mut Cluster| -> Result<(), TestCaseError> {
            for pod in scheduler.queue(cluster) {
                let kept = session.schedule_pod(cluster, pod, Detail::Trace);
                let anew = scheduler.session().schedule_pod(cluster, pod, Detail::Trace);
                let form = |decision: &bayplan_sched::decision::Decision| {
                    serde_json::to_value(decision.trace_form(cluster)).unwrap()
                };
                prop_assert_eq!(form(&kept), form(&anew));
            }
            Ok(())
        };
        let mut model = Model::new(objects, spare);
        for steps in steps.chunks(5) {
            ask(&mut cluster)?;
            let fork = cluster.fork();
            let mut lost = model.clone();
            take_steps(&mut cluster, &mut lost, steps);
            ask(&mut cluster)?;
            cluster.rollback(fork).unwrap();
            ask(&mut cluster)?;
            take_steps(&mut cluster, &mut model, &steps[..1]);
        }
    }

    #[test]
    fn a_view_outlives_forks_and_changes(
        objects in objects(), spare in objects(), steps in steps(),
    ) {
        let scheduler = Scheduler::default();
        let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
        let mut session = scheduler.session();
        let mut decide = |cluster: &mut Cluster| -> Result<(), TestCaseError> {
            let fork = cluster.fork();
            let mut plain = cluster.clone();
            for pod in scheduler.queue(cluster) {
                let expected = scheduler.session().schedule_one(&mut plain, pod, Detail::Placement);
                let (chosen, message) = match session.schedule(cluster, pod) {
                    Decided::Placed(placement) => (Some(placement.node), None),
                    Decided::Refused(refused) => (None, Some(refused.message.to_string())),
                    Decided::Other(decision) => (decision.chosen, decision.message),
                };
                prop_assert_eq!((chosen, message), (expected.chosen, expected.message));
            }
            prop_assert!(*cluster == plain);
            cluster.rollback(fork).unwrap();
            Ok(())
        };
        let mut model = Model::new(objects, spare);
        for steps in steps.chunks(5) {
            decide(&mut cluster)?;
            let fork = cluster.fork();
            let mut lost = model.clone();
            take_steps(&mut cluster, &mut lost, steps);
            decide(&mut cluster)?;
            cluster.rollback(fork).unwrap();
            decide(&mut cluster)?;
            take_steps(&mut cluster, &mut model, &steps[..1]);
        }
    }

    #[test]
    fn its_objects_and_bookkeeping_make_it_again(
        objects in objects(), spare in objects(), steps in steps(),
    ) {
        let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
        let mut model = Model::new(objects, spare);
        take_steps(&mut cluster, &mut model, &steps);
        drawing().schedule_pending(&mut cluster, Detail::Placement, |_, _| {
            ControlFlow::Continue(())
        });
        let (objects, bookkeeping) = (cluster.to_objects(), cluster.bookkeeping());
        let again = Cluster::restore(objects.clone(), bookkeeping.clone()).unwrap();
        prop_assert_eq!(again.to_objects(), objects);
        prop_assert_eq!(again.bookkeeping(), bookkeeping);
        // a new pod finds the same room, and the same pods to evict in the same order
        let mut pending = model.spare.pods;
        pending.retain_mut(|pod| {
            pod.metadata.name = format!("new-{}", pod.metadata.name).into();
            pod.spec.node_name = Str::EMPTY;
            pod.spec.priority = Some(1_000_000);
            waits(pod)
        });
        let mut clusters = [cluster, again].map(|mut cluster| {
            for pod in &pending {
                cluster.add_pod(pod.clone()).unwrap();
            }
            cluster
        });
        let [one, other] = clusters.each_mut().map(decisions);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn the_order_among_kinds_does_not_matter(
        objects in objects(), order in proptest::collection::vec(any::<Index>(), 0..100),
    ) {
        let mut plain = Cluster::from_objects(objects.clone()).unwrap();
        let mut queues: Vec<Vec<Object>> = Vec::new();
        for object in objects.into_objects() {
            match queues.last_mut() {
                Some(queue) if queue[0].kind() == object.kind() => queue.push(object),
                _ => queues.push(vec![object]),
            }
        }
        let mut events = Vec::new();
        let mut order = order.iter();
        while !queues.is_empty() {
            let at = order.next().map_or(0, |at| at.index(queues.len()));
            events.push(Event::Added(queues[at].remove(0)));
            queues.retain(|queue| !queue.is_empty());
        }
        let mut mixed = Cluster::default();
        mixed.apply(events).unwrap();
        prop_assert_eq!(mixed.to_objects(), plain.to_objects());
        prop_assert_eq!(decisions(&mut mixed), decisions(&mut plain));
    }

    #[test]
    fn a_call_with_an_event_that_cannot_happen_changes_nothing(
        objects in objects(), spare in objects(), steps in steps(),
    ) {
        let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
        let before = cluster.clone();
        let mut model = Model::new(objects, spare);
        let mut events: Vec<Event> = steps.iter().filter_map(|step| model.event(step)).collect();
        let position = events.len();
        let key = ObjectKey::named(Kind::Pod, "default".into(), "nobody".into());
        events.push(Event::Deleted(key.clone()));
        let error = ChangeError::NotFound(key);
        prop_assert_eq!(cluster.apply(events), Err(ApplyError { position, error }));
        alike(&cluster, &before)?;
    }
}
