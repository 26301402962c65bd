"""Problems made by hand, and their programs: what the tests of verification are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Rational, S, exp, log

from derive.calculus import Derived, entrywise, gradient, hessian, jacobian, jvp, vjp
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import (
    Add,
    Call,
    Delta,
    Entry,
    Frac,
    Group,
    Head,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    value,
)
from derive.expr.vocabulary import FUNCTIONS

n, m = dim("n"), dim("m")
TWO, HALF = Num(S(2)), Frac(Num(S.One), Num(S(2)))


def ix(name: str, over: Any) -> Index:
    return fresh(name, over)


def e(name: str, *at: Any) -> Node:
    return Entry(name, at)


def softmax_problem() -> Problem:
    """s_i = exp(z_i) / Σ_j exp(z_j)."""
    i, j = ix("i", n), ix("j", n)
    body = Frac(Call(exp, (e("z", i),)), Sigma(j, Call(exp, (e("z", j),))))
    return Problem((Variable("z", (n,)),), (Definition("s", (i,), body),), ("s",))


def cross_entropy() -> Problem:
    """l = -Σ y_i log s_i, with Σ y_i = 1."""
    base, i = softmax_problem(), ix("i", n)
    loss = Neg(Sigma(i, Mul((e("y", i), Call(log, (e("s", i),))))))
    variables = (*base.variables, Variable("y", (n,), facts=("sum=1",)))
    return Problem(variables, (*base.definitions, Definition("l", (), loss)), ("l",))


def class_targets() -> Problem:
    """l = -(1/n) Σ_b Σ_j δ(j, t_b) log p_bj, p the softmax of x's rows."""
    b, j, k, b2, j2 = ix("b", n), ix("j", m), ix("k", m), ix("b", n), ix("j", m)
    target = Entry("t", (b2,), integer=True)
    p = Frac(Call(exp, (e("x", b, j),)), Sigma(k, Call(exp, (e("x", b, k),))))
    picked = Mul((Delta(j2, value(target)), Call(log, (e("p", b2, j2),))))
    loss = Neg(Frac(Sigma(b2, Sigma(j2, picked)), Sym(n)))
    variables = (Variable("x", (n, m)), Variable("t", (n,), integer=True))
    return Problem(variables, (Definition("p", (b, j), p), Definition("l", (), loss)), ("l",))


def perceptron() -> Problem:
    """y = W x, a = σ(y), l = ½ Σ a²."""
    i, k, i2, i3 = ix("i", m), ix("k", n), ix("i", m), ix("i", m)
    definitions = (
        Definition("y", (i,), Sigma(k, Mul((e("W", i, k), e("x", k))))),
        Definition("a", (i2,), Call(FUNCTIONS["sigmoid"], (e("y", i2),))),
        Definition("l", (), Mul((HALF, Sigma(i3, Pow(e("a", i3), TWO))))),
    )
    return Problem((Variable("W", (m, n)), Variable("x", (n,))), definitions, ("l",))


def mean_square() -> Problem:
    """l = (1/n) Σ (y_i - (x_i w + b))²."""
    i = ix("i", n)
    residual = Add((e("y", i), Neg(Group(Add((Mul((e("x", i), Sym(scalar("w")))), Sym(scalar("b"))))))))
    body = Frac(Sigma(i, Pow(Group(residual), TWO)), Sym(n))
    variables = tuple(Variable(v, (n,) if v in "xy" else ()) for v in "xywb")
    return Problem(variables, (Definition("l", (), body),), ("l",))


def norm() -> Problem:
    """l = ‖x‖."""
    i = ix("i", n)
    return Problem((Variable("x", (n,)),), (Definition("l", (), Norm(i, e("x", i))),), ("l",))


def logs() -> Problem:
    """l = Σ log x_i + ½ log σ: defined for positive numbers only."""
    i = ix("i", n)
    body = Add((Sigma(i, Call(log, (e("x", i),))), Mul((HALF, Call(log, (Sym(scalar("v")),))))))
    return Problem((Variable("x", (n,)), Variable("v")), (Definition("l", (), body),), ("l",))


def scaled() -> Problem:
    """u_i = x_i / q, q = sqrt(Σ x_k² / n)."""
    k, i = ix("k", n), ix("i", n)
    q = Pow(Frac(Sigma(k, Pow(e("x", k), TWO)), Sym(n)), Num(Rational(1, 2)))
    definitions = (Definition("q", (), q), Definition("u", (i,), Frac(e("x", i), Sym(scalar("q")))))
    return Problem((Variable("x", (n,)),), definitions, ("u",))


def whole_matrix(op: str) -> Problem:
    """l = Σ_ij (A^-1)_ij², or l = (det A)², or l = (log|det A|)²."""
    i, j, i2, j2 = ix("i", n), ix("j", n), ix("i", n), ix("j", n)
    inverse = Definition("B", (i, j), Head("inverse", "A", (i, j), "B"))
    number = Definition("v", (), Head(op, "A", (), "v", ("B",)))
    squares = Sigma(i2, Sigma(j2, Pow(e("B", i2, j2), TWO)))
    definitions = (inverse,) if op == "inverse" else (inverse, number)
    loss = squares if op == "inverse" else Pow(Sym(scalar("v")), TWO)
    return Problem((Variable("A", (n, n)),), (*definitions, Definition("l", (), loss)), ("l",))


def pointwise(name: str = "silu") -> Problem:
    """y_i = f(x_i)."""
    i = ix("i", n)
    return Problem(
        (Variable("x", (n,)),), (Definition("y", (i,), Call(FUNCTIONS[name], (e("x", i),))),), ("y",)
    )


# What is derived, and of which kind: name → (kind, derived).
DERIVATIONS: dict[str, Callable[[], tuple[str, Derived]]] = {
    "softmax": lambda: ("jacobian", jacobian(softmax_problem(), "s", "z")),
    "softmax vjp": lambda: ("vjp", vjp(softmax_problem(), "s", "z")),
    "softmax jvp": lambda: ("jvp", jvp(softmax_problem(), "s", "z")),
    "cross entropy": lambda: ("gradient", gradient(cross_entropy(), "l", "z")),
    "cross entropy hessian": lambda: ("hessian", hessian(cross_entropy(), "l", "z")),
    "class targets": lambda: ("gradient", gradient(class_targets(), "l", "x")),
    "perceptron W": lambda: ("gradient", gradient(perceptron(), "l", "W")),
    "perceptron x": lambda: ("gradient", gradient(perceptron(), "l", "x")),
    "mean square w": lambda: ("gradient", gradient(mean_square(), "l", "w")),
    "norm": lambda: ("gradient", gradient(norm(), "l", "x")),
    "logs": lambda: ("gradient", gradient(logs(), "l", "x")),
    "scaled": lambda: ("jacobian", jacobian(scaled(), "u", "x")),
    "silu": lambda: ("derivative", entrywise(pointwise(), "y", "x")),
    "silu twice": lambda: ("derivative", entrywise(pointwise(), "y", "x", 2)),
    "relu": lambda: ("derivative", entrywise(pointwise("relu"), "y", "x")),
}
