//! What kube-scheduler v1.34.1 made of some hundred configurations, held against ours.
//!
//! The facts and where they come from: `tests/data/config/README.md`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::go_text::duration;
use super::strict::Node;
use super::*;

fn get<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    match node {
        Node::Object(members) => members.iter().find(|(key, _)| *key == name).map(|(_, node)| node),
        _ => None,
    }
}

fn text(node: &Node) -> &str {
    match node {
        Node::Text(text) => text,
        other => panic!("not a string: {other:?}"),
    }
}

fn facts() -> Vec<Node> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/config/facts.ndjson.gz");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut lines).unwrap();
    lines.lines().map(|line| Node::parse(line.as_bytes()).unwrap()).collect()
}

/// Runs `check` on every fact and shows all that it finds.
fn each(mut check: impl FnMut(&Node, &str, &[u8]) -> Result<bool, String>) -> usize {
    let mut count = 0;
    let mut differences = Vec::new();
    for fact in facts() {
        let id = text(get(&fact, "id").unwrap());
        match check(&fact, id, text(get(&fact, "text").unwrap()).as_bytes()) {
            Ok(checked) => count += usize::from(checked),
            Err(difference) => differences.push(format!("{id}: {difference}")),
        }
    }
    assert!(differences.is_empty(), "{}:\n{}", differences.len(), differences.join("\n"));
    count
}

fn problems(read: &Result<KubeSchedulerConfiguration, ConfigError>) -> &[ConfigProblem] {
    read.as_ref().err().map_or(&[], |error| &error.problems)
}

#[test]
fn what_kube_scheduler_cannot_decode_is_not_read() {
    let count = each(|fact, id, bytes| {
        let Some(decode) = get(fact, "decode") else { return Ok(false) };
        if id == "yaml-anchor" {
            // its YAML library takes a field beside the same merged in by `<<` for a duplicate
            return Ok(false);
        }
        let read = KubeSchedulerConfiguration::read("f", bytes);
        let problems = problems(&read);
        if problems.is_empty()
            || problems.iter().any(|problem| matches!(problem, ConfigProblem::Field(_)))
        {
            return Err(format!("read as {problems:?}, not {decode:?}"));
        }
        // each unknown or duplicate field that it names
        for (mark, unknown) in [("unknown field \"", true), ("duplicate field \"", false)] {
            for rest in text(decode).split(mark).skip(1) {
                let named = rest.split('"').next().unwrap();
                let found = problems.iter().any(|problem| match problem {
                    ConfigProblem::UnknownField { field } => unknown && field.ends_with(named),
                    ConfigProblem::DuplicateField { field } => !unknown && field.ends_with(named),
                    // without a kind there is no type whose fields could be known
                    ConfigProblem::Kind { .. } => named == "Kind" || named == "apiversion",
                    _ => false,
                });
                if !found {
                    return Err(format!("{named} is not among {problems:?}"));
                }
            }
        }
        Ok(true)
    });
    assert!(count > 80, "{count}");
}

#[test]
fn validation_finds_what_kube_scheduler_finds_in_the_same_words() {
    let count = each(|fact, _, bytes| {
        let Some(Node::List(expected)) = get(fact, "validation") else { return Ok(false) };
        let expected: BTreeSet<String> = expected.iter().map(|node| text(node).into()).collect();
        let read = KubeSchedulerConfiguration::read("f", bytes);
        let found: BTreeSet<String> = problems(&read).iter().map(ToString::to_string).collect();
        if found == expected {
            return Ok(true);
        }
        let missing: Vec<_> = expected.difference(&found).collect();
        let extra: Vec<_> = found.difference(&expected).collect();
        Err(format!("\n  missing {missing:#?}\n  extra {extra:#?}"))
    });
    assert!(count > 140, "{count}");
}

