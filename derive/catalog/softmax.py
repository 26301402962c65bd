"""The softmax and its Jacobian s_i(δ_ij - s_j), in every form in which it is met."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Printed

__all__ = ["ENTRIES"]


def softmax(z: Any) -> Any:
    """The softmax as torch has it."""
    import torch

    return torch.softmax(z, dim=0)


def of_scalars(z1: Any, z2: Any, z3: Any, z4: Any) -> Any:
    """The softmax of four scalars, as a tuple."""
    import torch

    z = [torch.exp(z1), torch.exp(z2), torch.exp(z3), torch.exp(z4)]
    return tuple(e / sum(z) for e in z)


def total(z: Any) -> Any:
    """The sum of the softmax."""
    return softmax(z).sum()


def log_softmax(z: Any) -> Any:
    """The logarithm of the softmax as torch has it."""
    import torch

    return torch.log_softmax(z, dim=0)


def logsumexp(z: Any) -> Any:
    """The logarithm of a sum of exponentials as torch has it."""
    import torch

    return torch.logsumexp(z, dim=0)


def exponential(z: Any) -> Any:
    """The exponential."""
    import torch

    return torch.exp(z)


LOGITS = (1.1, 2.2, 0.2, -2.0)
JACOBIAN = (
    ("0.1741", "-0.1513", "-0.0205", "-0.0023"),
    ("-0.1513", "0.2196", "-0.0615", "-0.0068"),
    ("-0.0205", "-0.0615", "0.0829", "-0.0009"),
    ("-0.0023", "-0.0068", "-0.0009", "0.0100"),
)
NOTE_1 = ("0.8865", "0.8730", "0.6643")
NOTE_2 = ("0.1714", "0.4650", "0.7201")
NOTE_3 = ("0.7066", "0.4845", "0.3603")

ENTRIES = (
    Entry(
        name="softmax",
        title="The softmax of n numbers",
        formula="s = softmax(z)",
        wrt=("z",),
        kind="jacobian",
        shapes={"z": "n"},
        reference=softmax,
        prints=(
            Printed(
                "note 0, line 115",
                {"z": (1.2, 3, -1.9, -0.8)},
                ("0.13831198", "0.83673869", "0.00623084", "0.01871849"),
                what="value",
                dtype="float64",
            ),
            Printed(
                "note 0, line 121",
                {"z": (1.2, 3, -1.9, -0.8)},
                ("0.1383", "0.8367", "0.0062", "0.0187"),
                what="value",
            ),
            Printed("note 1, line 141", {"z": NOTE_1}, ("0.3588", "0.3540", "0.2873"), what="value"),
            Printed("note 1, line 158", {"z": NOTE_1}, ("0.3588", "0.3540", "0.2873"), what="value"),
            Printed("note 1, line 163", {"z": NOTE_1}, "0.3540", what="value", at=(1,)),
            Printed("note 1, line 175", {"z": NOTE_1}, ("-0.1270", "0.2287", "-0.1017"), at=(1,)),
            Printed(
                "note 1, line 180",
                {"z": NOTE_1},
                ("-0.1031", "-0.1017", "0.2047"),
                at=(2,),
                remark="The inputs as printed give 0.2048; a third of those that round to them give 0.2047.",
            ),
            Printed("note 3, line 206", {"z": NOTE_3}, ("0.3987", "0.3193", "0.2820"), what="value"),
            Printed("note 3, line 212", {"z": NOTE_3}, ("-0.1273", "0.2173", "-0.0900"), at=(1,)),
            Printed("note 3, line 217", {"z": NOTE_3}, ("-0.1124", "-0.0900", "0.2025"), at=(2,)),
        ),
    ),
    Entry(
        name="softmax-4",
        title="The softmax of four numbers, as a matrix",
        formula="s = softmax(z)",
        wrt=("z",),
        kind="jacobian",
        shapes={"z": "n"},
        reference=softmax,
        prints=(
            Printed(
                "note 0, line 135", {"z": LOGITS}, ("0.2244", "0.6742", "0.0912", "0.0101"), what="value"
            ),
            Printed(
                "note 0, line 140", {"z": LOGITS}, ("0.2244", "0.6742", "0.0912", "0.0101"), what="value"
            ),
            Printed(
                "note 0, line 169", {"z": LOGITS}, ("0.2244", "0.6742", "0.0912", "0.0101"), what="value"
            ),
            Printed("note 0, line 189", {"z": LOGITS}, JACOBIAN),
        ),
        sizes={"n": 4},
        style={"fractions": "dfrac"},
    ),
    Entry(
        name="softmax-scalars",
        title="The softmax of four scalars",
        formula=(
            "e1 = exp(z1); e2 = exp(z2); e3 = exp(z3); e4 = exp(z4); t = e1 + e2 + e3 + e4; "
            "s1, s2, s3, s4 = e1/t, e2/t, e3/t, e4/t"
        ),
        wrt=("z1", "z2", "z3", "z4"),
        kind="jacobian",
        reference=of_scalars,
        prints=(Printed("note 0, line 189", {"z1": 1.1, "z2": 2.2, "z3": 0.2, "z4": -2.0}, JACOBIAN),),
    ),
    Entry(
        name="softmax-row",
        title="Rows of the softmax's Jacobian: the backward formula",
        formula="s = softmax(z)",
        wrt=("z",),
        kind="vjp",
        shapes={"z": "n"},
        reference=softmax,
        prints=(
            Printed(
                "note 0, line 160",
                {"z": LOGITS, "G": (1, 0, 0, 0)},
                JACOBIAN[0],
                remark="G is the first unit vector: the result is the first row of the Jacobian.",
            ),
            Printed("note 1, line 175", {"z": NOTE_1, "G": (0, 1, 0)}, ("-0.1270", "0.2287", "-0.1017")),
            Printed("note 3, line 212", {"z": NOTE_3, "G": (0, 1, 0)}, ("-0.1273", "0.2173", "-0.0900")),
        ),
    ),
    Entry(
        name="softmax-jvp",
        title="The softmax, forward: how it changes along V",
        formula="s = softmax(z)",
        wrt=("z",),
        kind="jvp",
        shapes={"z": "n"},
        reference=softmax,
    ),
    Entry(
        name="softmax-sum",
        title="The sum of the softmax is 1, so that its gradient is 0",
        formula="t = sum(exp(z)/sum(exp(z)))",
        wrt=("z",),
        shapes={"z": "n"},
        reference=total,
        prints=(
            Printed(
                "note 2, line 41",
                {"z": NOTE_2},
                ("0.", "0.", "0."),
                remark="Ours is 0 for every input; autograd leaves rounding errors of 1e-8 in today's torch.",
            ),
        ),
        remark="Every row and every column of the softmax's Jacobian adds up to 0.",
    ),
    Entry(
        name="log-softmax",
        title="The logarithm of the softmax",
        formula="q = log_softmax(z)",
        wrt=("z",),
        kind="jacobian",
        shapes={"z": "n"},
        reference=log_softmax,
    ),
    Entry(
        name="logsumexp",
        title="The smooth maximum, whose gradient is the softmax",
        formula="l = logsumexp(z)",
        wrt=("z",),
        shapes={"z": "n"},
        reference=logsumexp,
    ),
    Entry(
        name="exponential",
        title="The exponential of every entry, which the softmax divides by their sum",
        formula="y = exp(z)",
        wrt=("z",),
        kind="derivative",
        shapes={"z": "n"},
        reference=exponential,
        prints=(
            Printed(
                "note 0, line 186", {"z": LOGITS}, ("3.0042", "9.0250", "1.2214", "0.1353"), what="value"
            ),
        ),
    ),
)
