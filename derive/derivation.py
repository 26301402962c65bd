"""The face of derive: `grad`, `jacobian`, `hessian`, `vjp`, `jvp`, `derivative`, and what they return.

    d = derive.grad("sum((W @ x - y)**2)/2", wrt="W", shapes={"W": "m n", "x": "n", "y": "m"})
    d.closed_form · d.steps · d.lemmas · d.latex() · d.program() · d.verify()

What may be differentiated: a torch function or formula text with `shapes=`, a SymPy expression, or a Problem.
Shapes follow one law: a Jacobian has shape output.shape + wrt.shape; layouts exist in LaTeX only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Expr

from derive import calculus
from derive.calculus import Derived, Lemma
from derive.catalog import Entry
from derive.errors import ShapeError
from derive.expr.equation import BRIEF, FULL, NORMAL, Step
from derive.expr.indices import Dim, dim
from derive.expr.problem import Problem
from derive.expr.tree import Node, value
from derive.printing import Row, Scope, Style, aligned, latex, unrepeated
from derive.printing.breaking import displayed, fitted
from derive.printing.exposition import Exposition
from derive.printing.layouts import matrix_rows
from derive.printing.matrix_notation import matrix_definitions
from derive.printing.matrix_rows import form_rows, result_symbol
from derive.printing.matrix_tree import MatrixExpr, names_of
from derive.read import Formula, Wrt, read_question

if TYPE_CHECKING:
    from derive.numeric import Program
    from derive.verification import Report

__all__ = [
    "LEVELS",
    "Derivation",
    "derivative",
    "grad",
    "hessian",
    "identity",
    "jacobian",
    "jvp",
    "of_entry",
    "vjp",
]

NOTATIONS = ("index", "matrix")
LEVELS = {"brief": BRIEF, "normal": NORMAL, "full": FULL}


@dataclass(frozen=True)
class Derivation:
    """A derivative in closed form, with every step that led to it.

    `parts` holds one derivation for each pair of output and variable, outputs first. `reference` is the
    author's own torch function of the variables in their order, where there is one: verification prefers it.
    `original` is the problem as it was read, before a G, a V or a gradient was added to it.
    """

    parts: tuple[Derived, ...]
    kind: str
    reference: Callable[..., Any] | None = field(default=None, compare=False)
    style: Style = field(default_factory=Style)
    name: str = ""
    original: Problem | None = None

    @property
    def problem(self) -> Problem:
        """The problem that was differentiated (for a vjp or jvp with its G or V)."""
        return self.parts[0].problem

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step: `before = after` by the named rules."""
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def lemmas(self) -> tuple[Lemma, ...]:
        """The derivatives of named functions that were used, each with its own derivation."""
        return tuple(dict.fromkeys(lemma for part in self.parts for lemma in part.lemmas))

    @property
    def closed_form(self) -> Node | tuple[Node, ...]:
        """The last step's right-hand side, as a display tree; one a part."""
        forms = tuple(part.closed_form for part in self.parts)
        return forms if len(forms) > 1 else forms[0]

    @property
    def value(self) -> Expr | tuple[Expr, ...]:
        """The closed form as a SymPy expression in index notation."""
        values = tuple(value(part.closed_form) for part in self.parts)
        return values if len(values) > 1 else values[0]

    def latex(
        self,
        level: str = "normal",
        style: Style | str | None = None,
        layout: str | None = None,
        lang: str | None = None,
        sizes: Mapping[str, int] | None = None,
        notation: str = "index",
        width: float | None = None,
    ) -> str:
        """The derivation as an `aligned` block for each part, legal in notebooks, KaTeX, MathJax and LaTeX.

        `level` is brief, normal or full; `style` a Style or the name of one; `lang` en or zh. With `sizes`
        ({"m": 2, "n": 3}) Jacobians are written out as matrices in numerator or denominator `layout`. With
        `notation="matrix"` the result is written in matrix notation too, where it has one. `width` is that of
        the page, in letters (70 is that of an article): rows that are wider are broken, and labels moved.
        What an earlier part has shown is not shown again.
        """
        if level not in LEVELS:
            raise ValueError(f"there is no level {level!r}; write one of {', '.join(LEVELS)}")
        blocks = [self.blocks(part, level, style, layout, lang, sizes, notation) for part in self.parts]
        rows = unrepeated([row for block in part for row in block] for part in blocks)
        return "\n".join(aligned(fitted(part, width) if width else part) for part in rows)

    @property
    def matrix_form(self) -> MatrixExpr | tuple[MatrixExpr | None, ...] | None:
        """The closed form in matrix notation, checked against it in numbers; None for a part that has none.

        A gradient has the shape of its variable, a Jacobian one row for each output.
        """
        forms = tuple(self._matrix_form(part) for part in self.parts)
        return forms if len(forms) > 1 else forms[0]

    def fragments(
        self,
        level: str = "normal",
        style: Style | str | None = None,
        layout: str | None = None,
        lang: str | None = None,
        sizes: Mapping[str, int] | None = None,
        notation: str = "index",
        width: float | None = None,
    ) -> tuple[str, ...]:
        """The same as separate displays, for a page with prose between them; with `width`, fitted to it."""
        asked = (level, style, layout, lang, sizes, notation)
        blocks = list(unrepeated(block for part in self.parts for block in self.blocks(part, *asked)))
        if width:
            blocks = [block for rows in blocks for block in displayed(fitted(tuple(rows), width))]
        return tuple(aligned(block) for block in blocks)

    def blocks(
        self,
        part: Derived,
        level: str,
        style: Style | str | None,
        layout: str | None,
        lang: str | None,
        sizes: Mapping[str, int] | None,
        notation: str = "index",
    ) -> tuple[Any, ...]:
        """The displays of one part, each a tuple of rows."""
        if notation not in NOTATIONS:
            raise ValueError(f"there is no notation {notation!r}; write one of {', '.join(NOTATIONS)}")
        chosen = self._style(style, lang)
        shown = exposition(part)
        if sizes is None and layout is None:
            rows = shown.rows(LEVELS[level], chosen)
            return (rows if notation == "index" else (*rows, *self._matrix_rows(part, shown.scope(chosen))),)
        return matrix_rows(shown, sizes_of(part.problem, sizes or {}), layout or "numerator", chosen)

    def exposition(self, part: Derived) -> Exposition:
        """What is shown of one part."""
        return exposition(part)

    def program(self) -> Program:
        """The closed form as a torch function of the problem's variables; `.source` is its code."""
        return self._program

    def forward(self) -> Program:
        """What was differentiated, as a torch function of the same variables."""
        from derive.numeric import forward_of

        return forward_of(self.original or self.problem)

    def verify(self, **options: Any) -> Report:
        """Evidence from referees that share no code with the derivation; see `verification.verify`."""
        from derive.verification import verify

        return verify(
            self.parts, self.program(), kind=self.kind, reference=self.reference, name=self.name, **options
        )

    def _matrix_form(self, part: Derived) -> MatrixExpr | None:
        from derive.numeric import checked_form

        return checked_form(part.indices, value(part.closed_form), part.problem)

    def _matrix_rows(self, part: Derived, scope: Scope) -> tuple[Row, ...]:
        """The named intermediates that the matrix form uses, in matrix notation, and the form."""
        from derive.numeric import checked_form

        form = self._matrix_form(part)
        if form is None or not any(part.problem.dims(name) for name in names_of(form)):
            return ()
        known = matrix_definitions(form, part.problem, checked_form)
        alone = self.kind == "hessian" and len({p.wrt for p in self.parts}) == 1
        twice = next((of for name, _, of in part.generated if alone and name == part.output), None)
        symbol = result_symbol(self.kind, part.output, part.wrt, part.problem, scope, twice=twice)
        return form_rows(
            symbol or latex(part.final.target, scope.with_free(part.indices)), form, known, scope
        )

    @cached_property
    def _program(self) -> Program:
        from derive.numeric import program_of

        return program_of(self.parts)

    def _style(self, style: Style | str | None, lang: str | None) -> Style:
        chosen = self.style if style is None else Style.named(style) if isinstance(style, str) else style
        return chosen.with_lang(lang) if lang else chosen

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __str__(self) -> str:
        return self.latex(level="brief")


