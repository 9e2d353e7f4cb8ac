package main

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	internalqueue "k8s.io/kubernetes/pkg/scheduler/backend/queue"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
	clocktesting "k8s.io/utils/clock/testing"
)

// queue is the scheduler's own queue, which is also its nominator: the pods
// wait in it, and it knows which of them are nominated to which node.
type queue struct {
	*internalqueue.PriorityQueue
	w *world
}

// noNode takes a pod's nomination away.
var noNode = &framework.NominatingInfo{NominatingMode: framework.ModeOverride}

// newQueue fills the queue with the pods for which there is a profile. Each
// comes a second after the one before, so that it pops them in their order.
func (w *world) newQueue(pending []*v1.Pod) *queue {
	gates := map[string]map[string]framework.PreEnqueuePlugin{}
	var less framework.LessFunc
	for name, p := range w.profiles {
		gates[name] = map[string]framework.PreEnqueuePlugin{}
		for _, plugin := range p.PreEnqueuePlugins() {
			gates[name][plugin.Name()] = plugin
		}
		less = p.QueueSortFunc()
	}
	clock := clocktesting.NewFakeClock(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	q := &queue{w: w, PriorityQueue: internalqueue.NewPriorityQueue(less, w.factory,
		internalqueue.WithClock(clock),
		internalqueue.WithPodLister(w.factory.Core().V1().Pods().Lister()),
		internalqueue.WithPreEnqueuePluginMap(gates),
		internalqueue.WithMetricsRecorder(*metrics.NewMetricsAsyncRecorder(1000, time.Second, w.ctx.Done())),
	)}
	for _, p := range w.profiles {
		p.SetPodNominator(q)
	}
	for _, pod := range pending {
		if _, ok := w.profiles[pod.Spec.SchedulerName]; ok {
			clock.Step(time.Second)
			q.Add(w.logger, pod)
		}
	}
	return q
}

// gated says whether a PreEnqueue plugin holds the pod back.
func (q *queue) gated(p *profile, pod *v1.Pod) bool {
	for _, plugin := range p.PreEnqueuePlugins() {
		if !plugin.PreEnqueue(q.w.ctx, pod).IsSuccess() {
			return true
		}
	}
	return false
}

// pop takes the pod off the queue, as it is by now.
func (q *queue) pop(pod *v1.Pod) (*framework.QueuedPodInfo, error) {
	info, err := q.Pop(q.w.logger)
	if err != nil {
		return nil, err
	}
	if info.Pod.UID != pod.UID {
		return nil, fmt.Errorf("the queue has pod %s/%s next", info.Pod.Namespace, info.Pod.Name)
	}
	return info, nil
}

func (q *queue) done(info *framework.QueuedPodInfo) { q.Done(info.Pod.UID) }

// failed puts a pod back that was not placed, as handleSchedulingFailure does.
func (q *queue) failed(info *framework.QueuedPodInfo, nominating *framework.NominatingInfo) error {
	if err := q.AddUnschedulableIfNotPresent(q.w.logger, info, q.SchedulingCycle()); err != nil {
		return err
	}
	q.AddNominatedPod(q.w.logger, info.PodInfo, nominating)
	return nil
}

// clearLowerPriority takes the nomination from the pods of lower priority that
// are nominated to the node on which the pod preempts others. The scheduler
// asks the API server to do that and hears of it a moment later: here at once.
// It asks for nothing if all victims are being deleted already.
func (q *queue) clearLowerPriority(pod *v1.Pod, chosen preemption.Candidate) error {
	leaving := true
	for _, victim := range chosen.Victims().Pods {
		leaving = leaving && victim.DeletionTimestamp != nil
	}
	if leaving {
		return nil
	}
	for _, info := range q.NominatedPodsForNode(chosen.Name()) {
		other := info.GetPod()
		if corev1helpers.PodPriority(other) >= corev1helpers.PodPriority(pod) || other.Status.NominatedNodeName == "" {
			continue
		}
		cleared := other.DeepCopy()
		cleared.Status.NominatedNodeName = ""
		if err := q.w.factory.replace(cleared); err != nil {
			return err
		}
		q.Update(q.w.logger, other, cleared)
	}
	return nil
}
