package main

import (
	"context"
	"errors"
	"reflect"
	"slices"
	_ "unsafe" // for go:linkname

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// findNodesThatFitPod is the scheduler's own method: SchedulePod hands out
// only how many nodes it found.
//
//go:linkname findNodesThatFitPod k8s.io/kubernetes/pkg/scheduler.(*Scheduler).findNodesThatFitPod
func findNodesThatFitPod(*scheduler.Scheduler, context.Context, framework.Framework, fwk.CycleState, *v1.Pod) ([]fwk.NodeInfo, framework.Diagnosis, error)

var errSampling = errors.New("-sampling moves the start index on, so -ask cannot ask as well")

// sample has the scheduler find nodes in its own way, and fills the filter
// part of the decision: only nodes that it looked at have an entry.
func (w *world) sample(p *profile, state fwk.CycleState, pod *v1.Pod, d *decision) ([]fwk.NodeInfo, *framework.Diagnosis, error) {
	start := int(reflect.ValueOf(w.sched).Elem().FieldByName("nextStartNodeIndex").Int())
	feasible, diagnosis, err := findNodesThatFitPod(w.sched, w.ctx, p, state, pod)
	if err != nil {
		return nil, &diagnosis, err
	}
	if diagnosis.PreFilterMsg != "" {
		d.Prefilter = newStatus(diagnosis.NodeToStatus.AbsentNodesStatus())
		return nil, &diagnosis, nil
	}
	// Asked once more: which nodes PreFilter leaves is not handed out.
	result, _, _ := p.RunPreFilterPlugins(w.ctx, framework.NewCycleState(), pod)
	order, err := w.order()
	if err != nil {
		return nil, &diagnosis, err
	}
	// With the node to which the pod is nominated it did not look at others.
	enough := len(feasible) == 1 && feasible[0].Node().Name == pod.Status.NominatedNodeName && diagnosis.NodeToStatus.Len() == 0
	if !result.AllNodes() {
		d.PrefilterNodes = w.ordered(result.NodeNames)
		// The scheduler walks them in the order of a Go map: take that of its
		// list instead.
		order = slices.DeleteFunc(order, func(name string) bool { return !result.NodeNames.Has(name) })
		place := func(node fwk.NodeInfo) int {
			return (slices.Index(order, node.Node().Name) - start%len(order) + len(order)) % len(order)
		}
		slices.SortFunc(feasible, func(a, b fwk.NodeInfo) int { return place(a) - place(b) })
		for _, name := range w.nodeNames {
			if !result.NodeNames.Has(name) && !enough {
				d.Filter[name] = newStatus(diagnosis.NodeToStatus.AbsentNodesStatus())
			}
		}
	}
	for _, node := range feasible {
		d.Filter[node.Node().Name] = nil
	}
	diagnosis.NodeToStatus.ForEachExplicitNode(func(name string, s *fwk.Status) {
		d.Filter[name] = newStatus(s)
	})
	return feasible, &diagnosis, nil
}

// order names the nodes as they are listed: as they came, or in the
// scheduler's own order, which goes round the zones.
func (w *world) order() ([]string, error) {
	if !w.options.sampling {
		return w.nodeNames, nil
	}
	list, err := w.snapshot.NodeInfos().List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, node := range list {
		names = append(names, node.Node().Name)
	}
	return names, nil
}
