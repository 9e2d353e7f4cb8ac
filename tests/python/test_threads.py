"""One object, many threads: what `Cluster` promises in its docstring."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import bayplan
from clusters import node, pod, service


def test_readers_and_writers_see_whole_states() -> None:
    nodes = [node(f"n{i}") for i in range(20)]
    cluster = bayplan.Cluster.load(nodes, service())
    scheduler = bayplan.Scheduler()
    batch = 5
    seen: list[int] = []

    def write(writer: int) -> None:
        for turn in range(10):
            pods = [pod(f"p-{writer}-{turn}-{i}", cpu="10m", memory="1Mi") for i in range(batch)]
            assert len(scheduler.schedule(cluster, pods).placements) == batch

    def read() -> None:
        for _ in range(40):
            seen.append(len(cluster.pods))
            assert scheduler.filter(cluster, pod("x")).all()
            assert len(cluster.simulate(pod("x"))) == 1

    with ThreadPoolExecutor(8) as pool:
        for future in [
            *(pool.submit(write, w) for w in range(4)),
            *(pool.submit(read) for _ in range(4)),
        ]:
            future.result()
    assert len(cluster.pods) == 4 * 10 * batch
    assert all(count % batch == 0 for count in seen), "a reader saw half a call"


def test_no_update_is_lost_and_no_node_is_overcommitted() -> None:
    cluster = bayplan.Cluster.load([node(f"n{i}", cpu="10") for i in range(4)], service())
    scheduler = bayplan.Scheduler()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: scheduler.schedule(cluster, pod(f"p{i}", memory="1Mi")), range(60)))
    names = [cluster.node_of(name) for name in cluster.pods]
    assert len(names) == 60
    assert all(names.count(f"n{i}") == 10 for i in range(4))
    assert names.count(None) == 20


def big() -> bayplan.Cluster:
    """A cluster that keeps the engine busy for seconds."""
    nodes = [node(f"n{i}", cpu="64", zone=f"z{i % 7}") for i in range(3000)]
    terms = [
        {
            "weight": 1,
            "podAffinityTerm": {
                "topologyKey": "zone",
                "labelSelector": {"matchLabels": {"app": "p"}},
            },
        }
    ]
    affinity = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}
    pods = [
        pod(f"p-{i}", cpu=f"{i % 50 + 1}m", memory=f"{i + 1}", affinity=affinity, priority=i)
        for i in range(4000)
    ]
    return bayplan.Cluster.load(nodes, pods, service())


def test_the_interpreter_is_free_while_the_engine_works() -> None:
    cluster = big()
    done = threading.Event()

    def work() -> None:
        cluster.simulate()
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    longest, last = 0.0, time.monotonic()
    turns = 0
    while not done.is_set():
        time.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        turns += 1
    worker.join()
    assert turns > 10, "the work ended too soon to show anything"
    assert longest < 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_work_within_half_a_second_and_changes_nothing() -> None:
    cluster = big()
    sent: list[float] = []

    def interrupt() -> None:
        time.sleep(0.2)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    killer = threading.Thread(target=interrupt)
    before = repr(cluster)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- the signal must come inside
        killer.start()
        bayplan.Scheduler().schedule(cluster)
    ended = time.monotonic()
    killer.join()
    assert ended - sent[0] < 0.5
    assert repr(cluster) == before
