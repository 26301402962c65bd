"""Terms: the derivative is a sum over the places where a value is used; which of them are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.hypotheses.factors import named_factor, names_at
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, is_real
from derive.diagnosis.verdict import Mistake

__all__ = ["fitted", "several_term_mistakes", "term_mistakes", "weighted"]

Use = tuple[int, int, Call]  # the call's place, the argument's, and the call
MOST = 6  # uses of one value
SYSTEMS = 3  # looks at which a factor of sizes is seen
CLOSE = 1e-6  # how near the weighted terms come to the candidate, as a part of the largest entry


def term_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One term of a value that is used often is missing, doubled or halved, or has the wrong sign."""
    yield from _found(evidence, evidence.calls, _is_simple)


def several_term_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The weights of several terms are wrong, or of terms inside of composites, or by a factor of sizes."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        told = list(_found(evidence, calls, bool, opened=opened))
        yield from told
        if told:
            return
    for uses in _used_often(evidence.calls):
        factors = _factors(evidence, uses)
        if factors is not None and any(f != "1" for f in factors):
            says = [
                f"the term through {call.operand(k)} in {call} is there {f} times"
                for (_, k, call), f in zip(uses, factors, strict=True)
                if f != "1"
            ]
            yield Mistake("factor of a term", "; ".join(says), "the weights hold at every sample")
            return


def _is_simple(weights: Sequence[Fraction]) -> bool:
    off = [w for w in weights if w != 1]
    return sorted(weights) == [0, 2] or (len(off) == 1 and off[0] in SIMPLE)


SIMPLE = (0, -1, 2, Fraction(1, 2))


def _found(
    evidence: Evidence,
    calls: Sequence[Call],
    is_told: Callable[[Sequence[Fraction]], bool],
    *,
    opened: bool = False,
) -> Iterator[Mistake]:
    if any(c.name in ("maximum", "minimum") for c in evidence.calls):
        return  # where the two are equal, each term has half a weight by convention
    for uses in _used_often(calls):
        weights = _weights(evidence, uses, opened=opened)
        if weights is not None and any(w != 1 for w in weights) and is_told(weights):
            yield _told(uses, weights)
            return


def _used_often(calls: Sequence[Call]) -> Iterator[list[Use]]:
    """The uses of each value that depends on the variable and is used more than once."""
    found: dict[int, list[Use]] = {}
    for call in calls:
        for k, argument in enumerate(call.args):
            if is_real(argument) and argument.requires_grad:
                found.setdefault(id(argument), []).append((call.place, k, call))
    yield from (uses for uses in found.values() if 1 < len(uses) <= MOST)


def _weights(evidence: Evidence, uses: Sequence[Use], *, opened: bool = False) -> list[Fraction] | None:
    """The simple fractions w with candidate = Σ w_k term_k at every look; None where there are none."""
    import torch

    systems = [s for x in evidence.looks if (s := _system(evidence, uses, x, opened=opened)) is not None]
    if not systems:
        return None
    matrix, target = (torch.cat(part) for part in zip(*systems, strict=True))
    return fitted(matrix.tolist(), target.tolist())


def _system(evidence: Evidence, uses: Sequence[Use], x: Look, *, opened: bool = False) -> Any:
    """The terms as columns and the candidate beside them, at one look; None where it has no value."""
    import torch

    if not bool(torch.isfinite(x.theirs).all()):
        return None
    scale = float(x.truth.abs().max()) or 1.0
    columns = [_alone(evidence, x, uses, use, opened=opened).reshape(-1) / scale for use in uses]
    return torch.stack(columns, dim=1), x.theirs.reshape(-1) / scale


def _factors(evidence: Evidence, uses: Sequence[Use]) -> list[str] | None:
    """The weights as factors with names: sizes, scalars of the function; None where there are none."""
    import torch

    rows: list[list[tuple[float, Any]]] = [[] for _ in uses]
    for x in evidence.looks:
        system = _system(evidence, uses, x)
        if system is None or not bool(torch.isfinite(system[0]).all()):
            continue
        matrix, target = system
        if int(torch.linalg.matrix_rank(matrix, rtol=1e-9)) < len(uses) or len(target) <= len(uses):
            continue  # of so few entries anything is a sum of the terms
        solution = torch.linalg.lstsq(matrix, target[:, None], driver="gelsd").solution[:, 0]
        if float((matrix @ solution - target).abs().max()) > CLOSE:
            return None
        for row, weight in zip(rows, solution.tolist(), strict=True):
            row.append((weight, names_at(evidence, x)))
    if len(rows[0]) < SYSTEMS:
        return None
    named = [named_factor(row) for row in rows]
    return None if None in named else [f for f in named if f is not None]


def fitted(rows: Sequence[Sequence[float]], target: Sequence[float]) -> list[Fraction] | None:
    """The simple fractions w with target = Σ_k w_k column_k; None where there are none, or many."""
    import torch

    matrix = torch.tensor(rows, dtype=torch.float64)
    wanted = torch.tensor(target, dtype=torch.float64)
    if not bool(torch.isfinite(matrix).all() and torch.isfinite(wanted).all()) or len(rows) < len(rows[0]):
        return None
    if int(torch.linalg.matrix_rank(matrix, rtol=1e-9)) < matrix.shape[1]:
        return None  # terms that are multiples of each other have no weights of their own
    solution = torch.linalg.lstsq(matrix, wanted[:, None], driver="gelsd").solution[:, 0]
    weights = [Fraction(float(w)).limit_denominator(8) for w in solution]
    given = torch.tensor([float(w) for w in weights], dtype=torch.float64)
    return weights if float((matrix @ given - wanted).abs().max()) <= CLOSE else None


def _alone(evidence: Evidence, x: Look, uses: Sequence[Use], kept: Use, *, opened: bool = False) -> Any:
    """The term of one use: the value is held constant in all others."""
    edits: dict[int, Callable[[Call], Any]] = {}
    held: dict[int, list[int]] = {}
    for place, k, _ in uses:
        if (place, k) != kept[:2]:
            held.setdefault(place, []).append(k)
    for place, arguments in held.items():
        edits[place] = partial(_with_held, arguments)
    return evidence.derivative(x, edits, opened=opened)


def _with_held(arguments: Sequence[int], call: Call) -> Any:
    args = [a.detach() if k in arguments else a for k, a in enumerate(call.args)]
    return call.func(*args, **call.kwargs)


def _told(uses: Sequence[Use], weights: Sequence[Fraction]) -> Mistake:
    """What the weights say."""
    says = []
    for (_, k, call), weight in zip(uses, weights, strict=True):
        if weight != 1:
            says.append(f"the term through {call.operand(k)} in {call} {weighted(weight)}")
    name = "missing term" if 0 in weights else "sign of a term" if -1 in weights else "factor of a term"
    if sorted(weights) == [0, 2]:
        name = "one term doubled in place of another"
        says.append("that is right where the two are equal, as for symmetric or commuting matrices")
    return Mistake(name, "; ".join(says), "the weights hold at every sample")


def weighted(weight: Fraction) -> str:
    """How often a term is there, in words."""
    known = {Fraction(0): "is missing", Fraction(-1): "has the wrong sign", Fraction(2): "is there twice"}
    return known.get(weight, f"is there {weight} times")
