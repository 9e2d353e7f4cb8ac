"""The ``bayplan`` command: arguments in, exit code out."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from bayplan._cli import output
from bayplan._cli.formats import FORMATS
from bayplan._cli.selector import Selector, SelectorError, parse
from bayplan.exceptions import BayplanError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = 2
INTERRUPTED = 128 + signal.SIGINT
CLOSED_PIPE = 128 + 13  # SIGPIPE, which Windows does not name

_EXITS = """\
exit codes:
  0  every pod that was attempted has a node
  1  some pods are pending
  2  the command line is wrong
  3  the input is wrong: bad objects, bad configuration, or a warning under --strict
  4  a pod needs something that bayplan does not decide yet
  5  a file could not be read or written
"""

_BENCH = """\
Each measurement is a process of its own. It loads the cluster, first pods on their nodes, the
others pending, and then takes the time of Scheduler().schedule(cluster) until the arrays of node,
score and outcome are there; nothing was learnt of the pods before.

  PODS/S     pods that were decided, by seconds
  SECONDS    the time, median of the rounds
  WARM       the same again, after a fork has done it and was rolled back
  BYTES      from the JSON in memory to the arrays
  PEAK       most memory of the process that loads and decides, in MiB; on its start it has LEAST

exit codes: 0 measured, 2 no such workload, 5 a file could not be written
"""

_GET = """\
a dump of everything that decisions read:
  kubectl get nodes,pods,namespaces,services,replicationcontrollers,replicasets,statefulsets,\\
persistentvolumes,persistentvolumeclaims,storageclasses,csinodes,csidrivers,csistoragecapacities,\\
volumeattachments,poddisruptionbudgets,priorityclasses -A -o json > cluster.json
"""


class _Version(argparse.Action):
    """Prints name, version and the scheduler that is followed."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from bayplan import _native  # noqa: PLC0415 -- only here

        print(f"bayplan {_native.__version__} (kube-scheduler semantics {_native.SEMANTICS})")
        parser.exit()


def _selector(text: str) -> Selector:
    try:
        return parse(text)
    except SelectorError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seed(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(2**64)) and int(text) < 2**64:
        return int(text)
    raise argparse.ArgumentTypeError(f"not a whole number from 0 to 2^64-1: {text!r}")


def parser() -> argparse.ArgumentParser:
    """The command line as argparse knows it."""
    top = argparse.ArgumentParser(
        prog="bayplan",
        description="Decide where pods go, as kube-scheduler v1.34 does, and say why.",
        epilog="`bayplan COMMAND --help` says more about a command.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    simulate = _command(
        commands,
        "simulate",
        "place the pending pods of a cluster dump",
        "Place the pending pods of a cluster dump, one after another in the scheduler's order.",
        FORMATS,
    )
    simulate.add_argument(
        "-l",
        "--selector",
        type=_selector,
        default=Selector(),
        metavar="SELECTOR",
        help="show only pods with these labels: app=web,tier in (a,b),!canary",
    )
    simulate.add_argument(
        "--trace",
        metavar="FILE",
        help="write every decision with each node's and plugin's answer, one JSON object a line",
    )

    explain = _command(
        commands,
        "explain",
        "say why a pod goes where it goes, or nowhere",
        "Say why a pod goes where it goes, or why nowhere: every node, every plugin.",
        ("table", "wide", "json", "yaml"),
    )
    explain.add_argument(
        "pod", metavar="POD", help="NAMESPACE/NAME, or NAME if one pod only has the name"
    )
    explain.add_argument(
        "--preemption",
        action="store_true",
        help="also say of each node who would be evicted there, and why it was chosen or not",
    )

    _bench(commands)
    return top


