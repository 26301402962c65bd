"""A torch function to a Problem: run on traced tensors, its own names become the intermediates.

    def loss(W, x, t):
        z = x @ W.T
        return F.cross_entropy(z, t)            z becomes a named intermediate

The function is run twice, at two sets of made-up sizes: where the two disagree, a size has become a plain
number on the way, and the trace is refused rather than right for one size only.
"""

from __future__ import annotations

import inspect
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Expr, Integer

from derive.errors import DeriveError, FormulaError, ShapeError, Unsupported
from derive.expr.indices import Dim, fresh
from derive.expr.problem import Definition, Problem, Variable, names_in_conditions
from derive.expr.tree import Bracket, Head, Node, value
from derive.read.captured import INPUT, captured_tensors, function_of, is_module, printed_name
from derive.read.dispatch import unchanged
from derive.read.facts import read_facts
from derive.read.names import name_indices
from derive.read.naming import name_outputs, name_values, needed
from derive.read.refusals import BEYOND
from derive.read.shapes import Shapes, apart, read_shapes
from derive.read.traced import Trace, Traced

__all__ = ["read_torch"]

PRIMES = ((11, 13, 17, 19, 23, 29, 31, 37, 41, 43), (47, 53, 59, 61, 67, 71, 73, 79, 83, 89))

Dims = dict[str, tuple[Dim, ...]]


def read_torch(
    f: Callable[..., Any],
    shapes: Shapes | None = None,
    *,
    assume: Mapping[str, str | Sequence[str]] | None = None,
    integer: Collection[str] = (),
    boolean: Collection[str] = (),
    wrt: Collection[str] = (),
) -> Problem:
    """Trace a torch function (or an nn.Module) of tensors of these shapes.

    Every argument without a default needs a shape ("" for a scalar); one with a default is a variable only
    where it has a shape, and a function of **inputs is handed all that have one. Parameters and buffers of
    modules become variables of their own, named as in the module. `integer` and `boolean` name the inputs of
    these dtypes; a boolean one is an integer variable, true where it is not 0. Where `wrt` names what the
    function will be differentiated by, what is detached of anything else is as it was.

    Raises Unsupported with the op and the line where something has no row in the vocabulary, and for control
    flow on values, randomness, and changes in place; ShapeError where sizes do not fit.
    """
    dims = apart(read_shapes(shapes))
    kinds = {**dict.fromkeys(integer, "int"), **dict.fromkeys(boolean, "bool")}
    first = _run(f, dims, kinds, PRIMES[0], wrt)
    if any(d.free_symbols for shape in dims.values() for d in shape):
        _compare(first, _run(f, dims, kinds, PRIMES[1], wrt))
    facts = read_facts(assume, {v.name: v.dims for v in first.variables})
    variables = tuple(replace(v, facts=facts.get(v.name, ())) for v in first.variables)
    return Problem(variables, first.definitions, first.outputs, source=first.source)


def _run(
    f: Callable[..., Any], dims: Dims, kinds: Mapping[str, str], primes: Sequence[int], wrt: Collection[str]
) -> Problem:
    from derive.read.ops import OPS
    from derive.read.watch import watching

    named = sorted({s for shape in dims.values() for d in shape for s in d.free_symbols}, key=str)
    if len(named) > len(primes):
        raise ShapeError(
            f"{len(named)} named dimensions are more than the {len(primes)} that a trace can hold"
        )
    trace = Trace(function_of(f), dict(zip(named, primes, strict=False)), OPS, captured_tensors(f), wrt)
    for name, shape in dims.items():
        trace.variable(name, shape, kinds.get(name, "real"))
    arguments = _arguments(f, trace.variables)
    if is_module(f):
        for parameter in f.parameters():  # type: ignore[attr-defined]
            trace.parameter(parameter)
    with watching(trace):
        result = _result(f, arguments)
    return _problem(trace, result)


def _result(f: Callable[..., Any], arguments: inspect.BoundArguments) -> Any:
    """What the function returns for traced tensors; they are named wherever they may be."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, argument in arguments.arguments.items():
        kind = arguments.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            kwargs |= argument
        elif kind is inspect.Parameter.POSITIONAL_ONLY:
            args.append(argument)
        else:
            kwargs[name] = argument
    try:
        return f(*args, **kwargs)
    except DeriveError:
        raise
    except Exception as error:  # noqa: BLE001  (whatever torch raises where it wants a real tensor)
        raise (_beyond(error) or error) from error.__cause__


def _beyond(error: Exception) -> Unsupported | None:
    """What torch says of a traced tensor where it wants a real one; none for an error of the author's own."""
    frames = list(traceback.walk_tb(error.__traceback__))
    modules = [str(frame.f_globals.get("__name__", "")) for frame, _ in frames]
    if isinstance(error, TypeError) and "Size" in str(error):
        what = f"a size of the shapes as a number of that function ({error})"
        return Unsupported(what, "give that dimension as a number in shapes")
    inside = modules[-1].partition(".")[0] in ("torch", "derive") and modules[-1] != __name__
    if not inside and "Traced" not in str(error):
        return None
    own = ("torch", "derive", "contextlib", "functools")
    lines = [n for (_, n), m in zip(frames, modules, strict=True) if m.partition(".")[0] not in own]
    line = lines[-1] if lines else 0
    for prefix, (what, hint) in BEYOND.items():
        if any(m.startswith(prefix) for m in modules):
            return Unsupported(what, hint, line=line)
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return Unsupported(
        f"a function that takes nothing but tensors ({first})",
        "write it with torch's functions, or as a method of the tensor",
        line=line,
    )


