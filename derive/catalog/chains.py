"""Chains: a scalar one, and y = Wx, a = σ(y), l = ½Σa² stage by stage."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Printed

__all__ = ["ENTRIES"]


def scalars(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """Two linear functions, one after the other."""
    y1 = x * w1 + b1
    return y1 * w2 + b2


def linear(w: Any, x: Any) -> Any:
    """A matrix times a vector."""
    return w @ x


def layer(w: Any, x: Any) -> Any:
    """A sigmoid layer."""
    import torch

    return 1 / (1 + torch.exp(-(w @ x)))


def half(w: Any, x: Any) -> Any:
    """Half the sum of squares of a sigmoid layer."""
    a = layer(w, x)
    return (a * a).sum() / 2


def whole(w: Any, x: Any) -> Any:
    """The sum of squares of a sigmoid layer."""
    a = layer(w, x)
    return (a * a).sum()


def by_hand(y: Any, w: Any) -> Any:
    """The gradient of `half` as it is worked out by hand."""
    import torch

    p = torch.sigmoid(y)
    return (w.T * p * p * (1 - p)).sum(1)


SHAPES = {"W": "m n", "x": "n"}
SIZES = {"m": 2, "n": 3}
STYLE = {"vectors": "arrow", "small_entries": True, "symbols": (("sigmoid", r"\phi"),)}
WEIGHTS = ((1, 3, 5), (0.2, 0.4, 0.6))
POINT = {"W": WEIGHTS, "x": (1, 2, 3)}

ENTRIES = (
    Entry(
        name="scalar-chain",
        title="Two linear functions, one after the other",
        formula="y1 = x*w1 + b1; y2 = y1*w2 + b2",
        wrt=("w1",),
        reference=scalars,
        prints=(Printed("note 2, line 51", {"x": 1, "w1": 2, "b1": 1, "w2": 2, "b2": 1}, "2."),),
    ),
    Entry(
        name="linear",
        title="A linear function of a vector",
        formula="y = W @ x",
        wrt=("x",),
        kind="jacobian",
        shapes=SHAPES,
        reference=linear,
        prints=(Printed("note 4, line 131", POINT, (("22.0000",), ("2.8000",)), what="value"),),
        sizes=SIZES,
        layout="denominator",
        style=STYLE,
    ),
    Entry(
        name="sigmoid-layer",
        title="A sigmoid layer",
        formula="y = W @ x; a = sigmoid(y)",
        wrt=("x",),
        kind="jacobian",
        shapes=SHAPES,
        reference=layer,
        prints=(Printed("note 4, line 138", POINT, (("1.0000",), ("0.9427",)), what="value"),),
        sizes=SIZES,
        layout="denominator",
        style=STYLE,
    ),
    Entry(
        name="vector-chain",
        title="A chain of vectors, by its inputs",
        formula="y = W @ x; a = sigmoid(y); l = 1/2*sum(a**2)",
        wrt=("x",),
        shapes=SHAPES,
        reference=half,
        prints=(
            Printed(
                "note 4, line 172",
                POINT,
                ("0.01018808515111608", "0.020376170581179024", "0.030564256011241964"),
                dtype="float64",
                figures=14,
                remark=(
                    "The last digits are rounding errors of 1 - σ(22), which cancels; "
                    "ours are right to the last, and the hand's own are those of vector-chain-by-hand."
                ),
            ),
        ),
        sizes=SIZES,
        layout="denominator",
        style=STYLE,
    ),
    Entry(
        name="vector-chain-weights",
        title="A chain of vectors, by its weights",
        formula="y = W @ x; a = sigmoid(y); l = 1/2*sum(a**2)",
        wrt=("W",),
        shapes=SHAPES,
        reference=half,
        sizes=SIZES,
        layout="denominator",
        style=STYLE,
    ),
    Entry(
        name="vector-chain-code",
        title="The same chain without the factor one half",
        formula="y = W @ x; a = sigmoid(y); l = sum(a**2)",
        wrt=("x", "W"),
        shapes=SHAPES,
        reference=whole,
        prints=(
            Printed("note 4, line 145", POINT, "1.8886", what="value"),
            Printed("note 4, line 155", POINT, (("0.0204",), ("0.0408",), ("0.0611",)), at=(0,)),
            Printed(
                "note 4, line 159",
                POINT,
                (("5.5789e-10", "1.1158e-09", "1.6737e-09"), ("1.0188e-01", "2.0376e-01", "3.0564e-01")),
                at=(1,),
                remark=(
                    "The first row is right only where 1 - σ(22) is computed as σ(-22); "
                    "autograd through torch.sigmoid gives 0 in float32."
                ),
            ),
        ),
        sizes=SIZES,
        layout="denominator",
        style=STYLE,
        remark="Twice the values and gradients of vector-chain.",
    ),
    Entry(
        name="vector-chain-by-hand",
        title="The gradient of the chain as it is worked out by hand, factor by factor",
        formula="p = sigmoid(y); u = W.T*p; v = u*p; t = v*(1 - p); g = sum(t, 1)",
        wrt=("W",),
        kind="jacobian",
        shapes={"y": "m", "W": "m n"},
        reference=by_hand,
        prints=(
            Printed(
                "note 4, line 172",
                {"y": (22, 2.8), "W": WEIGHTS},
                ("0.01018808515111608", "0.020376170581179024", "0.030564256011241964"),
                what="value",
                dtype="float64",
            ),
        ),
    ),
)
