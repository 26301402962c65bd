"""The question behind a verdict: the function as it stands in somebody's code, and what is known of it.

The function is run as it is, in float64. Where derive can read it, its definitions are there for high
precision; where it cannot, the verdict rests on autograd alone, and says so.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sympy import Basic, Integer

from derive.diagnosis.precision import in_one_precision
from derive.errors import DeriveError, FormulaError, ShapeError, Unsupported
from derive.expr.indices import Dim, dim
from derive.expr.problem import Problem, Variable
from derive.numeric import forward_of
from derive.read import author_function, read_question, read_shapes
from derive.read.captured import captured_tensors, kind_of
from derive.read.facts import read_facts

__all__ = ["Function", "SeveralOutputs", "named_in", "read_function"]

LETTERS = ("n", "m", "k", "p", "q", "h", "d", "b", "c", "r")

Inputs = Mapping[str, Any]


class SeveralOutputs(ShapeError):
    """The function has several results; `count` of them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"the function has {len(names)} results ({', '.join(names)}); check one of them at a time"
        )
        self.count = len(names)


@dataclass(frozen=True)
class Function:
    """The function that was asked about, of its variables by name.

    `problem` is None where derive cannot read it, for the `reason` given. `given` are the sizes of the
    dimensions that the user gave as numbers and that were found to be free; `like` the user's own tensors.
    """

    call: Callable[..., Any]
    variables: tuple[Variable, ...]
    problem: Problem | None
    reason: str = ""
    given: Mapping[str, int] = field(default_factory=dict)
    booleans: tuple[str, ...] = ()
    like: Mapping[str, Any] = field(default_factory=dict)
    signature: tuple[str, ...] = ()
    source: Any = None

    def __call__(self, inputs: Inputs) -> Any:
        """The function's value; a result with one entry is a scalar."""
        result = in_one_precision(lambda: self.call(*(inputs[v.name] for v in self.variables)))
        if isinstance(result, (tuple, list)):
            if len(result) != 1:
                raise FormulaError(f"the function returns {len(result)} results; check one of them at a time")
            result = result[0]
        return result

    @cached_property
    def drawn(self) -> Problem:
        """What samples are drawn for: the problem, or its variables alone."""
        return self.problem or Problem(self.variables, (), ())

    @property
    def reals(self) -> tuple[str, ...]:
        """The variables that can be differentiated by."""
        return tuple(v.name for v in self.variables if not v.integer)

    def variable(self, name: str) -> Variable:
        """The variable of that name; a ShapeError names those there are."""
        return self.drawn.variable(name)

    def with_facts(self, facts: Mapping[str, Sequence[str]]) -> Function:
        """The same function of variables of which more is known."""
        variables = tuple(
            replace(v, facts=tuple(dict.fromkeys((*v.facts, *facts.get(v.name, ()))))) for v in self.variables
        )
        problem = replace(self.problem, variables=variables) if self.problem else None
        return replace(self, variables=variables, problem=problem)


def read_function(f: Any, about: Mapping[str, Any]) -> Function:
    """The function asked about: torch code, a module, formula text, a SymPy expression, or a Problem.

    Raises what reading raises, but Unsupported: torch code that derive cannot read is run.
    """
    if isinstance(f, (Basic, Problem)):
        problem, _ = read_question(f, about.get("wrt") or (), _known(about))
        _one_output(problem)
        return Function(_program(problem), problem.variables, problem)
    if not (callable(f) or isinstance(f, str)):
        raise TypeError(f"of= is a {type(f).__name__}; give a torch function, a module or formula text")
    given = dict(about.get("like") or {})
    held = captured_tensors(f) if callable(f) else {}
    like = {**held, **given}
    about = {**about, "like": {n: t for n, t in given.items() if n not in held}}
    shapes = _shapes(about)
    for attempt in _freed(shapes):
        found = _read(f, attempt, about)
        if found is not None:
            return replace(found, given=attempt.given, like=like, source=f)
    raise AssertionError("the last attempt is the shapes as they were given")


@dataclass(frozen=True)
class _Attempt:
    """Shapes to read a function with; `given` are the sizes of the numbers that were given names."""

    shapes: Mapping[str, tuple[Dim, ...]]
    given: Mapping[str, int]
    last: bool = False