def _arguments(f: Callable[..., Any], inputs: Mapping[str, Traced]) -> inspect.BoundArguments:
    """The traced arguments in their places."""
    try:
        signature = inspect.signature(f.forward if is_module(f) else f)  # type: ignore[attr-defined]
    except (TypeError, ValueError):  # a function of torch itself
        places = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in inputs]
        signature = inspect.Signature(places)
    bound = signature.bind_partial()
    free = dict(inputs)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            bound.arguments[name] = free
            free = {}
        elif name in free:
            bound.arguments[name] = free.pop(name)
        elif parameter.kind is not parameter.VAR_POSITIONAL and parameter.default is parameter.empty:
            raise ShapeError(
                f"the argument {name!r} has no shape; add it to shapes, "
                f'such as {name!r}: "n" (or "" for a scalar)'
            )
    if free:
        if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
            raise ShapeError(
                f"shapes names {next(iter(free))!r}, and *args has no names; give each argument a name"
            )
        known = ", ".join(signature.parameters) or "none"
        raise ShapeError(
            f"shapes names {next(iter(free))!r}, which is no argument; the arguments are {known}"
        )
    return bound


def _problem(trace: Trace, result: Any) -> Problem:
    outputs = _outputs(result)
    for output in outputs:
        output.whole = True
    dims = {s.name for v in trace.variables.values() for d in v.raw.dims for s in d.free_symbols}
    taken = {*trace.variables, *dims}
    name_values(trace, outputs, taken)
    names = name_outputs(trace, outputs, taken)
    used = needed([v for v in trace.values if v.name in names])
    definitions = tuple(
        name_indices(_definition(v), taken)
        for v in trace.values
        if v.name and v.op not in ("input", "parameter") and id(v) in used
    )
    definitions = _mentioned(definitions, names)
    mentioned = {n for d in definitions for n in _names_of(d)}
    shown = _shown(trace, {*taken, *names})
    variables = tuple(
        Variable(n, v.raw.dims, v.raw.kind != "real", shown=shown.get(n, ""))
        for n, v in trace.variables.items()
        if v.op == "input" or n in mentioned or _is_own(trace, v)
    )
    return Problem(variables, definitions, names)


def _shown(trace: Trace, taken: set[str]) -> dict[str, str]:
    """Names in print of a module's parameters, each where nothing else is called like it."""
    named = {n: v for n, v in trace.variables.items() if v.op == "parameter" or n == INPUT}
    parameters = {n: len(v.raw.dims) for n, v in named.items()}
    found = {n: printed_name(n, parameters) for n in parameters}
    often = Counter(found.values())
    return {n: shown for n, shown in found.items() if often[shown] == 1 and shown not in taken}


def _mentioned(definitions: Sequence[Definition], outputs: Sequence[str]) -> tuple[Definition, ...]:
    """The definitions that the outputs need."""
    wanted, kept = set(outputs), []
    for d in reversed(definitions):
        if d.name in wanted:
            kept.append(d)
            wanted |= _names_of(d)
    return tuple(reversed(kept))


def _names_of(d: Definition) -> set[str]:
    companions = d.body.companions if isinstance(d.body, Head) else ()
    return {*d.names, *names_in_conditions(d.body), *companions}


def _is_own(trace: Trace, v: Traced) -> bool:
    """Whether it is a parameter, which stays a variable even where it is not used; a buffer does not."""
    return any(trace.parameters.get(id(p)) is v and p.requires_grad for p in trace.held)


def _outputs(result: Any) -> list[Traced]:
    if isinstance(result, Mapping):
        result = list(result.values())
    found = list(result) if isinstance(result, list | tuple) else [result]
    for output in found:
        if type(output) is not Traced:
            what = (
                "a nested structure" if isinstance(output, list | tuple | Mapping) else type(output).__name__
            )
            hint = " that depends on no argument" if hasattr(output, "requires_grad") else ""
            raise FormulaError(f"the function returns {what}{hint}; it must return a tensor, or several")
        unchanged(output, 0)
    if not found:
        raise FormulaError("the function returns nothing; it must return a tensor, or several")
    return found


def _definition(v: Traced) -> Definition:
    indices = {k: fresh("i", v.raw.dims[k]) for k in v.axes}
    body = v.raw.at(tuple(indices.get(k, Integer(0)) for k in range(v.raw.rank)))
    if not isinstance(body, Node):
        body = Bracket(body)
    return Definition(v.name, tuple(indices.values()), body)


def _compare(first: Problem, second: Problem) -> None:
    """Refuse a trace that depends on the made-up sizes."""
    alike = [d.name for d in first.definitions] == [d.name for d in second.definitions]
    if not alike or first.outputs != second.outputs or first.variables != second.variables:
        raise Unsupported(
            "a function whose operations depend on the sizes", "give that dimension as a number"
        )
    for a, b in zip(first.definitions, second.definitions, strict=True):
        same: dict[Any, Expr] = dict(zip(b.indices, a.indices, strict=True))
        if a.dims != b.dims or value(a.body) != value(b.body).xreplace(same):
            raise Unsupported(
                f"a size used as a plain number in {a.name} (by int(n), or a loop over range(n))",
                "give that dimension as a number in shapes, or keep the size: x.shape[0], math.sqrt(n)",
            )
