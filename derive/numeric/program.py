"""Programs: a closed form as the source of a torch function, and that function."""

from __future__ import annotations

import linecache
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, preorder_traversal

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.indices import Dim, Index
from derive.expr.problem import Variable
from derive.expr.sums import substitute
from derive.expr.tree import DiffValue, HeadValue
from derive.numeric.axes import Value
from derive.numeric.code import Code, atom, call, is_view
from derive.numeric.lowering import Lowering
from derive.numeric.norms import with_kinks
from derive.numeric.scope import Scope, Tensor
from derive.numeric.source import Statement, write_function
from derive.numeric.stable import stable

__all__ = ["Let", "Program", "build_program"]

Row = tuple[str, tuple[Any, ...], bool]
REFUSED = (DiffValue, sympy.Derivative, sympy.Subs, sympy.Integral)


@dataclass(frozen=True)
class Let:
    """`name[indices] = value`, with a SymPy value in index notation."""

    name: str
    indices: tuple[Index, ...]
    value: Expr

    def at(self, positions: tuple[Expr, ...]) -> Expr:
        """The value at other positions than its own indices."""
        return substitute(self.value, dict(zip(self.indices, positions, strict=True)))


@dataclass(frozen=True)
class Program:
    """A torch function of the parameters, given by its source.

    `program(W, x)` or `program(W=W, x=x)` checks the shapes and gives a tensor, or a tuple of tensors where
    `nested`. The result has the dtype and the device of the first real argument. `source` can be pasted
    anywhere; it is data, so a Program can be pickled, and is compiled when it is first called. `classes` are
    the integer parameters that are positions, each with the size of its axis: a call checks that they are.
    """

    name: str
    parameters: tuple[Variable, ...]
    source: str
    nested: bool = False
    classes: tuple[tuple[str, Dim], ...] = ()

    def __post_init__(self) -> None:
        # torch.compile cannot trace what reads these first, so they are there before it comes.
        _ = self._plan, self._ranges
        if "torch" in sys.modules:
            _ = self.function

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.name, self.parameters, self.source, self.nested, self.classes)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The bare torch function, without checks; made when torch is there."""
        return _compiled(self.source, self.name)

    @cached_property
    def _plan(self) -> tuple[Row, ...]:
        """Names, sizes (a name, a number, or None for what is checked by the others) and kinds."""
        return tuple((v.name, tuple(_size(d) for d in v.dims), v.integer) for v in self.parameters)

    @cached_property
    def _ranges(self) -> tuple[tuple[int, int | str], ...]:
        """The places of the parameters that are positions, and the size of the axis (a name or a number)."""
        places = {v.name: k for k, v in enumerate(self.parameters)}
        return tuple((places[name], size) for name, dim in self.classes if (size := _size(dim)) is not None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*self.bind(args, kwargs))

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments in the order of the parameters, checked; a ShapeError tells which disagree."""
        plan = self._plan
        if len(args) > len(plan):
            raise TypeError(f"{self.name} takes {len(plan)} argument(s), not {len(args)}")
        values = list(args)
        for name, _, _ in plan[len(args) :]:
            if name not in kwargs:
                raise TypeError(f"{self.name} needs the argument {name!r}")
            values.append(kwargs[name])
        if len(args) + len(kwargs) != len(plan):
            known = [name for name, _, _ in plan]
            extra = ", ".join(k for k in kwargs if k not in known[len(args) :])
            raise TypeError(f"{self.name} has no free argument {extra}; its arguments are {', '.join(known)}")
        values, sizes = _checked(plan, values)
        for place, size in self._ranges:
            _check_range(plan[place][0], values[place], sizes.get(size) if isinstance(size, str) else size)
        return values


def build_program(
    name: str,
    variables: tuple[Variable, ...],
    lets: tuple[Let, ...],
    results: tuple[Let, ...],
    *,
    doc: str = "",
    classes: tuple[tuple[str, Dim], ...] = (),
) -> Program:
    """The program that computes `results` from the variables, by way of `lets`, in the order given.

    One result gives a tensor of the shape of its indices, several give a tuple. Raises Unsupported where the
    expression holds something that torch cannot say (a derivative that was not carried out, for one), and
    ShapeError where a dimension is in the shape of no variable.
    """
    if not results:
        raise FormulaError("a program needs at least one result")
    scope = Scope.of(variables)
    function_name = scope.unique(name)
    used = _used(lets, results)
    statements: list[Statement] = []
    known: dict[str, Callable[[tuple[Expr, ...]], Expr]] = {}
    for let in lets:
        if let.name in scope.tensors:
            raise ShapeError(f"the name {let.name!r} is taken; every definition needs a name of its own")
        if let.name not in used:
            continue
        code = _lower(scope, let, known, copy=False)
        text = scope.unique(let.name)
        scope.tensors[let.name] = Tensor(atom(text), tuple(i.dim for i in let.indices))
        known[let.name] = let.at
        statements.append(Statement(text, code))
    codes = [_lower(scope, result, known, copy=True) for result in results]
    source = write_function(function_name, variables, scope, statements, codes, doc)
    return Program(function_name, variables, source, len(results) > 1, classes)


