"""The traced tensor: torch's functions, operators, methods and modules accept it and build index notation.

Nothing is computed. Each operation becomes a `Traced` value with the entry function of its result; names are
given when the trace is done, to the author's own variables first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.errors import DeriveError, ShapeError, Unsupported
from derive.expr.heads import HEADS
from derive.expr.problem import reference
from derive.expr.tree import Head
from derive.read.arrays import Array, Positions
from derive.read.registry import COMPOSITES
from derive.read.sizes import Size

__all__ = ["Refused", "Trace", "Traced", "call", "current_line"]


@dataclass
class Trace:
    """One run of a function on traced tensors: the values in the order in which they came up."""

    file: str = ""
    sizes: Mapping[Any, int] = field(default_factory=dict)
    values: list[Traced] = field(default_factory=list)
    parameters: dict[int, Traced] = field(default_factory=dict)
    ops: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    heads: dict[Any, Traced] = field(default_factory=dict)

    def size(self, dim: Any) -> Any:
        """The dimension as the int that the author's code sees."""
        if dim.is_Integer:
            return int(dim)
        return Size(dim, int(dim.xreplace(dict(self.sizes))))

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
        value.line = current_line(self.file)
        self.values.append(value)
        return value


class Traced:
    """A tensor that is being traced: the array of its entries, how it came up, and its name once it has one."""

    requires_grad = False
    is_cuda = is_sparse = is_quantized = is_nested = is_mkldnn = False
    names = (None,)
    grad = grad_fn = None

    def __init__(self, trace: Trace, array: Array, op: str, inputs: tuple[Traced, ...], name: str = "") -> None:
        self.trace, self.raw, self.op, self.inputs, self.name = trace, array, op, inputs, name
        self.line = 0
        self.forced = False

    @property
    def array(self) -> Array:
        """The array of its entries: by name where it has one when the entry is asked for."""

        def at(positions: Positions) -> Any:
            if self.name and self.raw.kind != "bool":
                return reference(self.name, positions, integer=self.raw.kind == "int")
            return self.raw.at(positions)

        return Array(self.raw.dims, at, self.name or self.op, self.raw.kind)

    # ── what torch asks of a tensor ──

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        trace = next(iter(traced_in((args, kwargs or {})))).trace
        return call(trace, func, args, kwargs or {})

    @property
    def shape(self) -> Any:
        """The sizes, as ints that know their dimensions."""
        return Shape(self.trace.size(d) for d in self.raw.dims)

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
        total: Any = 1
        for n in self.shape:
            total = total * n
        return total

    def __len__(self) -> int:
        return int(self.shape[0])

    @property
    def dtype(self) -> Any:
        """The dtype in which people write the formula: float64, int64 or bool."""
        import torch

        return {"real": torch.get_default_dtype(), "int": torch.int64, "bool": torch.bool}[self.raw.kind]

    @property
    def device(self) -> Any:
        """The cpu: a trace has no device."""
        import torch

        return torch.device("cpu")

    @property
    def layout(self) -> Any:
        """Dense: a trace has no sparse tensors."""
        import torch

        return torch.strided

    def is_floating_point(self) -> bool:
        """As torch.Tensor.is_floating_point."""
        return self.raw.kind == "real"

    def is_complex(self) -> bool:
        """Never: derive works over the reals."""
        return False

    def __bool__(self) -> bool:
        raise Unsupported(
            "control flow that depends on the values of a tensor",
            "write torch.where(condition, a, b)",
            line=current_line(self.trace.file),
        )

    __int__ = __float__ = __index__ = item = tolist = __array__ = __bool__  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in PROPERTIES:
            return call(self.trace, name, (self,), {})
        return Method(self, name)

    def __repr__(self) -> str:
        return f"<traced {self.name or self.op} {tuple(map(str, self.raw.dims))}>"