#[test]
fn a_profile_is_refused_where_kube_scheduler_refuses_it_in_the_same_words() {
    let count = each(|fact, id, bytes| {
        let Some(build) = get(fact, "build").map(text) else { return Ok(false) };
        let config = KubeSchedulerConfiguration::read("f", bytes).map_err(|e| e.to_string())?;
        if build.contains("root certificates") {
            // about the connection to an extender, which is not made here
            return Ok(false);
        }
        let Err(error) = config.expand(&PluginRegistry::default()) else {
            return Err(build.into());
        };
        if build.starts_with("PANIC") {
            // ours is an error in its place
            assert!(error.to_string().contains("requestedToCapacityRatio: Required value"), "{id}");
            return Ok(true);
        }
        let mut ours: Vec<String> = Vec::new();
        let mut of_plugin: Vec<(String, Vec<String>)> = Vec::new();
        for problem in &error.problems {
            let (name, error) = match problem {
                ConfigProblem::Profile { scheduler_name, error } => (scheduler_name, error),
                ConfigProblem::Unsupported { .. } => continue,
                _ => return Err(format!("{build} is not {problem}")),
            };
            let start = "initializing profiles: ";
            let prefix = format!("{start}creating profile for scheduler name {name}: ");
            match error {
                ProfileError::Plugin { plugin, problem } => {
                    let prefix = format!("{prefix}initializing plugin \"{plugin}\": ");
                    match of_plugin.last_mut() {
                        Some((last, texts)) if *last == prefix => {
                            texts.push(problem.to_string());
                            *ours.last_mut().unwrap() = format!("{prefix}[{}]", texts.join(", "));
                        }
                        _ => {
                            ours.push(format!("{prefix}{problem}"));
                            of_plugin.push((prefix, vec![problem.to_string()]));
                        }
                    }
                }
                ProfileError::NoNodeResourcesFit => {
                    ours.push(format!("couldn't build extenders: {error}"));
                }
                ProfileError::DifferentQueueSort { .. } => ours.push(format!("{start}{error}")),
                _ => ours.push(format!("{prefix}{error}")),
            }
        }
        // kube-scheduler stops at the first
        match ours.first() {
            Some(first) if first == build => Ok(true),
            _ => Err(format!("\n  {build} is not first of\n  {ours:#?}")),
        }
    });
    assert!(count > 100, "{count}");
}

fn object(members: &[(&str, Node)]) -> Node {
    Node::Object(members.iter().map(|(name, node)| ((*name).into(), node.clone())).collect())
}

fn number(value: impl ToString + Copy) -> Node {
    Node::Number(value.to_string())
}

fn string(value: &str) -> Node {
    Node::Text(value.into())
}

fn list<T>(items: &[T], show: impl Fn(&T) -> Node) -> Node {
    Node::List(items.iter().map(show).collect())
}

/// Members sorted by name, and no difference between "absent", `null`, and an empty list.
fn normal(node: &Node) -> Node {
    match node {
        Node::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, node)| (name.clone(), normal(node)))
                .filter(|(_, node)| *node != Node::Null)
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Node::Object(members)
        }
        Node::List(list) if list.is_empty() => Node::Null,
        Node::List(list) => Node::List(list.iter().map(normal).collect()),
        other => other.clone(),
    }
}

/// Arguments without what no plugin reads: the shape of another strategy, a term that weighs 0.
fn read_parts(node: &Node) -> Node {
    match node {
        Node::Object(members) => {
            let is = |name: &str, value: &Node| get(node, name).is_some_and(|node| node == value);
            let ratio = string("RequestedToCapacityRatio");
            let kept = members.iter().filter(|(name, _)| match name.as_str() {
                "RequestedToCapacityRatio" => is("Type", &ratio),
                _ => true,
            });
            let members = kept.map(|(name, node)| match name.as_str() {
                "preference" if is("weight", &number(0)) => (name.clone(), object(&[])),
                _ => (name.clone(), read_parts(node)),
            });
            Node::Object(members.collect())
        }
        Node::List(list) => Node::List(list.iter().map(read_parts).collect()),
        other => other.clone(),
    }
}

fn resources(resources: &[ResourceSpec]) -> Node {
    list(resources, |resource| {
        object(&[("Name", string(&resource.name)), ("Weight", number(resource.weight))])
    })
}

fn requirements(requirements: &[bayplan_api::NodeSelectorRequirement]) -> Node {
    list(requirements, |requirement| {
        object(&[
            ("key", string(&requirement.key)),
            ("operator", string(&format!("{:?}", requirement.operator))),
            ("values", list(&requirement.values, |value| string(value))),
        ])
    })
}

fn term(term: &bayplan_api::NodeSelectorTerm) -> Node {
    object(&[
        ("matchExpressions", requirements(&term.match_expressions)),
        ("matchFields", requirements(&term.match_fields)),
    ])
}

