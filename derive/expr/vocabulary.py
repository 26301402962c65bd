"""The vocabulary of named scalar functions: one row a function, by its elementary definition.

A kink's convention is torch's for the torch function of that name, and follows from the definition: the
derivative at the kink is that of the branch that holds there.
"""

from __future__ import annotations

from sympy import Piecewise, Rational, Symbol, erf, exp, log, pi, sqrt

from derive.expr.functions import NamedFunction, named

__all__ = ["FUNCTIONS"]

x = Symbol("x", real=True)
a = Symbol("a", real=True)

sigmoid = named("sigmoid", [x], 1 / (1 + exp(-x)), latex=r"\sigma")
tanh = named("tanh", [x], (exp(x) - exp(-x)) / (exp(x) + exp(-x)), latex=r"\tanh")
softplus = named("softplus", [x], log(1 + exp(x)))
silu = named("silu", [x], x / (1 + exp(-x)))
gelu = named("gelu", [x], x * (1 + erf(x / sqrt(2))) / 2)
gelu_tanh = named("gelu_tanh", [x], x / 2 * (1 + tanh(sqrt(2 / pi) * (x + Rational(44715, 10**6) * x**3))))
mish = named("mish", [x], x * tanh(softplus(x)))
logsigmoid = named("logsigmoid", [x], -log(1 + exp(-x)), latex=r"\log\sigma")
softsign = named("softsign", [x], Piecewise((x / (1 + x), x >= 0), (x / (1 - x), True)))
tanhshrink = named("tanhshrink", [x], x - tanh(x))
relu = named(
    "relu",
    [x],
    Piecewise((0, x <= 0), (x, True)),
    latex=r"\operatorname{ReLU}",
    kinks=[0],
    convention="0 at x = 0",
)
abs_ = named(
    "abs", [x], Piecewise((x, x > 0), (-x, x < 0), (0, True)), latex="abs", kinks=[0], convention="0 at x = 0"
)
leaky_relu = named(
    "leaky_relu",
    [x, a],
    Piecewise((x, x > 0), (a * x, True)),
    latex=r"\operatorname{LeakyReLU}",
    kinks=[0],
    convention="the slope a at x = 0",
)
elu = named("elu", [x], Piecewise((x, x > 0), (exp(x) - 1, True)), latex=r"\operatorname{ELU}")

FUNCTIONS: dict[str, NamedFunction] = {
    f.name: f
    for f in (
        sigmoid,
        tanh,
        softplus,
        silu,
        gelu,
        gelu_tanh,
        mish,
        logsigmoid,
        softsign,
        tanhshrink,
        relu,
        abs_,
        leaky_relu,
        elu,
    )
}
