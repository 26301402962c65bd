"""Score derive on a file of cases: `python benchmarks/cases.py FOLDER FILE`, FOLDER that of cases_lib.py.

A case gives torch code, shapes, the variable and the kind of derivative; the answer is the program that
derive makes of them, without autograd.
"""

from __future__ import annotations

import collections
import json
import linecache
import sys
import time
from pathlib import Path
from typing import Any

import derive


def engine(case: dict[str, Any]) -> Any:
    """The program for a case, as the checker wants it: g(**inputs), or g(G, **inputs) for a vjp."""
    shapes = {name: " ".join(map(str, a["shape"])) for name, a in case["args"].items()}
    dtypes = {name: a["dtype"] for name, a in case["args"].items()}
    f = compiled(case)
    about = {"shapes": shapes, "dtypes": dtypes}
    wrt, kind = case["wrt"], case["kind"]
    if kind == "elementwise":
        d = derive.derivative(f, wrt, **about)
    elif kind == "second":
        d = derive.derivative(f, wrt, 2, **about)
    else:
        made = {
            "gradient": derive.grad,
            "jacobian": derive.jacobian,
            "hessian": derive.hessian,
            "vjp": derive.vjp,
        }
        d = made[kind](f, wrt, **about)
    program = d.program()
    if kind != "vjp":
        return program
    upstream = program.parameters[0].name
    return lambda G, **inputs: program(**{upstream: G}, **inputs)


def compiled(case: dict[str, Any]) -> Any:
    """The torch function of a case."""
    import math

    import torch

    scope = {"torch": torch, "F": torch.nn.functional, "math": math, **(case.get("consts") or {})}
    file = f"<case {case['id']}>"
    linecache.cache[file] = (len(case["forward"]), None, case["forward"].splitlines(True), file)
    exec(compile(case["forward"], file, "exec"), scope)
    return scope["f"]


def main(checker: str, path: str, only: str = "") -> None:
    """Print a line for what is not right, and the table."""
    sys.path.insert(0, checker)
    import torch
    from cases_lib import autograd_truth, compile_src, inputs, relerr

    torch.set_num_threads(1)
    counts: collections.Counter[str] = collections.Counter()
    times = []
    cases = json.loads(Path(path).read_text())["cases"]
    for case in cases:
        if only and only not in case["id"]:
            continue
        start = time.perf_counter()
        detail = ""
        try:
            g = engine(case)
            times.append(time.perf_counter() - start)
            f, worst = compile_src(case["forward"], "f", case["consts"]), 0.0
            for sizes in case["dims"]:
                for seed in (0, 1, 2):
                    x = inputs(case, sizes, seed)
                    truth, upstream = autograd_truth(case, f, x, seed)
                    with torch.no_grad():
                        ours = g(upstream, **x) if case["kind"] == "vjp" else g(**x)
                    worst = max(worst, relerr(torch.as_tensor(ours), truth))
            outcome = "right" if worst < 1e-8 else "WRONG"
            detail = f"{worst:.2e}"
        except NotImplementedError as error:
            outcome, detail = "unsupported", str(error)
        except Exception as error:
            outcome, detail = "error", f"{type(error).__name__}: {error}"
        counts[outcome] += 1
        took = time.perf_counter() - start
        if outcome != "right" or took > 2:
            print(f"{case['id']:24} {outcome:12} {took:5.2f}s  {detail.splitlines()[0][:150]}")
    times.sort()
    print(dict(counts), f"median {times[len(times) // 2]:.3f}s worst {times[-1]:.2f}s" if times else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
