package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	frameworkplugins "k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

// status is why a node, or a pod as a whole, was rejected.
type status struct {
	Plugin  string   `json:"plugin"`
	Code    string   `json:"code"`
	Reasons []string `json:"reasons"`
}

// evictions is what DefaultPreemption chose.
type evictions struct {
	Node       string              `json:"node"`
	Victims    []string            `json:"victims"`
	Candidates map[string][]string `json:"candidates"`
}

// decision is the fate of one pending pod.
type decision struct {
	Pod            string                      `json:"pod"`
	Gated          bool                        `json:"gated"`
	Prefilter      *status                     `json:"prefilter"`
	PrefilterNodes []string                    `json:"prefilter_nodes"`
	Filter         map[string]*status          `json:"filter"`
	RawScores      map[string]map[string]int64 `json:"raw_scores"`
	Scores         map[string]map[string]int64 `json:"scores"`
	Totals         map[string]int64            `json:"totals"`
	Best           []string                    `json:"best"`
	Chosen         *string                     `json:"chosen"`
	Message        *string                     `json:"message"`
	Preemption     *evictions                  `json:"preemption"`
	Error          *string                     `json:"error,omitempty"`
}

// expected is what the scheduler says of a case.
type expected struct {
	ID          string     `json:"id"`
	Kubernetes  string     `json:"kubernetes"`
	ConfigError string     `json:"config_error,omitempty"`
	Decisions   []decision `json:"decisions"`
}

const kubernetesVersion = "v1.34.1"

func (d *decision) fail(err error) {
	text := err.Error()
	d.Error, d.Message = &text, &text
}

// profile is a framework and the plugin instances inside it, which the
// framework itself does not hand out.
type profile struct {
	framework.Framework
	plugins map[string]framework.Plugin
	scorers []string
}

// world is a scheduler with its clock stopped: the real cache, snapshot and
// frameworks, driven by hand.
type world struct {
	ctx       context.Context
	logger    klog.Logger
	factory   *factory
	cache     internalcache.Cache
	snapshot  *internalcache.Snapshot
	profiles  map[string]*profile
	nodeNames []string
	queue     *queue
	options   options
	sched     *scheduler.Scheduler // to be asked as well, or nil
}

// options of a decision.
type options struct {
	// limitCandidates obeys DefaultPreemption's minCandidateNodes arguments.
	limitCandidates bool
	// ask has the scheduler's own SchedulePod decide each pod as well, and
	// fails if it contradicts the loop that is written out here.
	ask bool
	// sampling has the scheduler's own search find the nodes: its order, its
	// start index that moves on, as many as percentageOfNodesToScore says.
	// It obeys the minCandidateNodes arguments, too.
	sampling bool
}

func newProfile(ctx context.Context, p *config.KubeSchedulerProfile, opts ...frameworkruntime.Option) (*profile, error) {
	out := &profile{plugins: map[string]framework.Plugin{}}
	registry := frameworkruntime.Registry{}
	for name, build := range frameworkplugins.NewInTreeRegistry() {
		registry[name] = func(ctx context.Context, args runtime.Object, h framework.Handle) (framework.Plugin, error) {
			plugin, err := build(ctx, args, h)
			out.plugins[name] = plugin
			return plugin, err
		}
	}
	f, err := frameworkruntime.NewFramework(ctx, registry, p, opts...)
	if err != nil {
		return nil, err
	}
	out.Framework = f
	for _, plugin := range f.ListPlugins().Score.Enabled {
		out.scorers = append(out.scorers, plugin.Name)
	}
	return out, nil
}

