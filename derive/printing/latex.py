r"""Display tree to LaTeX, with as few brackets as the reader needs.

The printers of the nodes stand in `arithmetic`, `calls`, `indexed`, `norms` and `derivatives`, one a
node; they register with `text.show`.
"""

from __future__ import annotations

from derive.expr.tree import Node
from derive.printing import arithmetic, calls, derivatives, indexed, norms
from derive.printing.scope import Scope
from derive.printing.text import show

__all__ = ["PRINTERS", "latex"]

PRINTERS = (arithmetic, calls, derivatives, indexed, norms)


def latex(node: Node, scope: Scope | None = None) -> str:
    r"""LaTeX of a tree: one fragment, legal inside \( \) in LaTeX with amsmath, in MathJax and in KaTeX.

    Free indices that the scope does not name are given letters here. Raises Unsupported for what cannot be
    written, such as an inexact number.

    >>> from sympy import Integer, Symbol
    >>> from derive.expr.tree import Frac, Num, Sym
    >>> latex(Frac(Num(Integer(1)), Sym(Symbol("x"))))
    '\\frac{1}{x}'
    """
    return show(node, (scope or Scope()).covering(node)).latex
