"""How long derivations take: `python benchmarks/derivation_times.py FILE [REPEATS]`.

FILE is a case file as `cases.py` reads it. Each case is derived and turned into a program REPEATS times (3)
after one warm-up; its time is the median, in seconds of this process alone. Cases that are not supported are
left out of the times and counted.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from cases import engine

TARGETS = (0.1, 2.0)  # median, worst


def seconds(case: dict[str, Any], repeats: int) -> float:
    """The median of a few runs."""
    engine(case)
    runs = []
    for _ in range(repeats):
        start = time.process_time()
        engine(case)
        runs.append(time.process_time() - start)
    return statistics.median(runs)


def main(path: str, repeats: str = "3") -> None:
    """Print the ten slowest cases, the median and the worst."""
    cases = json.loads(Path(path).read_text(encoding="utf-8"))["cases"]
    times: dict[str, float] = {}
    unsupported = 0
    for case in cases:
        try:
            times[case["id"]] = seconds(case, int(repeats))
        except NotImplementedError:
            unsupported += 1
    ranked = sorted(times, key=times.__getitem__, reverse=True)
    for name in ranked[:10]:
        print(f"{name:24} {times[name]:.3f}")
    median, worst = statistics.median(times.values()), times[ranked[0]]
    verdict = "within" if median <= TARGETS[0] and worst <= TARGETS[1] else "outside"
    print(f"{len(times)} cases, {unsupported} unsupported: median {median:.3f} s, worst {worst:.3f} s, "
          f"{verdict} {TARGETS[0]} and {TARGETS[1]} s")  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