// newWorld builds the cluster and the frameworks of the configuration.
func newWorld(ctx context.Context, cfg *config.KubeSchedulerConfiguration, c *cluster, o options) (*world, error) {
	w := &world{
		ctx:      ctx,
		logger:   klog.FromContext(ctx),
		factory:  newFactory(),
		profiles: map[string]*profile{},
		options:  o,
	}
	client := fake.NewClientset()
	if !o.sampling {
		everything := int32(100)
		cfg.PercentageOfNodesToScore = &everything
		for i := range cfg.Profiles {
			cfg.Profiles[i].PercentageOfNodesToScore = nil
		}
	}
	if o.ask || o.sampling {
		if err := w.newScheduler(client, cfg); err != nil {
			return nil, err
		}
	} else {
		w.cache = internalcache.New(ctx, 0, nil)
		w.snapshot = internalcache.NewEmptySnapshot()
	}
	for _, node := range c.nodes {
		w.nodeNames = append(w.nodeNames, node.Name)
		w.cache.AddNode(w.logger, node)
		if err := w.factory.add(node); err != nil {
			return nil, err
		}
	}
	for _, pod := range c.running {
		if err := w.cache.AddPod(w.logger, pod); err != nil {
			return nil, err
		}
		if err := w.factory.add(pod); err != nil {
			return nil, err
		}
	}
	for _, pod := range c.pending {
		if err := w.factory.add(pod); err != nil {
			return nil, err
		}
	}
	for _, object := range c.others {
		if err := w.factory.add(object); err != nil {
			return nil, err
		}
	}
	for i := range cfg.Profiles {
		p, err := newProfile(ctx, &cfg.Profiles[i],
			frameworkruntime.WithClientSet(client),
			frameworkruntime.WithInformerFactory(w.factory),
			frameworkruntime.WithSnapshotSharedLister(w.snapshot),
			// One at a time: which of several failing nodes names itself in
			// an error is then no race.
			frameworkruntime.WithParallelism(1),
		)
		if err != nil {
			return nil, fmt.Errorf("%w: profile %s: %w", errConfig, cfg.Profiles[i].SchedulerName, err)
		}
		w.profiles[cfg.Profiles[i].SchedulerName] = p
	}
	w.queue = w.newQueue(c.pending)
	return w, nil
}

// newScheduler makes a whole scheduler and shares its cache and snapshot. Its
// informers stay empty, so that its own event handlers change nothing.
func (w *world) newScheduler(client *fake.Clientset, cfg *config.KubeSchedulerConfiguration) error {
	sched, err := scheduler.New(w.ctx, client, newFactory(), nil,
		func(string) events.EventRecorder { return &events.FakeRecorder{} },
		scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithPercentageOfNodesToScore(cfg.PercentageOfNodesToScore),
		scheduler.WithParallelism(1),
	)
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	snapshot, ok := sched.Profiles[cfg.Profiles[0].SchedulerName].SnapshotSharedLister().(*internalcache.Snapshot)
	if !ok {
		return errors.New("the scheduler's snapshot is of another type")
	}
	w.sched, w.cache, w.snapshot = sched, sched.Cache, snapshot
	return nil
}

// contradiction compares a decision with what SchedulePod said of the pod.
func contradiction(d *decision, result scheduler.ScheduleResult, err error) error {
	var fit *framework.FitError
	switch {
	case err == nil:
		// Of equally good nodes it draws one; without scores it takes any.
		if d.Chosen == nil || !(slices.Contains(d.Best, result.SuggestedHost) || *d.Chosen == result.SuggestedHost) {
			return fmt.Errorf("SchedulePod chose %s, not one of %v", result.SuggestedHost, d.Best)
		}
	case errors.As(err, &fit) || errors.Is(err, scheduler.ErrNoNodesAvailable):
		if d.Message == nil || *d.Message != err.Error() {
			return fmt.Errorf("SchedulePod said %q", err)
		}
	case d.Error == nil:
		return fmt.Errorf("SchedulePod failed: %w", err)
	}
	return nil
}

// decide answers a case.
func decide(raw json.RawMessage, o options) (*expected, error) {
	var tc testCase
	if err := json.Unmarshal(raw, &tc); err != nil {
		return nil, err
	}
	answer := &expected{ID: tc.ID, Kubernetes: kubernetesVersion, Decisions: []decision{}}
	cfg, err := readConfig(tc.Config)
	if err != nil {
		answer.ConfigError = err.Error()
		return answer, nil
	}
	c, err := readCluster(tc.Objects.Items)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", tc.ID, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w, err := newWorld(ctx, cfg, c, o)
	if errors.Is(err, errConfig) {
		answer.ConfigError = err.Error()
		return answer, nil
	} else if err != nil {
		return nil, fmt.Errorf("case %s: %w", tc.ID, err)
	}
	for _, pod := range c.pending {
		p, ok := w.profiles[pod.Spec.SchedulerName]
		if !ok {
			continue
		}
		d, err := w.attempt(p, pod)
		if err != nil {
			return nil, fmt.Errorf("case %s, pod %s: %w", tc.ID, klog.KObj(pod), err)
		}
		answer.Decisions = append(answer.Decisions, *d)
	}
	return answer, nil
}

