package main

import (
	"fmt"
	"sort"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/utils/ptr"
)

// workload is a scheduler_perf workload: what it is called there, at which
// counts it is run, and how its nodes and pods look.
type workload struct {
	nodes, first, measured int
	node                   func(index int, node *v1.Node)
	firstPod               func(index int, pod *v1.Pod)
	pod                    func(index int, pod *v1.Pod)
	objects                []runtime.Object
}

const (
	zoneKey     = v1.LabelTopologyZone
	hostnameKey = v1.LabelHostname
)

func inZone1(_ int, node *v1.Node) { node.Labels[zoneKey] = "zone1" }

func inMoons(index int, node *v1.Node) {
	node.Labels[zoneKey] = fmt.Sprintf("moon-%d", index%3+1)
}

func labelled(key, value string) func(int, *v1.Pod) {
	return func(_ int, pod *v1.Pod) { pod.Labels = map[string]string{key: value} }
}

func inNamespace(name string) func(int, *v1.Pod) {
	return func(_ int, pod *v1.Pod) { pod.Namespace = name }
}

func all(steps ...func(int, *v1.Pod)) func(int, *v1.Pod) {
	return func(index int, pod *v1.Pod) {
		for _, step := range steps {
			step(index, pod)
		}
	}
}

func affinity(pod *v1.Pod) *v1.Affinity {
	if pod.Spec.Affinity == nil {
		pod.Spec.Affinity = &v1.Affinity{}
	}
	return pod.Spec.Affinity
}

func term(key, color string, namespaces ...string) v1.PodAffinityTerm {
	return v1.PodAffinityTerm{
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"color": color}},
		TopologyKey:   key,
		Namespaces:    namespaces,
	}
}

var bothNamespaces = []string{"sched-1", "sched-0"}

func wantsBlue(_ int, pod *v1.Pod) {
	affinity(pod).PodAffinity = &v1.PodAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{term(zoneKey, "blue", bothNamespaces...)},
	}
}

func avoidsGreen(_ int, pod *v1.Pod) {
	affinity(pod).PodAntiAffinity = &v1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{term(hostnameKey, "green", bothNamespaces...)},
	}
}

func prefersRed(_ int, pod *v1.Pod) {
	affinity(pod).PodAffinity = &v1.PodAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []v1.WeightedPodAffinityTerm{
			{Weight: 1, PodAffinityTerm: term(hostnameKey, "red", bothNamespaces...)},
		},
	}
}

func prefersNoYellow(_ int, pod *v1.Pod) {
	affinity(pod).PodAntiAffinity = &v1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []v1.WeightedPodAffinityTerm{
			{Weight: 1, PodAffinityTerm: term(hostnameKey, "yellow", bothNamespaces...)},
		},
	}
}

func nodeTerms(requirement v1.NodeSelectorRequirement, field bool) *v1.NodeAffinity {
	out := v1.NodeSelectorTerm{}
	if field {
		out.MatchFields = []v1.NodeSelectorRequirement{requirement}
	} else {
		out.MatchExpressions = []v1.NodeSelectorRequirement{requirement}
	}
	return &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{out},
	}}
}

func inZones(_ int, pod *v1.Pod) {
	affinity(pod).NodeAffinity = nodeTerms(v1.NodeSelectorRequirement{
		Key: zoneKey, Operator: v1.NodeSelectorOpIn, Values: []string{"zone1", "zone2"},
	}, false)
}

func spreadBlue(when v1.UnsatisfiableConstraintAction) func(int, *v1.Pod) {
	return func(_ int, pod *v1.Pod) {
		pod.Spec.TopologySpreadConstraints = []v1.TopologySpreadConstraint{{
			MaxSkew:           5,
			TopologyKey:       zoneKey,
			WhenUnsatisfiable: when,
			LabelSelector:     &metav1.LabelSelector{MatchLabels: map[string]string{"color": "blue"}},
		}}
	}
}

func asks(cpu string, priority int32) func(int, *v1.Pod) {
	return func(_ int, pod *v1.Pod) {
		list := v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse("500Mi")}
		pod.Spec.Containers[0].Resources = v1.ResourceRequirements{Requests: list}
		pod.Spec.Priority = ptr.To(priority)
	}
}

func plain(int, *v1.Pod) {}

