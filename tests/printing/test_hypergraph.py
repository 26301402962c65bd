from __future__ import annotations

import pytest

from derive.expr.indices import Index, dim
from derive.printing.hypergraph import Graph, NoForm
from derive.printing.matrix_latex import latex
from derive.printing.matrix_tree import Named

m, n = dim("m"), dim("n")
i, j = Index("i", m), Index("j", m)
k, l = Index("k", n), Index("l", n)
PLACES = {
    "A": (i, k),
    "B": (k, j),
    "C": (i, j),
    "D": (k, l),
    "E": (l, k),
    "F": (k, i),
    "u": (i,),
    "v": (k,),
    "w": (k,),
}


def written(names, bound, row=None, column=None):
    graph = Graph(repr)
    for name in names:
        at = PLACES[name]
        graph.add(Named(name, tuple(a.dim for a in at)), at)
    scalars = graph.eliminate(bound)
    parts = [latex(s) for s in scalars]
    return " ".join([*parts, latex(graph.result(row, column))] if row else parts)


@pytest.mark.parametrize(
    ("names", "bound", "row", "column", "expected"),
    [
        ("AB", (k,), i, j, "A B"),
        ("AvB", (k,), i, j, r"A \operatorname{diag}(v) B"),
        ("Av", (k,), i, None, "A v"),
        ("A", (k,), i, None, r"A \mathbf{1}"),
        ("AF", (k,), i, None, r"(A \odot F^T) \mathbf{1}"),
        ("vw", (k,), None, None, "v^T w"),
        ("v", (k,), None, None, r"\mathbf{1}^T v"),
        ("vv", (k,), None, None, r"\lVert v \rVert^{2}"),
        ("DE", (k, l), None, None, r"\operatorname{tr}(D^T E^T)"),
        ("DD", (k, l), None, None, r"\lVert D \rVert_F^{2}"),
        ("uv", (), i, k, "u v^T"),
        ("A", (), k, i, "A^T"),
        ("Auv", (), i, k, r"\operatorname{diag}(u) A \operatorname{diag}(v)"),
        ("u", (), i, k, r"u \mathbf{1}^T"),
    ],
)
def test_a_product_of_entries_as_a_graph(names, bound, row, column, expected):
    assert written(names, bound, row, column) == expected


def test_below_the_line():
    graph = Graph(repr)
    graph.add(Named("u", (m,)), (i,))
    graph.add(Named("A", (m, n)), (i, k), below=True)

    assert latex(graph.result(i, k)) == r"(u \mathbf{1}^T) \oslash A"


def test_a_sum_with_three_neighbours_has_no_form():
    graph = Graph(repr)
    other = Index("q", n)
    for name, at in (("A", (i, k)), ("B", (k, j)), ("D", (k, other))):
        graph.add(Named(name, tuple(a.dim for a in at)), at)

    with pytest.raises(NoForm, match="3 neighbours"):
        graph.eliminate((k,))