// attempt decides one pod and changes the cluster accordingly. An error means
// that this program could not go on, not that the scheduler failed.
func (w *world) attempt(p *profile, pod *v1.Pod) (d *decision, failure error) {
	d = &decision{
		Pod:       pod.Namespace + "/" + pod.Name,
		Filter:    map[string]*status{},
		RawScores: map[string]map[string]int64{},
		Scores:    map[string]map[string]int64{},
		Totals:    map[string]int64{},
		Best:      []string{},
	}
	if w.queue.gated(p, pod) {
		d.Gated = true
		return d, nil
	}
	info, err := w.queue.pop(pod)
	if err != nil {
		return nil, err
	}
	defer w.queue.done(info)
	pod = info.Pod
	if len(pod.Spec.ResourceClaims) > 0 {
		d.fail(errors.New("resourceClaims are not supported by this program"))
		return d, nil
	}
	if pod.DeletionTimestamp != nil {
		text := fmt.Sprintf("skip schedule deleting pod: %v/%v", pod.Namespace, pod.Name)
		d.Message = &text
		return d, nil
	}
	if err := w.cache.UpdateSnapshot(w.logger, w.snapshot); err != nil {
		return nil, err
	}
	if w.snapshot.NumNodes() == 0 {
		text := scheduler.ErrNoNodesAvailable.Error()
		d.Message = &text
		return d, w.queue.failed(info, noNode)
	}

	if w.options.ask {
		result, err := w.sched.SchedulePod(w.ctx, p, framework.NewCycleState(), pod)
		defer func() {
			if failure == nil {
				failure = contradiction(d, result, err)
			}
		}()
	}
	state := framework.NewCycleState()
	search := w.filter
	if w.options.sampling {
		search = w.sample
	}
	feasible, diagnosis, err := search(p, state, pod, d)
	if err != nil {
		d.fail(err)
		return d, w.queue.failed(info, noNode)
	}
	if len(feasible) == 0 {
		fit := &framework.FitError{Pod: pod, NumAllNodes: w.snapshot.NumNodes(), Diagnosis: *diagnosis}
		text := fit.Error()
		d.Message = &text
		nominating, err := w.preempt(p, state, pod, diagnosis, d)
		if err != nil || d.Preemption != nil {
			return d, err
		}
		return d, w.queue.failed(info, nominating)
	}
	if err := w.score(p, state, pod, feasible, d); err != nil {
		text := err.Error()
		d.Error = &text
		if len(feasible) > 1 {
			d.RawScores = map[string]map[string]int64{}
			d.Message = &text
			return d, w.queue.failed(info, noNode)
		}
		// The scheduler scores nothing when one node is left.
		d.Best = []string{}
		return d, w.place(p, state, info, feasible[0].Node().Name, d)
	}
	return d, w.place(p, state, info, d.Best[0], d)
}

// place assumes the pod on the node and reserves what it needs there.
func (w *world) place(p *profile, state fwk.CycleState, info *framework.QueuedPodInfo, node string, d *decision) error {
	assumed := info.Pod.DeepCopy()
	assumed.Spec.NodeName = node
	if err := w.cache.AssumePod(w.logger, assumed); err != nil {
		return err
	}
	w.queue.DeleteNominatedPodIfExists(assumed)
	if s := p.RunReservePluginsReserve(w.ctx, state, assumed, node); !s.IsSuccess() {
		p.RunReservePluginsUnreserve(w.ctx, state, assumed, node)
		if err := w.cache.ForgetPod(w.logger, assumed); err != nil {
			return err
		}
		d.fail(s.AsError())
		return w.queue.failed(info, noNode)
	}
	d.Chosen = &node
	return nil
}

func newStatus(s *fwk.Status) *status {
	reasons := s.Reasons()
	if reasons == nil {
		reasons = []string{}
	}
	if s.Plugin() == names.NodeResourcesFit {
		// Extended resources come out in the order of a Go map.
		for i, reason := range reasons {
			if !nativeReasons.Has(reason) {
				reasons = append(slices.Clone(reasons[:i]), slices.Sorted(slices.Values(reasons[i:]))...)
				break
			}
		}
	}
	return &status{Plugin: s.Plugin(), Code: s.Code().String(), Reasons: reasons}
}

// nativeReasons are those that NodeResourcesFit gives in a fixed order.
var nativeReasons = sets.New("Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage")

