"""A torch function to a Problem: it is run once on traced tensors, and its own names become the intermediates.

    def loss(W, x, t):
        z = x @ W.T
        return F.cross_entropy(z, t)            z becomes a named intermediate

The function is run twice, at two sets of made-up sizes: where the two disagree, a size has become a plain
number on the way, and the trace is refused rather than right for one size only.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sympy import Expr

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.heads import HEADS
from derive.expr.indices import Dim, fresh
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Bracket, Node, Sigma, value, walk
from derive.read.arrays import tensor
from derive.read.facts import read_facts
from derive.read.names import free_name, name_indices
from derive.read.shapes import Shapes, read_shapes
from derive.read.sizes import symbolic_math
from derive.read.traced import Refused, Trace, Traced, call

__all__ = ["read_torch"]

PRIMES = ((11, 13, 17, 19, 23, 29, 31, 37, 41, 43), (47, 53, 59, 61, 67, 71, 73, 79, 83, 89))


def read_torch(
    f: Callable[..., Any],
    shapes: Shapes | None = None,
    *,
    assume: Mapping[str, str | Sequence[str]] | None = None,
    integer: Collection[str] = (),
    boolean: Collection[str] = (),
) -> Problem:
    """Trace a torch function (or an nn.Module) of tensors of these shapes.

    Every argument without a default needs a shape ("" for a scalar); a function of **inputs is handed all that
    have one. Parameters of modules become variables of their own, named as in the module. `integer` and
    `boolean` name the inputs of these dtypes; a boolean one is an integer variable, true where it is not 0.
    Raises Unsupported with the op and the line where something has no
    row in the vocabulary, and for control flow on values, in-place changes and randomness.
    """
    dims = read_shapes(shapes)
    kinds = {**dict.fromkeys(integer, "int"), **dict.fromkeys(boolean, "bool")}
    problem = _run(f, dims, kinds, PRIMES[0])
    if any(d.free_symbols for shape in dims.values() for d in shape):
        _compare(problem, _run(f, dims, kinds, PRIMES[1]))
    facts = read_facts(assume, {v.name: v.dims for v in problem.variables})
    variables = tuple(
        Variable(v.name, v.dims, v.integer, facts.get(v.name, ())) for v in problem.variables
    )
    return Problem(variables, problem.definitions, problem.outputs, source=problem.source)


def _run(
    f: Callable[..., Any], dims: dict[str, tuple[Dim, ...]], kinds: Mapping[str, str], primes: Sequence[int]
) -> Problem:
    from derive.read.ops import OPS

    named = sorted({s for shape in dims.values() for d in shape for s in d.free_symbols}, key=str)
    if len(named) > len(primes):
        raise ShapeError(f"{len(named)} named dimensions are more than the {len(primes)} that a trace can hold")
    code = getattr(getattr(f, "__wrapped__", f), "__code__", None) or getattr(type(f).forward, "__code__", None) \
        if hasattr(f, "forward") or hasattr(f, "__code__") else None
    trace = Trace(code.co_filename if code else "", dict(zip(named, primes)), ops=OPS)
    inputs = {name: trace.add(tensor(name, shape, kinds.get(name, "real")), "input", name=name)
              for name, shape in dims.items()}
    arguments = _arguments(f, inputs)
    parameters = _parameters(f, trace, inputs)
    locals_: dict[int, str] = {}
    with _watched(trace, code, locals_), symbolic_math():
        result = f(**arguments)
    return _problem(trace, {**inputs, **parameters}, result, locals_)


def _arguments(f: Callable[..., Any], inputs: Mapping[str, Traced]) -> dict[str, Traced]:
    """The traced arguments by name."""
    signature = inspect.signature(f.forward if hasattr(f, "forward") else f)
    arguments = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments |= {n: traced for n, traced in inputs.items() if n not in signature.parameters}
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in inputs:
            arguments[name] = inputs[name]
        elif parameter.default is parameter.empty:
            raise ShapeError(f"the argument {name!r} has no shape; add it to shapes, such as {name!r}: \"n\" (or \"\" for a scalar)")
    unused = [name for name in inputs if name not in arguments]
    if unused:
        raise ShapeError(f"shapes names {unused[0]!r}, which is no argument; the arguments are {', '.join(signature.parameters)}")
    return arguments


def _parameters(f: Any, trace: Trace, inputs: Mapping[str, Traced]) -> dict[str, Traced]:
    """The parameters of a module as variables, with the sizes they have."""
    if not hasattr(f, "named_parameters"):
        return {}
    found = {}
    for name, parameter in [*f.named_parameters(), *f.named_buffers()]:
        if not parameter.is_floating_point():
            continue
        from sympy import Integer

        known = free_name((name.replace(".", "_"),), {*inputs, *found})
        shape = tuple(Integer(n) for n in parameter.shape)
        found[known] = trace.add(tensor(known, shape), "parameter", name=known)
        trace.parameters[id(parameter)] = found[known]
    return found


@contextmanager
def _watched(trace: Trace, code: Any, names: dict[int, str]) -> Iterator[None]:
    """Torch's factory functions reach the vocabulary too, and the author's local names are noted."""
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            from derive.read.ops import is_factory, is_random

            if is_random(func):
                raise Unsupported(f"the random {func.__name__}", "pass the noise as an argument")
            if is_factory(func):
                return call(trace, func, args, kwargs or {})
            return func(*args, **(kwargs or {}))

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            for name, item in frame.f_locals.items():
                if isinstance(item, Traced):
                    names.setdefault(id(item), name)

    import torch

    # arange alone takes no size in its argument parser.
    arange, torch.arange = torch.arange, lambda *args, **kwargs: call(trace, "arange", args, kwargs)
    plain, torch.Tensor = torch.Tensor, _tensor_for_isinstance(torch.Tensor)  # type: ignore[misc]
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with Mode():
            yield
    finally:
        sys.setprofile(before if callable(before) else None)  # a profiler written in C cannot be set again
        torch.arange = arange
        torch.Tensor = plain  # type: ignore[misc]


def _tensor_for_isinstance(tensor: Any) -> Any:
    """The class of tensors, which traced ones are instances of in Python.

    A traced tensor must not claim so itself: torch's own code would believe it, and read memory it has not.
    """

    class Meta(type(tensor)):  # type: ignore[misc]
        def __instancecheck__(cls, item: Any) -> bool:
            return isinstance(item, tensor | Traced | Refused)

    class Tensor(tensor, metaclass=Meta):  # type: ignore[misc]
        """torch.Tensor while a function is traced."""

    return Tensor


def _problem(trace: Trace, inputs: Mapping[str, Traced], result: Any, locals_: Mapping[int, str]) -> Problem:
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    for output in outputs:
        if not isinstance(output, Traced):
            raise FormulaError(f"the function returns {type(output).__name__}; it must return a tensor, or several")
    dims = {s.name for v in inputs.values() for d in v.raw.dims for s in d.free_symbols}
    taken = {*inputs, *dims}
    _name_values(trace, outputs, locals_, taken)
    names = []
    for output in outputs:
        if not output.name or output.op in ("input", "parameter"):
            output = trace.add(output.array, "output", (output,))
            output.name = free_name(("f", "g", "h", "F"), taken)
            taken.add(output.name)
        names.append(output.name)
    used = _needed([v for v in trace.values if v.name in names])
    definitions = tuple(
        name_indices(_definition(v), taken) for v in trace.values
        if v.name and v.op not in ("input", "parameter") and id(v) in used
    )
    variables = tuple(Variable(n, v.raw.dims, v.raw.kind != "real") for n, v in inputs.items())
    return Problem(variables, definitions, tuple(dict.fromkeys(names)))


def _name_values(trace: Trace, outputs: Sequence[Traced], locals_: Mapping[int, str], taken: set[str]) -> None:
    """Names: the author's own first, then letters for what is heavy and used by something that is not linear."""
    users: dict[int, list[Traced]] = {}
    for v in trace.values:
        for i in v.inputs:
            users.setdefault(id(i), []).append(v)
    for v in trace.values:
        if v.name or v.raw.kind != "real" or v.op in ("input", "parameter"):
            continue
        wanted = locals_.get(id(v))
        if wanted is None:
            continue
        v.name = free_name((wanted,), taken)
        taken.add(v.name)
    for v in trace.values:
        if v.forced and not v.name:
            own = f"{v.inputs[0].name}_{HEAD_NAMES[v.op]}" if v.op in HEADS else "M"
            v.name = free_name((own, f"{own}_1"), taken)
            taken.add(v.name)
    for v in trace.values:
        if v.name or v.raw.kind != "real" or any(v is o for o in outputs):
            continue
        heavy = v.op in NAMED_OPS or (_has_sum(v) and any(u.op not in LINEAR_OPS for u in users.get(id(v), [])))
        shared = len(users.get(id(v), [])) > 1 and v.op not in ("input",) and _has_sum(v)
        if heavy or shared:
            v.name = free_name(NAMED_OPS.get(v.op, ("u", "v", "q", "r")), taken)
            taken.add(v.name)