def _freed(shapes: Mapping[str, tuple[Dim, ...]]) -> Iterator[_Attempt]:
    """The shapes with numbers turned into names: each by itself, equal ones alike, fewer; then as they are.

    A formula that holds at the size of the example alone is no formula.
    """
    places = [(v, k) for v, dims in shapes.items() for k, d in enumerate(dims) if d.is_Integer]
    size = {(v, k): int(shapes[v][k]) for v, k in places}
    taken = {*shapes, *(str(d) for dims in shapes.values() for d in dims)}
    letters = [c for c in LETTERS if c not in taken]
    numbers = sorted(set(size.values()))
    if len(numbers) < len(places) <= len(letters):
        yield _named(shapes, size, dict(zip(places, letters, strict=False)))
    tried = [
        c for r in (len(numbers), len(numbers) - 1, 1) if r > 0 for c in itertools.combinations(numbers, r)
    ]
    for chosen in dict.fromkeys(tried):
        if len(chosen) <= len(letters):
            named = dict(zip(chosen, letters, strict=False))
            yield _named(shapes, size, {p: named[size[p]] for p in places if size[p] in named})
    yield _Attempt(shapes, {}, last=True)


Place = tuple[str, int]


def _named(
    shapes: Mapping[str, tuple[Dim, ...]], size: Mapping[Place, int], names: Mapping[Place, str]
) -> _Attempt:
    """The shapes with the numbers at some places turned into names."""
    new = {
        v: tuple(dim(names[v, k]) if (v, k) in names else d for k, d in enumerate(dims))
        for v, dims in shapes.items()
    }
    return _Attempt(new, {name: size[place] for place, name in names.items()})


def _read(f: Any, attempt: _Attempt, about: Mapping[str, Any]) -> Function | None:
    """The function read with these shapes; None where it holds at other sizes only."""
    shapes = {n: [str(d) for d in dims] for n, dims in attempt.shapes.items()}
    known = _known(about) | {"shapes": shapes or None}
    known.pop("like", None)
    known["dtypes"] = _dtypes(about)
    booleans = tuple(n for n, dtype in known["dtypes"].items() if "bool" in dtype)
    try:
        problem, _ = read_question(f, (), known)
    except Unsupported as error:
        if isinstance(f, str) and attempt.last:
            raise
        return _unread(f, attempt, about, str(error), booleans) if attempt.last else None
    except DeriveError:
        if attempt.last:
            raise
        return None
    _one_output(problem)
    run = known.get("reference") or _program(problem)
    return Function(run, problem.variables, problem, booleans=booleans, signature=_parameters(f))


def _unread(
    f: Any, attempt: _Attempt, about: Mapping[str, Any], reason: str, booleans: tuple[str, ...]
) -> Function:
    """A function that derive cannot read: it is run, and nothing more is known of it."""
    integer = {n for n, dtype in _dtypes(about).items() if "int" in dtype or "bool" in dtype}
    facts = read_facts(about.get("assume"), attempt.shapes)
    variables = [Variable(n, dims, n in integer, facts.get(n, ())) for n, dims in attempt.shapes.items()]
    known = {v.name for v in variables}
    for name, tensor in captured_tensors(f).items():
        if name not in known:
            variables.append(
                Variable(name, tuple(Integer(k) for k in tensor.shape), kind_of(tensor) != "real")
            )
    run = author_function(f, [v.name for v in variables])
    if run is None:
        variables = [v for v in variables if v.name in attempt.shapes]
        run = f
    return Function(run, tuple(variables), None, reason, booleans=booleans, signature=_parameters(f))


def _parameters(f: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(getattr(f, "forward", f)).parameters)
    except (TypeError, ValueError):
        return ()


def named_in(f: Any) -> tuple[str, ...]:
    """The names of a function's parameters, or those in a formula's text."""
    if isinstance(f, str):
        return tuple(n.id for n in ast.walk(ast.parse(f.strip())) if isinstance(n, ast.Name))
    return tuple(map(str, f.free_symbols)) if isinstance(f, Basic) else _parameters(f)


def _one_output(problem: Problem) -> None:
    if len(problem.outputs) != 1:
        raise SeveralOutputs(problem.outputs)


def _program(problem: Problem) -> Callable[..., Any]:
    return forward_of(problem).function


def _known(about: Mapping[str, Any]) -> dict[str, Any]:
    return {k: about[k] for k in ("shapes", "like", "dtypes", "assume") if about.get(k) is not None}


def _shapes(about: Mapping[str, Any]) -> dict[str, tuple[Dim, ...]]:
    """The shapes as they were given, and the sizes of example tensors for the rest."""
    shapes = read_shapes(about.get("shapes"))
    for name, tensor in (about.get("like") or {}).items():
        sizes = tuple(getattr(tensor, "shape", ()))
        if 0 in sizes:
            raise Unsupported(f"{name} of shape {sizes}", "a dimension has one entry or more")
        shapes.setdefault(name, tuple(Integer(k) for k in sizes))
    return shapes


def _dtypes(about: Mapping[str, Any]) -> dict[str, str]:
    dtypes = {n: str(getattr(t, "dtype", "")) for n, t in (about.get("like") or {}).items()}
    return dtypes | {n: str(dtype) for n, dtype in (about.get("dtypes") or {}).items()}
