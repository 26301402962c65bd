"""Named functions: declared once by an elementary definition, and nothing else.

A `NamedFunction` carries its definition with it, so an expression that uses one is complete: it can be
pickled, compared and evaluated anywhere, without a registry. Its derivative is never written down: it is
SymPy's derivative of the definition, folded back into named functions by `calculus.lemmas`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Atom, Basic, Expr, Integer, Lambda, Symbol, Tuple
from sympy.core.symbol import Str

from derive.errors import Unsupported

__all__ = ["Apply", "NamedFunction", "elementary", "named"]


class NamedFunction(Atom):  # type: ignore[misc]
    """A function of real scalars with a name, a definition and a stated convention at its kinks.

    It is an atom: what is replaced or looked for in an expression is not looked for inside definitions.
    `primes` counts how often each argument has been differentiated: sigmoid'' has primes (2,).
    """

    __slots__ = ("fields",)

    def __new__(cls, *fields: Basic) -> NamedFunction:
        self = Basic.__new__(cls)
        self.fields = fields
        return self  # type: ignore[no-any-return]

    def __getnewargs__(self) -> tuple[Basic, ...]:
        return self.fields  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Basic, ...]:
        return self.fields  # type: ignore[no-any-return]

    def _sympystr(self, printer: Any) -> str:
        return self.name + "'" * sum(self.primes)

    @property
    def name(self) -> str:
        """The name in formula text, such as `sigmoid`."""
        return str(self.fields[0])

    @property
    def latex(self) -> str:
        """The head in LaTeX, such as `\\sigma`, without primes."""
        return str(self.fields[1])

    @property
    def definition(self) -> Lambda:
        """The definition as a Lambda over the parameters; that of a derivative is SymPy's derivative."""
        return _differentiated(self.fields[2], self.primes)

    @property
    def kinks(self) -> tuple[Expr, ...]:
        """The points (of the first argument) where the derivative is a convention."""
        return tuple(self.fields[3])

    @property
    def primes(self) -> tuple[int, ...]:
        """How often each argument has been differentiated."""
        return tuple(int(k) for k in self.fields[4])

    @property
    def convention(self) -> str:
        """What the derivative is at the kinks, in words; empty where there are none."""
        return str(self.fields[5])

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.fields[2].variables)

    def __call__(self, *args: Any) -> Apply:
        if len(args) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} argument(s), not {len(args)}")
        return Apply(self, *(sympy.sympify(a) for a in args))

    @property
    def base(self) -> NamedFunction:
        """The function itself, without primes."""
        return self._with_primes((0,) * self.arity)

    def derivative(self, argument: int = 0, times: int = 1) -> NamedFunction:
        """The function that is the derivative in one argument (counted from 0); `times` -1 takes one back."""
        return self._with_primes(tuple(k + times * (a == argument) for a, k in enumerate(self.primes)))

    def _with_primes(self, primes: tuple[int, ...]) -> NamedFunction:
        name, latex, definition, kinks, _, convention = self.fields
        return NamedFunction(name, latex, definition, kinks, Tuple(*map(Integer, primes)), convention)


class Apply(Expr):  # type: ignore[misc]
    """A named function applied to real arguments: `Apply(sigmoid, x)`."""

    is_real = True
    is_commutative = True

    def __new__(cls, fn: NamedFunction, *args: Expr) -> Apply:
        return Expr.__new__(cls, fn, *args)  # type: ignore[no-any-return]

    @property
    def fn(self) -> NamedFunction:
        """The function that is applied."""
        return self.args[0]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        """What it is applied to."""
        return self.args[1:]

    def unfold(self) -> Expr:
        """The definition, with the arguments put in."""
        variables = self.fn.definition.variables
        return self.fn.definition.expr.xreplace(dict(zip(variables, self.arguments, strict=True)))

    def _eval_derivative(self, s: Expr) -> Expr:
        return sum(
            (self.fn.derivative(k)(*self.arguments) * a.diff(s) for k, a in enumerate(self.arguments)),
            start=sympy.S.Zero,
        )

    def _sympystr(self, printer: Any) -> str:
        primes = "'" * sum(self.fn.primes)
        return f"{self.fn.name}{primes}({', '.join(printer._print(a) for a in self.arguments)})"


def named(
    name: str,
    parameters: Sequence[Symbol],
    definition: Expr,
    *,
    latex: str | None = None,
    kinks: Sequence[Expr | int] = (),
    convention: str = "",
) -> NamedFunction:
    """Declare a named function of real scalars by its elementary definition.

    >>> x = sympy.Symbol("x", real=True)
    >>> bentid = named("bentid", [x], (sympy.sqrt(x**2 + 1) - 1) / 2 + x)
    >>> bentid(x).unfold()
    x + sqrt(x**2 + 1)/2 - 1/2
    """
    return NamedFunction(
        Str(name),
        Str(latex if latex is not None else rf"\operatorname{{{name}}}"),
        Lambda(tuple(parameters), definition),
        Tuple(*(sympy.sympify(k) for k in kinks)),
        Tuple(*(Integer(0) for _ in parameters)),
        Str(convention),
    )


def elementary(expr: Expr) -> Expr:
    """The same expression with every named function replaced by its definition, to the bottom."""
    while expr.has(Apply):
        expr = expr.xreplace({node: node.unfold() for node in expr.atoms(Apply)})
    return expr


@lru_cache(maxsize=1024)
def _differentiated(definition: Lambda, primes: tuple[int, ...]) -> Lambda:
    body = definition.expr
    for x, times in zip(definition.variables, primes, strict=True):
        for _ in range(times):
            body = body.diff(x)
    if body.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta):
        raise Unsupported(f"the derivative of x ↦ {definition.expr}", "it has no elementary closed form")
    return Lambda(definition.signature, body)
