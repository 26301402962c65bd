"""The operations of a run, and runs in which one of them is done otherwise.

A function is replayed on other inputs with one call replaced: its value, or only what flows back through it.
What comes out explains a candidate; it never decides whether the candidate is right.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from derive.diagnosis.openings import OPENINGS, opened_name
from derive.read.dispatch import op_name

__all__ = ["Call", "backwards_as", "recorded", "replayed"]

Run = Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a torch function: what was called with what, what came of it, and how its author wrote it.

    `text` is the expression, `target` the name that its value was given; `inside` the composite that it is a
    part of; `before` the call that made its first argument; `nth` which it is of several that are written
    alike, from 1, where there are several.
    """

    place: int
    func: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    out: Any
    text: str = ""
    target: str = ""
    inside: str = ""
    before: Call | None = None
    nth: int = 0

    @cached_property
    def name(self) -> str:
        """The name of the operation: tanh, matmul, sum, T."""
        return op_name(self.func).strip("_")

    @property
    def written(self) -> tuple[str, str, str]:
        """How it is shown."""
        return self.text, self.target, self.inside

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The same operation of other arguments."""
        return self.func(*args, **kwargs)

    def with_arg(self, k: int, value: Any) -> Any:
        """The same call with one argument replaced."""
        return self.func(*self.args[:k], value, *self.args[k + 1 :], **self.kwargs)

    def with_option(self, name: str, value: Any) -> Any:
        """The same call with one keyword replaced, or added."""
        return self.func(*self.args, **{**self.kwargs, name: value})

    @property
    def reals(self) -> tuple[int, ...]:
        """The places of the arguments that are tensors of real numbers."""
        return tuple(k for k, a in enumerate(self.args) if is_real(a))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The places of the arguments that are plain numbers."""
        kinds = (int, float)
        return tuple(k for k, a in enumerate(self.args) if isinstance(a, kinds) and not isinstance(a, bool))

    @property
    def is_pointwise(self) -> bool:
        """Whether it looks like a function of the entries of one tensor."""
        return (
            self.reals == (0,)
            and is_real(self.out)
            and self.args[0].shape == self.out.shape
            and self.name not in MOVEMENTS
        )

    def __str__(self) -> str:
        name = f"{self.target} = " if self.target else ""
        where = f" inside {self.inside}" if self.inside else ""
        which = f"the {ORDINALS[self.nth]} " if 0 < self.nth < len(ORDINALS) else ""
        return f"{which}`{name}{self.text}`{where}" if self.text else f"{self.name}{where}"

    def operand(self, k: int) -> str:
        """An argument as its author wrote it."""
        try:
            node = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError):
            return f"argument {k + 1} of {self}"
        found = _operands(node)
        if self._is_flipped(node):
            found = found[::-1]
        return f"`{ast.unparse(found[k])}`" if k < len(found) else f"argument {k + 1} of {self}"

    def _is_flipped(self, node: ast.expr) -> bool:
        """Whether the tensor is the right operand: 1 - x is rsub(x, 1), and 1 + x is add(x, 1)."""
        if self.name in ("rsub", "rdiv", "radd", "rmul", "rpow"):
            return True
        number = self.numbers == (1,) and self.reals == (0,)
        return number and isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant)


def _operands(node: ast.expr) -> list[ast.expr]:
    """The operands of an expression in the order in which a torch function has them."""
    match node:
        case ast.BinOp(left, _, right):
            return [left, right]
        case ast.UnaryOp(_, operand):
            return [operand]
        case ast.Subscript(value) | ast.Attribute(value):
            return [value]
        case ast.Call(ast.Attribute(owner, _), args):
            is_module = isinstance(owner, (ast.Name, ast.Attribute)) and ast.unparse(owner) in MODULES
            return list(args) if is_module else [owner, *args]
        case ast.Call(_, args):
            return list(args)
    return []


MODULES = frozenset(
    "torch F nn.functional torch.nn.functional torch.linalg torch.special functional linalg".split()
)


# What keeps entries as they are.
MOVEMENTS = frozenset(
    "T mT transpose t permute view reshape contiguous clone to double float type expand expand_as detach "
    "flatten requires_grad_ squeeze unsqueeze getitem flip roll triu tril movedim swapaxes data H "
    "adjoint".split()
)


