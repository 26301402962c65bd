"""The steps, one by one: what stands before a step equals what stands after it, at random points.

A step is checked as an equation between two trees. A derivative that has not been carried out is a
difference quotient of the definitions, so the rules of differentiation are judged and not repeated. In a
local stage the intermediates are free names with values of their own; in a combination they are functions
of the variables.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from derive.errors import DeriveError
from derive.expr.equation import Stage
from derive.expr.functions import NamedFunction
from derive.expr.indices import Index
from derive.expr.problem import Problem, Variable, reference
from derive.expr.tree import Call, Diff, DiffValue, Entry, Head, Node, Sym, value, walk
from derive.numeric.evaluate import Evaluator
from derive.verification.evaluation import compiled
from derive.verification.functions import OutsideDomain
from derive.verification.points import Local, Point, Whole, derivative_at, positions
from derive.verification.samples import DOMAINS, Sample, both_signs, draw_values
from derive.verification.sizes import seeded

if TYPE_CHECKING:  # what is judged is handed in, never imported
    from derive.calculus import Derived, Lemma

__all__ = [
    "Failure",
    "StepsResult",
    "adjoints_of",
    "agrees",
    "check_lemma",
    "check_stage",
    "check_steps",
    "lemmas_of",
    "name_of",
    "of_definition",
]

RELATIVE, ABSOLUTE = 1e-20, 1e-26  # the difference quotients at 50 digits are good to 1e-30
LEMMA_SCALES = (1.0, 0.1, 3.0, 1.0)

Side = Callable[[Point, dict[Any, int]], Any]
Labelled = tuple[Point, str]
Adjoints = Mapping[str, tuple[str, str]]  # the adjoint's name → what is differentiated, and by which name


@dataclass(frozen=True)
class Failure:
    """An equation that does not hold: which one, where it was looked at, and its two sides."""

    equation: str
    where: str
    before: float
    after: float


@dataclass(frozen=True)
class StepsResult:
    """How many steps and lemmas were looked at, at how many points; what fails, and what was not seen."""

    steps: int
    lemmas: int
    points: int
    failures: tuple[Failure, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equation:
    """Two sides that must be equal, and the indices that both are entries in."""

    label: str
    before: Side
    after: Side
    indices: tuple[Index, ...]
    looks: int = 6


def check_steps(derived: Derived, samples: Sequence[Sample], seed: int = 0) -> StepsResult:
    """Every step of every stage of a derivation, and of every lemma that it rests on."""
    adjoints = adjoints_of(derived)
    stages = [
        check_stage(of_definition(stage, derived), derived.problem, samples, seed, adjoints)
        for stage in derived.all_stages
    ]
    lemmas = [check_lemma(lemma, seed) for lemma in lemmas_of(derived)]
    return StepsResult(
        sum(r.steps for r in stages),
        len(lemmas),
        sum(r.points for r in (*stages, *lemmas)),
        (*_unfounded(derived), *(f for r in (*stages, *lemmas) for f in r.failures)),
        tuple(u for r in (*stages, *lemmas) for u in r.unknown),
    )


def of_definition(stage: Stage, derived: Derived) -> Stage:
    """A second derivative, shown as ∂²l/∂x∂y, as the derivative of the gradient defined on the way."""
    target = stage.target
    if not isinstance(target, Diff) or not isinstance(target.body, Diff):
        return stage
    name = next(name for name, kind, _ in derived.generated if kind == "gradient")
    rank = len(derived.problem.dims(name))
    plain = Diff(reference(name, stage.indices[:rank]), target.wrt)
    steps = tuple(replace(s, before=plain) if s.before == target else s for s in stage.steps)
    start = plain if stage.start == target else stage.start
    return replace(stage, target=plain, start=start, steps=steps)


def check_stage(
    stage: Stage, problem: Problem, samples: Sequence[Sample], seed: int = 0, adjoints: Adjoints | None = None
) -> StepsResult:
    """The equations of one stage at every sample; `adjoints` says what the names of adjoints stand for."""
    local = _is_local(stage, problem)
    points = [(_local(s, stage, problem, seed) if local else s.point(problem), s.label) for s in samples]
    return _check(stage, list(equations(stage, problem, adjoints or {})), points, seed)


@lru_cache(maxsize=512)
def check_lemma(lemma: Lemma, seed: int = 0) -> StepsResult:
    """The equations of a lemma, at several values of its parameters; kept, as lemmas are shared."""
    parameters = [p.name for p in lemma.function.definition.variables]
    problem = Problem(tuple(Variable(p) for p in parameters), (), ())
    failures: StepsResult | None = None
    for domain in DOMAINS:
        rng = seeded("lemma", seed, lemma.function)
        domains = dict.fromkeys(parameters, domain)
        drawn = [draw_values(problem, {}, rng, scale, domains) for scale in LEMMA_SCALES]
        if domain == "normal":
            both_signs(drawn, parameters, rng)
        points = [(Point(problem, {}, values), f"{values}") for values in drawn]
        result = _check(lemma.stage, list(equations(lemma.stage, problem, {})), points, seed)
        failures = failures or result
        if not result.unknown:
            return result
    assert failures is not None
    return failures


def _unfounded(derived: Derived) -> Iterator[Failure]:
    """The generated definitions that are not the result of any stage."""
    results = {(stage.indices, stage.result) for stage in derived.all_stages}
    for name, kind, of in derived.generated:
        definition = derived.problem.definition(name)
        if (definition.indices, definition.body) not in results:
            yield Failure(f"{name} as the {kind} of {of}: no stage ends in it", "", math.nan, math.nan)


def adjoints_of(derived: Derived) -> dict[str, tuple[str, str]]:
    """What each named adjoint stands for: the output, and the intermediate it is differentiated by."""
    order = [d.name for d in derived.problem.definitions]
    found = {}
    for name, kind, of in derived.generated:
        if kind == "adjoint":
            # Of two derivatives, the adjoints of the first come before the definition of its result.
            later = [
                g for g in derived.generated if g[1] != "adjoint" and order.index(g[0]) > order.index(name)
            ]
            found[name] = (later[0][2] if later else derived.output, of)
    return found


def lemmas_of(derived: Derived) -> tuple[Lemma, ...]:
    """The lemmas that the steps rest on, with those that these rest on in turn."""
    found: dict[NamedFunction, Lemma] = {}
    waiting = list(derived.lemmas)
    while waiting:
        lemma = waiting.pop(0)
        if lemma.function not in found:
            found[lemma.function] = lemma
            waiting += lemma.lemmas
    return tuple(found.values())


# ── the equations of a stage ────────────────────────────────────────────────────────────────────────


def equations(stage: Stage, problem: Problem, adjoints: Adjoints) -> Iterator[Equation]:
    """What a stage claims: its start, every step and fact, and its result against SymPy's derivative."""
    target = _target(stage, problem, adjoints)
    if stage.start != stage.target:
        yield _equation("what is derived", target, _side(stage.start), stage.target, stage.start)
    previous = stage.start
    for k, step in enumerate(stage.steps, 1):
        label = f"step {k} ({', '.join(step.rules)})"
        before = target if step.before == stage.target else _side(step.before)
        yield _equation(label, before, _side(step.after), step.before, step.after)
        if step.before != previous:
            yield _equation(
                f"from step {k - 1} to {k}", _side(previous), _side(step.before), previous, step.before
            )
        previous = step.after
        for given in step.given:
            yield Equation(
                f"{label} rests on {given}", _side_of(1), _side_of(_is_declared(given, problem)), ()
            )
    if _is_local(stage, problem) and not _has_head(stage.start):
        by_sympy, result = _by_sympy(stage, problem), _side(stage.result)
        claim = _equation("SymPy's derivative", by_sympy, result, stage.target, stage.result)
        yield replace(claim, looks=2)


