"""The table of referees: one row each, with what its agreement guarantees and what it cannot see."""

from __future__ import annotations

from derive.verification.autograd import forward_mode, reverse_mode
from derive.verification.certified import certified
from derive.verification.referees.autograd import by_autograd
from derive.verification.referees.directional import by_directions
from derive.verification.referees.ends import by_ends
from derive.verification.referees.exact import by_exact_zero
from derive.verification.referees.forward import by_forward
from derive.verification.referees.gradcheck import by_gradcheck, by_gradgradcheck
from derive.verification.referees.kinks import by_kinks
from derive.verification.referees.layouts import by_layouts
from derive.verification.referees.precision import by_high_precision
from derive.verification.referees.referee import VALUES, Referee
from derive.verification.referees.steps import by_steps
from derive.verification.referees.structure import by_normal_form
from derive.verification.referees.twice import by_double_backward

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
            reads=True,
        ),
        Referee(
            "high precision",
            "the closed form and its program are the derivative of the definitions as written",
            "an error in reading the formula; entries, sizes and points that were not drawn",
            True,
            by_high_precision,
            judges=DERIVING,
            reads=True,
        ),
        Referee(
            "autograd (reverse)",
            "the program agrees in every entry with torch's reverse mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            by_autograd(reverse_mode),
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            reads=True,
        ),
        Referee(
            "autograd (forward)",
            "the program agrees in every entry with torch's forward mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            by_autograd(forward_mode),
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            reads=True,
        ),
        Referee(
            "forward",
            "the formula as it was read is the function that was meant",
            "anything about the derivative",
            False,
            by_forward,
            judges=("derive.numeric", *READING),
            reads=True,
        ),
        Referee(
            "kink",
            "at a kink the program follows the same convention as torch",
            "kinks that no single value of one variable reaches",
            False,
            by_kinks,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            reads=True,
        ),
        Referee(
            "directional",
            "along random directions, at larger sizes, the result is torch.func's vjp and jvp",
            "errors below the tolerance or orthogonal to the directions; functions that torch.func refuses",
            True,
            by_directions,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            thorough=True,
        ),
        Referee(
            "autograd (twice)",
            "the program can be differentiated once more, and gives the next derivative of the function",
            "an error that is constant; variables with declared facts; functions without double backward",
            False,
            by_double_backward,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            thorough=True,
        ),
        Referee(
            "gradcheck",
            "as the rule of an autograd function, the program passes torch's gradcheck: finite differences",
            "errors below 1e-3; poles and kinks nearer than a step; points that no sample hits",
            True,
            by_gradcheck,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            thorough=True,
        ),
        Referee(
            "gradgradcheck",
            "as a backward, the program passes torch's gradgradcheck: its slopes are its own",
            "whether it is the derivative; errors below 1e-3; other variables; kinks nearer than a step",
            False,
            by_gradgradcheck,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            thorough=True,
        ),
        Referee(
            "ends",
            "over the whole range of a precision, a slope of one variable is right, a kink, or torch's nan",
            "errors below the tolerance; parts of a result after the first; several variables an entry",
            False,
            by_ends,
            judges=(*DERIVING, *READING),
            borrows=("derive.numeric",),
            thorough=True,
        ),
        Referee(
            "exact",
            "at small sizes the closed form is the derivative of the definitions, by proof over Q in t = e^z",
            "other sizes; regions between kinks without a sample; the program; errors of SymPy's diff",
            True,
            by_exact_zero,
            judges=DERIVING,
            thorough=True,
        ),
        Referee(
            "certified",
            "the closed form and its program lie within a proven bound of the derivative of the definitions",
            "an error in reading the formula; entries, sizes and points that were not drawn; long sums",
            True,
            certified,
            judges=DERIVING,
            thorough=True,
        ),
        Referee(
            "layouts",
            "the program reads strided, transposed and expanded inputs by their shape, and maps over a batch",
            "whether the result is right",
            False,
            by_layouts,
            judges=DERIVING,
            thorough=True,
            reads=True,
        ),
        Referee(
            "normal form",
            "a formula of somebody else is the closed form, but for brackets, order and bound names",
            "equality of expressions that are written differently, and whether either is right",
            False,
            by_normal_form,
            judges=DERIVING,
            reads=True,
        ),
    )
}
