"""Cross-entropies: of one probability, of several classes, of logits."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry

__all__ = ["ENTRIES"]


def binary(y: Any, p: Any) -> Any:
    """The binary cross-entropy of probabilities as torch has it."""
    import torch

    return torch.nn.functional.binary_cross_entropy(p, y)


def binary_of_logits(z: Any, y: Any) -> Any:
    """The binary cross-entropy of logits as torch has it."""
    import torch

    return torch.nn.functional.binary_cross_entropy_with_logits(z, y)


def of_probabilities(y: Any, p: Any) -> Any:
    """The cross-entropy of probabilities."""
    import torch

    return -(y * torch.log(p)).sum()


def of_logits(z: Any, y: Any) -> Any:
    """The cross-entropy of logits as torch has it."""
    import torch

    return torch.nn.functional.cross_entropy(z, y)


ENTRIES = (
    Entry(
        name="binary-cross-entropy",
        title="The binary cross-entropy of probabilities",
        formula="l = -mean(y*log(p) + (1 - y)*log(1 - p))",
        wrt=("p",),
        shapes={"y": "n", "p": "n"},
        assume={"y": "unit interval", "p": "unit interval"},
        reference=binary,
    ),
    Entry(
        name="binary-cross-entropy-sigmoid",
        title="The binary cross-entropy of logits",
        formula="p = sigmoid(z); l = -mean(y*log(p) + (1 - y)*log(1 - p))",
        wrt=("z",),
        shapes={"z": "n", "y": "n"},
        assume={"y": "unit interval"},
        reference=binary_of_logits,
    ),
    Entry(
        name="cross-entropy",
        title="The cross-entropy of probabilities",
        formula="l = -sum(y*log(p))",
        wrt=("p",),
        shapes={"y": "n", "p": "n"},
        assume={"p": "unit interval"},
        reference=of_probabilities,
    ),
    Entry(
        name="softmax-cross-entropy",
        title="The cross-entropy of logits",
        formula="s = softmax(z); l = -sum(y*log(s))",
        wrt=("z",),
        shapes={"z": "n", "y": "n"},
        assume={"y": "sum=1"},
        reference=of_logits,
    ),
)
