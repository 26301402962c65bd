"""A page with a block of every kind, and outcomes of entries, shared by the tests of documents."""

from __future__ import annotations

from functools import cache

from derive.documents import Outcome, Page, outcome_of
from derive.documents.page import Code, Display, Figure, Heading, Table, Words

__all__ = ["EVERY", "outcome"]

# Two pieces of one curve, and a second curve.
CURVES = (("f(x)", ((("0", "1"), ("1", "2")), (("2", "0"), ("3", "-1")))), ("f'(x)", ((("0", "1"),),)))

EVERY = Page(
    "50% of $x_1$ & `y_2`",
    (
        Heading("A_b"),
        Words("Let $a_1 < b$ be `c_d`: #1."),
        Display(r"\begin{aligned}" + "\na &= b\n" + r"\end{aligned}"),
        Code("def f(x_1):\n    return x_1 % 2\n"),
        Table(("x_1", "$y$"), (("1 & 2", r"$|y|$"), ("`a|b`", "c|d"))),
        Figure("x", CURVES),
    ),
)


@cache
def outcome(name: str) -> Outcome:
    """What comes of an entry; worked out once."""
    return outcome_of(name)