class Refused:
    """A part of a result that has no derivative: using it raises."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint

    def __getattr__(self, name: str) -> Any:
        raise Unsupported(self.what, self.hint)


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
        return call(self.of.trace, self.name, (self.of, *args), kwargs)


PROPERTIES = {"T", "mT", "H", "mH", "real", "data"}

OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "pow": "**",
    "matmul": "@",
    "mod": "%",
    "floordiv": "//",
    "and": "&",
    "or": "|",
    "xor": "^",
}


def _operator(name: str, flipped: bool) -> Callable[..., Any]:
    def method(self: Traced, other: Any) -> Any:
        args = (other, self) if flipped else (self, other)
        return call(self.trace, OPERATOR_NAMES.get(name, name), args, {})

    return method


OPERATOR_NAMES = {"truediv": "div", "mod": "remainder", "and": "logical_and", "or": "logical_or", "xor": "logical_xor"}

for _name in OPERATORS:
    setattr(Traced, f"__{_name}__", _operator(_name, False))
    setattr(Traced, f"__r{_name}__", _operator(_name, True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Traced, f"__{_name}__", _operator(_name, False))
for _name in ("neg", "abs", "invert", "getitem"):
    setattr(
        Traced,
        f"__{_name}__",
        lambda self, *a, _op={"invert": "logical_not"}.get(_name, _name): call(self.trace, _op, (self, *a), {}),
    )
Traced.__hash__ = object.__hash__  # type: ignore[method-assign]


def call(trace: Trace, func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """The traced result of a torch function: the row of the vocabulary of that name, on arrays."""
    name = func if isinstance(func, str) else op_name(func)
    if name.endswith("_") and not name.startswith("__") and name.rstrip("_") in trace.ops:
        raise Unsupported(
            f"the in-place {name}", f"write x = x.{name.rstrip('_')}(…)", line=current_line(trace.file)
        )
    if name not in trace.ops:
        from derive.read.ops import hint

        raise Unsupported(f"torch's {name}", hint(name), line=current_line(trace.file))
    inputs = tuple(dict.fromkeys(traced_in((args, kwargs))))
    if name in COMPOSITES:
        made = [trace.parameters.get(id(a), a) for a in args]
        return trace.ops[name](trace, *made, **kwargs)
    try:
        result = trace.ops[name](*[arrays(a, trace) for a in args], **{k: arrays(v, trace) for k, v in kwargs.items()})
    except Unsupported as error:
        if error.line:
            raise
        raise Unsupported(f"{name}: {error.op}", error.hint, line=current_line(trace.file)) from None
    except TypeError as error:
        raise Unsupported(f"{name} with these arguments ({error})", line=current_line(trace.file)) from None
    except DeriveError as error:
        where = current_line(trace.file)
        raise ShapeError(f"{name}{f' (line {where})' if where else ''}: {error}") from None
    return _wrapped(trace, result, name, inputs)


def op_name(func: Any) -> str:
    """The bare name of a torch function: torch.nn.functional.softmax and Tensor.softmax are softmax."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    if name.startswith("__") and name.endswith("__"):
        bare = name.strip("_")
        flipped = bare.startswith("r") and bare[1:] in OPERATORS
        bare = bare[1:] if flipped else bare
        bare = OPERATOR_NAMES.get(bare, bare)
        return f"r{bare}" if flipped else bare
    return name


def arrays(argument: Any, trace: Trace) -> Any:
    """The argument with every traced tensor as its array, and every parameter of a module as its variable."""
    if isinstance(argument, Traced):
        return argument.array
    if isinstance(argument, list | tuple) and not isinstance(argument, Shape):
        return type(argument)(arrays(a, trace) for a in argument)
    if id(argument) in trace.parameters:
        return trace.parameters[id(argument)].array
    if type(argument).__module__.startswith("torch") and hasattr(argument, "detach"):
        return constant(argument, trace)
    return argument


def constant(tensor: Any, trace: Trace) -> Any:
    """A real tensor that the function made or closed over: a number where it has one entry."""
    if tensor.numel() == 1 and tensor.dim() == 0:
        return tensor.item()
    raise Unsupported(
        f"a constant tensor of shape {tuple(tensor.shape)} inside the function",
        "pass it as an argument with a shape",
        line=current_line(trace.file),
    )


def traced_in(tree: Any) -> Iterator[Traced]:
    """Every traced tensor in nested arguments."""
    if isinstance(tree, Traced):
        yield tree
    elif isinstance(tree, Mapping):
        for item in tree.values():
            yield from traced_in(item)
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from traced_in(item)


def current_line(file: str) -> int:
    """The line of the author's file that is being run; 0 where none is known."""
    frame = sys._getframe()
    while frame is not None:  # type: ignore[redundant-expr]
        if frame.f_code.co_filename == file:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return 0


def _wrapped(trace: Trace, result: Any, op: str, inputs: tuple[Traced, ...]) -> Any:
    if isinstance(result, Array):
        return trace.add(result, op, inputs)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_wrapped(trace, r, op, inputs) for r in result))
    if isinstance(result, list | tuple):
        return type(result)(_wrapped(trace, r, op, inputs) for r in result)
    return result
