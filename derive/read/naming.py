"""Names for what a trace computed: the author's own first, then letters for what is heavy and used again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sympy import Integer

from derive.expr.heads import HEADS
from derive.expr.indices import fresh
from derive.expr.tree import Delta, Entry, Node, Num, Sigma, Sym, walk
from derive.read.names import free_name
from derive.read.traced import Trace, Traced

__all__ = ["name_outputs", "name_values", "needed"]

# Operations whose result gets a name of its own, and the names they prefer.
NAMED_OPS: dict[str, tuple[str, ...]] = {"softmax": ("s", "p")}

HEAD_NAMES = {
    "inverse": "inv",
    "det": "det",
    "logabsdet": "logdet",
    "eigenvalues": "lambda",
    "eigenvectors": "V",
    "singular values": "sigma",
    "pinv": "pinv",
    "left singular vectors": "U",
    "right singular vectors": "V",
}

# Operations that keep a sum as easy to differentiate as it was.
LINEAR_OPS = {
    "add", "sub", "mul", "div", "neg", "sum", "mean", "rsub", "getitem", "T", "mT", "transpose", "t", "view",
    "reshape", "unsqueeze", "squeeze", "trace", "output", "pow", "square", "permute", "expand", "flatten",
}  # fmt: skip

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*", re.ASCII)


def needed(outputs: Sequence[Traced]) -> set[int]:
    """The values that the outputs depend on."""
    found: set[int] = set()
    waiting = list(outputs)
    while waiting:
        v = waiting.pop()
        if id(v) not in found:
            found.add(id(v))
            waiting.extend(v.inputs)
    return found


def name_values(trace: Trace, outputs: Sequence[Traced], taken: set[str]) -> None:
    """Give names to the values that the outputs need; `taken` grows by them."""
    used = needed(outputs)
    moving: set[int] = (
        set()
    )  # what depends on a variable: a mask of ones and zeros is written where it is used
    values = []
    for v in trace.values:
        variable = v.op in ("input", "parameter")
        if variable or any(id(i) in moving for i in v.inputs):
            moving.add(id(v))
        if id(v) in used and not variable and (id(v) in moving or v.forced or any(v is o for o in outputs)):
            values.append(v)
    _by_author(trace, [v for v in values if v.raw.kind != "bool"], taken)
    for v in values:
        if v.forced and not v.name:
            own = f"{v.inputs[0].name}_{HEAD_NAMES[v.op]}" if v.op in HEADS else "M"
            _name(v, (own, f"{own}_1"), taken)
    users: dict[int, list[Traced]] = {}
    for v in values:
        for i in v.inputs:
            users.setdefault(id(i), []).append(v)
    for v in values:
        if v.name or v.raw.kind != "real" or any(v is o for o in outputs):
            continue
        using = users.get(id(v), [])
        steep = len(using) > 1 or any(u.op not in LINEAR_OPS for u in using)
        if v.preferred or v.op in NAMED_OPS or (steep and _has_sum(v)):
            _name(v, v.preferred or NAMED_OPS.get(v.op, ("u", "v", "q", "r")), taken)


def name_outputs(trace: Trace, outputs: Sequence[Traced], taken: set[str]) -> tuple[str, ...]:
    """The outputs' names; one that is only a variable, or part of one, becomes a definition of its own."""
    names = []
    for output in outputs:
        if not output.name or output.op in ("input", "parameter"):
            output = trace.add(output.array, "output", (output,))
            output.whole = True
            _name(output, ("f", "g", "h", "F"), taken)
        names.append(output.name)
    return tuple(dict.fromkeys(names))


def _by_author(trace: Trace, values: Sequence[Traced], taken: set[str]) -> None:
    """The author's own names; x_1, x_2, … where one of them holds several values in turn."""
    wanted = {id(v): name for v in values if (name := _clean(trace.authored.get(id(v), (0, ""))[1]))}
    often = Counter(wanted[id(v)] for v in values if id(v) in wanted)
    for v in values:
        name = wanted.get(id(v))
        if name is None or _is_another_name(v):
            continue
        own = (name,) if often[name] == 1 and name not in taken else ()
        _name(v, (*own, *(f"{name}_{k}" for k in range(1, often[name] + 1))), taken)


def _clean(name: str) -> str | None:
    """The name without underscores around it; None where that is no name for a variable."""
    bare = re.sub("_+", "_", name.strip("_"))
    return bare if _NAME.fullmatch(bare) else None


def _name(v: Traced, preferred: tuple[str, ...], taken: set[str]) -> None:
    v.name = free_name(preferred, taken)
    taken.add(v.name)


def _is_another_name(v: Traced) -> bool:
    """Whether the value is only a variable, a view of a named one, a number or a delta."""
    return isinstance(_entry(v), Entry | Sym | Num | Delta)


def _has_sum(v: Traced) -> bool:
    entry = _entry(v)
    return isinstance(entry, Node) and any(isinstance(part, Sigma) for part in walk(entry))


def _entry(v: Traced) -> object:
    return v.raw.at(tuple(Integer(0) if d == 1 else fresh("i", d) for d in v.raw.dims))