def grad(f: Formula, wrt: Wrt, **about: Any) -> Derivation:
    r"""The gradient of a scalar `f`, of the shape of `wrt`; several variables give several parts.

    By a square matrix, `convention` says what its entries answer (see `calculus.CONVENTIONS`): free,
    symmetric, unique or triangular.

    `about` is what is known of the variables: `shapes={"W": "m n"}` (dims are names or numbers, "" a scalar),
    `like=` example tensors, `dtypes=`, and declared facts `assume={"y": "sum=1"}`.

    >>> d = grad("sum(x**2)", wrt="x", shapes={"x": "n"})
    >>> print(d.latex("brief"))
    \begin{aligned}
    f &= \sum_{i=1}^{n} x_i^2 && \text{(definition)} \\
    \frac{\partial f}{\partial x_i} &= 2 x_i
    \end{aligned}
    """
    convention = about.pop("convention", "free")

    def gradient(problem: Problem, output: str, name: str) -> Derived:
        return calculus.under_convention(calculus.gradient(problem, output, name), convention)

    return _derive(gradient, "gradient", f, wrt, about)


def derivative(f: Formula, wrt: Wrt, order: int = 1, **about: Any) -> Derivation:
    """The entrywise derivative, of any order, of an `f` that acts entry by entry; of the shape of `wrt`."""

    def entrywise(problem: Problem, output: str, name: str) -> Derived:
        return calculus.entrywise(problem, output, name, order)

    return _derive(entrywise, "derivative", f, wrt, about)


