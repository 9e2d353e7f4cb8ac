"""Print configurations for kube-scheduler, one {"id", "text"} a line.

Written ones, random ones, and those of the conformance files that are named on the command line.
"""

import gzip
import json
import random
import sys

API = "kubescheduler.config.k8s.io/v1"
HEAD = {"apiVersion": API, "kind": "KubeSchedulerConfiguration"}
POINTS = (
    "preEnqueue queueSort preFilter filter postFilter preScore score reserve permit preBind bind"
    " postBind"
).split()
IN_TREE = (
    "SchedulingGates PrioritySort NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts"
    " NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone"
    " PodTopologySpread InterPodAffinity DynamicResources DefaultPreemption"
    " NodeResourcesBalancedAllocation ImageLocality DefaultBinder"
).split()
AT = {
    "preEnqueue": "SchedulingGates DynamicResources DefaultPreemption",
    "queueSort": "PrioritySort",
    "preFilter": "NodeAffinity NodePorts NodeResourcesFit VolumeRestrictions NodeVolumeLimits"
    " VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources",
    "filter": "NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts NodeResourcesFit"
    " VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread"
    " InterPodAffinity DynamicResources",
    "postFilter": "DynamicResources DefaultPreemption",
    "preScore": "TaintToleration NodeAffinity NodeResourcesFit VolumeBinding PodTopologySpread"
    " InterPodAffinity NodeResourcesBalancedAllocation",
    "score": "TaintToleration NodeAffinity NodeResourcesFit VolumeBinding PodTopologySpread"
    " InterPodAffinity NodeResourcesBalancedAllocation ImageLocality",
    "reserve": "VolumeBinding DynamicResources",
    "permit": "",
    "preBind": "VolumeBinding DynamicResources",
    "bind": "DefaultBinder",
    "postBind": "",
}


def cfg(**fields):
    return {**HEAD, **fields}


def args(plugin, value, **profile):
    return cfg(profiles=[{"pluginConfig": [{"name": plugin, "args": value}], **profile}])


def plugins(**sets):
    return cfg(profiles=[{"plugins": sets}])


def names(*list_):
    return [n if isinstance(n, dict) else {"name": n} for n in list_]


