"""The tensors that a function brings along: a module's parameters and buffers, and those it closes over.

model = nn.Sequential(nn.Linear(3, 2))          0_weight, 0_bias      dots become underscores
lambda x: lin(x).sum()                          lin_weight, lin_bias  the module's own name goes in front
lambda x: (W @ x).sum()                         W                     a parameter or what requires a gradient
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sympy import And, Eq, Integer, Or, S, false

from derive.errors import Unsupported
from derive.expr.tree import Delta, Node, Num, add, mul
from derive.read.arrays import Array, Positions
from derive.read.sizes import exact

__all__ = [
    "INPUT",
    "WRITTEN_OUT",
    "author_function",
    "captured_tensors",
    "constant",
    "function_of",
    "is_module",
    "is_tensor",
    "kind_of",
    "parameter_name",
    "printed_name",
]

WRITTEN_OUT = 16  # entries of a constant tensor that are written into the formula


def is_module(item: Any) -> bool:
    """Whether it is an nn.Module."""
    return hasattr(item, "named_parameters") and hasattr(item, "forward") and not isinstance(item, type)


def is_tensor(item: Any) -> bool:
    """Whether it is a real tensor of torch, not a traced one."""
    import torch

    return issubclass(type(item), torch._C.TensorBase)


def kind_of(item: Any) -> str:
    """real, int or bool, by the dtype of a real tensor."""
    return "real" if item.is_floating_point() else "bool" if str(item.dtype) == "torch.bool" else "int"


def parameter_name(path: str) -> str:
    """The variable's name for a parameter's path: `net.0.weight` is net_0_weight."""
    return re.sub(r"\W+", "_", path).strip("_")


INPUT = "input"  # what torch calls the argument of a layer

# A part of a parameter's name, and the letter that people write: of a matrix, of a normalisation's vector.
LETTERS = {"weight": ("W", "gamma"), "bias": ("b", "beta")}


def printed_name(name: str, ranks: Mapping[str, int]) -> str:
    """The name in print of an input or a parameter, by the ranks of all: x, W_layer, gamma_norm; or none.

    >>> printed_name("layer_weight", {"layer_weight": 2}), printed_name("norm_bias", {"norm_weight": 1})
    ('W_layer', 'beta_norm')
    """
    if name == INPUT:
        return "x"
    parts = name.split("_")
    role = next((p for p in parts if p in LETTERS), None)
    if role is None:
        return ""
    sibling = ranks.get("_".join("weight" if p == role else p for p in parts), 2)
    letter = LETTERS[role][sibling < 2]
    return "_".join([letter, *(p for p in parts if p != role)])


def function_of(f: Any) -> types.FunctionType | None:
    """The function that the author wrote: also of a method, of a partial, and a module's forward."""
    if is_module(f):
        return function_of(type(f).forward)
    if isinstance(f, functools.partial):
        return function_of(f.func)
    f = getattr(f, "__wrapped__", f)
    f = getattr(f, "__func__", f)
    if not isinstance(f, types.FunctionType):
        f = vars(type(f)).get("__call__")
    return f if isinstance(f, types.FunctionType) else None


def captured_tensors(f: Any) -> dict[str, Any]:
    """Every tensor that the function could meet without being handed it and that is a variable, by its name.

    A module's own parameters and buffers keep their path as a name; those of modules in the closure or among
    the globals that the function mentions get the module's name in front. Other tensors are variables where
    they require a gradient, and constants elsewhere.
    """
    found: dict[str, Any] = {}
    for prefix, item in _reachable(f, "", set()):
        inside = _named_tensors(item) if is_module(item) else {"": item}
        for path, tensor in inside.items():
            if is_module(item) or tensor.requires_grad:
                found.setdefault(parameter_name(_joined(prefix, path)), tensor)
    return found


