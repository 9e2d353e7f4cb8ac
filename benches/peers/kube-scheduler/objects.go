package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	configscheme "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
)

// unstarted stands for a missing status.startTime. The scheduler takes the
// time of day there, read anew at each comparison, so that two such pods
// compare by chance; a fixed time far ahead keeps its meaning ("youngest")
// and makes the answer repeatable.
var unstarted = metav1.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)

// line is one line of input.
type line struct {
	Case     json.RawMessage `json:"case"`
	Expected json.RawMessage `json:"expected,omitempty"`
}

// testCase is what a case says, in the form of the conformance README.
type testCase struct {
	ID      string          `json:"id"`
	Tags    []string        `json:"tags"`
	Config  json.RawMessage `json:"config"`
	Objects struct {
		Items []json.RawMessage `json:"items"`
	} `json:"objects"`
}

// cluster holds a case's objects with the API server's defaults applied.
type cluster struct {
	nodes   []*v1.Node
	running []*v1.Pod
	pending []*v1.Pod // in the order in which they are attempted
	others  []runtime.Object
}

// decodeObject reads one object and applies the API's defaults. The object is
// nil if the scheme does not know its kind.
func decodeObject(raw []byte) (runtime.Object, error) {
	var meta metav1.TypeMeta
	if err := json.Unmarshal(raw, &meta); err != nil {
		return nil, err
	}
	object, err := legacyscheme.Scheme.New(schema.FromAPIVersionAndKind(meta.APIVersion, meta.Kind))
	if runtime.IsNotRegisteredError(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, object); err != nil {
		return nil, fmt.Errorf("%s: %w", meta.Kind, err)
	}
	legacyscheme.Scheme.Default(object)
	accessor, ok := object.(metav1.Object)
	if !ok {
		return nil, fmt.Errorf("%s has no metadata", meta.Kind)
	}
	// An API server gives every object both; the scheduler's caches need them.
	if accessor.GetUID() == "" {
		accessor.SetUID(types.UID(meta.Kind + "/" + accessor.GetNamespace() + "/" + accessor.GetName()))
	}
	if accessor.GetResourceVersion() == "" {
		accessor.SetResourceVersion("1")
	}
	return object, nil
}

func readCluster(items []json.RawMessage) (*cluster, error) {
	c := &cluster{}
	classes := map[string]*schedulingv1.PriorityClass{}
	var pods []*v1.Pod
	for i, raw := range items {
		object, err := decodeObject(raw)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		switch o := object.(type) {
		case nil:
		case *v1.Node:
			c.nodes = append(c.nodes, o)
		case *v1.Pod:
			// The scheduler's informer leaves finished pods out.
			if o.Status.Phase != v1.PodSucceeded && o.Status.Phase != v1.PodFailed {
				pods = append(pods, o)
			}
		case *schedulingv1.PriorityClass:
			classes[o.Name] = o
		default:
			c.others = append(c.others, o)
		}
	}
	for _, pod := range pods {
		if err := admitPriority(pod, classes); err != nil {
			return nil, err
		}
		if pod.Status.StartTime == nil {
			pod.Status.StartTime = unstarted.DeepCopy()
		}
		if pod.Spec.NodeName == "" {
			c.pending = append(c.pending, pod)
		} else {
			c.running = append(c.running, pod)
		}
	}
	sort.SliceStable(c.pending, func(i, j int) bool {
		return *c.pending[i].Spec.Priority > *c.pending[j].Spec.Priority
	})
	return c, nil
}

// admitPriority does what the Priority admission plugin does when a pod is
// created: the number, and the preemption policy, come from the class.
func admitPriority(pod *v1.Pod, classes map[string]*schedulingv1.PriorityClass) error {
	var class *schedulingv1.PriorityClass
	if name := pod.Spec.PriorityClassName; name != "" {
		class = classes[name]
		if class == nil && pod.Spec.Priority == nil {
			return fmt.Errorf("pod %s/%s: no PriorityClass %q", pod.Namespace, pod.Name, name)
		}
	} else if pod.Spec.Priority == nil {
		for _, candidate := range classes {
			if candidate.GlobalDefault && (class == nil || candidate.Value < class.Value) {
				class = candidate
			}
		}
	}
	var value int32
	if class != nil {
		value = class.Value
		if pod.Spec.PreemptionPolicy == nil {
			pod.Spec.PreemptionPolicy = class.PreemptionPolicy
		}
	}
	if pod.Spec.Priority == nil {
		pod.Spec.Priority = &value
	}
	return nil
}

// errConfig marks a configuration that kube-scheduler would not start with.
var errConfig = errors.New("configuration")

// readConfig decodes, defaults and validates as kube-scheduler's --config does.
func readConfig(raw json.RawMessage) (*config.KubeSchedulerConfiguration, error) {
	if len(raw) == 0 || string(raw) == "null" {
		raw = []byte(`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"KubeSchedulerConfiguration"}`)
	}
	object, _, err := configscheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	cfg, ok := object.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, fmt.Errorf("%w: it is a %T", errConfig, object)
	}
	// kube-scheduler sets these from its flags.
	cfg.ClientConnection.Kubeconfig = "-"
	if err := validation.ValidateKubeSchedulerConfiguration(cfg); err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return cfg, nil
}