// filter does what the scheduler's findNodesThatFitPod does, for all nodes and
// in their order. An error is the scheduler's own.
func (w *world) filter(p *profile, state fwk.CycleState, pod *v1.Pod, d *decision) ([]fwk.NodeInfo, *framework.Diagnosis, error) {
	diagnosis := &framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus()}
	result, s, rejecting := p.RunPreFilterPlugins(w.ctx, state, pod)
	diagnosis.UnschedulablePlugins = rejecting
	if !s.IsSuccess() {
		if !s.IsRejected() {
			return nil, diagnosis, s.AsError()
		}
		diagnosis.NodeToStatus.SetAbsentNodesStatus(s)
		diagnosis.PreFilterMsg = s.Message()
		diagnosis.AddPluginStatus(s)
		d.Prefilter = newStatus(s)
		return nil, diagnosis, nil
	}
	if !result.AllNodes() {
		d.PrefilterNodes = w.ordered(result.NodeNames)
	}
	// The node to which the pod is nominated comes first, and is enough; it
	// may be one that PreFilter leaves out.
	tried := pod.Status.NominatedNodeName
	if node, err := w.snapshot.Get(tried); tried != "" && err == nil {
		switch s := p.RunFilterPluginsWithNominatedPods(w.ctx, state, pod, node); {
		case s.IsSuccess():
			d.Filter[tried] = nil
			return []fwk.NodeInfo{node}, diagnosis, nil
		case s.Code() != fwk.Error:
			diagnosis.NodeToStatus.Set(tried, s)
			diagnosis.AddPluginStatus(s)
			d.Filter[tried] = newStatus(s)
		}
	}
	if !result.AllNodes() {
		diagnosis.NodeToStatus.SetAbsentNodesStatus(fwk.NewStatus(
			fwk.UnschedulableAndUnresolvable,
			fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", sets.List(rejecting)),
		))
	}
	var feasible []fwk.NodeInfo
	for _, name := range w.nodeNames {
		if !result.AllNodes() && !result.NodeNames.Has(name) {
			if _, known := d.Filter[name]; known {
				continue
			}
			d.Filter[name] = newStatus(diagnosis.NodeToStatus.AbsentNodesStatus())
			continue
		}
		node, err := w.snapshot.Get(name)
		if err != nil {
			return nil, diagnosis, err
		}
		s := p.RunFilterPluginsWithNominatedPods(w.ctx, state, pod, node)
		switch {
		case s.Code() == fwk.Error:
			return nil, diagnosis, s.AsError()
		case s.IsSuccess():
			feasible = append(feasible, node)
			d.Filter[name] = nil
		default:
			diagnosis.NodeToStatus.Set(name, s)
			diagnosis.AddPluginStatus(s)
			d.Filter[name] = newStatus(s)
		}
	}
	return feasible, diagnosis, nil
}

// ordered lists names in node order, and after them those of no node, sorted.
func (w *world) ordered(given sets.Set[string]) []string {
	rest := given.Clone()
	out := []string{}
	for _, name := range w.nodeNames {
		if rest.Has(name) {
			out = append(out, name)
			rest.Delete(name)
		}
	}
	return append(out, sets.List(rest)...)
}

// score fills the scores, totals and best nodes. An error is the scheduler's.
func (w *world) score(p *profile, state fwk.CycleState, pod *v1.Pod, nodes []fwk.NodeInfo, d *decision) error {
	if !p.HasScorePlugins() {
		// The scheduler then takes any node: all are worth one.
		for _, node := range nodes {
			d.Totals[node.Node().Name] = 1
			d.Best = append(d.Best, node.Node().Name)
		}
		return nil
	}
	if s := p.RunPreScorePlugins(w.ctx, state, pod, nodes); !s.IsSuccess() {
		return s.AsError()
	}
	for _, name := range p.scorers {
		if state.GetSkipScorePlugins().Has(name) {
			continue
		}
		plugin, ok := p.plugins[name].(framework.ScorePlugin)
		if !ok {
			return fmt.Errorf("plugin %q does not score", name)
		}
		raw := map[string]int64{}
		for _, node := range nodes {
			value, s := plugin.Score(w.ctx, state, pod, node)
			if !s.IsSuccess() {
				return fmt.Errorf("running Score plugins: plugin %q failed with: %w", name, s.AsError())
			}
			raw[node.Node().Name] = value
		}
		d.RawScores[name] = raw
	}
	scored, s := p.RunScorePlugins(w.ctx, state, pod, nodes)
	if !s.IsSuccess() {
		return s.AsError()
	}
	best := scored[0].TotalScore
	for _, node := range scored {
		best = max(best, node.TotalScore)
		d.Totals[node.Name] = node.TotalScore
		for _, plugin := range node.Scores {
			if d.Scores[plugin.Name] == nil {
				d.Scores[plugin.Name] = map[string]int64{}
			}
			d.Scores[plugin.Name][node.Name] = plugin.Score
		}
	}
	for _, node := range scored {
		if node.TotalScore == best {
			d.Best = append(d.Best, node.Name)
		}
	}
	return nil
}