# Operations whose result gets a name of its own, and the names they prefer.
NAMED_OPS: dict[str, tuple[str, ...]] = {
    "softmax": ("s", "p"),
}

HEAD_NAMES = {
    "inverse": "inv",
    "pinv": "pinv",
    "det": "det",
    "logabsdet": "logdet",
    "eigenvalues": "lambda",
    "eigenvectors": "V",
    "singular values": "sigma",
    "left singular vectors": "U",
    "right singular vectors": "V",
}

# Operations that keep a sum as easy to differentiate as it was.
LINEAR_OPS = {
    "add", "sub", "mul", "div", "neg", "sum", "mean", "rsub", "getitem", "T", "mT", "transpose", "t", "view",
    "reshape", "unsqueeze", "squeeze", "trace", "output", "pow", "square", "permute", "expand", "flatten",
}


def _has_sum(v: Traced) -> bool:
    entry = v.raw.at(tuple(fresh("i", d) for d in v.raw.dims))
    return isinstance(entry, Node) and any(isinstance(part, Sigma) for part in walk(entry))


def _needed(outputs: Sequence[Traced]) -> set[int]:
    """The values that the outputs depend on."""
    found: set[int] = set()
    waiting = list(outputs)
    while waiting:
        v = waiting.pop()
        if id(v) not in found:
            found.add(id(v))
            waiting.extend(v.inputs)
    return found


def _definition(v: Traced) -> Definition:
    indices = tuple(fresh("i", d) for d in v.raw.dims)
    body = v.raw.at(indices)
    if not isinstance(body, Node):
        body = Bracket(body)
    return Definition(v.name, indices, body)


def _compare(first: Problem, second: Problem) -> None:
    """Refuse a trace that depends on the made-up sizes."""
    if len(first.definitions) != len(second.definitions):
        raise Unsupported("a function whose operations depend on the sizes", "give that dimension as a number")
    for a, b in zip(first.definitions, second.definitions, strict=True):
        same: dict[Any, Expr] = dict(zip(b.indices, a.indices, strict=False))
        if value(a.body) != value(b.body).xreplace(same):
            raise Unsupported(
                f"a size used as a plain number in {a.name}",
                "give that dimension as a number in shapes, or keep the size: x.shape[0], math.sqrt(x.shape[0])",
            )


