"""Precision: what people's code makes by itself, or brings along, in the precision that it is judged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["in_one_precision", "precision"]


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Inside, tensors that a function makes by itself have this precision, like its inputs."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def in_one_precision(call: Callable[[], Any]) -> Any:
    """What a call gives; tensors of a shorter precision that it brings along are made float64 where it must.

    A weight of float32 in somebody's closure does not multiply inputs of float64.
    """
    try:
        return call()
    except RuntimeError as error:
        if "dtype" not in str(error) and "same type" not in str(error):
            raise
    with _widened():
        return call()


def _widened() -> Any:
    """A mode in which operands of mixed precisions are made float64."""
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_flatten, tree_map

    def is_real(item: Any) -> bool:
        return torch.is_tensor(item) and item.is_floating_point()

    class Widened(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            kwargs = kwargs or {}
            found = {item.dtype for item in tree_flatten((args, kwargs))[0] if is_real(item)}
            if len(found) > 1:
                args, kwargs = tree_map(lambda a: a.double() if is_real(a) else a, (args, kwargs))
            return func(*args, **kwargs)

    return Widened()
