"""Campaigns at work: `python benchmarks/campaign.py [whole] [killed] [dask]`, all three without a name.

whole    the catalog at so many seeds that there are 5,000 checks (rows of reports), in 2 processes: checks
per
         second, and the memory of this process and of the workers as it goes
killed   the catalog in a process that is killed after 25 verdicts, with a worker killed after 10; then
resumed dask     the catalog on a dask cluster of 2 workers, and again with one of them killed after 15
verdicts

The verdicts of the last two are compared with an undisturbed run, outcome by outcome.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from derive.campaigns import Job, prepare, verified, verify_many
from derive.campaigns.job import job_of
from derive.catalog import CATALOG
from derive.verification import Campaign, Outcome
from derive.verification.campaign import run
from derive.workers import Workers, resident

CHECKS = 5000
MIB = 2**20


def varied(seeds: int) -> Iterator[Job]:
    """The catalog at one seed after the other."""
    for seed in range(seeds):
        for name in CATALOG:
            yield Job(f"{name} at {seed}", entry=name, seed=seed)


def in_processes(jobs: Any, tell: Callable[[Workers, Outcome], None], **options: Any) -> Campaign:
    """A campaign in 2 processes, with a look at them after every verdict."""
    with Workers(2, time_limit=300, memory_limit=4, initializer=prepare) as workers:
        return run(jobs, verified, workers, tell=lambda outcome: tell(workers, outcome), **options)


def whole() -> None:
    """Checks per second, and memory."""
    each = in_processes([job_of(name, 0) for name in CATALOG], lambda workers, outcome: None).checks
    seeds = -(-CHECKS // each)
    ours: list[int] = []
    theirs: list[list[int]] = []

    def look(workers: Workers, _: Outcome) -> None:
        ours.append(resident(os.getpid()) // MIB)
        theirs.append([resident(pid) // MIB for pid in workers.pids])

    start, before = time.perf_counter(), os.times().children_user + os.times().children_system
    done = in_processes(varied(seeds), look)
    seconds = time.perf_counter() - start
    cpu = os.times().children_user + os.times().children_system - before
    print(f"whole: the catalog of {len(CATALOG)} at {seeds} seeds, 2 processes")
    print(f"  {done.checks} checks in {seconds:.0f} s, {done.checks / seconds:.0f} a second: {done.counts}")
    print(f"  {cpu:.0f} s of both workers' processors, {done.checks / cpu:.0f} checks for each")
    print(f"  MiB of this process: first {ours[0]}, last {ours[-1]}, max {max(ours)}")
    print("  MiB of the largest worker, after each tenth of the campaign:", end="")
    tenth = len(theirs) // 10
    print(*(f" {max(map(max, theirs[k * tenth : (k + 1) * tenth]))}" for k in range(10)), sep="")


def catalog() -> list[Job]:
    """The catalog at seed 0."""
    return [job_of(name, 0) for name in CATALOG]


def compared(what: str, found: Campaign, expected: Campaign) -> None:
    """Say how many outcomes are not those of the undisturbed run, field by field."""
    pairs = list(zip(found.outcomes, expected.outcomes, strict=True))
    unlike = [f"{a.name}: {a.status} {a.reason}" for a, b in pairs if repr(a) != repr(b)]
    print(
        f"  {what}: {len(pairs)} outcomes, {len(pairs) - len(unlike)} as undisturbed", *unlike, sep="\n    "
    )


def one_worker_killed(log: Path | None, after: int, retries: int) -> Campaign:
    """The catalog, with a worker killed after so many verdicts; every verdict is told on stdout."""
    count = 0

    def tell(workers: Workers, outcome: Outcome) -> None:
        nonlocal count
        count += 1
        if count == after:
            Timer(0.05, os.kill, (workers.pids[0], signal.SIGKILL)).start()  # in the middle of a task
        if log is not None:
            print(outcome.name, flush=True)

    return in_processes(catalog(), tell, log=log, retries=retries)


def killed(expected: Campaign) -> None:
    """A worker killed, then the parent killed and the campaign resumed."""
    print("killed:")
    for retries in (0, 1):
        found = one_worker_killed(None, 10, retries)
        compared(f"kill -9 of a worker, retries {retries}", found, expected)
    with TemporaryDirectory() as folder:
        log = Path(folder) / "run.jsonl"
        command = [sys.executable, __file__, "child", str(log)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            told = [child.stdout.readline().strip() for _ in range(25)]
            child.kill()
            told += child.stdout.read().split()  # until the last worker has ended
        content = log.read_bytes()
        log.write_bytes(content + content.splitlines()[-1][:40])  # as if it had been in the middle of a line
        kept = len(content.splitlines()) - 1
        found = verify_many(CATALOG, workers=2, log=log)
        compared(
            f"kill -9 of the parent after {len(told)} verdicts, {kept} on the disk, resumed", found, expected
        )
        again = time.perf_counter()
        compared("the same again, all from the log", verify_many(CATALOG, workers=2, log=log), expected)
        print(f"    in {time.perf_counter() - again:.2f} s")


def dask(expected: Campaign) -> None:
    """The same on a dask cluster, and with one of its workers killed."""
    from distributed import Client, LocalCluster

    print("dask: 2 workers of 1 thread")
    for kill in (False, True):
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            pids = list(client.run(os.getpid).values())
            count = 0

            def tell(_: Outcome, kill: bool = kill, pids: list[int] = pids) -> None:
                nonlocal count
                count += 1
                if kill and count == 15:
                    os.kill(pids[0], signal.SIGKILL)

            start = time.perf_counter()
            found = run(catalog(), verified, client.get_executor(), tell=tell)
            seconds = time.perf_counter() - start
            compared("one worker killed" if kill else "undisturbed", found, expected)
            print(f"    in {seconds:.0f} s")


def main(names: Sequence[str]) -> None:
    """Run what is named, or everything."""
    chosen = names or ("whole", "killed", "dask")
    if "whole" in chosen:
        whole()
    if set(chosen) & {"killed", "dask"}:
        expected = verify_many(CATALOG, workers=2)
        print(expected)
        for name, part in {"killed": killed, "dask": dask}.items():
            if name in chosen:
                part(expected)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        one_worker_killed(Path(sys.argv[2]), 10, 1)
    else:
        main(sys.argv[1:])
