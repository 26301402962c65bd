"""The verb `check`: a gradient that somebody wrote, beside the derivative that it should be.

v = derive.check(lambda x: x / 2, of=lambda x: (x**2).mean(), wrt="x", shapes={"x": "n"})
v.status · v.diagnosis · v.counterexample · v.mistakes · v.closed_form · print(v)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.derivation import OPERATORS
from derive.diagnosis import Verdict, examine
from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked
from derive.errors import DeriveError

__all__ = ["check"]

DTYPES = ("float64", "float32")


def check(
    candidate: Any,
    *,
    of: Any = None,
    wrt: str | Sequence[str] | None = None,
    shapes: Any = None,
    like: Mapping[str, Any] | None = None,
    dtypes: Mapping[str, Any] | None = None,
    assume: Mapping[str, str | Sequence[str]] | None = None,
    kind: str | None = None,
    order: int = 1,
    dtype: str = "float64",
    seed: int = 0,
    at: Mapping[str, Any] | None = None,
) -> Verdict:
    """Whether a candidate is the derivative of `of` with respect to `wrt`, and if not, how it is wrong.

    `candidate` is torch code of the same parameters (by name, any of them; or all in order), for a vjp with
    the upstream gradient first; a torch.autograd.Function (then `of` may be left out: its own forward);
    formula text; a SymPy expression; a Derivation; or a value, with the point `at={"x": …}`, in which a vjp
    has its upstream gradient "G" and a jvp its tangent "V". `of`, `shapes`, `like`, `dtypes` and `assume` are
    as in `derive.grad`; numbers in shapes are made free where the function runs at other sizes too. `kind`
    (gradient, jacobian, hessian, derivative, vjp, jvp, second) is told by the
    shape where it is None.

    Raises TypeError where the candidate's parameters do not fit, ShapeError and FormulaError as reading does.

    >>> verdict = check("2*x/3", of="sum(x**2)/n", wrt="x", shapes={"x": "n"}, kind="gradient")
    >>> verdict.status
    'wrong'
    """
    if dtype not in DTYPES:
        raise ValueError(f"there is no precision {dtype!r} to check in; write one of {', '.join(DTYPES)}")
    about = {"shapes": shapes, "like": like, "dtypes": dtypes, "assume": assume}
    known = {name: value for name, value in about.items() if value is not None}

    def answer(function: Function, asked: Asked) -> Any:
        """The derivation of the right answer, for any sizes; None where derive has none."""
        if function.problem is None:
            return None
        wanted = {"order": asked.order} if asked.kind == "derivative" else {}
        try:
            return OPERATORS[asked.kind](function.problem, asked.wrt, **wanted)
        except (DeriveError, TypeError, ValueError):
            return None

    return examine(
        candidate,
        of,
        wrt,
        known,
        kind=kind,
        order=order,
        dtype=dtype,
        seed=seed,
        at=at,
        answer=answer,
    )
