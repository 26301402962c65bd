"""What each tree is written as: a flat table, the lines of ordinary gradient notes among them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sympy
from sympy import And, Eq, Float, Integer, Not, Or, Rational, S, sqrt

from derive.errors import Unsupported
from derive.expr.functions import named
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.sums import Iverson, delta, entry
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
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
)
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.latex import latex
from derive.printing.scope import Scope
from derive.printing.style import Style

n, m = dim("n"), dim("m")
i, j, k = Index("i", n), Index("j", n), Index("k", m)
p, q = fresh("j", n), fresh("k", m)
X = scalar("x")
a, b, x, y, w, z = (Sym(scalar(name)) for name in "abxywz")
pred, label = Sym(scalar("pred")), Sym(scalar("label"))
TARGET = entry("t", [i], integer=True)


def num(value):
    return Num(sympy.sympify(value))


def at(base, *positions):
    return Entry(base, tuple(map(sympy.sympify, positions)))


def add(*terms):
    return Add(terms)


def mul(*factors, dot=False):
    return Mul(factors, dot)


def fn(name, *args):
    return Call(FUNCTIONS[name], args)


def exp(arg):
    return Call(sympy.exp, (arg,))


def sigma(arg):
    return fn("sigmoid", arg)


def phi(position):
    return sigma(at("y", position))


one, two = num(1), num(2)
sigmoid_body = Frac(one, add(one, exp(Neg(x))))
residual = add(at("y", p), Neg(Group(add(mul(at("x", p), w), b))))
f = named("f", [scalar("x"), scalar("a")], scalar("x") * scalar("a"))
prime = FUNCTIONS["sigmoid"].derivative()
NOTES = Style.named("notes")
PHI = Style(symbols=(("sigmoid", r"\phi"),))

TABLE = [
    # numbers and names
    (num(2), "2"),
    (num(-2), "-2"),
    (num(Rational(1, 2)), r"\frac{1}{2}"),
    (num(Rational(-3, 2)), r"-\frac{3}{2}"),
    (num(Rational(1, 100)), r"\frac{1}{100}"),
    (num(Rational(1, 10**5)), "10^{-5}"),
    (num(Rational(44715, 10**6)), "0.044715"),
    (num(Rational(1, 128)), r"\frac{1}{128}"),
    (num(sympy.pi), r"\pi"),
    (num(2 * sqrt(sympy.pi)), r"2 \sqrt{\pi}"),
    (num(sqrt(2 / sympy.pi)), r"\frac{\sqrt{2}}{\sqrt{\pi}}"),
    (num(-S.Infinity), r"-\infty"),
    (Sym(n), "n"),
    (Sym(i), "i - 1"),
    (mul(Sym(i), x), "(i - 1) x"),
    (Sym(i + j), "i + j - 2"),
    # sums and signs
    (add(a, Neg(b)), "a - b"),
    (add(Neg(a), Neg(b), num(-2)), "-a - b - 2"),
    (add(a, Neg(add(b, x))), "a - (b + x)"),
    (add(a, mul(num(-2), b)), "a - 2 b"),
    (add(a, add(b, Neg(x))), "a + b - x"),
    (Neg(mul(a, b)), "-a b"),
    (Neg(Neg(a)), "-(-a)"),
    # products
    (mul(two, x), "2 x"),
    (mul(two, num(3)), r"2 \cdot 3"),
    (mul(x, two), r"x \cdot 2"),
    (mul(two, num(Rational(1, 2))), r"2 \cdot \frac{1}{2}"),
    (mul(two, Frac(x, y)), r"2 \frac{x}{y}"),
    (mul(x, add(one, Neg(x))), "x(1 - x)"),
    (mul(x, Neg(y)), "x(-y)"),
    (mul(Neg(x), y), "-x y"),
    (mul(x, mul(Neg(x), y)), "x(-x) y"),
    (mul(pred, Sym(scalar("y_hat")), label), r"\mathrm{pred} \, \hat{y} \, \mathrm{label}"),
    (mul(two, pred, label), r"2 \, \mathrm{pred} \cdot \mathrm{label}"),
    (mul(sigma(x), add(one, Neg(sigma(x)))), r"\sigma(x)(1 - \sigma(x))"),
    (mul(mul(two, sigma(x)), Group(mul(sigma(x), add(one, Neg(sigma(x))))), dot=True),
     r"2 \sigma(x) \cdot (\sigma(x)(1 - \sigma(x)))"),
    (mul(a, b, x), r"a \cdot b \cdot x", Style(product=r"\cdot")),
    # fractions
    (sigmoid_body, r"\frac{1}{1 + e^{-x}}"),
    (sigmoid_body, r"\dfrac{1}{1 + \exp(-x)}", NOTES),
    (mul(sigmoid_body, Group(Frac(exp(Neg(x)), add(one, exp(Neg(x)))))),
     r"\dfrac{1}{1 + \exp(-x)}\left(\dfrac{\exp(-x)}{1 + \exp(-x)}\right)", NOTES),
    (Frac(Frac(x, y), two), r"\dfrac{\frac{x}{y}}{2}", NOTES),
    (Frac(Group(add(a, b)), x), r"\frac{a + b}{x}"),
    (Frac(x, Num(Rational(1, 10))), r"\frac{x}{0.1}"),
    (Frac(x, Num(Rational(7, 100))), r"\frac{x}{0.07}"),
    (Frac(x, Num(Rational(1, 3))), r"\frac{x}{\frac{1}{3}}"),
    (mul(num(Rational(1, 2)), Group(add(Pow(at("a", 0), two), Pow(at("a", 1), two)))),
     r"\dfrac{1}{2}(a_1^2 + a_2^2)", NOTES),
    # powers
    (Pow(x, two), "x^2"),
    (Pow(x, num(10)), "x^{10}"),
    (Pow(x, num(Rational(1, 2))), r"\sqrt{x}"),
    (Pow(x, num(Rational(-1, 2))), "x^{-1/2}"),
    (Pow(x, num(Rational(3, 2))), "x^{3/2}"),
    (Pow(Neg(x), two), "(-x)^2"),
    (Pow(Pow(x, two), two), "(x^2)^2"),
    (Pow(add(a, b), two), "(a + b)^2"),
    (Pow(Frac(a, b), two), r"\left(\frac{a}{b}\right)^2"),
    (Pow(num(Rational(1, 2)), two), r"\left(\frac{1}{2}\right)^2"),
    (Pow(exp(x), two), "(e^x)^2"),
    (Pow(sigma(x), two), r"\sigma^2(x)"),
    (Pow(fn("tanh", x), two), r"\tanh^2(x)"),
    (Pow(sigma(x), num(-1)), r"\sigma(x)^{-1}"),
    (Pow(Call(prime, (x,)), two), r"\sigma'(x)^2"),
    (Pow(fn("logsigmoid", x), two), r"(\log\sigma(x))^2"),
    (Pow(fn("gelu_tanh", x), two), r"\operatorname{gelu}_{\mathrm{tanh}}^2(x)"),
    (Pow(Call(sympy.Abs, (x,)), num(3)), r"\lvert x \rvert^3"),
    (Pow(Sym(scalar("y'")), two), "(y')^2"),
    (Pow(at("w", 0, 1), two), "w_{12}^2"),
    (Pow(Sigma(p, at("x", p)), two), r"\left(\sum_{j=1}^{n} x_j\right)^2"),
    # functions
    (exp(Neg(x)), "e^{-x}"),
    (exp(Neg(x)), r"\exp(-x)", Style(exp="call")),
    (exp(Neg(Frac(Pow(add(x, Neg(y)), two), mul(two, Pow(w, two))))), "e^{-(x - y)^2/(2 w^2)}"),
    (exp(Frac(Neg(Pow(x, two)), two)), "e^{-x^2/2}"),
    (exp(mul(num(Rational(1, 2)), x)), r"\exp\left(\frac{1}{2} x\right)"),
    (exp(Sigma(q, at("x", q))), r"\exp\left(\sum_{k=1}^{m} x_k\right)"),
    (Call(sympy.log, (mul(x, y),)), r"\log(x y)"),
    (Call(sympy.log, (Group(add(x, y)),)), r"\log(x + y)"),
    (mul(Call(sympy.log, (x,)), y), r"\log(x) y"),
    (Call(sympy.sqrt, (add(x, y),)), r"\sqrt{x + y}"),
    (Call(sympy.erf, (Frac(x, Call(sympy.sqrt, (two,))),)),
     r"\operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)"),
    (Call(sympy.Max, (x, y)), r"\max(x, y)"),
    (Call(sympy.polygamma, (one, x)), r"\psi^{(1)}(x)"),
    (fn("abs", add(x, Neg(y))), r"\lvert x - y \rvert"),
    (fn("abs", Frac(x, y)), r"\left\lvert \frac{x}{y} \right\rvert"),
    (fn("relu", x), r"\operatorname{ReLU}(x)"),
    (sigma(x), r"\phi(x)", PHI),
    (Call(prime, (x,)), r"\sigma'(x)"),
    (Call(prime.derivative(), (x,)), r"\sigma''(x)"),
    (Call(prime.derivative(0, 3), (x,)), r"\sigma^{(4)}(x)"),
    (Call(f, (x, y)), "f(x, y)"),
    (Call(f.derivative(0), (x, y)), r"\partial_1 f(x, y)"),
    (Call(f.derivative(0).derivative(1, 2), (x, y)), r"\partial_1 \partial_2^2 f(x, y)"),
    # entries
    (at("W", i, j), "W_{ij}"),
    (at("W", i, j), "w_{ij}", NOTES),
    (at("W", 0, 0), "W_{11}"),
    (at("W", 0, 9), "W_{1,10}"),
    (at("W", i, j + 1), "W_{i,j+1}"),
    (at("x", i + k), "x_{i+k-1}"),
    (at("x", 2 * i + k), "x_{2 i+k-2}"),
    (at("x", n - 1 - i), "x_{n-i+1}"),
    (at("x2", i), "x_{2,i}"),
    (Entry("z", (i, TARGET)), "z_{i,t_i}"),
    (Entry("t", (i,), True), "t_i"),
    # deltas, brackets, cases
    (Delta(i, j), r"\delta_{ij}"),
    (Delta(i, j + 1), r"\delta_{i,j+1}"),
    (Delta(i, S.Zero), r"\delta_{i1}"),
    (Delta(j, TARGET), r"\delta_{j\,t_i}"),
    (mul(sigma(at("z", i)), add(Delta(i, j), Neg(sigma(at("z", j))))),
     r"\sigma(z_i)(\delta_{ij} - \sigma(z_j))"),
    (Bracket(X > 0), "[x > 0]"),
    (Bracket(Rational(1, 2) >= X), r"\left[x \le \frac{1}{2}\right]"),
    (Bracket(And(X > 0, X <= 1)), r"[0 < x \le 1]"),
    (Bracket(Or(X < 0, X > 1)), r"[x < 0 \lor x > 1]"),
    (Bracket(Not(Eq(X, 0))), r"[x \ne 0]"),
    (
        Bracket(sympy.Piecewise((2, X > 2), (0, True)) < X),
        r"\left[\begin{cases} 2 & x > 2 \\ 0 & x \le 2 \end{cases} < x\right]",
    ),
    (Cases(((two, X < 2), (x, S.true))), r"\max(x, 2)"),
    (Cases(((two, X > 2), (x, S.true))), r"\min(x, 2)"),
    (Cases(((two, X > 3), (x, S.true))), r"\begin{cases} 2 & x > 3 \\ x & x \le 3 \end{cases}"),
    (Bracket(entry("y", [i]) < delta(i, j)), r"[y_i < \delta_{ij}]"),
    (Bracket(Iverson(i < k) * entry("y", [i]) > 1), r"[y_i[i < k] > 1]"),
    (Bracket(i < k), "[i < k]"),
    (Bracket(i - k < n), "[i < k + n]"),
    (Bracket(i < n - 1), "[i < n]"),
    (Bracket(i < n - 2), r"[i < n - 1]"),
    (Bracket(i < n), r"[i \le n]"),
    (Bracket(And(i - k >= 0, i - k < n)), r"[k \le i < k + n]"),
    (Bracket(Eq(j, TARGET)), "[j = t_i]"),
    (Cases(((num(0), X <= 0), (x, S.true))), r"\begin{cases} 0 & x \le 0 \\ x & x > 0 \end{cases}"),
    (Cases(((num(0), X < 0), (x, X < 1), (one, S.true))),
     r"\begin{cases} 0 & x < 0 \\ x & x < 1 \\ 1 & \text{otherwise} \end{cases}"),
    (Cases(((num(0), X < 0), (x, X < 1), (one, S.true))),
     r"\begin{cases} 0 & x < 0 \\ x & x < 1 \\ 1 & \text{其他} \end{cases}", Style(lang="zh")),
    (Neg(Cases(((x, X > 0),))), r"-\left(\begin{cases} x & x > 0 \end{cases}\right)"),
    # sums
    (Sigma(q, mul(at("W", i, q), at("x", q))), r"\sum_{k=1}^{m} W_{ik} x_k"),
    (Sigma(p, add(at("x", p), Neg(at("y", p)))), r"\sum_{j=1}^{n} (x_j - y_j)"),
    (Sigma(p, Neg(at("x", p))), r"-\sum_{j=1}^{n} x_j"),
    (mul(two, Sigma(p, at("x", p))), r"2 \sum_{j=1}^{n} x_j"),
    (mul(Sigma(p, at("x", p)), Sigma(q, at("y", q))), r"\left(\sum_{j=1}^{n} x_j\right) \sum_{k=1}^{m} y_k"),
    (mul(at("x", j), Sigma(p, at("x", p))), r"x_j \sum_{i=1}^{n} x_i"),
    (add(Sigma(p, at("x", p)), Sigma(fresh("j", n), at("y", j))), r"\sum_{i=1}^{n} x_i + \sum_{i=1}^{n} y_j"),
    (Sigma(p, Sigma(fresh("j", n), at("A", p, p))), r"\sum_{j=1}^{n} \sum_{i=1}^{n} A_{jj}"),
    (Sigma(fresh("x", n), x), r"\sum_{i=1}^{n} x"),
    (Sigma(fresh("i", 2 * m), x), r"\sum_{i=1}^{2 m} x"),
    (Frac(exp(at("z", i)), Sigma(p, exp(at("z", p)))), r"\frac{e^{z_i}}{\sum_{j=1}^{n} e^{z_j}}"),
    (Sigma(p, Pow(Group(residual), two)), r"\sum_{j=1}^{n} [y_j - (x_j w + b)]^2", NOTES),
    # norms
    (Norm(p, residual), r"\lVert y - (x w + b) \rVert_2"),
    (Pow(Norm(p, residual), two), r"\lVert y - (x w + b) \rVert_2^2"),
    (Norm(p, add(at("y", p), Neg(Sigma(q, mul(at("X", p, q), at("w", q)))))),
     r"\lVert \mathbf{y} - \mathbf{X} \mathbf{w} \rVert_2", Style(vectors="bold")),
    (Norm(p, Sigma(q, mul(at("X", q, p), at("w", q)))), r"\lVert X^T w \rVert_2"),
    (Norm(p, Frac(at("x", p), two), S.One), r"\left\lVert \frac{x}{2} \right\rVert_1"),
    (Norm(p, at("x", p), S.Infinity), r"\lVert x \rVert_{\infty}"),
    (Norm(p, mul(at("x", p), at("y", p))), r"\lVert (x_j y_j)_{j=1}^{n} \rVert_2"),
    (Norm(p, at("X", p, i)), r"\lVert (X_{ji})_{j=1}^{n} \rVert_2"),
    # derivatives
    (Diff(at("a", i), at("y", j)), r"\frac{\partial a_i}{\partial y_j}"),
    (Diff(at("a", i), at("y", j)), r"\dfrac{\partial a_i}{\partial y_j}", NOTES),
    (Diff(mul(x, w), w), r"\frac{\partial x w}{\partial w}"),
    (Diff(Diff(z, at("x", i)), at("x", j)), r"\frac{\partial^2 z}{\partial x_i \partial x_j}"),
    (Diff(Diff(z, x), x), r"\frac{\partial^2 z}{\partial x^2}"),
    (Diff(Sigma(p, at("x", p)), at("x", i)), r"\frac{\partial}{\partial x_i} \sum_{j=1}^{n} x_j"),
    (Diff(add(x, y), x), r"\frac{\partial}{\partial x} (x + y)"),
    (Diff(mul(x, sigma(x)), x), r"\frac{\partial}{\partial x} (x \sigma(x))"),
    (Diff(mul(two, sigma(x)), x), r"\frac{\partial}{\partial x} 2 \sigma(x)"),
    (mul(Diff(sigma(x), x), y), r"\left(\frac{\partial}{\partial x} \sigma(x)\right) y"),
    (Pow(Diff(z, x), two), r"\left(\frac{\partial z}{\partial x}\right)^2"),
    (Diff(sigma(at("y", i)), at("y", i)), r"\sigma'(y_i)", Style(derivative="prime")),
    (Diff(sigma(mul(two, x)), x), r"\frac{\partial}{\partial x} \sigma(2 x)", Style(derivative="prime")),
]  # fmt: skip

ORDINARY = [
    (Diff(y, x), r"\frac{dy}{dx}", "fraction"),
    (Diff(y, x), "y'", "prime"),
    (Diff(Diff(y, x), x), r"\frac{d^2 y}{dx^2}", "fraction"),
    (Diff(Diff(y, x), x), "y''", "prime"),
    (Diff(y, Sym(scalar("theta"))), r"\frac{dy}{d\theta}", "fraction"),
    (Diff(sigma(x), x), r"\frac{d}{dx} \sigma(x)", "fraction"),
    (Diff(sigma(x), x), r"\sigma'(x)", "prime"),
    (Diff(sigmoid_body, x), r"\frac{d}{dx} \frac{1}{1 + e^{-x}}", "prime"),
    (Diff(y, at("x", i)), r"\frac{\partial y}{\partial x_i}", "prime"),
    (Pow(Diff(y, x), two), "(y')^2", "prime"),
]


@dataclass(frozen=True)
class Unheard(Node):
    """A node that no printer knows."""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[1])
def test_trees_are_written_as_people_write_them(row):
    tree, expected, *style = row

    assert latex(tree, Scope(*style)) == expected


@pytest.mark.parametrize(("tree", "expected", "derivative"), ORDINARY, ids=lambda value: str(value)[:40])
def test_a_derivative_by_the_only_variable_is_written_with_d(tree, expected, derivative):
    assert latex(tree, Scope(Style(derivative=derivative), ordinary=True)) == expected


def test_the_names_of_bound_indices_do_not_depend_on_how_often_indices_were_made():
    def built():
        index = fresh("k", n)
        return latex(Sigma(index, mul(at("W", i, index), at("x", index))))

    assert built() == built()


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Num(Float(0.1)), r"the inexact number 0\.1.*write it exactly"),
        (Num(S.NaN), "the number nan"),
        (Call(len, (x,)), "writing the function"),
        (Unheard(), "a display node of type Unheard"),
        (at("x", i / k), "a position"),
        (Bracket(sympy.Symbol("b", bool=True)), "the condition b"),
    ],
)
def test_what_cannot_be_written_is_refused(tree, message):
    with pytest.raises(Unsupported, match=message):
        latex(tree)


def test_every_table_row_is_balanced():
    for tree, _, *style in TABLE:
        text = latex(tree, Scope(*style))
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")


def test_integers_of_any_size_are_written_out():
    assert latex(Num(Integer(10) ** 30)) == "1" + "0" * 30