/// The arguments as Go's JSON shows the internal types.
fn args(args: &PluginArgs) -> Node {
    match args {
        PluginArgs::DefaultPreemption(args) => object(&[
            ("MinCandidateNodesPercentage", number(args.min_candidate_nodes_percentage)),
            ("MinCandidateNodesAbsolute", number(args.min_candidate_nodes_absolute)),
        ]),
        PluginArgs::DynamicResources(args) => {
            object(&[("FilterTimeout", string(&duration(args.filter_timeout_nanos)))])
        }
        PluginArgs::InterPodAffinity(args) => object(&[
            ("HardPodAffinityWeight", number(args.hard_pod_affinity_weight)),
            (
                "IgnorePreferredTermsOfExistingPods",
                Node::Bool(args.ignore_preferred_terms_of_existing_pods),
            ),
        ]),
        PluginArgs::NodeAffinity(args) => object(&[(
            "AddedAffinity",
            args.added_affinity.as_ref().map_or(Node::Null, |added| {
                let required = added.required.as_ref().map_or(Node::Null, |required| {
                    object(&[("nodeSelectorTerms", list(&required.node_selector_terms, term))])
                });
                let preferred = list(&added.preferred, |preferred| {
                    object(&[
                        ("weight", number(preferred.weight)),
                        ("preference", term(&preferred.preference)),
                    ])
                });
                object(&[
                    ("requiredDuringSchedulingIgnoredDuringExecution", required),
                    ("preferredDuringSchedulingIgnoredDuringExecution", preferred),
                ])
            }),
        )]),
        PluginArgs::NodeResourcesBalancedAllocation(args) => {
            object(&[("Resources", resources(&args.resources))])
        }
        PluginArgs::NodeResourcesFit(args) => {
            let (word, shape) = match &args.scoring_strategy.strategy {
                ScoringStrategyType::LeastAllocated => ("LeastAllocated", Node::Null),
                ScoringStrategyType::MostAllocated => ("MostAllocated", Node::Null),
                ScoringStrategyType::RequestedToCapacityRatio { shape } => {
                    let points = list(shape, |point| {
                        object(&[
                            ("Utilization", number(point.utilization)),
                            ("Score", number(point.score)),
                        ])
                    });
                    ("RequestedToCapacityRatio", object(&[("Shape", points)]))
                }
            };
            object(&[
                ("IgnoredResources", list(&args.ignored_resources, |name| string(name))),
                ("IgnoredResourceGroups", list(&args.ignored_resource_groups, |name| string(name))),
                (
                    "ScoringStrategy",
                    object(&[
                        ("Type", string(word)),
                        ("Resources", resources(&args.scoring_strategy.resources)),
                        ("RequestedToCapacityRatio", shape),
                    ]),
                ),
            ])
        }
        PluginArgs::PodTopologySpread(args) => {
            let policy = |policy: Option<bayplan_api::NodeInclusionPolicy>| {
                policy.map_or(Node::Null, |policy| string(&format!("{policy:?}")))
            };
            let constraints = list(&args.default_constraints, |constraint| {
                object(&[
                    ("maxSkew", number(constraint.max_skew)),
                    ("topologyKey", string(&constraint.topology_key)),
                    ("whenUnsatisfiable", string(&format!("{:?}", constraint.when_unsatisfiable))),
                    ("minDomains", constraint.min_domains.map_or(Node::Null, number)),
                    ("nodeAffinityPolicy", policy(constraint.node_affinity_policy)),
                    ("nodeTaintsPolicy", policy(constraint.node_taints_policy)),
                    ("matchLabelKeys", list(&constraint.match_label_keys, |key| string(key))),
                ])
            });
            object(&[
                ("DefaultConstraints", constraints),
                ("DefaultingType", string(&format!("{:?}", args.defaulting_type))),
            ])
        }
        PluginArgs::VolumeBinding(args) => object(&[
            ("BindTimeoutSeconds", number(args.bind_timeout_seconds)),
            ("Shape", if args.shape.is_some() { string("a shape") } else { Node::Null }),
        ]),
    }
}

fn profile(profile: &ExpandedProfile) -> Node {
    let plugins: Vec<(&str, Node)> = ExtensionPoint::ALL
        .into_iter()
        .map(|point| {
            let names = match point {
                ExtensionPoint::Score => list(&profile.score, |(name, weight)| {
                    Node::List(vec![string(name), number(weight)])
                }),
                _ => list(&profile.at(point), |name| string(name)),
            };
            (point.field(), names)
        })
        .collect();
    let mut all: Vec<(&str, Node)> =
        profile.args.iter().map(|(name, of)| (name.as_str(), args(of))).collect();
    all.extend(
        profile
            .other_args
            .iter()
            .map(|(name, json)| (name.as_str(), Node::parse(json.as_bytes()).unwrap())),
    );
    object(&[
        ("name", string(&profile.scheduler_name)),
        ("plugins", object(&plugins)),
        ("args", object(&all)),
    ])
}

