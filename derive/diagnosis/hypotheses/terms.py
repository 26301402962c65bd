"""Terms: the derivative is a sum over the places where a value is used; which of them are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, is_real
from derive.diagnosis.verdict import Mistake

__all__ = ["fitted", "term_mistakes", "weighted"]

Use = tuple[int, int, Call]  # the call's place, the argument's, and the call
MOST = 6  # uses of one value
CLOSE = 1e-6  # how near the weighted terms come to the candidate, as a part of the largest entry


def term_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """For the variable, and for every value that is used several times: the weights of its terms."""
    if any(c.name in ("maximum", "minimum") for c in evidence.calls):
        return  # where the two are equal, each term has half a weight by convention
    for uses in _used_often(evidence.calls):
        weights = _weights(evidence, uses)
        if weights is not None and any(w != 1 for w in weights):
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


def _weights(evidence: Evidence, uses: Sequence[Use]) -> list[Fraction] | None:
    """The simple fractions w with candidate = Σ w_k term_k at every look; None where there are none."""
    import torch

    columns: list[list[Any]] = [[] for _ in uses]
    target = []
    for x in evidence.looks:
        if not bool(torch.isfinite(x.theirs).all()):
            continue
        scale = float(x.truth.abs().max()) or 1.0
        for k, use in enumerate(uses):
            try:
                columns[k].append(_alone(evidence, x, uses, use).reshape(-1) / scale)
            except (RuntimeError, IndexError, TypeError):
                return None
        target.append(x.theirs.reshape(-1) / scale)
    if not target:
        return None
    matrix = torch.stack([torch.cat(c) for c in columns], dim=1)
    return fitted(matrix.tolist(), torch.cat(target).tolist())


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


def _alone(evidence: Evidence, x: Look, uses: Sequence[Use], kept: Use) -> Any:
    """The term of one use: the value is held constant in all others."""
    edits: dict[int, Callable[[Call], Any]] = {}
    held: dict[int, list[int]] = {}
    for place, k, _ in uses:
        if (place, k) != kept[:2]:
            held.setdefault(place, []).append(k)
    for place, arguments in held.items():
        edits[place] = partial(_with_held, arguments)
    return evidence.derivative(x, edits)


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