// workloads are those of test/integration/scheduler_perf, v1.34, at the counts
// of their largest run in upstream's CI.
func workloads() map[string]workload {
	blue := all(labelled("color", "blue"), wantsBlue)
	green := all(labelled("color", "green"), avoidsGreen)
	red := all(labelled("color", "red"), prefersRed)
	yellow := all(labelled("color", "yellow"), prefersNoYellow)
	return map[string]workload{
		"SchedulingBasic": {nodes: 5000, first: 1000, measured: 10000, firstPod: plain, pod: plain},
		"SchedulingDaemonset": {nodes: 15000, measured: 30000, pod: func(_ int, pod *v1.Pod) {
			affinity(pod).NodeAffinity = nodeTerms(v1.NodeSelectorRequirement{
				Key: metav1.ObjectNameField, Operator: v1.NodeSelectorOpIn, Values: []string{nodeName(0)},
			}, true)
			pod.Spec.Containers[0].Resources = v1.ResourceRequirements{}
		}, node: func(index int, node *v1.Node) {
			if index == 0 {
				node.Status.Allocatable[v1.ResourcePods] = resource.MustParse("90000")
			}
		}},
		"SchedulingNodeAffinity": {nodes: 5000, first: 5000, measured: 10000, node: inZone1, firstPod: inZones, pod: inZones},
		"TopologySpreading": {nodes: 5000, first: 5000, measured: 5000, node: inMoons, firstPod: plain,
			pod: all(labelled("color", "blue"), spreadBlue(v1.DoNotSchedule))},
		"PreferredTopologySpreading": {nodes: 5000, first: 5000, measured: 5000, node: inMoons, firstPod: plain,
			pod: all(labelled("color", "blue"), spreadBlue(v1.ScheduleAnyway))},
		"SchedulingPodAffinity": {nodes: 5000, first: 5000, measured: 5000, node: inZone1,
			firstPod: all(blue, inNamespace("sched-0")), pod: all(blue, inNamespace("sched-1"))},
		"SchedulingPodAntiAffinity": {nodes: 5000, first: 1000, measured: 2000,
			firstPod: all(green, inNamespace("sched-0")), pod: all(green, inNamespace("sched-1"))},
		"SchedulingPreferredPodAffinity": {nodes: 5000, first: 5000, measured: 5000,
			firstPod: all(red, inNamespace("sched-0")), pod: all(red, inNamespace("sched-1"))},
		"SchedulingPreferredPodAntiAffinity": {nodes: 5000, first: 5000, measured: 5000,
			firstPod: all(yellow, inNamespace("sched-0")), pod: all(yellow, inNamespace("sched-1"))},
		"MixedSchedulingBasePod": {nodes: 5000, first: 10000, measured: 5000, node: inZone1, pod: plain,
			firstPod: func(index int, pod *v1.Pod) {
				[]func(int, *v1.Pod){plain, blue, green, red, yellow}[index/2000%5](index, pod)
				pod.Namespace = "sched-0"
			}},
		"DefaultTopologySpreading": {nodes: 5000, first: 5000, measured: 50000, node: inMoons,
			firstPod: labelled("app", "web"), pod: labelled("app", "web"),
			objects: []runtime.Object{
				&v1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
					Spec: v1.ServiceSpec{Selector: map[string]string{"app": "web"}}},
				&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "idle", Namespace: "default"},
					Spec: appsv1.ReplicaSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "idle"}}}},
			}},
		// Upstream, a pod that fits nowhere arrives every 200 ms, which is one
		// in a hundred or so at the speed of its CI.
		"Unschedulable": {nodes: 5000, first: 100, measured: 10000, firstPod: plain, pod: func(index int, pod *v1.Pod) {
			if index%100 == 0 {
				asks("9", 10)(index, pod)
			}
		}},
		"PreemptionBasic": {nodes: 1000, first: 4000, measured: 1000, firstPod: asks("900m", 0), pod: asks("3000m", 10)},
	}
}

func workloadNames() []string {
	var out []string
	for name := range workloads() {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func nodeName(index int) string { return fmt.Sprintf("scheduler-perf-%05d", index) }

// cluster makes the workload's objects. The first pods go round the nodes in
// turn, where the scheduler would put them too.
func (w workload) cluster() *cluster {
	c := &cluster{others: w.objects}
	for _, namespace := range []string{"default", "sched-0", "sched-1"} {
		c.others = append(c.others, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	}
	for i := range w.nodes {
		node := &v1.Node{
			ObjectMeta: metav1.ObjectMeta{
				Name: nodeName(i), UID: types.UID(nodeName(i)), ResourceVersion: "1",
				Labels: map[string]string{hostnameKey: nodeName(i)},
			},
			Status: v1.NodeStatus{Allocatable: v1.ResourceList{
				v1.ResourceCPU:    resource.MustParse("4"),
				v1.ResourceMemory: resource.MustParse("32Gi"),
				v1.ResourcePods:   resource.MustParse("110"),
			}},
		}
		if w.node != nil {
			w.node(i, node)
		}
		node.Status.Capacity = node.Status.Allocatable
		legacyscheme.Scheme.Default(node)
		c.nodes = append(c.nodes, node)
	}
	for i := range w.first {
		pod := basePod(fmt.Sprintf("first-%05d", i))
		w.firstPod(i, pod)
		legacyscheme.Scheme.Default(pod)
		pod.Spec.NodeName = nodeName(i % w.nodes)
		pod.Status.Phase = v1.PodRunning
		pod.Status.StartTime = unstarted.DeepCopy()
		c.running = append(c.running, pod)
	}
	for i := range w.measured {
		pod := basePod(fmt.Sprintf("pod-%05d", i))
		w.pod(i, pod)
		legacyscheme.Scheme.Default(pod)
		c.pending = append(c.pending, pod)
	}
	return c
}

func basePod(name string) *v1.Pod {
	list := v1.ResourceList{v1.ResourceCPU: resource.MustParse("100m"), v1.ResourceMemory: resource.MustParse("500Mi")}
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name), ResourceVersion: "1"},
		Spec: v1.PodSpec{
			Priority: ptr.To[int32](0),
			Containers: []v1.Container{{
				Name: "pause", Image: "registry.k8s.io/pause:3.10.1",
				Ports:     []v1.ContainerPort{{ContainerPort: 80}},
				Resources: v1.ResourceRequirements{Requests: list, Limits: list},
			}},
		},
	}
}