def written():
    """Configurations each of which asks one question."""
    yield "default", cfg()
    yield "empty-profile", cfg(profiles=[{}])
    yield "no-profiles", cfg(profiles=[])
    yield "null-everything", cfg(
        parallelism=None, leaderElection=None, clientConnection=None, profiles=None, extenders=None,
        percentageOfNodesToScore=None, podInitialBackoffSeconds=None, podMaxBackoffSeconds=None,
        enableProfiling=None, enableContentionProfiling=None, delayCacheUntilActive=None,
    )
    yield "null-in-lists", cfg(profiles=[{"plugins": {"filter": {"enabled": [None]}}}])
    yield "null-profile", cfg(profiles=[None])
    yield "null-profile-parts", cfg(profiles=[{"plugins": None, "pluginConfig": None, "schedulerName": None}])
    yield "null-plugin-config", cfg(profiles=[{"pluginConfig": [None]}])
    for name, value in {
        "parallelism": [0, -3, 1, 2147483647, 2147483648, 1.5, "16", 1e3, True],
        "percentageOfNodesToScore": [0, 100, 101, -1, "50%", 50.0],
        "podInitialBackoffSeconds": [0, -1, 5, 20, 9223372036854775808],
        "podMaxBackoffSeconds": [0, 1, 100, -5],
        "enableProfiling": [True, False, "true", 1],
        "enableContentionProfiling": [True, False],
        "delayCacheUntilActive": [True, False, "yes"],
        "profiles": [{}, "x", [[]], ["x"]],
        "extenders": [{}, [], [{}], [None]],
        "unknown": [1],
        "Parallelism": [1],
        "healthzBindAddress": [""],
        "metricsBindAddress": ["0.0.0.0"],
        "algorithmSource": [{"provider": "DefaultProvider"}],
        "leaderElection": [
            {}, {"leaderElect": False}, {"leaderElect": False, "leaseDuration": "-1s"}, {"leaseDuration": "-1s"},
            {"leaseDuration": "5s"}, {"renewDeadline": "15s"}, {"retryPeriod": "-2h45m0.5s"}, {"leaseDuration": 15},
            {"leaseDuration": "15"}, {"leaseDuration": "1.5h", "renewDeadline": "90s", "retryPeriod": "100us"},
            {"leaseDuration": ""}, {"leaseDuration": "0"}, {"leaseDuration": None}, {"resourceLock": "endpoints"},
            {"resourceLock": "endpoints", "leaderElect": False}, {"resourceLock": "leases", "resourceName": "x"},
            {"resourceName": "", "resourceNamespace": "y"}, {"lockObjectName": "x"}, {"resourceLock": "a\"b\\c\n\u00e9"},
            {"renewDeadline": "-1ns", "retryPeriod": "-1500ns", "leaseDuration": "-61.25s"},
        ],
        "clientConnection": [
            {}, {"burst": -1}, {"qps": 0, "burst": 0, "contentType": ""}, {"qps": -1, "burst": 7},
            {"qps": 12.25, "kubeconfig": "/k", "acceptContentTypes": "a", "contentType": "b"}, {"qps": "1"},
            {"qps": 1e39}, {"QPS": 1},
        ],
    }.items():
        for at, value in enumerate(value):
            yield f"top-{name}-{at}", cfg(**{name: value})
    yield "backoff-order", cfg(podInitialBackoffSeconds=20, podMaxBackoffSeconds=19)
    yield "contention-without-profiling", cfg(enableProfiling=False, enableContentionProfiling=True)
    yield "many-faults", cfg(
        parallelism=0, percentageOfNodesToScore=200, podInitialBackoffSeconds=0, podMaxBackoffSeconds=-1,
        clientConnection={"burst": -9}, leaderElection={"leaseDuration": "-1s", "resourceLock": "configmaps"},
        profiles=[{"schedulerName": "a", "percentageOfNodesToScore": -7}, {"schedulerName": "a"}, {}],
        extenders=[{"urlPrefix": "http://x", "prioritizeVerb": "p", "bindVerb": "b"}, {"bindVerb": "b"}],
    )
    yield "many-unknown", cfg(foo=1, bar=2, profiles=[{"baz": 1, "plugins": {"score": {"on": []}}}])

    # versions and kinds
    for at, head in enumerate([
        {}, {"kind": "KubeSchedulerConfiguration"}, {"apiVersion": API},
        {"apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "kubescheduler.config.k8s.io/v1beta2", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "kubescheduler.config.k8s.io/v1beta1", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "kubescheduler.config.k8s.io/v1alpha1", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "kubescheduler.config.k8s.io/v2", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "kubescheduler.config.k8s.io/", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "/", "kind": "KubeSchedulerConfiguration"},
        {"apiVersion": "v1", "kind": "KubeSchedulerConfiguration"}, {"apiVersion": "a/b/c", "kind": "x"},
        {"apiVersion": API, "kind": "Policy"}, {"apiVersion": API, "kind": "NodeAffinityArgs"},
        {"apiVersion": API, "kind": "kubeSchedulerConfiguration"}, {"apiVersion": API, "kind": 1},
        {"apiVersion": 1, "kind": "KubeSchedulerConfiguration"}, {"apiVersion": API, "kind": ""},
        {"apiversion": API, "Kind": "KubeSchedulerConfiguration"}, {"apiVersion": "v1", "kind": "ConfigMap"},
    ]):
        yield f"head-{at}", head

    # profiles
    yield "two-profiles", cfg(profiles=[{"schedulerName": "a"}, {"schedulerName": "b", "percentageOfNodesToScore": 30}])
    yield "two-nameless", cfg(profiles=[{}, {}])
    yield "empty-name", cfg(profiles=[{"schedulerName": ""}])
    yield "same-name-thrice", cfg(profiles=[{"schedulerName": "a"}] * 3)
    yield "percentages", cfg(percentageOfNodesToScore=40, profiles=[
        {"schedulerName": "a"}, {"schedulerName": "b", "percentageOfNodesToScore": 0}])
    yield "odd-name", cfg(profiles=[{"schedulerName": "a \"b\"\u00e9\u200b\u0007<>"}, {"schedulerName": "x", "plugins": {"bind": {"disabled": names("*")}}}])
    yield "no-bind-odd-name", cfg(profiles=[{"schedulerName": "a \"b\"\u00e9<>", "plugins": {"bind": {"disabled": names("*")}}}])

    # plugin sets
    yield "disable-all-scores", plugins(score={"disabled": names("*")})
    yield "disable-all", plugins(multiPoint={"disabled": names("*")})
    yield "only-needed", plugins(multiPoint={"disabled": names("*"), "enabled": names("PrioritySort", "DefaultBinder")})
    yield "no-bind", plugins(bind={"disabled": names("*")})
    yield "no-bind-by-name", plugins(bind={"disabled": names("DefaultBinder")})
    yield "no-queue-sort", plugins(queueSort={"disabled": names("*")})
    yield "queue-sort-again", plugins(queueSort={"enabled": names("PrioritySort")})
    yield "two-queue-sorts", plugins(queueSort={"enabled": names("PrioritySort", "PrioritySort")})
    yield "queue-sort-foo", plugins(queueSort={"enabled": names("Foo")})
    yield "queue-sort-differs", cfg(profiles=[
        {"schedulerName": "a", "plugins": {"queueSort": {"enabled": names("PrioritySort")}}}, {"schedulerName": "b"}])
    yield "queue-sort-differs-2", cfg(profiles=[
        {"schedulerName": "a"},
        {"schedulerName": "b", "plugins": {"queueSort": {"enabled": names({"name": "P<S", "weight": 2}), "disabled": names("*")}}}])
    yield "queue-sort-args-differ", cfg(profiles=[
        {"schedulerName": n, "plugins": {"queueSort": {"enabled": names("PrioritySort")}},
         "pluginConfig": [{"name": "PrioritySort", "args": {"x": i}}]} for i, n in enumerate("ab")])
    yield "queue-sort-args-one", cfg(profiles=[
        {"schedulerName": "a", "plugins": {"queueSort": {"enabled": names("PrioritySort")}}},
        {"schedulerName": "b", "plugins": {"queueSort": {"enabled": names("PrioritySort")}},
         "pluginConfig": [{"name": "PrioritySort", "args": {"x": "<é>"}}]}])
    yield "queue-sort-args-same", cfg(profiles=[
        {"schedulerName": n, "plugins": {"queueSort": {"enabled": names("PrioritySort")}},
         "pluginConfig": [{"name": "PrioritySort", "args": {"x": 1}}]} for n in "ab"])
    yield "nameless-args-differ", cfg(profiles=[
        {"schedulerName": "a"}, {"schedulerName": "b", "pluginConfig": [{"name": "", "args": {"x": 1}}]}])
    yield "queue-sort-multi-point-only", cfg(profiles=[
        {"schedulerName": "a", "plugins": {"multiPoint": {"disabled": names("PrioritySort")}, "queueSort": {"enabled": names("PrioritySort")}}},
        {"schedulerName": "b", "plugins": {"multiPoint": {"disabled": names("PrioritySort")}, "queueSort": {"enabled": names("PrioritySort")}}}])
    for point in [*POINTS, "multiPoint"]:
        yield f"unknown-at-{point}", plugins(**{point: {"enabled": names("Foo")}})
        yield f"wrong-at-{point}", plugins(**{point: {"enabled": names("NodeName", "PrioritySort")}})
        yield f"twice-at-{point}", plugins(**{point: {"enabled": names("NodeAffinity", "NodeAffinity")}})
        yield f"removed-at-{point}", plugins(**{point: {"enabled": names("AzureDiskLimits", "EBSLimits")}})
    yield "unknown-disabled", plugins(filter={"disabled": names("Foo", "Bar")})
    yield "unknown-multi-all-off", plugins(
        multiPoint={"enabled": names("Foo")}, **{p: {"disabled": names("*")} for p in POINTS})
    yield "unknown-multi-first-off", plugins(
        multiPoint={"enabled": names("Foo")}, **{p: {"disabled": names("*")} for p in ("preFilter", "filter")})
    yield "unknown-twice", plugins(filter={"enabled": names("Foo", "Foo")}, score={"enabled": names("Bar")})
    yield "reweigh-in-multi-point", plugins(multiPoint={"enabled": names({"name": "ImageLocality", "weight": 9})})
    yield "reweigh-twice", plugins(multiPoint={"enabled": names({"name": "ImageLocality", "weight": 9}, {"name": "ImageLocality", "weight": 3})})
    yield "reweigh-at-score", plugins(score={"enabled": names({"name": "NodeAffinity", "weight": 9}, "ImageLocality")})
    yield "score-off-and-on", plugins(score={"disabled": names("NodeAffinity"), "enabled": names({"name": "NodeAffinity", "weight": 4})})
    yield "star-and-some", plugins(score={"disabled": names("*", "NodeAffinity"), "enabled": names({"name": "NodeAffinity", "weight": 4})})
    yield "star-enabled", plugins(score={"enabled": names("*")})
    yield "weights-0", plugins(score={"disabled": names("*"), "enabled": names({"name": "NodeAffinity", "weight": 0})})
    yield "weights-max", plugins(score={"enabled": names(*({"name": n, "weight": 2147483647} for n in AT["score"].split()))})
    yield "weights-negative-last", plugins(
        score={"disabled": names("*"), "enabled": names("NodeAffinity", {"name": "ImageLocality", "weight": -4})},
        multiPoint={"disabled": names("*"), "enabled": names("PrioritySort", "DefaultBinder")})
    yield "weights-negative-first", plugins(score={"enabled": names({"name": "ImageLocality", "weight": -4})})
    yield "weights-negative-small", plugins(
        score={"disabled": names("*"), "enabled": names({"name": "NodeAffinity", "weight": 5}, {"name": "ImageLocality", "weight": -4}, "TaintToleration")},
        multiPoint={"disabled": names("*"), "enabled": names("PrioritySort", "DefaultBinder")})
    yield "weight-of-a-disabled-score", plugins(
        multiPoint={"enabled": names({"name": "NodeAffinity", "weight": -4})}, score={"disabled": names("NodeAffinity")})
    yield "weight-text", plugins(score={"enabled": [{"name": "NodeAffinity", "weight": "4"}]})
    yield "weight-null", plugins(score={"enabled": [{"name": "NodeAffinity", "weight": None}]})
    yield "name-missing", plugins(score={"enabled": [{"weight": 1}]})
    yield "plugins-not-lists", plugins(score={"enabled": {"name": "NodeAffinity"}}, filter=[])
    yield "docs-override", plugins(
        multiPoint={"disabled": names("*"), "enabled": names("PrioritySort", "DefaultBinder", "NodeName", "NodePorts", "TaintToleration", "NodeAffinity")},
        filter={"enabled": names("NodeAffinity", "VolumeZone", "TaintToleration")})

    # plugin arguments: general
    yield "args-null", args("NodeAffinity", None)
    yield "args-absent", cfg(profiles=[{"pluginConfig": [{"name": "NodeAffinity"}]}])
    yield "args-empty", args("NodeAffinity", {})
    for value in ("x", [], 1, True, [{}]):
        yield f"args-{value}", args("NodeAffinity", value)
    for at, head in enumerate([
        {"apiVersion": API, "kind": "NodeAffinityArgs"}, {"kind": "NodeAffinityArgs"}, {"apiVersion": API},
        {"kind": "NodeResourcesFitArgs"}, {"kind": "Foo"}, {"apiVersion": "v1"}, {"apiVersion": "/"}, {"apiVersion": ""},
        {"apiVersion": "kubescheduler.config.k8s.io/"}, {"apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": "NodeAffinityArgs"},
        {"apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": "Foo"}, {"kind": 7}, {"kind": None, "apiVersion": None},
        {"kind": "KubeSchedulerConfiguration"},
    ]):
        yield f"args-head-{at}", args("NodeAffinity", head)
    yield "args-of-none", args("NodeName", {"foo": 1})
    yield "args-of-unknown", args("Foo", {"foo": [1, None]})
    yield "args-of-removed", args("EBSLimits", {})
    yield "args-twice", cfg(profiles=[{"pluginConfig": [{"name": "NodeAffinity"}, {"name": "Foo"}, {"name": "NodeAffinity", "args": {}}, {"name": "Foo"}]}])
    yield "args-twice-fit", cfg(profiles=[{"pluginConfig": [{"name": "NodeResourcesFit"}] * 2}])
    yield "args-unknown-fields", cfg(profiles=[{"pluginConfig": [
        {"name": "NodeAffinity", "args": {"foo": 1}}, {"name": "NodeResourcesFit", "args": {"Bar": 1, "scoringStrategy": {"baz": 1}}}]}])
    yield "args-of-disabled", cfg(profiles=[{"plugins": {"multiPoint": {"disabled": names("NodeAffinity")}}, "pluginConfig": [{"name": "NodeAffinity", "args": {}}]}])
    yield "bad-args-of-disabled", cfg(profiles=[{"plugins": {"multiPoint": {"disabled": names("NodeResourcesFit")}},
        "pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "x"}}}]}])

    # plugin arguments: each plugin
    for plugin, values in {
        "DefaultPreemption": [
            {"minCandidateNodesPercentage": p, "minCandidateNodesAbsolute": a}
            for p in (None, 0, 100, 101, -1) for a in (None, 0, -1, 5)
        ] + [{"minCandidateNodesPercentage": 1.5}, {"minCandidateNodesAbsolute": 2**31}],
        "DynamicResources": [{"filterTimeout": t} for t in ("0s", "5s", "-5s", None, 5, "x")],
        "InterPodAffinity": [{"hardPodAffinityWeight": w} for w in (0, 1, 100, 101, -1, None)]
        + [{"ignorePreferredTermsOfExistingPods": w} for w in (True, False, None, "x")],
        "NodeResourcesBalancedAllocation": [
            {"resources": r} for r in (
                None, [], [{"name": "cpu"}], [{"name": "cpu", "weight": 0}], [{"name": "cpu", "weight": 2}],
                [{"name": "cpu"}, {"name": "memory", "weight": 1}, {"name": "cpu", "weight": -1}], [{}], [{}, {}],
                [{"name": "nvidia.com/gpu", "weight": 1}], [{"name": "cpu", "weight": "1"}])
        ],
        "NodeResourcesFit": [
            {"ignoredResources": r} for r in (["example.com/a"], [], ["", "a/b/c", "-", "x" * 64, "Example.com/a", "/a", "a/"], [None], "a")
        ] + [
            {"ignoredResourceGroups": r} for r in (["example.com"], ["example.com/a", "", "a_"],)
        ] + [
            {"scoringStrategy": s} for s in (
                None, {}, {"type": "LeastAllocated"}, {"type": "MostAllocated", "resources": []}, {"type": "Foo"},
                {"type": "f<\"\u00e9"}, {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": w} for w in (0, 1, 100, 101, -1)]},
                {"type": "LeastAllocated", "resources": [{"name": "a<b"}, {}]}, {"type": "RequestedToCapacityRatio"},
                {"type": "LeastAllocated", "requestedToCapacityRatio": {}},
                {"type": "MostAllocated", "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}]}},
            )
        ] + [
            {"scoringStrategy": {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": r}} for r in (
                None, {}, {"shape": []}, {"shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]},
                {"shape": [{"utilization": 50}]}, {"shape": [{"utilization": 50, "score": 11}, {"utilization": 50, "score": -1}, {"utilization": 10}]},
                {"shape": [{"utilization": -1, "score": 1}, {"utilization": 101, "score": 1}]}, {"shape": [{"utilization": 1, "Score": 1}]},
                {"shape": [None]}, {"shape": [{"utilization": 0.5}]},
            )
        ],
        "PodTopologySpread": [{"defaultingType": t} for t in ("System", "List", "", None, "Foo", "<")] + [
            {"defaultingType": "System", "defaultConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}]},
            {"defaultConstraints": []},
        ] + [
            {"defaultingType": "List", "defaultConstraints": c} for c in (
                [], None,
                [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}],
                [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": ""}, {}],
                [{"maxSkew": -1, "topologyKey": "a b", "whenUnsatisfiable": "Foo", "labelSelector": {}}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b"},
                  "matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": 1}}}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"foo": 1}}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": None}],
                [{"maxSkew": s, "topologyKey": "a", "whenUnsatisfiable": w} for s, w in ((1, "DoNotSchedule"), (2, "DoNotSchedule"), (3, "ScheduleAnyway"), (4, "DoNotSchedule"))],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 3, "nodeAffinityPolicy": "Ignore",
                  "nodeTaintsPolicy": "Honor", "matchLabelKeys": ["b"]}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "minDomains": "3"}],
                [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "topologykey": "3"}],
                [{"topologyKey": k, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"} for k in
                 ("kubernetes.io/hostname", "UPPER/x", "a..b/x", "x" * 64, "p" * 254 + "/x", "a/b/c", "/x", "x/", "_x", "x.")],
            )
        ],
        "VolumeBinding": [{"bindTimeoutSeconds": t} for t in (0, 600, -1, None, "600")] + [
            {"shape": s} for s in (None, [], [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}])],
        "NodeAffinity": [{"addedAffinity": a} for a in (
            None, {}, {"requiredDuringSchedulingIgnoredDuringExecution": None}, {"requiredDuringSchedulingIgnoredDuringExecution": {}},
            {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}},
            {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}, None]}},
            {"preferredDuringSchedulingIgnoredDuringExecution": []},
            {"preferredDuringSchedulingIgnoredDuringExecution": [{}, {"weight": 1}, {"weight": 200, "preference": {}}]},
            {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0, "preference": {"matchExpressions": [{"key": "", "operator": "x"}]}}]},
            {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": -1, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}},
                {"weight": 5, "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b", "c"]}]}}]},
            {"required": {}},
        )] + [
            {"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{kind: [r]}]}}}
            for kind in ("matchExpressions", "matchFields")
            for r in [
                {"key": "a", "operator": o, **v} for o in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "in", "")
                for v in ({}, {"values": []}, {"values": ["7"]}, {"values": ["x", "-"]})
            ] + [{}, {"key": "a b", "operator": "In", "values": ["y" * 64, "", "_"]}, {"key": "a/b/c", "operator": "Exists"},
                 {"key": "x", "operator": "Gt", "values": ["+5"]}, {"key": "x", "operator": "Lt", "values": ["9223372036854775808"]}, None]
        ],
    }.items():
        for at, value in enumerate(values):
            yield f"{plugin}-{at}", args(plugin, value)

    # extenders
    for at, extenders in enumerate([
        [{"urlPrefix": "http://a", "filterVerb": "f"}],
        [{"urlPrefix": "http://a", "prioritizeVerb": "p"}], [{"urlPrefix": "http://a", "prioritizeVerb": "p", "weight": 5}],
        [{"urlPrefix": "http://a", "bindVerb": "b"}], [{"bindVerb": "b"}, {"bindVerb": "c"}, {"bindVerb": "d"}],
        [{"urlPrefix": "http://a", "preemptVerb": "p", "httpTimeout": "100ms", "enableHTTPS": True, "nodeCacheCapable": True, "ignorable": True}],
        [{"bindVerb": "b", "managedResources": [{"name": "example.com/a", "ignoredByScheduler": True}, {"name": "example.com/b"}]}],
        [{"bindVerb": "b", "managedResources": [{"name": n} for n in ("cpu", "example.com/a", "example.com/a", "kubernetes.io/a", "", "a/b/c",
            "requests.a/b", "e" * 250 + "/x", "x\"/<a", "example.com/" + "a" * 60)]}],
        [{"bindVerb": "b", "tlsConfig": {"insecure": True, "serverName": "x", "certFile": "a", "keyFile": "b", "caFile": "c"}}],
        [{"bindVerb": "b", "tlsConfig": {"certData": "YQ==", "keyData": "", "caData": None}}],
        [{"bindVerb": "b", "tlsConfig": {"certData": "YQ="}}], [{"bindVerb": "b", "tlsConfig": {"certData": "Y\nQ=="}}],
        [{"bindVerb": "b", "tlsConfig": {"foo": 1}}], [{"bindVerb": "b", "httpTimeout": 5}], [{"bindVerb": "b", "weight": -1}],
        [{"bindVerb": "b", "managedResources": [{"name": "example.com/a", "foo": 1}], "urlprefix": ""}],
        [{"managedResources": [{"name": "example.com/a", "ignoredByScheduler": True}]},
         {"managedResources": [{"name": "example.com/b", "ignoredByScheduler": True}]}],
    ]):
        yield f"extenders-{at}", cfg(extenders=extenders)
        yield f"extenders-fit-{at}", cfg(extenders=extenders, profiles=[
            {"schedulerName": "a", "pluginConfig": [{"name": "NodeResourcesFit", "args": {"ignoredResources": ["example.com/z"]}}]},
            {"schedulerName": "b", "plugins": {"multiPoint": {"disabled": names("NodeResourcesFit")}}}])