def is_real(item: Any) -> bool:
    """Whether it is a tensor of real numbers."""
    import torch

    return torch.is_tensor(item) and item.is_floating_point()


def recorded(run: Run, *, opened: bool = False, telling: bool = True) -> list[Call]:
    """The calls of a run that give a tensor, in order; `opened` looks inside composites (layer_norm).

    `telling` asks also how their author wrote them, which takes longer.
    """
    calls: list[Call] = []

    def keep(call: Call) -> Any:
        calls.append(call)
        return call.out

    with _mode(keep, opened, telling=telling):
        run()
    return _numbered(calls) if telling else calls


ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth")


def _numbered(calls: list[Call]) -> list[Call]:
    """The calls, with what tells those apart that are written alike."""
    written = Counter(c.written for c in calls)
    seen: Counter[tuple[str, str, str]] = Counter()
    numbered = []
    for call in calls:
        seen[call.written] += 1
        alike = bool(call.text) and written[call.written] > 1
        numbered.append(replace(call, nth=seen[call.written]) if alike else call)
    return numbered


def replayed(run: Run, edits: Mapping[int, Callable[[Call], Any]], *, opened: bool = False) -> Any:
    """What a run gives when the calls at some places are done otherwise."""

    def edited(call: Call) -> Any:
        edit = edits.get(call.place)
        return edit(call) if edit else call.out

    with _mode(edited, opened, telling=False):
        return run()


def _mode(handle: Callable[[Call], Any], opened: bool, *, telling: bool = True) -> Any:
    """A mode that hands every call to a function; `telling` also how its author wrote it."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Watching(TorchFunctionMode):  # type: ignore[misc]
        place = 0
        inside = ""

        def __init__(self) -> None:
            super().__init__()
            self.made: dict[int, Call] = {}

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            kwargs = kwargs or {}
            name = op_name(func)
            if name in SILENT:
                return func(*args, **kwargs)
            opening = OPENINGS.get(opened_name(name)) if opened and not self.inside else None
            if opening is not None:
                self.inside = name
                try:
                    with self:
                        return opening(*args, **kwargs)
                except (TypeError, NotImplementedError):
                    pass
                finally:
                    self.inside = ""
            out = func(*args, **kwargs)
            if not torch.is_tensor(out):
                return out
            place, self.place = self.place, self.place + 1
            text, target = _written(bool(self.inside)) if telling else ("", "")
            before = self.made.get(id(args[0])) if args else None
            call = Call(place, func, tuple(args), kwargs, out, text, target, self.inside, before)
            self.made[id(out)] = call
            return handle(call)

    return Watching()


SILENT = frozenset(
    "shape size dim ndim dtype device numel requires_grad is_floating_point grad_fn is_leaf layout item "
    "tolist __len__ __bool__ __iter__ __float__ __int__ __index__ requires_grad_ detach data grad backward "
    "as_tensor asarray names __hash__ __repr__ __format__ is_sparse is_cuda stride".split()
)


def _written(inside: bool) -> tuple[str, str]:
    """The expression that is being run and the name that it is given, by the author or an opening."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if inside and module == OPENED_IN:
            return _segment(frame)
        if not inside and module.partition(".")[0] not in ("derive", "torch", "functools"):
            return _segment(frame)
        frame = frame.f_back
    return "", ""


OPENED_IN = "derive.diagnosis.openings"


def _segment(frame: Any) -> tuple[str, str]:
    """The source of the instruction that a frame is at, and the target of an assignment of just that."""
    positions = list(frame.f_code.co_positions())
    first, last, start, end = positions[frame.f_lasti // 2]
    if None in (first, last, start, end):
        return "", ""
    lines = [linecache.getline(frame.f_code.co_filename, n).encode() for n in range(first, last + 1)]
    if not lines or not lines[-1]:
        return "", ""
    whole = b"".join(lines).decode().strip()
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    text = " ".join(b"".join(lines).decode().split())
    target = re.match(r"(\w+)\s*=\s*", whole)
    is_all = target is not None and " ".join(whole[target.end() :].split()) == text
    return (text if len(text) <= 90 else f"{text[:87]}…"), (target[1] if target and is_all else "")


def backwards_as(value: Any, other: Any) -> Any:
    """A tensor with the value of one and the gradient of another."""
    return value.detach() + (other - other.detach())
