"""From a call of a torch function to its row in the vocabulary: what may pass, and on which arrays.

A function without a row that torch itself writes in Python (multi_head_attention_forward) is run by its
own body.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from derive.errors import DeriveError, ShapeError, Unsupported
from derive.read.arrays import Array
from derive.read.captured import constant, is_tensor
from derive.read.refusals import INNER, REFUSED, Refused, is_idle_dropout, refuse
from derive.read.registry import COMPOSITES, STAGES
from derive.read.traced import METHODS, OPERATOR_NAMES, OPERATORS, Shape, Trace, Traced

__all__ = ["call", "changed", "op_name", "unchanged"]

# What leaves a value out of the gradient: one that depends on nothing that is asked for is as it was.
DETACHING = frozenset({"detach", "detach_", "data"})


def changed(old: Traced, new: Traced) -> Traced:
    """The new value of a tensor that is changed in place."""
    line = old.tape.observe()
    if old.op in ("input", "parameter"):
        raise Unsupported(
            f"a change of the argument {old.name} in place", "write y = x + … with a new name", line=line
        )
    if new.raw.dims != old.raw.dims:
        raise ShapeError(f"a change in place (line {line}) keeps the shape: {old.array} became {new.array}")
    for memory in old.memory:
        memory.changed = line
    return new


def unchanged(value: Traced, line: int) -> None:
    """Refuse a tensor whose memory was changed through another name."""
    changes = [memory.changed for memory in value.memory if memory.changed is not None]
    if changes:
        what = f"a tensor that was changed in place (line {changes[0]}) and is used under another name"
        raise Unsupported(what, "write h = h + b in place of h += b", line=line)


def call(trace: Trace, func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """The traced result of a torch function: the row of the vocabulary of that name, on arrays."""
    name = func if isinstance(func, str) else op_name(func)
    inputs = tuple(dict.fromkeys(traced_in((args, kwargs))))
    if name == "_is_all_true":
        return True  # torch.distributions checks its arguments: they are taken to be right
    if is_idle_dropout(name, args, kwargs):
        return args[0] if args else kwargs["input"]
    line = trace.observe()
    if name in DETACHING and not trace.is_asked(_leaves((args, kwargs))):
        return args[0]
    row = trace.ops.get(name)
    _check(trace, func, name, inputs, args, kwargs, line)
    args, kwargs, in_place = _without_inplace(func, args, kwargs)
    try:
        if row is None:
            result = _own_body(trace, func, name, args, kwargs, line)
        elif name in COMPOSITES:
            args = [trace.parameter(a) if trace.brings(a) else a for a in args]
            kwargs = {k: trace.parameter(a) if trace.brings(a) else a for k, a in kwargs.items()}
            result = row(trace, *args, **kwargs)
        else:
            result = _from_row(trace, row, name, args, kwargs)
    except Unsupported as error:
        if error.line or not line:
            raise
        what = error.op if name in error.op else f"{name}: {error.op}"
        raise Unsupported(what, error.hint, line=line) from None
    except DeriveError as error:
        if "(line " in str(error):
            raise
        raise ShapeError(f"{name}{f' (line {line})' if line else ''}: {error}{_advice(trace)}") from None
    except (TypeError, LookupError, ValueError, AttributeError) as error:
        if row is None:
            raise
        raise Unsupported(f"{name} with these arguments ({error})", line=line) from error
    return changed(inputs[0], result) if in_place else result


def _from_row(trace: Trace, row: Any, name: str, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What a row makes of the arrays; the stages that it names are values before its result."""
    kwargs = _in_torch(row, kwargs)
    given = [arrays(a, trace) for a in args], {k: arrays(v, trace) for k, v in kwargs.items()}
    leaves = _leaves((args, kwargs))
    inputs = dict.fromkeys(a if type(a) is Traced else trace.parameters.get(id(a)) for a in leaves)
    used = [v for v in inputs if v is not None]

    def named(array: Array, names: tuple[str, ...]) -> Array:
        stage = trace.add(array, "stage", used)
        stage.preferred = names
        used.append(stage)
        return stage.array

    token = STAGES.set(named)
    try:
        found = row(*given[0], **given[1])
    finally:
        STAGES.reset(token)
    return _wrapped(trace, found, name, tuple(used))


