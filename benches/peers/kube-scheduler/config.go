package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	schedprofile "k8s.io/kubernetes/pkg/scheduler/profile"
)

// A configuration file, and what kube-scheduler makes of it: the first of its steps that fails, or the
// values after defaulting and the plugins at each extension point.
type configRecord struct {
	ID         string          `json:"id"`
	Text       string          `json:"text"`
	Decode     string          `json:"decode,omitempty"`
	Validation []string        `json:"validation,omitempty"`
	Build      string          `json:"build,omitempty"`
	Top        map[string]any  `json:"top,omitempty"`
	Profiles   []configProfile `json:"profiles,omitempty"`
}

type configProfile struct {
	Name       string         `json:"name"`
	Percentage *int32         `json:"percentage"`
	Plugins    map[string]any `json:"plugins"`
	Args       map[string]any `json:"args"`
}

// configs reads {"id", "text"} lines and prints the records.
func configs(files []string) error {
	return eachLine(files, func(_ string, line []byte) error {
		var record configRecord
		if err := json.Unmarshal(line, &record); err != nil {
			return err
		}
		record.fill()
		text, err := json.Marshal(record)
		if err == nil {
			_, err = fmt.Println(string(text))
		}
		return err
	})
}

func (r *configRecord) fill() {
	defer func() {
		if crash := recover(); crash != nil {
			r.Build = fmt.Sprintf("PANIC: %v", crash)
		}
	}()
	object, kind, err := scheme.Codecs.UniversalDecoder().Decode([]byte(r.Text), nil, nil)
	if err != nil {
		r.Decode = err.Error()
		return
	}
	cfg, ok := object.(*config.KubeSchedulerConfiguration)
	if !ok {
		r.Decode = fmt.Sprintf("couldn't decode as KubeSchedulerConfiguration, got %s: ", kind)
		return
	}
	cfg.TypeMeta.APIVersion = kind.GroupVersion().String()
	if invalid := validation.ValidateKubeSchedulerConfiguration(cfg); invalid != nil {
		for _, err := range utilerrors.Flatten(invalid).Errors() {
			if text := err.Error(); !slices.Contains(r.Validation, text) {
				r.Validation = append(r.Validation, text)
			}
		}
		slices.Sort(r.Validation)
		return
	}
	if err := r.build(cfg); err != nil {
		r.Build = err.Error()
	}
}

func (r *configRecord) build(cfg *config.KubeSchedulerConfiguration) error {
	top := map[string]any{
		"parallelism": cfg.Parallelism, "leaderElection": cfg.LeaderElection,
		"clientConnection": cfg.ClientConnection, "debugging": cfg.DebuggingConfiguration,
		"percentageOfNodesToScore": cfg.PercentageOfNodesToScore, "delayCacheUntilActive": cfg.DelayCacheUntilActive,
		"podInitialBackoffSeconds": cfg.PodInitialBackoffSeconds, "podMaxBackoffSeconds": cfg.PodMaxBackoffSeconds,
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := fake.NewClientset()
	args := map[string]map[string]any{}
	built, err := scheduler.New(ctx, client, informers.NewSharedInformerFactory(client, 0), nil,
		schedprofile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})),
		scheduler.WithComponentConfigVersion(cfg.TypeMeta.APIVersion),
		scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithPercentageOfNodesToScore(cfg.PercentageOfNodesToScore),
		scheduler.WithExtenders(cfg.Extenders...),
		scheduler.WithBuildFrameworkCapturer(func(p config.KubeSchedulerProfile) {
			args[p.SchedulerName] = map[string]any{}
			for _, plugin := range p.PluginConfig {
				args[p.SchedulerName][plugin.Name] = plugin.Args
			}
		}))
	if err != nil {
		return err
	}
	r.Top = top
	for _, p := range cfg.Profiles {
		framework := built.Profiles[p.SchedulerName]
		list := framework.ListPlugins()
		plugins := map[string]any{}
		for name, set := range map[string]config.PluginSet{
			"preEnqueue": list.PreEnqueue, "queueSort": list.QueueSort, "preFilter": list.PreFilter,
			"filter": list.Filter, "postFilter": list.PostFilter, "preScore": list.PreScore, "score": list.Score,
			"reserve": list.Reserve, "permit": list.Permit, "preBind": list.PreBind, "bind": list.Bind,
			"postBind": list.PostBind,
		} {
			entries := []any{}
			for _, plugin := range set.Enabled {
				if name == "score" {
					entries = append(entries, []any{plugin.Name, plugin.Weight})
				} else {
					entries = append(entries, plugin.Name)
				}
			}
			plugins[name] = entries
		}
		r.Profiles = append(r.Profiles, configProfile{
			Name: p.SchedulerName, Percentage: framework.PercentageOfNodesToScore(), Plugins: plugins, Args: args[p.SchedulerName],
		})
	}
	return nil
}
