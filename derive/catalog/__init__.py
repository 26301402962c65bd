"""The catalog: the derivations that ship, one small file a topic. Content only."""

from __future__ import annotations

from difflib import get_close_matches

from derive.catalog import (
    activations,
    chains,
    cross_entropy,
    logistic,
    means,
    mse,
    norm,
    perceptron,
    quadratic,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from derive.catalog.record import Entry, Linspace, Printed

__all__ = ["CATALOG", "Entry", "Linspace", "Printed", "entry"]

# In the order in which a reader meets them.
TOPICS = (
    sigmoid,
    tanh,
    relu,
    activations,
    softmax,
    mse,
    norm,
    cross_entropy,
    logistic,
    perceptron,
    chains,
    means,
    quadratic,
)

CATALOG: dict[str, Entry] = {row.name: row for topic in TOPICS for row in topic.ENTRIES}


def entry(name: str) -> Entry:
    """The entry of that name; a KeyError suggests the names that are near.

    >>> entry("sigmoid").formula
    'sigmoid(x) = 1/(1 + exp(-x))'
    """
    if name in CATALOG:
        return CATALOG[name]
    near = get_close_matches(name, CATALOG, n=3, cutoff=0.5) or [n for n in CATALOG if name and name in n]
    hint = f"; did you mean {', '.join(near)}?" if near else f"; there are: {', '.join(CATALOG)}"
    raise KeyError(f"there is no catalog entry {name!r}{hint}")
