"""``bayplan explain``: why a pod goes where it goes, or why nowhere."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from bayplan import _native
from bayplan._cli import formats
from bayplan._cli.load import load
from bayplan._cli.output import put
from bayplan._cli.simulate import exit_code
from bayplan._cli.table import NONE, format_table
from bayplan.exceptions import NotFoundError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from bayplan.trace import PreemptionCandidate, PreemptionTried, Trace


def run(options: argparse.Namespace) -> int:
    """Runs the command and gives its exit code."""
    cluster, scheduler, warnings = load(options)
    pod = find(cluster.pods, options.pod, options.namespace)
    trace = scheduler.explain(cluster, pod, in_turn=True, preemption=options.preemption)
    runs_on = cluster.node_of(pod)
    if options.output in ("json", "yaml"):
        data = document(trace, runs_on=runs_on, warnings=warnings, semantics=scheduler.semantics)
        text = formats.structured(data, options.output)
    else:
        nodes = len(cluster.nodes)
        drawn = scheduler.tie_break == "random"
        lines = heading(trace, runs_on=runs_on, nodes=nodes, drawn=drawn)
        head = "" if options.no_headers else lines + "\n"
        body = table(trace, wide=options.output == "wide", header=not options.no_headers)
        text = head + body if trace.filter else head.rstrip("\n") + "\n"
        if trace.preemption_tried is not None:
            text += preemption(trace.preemption_tried, header=not options.no_headers)
    put(text)
    return exit_code({trace.decision.outcome: 1})


def find(pods: Sequence[str], name: str, namespace: str | None) -> str:
    """``namespace/name`` of the pod that is meant.

    Raises:
        NotFoundError: There is no such pod, or more than one.
    """
    space, slash, short = name.rpartition("/")
    space = space.removeprefix("pod/").removeprefix("pods/") if slash else (namespace or "")
    if space in ("pod", "pods"):
        space = namespace or ""
    found = [
        pod
        for pod in pods
        if pod == f"{space}/{short}" or (not space and pod.endswith(f"/{short}"))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        where = f" in namespace {space}" if space else ""
        raise NotFoundError(f"there is no such pod{where}", object=f"Pod {name}")
    raise NotFoundError(
        f"more than one pod has this name: {', '.join(found)}", object=f"Pod {name}"
    )


def heading(trace: Trace, *, runs_on: str | None, nodes: int, drawn: bool) -> str:
    """The decision in some lines, as ``kubectl describe`` lays them out."""
    namespace, _, name = trace.pod.partition("/")
    decision = trace.decision
    lines = [("Name", name), ("Namespace", namespace)]
    if runs_on is not None:
        lines.append(("Runs on", runs_on))
    lines += [
        ("Outcome", decision.outcome.label),
        ("Node", decision.node or NONE),
        ("Score", NONE if decision.score is None else str(decision.score)),
        ("Why", _why(trace, drawn=drawn) or NONE),
    ]
    if 0 < len(trace.filter) < nodes:
        lines.append(("Looked at", f"{len(trace.filter)} of {nodes} nodes"))
    if trace.prefilter is not None:
        lines.append(("Rejected by", f"{trace.prefilter['plugin']} ({trace.prefilter['code']})"))
    if trace.preemption is not None:
        lines.append(("Preempts", ", ".join(trace.preemption["victims"])))
        lines.append(("Then on", trace.preemption["node"]))
    size = max(len(key) for key, _ in lines) + len(":   ")
    return "".join(f"{key + ':':<{size}}{value}\n" for key, value in lines)


def _why(trace: Trace, *, drawn: bool) -> str:
    """The reason, and how a tie was broken."""
    reason = trace.decision.reason
    if trace.chosen is not None and len(trace.best) > 1:
        how = "drawn from" if drawn else "first of"
        return f"{reason}; {how} {len(trace.best)} with the highest total"
    return reason


def _order(trace: Trace) -> list[str]:
    """The chosen node, the other feasible ones by falling total, then the rejected ones."""
    fit = [node for node, rejection in trace.filter.items() if rejection is None]
    fit.sort(key=lambda node: (node != trace.chosen, -trace.totals.get(node, 0)))
    return fit + [node for node, rejection in trace.filter.items() if rejection is not None]


def table(trace: Trace, *, wide: bool = False, header: bool = True) -> str:
    """A row a node: its total, each plugin's share, or who rejected it with which words.

    The wide form shows ``raw → weighted`` for each plugin.
    """
    plugins = list(trace.scores)
    text = format_table(
        ("NODE", "TOTAL", *plugins, "REJECTED BY", "REASON"), _rows(trace, wide=wide)
    )
    return text if header else text.partition("\n")[2]


def _rows(trace: Trace, *, wide: bool) -> Iterator[list[str]]:
    for node in _order(trace):
        rejection = trace.filter[node]
        if rejection is not None:
            blanks = [NONE] * (1 + len(trace.scores))
            yield [node, *blanks, rejection["plugin"], "; ".join(rejection["reasons"])]
            continue
        shares = []
        for plugin, scores in trace.scores.items():
            share = str(scores.get(node, NONE))
            if wide and node in trace.raw_scores.get(plugin, {}):
                share = f"{trace.raw_scores[plugin][node]} → {share}"
            shares.append(share)
        yield [node, str(trace.totals.get(node, NONE)), *shares, NONE, NONE]


def preemption(tried: PreemptionTried, *, header: bool = True) -> str:
    """What preemption tried: a row a candidate, the chosen one first, and a row each other node."""
    candidates = sorted(tried["candidates"], key=lambda own: not own["chosen"])
    tables = [
        format_table(_CANDIDATES, map(_candidate, candidates, repeat(tried["decidedBy"]))),
        format_table(
            ("NODE", "NO CANDIDATE", "REJECTED BY", "REASON"),
            (
                [node["name"], node["why"], node["plugin"] or NONE, "; ".join(node["reasons"])]
                for node in tried["others"]
            ),
        ),
    ]
    shown = zip(tables, (candidates, tried["others"]), strict=True)
    texts = [text if header else text.partition("\n")[2] for text, rows in shown if rows]
    if header:
        texts.insert(0, f"Preemption:   {_choice(tried)}\n")
    return "".join("\n" + text for text in texts)


_CANDIDATES = (
    "NODE",
    "VERDICT",
    "PDB VIOLATIONS",
    "HIGHEST PRIORITY",
    "SUM OF PRIORITIES",
    "COUNT",
    "EARLIEST START",
    "VICTIMS",
)


def _choice(tried: PreemptionTried) -> str:
    if tried["notTried"] is not None:
        return f"not tried: {tried['notTried']}"
    if tried["node"] is None:
        return "no node is a candidate"
    return f"{tried['node']}: {tried['decidedBy']}"


def _candidate(candidate: PreemptionCandidate, decided_by: str | None) -> list[str]:
    return [
        candidate["name"],
        candidate["lostBy"] or f"chosen: {decided_by}",
        str(candidate["pdbViolations"]),
        str(candidate["highestPriority"]),
        str(candidate["sumOfPriorities"]),
        str(len(candidate["victims"])),
        candidate["earliestStart"] or NONE,
        ",".join(candidate["victims"]),
    ]


def document(
    trace: Trace, *, runs_on: str | None, warnings: Sequence[str], semantics: str
) -> dict[str, Any]:
    """The document that ``-o json`` prints; ``schema/explanation.json`` describes it."""
    asked = {} if trace.preemption_tried is None else {"preemption": trace.preemption_tried}
    return {
        "apiVersion": formats.API_VERSION,
        "kind": "Explanation",
        "version": _native.__version__,
        "semantics": semantics,
        "pod": trace.decision.to_dict(),
        "runsOn": runs_on,
        "nodes": [
            {
                "name": node,
                "feasible": trace.filter[node] is None,
                "chosen": node == trace.chosen,
                "rejection": trace.filter[node],
                "total": trace.totals.get(node),
                "scores": {
                    plugin: {
                        "raw": trace.raw_scores.get(plugin, {}).get(node),
                        "weighted": scores[node],
                    }
                    for plugin, scores in trace.scores.items()
                    if node in scores
                },
            }
            for node in _order(trace)
        ],
        **asked,
        "decision": trace.to_dict(),
        "warnings": list(warnings),
    }
