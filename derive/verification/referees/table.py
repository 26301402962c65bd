"""The table of referees: one row each, with what its agreement guarantees and what it cannot see."""

from __future__ import annotations

from derive.verification.autograd import forward_mode, reverse_mode
from derive.verification.referees.autograd import by_autograd
from derive.verification.referees.forward import by_forward
from derive.verification.referees.kinks import by_kinks
from derive.verification.referees.precision import by_high_precision
from derive.verification.referees.referee import VALUES, Referee
from derive.verification.referees.steps import by_steps

__all__ = ["REFEREES"]

# What makes a closed form and a program of definitions; and what reads the definitions.
DERIVING = ("derive.calculus", "derive.numeric", "derive.printing.present")
READING = ("derive.read",)

REFEREES: dict[str, Referee] = {
    r.name: r
    for r in (
        Referee(
            "steps",
            "every step and lemma is an equation that holds to 20 digits at random points",
            "an error in reading the formula, or in the program; points that no sample hits",
            False,
            by_steps,
            judges=("derive.calculus", "derive.printing.present"),
            # SymPy's own derivative of a definition, at the positions where a local stage is looked at.
            shares=(*VALUES, "derive.numeric.evaluate", "derive.numeric.precise"),
        ),
        Referee(
            "high precision",
            "the closed form and its program are the derivative of the definitions as written",
            "an error in reading the formula; entries, sizes and points that were not drawn",
            True,
            by_high_precision,
            judges=DERIVING,
        ),
        Referee(
            "autograd (reverse)",
            "the program agrees in every entry with torch's reverse mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            by_autograd(reverse_mode),
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
        ),
        Referee(
            "autograd (forward)",
            "the program agrees in every entry with torch's forward mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            by_autograd(forward_mode),
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
        ),
        Referee(
            "forward",
            "the formula as it was read is the function that was meant",
            "anything about the derivative",
            False,
            by_forward,
            judges=("derive.numeric", *READING),
        ),
        Referee(
            "kink",
            "at a kink the program follows the same convention as torch",
            "kinks that no single value of one variable reaches",
            False,
            by_kinks,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
        ),
    )
}