def _used(lets: Sequence[Let], results: Sequence[Let]) -> set[str]:
    """The names that the results need."""
    used: set[str] = set()
    for let in (*results, *reversed(lets)):
        if let in results or let.name in used:
            used |= {str(a.base.label) for a in let.value.atoms(sympy.Indexed)}
            used |= {s.name for s in let.value.free_symbols if not isinstance(s, Index)}
            used |= {h.base for h in let.value.atoms(HeadValue)}
    return used


def _lower(
    scope: Scope, let: Let, known: Mapping[str, Callable[[tuple[Expr, ...]], Expr]], *, copy: bool
) -> Code:
    """The code of one definition, with the axes of its indices; `copy` where it must not be an input."""
    value = sympy.sympify(let.value)
    _check(scope, let, value)
    lowering = Lowering(scope, let.indices)
    lowered = lowering.real(with_kinks(stable(value), known))
    return _finish(lowering, lowered, let.indices, copy=copy)


def _check(scope: Scope, let: Let, value: Expr) -> None:
    for node in preorder_traversal(value):
        if isinstance(node, REFUSED):
            raise Unsupported(
                f"{type(node).__name__} in {let.name}: {node}", "carry the derivative out first"
            )
        if isinstance(node, Index):
            scope.require(node.dim)
    for index in let.indices:
        scope.require(index.dim)
    if len(set(let.indices)) != len(let.indices):
        raise ShapeError(f"{let.name} has an index twice: {', '.join(map(str, let.indices))}")
    loose = {i for i in value.free_symbols if isinstance(i, Index) and i not in let.indices}
    if loose:
        names = ", ".join(sorted(str(i) for i in loose))
        raise ShapeError(f"index {names} of {let.name} is neither summed nor one of its own")


def _finish(lowering: Lowering, value: Value, indices: Sequence[Index], *, copy: bool) -> Code:
    if value.kind == "number":
        return lowering.constant(value.code, [lowering.size(i.dim) for i in indices])
    missing = len(value.axes) < len(indices)
    value = lowering.spread(value, indices)
    if missing:
        return call("{0}.contiguous()", value.code)
    # A view of an input would change with it.
    return call("{0}.clone()", value.code) if copy and is_view(value.code) else value.code


# ── calling ─────────────────────────────────────────────────────────────────────────────────────────


def _compiled(source: str, name: str) -> Callable[..., Any]:
    file = f"<derive {name} {zlib.crc32(source.encode()):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope: dict[str, Any] = {}
    exec(compile(source, file, "exec"), scope)  # noqa: S102 — our own emitted source, nothing from outside
    return scope[name]  # type: ignore[no-any-return]


def _size(dim: Expr) -> int | str | None:
    if dim.is_Integer:
        return int(dim)
    return dim.name if dim.is_Symbol else None


def _checked(plan: Sequence[Row], values: list[Any]) -> tuple[list[Any], dict[str, int]]:
    """The values as tensors of the shapes that the plan gives, and the sizes of its dimensions."""
    import torch

    like = next((v for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()), None)
    sizes: dict[str, tuple[int, str]] = {}
    for k, (name, dims, integer) in enumerate(plan):
        value = values[k]
        if not isinstance(value, torch.Tensor):
            kind = torch.int64 if integer else torch.get_default_dtype() if like is None else like.dtype
            values[k] = value = torch.as_tensor(
                value, dtype=kind, device=None if like is None else like.device
            )
        if integer:
            if value.is_floating_point():
                raise TypeError(f"{name} holds integers, not {value.dtype}")
            values[k] = value = value.long()
        elif not value.is_floating_point():
            raise TypeError(f"{name} holds real numbers, not {value.dtype}; pass {name}.to(torch.float64)")
        if value.ndim != len(dims):
            raise ShapeError(
                f"{name} is {_tuple(dims)}, of {len(dims)} axes; not a tensor of shape {_tuple(value.shape)}"
            )
        for place, dim in enumerate(dims):
            size = value.shape[place]
            if isinstance(dim, int) and size != dim:
                raise ShapeError(f"{name} is {_tuple(dims)} but its shape is {_tuple(value.shape)}")
            if isinstance(dim, str):
                known, owner = sizes.setdefault(dim, (size, name))
                if size != known:
                    other = next(k for k, row in enumerate(plan) if row[0] == owner)
                    raise ShapeError(
                        f"{owner} is {_tuple(plan[other][1])} = {_tuple(values[other].shape)} but "
                        f"{name} is {_tuple(dims)} = {_tuple(value.shape)}"
                    )
    return values, {dim: size for dim, (size, _) in sizes.items()}


def _check_range(name: str, value: Any, size: int | None) -> None:
    """Refuse a position outside of its axis, as -100 among classes: it would count as none of them.

    A tensor on a device is not waited for, nor one that torch.compile traces.
    """
    import torch

    if torch.compiler.is_compiling() or size is None or not value.numel() or value.device.type != "cpu":
        return
    least, largest = (int(v) for v in torch.aminmax(value))
    if least < 0 or largest >= size:
        wrong = least if least < 0 else largest
        raise IndexError(
            f"{name} holds {wrong}, which is no position in 0 … {size - 1}; to leave such entries out of a "
            "loss, give them a number of your own and say so when it is derived: ignore_index=-1"
        )


def _tuple(items: Sequence[Any]) -> str:
    texts = ["?" if item is None else str(item) for item in items]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