def _named_tensors(module: Any) -> dict[str, Any]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _reachable(item: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:  # noqa: C901  (a row a kind)
    """The modules and tensors that an object leads to, each with the name that it goes by."""
    if id(item) in seen:
        return
    seen.add(id(item))
    if is_tensor(item) or is_module(item):
        yield prefix, item
    elif isinstance(item, Mapping):
        for key, part in item.items():
            if isinstance(key, str | int) and _may_hold(part):
                yield from _reachable(part, _joined(prefix, str(key)), seen)
    elif isinstance(item, list | tuple):
        for k, part in enumerate(item):
            if _may_hold(part):
                yield from _reachable(part, _joined(prefix, str(k)), seen)
    elif isinstance(item, functools.partial):
        yield from _reachable(item.func, prefix, seen)
    elif isinstance(item, types.MethodType):
        owner = item.__self__
        yield from _reachable(owner if is_module(owner) else getattr(owner, "__dict__", {}), "", seen)
        yield from _reachable(item.__func__, "", seen)
    elif isinstance(item, types.FunctionType):
        for name, part in _mentioned(item):
            if _may_hold(part):
                yield from _reachable(part, "" if isinstance(part, types.FunctionType) else name, seen)


def _joined(prefix: str, name: str) -> str:
    return ".".join(part for part in (prefix, name) if part)


def _may_hold(item: Any) -> bool:
    """Whether tensors are looked for inside: not in torch's own functions, nor in long lists."""
    if isinstance(item, types.FunctionType):
        return not (item.__module__ or "").startswith("torch")
    if isinstance(item, list | tuple | Mapping):
        return len(item) <= 1000
    return is_tensor(item) or is_module(item) or isinstance(item, functools.partial | types.MethodType)


def _mentioned(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The closure's variables and the globals that a function, or one written inside it, mentions."""
    function = getattr(function, "__wrapped__", function)
    if not isinstance(function, types.FunctionType):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a variable that is not bound yet
            continue
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


# ── constants ───────────────────────────────────────────────────────────────────────────────────────


def constant(tensor: Any) -> Array:
    """A plain tensor as a constant of the formula: a number, an identity, or a few entries written out.

    Raises Unsupported for a tensor with more entries than a person would write out.
    """
    from torch import float64

    tensor = tensor.detach().cpu()
    if tensor.is_complex():
        raise Unsupported("a complex tensor", "write its real and its imaginary part")
    kind = kind_of(tensor)
    dims = tuple(Integer(n) for n in tensor.shape)
    entries = tensor.to(float64).reshape(-1).tolist() if kind == "real" else tensor.reshape(-1).tolist()
    if entries and all(e == entries[0] for e in entries) and kind != "bool":
        number = Num(exact(entries[0]))
        return Array(dims, lambda at: number, str(number.number), kind)
    if kind == "real" and len(dims) == 2 and dims[0] == dims[1] and _is_identity(entries, len(tensor)):
        return Array(dims, lambda at: _delta(at, at[1:]), "the identity", kind)
    if not 0 < len(entries) <= WRITTEN_OUT:
        raise Unsupported(
            f"a constant tensor of shape {tuple(tensor.shape)} inside the function", "pass it as an argument"
        )
    places = [tuple(Integer(int(k)) for k in place) for place in _places(tuple(tensor.shape))]
    known = dict(zip(places, entries, strict=True))

    def at(positions: Positions) -> Any:
        if positions in known:
            return _entry(known[positions], kind)
        here = [
            (place, e)
            for place, e in known.items()
            if all(not p.is_Integer or p == q for p, q in zip(positions, place, strict=True))
        ]
        if kind == "bool":
            return Or(*(And(*map(Eq, positions, place)) for place, e in here if e)) if here else false
        return add(*(mul(_entry(e, kind), _delta(positions, place)) for place, e in here if e))

    return Array(dims, at, "a constant", kind)


def _entry(entry: Any, kind: str) -> Any:
    return S(bool(entry)) if kind == "bool" else Num(exact(entry))


def _delta(positions: Positions, place: Positions) -> Node:
    pairs = zip(positions, place, strict=False)
    return mul(*(Delta(p, q) for p, q in pairs if p != q))


def _is_identity(entries: Sequence[float], size: int) -> bool:
    return all(entry == (k % (size + 1) == 0) for k, entry in enumerate(entries))


def _places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, shape))


# ── the author's own function, for the referees ─────────────────────────────────────────────────────


def author_function(f: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any] | None:
    """The function of the variables in this order that runs the author's own code, if it can be had.

    Parameters of modules are put in by torch.func.functional_call. A tensor of the closure that belongs to no
    module cannot be replaced, nor can an argument be given by name to a function of torch itself.
    """
    import torch

    try:
        arguments = inspect.signature(getattr(f, "forward", f)).parameters
    except (TypeError, ValueError):
        return None
    modules = [(prefix, item) for prefix, item in _reachable(f, "", set()) if is_module(item)]
    paths: dict[str, str] = {}
    for k, (prefix, module) in enumerate(modules):
        for path in _named_tensors(module):
            paths.setdefault(parameter_name(_joined(prefix, path)), f"m{k}.{path}")
    if any(n not in arguments and n not in paths for n in names):
        return None

    class Held(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for k, (_, module) in enumerate(modules):
                self.add_module(f"m{k}", module)

        def forward(self, **given: Any) -> Any:
            return f(**given)

    def run(*tensors: Any) -> Any:
        values = dict(zip(names, tensors, strict=True))
        own = {paths[n]: values.pop(n) for n in names if n not in arguments}
        return torch.func.functional_call(Held(), own, (), values)

    return run