def _bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command that measures; it makes its own clusters."""
    bench = commands.add_parser(
        "bench",
        help="say how many pods a second are placed",
        description="Say how many pods a second are placed, in workloads that are known by name.",
        epilog=_BENCH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    bench.add_argument(
        "workloads",
        nargs="*",
        metavar="NAME[/SIZE]",
        help="such as SchedulingBasic/5000Nodes_50000Pods; without a size, all that are listed; all workloads: all",  # noqa: E501
    )
    bench.add_argument(
        "--list", action="store_true", help="list the workloads and their sizes and measure nothing"
    )
    bench.add_argument(
        "-o",
        "--output",
        choices=("table", "json"),
        default="table",
        help="form of the result; json: one object a line, when it is known (default: table)",
    )
    bench.add_argument(
        "--rounds",
        type=_positive,
        default=3,
        metavar="N",
        help="measure so often and show the median (default: 3)",
    )
    bench.add_argument(
        "--max-nodes",
        type=_positive,
        default=5000,
        metavar="N",
        help="of sizes that are not named, leave out larger ones (default: 5000)",
    )


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) == int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"not a whole number from 1 on: {text!r}")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    short: str,
    long: str,
    formats: Sequence[str],
) -> argparse.ArgumentParser:
    """A command with the options that every command on a cluster has."""
    command = commands.add_parser(
        name,
        help=short,
        description=long,
        epilog=f"{_GET}\n{_EXITS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "-f",
        "--filename",
        action="append",
        default=[],
        metavar="FILE",
        help="objects: JSON, YAML or NDJSON, also .gz and .zst; a file, a directory, or - for standard input; may be given several times",  # noqa: E501
    )
    command.add_argument(
        "--example", action="store_true", help="take the cluster that comes with bayplan"
    )
    command.add_argument(
        "-e",
        "--events",
        action="append",
        default=[],
        metavar="FILE",
        help="events that happen first, as `kubectl get --watch --output-watch-events -o json` prints them, or such as {type: CORDON, node: a}; may be given several times",  # noqa: E501
    )
    command.add_argument(
        "--config",
        metavar="FILE",
        help="a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1)",
    )
    command.add_argument(
        "--sampling",
        choices=("all", "kube"),
        default="all",
        help="which nodes a decision looks at: all (default), or as many as kube-scheduler would, by percentageOfNodesToScore",  # noqa: E501
    )
    command.add_argument(
        "--tie-break",
        choices=("first", "random"),
        default="first",
        help="which of equally good nodes is chosen (default: first)",
    )
    command.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="what random choices depend on: 0 to 2^64-1 (default: 0)",
    )
    command.add_argument(
        "-n", "--namespace", metavar="NAMESPACE", help="show only pods of this namespace"
    )
    command.add_argument(
        "-o",
        "--output",
        choices=formats,
        default="table",
        help="form of the result (default: table)",
    )
    command.add_argument(
        "--no-headers", action="store_true", help="leave out the header of a table or of CSV"
    )
    command.add_argument(
        "--strict", action="store_true", help="end with exit code 3 where there would be a warning"
    )
    command.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
    return command


# Generic for type checkers only in the type of its stream, which is any text stream here.
class _Handler(logging.StreamHandler):  # type: ignore[type-arg]
    """Puts log records on standard error as commands speak: ``warning: …``."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.command == "bench":
        if not options.workloads and not options.list:
            command_line.error("no workloads: name some, or all, or ask for the --list")
    elif not options.filename and not options.example:
        command_line.error("no objects: name a file with -f, or take --example")
    logger = logging.getLogger("bayplan")
    handler = _Handler(sys.stderr)
    logger.addHandler(handler)
    level = logger.level
    is_verbose = getattr(options, "verbose", False)
    logger.setLevel(logging.DEBUG if is_verbose else logging.WARNING)
    try:
        return _run(options)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _run(options: argparse.Namespace) -> int:
    from bayplan._cli import bench, explain, simulate  # noqa: PLC0415 -- `--help` does without

    run: Callable[[argparse.Namespace], int] = {
        "simulate": simulate.run,
        "explain": explain.run,
        "bench": bench.run,
    }[options.command]
    try:
        return run(options)
    except BrokenPipeError:
        output.drop()  # whoever read has gone: say nothing
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BayplanError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        output.drop()
        print(f"error: standard output: {error.strerror or error}", file=sys.stderr)
        return 5