def _equation(label: str, before: Side, after: Side, *nodes: Node) -> Equation:
    free = {i for node in nodes for i in compiled(node).free if isinstance(i, Index)}
    return Equation(label, before, after, tuple(sorted(free, key=lambda i: (i.name, i.uid))))


def _side(node: Node) -> Side:
    return lambda point, env: point.value(node, env)


def _side_of(known: int) -> Side:
    return lambda _point, _env: known


def _has_head(node: Node) -> bool:
    """Whether a function of a whole matrix occurs, of whose entries SymPy knows no derivative."""
    return any(isinstance(part, Head) for part in walk(node))


def _target(stage: Stage, problem: Problem, adjoints: Adjoints) -> Side:
    """The target: a partial derivative of a definition in a local stage, the whole derivative elsewhere."""
    target = stage.target
    if isinstance(target, (Entry, Sym)) and _name(target) in adjoints:
        return _adjoint(target, problem, *adjoints[_name(target)])
    if _is_local(stage, problem) or (isinstance(target, Diff) and isinstance(target.body, Call)):
        return _side(target)
    return lambda point, env: Whole(point).value(target, env)


def _adjoint(target: Entry | Sym, problem: Problem, output: str, name: str) -> Side:
    """An adjoint: the derivative of the output by an intermediate, through everything that follows it."""
    rank = len(problem.dims(output))

    def derivative(point: Point, env: dict[Any, int]) -> Any:
        _, at = _place(target, point, env)
        return derivative_at(point, lambda p: p.entry(output, at[:rank]), [{(name, at[rank:]): 1}])

    return derivative


