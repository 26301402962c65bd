"""The law of brackets: what is written, read by the ordinary rules of mathematics, has the tree's value.

The reader below knows precedence, juxtaposition, signs of sums and nothing of trees: it sees a bracket too
few, or a letter bound twice, though not a bracket too many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
import sympy
from hypothesis import assume, given, settings
from sympy import Integer, Rational, S

from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.tree import (
    Add,
    Call,
    Delta,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    rename,
)
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.latex import latex
from derive.printing.scope import Scope
from derive.printing.style import Style

SIZE = 3
i = Index("i", dim(SIZE))
SCALARS = {"x": 0.7, "y": -1.3, r"\theta": 2.1}
VECTORS = {"u": (0.3, -0.8, 1.7), "v": (1.1, 0.6, -0.4)}
FUNCTION_VALUES: dict[str, Callable[[float], float]] = {
    r"\sigma": lambda z: 1 / (1 + math.exp(-z)),
    r"\log": lambda z: math.log(abs(z)),
    r"\exp": math.exp,
    r"\tanh": math.tanh,
}
HEADS = {r"\sigma": FUNCTIONS["sigmoid"], r"\log": sympy.log, r"\exp": sympy.exp, r"\tanh": sympy.tanh}

TOKEN = re.compile(r"\\left|\\right|\\[A-Za-z]+|\\,|\d+\.\d+|\d|[A-Za-z]|[{}^_()\[\]+\-/=]")
Meaning = Callable[[dict[str, int]], float]


class Reader:
    """A reader of the written mathematics: each method gives the value as a function of the indices."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        assert token, "the end came too soon"
        assert expected in ("", token), f"{expected} expected, {token!r} found"
        self.at += 1
        return token

    def expression(self) -> Meaning:
        terms = []
        while True:
            sign = -1 if self.peek() == "-" else 1
            if self.peek() in "+-":
                self.take()
            terms.append((sign, self.term()))
            if not self.peek() or self.peek() not in "+-":
                return lambda at: sum(s * t(at) for s, t in terms)

    def term(self) -> Meaning:
        total = self.factor()
        while self.peek() and self.peek() not in {"+", "-", ")", "]", "}", r"\right", r"\rVert"}:
            sign = self.take() if self.peek() in (r"\cdot", "/", r"\,") else ""
            total = self.times(total, self.factor(), sign)
        return total

    def times(self, left: Meaning, right: Meaning, sign: str) -> Meaning:
        return (lambda at: left(at) / right(at)) if sign == "/" else (lambda at: left(at) * right(at))

    def factor(self) -> Meaning:
        base = self.atom()
        if self.peek() == "^":
            self.take()
            exponent = self.argument()
            return lambda at: power(base(at), exponent(at))
        return base

    def argument(self) -> Meaning:
        if self.peek() != "{":
            return self.atom()
        self.take("{")
        inside = self.expression()
        self.take("}")
        return inside

    def atom(self) -> Meaning:
        token = self.take()
        if re.fullmatch(r"\d+\.\d+|\d", token):
            while token.isdigit() and self.peek().isdigit():
                token += self.take()
            return lambda at: float(token)
        if token in (r"\left", "(", "["):
            return self.brackets(token)
        if token in (r"\frac", r"\dfrac"):
            top, bottom = self.argument(), self.argument()
            return lambda at: top(at) / bottom(at)
        if token == r"\sqrt":
            inside = self.argument()
            return lambda at: power(inside(at), 0.5)
        if token == r"\sum":
            return self.sigma()
        if token == r"\delta":
            first, second = self.subscripts()
            return lambda at: float(place(first, at) == place(second, at))
        if token == r"\lVert":
            return self.norm(grows=False)
        if token in FUNCTION_VALUES:
            return self.call(FUNCTION_VALUES[token])
        if token == "e":
            return lambda at: math.e
        if token in VECTORS:
            return self.entry(token)
        return lambda at: SCALARS[token]

    def brackets(self, token: str) -> Meaning:
        grows = token == r"\left"
        left = self.take() if grows else token
        if left == r"\lVert":
            return self.norm(grows=True)
        inside = self.expression()
        if grows:
            self.take(r"\right")
        self.take({"(": ")", "[": "]"}[left])
        return inside

    def subscripts(self) -> list[str]:
        self.take("_")
        if self.peek() != "{":
            return [self.take()]
        self.take("{")
        found = []
        while self.peek() != "}":
            found.append(self.take())
        self.take("}")
        return found

    def entry(self, name: str) -> Meaning:
        if self.peek() != "_":
            # A vector without its index stands inside a norm, which reads it entry by entry.
            return lambda at: VECTORS[name][at["whole"] - 1]
        (position,) = self.subscripts()
        return lambda at: VECTORS[name][place(position, at) - 1]

    def sigma(self) -> Meaning:
        letter = self.limits()
        body = self.term()

        def total(at: dict[str, int]) -> float:
            assert letter not in at, f"{letter} is bound twice"
            return sum(body({**at, letter: n}) for n in range(1, SIZE + 1))

        return total

    def limits(self) -> str:
        for expected in ("_", "{"):
            self.take(expected)
        letter = self.take()
        for expected in ("=", "1", "}", "^", "{", str(SIZE), "}"):
            self.take(expected)
        return letter

    def norm(self, *, grows: bool) -> Meaning:
        start = self.at
        letter, body = self.index_set()
        if not letter:
            self.at = start
            letter, body = "whole", self.expression()
        for expected in (*((r"\right",) if grows else ()), r"\rVert", "_", "2"):
            self.take(expected)
        return lambda at: power(sum(body({**at, letter: n}) ** 2 for n in range(1, SIZE + 1)), 0.5)

    def index_set(self) -> tuple[str, Meaning]:
        """(x_j)_{j=1}^3, the entries of a vector; no letter where something else stands there."""
        if self.peek() not in ("(", "[", r"\left"):
            return "", abs
        body = self.brackets(self.take())
        return (self.limits(), body) if self.peek() == "_" else ("", body)

    def call(self, fn: Callable[[float], float]) -> Meaning:
        exponent = 1
        if self.peek() == "^":
            self.take()
            exponent = int(self.take())
        inside = self.brackets(self.take())
        return lambda at: fn(inside(at)) ** exponent


