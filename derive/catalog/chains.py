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


def by_hand(y1: Any, w1: Any, y2: Any, w2: Any) -> Any:
    """One entry of the gradient of `half`."""
    import torch

    p1, p2 = torch.sigmoid(y1), torch.sigmoid(y2)
    return w1 * p1 * p1 * (1 - p1) + w2 * p2 * p2 * (1 - p2)


SHAPES = {"W": "m n", "x": "n"}
SIZES = {"m": 2, "n": 3}
STYLE = {"vectors": "arrow", "fractions": "dfrac", "small_entries": True, "symbols": (("sigmoid", r"\phi"),)}
WEIGHTS = ((1, 3, 5), (0.2, 0.4, 0.6))
BY_HAND = ("0.01018808515111608", "0.020376170581179024", "0.030564256011241964")
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
                BY_HAND,
                dtype="float64",
                figures=14,
                remark=(
                    "The last digits are rounding errors of 1 - σ(22), which cancels; "
                    "ours are right to an ulp, and vector-chain-by-hand reproduces the others."
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
        title="One entry of that gradient as it is worked out by hand, factor by factor",
        formula=(
            "p1 = sigmoid(y1); u1 = w1*p1; v1 = u1*p1; t1 = v1*(1 - p1); "
            "p2 = sigmoid(y2); u2 = w2*p2; v2 = u2*p2; t2 = v2*(1 - p2); g = t1 + t2"
        ),
        wrt=("w1",),
        reference=by_hand,
        prints=tuple(
            Printed(source, {"y1": 22, "w1": w1, "y2": 2.8, "w2": w2}, digits, what="value", dtype="float64")
            for source, w1, w2, digits in (
                ("note 4, line 172", 1, 0.2, BY_HAND[0]),
                ("note 4, line 173", 3, 0.4, BY_HAND[1]),
                ("note 4, line 174", 5, 0.6, BY_HAND[2]),
            )
        ),
        remark="In this order of multiplication floating-point numbers come out as the notes print them.",
    ),
)
