package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

// measurement is one line of output.
type measurement struct {
	Workload      string  `json:"workload"`
	Kubernetes    string  `json:"kubernetes"`
	Nodes         int     `json:"nodes"`
	Running       int     `json:"running"`
	Percentage    int     `json:"percentage_of_nodes_to_score"`
	Parallelism   int     `json:"parallelism"`
	Processors    int     `json:"processors"`
	Pods          int     `json:"pods"`
	Placed        int     `json:"placed"`
	Preempted     int     `json:"preempted"`
	Unschedulable int     `json:"unschedulable"`
	Seconds       float64 `json:"seconds"`
	PodsPerSecond float64 `json:"pods_per_second"`
	MedianMicros  float64 `json:"median_microseconds"`
	P99Micros     float64 `json:"p99_microseconds"`
}

// bench measures the scheduler's loop without what is around it.
func bench(args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	name := flags.String("workload", "SchedulingBasic", "one of "+strings.Join(workloadNames(), ", ")+", or all")
	nodes := flags.Int("nodes", 0, "nodes (0: as upstream)")
	first := flags.Int("first", -1, "pods that already run (-1: as upstream)")
	pods := flags.Int("pods", 0, "pods to place (0: as upstream)")
	limit := flags.Duration("limit", 0, "stop after this time (0: never)")
	percentage := flags.Int("percentage", 100, "percentageOfNodesToScore (0: adaptive, as kube-scheduler's default)")
	parallelism := flags.Int("parallelism", 16, "goroutines for a pod (16 is kube-scheduler's default)")
	configFile := flags.String("config", "", "KubeSchedulerConfiguration in JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var raw json.RawMessage
	if *configFile != "" {
		text, err := os.ReadFile(*configFile)
		if err != nil {
			return err
		}
		raw = text
	}
	cfg, err := readConfig(raw)
	if err != nil {
		return err
	}
	run := func(name string, c *cluster) error {
		m, err := measure(cfg, c, *percentage, *parallelism, *limit)
		if err != nil {
			return err
		}
		m.Workload = name
		return json.NewEncoder(os.Stdout).Encode(m)
	}
	if flags.NArg() > 0 {
		// A List of objects, as kubectl prints it, on one line or many.
		for _, file := range flags.Args() {
			c, err := readList(file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if *pods > 0 && *pods < len(c.pending) {
				c.pending = c.pending[:*pods]
			}
			if err := run(file, c); err != nil {
				return err
			}
		}
		return nil
	}
	wanted := []string{*name}
	if *name == "all" {
		wanted = workloadNames()
	}
	for _, name := range wanted {
		w, ok := workloads()[name]
		if !ok {
			return fmt.Errorf("no workload %q", name)
		}
		if *nodes > 0 {
			w.nodes = *nodes
		}
		if *first >= 0 && w.firstPod != nil {
			w.first = *first
		}
		if *pods > 0 {
			w.measured = *pods
		}
		if err := run(name, w.cluster()); err != nil {
			return err
		}
	}
	return nil
}

func readList(file string) (*cluster, error) {
	var text []byte
	err := eachLineOf(file, func(_ string, line []byte) error {
		text = append(text, line...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	return readCluster(list.Items)
}

// measure attempts the pending pods one after the other, each as the
// scheduler's own SchedulePod does, and assumes it where it goes. There is no
// API server, no queue and no binding. Preemption evicts at once.
func measure(cfg *config.KubeSchedulerConfiguration, c *cluster, percentage, parallelism int, limit time.Duration) (*measurement, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	logger := klog.FromContext(ctx)
	f := newFactory()
	recorder := func(string) events.EventRecorder { return &events.FakeRecorder{} }
	client := fake.NewClientset()
	share := int32(percentage)
	sched, err := scheduler.New(ctx, client, f, nil, recorder,
		scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithPercentageOfNodesToScore(&share),
		scheduler.WithParallelism(int32(parallelism)),
	)
	if err != nil {
		return nil, err
	}
	for _, node := range c.nodes {
		if err := f.add(node); err != nil {
			return nil, err
		}
	}
	for _, object := range c.others {
		if err := f.add(object); err != nil {
			return nil, err
		}
	}
	for _, pod := range c.running {
		if err := f.add(pod); err != nil {
			return nil, err
		}
	}
	profiles := map[string]*profile{}
	for i := range cfg.Profiles {
		name := cfg.Profiles[i].SchedulerName
		p, err := newProfile(ctx, &cfg.Profiles[i],
			frameworkruntime.WithClientSet(client),
			frameworkruntime.WithInformerFactory(f),
			frameworkruntime.WithSnapshotSharedLister(sched.Profiles[name].SnapshotSharedLister()),
			frameworkruntime.WithParallelism(parallelism),
		)
		if err != nil {
			return nil, err
		}
		profiles[name] = p
	}

	m := &measurement{
		Kubernetes: kubernetesVersion, Nodes: len(c.nodes), Running: len(c.running),
		Percentage: percentage, Parallelism: parallelism, Processors: goruntime.GOMAXPROCS(0),
	}
	goruntime.GC()
	var spent []time.Duration
	begin := time.Now()
	for _, pod := range c.pending {
		p, ok := profiles[pod.Spec.SchedulerName]
		if !ok {
			continue
		}
		start := time.Now()
		if err := scheduleOne(ctx, logger, sched, p, pod, m); err != nil {
			return nil, fmt.Errorf("pod %s: %w", klog.KObj(pod), err)
		}
		spent = append(spent, time.Since(start))
		if limit > 0 && time.Since(begin) > limit {
			break
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	m.Pods = len(spent)
	if len(spent) == 0 {
		return m, nil
	}
	m.PodsPerSecond = float64(m.Pods) / m.Seconds
	slices.Sort(spent)
	m.MedianMicros = float64(spent[len(spent)/2].Nanoseconds()) / 1000
	m.P99Micros = float64(spent[len(spent)*99/100].Nanoseconds()) / 1000
	return m, nil
}

func scheduleOne(ctx context.Context, logger klog.Logger, sched *scheduler.Scheduler, p *profile, pod *v1.Pod, m *measurement) error {
	state := framework.NewCycleState()
	result, err := sched.SchedulePod(ctx, p, state, pod)
	if err == nil {
		assumed := pod.DeepCopy()
		assumed.Spec.NodeName = result.SuggestedHost
		if err := sched.Cache.AssumePod(logger, assumed); err != nil {
			return err
		}
		if s := p.RunReservePluginsReserve(ctx, state, assumed, result.SuggestedHost); !s.IsSuccess() {
			return s.AsError()
		}
		m.Placed++
		return nil
	}
	m.Unschedulable++
	var fit *framework.FitError
	if !errors.As(err, &fit) {
		if errors.Is(err, scheduler.ErrNoNodesAvailable) {
			return nil
		}
		return err
	}
	plugin, ok := p.plugins[names.DefaultPreemption].(*defaultpreemption.DefaultPreemption)
	if !ok || !p.HasPostFilterPlugins() {
		return nil
	}
	evaluator := plugin.Evaluator
	if ok, _ := evaluator.PodEligibleToPreemptOthers(ctx, pod, fit.Diagnosis.NodeToStatus.Get("")); !ok {
		return nil
	}
	potential, err := fit.Diagnosis.NodeToStatus.NodesForStatusCode(p.SnapshotSharedLister().NodeInfos(), fwk.Unschedulable)
	if err != nil || len(potential) == 0 {
		return err
	}
	budgets, err := evaluator.PdbLister.List(labels.Everything())
	if err != nil {
		return err
	}
	offset, wanted := evaluator.GetOffsetAndNumCandidates(int32(len(potential)))
	candidates, _, err := evaluator.DryRunPreemption(ctx, state, pod, potential, budgets, offset, wanted)
	if len(candidates) == 0 {
		return err
	}
	best := evaluator.SelectCandidate(ctx, candidates)
	for _, victim := range best.Victims().Pods {
		if err := sched.Cache.RemovePod(logger, victim); err != nil {
			return err
		}
	}
	m.Preempted++
	m.Unschedulable--
	nominated := pod.DeepCopy()
	nominated.Spec.NodeName = best.Name()
	return sched.Cache.AssumePod(logger, nominated)
}
