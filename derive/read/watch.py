"""While a function is traced: torch's own functions reach the vocabulary, and local names are noted.

For this a TorchFunctionMode and a profile function are set for the thread, and `math.sqrt` and its like,
`torch.arange` and custom autograd functions are replaced; all is put back however the function ends. The
replacements are seen by every thread but do what they did for any other thread; one trace runs at a time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from derive.errors import Unsupported
from derive.read.captured import is_tensor
from derive.read.dispatch import op_name
from derive.read.refusals import Refused, is_in_place, refuse
from derive.read.sizes import symbolic_math
from derive.read.traced import Trace, Traced

__all__ = ["watching"]

_ONE_AT_A_TIME = threading.RLock()

# What is asked of a parameter without computing with it.
QUESTIONS = frozenset(
    "size dim numel nelement ndimension is_floating_point is_complex stride element_size __len__"
    " storage_offset is_contiguous get_device data_ptr __hash__ __repr__ __format__ is_same_size".split()
)
PROPERTIES = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})


@contextmanager
def watching(trace: Trace) -> Iterator[None]:
    """The context in which the author's function is run."""
    import torch

    with ExitStack() as stack:
        stack.enter_context(_ONE_AT_A_TIME)
        stack.enter_context(torch.enable_grad())
        stack.enter_context(symbolic_math())
        for owner, name in (
            (torch, "arange"),
            (torch, "linspace"),
            (torch, "full_like"),
            (torch.nn.functional, "one_hot"),
        ):
            stack.enter_context(_replaced(owner, name, _taking_sizes(trace, name)))
        stack.enter_context(_tensor_for_isinstance(torch))
        stack.enter_context(_replaced(torch.autograd.Function, "apply", _custom(trace)))
        stack.enter_context(_replaced(torch._functorch.utils, "unwrap_dead_wrappers", _kept(trace)))
        stack.enter_context(_profiled(trace))
        trace.watched = _mode(trace)
        stack.enter_context(trace.watched())
        yield


@contextmanager
def _tensor_for_isinstance(torch: Any) -> Iterator[None]:
    """`isinstance(x, torch.Tensor)` holds for traced tensors, in Python alone.

    A traced tensor must not claim so itself: torch's own code would believe it, and read memory it has not.
    """
    tensor = torch.Tensor

    class Meta(type(tensor)):  # type: ignore[misc]
        def __instancecheck__(cls, item: Any) -> bool:
            return isinstance(item, (tensor, Traced, Refused))

    torch.Tensor = Meta("Tensor", (tensor,), {})
    try:
        yield
    finally:
        torch.Tensor = tensor


def _mode(trace: Trace) -> Callable[[], Any]:
    from torch.overrides import TorchFunctionMode

    class Watch(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            from derive.read.ops import is_factory, is_random

            kwargs = kwargs or {}
            name = op_name(func)
            given = (*args, *kwargs.values())
            if is_factory(func) or (is_random(func) and not any(type(a) is Traced for a in given)):
                return trace.call(func, args, kwargs)
            if any(type(a) is Traced for a in given) or not any(map(is_tensor, given)) or _asks(func, name):
                return func(*args, **kwargs)
            if is_in_place(name):
                if not args[0].is_floating_point():
                    return args[0]  # a counter, such as num_batches_tracked
                refuse(name, kwargs, trace.observe())
            return trace.call(func, args, kwargs) if any(map(trace.brings, given)) else func(*args, **kwargs)

    return Watch


def _asks(func: Any, name: str) -> bool:
    return name in QUESTIONS or (getattr(func, "__name__", "") == "__get__" and name not in PROPERTIES)


def _taking_sizes(trace: Trace, name: str) -> Callable[..., Any]:
    """A torch function of which torch's own parser takes no size: it goes to the vocabulary by its name."""
    return lambda *args, **kwargs: trace.call(name, args, kwargs)


def _custom(trace: Trace) -> Any:
    def apply(function: Any, *_: Any, **__: Any) -> Any:
        what = f"the custom autograd function {function.__name__}"
        raise Unsupported(
            what, "its backward is its own: write the forward with torch's functions", line=trace.observe()
        )

    return classmethod(apply)


def _kept(trace: Trace) -> Any:
    """For an `apply` that was taken from its class before: this is the first that it asks."""

    def unwrap(_: Any) -> Any:
        return _custom(trace).__func__(sys._getframe(2).f_locals.get("cls", torch_function))

    return unwrap


def torch_function() -> None:
    """The name of a custom autograd function that has none."""


@contextmanager
def _replaced(owner: Any, name: str, ours: Any) -> Iterator[None]:
    """`owner.name` replaced for this thread, and put back."""
    theirs = vars(owner)[name]
    thread = threading.get_ident()

    def chosen(*args: Any, **kwargs: Any) -> Any:
        mine = threading.get_ident() == thread
        if isinstance(theirs, classmethod):
            cls, *rest = args
            return (ours if mine else theirs).__func__(cls, *rest, **kwargs)
        return (ours if mine else theirs)(*args, **kwargs)

    setattr(owner, name, classmethod(chosen) if isinstance(theirs, classmethod) else chosen)
    try:
        yield
    finally:
        setattr(owner, name, theirs)


@contextmanager
def _profiled(trace: Trace) -> Iterator[None]:
    """The last values of local variables are noted when a function of the author returns."""

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "return" and trace.is_authored(frame):
            trace.note(frame)

    before = sys.getprofile()
    if before is not None and not callable(before):
        yield  # a profiler written in C could not be put back; a name or two is lost instead
        return
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before if callable(before) else None)  # one written in C cannot be set again