// preempt says what becomes of the pod's own nomination. It runs DefaultPreemption if the profile has it. All of its own parts
// decide; only its randomness is taken out: the search starts at the first
// node and does not stop early, and of equally good nodes the first is taken.
func (w *world) preempt(p *profile, state fwk.CycleState, pod *v1.Pod, diagnosis *framework.Diagnosis, d *decision) (*framework.NominatingInfo, error) {
	plugin, ok := p.plugins[names.DefaultPreemption].(*defaultpreemption.DefaultPreemption)
	if !ok || !p.HasPostFilterPlugins() {
		return nil, nil
	}
	evaluator := plugin.Evaluator
	nominated := diagnosis.NodeToStatus.Get(pod.Status.NominatedNodeName)
	if ok, _ := evaluator.PodEligibleToPreemptOthers(w.ctx, pod, nominated); !ok {
		return nil, nil
	}
	rejected, err := diagnosis.NodeToStatus.NodesForStatusCode(w.snapshot.NodeInfos(), fwk.Unschedulable)
	if err != nil {
		return nil, err
	}
	if len(rejected) == 0 {
		return noNode, nil
	}
	byName := map[string]fwk.NodeInfo{}
	for _, node := range rejected {
		byName[node.Node().Name] = node
	}
	var potential []fwk.NodeInfo
	order, err := w.order()
	if err != nil {
		return nil, err
	}
	for _, name := range order {
		if node, ok := byName[name]; ok {
			potential = append(potential, node)
		}
	}
	budgets, err := evaluator.PdbLister.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	wanted := int32(len(potential))
	if w.options.limitCandidates || w.options.sampling {
		_, wanted = evaluator.GetOffsetAndNumCandidates(wanted)
	}
	candidates, _, err := evaluator.DryRunPreemption(w.ctx, state, pod, potential, budgets, 0, wanted)
	if len(candidates) == 0 {
		if err != nil {
			text := err.Error()
			d.Error = &text
			return nil, nil
		}
		return noNode, nil
	}
	chosen := firstCandidate(w.ctx, evaluator, candidates, order)
	d.Preemption = &evictions{
		Node:       chosen.Name(),
		Victims:    podNames(chosen.Victims()),
		Candidates: map[string][]string{},
	}
	for _, candidate := range candidates {
		d.Preemption.Candidates[candidate.Name()] = podNames(candidate.Victims())
	}
	if err := w.queue.clearLowerPriority(pod, chosen); err != nil {
		return nil, err
	}
	for _, victim := range chosen.Victims().Pods {
		if err := w.cache.RemovePod(w.logger, victim); err != nil {
			return nil, err
		}
		if err := w.factory.remove(victim); err != nil {
			return nil, err
		}
	}
	assumed := pod.DeepCopy()
	assumed.Spec.NodeName = chosen.Name()
	w.queue.DeleteNominatedPodIfExists(assumed)
	return nil, w.cache.AssumePod(w.logger, assumed)
}

func podNames(victims *extenderv1.Victims) []string {
	out := []string{}
	for _, pod := range victims.Pods {
		out = append(out, pod.Namespace+"/"+pod.Name)
	}
	return out
}

// tieRounds is how often a pair is compared before the later one is taken for
// strictly better. Of two equal nodes the scheduler's map iteration yields the
// later one once in eight times, so a wrong verdict has odds of 8^-24.
const tieRounds = 24

// firstCandidate asks the scheduler's own choice, pair by pair in node order.
// Asked about all at once it would break ties by the iteration order of a map.
func firstCandidate(ctx context.Context, evaluator *preemption.Evaluator, candidates []preemption.Candidate, order []string) preemption.Candidate {
	byName := map[string]preemption.Candidate{}
	for _, candidate := range candidates {
		byName[candidate.Name()] = candidate
	}
	var best preemption.Candidate
	for _, name := range order {
		candidate, ok := byName[name]
		if !ok {
			continue
		}
		if best == nil {
			best = candidate
			continue
		}
		better := true
		for range tieRounds {
			pair := []preemption.Candidate{best, candidate}
			if evaluator.SelectCandidate(ctx, pair).Name() == best.Name() {
				better = false
				break
			}
		}
		if better {
			best = candidate
		}
	}
	return best
}
