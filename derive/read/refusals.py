"""What a trace refuses, and what to write instead: one row for each thing that would be answered wrongly.

A value cannot steer Python, a change in place would have to reach every other name of the same tensor, and
what torch leaves out of its gradients on purpose (detach, no_grad) is no function to be differentiated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.errors import Unsupported

__all__ = [
    "BEYOND",
    "DROPOUT",
    "INNER",
    "IN_PLACE_OPERATORS",
    "JOINT_VIEWS",
    "REFUSED",
    "VIEWS",
    "Refused",
    "is_idle_dropout",
    "is_in_place",
    "refuse",
]

HELD = "it depends on what is differentiated by; pass the detached value as an argument of its own"

# torch name → what is refused, what to write instead
REFUSED: dict[str, tuple[str, str]] = {
    "__bool__": ("control flow that depends on the values of a tensor", "write torch.where(condition, a, b)"),
    "__int__": (
        "int() of a tensor's value",
        "keep it a tensor; a size is x.shape[0], a number an argument's default",
    ),
    "__index__": ("a tensor's value as a position or a number of repetitions", "give it as a number"),
    "__float__": (
        "float() of a tensor's value",
        "keep it a tensor, and use torch's functions instead of math's",
    ),
    "__complex__": ("complex() of a tensor's value", "derive works over the reals"),
    "__array__": ("conversion to numpy", "write it with torch"),
    "numpy": ("conversion to numpy", "write it with torch"),
    "item": ("the number behind a tensor (.item())", "keep it a tensor"),
    "tolist": ("the numbers behind a tensor (.tolist())", "keep it a tensor"),
    "__setitem__": (
        "a change of some entries in place (x[…] = …)",
        "write torch.where, torch.cat or torch.stack",
    ),
    "detach": ("detach", HELD),
    "detach_": ("detach_", HELD),
    "data": (".data", HELD),
    "requires_grad_": ("requires_grad_", "leave it out: wrt= says by what is differentiated"),
    "backward": ("backward inside the function", "return the loss: derive differentiates it"),
    "grad": (
        "torch.autograd.grad inside the function",
        "write the derivative out, or return the inner value and ask for its hessian or jacobian",
    ),
    "register_hook": ("a hook on a gradient", "write the function without it"),
    "complex": ("a complex tensor", "derive works over the reals: write real and imaginary part"),
    "polar": ("a complex tensor", "derive works over the reals: write real and imaginary part"),
    "view_as_complex": ("a complex tensor", "derive works over the reals: write real and imaginary part"),
    "imag": ("an imaginary part", "derive works over the reals"),
    "nonzero": ("positions that depend on values", "write torch.where(condition, a, b)"),
    "unique": ("a shape that depends on values", "derive needs shapes that are known beforehand"),
    "masked_select": ("a shape that depends on values", "write torch.where(mask, x, 0)"),
}

# The module of torch in which a traced tensor came to an end → what is refused, what to write instead
BEYOND: dict[str, tuple[str, str]] = {
    "torch._dynamo": ("a compiled function", "give the function as it was before torch.compile"),
    "torch._functorch": (
        "torch.func inside the function",
        "write the inner function out, or return its value and ask derive for its derivative",
    ),
    "torch.utils.checkpoint": ("a checkpointed function", "call the function itself"),
    "torch.autograd": ("autograd inside the function", "return the value: derive differentiates it"),
}

# What torch.nn.functional's functions call in the end: by the same name, with other arguments.
INNER = frozenset(
    "batch_norm instance_norm embedding ctc_loss kl_div poisson_nll_loss margin_ranking_loss"
    " triplet_margin_loss binary_cross_entropy_with_logits hinge_embedding_loss cosine_embedding_loss".split()
)

# Of torch.fft, these two only exchange entries.
SHIFTS = {"fft_fftshift", "fft_ifftshift"}

RANDOM_IN_PLACE = {
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "uniform_",
}
RANDOM = {"randperm", "rand", "randn", "randint_like", "_standard_gamma", "_sample_dirichlet", "binomial"}

# Whether it is in training by default.
DROPOUT: dict[str, bool] = {
    "dropout": True,
    "dropout1d": True,
    "dropout2d": True,
    "dropout3d": True,
    "alpha_dropout": False,
    "feature_alpha_dropout": False,
    "feature_dropout": True,
}

# Operations whose result may be the same memory as their first argument.
VIEWS = frozenset(
    "T mT H mH t transpose swapaxes swapdims permute movedim moveaxis view reshape view_as reshape_as flatten"
    " unflatten ravel getitem select narrow unsqueeze squeeze expand expand_as broadcast_to broadcast_tensors"
    " diagonal linalg_diagonal chunk split split_with_sizes tensor_split unbind hsplit vsplit dsplit adjoint"
    " contiguous to type float double half bfloat16 type_as as_tensor asarray real conj resolve_conj"
    " resolve_neg positive dropout sum_to_size einsum meshgrid cartesian_prod slice"
    " alias unfold atleast_1d atleast_2d atleast_3d".split()
)

# Of these, the ones that take several tensors; each result may be the memory of any of them.
JOINT_VIEWS = frozenset("broadcast_tensors meshgrid cartesian_prod atleast_1d atleast_2d atleast_3d".split())

IN_PLACE_OPERATORS = frozenset(
    f"__i{name}__"
    for name in "add sub mul truediv div floordiv mod pow matmul and or xor lshift rshift".split()
)


def is_in_place(name: str) -> bool:
    """Whether a torch function of that name changes its first argument."""
    return name in IN_PLACE_OPERATORS or (name.endswith("_") and not name.endswith("__"))


def is_idle_dropout(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it is a dropout that does nothing: outside of training, or of probability 0."""
    if name not in DROPOUT:
        return False
    given = dict(zip(("input", "p", "training"), args, strict=False)) | dict(kwargs)
    training = given.get("training", given.get("train", DROPOUT[name]))
    return not training or given.get("p", 0.5) == 0


def refuse(name: str, kwargs: Mapping[str, Any], line: int) -> None:
    """Raise Unsupported for what the tables name: by its own reason, as random, as in place, as out=."""
    from derive.read.ops import RANDOM as OPERATIONS

    if name in REFUSED:
        what, hint = REFUSED[name]
        raise Unsupported(what, hint, line=line)
    if name in RANDOM | RANDOM_IN_PLACE | OPERATIONS or name in DROPOUT:
        hint = (
            "call .eval(), or pass the mask as an argument"
            if name in DROPOUT
            else "pass the noise as an argument"
        )
        raise Unsupported(f"the random {name}", hint, line=line)
    if name.startswith(("fft_", "stft", "istft")) and name not in SHIFTS:
        raise Unsupported(f"torch's {name}, which is complex", "derive works over the reals", line=line)
    if is_in_place(name):
        plain = name.strip("_").removeprefix("i") if name in IN_PLACE_OPERATORS else name.rstrip("_")
        raise Unsupported(f"the in-place {name}", f"write x = x.{plain}(…)", line=line)
    if kwargs.get("out") is not None:
        raise Unsupported(f"out= of {name}", f"write y = torch.{name}(…)", line=line)


class Refused:
    """A part of a result that has no derivative: using it raises."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python looks: inspect, copy
            raise AttributeError(name)
        self.used()

    def used(self, *_: Any) -> Any:
        """Raise: a result was asked for that has no derivative."""
        raise Unsupported(self.what, self.hint)