fn top(config: &KubeSchedulerConfiguration) -> Node {
    let elect = &config.leader_election;
    let client = &config.client_connection;
    let nanos = |nanos| string(&duration(nanos));
    object(&[
        ("parallelism", number(config.parallelism)),
        (
            "leaderElection",
            object(&[
                ("LeaderElect", Node::Bool(elect.leader_elect)),
                ("LeaseDuration", nanos(elect.lease_duration_nanos)),
                ("RenewDeadline", nanos(elect.renew_deadline_nanos)),
                ("RetryPeriod", nanos(elect.retry_period_nanos)),
                ("ResourceLock", string(&elect.resource_lock)),
                ("ResourceName", string(&elect.resource_name)),
                ("ResourceNamespace", string(&elect.resource_namespace)),
            ]),
        ),
        (
            "clientConnection",
            object(&[
                ("Kubeconfig", string(&client.kubeconfig)),
                ("AcceptContentTypes", string(&client.accept_content_types)),
                ("ContentType", string(&client.content_type)),
                ("QPS", number(client.qps)),
                ("Burst", number(client.burst)),
            ]),
        ),
        (
            "debugging",
            object(&[
                ("EnableProfiling", Node::Bool(config.debugging.enable_profiling)),
                (
                    "EnableContentionProfiling",
                    Node::Bool(config.debugging.enable_contention_profiling),
                ),
            ]),
        ),
        (
            "percentageOfNodesToScore",
            config.percentage_of_nodes_to_score.map_or(Node::Null, number),
        ),
        ("delayCacheUntilActive", Node::Bool(config.delay_cache_until_active)),
        ("podInitialBackoffSeconds", number(config.pod_initial_backoff_seconds)),
        ("podMaxBackoffSeconds", number(config.pod_max_backoff_seconds)),
    ])
}

#[test]
fn values_plugins_and_arguments_are_those_that_kube_scheduler_runs_with() {
    let count = each(|fact, _, bytes| {
        let (Some(expected_top), Some(Node::List(expected))) =
            (get(fact, "top"), get(fact, "profiles"))
        else {
            return Ok(false);
        };
        let config = KubeSchedulerConfiguration::read("f", bytes).map_err(|e| e.to_string())?;
        let (ours, expected_top) = (normal(&top(&config)), normal(expected_top));
        if ours != expected_top {
            return Err(format!("\n  {}\n  {}", ours.to_json(), expected_top.to_json()));
        }
        let expanded = match config.expand(&PluginRegistry::default()) {
            Ok(expanded) => expanded,
            Err(error) if error.is_unsupported() => {
                let asks = |extender: &Extender| {
                    !(extender.filter_verb.is_empty()
                        && extender.prioritize_verb.is_empty()
                        && extender.preempt_verb.is_empty())
                };
                let unsupported = config.extenders.iter().any(asks);
                return if unsupported { Ok(true) } else { Err(error.to_string()) };
            }
            Err(error) => return Err(error.to_string()),
        };
        let percentages: Vec<Option<i32>> =
            config.profiles.iter().map(|profile| profile.percentage_of_nodes_to_score).collect();
        let names = |node: &Node| ["name", "plugins", "args"].map(|name| get(node, name).cloned());
        for ((ours, percentage), expected) in expanded.iter().zip(percentages).zip(expected) {
            let shown = normal(&profile(ours));
            let expected_percentage = get(expected, "percentage").unwrap();
            if percentage.map_or(Node::Null, number) != *expected_percentage {
                return Err(format!("percentage {percentage:?}"));
            }
            assert_eq!(
                ours.percentage_of_nodes_to_score,
                percentage.or(config.percentage_of_nodes_to_score)
            );
            let expected = normal(&read_parts(expected));
            if names(&shown) != names(&expected) {
                return Err(format!("\n  {}\n  {}", shown.to_json(), expected.to_json()));
            }
        }
        if expanded.len() != expected.len() {
            return Err(format!("{} profiles, not {}", expanded.len(), expected.len()));
        }
        Ok(true)
    });
    assert!(count > 450, "{count}");
}