# numpy's names of arguments, which torch takes too.
NUMPY = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def _in_torch(row: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by torch's names, where the row has that name and not numpy's."""
    names = _names_of(row)
    return {NUMPY[k] if k not in names and NUMPY.get(k) in names else k: v for k, v in kwargs.items()}


@lru_cache(maxsize=1024)
def _names_of(row: Any) -> frozenset[str]:
    return frozenset(inspect.signature(row).parameters)


def _check(
    trace: Trace,
    func: Any,
    name: str,
    inputs: Sequence[Traced],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    line: int,
) -> None:
    """Refuse what would be answered wrongly."""
    import torch

    if name in INNER and not isinstance(func, types.FunctionType | str):
        raise Unsupported(f"torch.{name}", f"write torch.nn.functional.{name}", line=line)
    refuse(name, kwargs, line)
    if not torch.is_grad_enabled() and trace.is_asked(_leaves((args, kwargs))):
        hint = "torch's gradient leaves it out; pass that value as an argument of its own"
        raise Unsupported("torch.no_grad inside the function", hint, line=line)
    if any(isinstance(a, torch.dtype) and a.is_complex for a in (*args, *kwargs.values())):
        raise Unsupported(f"{name} to complex numbers", "derive works over the reals", line=line)
    for value in inputs:
        unchanged(value, line)
    for leaf in _leaves((args, kwargs)):
        if isinstance(leaf, Refused):
            raise Unsupported(leaf.what, leaf.hint, line=line)


def _advice(trace: Trace) -> str:
    if not trace.parameters and not trace.captured:
        return ""
    return "; the sizes of a module's parameters are numbers: write that number in shapes"


def _without_inplace(
    func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], bool]:
    """The arguments without `inplace`, and whether it was asked for."""
    kwargs = dict(kwargs)
    asked = bool(kwargs.pop("inplace", False))
    code = getattr(func, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    if "inplace" in names and len(args) > names.index("inplace"):
        place = names.index("inplace")
        return (*args[:place], *args[place + 1 :]), kwargs, bool(args[place])
    return args, kwargs, asked


def _own_body(trace: Trace, func: Any, name: str, args: Any, kwargs: Mapping[str, Any], line: int) -> Any:
    """A torch function without a row, run by its own Python body, where it has one."""
    import torch

    if isinstance(func, str):
        func = getattr(torch.Tensor, name, None)
    if not isinstance(func, types.FunctionType) or func in trace.running:
        from derive.read.ops import hint

        raise Unsupported(f"torch's {name}", hint(name), line=line)
    trace.running.append(func)
    try:
        with trace.watched():
            return _blind(func)(*args, **kwargs)
    except AssertionError as error:
        raise ShapeError(f"{name}{f' (line {line})' if line else ''}: {error}{_advice(trace)}") from None
    finally:
        trace.running.pop()


@lru_cache(maxsize=256)
def _blind(func: types.FunctionType) -> types.FunctionType:
    """The torch function without its first question, whether an argument overrides it."""
    never = {f"has_torch_function{kind}": lambda *_: False for kind in ("", "_unary", "_variadic")}
    blind = types.FunctionType(
        func.__code__, {**func.__globals__, **never}, func.__name__, func.__defaults__, func.__closure__
    )
    blind.__kwdefaults__ = func.__kwdefaults__
    return blind


def op_name(func: Any) -> str:
    """The bare name of a torch function: torch.nn.functional.softmax and Tensor.softmax are softmax."""
    name = getattr(func, "__name__", str(func)).removesuffix(".default")  # of torch.ops.aten
    if name in METHODS and hasattr(func, "__objclass__"):
        return METHODS[name]
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    if name.startswith("__") and name.endswith("__") and name not in REFUSED:
        bare = name.strip("_")
        if bare.startswith("i") and bare[1:] in OPERATORS:
            return name
        flipped = bare.startswith("r") and bare[1:] in OPERATORS
        bare = bare[1:] if flipped else bare
        bare = OPERATOR_NAMES.get(bare, bare)
        return f"r{bare}" if flipped else bare
    return name


def arrays(argument: Any, trace: Trace) -> Any:
    """The argument with every traced tensor as its array, and every parameter of a module as its variable."""
    if type(argument) is Traced:
        return argument.array
    if isinstance(argument, list | tuple) and not isinstance(argument, Shape):
        parts = [arrays(a, trace) for a in argument]
        return tuple(parts) if isinstance(argument, tuple) else parts
    if trace.brings(argument):
        return trace.parameter(argument).array
    return constant(argument) if is_tensor(argument) else argument


def traced_in(tree: Any) -> Iterator[Traced]:
    """Every traced tensor in nested arguments."""
    return (item for item in _leaves(tree) if type(item) is Traced)


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, Mapping):
        for item in tree.values():
            yield from _leaves(item)
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from _leaves(item)
    else:
        yield tree


def _wrapped(trace: Trace, result: Any, op: str, inputs: tuple[Traced, ...]) -> Any:
    if isinstance(result, Array):
        return trace.add(result, op, inputs)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_wrapped(trace, r, op, inputs) for r in result))
    if isinstance(result, list | tuple):
        return type(result)(_wrapped(trace, r, op, inputs) for r in result)
    return result