def _by_sympy(stage: Stage, problem: Problem) -> Side:
    """SymPy's own derivative of the definition with all its sums written out."""
    assert isinstance(stage.start, Diff)
    unexecuted = DiffValue(value(stage.start.body), value(stage.start.wrt))
    name = _name(stage.target.body)  # type: ignore[attr-defined]
    used = set(problem.parents(name))
    known = (*(v.name for v in problem.variables), *(d.name for d in problem.definitions if d.name in used))

    def derivative(point: Point, env: dict[Any, int]) -> Any:
        evaluator = point.memo.get("evaluator")
        if evaluator is None:
            tables = {n: point.table(n) for n in known}
            evaluator = point.memo["evaluator"] = Evaluator(tables, point.sizes, point.digits)
        return point.ctx.mpf(evaluator(unexecuted, env))

    return derivative


def _is_declared(given: str, problem: Problem) -> int:
    """1 where the fact, such as "y: sum=1", was declared of the variable."""
    name, _, fact = given.partition(": ")
    return int(any(v.name == name and fact in v.facts for v in problem.variables))


def _is_local(stage: Stage, problem: Problem) -> bool:
    """Whether the stage differentiates one definition by a name that it uses."""
    if not isinstance(stage.target, Diff) or not isinstance(stage.start, Diff) or stage.start == stage.target:
        return False
    body = stage.target.body
    return isinstance(body, (Entry, Sym)) and problem.is_defined(_name(body))


def _local(sample: Sample, stage: Stage, problem: Problem, seed: int) -> Point:
    """The point with the names that the definition uses moved, as far as its domain allows."""
    name = _name(stage.target.body)  # type: ignore[attr-defined]
    base = sample.point(problem)
    # The inverse belongs to its matrix: neither can be moved without the other.
    point = Local(base, name, seed, spread=0) if _has_head(stage.start) else Local(base, name, seed)
    try:
        point.table(name)
    except OutsideDomain:
        return Local(base, name, seed, spread=0)
    return point


def _name(node: Any) -> str:
    return node.base if isinstance(node, Entry) else node.symbol.name  # type: ignore[no-any-return]


def _place(node: Any, point: Point, env: dict[Any, int]) -> tuple[str, tuple[int, ...]]:
    return _name(node), tuple(int(point.value(a, env)) for a in getattr(node, "at", ()))


# ── looking at them ─────────────────────────────────────────────────────────────────────────────────


def _check(stage: Stage, claims: Sequence[Equation], points: Sequence[Labelled], seed: int) -> StepsResult:
    title, looked = name_of(stage.target), 0
    failures: list[Failure] = []
    unknown: list[str] = []
    for claim in claims:
        rng = seeded("steps", seed, claim.label)
        try:
            for where, before, after in _sides(claim, points, rng):
                looked += 1
                if not agrees(before, after):
                    failures.append(Failure(f"{title}, {claim.label}", where, float(before), float(after)))
                    break
        except DeriveError as error:
            unknown.append(f"{title}, {claim.label}: {error}")
    return StepsResult(len(stage.steps), 0, looked, tuple(failures), tuple(unknown))


def _sides(claim: Equation, points: Sequence[Labelled], rng: random.Random) -> Iterator[tuple[str, Any, Any]]:
    """The two sides wherever they are looked at."""
    for point, label in points:
        for at in positions(claim.indices, point, rng, 2 * claim.looks, claim.looks):
            env: dict[Any, int] = dict(zip(claim.indices, at, strict=True))
            entry = ", ".join(f"{i} = {k + 1}" for i, k in env.items())
            where = "; ".join(part for part in (entry, label) if part)
            yield where, claim.before(point, env), claim.after(point, env)


def agrees(a: Any, b: Any) -> bool:
    """Whether two numbers in high precision are equal, but for the error of the difference quotients."""
    return bool(abs(a - b) <= RELATIVE * max(abs(a), abs(b)) + ABSOLUTE)


def name_of(target: Node) -> str:
    """A short name of what is derived: ∂l/∂W, sigmoid'(x), or the name of an adjoint."""
    match target:
        case Diff(Call(fn), wrt):
            return f"{fn}'({_name(wrt)})"
        case Diff(Entry() | Sym() as body, wrt):
            return f"∂{_name(body)}/∂{_name(wrt)}"
        case Entry() | Sym():
            return _name(target)
    return "the product with the tangent"
