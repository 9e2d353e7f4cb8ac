package main

import (
	"context"
	"errors"
	_ "unsafe" // for go:linkname

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// prioritizeNodes is the scheduler's own function: SchedulePod hands out the
// one node that it drew of the best.
//
//go:linkname prioritizeNodes k8s.io/kubernetes/pkg/scheduler.prioritizeNodes
func prioritizeNodes(context.Context, []framework.Extender, framework.Framework, fwk.CycleState, *v1.Pod, []fwk.NodeInfo) ([]framework.NodePluginScores, error)

// takeFirst lets the scheduler's SchedulePod take the first of equally good
// nodes in the order of the list. Search and scores stay the scheduler's own.
func takeFirst(sched *scheduler.Scheduler, order []string) error {
	place := make(map[string]int, len(order))
	for i, name := range order {
		place[name] = i
	}
	snapshots := map[string]*internalcache.Snapshot{}
	for name, p := range sched.Profiles {
		snapshot, ok := p.SnapshotSharedLister().(*internalcache.Snapshot)
		if !ok {
			return errors.New("the scheduler's snapshot is of another type")
		}
		snapshots[name] = snapshot
	}
	sched.SchedulePod = func(ctx context.Context, f framework.Framework, state fwk.CycleState, pod *v1.Pod) (scheduler.ScheduleResult, error) {
		var result scheduler.ScheduleResult
		snapshot := snapshots[f.ProfileName()]
		if err := sched.Cache.UpdateSnapshot(klog.FromContext(ctx), snapshot); err != nil {
			return result, err
		}
		if snapshot.NumNodes() == 0 {
			return result, scheduler.ErrNoNodesAvailable
		}
		feasible, diagnosis, err := findNodesThatFitPod(sched, ctx, f, state, pod)
		switch {
		case err != nil:
			return result, err
		case len(feasible) == 0:
			return result, &framework.FitError{Pod: pod, NumAllNodes: snapshot.NumNodes(), Diagnosis: diagnosis}
		case len(feasible) == 1:
			result.SuggestedHost = feasible[0].Node().Name
			return result, nil
		}
		scored, err := prioritizeNodes(ctx, sched.Extenders, f, state, pod, feasible)
		if err != nil {
			return result, err
		}
		best := scored[0]
		for _, node := range scored[1:] {
			if node.TotalScore > best.TotalScore || node.TotalScore == best.TotalScore && place[node.Name] < place[best.Name] {
				best = node
			}
		}
		result.SuggestedHost = best.Name
		return result, nil
	}
	return nil
}