def jacobian(f: Formula, wrt: Wrt, **about: Any) -> Derivation:
    """The Jacobian, of shape output.shape + wrt.shape."""
    return _derive(calculus.jacobian, "jacobian", f, wrt, about)


def hessian(f: Formula, wrt: Wrt, **about: Any) -> Derivation:
    """The Hessian of a scalar `f`, of shape wrt.shape + wrt.shape; two variables give the mixed block too."""
    problem, names = read_question(f, wrt, about)
    _named_one(names, problem)
    parts = tuple(
        calculus.hessian(problem, o, first, second)
        for o in problem.outputs
        for first in names
        for second in names
    )
    return _made(parts, "hessian", problem, about)


def vjp(f: Formula, wrt: Wrt, **about: Any) -> Derivation:
    """The backward formula: Σ G ∂f/∂wrt, of the shape of `wrt`; the program takes the upstream G first."""
    return _derive(calculus.vjp, "vjp", f, wrt, about)


def jvp(f: Formula, wrt: Wrt, **about: Any) -> Derivation:
    """The forward formula: Σ ∂f/∂wrt V, of the shape of the output; the program takes the tangent V first."""
    return _derive(calculus.jvp, "jvp", f, wrt, about)


def identity(f: Formula, wrt: Wrt = (), **about: Any) -> Derivation:
    """A proof that the two outputs of a problem are equal: `left, right = tanh(x), 2*sigmoid(2*x) - 1`."""
    problem, _ = read_question(f, wrt, about)
    return _made((calculus.identity(problem),), "identity", problem, about)


def exposition(part: Derived) -> Exposition:
    """What is shown of one part."""
    generated = {name for name, _, _ in part.generated}
    shown = {part.output, *part.problem.path(part.output, part.wrt)} if part.wrt else set()
    shown |= {of for _, _, of in part.generated} | {d.name for d in part.lets}
    definitions = tuple(d for d in part.problem.definitions if d.name in shown - generated)
    local = part.stages if part.combination else part.stages[:-1]
    lemmas = tuple(x.stage for x in part.lemmas)
    return Exposition(part.problem, definitions, lemmas, local, part.final, part.generated)


Operator = Callable[[Problem, str, str], Derived]


def _derive(operator: Operator, kind: str, f: Formula, wrt: Wrt, about: dict[str, Any]) -> Derivation:
    problem, names = read_question(f, wrt, about)
    _named_one(names, problem)
    parts = tuple(operator(problem, output, name) for output in problem.outputs for name in names)
    return _made(parts, kind, problem, about)


def _named_one(names: Sequence[str], problem: Problem) -> None:
    if not names:
        known = ", ".join(v.name for v in problem.variables)
        raise ShapeError(f"wrt names no variable to differentiate by; the variables are: {known}")


def _made(parts: tuple[Derived, ...], kind: str, problem: Problem, about: dict[str, Any]) -> Derivation:
    style = about.get("style") or Style()
    style = Style.named(style) if isinstance(style, str) else style
    return Derivation(parts, kind, about.get("reference"), style, original=problem)


def sizes_of(problem: Problem, sizes: Mapping[str, int]) -> dict[Dim, int]:
    """The sizes by dimension; raises ShapeError for a name that is none, or a size below 1."""
    known = {str(d) for v in problem.variables for d in v.dims}
    for name, size in sizes.items():
        if name not in known:
            raise ShapeError(f"there is no dimension {name!r}; the dimensions are {', '.join(sorted(known))}")
        if not isinstance(size, int) or size < 1:
            raise ShapeError(f"the size of {name} is a whole number from 1 on, not {size!r}")
    return {dim(name): size for name, size in sizes.items()}


def of_entry(entry: Entry) -> Derivation:
    """The derivation of a catalog entry."""
    about = {
        "shapes": entry.shapes,
        "assume": entry.assume,
        "reference": entry.reference,
        "style": Style(**entry.style),
    }
    made = OPERATORS[entry.kind](entry.formula, entry.wrt, **about)
    return replace(made, name=entry.name)


OPERATORS: dict[str, Callable[..., Derivation]] = {
    "gradient": grad,
    "derivative": derivative,
    "jacobian": jacobian,
    "hessian": hessian,
    "vjp": vjp,
    "jvp": jvp,
    "identity": identity,
}
