"""Score `derive.check` on cases: `python benchmarks/verdicts.py FILE [DTYPE] [ONLY]`.

A case gives torch code, its right gradient, and wrong ones with the reason why each is wrong. The right one
must be called right (or rounding), the wrong ones wrong; beside the reason stands the diagnosis, to be read.
"""

from __future__ import annotations

import collections
import json
import linecache
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch

import derive

# What a case's domain says of a variable, as a fact to declare; where values may lie is found by derive.
FACTS = {
    "prob": "sum=1",
    "onehot": "one-hot",
    "zeroone": "binary",
    "mask": "binary",
    "pm1": "sign",
    "sym": "symmetric",
    "spd": "positive definite",
    "ltri": "triangular",
    "orth": "orthogonal",
    "unitnorm": "unit",
    "unit": "unit interval",
    "pos": "positive",
    "away0": "nonzero",
}
KINDS = {"elementwise": "derivative", "second": "second"}


def compiled(case: dict[str, Any], source: str, name: str) -> Any:
    """A torch function of a case."""
    scope = {"torch": torch, "F": torch.nn.functional, "math": math, **(case.get("consts") or {})}
    file = f"<case {case['id']} {abs(hash(source)):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def verdict(case: dict[str, Any], source: str, dtype: str) -> Any:
    """What derive says of a gradient of a case."""
    args = case["args"]
    return derive.check(
        compiled(case, source, "g"),
        of=compiled(case, case["forward"], "f"),
        wrt=case["wrt"],
        shapes={n: " ".join(map(str, a["shape"])) for n, a in args.items()},
        dtypes={n: a["dtype"] for n, a in args.items()},
        assume={n: FACTS[a["domain"]] for n, a in args.items() if a["domain"] in FACTS},
        kind=KINDS.get(case["kind"], case["kind"]),
        dtype=dtype,
    )


def main(path: str, dtype: str = "float64", only: str = "") -> None:
    """Print every wrong gradient, every right one that is not called so, and the counts."""
    torch.set_num_threads(1)
    counts: collections.Counter[str] = collections.Counter()
    times = []
    for case in json.loads(Path(path).read_text())["cases"]:
        if only and only not in case["id"]:
            continue
        rows = [("right", case["grad"], ""), *(("wrong", w["grad"], w["why"]) for w in case["wrong"])]
        for expected, source, why in rows:
            start = time.perf_counter()
            try:
                v = verdict(case, source, dtype)
                status, said = v.status, v.diagnosis
            except Exception as error:
                status, said = "error", f"{type(error).__name__}: {error}"
            times.append(time.perf_counter() - start)
            counts[f"{expected}: {status}"] += 1
            fits = status == expected or (expected == "right" and status == "rounding")
            if expected == "wrong" or not fits:
                mark = "    " if fits else "!!! "
                print(f"{mark}{case['id']:22} {status:8} {times[-1]:5.2f}s  why: {why}\n{'':40}said: {said}")
    times.sort()
    print(dict(counts), f"median {times[len(times) // 2]:.3f}s worst {times[-1]:.2f}s")


if __name__ == "__main__":
    main(*sys.argv[1:])
