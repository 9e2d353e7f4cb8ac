package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"slices"
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
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

// measurement is one line of output.
type measurement struct {
	File          string  `json:"file"`
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
	CPUSeconds    float64 `json:"cpu_seconds"`
	PeakRSSBytes  int64   `json:"peak_rss_bytes"`
	PodsPerSecond float64 `json:"pods_per_second"`
	MedianMicros  float64 `json:"median_microseconds"`
	P99Micros     float64 `json:"p99_microseconds"`
	// Chosen is the node of each pod, "" for none.
	Chosen []string `json:"chosen,omitempty"`
}

// speed says how pods are attempted.
type speed struct {
	percentage  int
	parallelism int
	limit       time.Duration
	// chosen takes the first of equally good nodes in the order of the list
	// instead of any, and notes which node each pod got.
	chosen bool
}

// bench measures the scheduler's loop without what is around it, over Lists of
// objects as kubectl prints them.
func bench(args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	pods := flags.Int("pods", 0, "pods to place (0: all that wait)")
	limit := flags.Duration("limit", 0, "stop after this time (0: never)")
	percentage := flags.Int("percentage", 100, "percentageOfNodesToScore (0: adaptive, as kube-scheduler's default)")
	parallelism := flags.Int("parallelism", 16, "goroutines for a pod (16 is kube-scheduler's default)")
	chosen := flags.Bool("chosen", false, "of equally good nodes take the first, and say which node each pod got")
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
	if flags.NArg() == 0 {
		return errors.New("no file of objects: bayplan bench has workloads, ../../workloads/compare.py writes them")
	}
	for _, file := range flags.Args() {
		c, err := readList(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		// What waits for its gates is not attempted.
		c.pending = slices.DeleteFunc(c.pending, func(pod *v1.Pod) bool {
			return len(pod.Spec.SchedulingGates) > 0
		})
		if *pods > 0 && *pods < len(c.pending) {
			c.pending = c.pending[:*pods]
		}
		m, err := measure(cfg, c, speed{*percentage, *parallelism, *limit, *chosen})
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		m.File = file
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
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
func measure(cfg *config.KubeSchedulerConfiguration, c *cluster, o speed) (*measurement, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	logger := klog.FromContext(ctx)
	f := newFactory()
	recorder := func(string) events.EventRecorder { return &events.FakeRecorder{} }
	client := fake.NewClientset()
	share := int32(o.percentage)
	sched, err := scheduler.New(ctx, client, f, nil, recorder,
		scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithPercentageOfNodesToScore(&share),
		scheduler.WithParallelism(int32(o.parallelism)),
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
			frameworkruntime.WithParallelism(o.parallelism),
		)
		if err != nil {
			return nil, err
		}
		p.SetPodNominator(sched.SchedulingQueue)
		profiles[name] = p
	}

	m := &measurement{
		Kubernetes: kubernetesVersion, Nodes: len(c.nodes), Running: len(c.running),
		Percentage: o.percentage, Parallelism: o.parallelism, Processors: goruntime.GOMAXPROCS(0),
	}
	order := make([]string, len(c.nodes))
	for i, node := range c.nodes {
		order[i] = node.Name
	}
	if o.chosen {
		if err := takeFirst(sched, order); err != nil {
			return nil, err
		}
	}
	// The text that the objects were read from is no part of a scheduler.
	debug.FreeOSMemory()
	forgetPeak()
	var spent []time.Duration
	cpu := cpuSeconds()
	begin := time.Now()
	for _, pod := range c.pending {
		p, ok := profiles[pod.Spec.SchedulerName]
		if !ok {
			continue
		}
		start := time.Now()
		node, err := scheduleOne(ctx, logger, sched, p, pod, o.chosen, order, m)
		if err != nil {
			return nil, fmt.Errorf("pod %s: %w", klog.KObj(pod), err)
		}
		if o.chosen {
			m.Chosen = append(m.Chosen, node)
		}
		spent = append(spent, time.Since(start))
		if o.limit > 0 && time.Since(begin) > o.limit {
			break
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	m.CPUSeconds = cpuSeconds() - cpu
	m.PeakRSSBytes = peakRSS()
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

// scheduleOne gives the node that the pod got, "" for none.
func scheduleOne(ctx context.Context, logger klog.Logger, sched *scheduler.Scheduler, p *profile, pod *v1.Pod, first bool, order []string, m *measurement) (string, error) {
	state := framework.NewCycleState()
	result, err := sched.SchedulePod(ctx, p, state, pod)
	if err == nil {
		assumed := pod.DeepCopy()
		assumed.Spec.NodeName = result.SuggestedHost
		if err := sched.Cache.AssumePod(logger, assumed); err != nil {
			return "", err
		}
		if s := p.RunReservePluginsReserve(ctx, state, assumed, result.SuggestedHost); !s.IsSuccess() {
			return "", s.AsError()
		}
		m.Placed++
		return result.SuggestedHost, nil
	}
	m.Unschedulable++
	var fit *framework.FitError
	if !errors.As(err, &fit) {
		if errors.Is(err, scheduler.ErrNoNodesAvailable) {
			return "", nil
		}
		return "", err
	}
	plugin, ok := p.plugins[names.DefaultPreemption].(*defaultpreemption.DefaultPreemption)
	if !ok || !p.HasPostFilterPlugins() {
		return "", nil
	}
	evaluator := plugin.Evaluator
	if ok, _ := evaluator.PodEligibleToPreemptOthers(ctx, pod, fit.Diagnosis.NodeToStatus.Get("")); !ok {
		return "", nil
	}
	potential, err := fit.Diagnosis.NodeToStatus.NodesForStatusCode(p.SnapshotSharedLister().NodeInfos(), fwk.Unschedulable)
	if err != nil || len(potential) == 0 {
		return "", err
	}
	budgets, err := evaluator.PdbLister.List(labels.Everything())
	if err != nil {
		return "", err
	}
	offset, wanted := evaluator.GetOffsetAndNumCandidates(int32(len(potential)))
	if first {
		offset, wanted = 0, int32(len(potential))
	}
	candidates, _, err := evaluator.DryRunPreemption(ctx, state, pod, potential, budgets, offset, wanted)
	if len(candidates) == 0 {
		return "", err
	}
	var best preemption.Candidate
	if first {
		best = firstCandidate(ctx, evaluator, candidates, order)
	} else {
		best = evaluator.SelectCandidate(ctx, candidates)
	}
	for _, victim := range best.Victims().Pods {
		if err := sched.Cache.RemovePod(logger, victim); err != nil {
			return "", err
		}
	}
	m.Preempted++
	m.Unschedulable--
	nominated := pod.DeepCopy()
	nominated.Spec.NodeName = best.Name()
	return best.Name(), sched.Cache.AssumePod(logger, nominated)
}