def place(token: str, at: dict[str, int]) -> int:
    return int(token) if token.isdigit() else at[token]


def power(base: float, exponent: float) -> float:
    """Real powers; off the positive numbers any one meaning will do, as long as both sides share it."""
    return float(abs(base) ** exponent if exponent % 1 else base**exponent)


def read(text: str, at: int) -> float:
    reader = Reader(text)
    meaning = reader.expression()
    assert not reader.peek(), f"{text}: {reader.peek()} is left over"
    return meaning({"i": at})


def number(node: Node, at: dict[Index, int]) -> float:  # noqa: C901 - one case a node
    """The value of a tree, straight from its meaning."""
    match node:
        case Num(n):
            return float(n)
        case Sym(symbol):
            return SCALARS["\\theta" if symbol.name == "theta" else symbol.name]
        case Entry(base, (position,)):
            return VECTORS[base][at[position] if position in at else int(position)]
        case Neg(body):
            return -number(body, at)
        case Group(body):
            return number(body, at)
        case Add(terms):
            return sum(number(t, at) for t in terms)
        case Mul(factors):
            total: float = 1
            for factor in factors:
                total *= number(factor, at)
            return total
        case Frac(top, bottom):
            return number(top, at) / number(bottom, at)
        case Pow(base, exponent):
            return power(number(base, at), number(exponent, at))
        case Call(fn, (arg,)):
            (head,) = (h for h, f in HEADS.items() if f == fn)
            return FUNCTION_VALUES[head](number(arg, at))
        case Sigma(index, body):
            return sum(number(body, {**at, index: n}) for n in range(SIZE))
        case Norm(index, body):
            return power(sum(number(body, {**at, index: n}) ** 2 for n in range(SIZE)), 0.5)
        case Delta(first, second):
            return float(at[first] == at[second])
    raise AssertionError(node)


@st.composite
def bound(draw, kind, trees):
    """A tree over the free index, bound: other trees inside keep theirs apart."""
    index = fresh("i", dim(SIZE))
    body = draw(trees)
    inner = rename(body, {i: index})
    return kind(index, Mul((Entry("u", (index,)), inner)) if draw(st.booleans()) else inner)


numbers = st.sampled_from(
    [Integer(2), Integer(3), Integer(-2), S.Half, Rational(-3, 2), Rational(44715, 10**6)]
)
leaves = st.one_of(
    numbers.map(Num),
    st.sampled_from([Sym(scalar("x")), Sym(scalar("y")), Sym(scalar("theta"))]),
    st.sampled_from([Entry("u", (i,)), Entry("v", (i,)), Entry("v", (Integer(1),)), Delta(i, i)]),
)
exponents = st.sampled_from([Num(Integer(2)), Num(Integer(3)), Num(Integer(-1)), Num(S.Half)])


def several(trees):
    return st.lists(trees, min_size=2, max_size=3).map(tuple)


def larger(trees):
    return st.one_of(
        trees.map(Neg),
        trees.map(Group),
        several(trees).map(Add),
        st.builds(Mul, several(trees), st.booleans()),
        st.builds(Frac, trees, trees),
        st.builds(Pow, trees, exponents),
        st.builds(lambda head, arg: Call(HEADS[head], (arg,)), st.sampled_from(sorted(HEADS)), trees),
        bound(Sigma, trees),
        bound(Sigma, several(trees).map(Add)),
        bound(Norm, trees),
    )


trees = st.recursive(leaves, larger, max_leaves=12)
styles = st.builds(
    Style,
    exp=st.sampled_from(["power", "call"]),
    fractions=st.sampled_from(["frac", "dfrac"]),
    product=st.sampled_from(["", r"\cdot"]),
    brackets=st.sampled_from(["round", "square"]),
)


@settings(max_examples=400)
@given(trees, styles, st.integers(0, SIZE - 1))
def test_what_is_written_reads_back_to_the_value_of_the_tree(tree, style, at):
    text = latex(tree, Scope(style).with_free([i]))
    try:
        expected = number(tree, {i: at})
    except (OverflowError, ZeroDivisionError, ValueError):
        assume(False)
    assume(abs(expected) < 1e50)
    found = read(text, at + 1)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), text


@given(trees, styles)
def test_braces_and_growing_brackets_pair_up_and_signs_stay_single(tree, style):
    text = latex(tree, Scope(style))

    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    assert not re.search(r"[+-] *[+-]", text)
    assert not re.search(r"\^(?:\w|\{[^{}]*\})\^", text)


@pytest.mark.parametrize(
    ("wrong", "value_of"),
    [
        ("x - y + \\theta", Add((Sym(scalar("x")), Neg(Add((Sym(scalar("y")), Sym(scalar("theta")))))))),
        (r"\sum_{j=1}^{3} u_j y", Mul((Sigma(fresh("j", dim(SIZE)), Entry("u", (i,))), Sym(scalar("y"))))),
        ("-x^2", Pow(Neg(Sym(scalar("x"))), Num(Integer(2)))),
    ],
)
def test_the_reader_sees_a_bracket_too_few(wrong, value_of):
    assert read(wrong, 1) != pytest.approx(number(value_of, {i: 0}))