TEXTS = {
    "text-empty": "", "text-null": "null", "text-list": "[]", "text-brace": "{", "text-number": "1", "text-word": "hello",
    "text-dup-json": '{"apiVersion":"%s","kind":"KubeSchedulerConfiguration","parallelism":1,"parallelism":2}' % API,
    "text-dup-args": '{"apiVersion":"%s","kind":"KubeSchedulerConfiguration","profiles":[{"pluginConfig":[{"name":"NodeAffinity",'
                     '"args":{"addedAffinity":null,"addedAffinity":null}}]}]}' % API,
    "text-dup-other-args": '{"apiVersion":"%s","kind":"KubeSchedulerConfiguration","profiles":[{"pluginConfig":[{"name":"Foo",'
                           '"args":{"a":null,"a":null}}]}]}' % API,
    "text-trailing": '{"apiVersion":"%s","kind":"KubeSchedulerConfiguration"} x' % API,
    "text-flow-yaml": '{apiVersion: %s, kind: KubeSchedulerConfiguration}' % API,
    "yaml-default": "apiVersion: %s\nkind: KubeSchedulerConfiguration\n" % API,
    "yaml-comment": "# hello\n---\napiVersion: %s\nkind: KubeSchedulerConfiguration\n" % API,
    "yaml-dup": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nparallelism: 1\nparallelism: 2\n" % API,
    "yaml-types": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nparallelism: 0x10\nenableProfiling: off\n"
                  "delayCacheUntilActive: yes\npodMaxBackoffSeconds: 1_000\nclientConnection: {qps: 5, burst: 010}\n" % API,
    "yaml-float-as-int": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nparallelism: 1e2\n" % API,
    "yaml-name-number": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: 12\n" % API,
    "yaml-name-yes": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: yes\n" % API,
    "yaml-name-quoted": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: '12'\n" % API,
    "yaml-tabs": "apiVersion: %s\nkind: KubeSchedulerConfiguration\n\tparallelism: 1\n" % API,
    "yaml-anchor": "apiVersion: %s\nkind: KubeSchedulerConfiguration\nprofiles:\n- &p\n  schedulerName: a\n- <<: *p\n  schedulerName: b\n" % API,
    "yaml-example": """apiVersion: %s
kind: KubeSchedulerConfiguration
leaderElection:
  leaderElect: false
profiles:
  - schedulerName: default-scheduler
    plugins:
      score:
        disabled:
        - name: NodeResourcesFit
        enabled:
        - name: ImageLocality
          weight: 5
    pluginConfig:
    - name: NodeResourcesFit
      args:
        scoringStrategy:
          type: MostAllocated
          resources:
          - name: cpu
            weight: 1
    - name: PodTopologySpread
      args:
        defaultConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
        defaultingType: List
  - schedulerName: no-scoring-scheduler
    plugins:
      preScore:
        disabled:
        - name: '*'
      score:
        disabled:
        - name: '*'
""" % API,
}


