"""What the pytest plugin costs where nobody asks for it: `python -m benchmarks.plugin_cost WITHOUT WITH`.

Two interpreters that both have pytest, one of them with derive installed beside it, run the same project of
one test in turns. A machine that does other things adds noise of many times the cost, so the least times
are printed beside the medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = 60
WARM = 3


def seconds(python: str, project: str) -> float:
    """The time of a whole run of pytest."""
    start = time.perf_counter()
    subprocess.run([python, "-m", "pytest", "-q"], cwd=project, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(without: str, with_plugin: str) -> None:
    """Print both times and their difference, in milliseconds."""
    with tempfile.TemporaryDirectory() as project:
        Path(project, "test_own.py").write_text("def test_own():\n    assert True\n")
        sides = {"without": without, "with": with_plugin}
        found: dict[str, list[float]] = {name: [] for name in sides}
        for pair in range(WARM + PAIRS):
            for name in sorted(sides, reverse=bool(pair % 2)):
                took = seconds(sides[name], project)
                if pair >= WARM:
                    found[name].append(1000 * took)
    for name, times in found.items():
        print(f"{name:8} median {statistics.median(times):7.1f} ms   least {min(times):7.1f} ms")
    differences = [b - a for a, b in zip(found["without"], found["with"], strict=True)]
    low, middle, high = statistics.quantiles(differences, n=4)
    print(
        f"the plugin: {middle:.1f} ms in the median ({low:.1f} to {high:.1f} are half of the pairs), "
        f"{min(found['with']) - min(found['without']):.1f} ms between the least times"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
