"""The traced tensor: torch's functions, operators, methods and modules accept it and build index notation.

Nothing is computed. Each operation becomes a `Traced` value with the entry function of its result; names are
given when the trace is done, to the author's own variables first.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from sympy import Integer

from derive.errors import ShapeError, Unsupported
from derive.expr.heads import HEADS
from derive.expr.problem import reference
from derive.expr.tree import Head
from derive.read.arrays import Array, Positions, tensor
from derive.read.captured import is_tensor, kind_of
from derive.read.refusals import JOINT_VIEWS, REFUSED, VIEWS, Refused, refuse
from derive.read.sizes import Size

__all__ = ["METHODS", "OPERATORS", "OPERATOR_NAMES", "Shape", "Trace", "Traced"]


@dataclass
class Trace:
    """One run of a function on traced tensors: the values in the order in which they came up.

    `function` is the author's, `captured` the tensors that it brings along, by name; `authored` holds
    the names of the author's local variables, by the value's identity; `running` are the torch functions that
    are run by their own body. `wrt` names the variables that are asked for; () where that is not known.
    """

    function: types.FunctionType | None = None
    sizes: Mapping[Any, int] = field(default_factory=dict)
    ops: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    captured: Mapping[str, Any] = field(default_factory=dict)
    wrt: Collection[str] = ()
    values: list[Traced] = field(default_factory=list)
    variables: dict[str, Traced] = field(default_factory=dict)
    parameters: dict[int, Traced] = field(default_factory=dict)
    heads: dict[Any, Traced] = field(default_factory=dict)
    authored: dict[int, tuple[int, str]] = field(default_factory=dict)
    watched: Callable[[], AbstractContextManager[Any]] = nullcontext
    running: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.code = self.function.__code__ if self.function else None
        self.file = self.code.co_filename if self.code else ""
        self.known = {id(item): name for name, item in self.captured.items()}
        self.held: list[Any] = []
        self.sequential = _sequential()

    def size(self, dim: Any) -> Any:
        """The dimension as the int that the author's code sees."""
        if dim.is_Integer:
            return int(dim)
        return Size(dim, int(dim.xreplace(dict(self.sizes))))

    def variable(self, name: str, dims: Sequence[Any], kind: str = "real", op: str = "input") -> Traced:
        """A new variable of the problem."""
        self.variables[name] = made = self.add(tensor(name, dims, kind), op, name=name)
        return made

    def brings(self, item: Any) -> bool:
        """Whether it is a real tensor that is a variable: of a module, or one that requires a gradient."""
        return is_tensor(item) and (
            id(item) in self.known or id(item) in self.parameters or item.requires_grad
        )

    def is_asked(self, items: Iterable[Any]) -> bool:
        """Whether one of the values depends on a variable that is asked for, as far as that is known."""
        stack = [self.parameter(i) if self.brings(i) else i for i in items]
        seen: set[int] = set()
        while stack:
            value = stack.pop()
            if type(value) is not Traced or id(value) in seen:
                continue
            seen.add(id(value))
            if value.op in ("input", "parameter") and (not self.wrt or value.name in self.wrt):
                return True
            stack.extend(value.inputs)
        return False

    def parameter(self, item: Any) -> Traced:
        """The variable that stands for a real tensor; c1, c2, … where it has no name."""
        if id(item) not in self.parameters:
            nameless = (f"c{k}" for k in count(1))
            numbered = (f"{self.known.get(id(item))}_{k}" for k in count(1))
            names = chain((self.known[id(item)],), numbered) if id(item) in self.known else nameless
            name = next(n for n in names if n not in self.variables)
            dims = tuple(Integer(n) for n in item.shape)
            made = self.variable(name, dims, kind_of(item), op="parameter")
            self.parameters[id(item)] = made
            self.held.append(item)
        return self.parameters[id(item)]

    def head(self, name: str, matrix: Traced) -> Traced:
        """A function of a whole matrix (see `expr.heads`): a definition of its own, and so is the matrix."""
        square, dims = "singular" not in name and name != "pinv", matrix.raw.dims
        if len(dims) < 2 or (square and dims[-2] != dims[-1]):
            raise ShapeError(f"{name} takes a {'square ' if square else ''}matrix, not {matrix.array}")
        if (name, id(matrix)) not in self.heads:
            row = HEADS[name]
            companions = [self.head(c, matrix) for c in row.companions]

            def at(positions: Positions) -> Head:
                others = tuple(c.name for c in companions)
                return Head(name, matrix.name, positions, found.name, others)

            found = self.add(Array(row.dims(dims), at), name, (matrix, *companions))
            found.forced = matrix.forced = True
            self.heads[name, id(matrix)] = found
        return self.heads[name, id(matrix)]

    def add(self, array: Array, op: str, inputs: Sequence[Traced] = (), name: str = "") -> Traced:
        """A new value."""
        value = Traced(self, array, op, tuple(inputs), name)
        if inputs and op in JOINT_VIEWS:
            value.memory = tuple(dict.fromkeys(m for v in inputs for m in v.memory))
        elif inputs and op in VIEWS:
            value.memory = inputs[0].memory
        self.observe()
        self.values.append(value)
        return value

    def call(self, func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """The traced result of a torch function."""
        from derive.read.dispatch import call

        return call(self, func, args, kwargs)

    def observe(self) -> int:
        """Note the author's local names, and give the line that is being run; 0 where none is known."""
        frame: Any = sys._getframe(1)
        line = 0
        while frame is not None and self.file:
            if self.is_authored(frame):
                if frame.f_code is not self.sequential:
                    line = line or frame.f_lineno
                self.note(frame)
                if frame.f_code is self.code:
                    return line
            frame = frame.f_back
        return line

    def is_authored(self, frame: Any) -> bool:
        """Whether names are taken from that call: of one in the author's module, or of nn.Sequential."""
        if frame.f_code is self.sequential:
            return True
        # Code that was made from text, dataclasses' methods among it, has one and the same file name.
        own = getattr(self.function, "__globals__", None)
        return frame.f_globals is own and frame.f_code.co_filename == self.file

    def note(self, frame: Any) -> None:
        """Keep the names of the traced values among a function's local variables; the outermost's win."""
        rank = 0 if frame.f_code is self.code else 1
        for name, item in frame.f_locals.items():
            if type(item) is Traced and self.authored.get(id(item), (2, ""))[0] > rank:
                self.authored[id(item)] = rank, "h" if frame.f_code is self.sequential else name


def _sequential() -> types.CodeType:
    from torch.nn import Sequential

    return Sequential.forward.__code__  # type: ignore[no-any-return]


@dataclass(eq=False)
class Memory:
    """What a tensor and its views share: the line at which it was changed in place."""

    changed: int | None = None


class Traced:
    """A tensor that is being traced: its entries, how it came up, and its name once it has one."""

    names = (None,)
    # What lies on the left of an operator, such as a number of numpy's, leaves the operation to the tensor.
    __array_ufunc__ = None

    def __init__(
        self, trace: Trace, array: Array, op: str, inputs: tuple[Traced, ...], name: str = ""
    ) -> None:
        self.tape, self.raw, self.op, self.inputs, self.name = trace, array, op, inputs, name
        self.memory: tuple[Memory, ...] = (Memory(),)
        self.preferred: tuple[str, ...] = ()  # names for a part of a row's work
        self.forced = False  # whether it must be a definition, for a function of the whole matrix
        self.whole = False  # whether its definition keeps its axes of size 1

    @property
    def array(self) -> Array:
        """The array of its entries: by name where it has one when the entry is asked for."""

        def at(positions: Positions) -> Any:
            if self.name and self.raw.kind != "bool":
                kept = tuple(positions[k] for k in self.axes)
                return reference(self.name, kept, integer=self.raw.kind == "int")
            return self.raw.at(positions)

        return Array(self.raw.dims, at, self.name or self.op, self.raw.kind)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that its definition has: an intermediate is written without its axes of size 1."""
        dims = self.raw.dims
        return tuple(
            k
            for k, d in enumerate(dims)
            if d != 1 or self.forced or self.whole or self.op in ("input", "parameter")
        )

    # ── what torch asks of a tensor ──

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from derive.read.dispatch import traced_in

        trace = next(traced_in((args, kwargs or {}))).tape
        return trace.call(func, args, kwargs or {})

    @property
    def shape(self) -> Any:
        """The sizes, as ints that know their dimensions."""
        return Shape(self.tape.size(d) for d in self.raw.dims)

    def size(self, dim: int | None = None) -> Any:
        """As torch.Tensor.size."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """As torch.Tensor.dim."""
        return len(self.raw.dims)

    ndim = property(dim)
    ndimension = dim

    def numel(self) -> Any:
        """As torch.Tensor.numel."""
        return self.shape.numel()

    nelement = numel

    def __len__(self) -> int:
        return int(self.shape[0])

    @property
    def dtype(self) -> Any:
        """The dtype in which people write the formula: the default float, int64 or bool."""
        import torch

        return {"real": torch.get_default_dtype(), "int": torch.int64, "bool": torch.bool}[self.raw.kind]

    @property
    def device(self) -> Any:
        """The cpu: a trace has no device."""
        import torch

        return torch.device("cpu")

    @property
    def layout(self) -> Any:
        """As of any dense tensor."""
        import torch

        return torch.strided

    def is_floating_point(self) -> bool:
        """As torch.Tensor.is_floating_point."""
        return self.raw.kind == "real"

    def is_complex(self) -> bool:
        """Never: derive works over the reals."""
        return False

    def is_contiguous(self, *_: Any, **__: Any) -> bool:
        """Always: a trace has no memory layout."""
        return True

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))  # type: ignore[index]

    def __getattr__(self, name: str) -> Any:
        import torch

        if name.startswith("__") or not hasattr(torch.Tensor, name):
            raise AttributeError(f"a tensor has no attribute {name!r}")
        if callable(getattr(torch.Tensor, name)):
            return Method(self, name)
        # Flags such as is_cuda and is_sparse; other properties are operations.
        return False if name.startswith("is_") else self.tape.call(name, (self,), {})

    def __repr__(self) -> str:
        return f"<traced {self.name or self.op} {tuple(map(str, self.raw.dims))}>"


class Shape(tuple):  # type: ignore[type-arg]
    """A tuple of sizes, with torch.Size's numel."""

    __slots__ = ()

    def numel(self) -> Any:
        """The product of the sizes."""
        total: Any = 1
        for n in self:
            total = total * n
        return total


@dataclass(frozen=True)
class Method:
    """A method of a traced tensor, such as x.sigmoid: called as the function of that name."""

    of: Traced
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.of.tape.call(METHODS.get(self.name, self.name), (self.of, *args), kwargs)


# Methods whose arguments come in another order than those of the function of that name.
METHODS = {"where": "Tensor.where"}


OPERATORS = "add sub mul truediv pow matmul mod floordiv and or xor".split()
OPERATOR_NAMES = {
    "truediv": "div",
    "mod": "remainder",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "invert": "bitwise_not",
    "pos": "positive",
}


def _operator(name: str, flipped: bool = False) -> Callable[..., Any]:
    def method(self: Traced, other: Any) -> Any:
        args = (other, self) if flipped else (self, other)
        return self.tape.call(OPERATOR_NAMES.get(name, name), args, {})

    return method


def _in_place(name: str) -> Callable[..., Any]:
    """h += b: the name is bound to the new value, and the old one may not be used under another name."""
    operator = _operator(name)

    def method(self: Traced, other: Any) -> Any:
        from derive.read.dispatch import changed

        return changed(self, operator(self, other))

    return method


def _refusal(name: str) -> Callable[..., Any]:
    def method(self: Traced, *_: Any) -> Any:
        refuse(name, {}, self.tape.observe())

    return method


def _asked(name: str, answer: Any) -> property:
    """What torch's own code may ask, but no formula can depend on: whether, and how, a gradient is kept."""

    def ask(self: Traced) -> Any:
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] in ("torch", "derive"):
            return answer
        hint = "write the function without it; wrt= says by what is differentiated"
        raise Unsupported(f"a question for .{name} of a tensor", hint, line=self.tape.observe())

    return property(ask)


for _name in OPERATORS:
    setattr(Traced, f"__{_name}__", _operator(_name))
    setattr(Traced, f"__r{_name}__", _operator(_name, True))
    setattr(Traced, f"__i{_name}__", _in_place(_name))
    setattr(Refused, f"__{_name}__", Refused.used)
    setattr(Refused, f"__r{_name}__", Refused.used)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Traced, f"__{_name}__", _operator(_name))
for _name in ("neg", "pos", "abs", "invert", "getitem"):
    _op = OPERATOR_NAMES.get(_name, _name)
    setattr(Traced, f"__{_name}__", lambda self, *a, _op=_op: self.tape.call(_op, (self, *a), {}))
for _name, _answer in {"requires_grad": False, "is_leaf": False, "grad_fn": None, "grad": None}.items():
    setattr(Traced, _name, _asked(_name, _answer))
for _name in REFUSED:
    if _name.startswith("__"):
        setattr(Traced, _name, _refusal(_name))
Traced.__hash__ = object.__hash__  # type: ignore[method-assign]