def random_plugin(rng, pool):
    plugin = {"name": rng.choice(pool)}
    if rng.random() < 0.4:
        plugin["weight"] = rng.choice([0, 1, 2, 3, 5, 10, 100, 2147483647] + [-1] * (rng.random() < 0.1))
    return plugin


def random_set(rng, pool, others):
    out = {}
    if rng.random() < 0.6:
        enabled = [random_plugin(rng, pool or others) for _ in range(rng.randint(0, 5))]
        if rng.random() < 0.9:  # mostly each but once
            enabled = list({p["name"]: p for p in enabled}.values())
        if rng.random() < 0.03:
            enabled.append(random_plugin(rng, others + ["Foo"]))
        out["enabled"] = enabled
    if rng.random() < 0.5:
        out["disabled"] = [{"name": n} for n in rng.sample(["*", *(pool or others)], k=min(2, 1 + len(pool or others) // 4))
                           if n != "*" or rng.random() < 0.6]
    return out


def random_profile(rng, name):
    sets = {}
    for point in POINTS:
        pool = AT[point].split()
        if pool and rng.random() < 0.25:
            sets[point] = random_set(rng, pool, IN_TREE)
    if rng.random() < 0.6:
        sets["multiPoint"] = random_set(rng, IN_TREE, IN_TREE)
        if rng.random() < 0.7:
            enabled = sets["multiPoint"].setdefault("enabled", [])
            here = {p["name"] for p in enabled}
            enabled += [{"name": n} for n in ("PrioritySort", "DefaultBinder") if n not in here]
            rng.shuffle(enabled)
    for point, keep in (("queueSort", "PrioritySort"), ("bind", "DefaultBinder")):
        if point in sets and rng.random() < 0.9:
            sets[point] = rng.choice([{"enabled": [{"name": keep}]}, {}, {"enabled": [{"name": keep}], "disabled": [{"name": "*"}]}])
    profile = {"schedulerName": name, "plugins": sets}
    if rng.random() < 0.3:
        profile["percentageOfNodesToScore"] = rng.randint(0, 100)
    return profile


def cases():
    for id_, config in written():
        yield id_, json.dumps(config, ensure_ascii=False)
    yield from TEXTS.items()
    rng = random.Random(1234)
    for n in range(300):
        profiles = [random_profile(rng, f"p{at}") for at in range(rng.choice([1, 1, 1, 2]))]
        if len(profiles) == 2 and rng.random() < 0.8:
            for profile in profiles:
                profile["plugins"].pop("queueSort", None)
        yield f"random-{n}", json.dumps(cfg(profiles=profiles))


def conformance(files):
    for file in files:
        with gzip.open(file) as lines:
            for case in (json.loads(line)["case"] for line in lines):
                if case["config"] is not None:
                    yield case["id"], json.dumps(case["config"])


if __name__ == "__main__":
    for id_, text in [*cases(), *conformance(sys.argv[1:])]:
        sys.stdout.write(json.dumps({"id": id_, "text": text}, ensure_ascii=False) + "\n")
