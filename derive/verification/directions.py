"""Random directions: the upstream G and the tangent V with which a derivative is contracted.

They are never all ones: the sum of a Jacobian hides what cancels (the columns of softmax's add up to 0).
"""

from __future__ import annotations

import math
from typing import Any

from derive.verification.sizes import seeded

__all__ = ["contracted", "inner", "random_like"]


def random_like(tensor: Any, *about: Any) -> Any:
    """Normals of the tensor's shape, precision and device; the same for the same `about`."""
    import torch

    rng = seeded(*about)
    drawn = [rng.gauss(0, 1) for _ in range(math.prod(tensor.shape))]
    return torch.tensor(drawn, dtype=tensor.dtype, device=tensor.device).reshape(tensor.shape)


def inner(a: Any, b: Any) -> Any:
    """⟨a, b⟩ of two tensors of one shape."""
    return contracted(a, b, a.ndim)


def contracted(a: Any, b: Any, axes: int) -> Any:
    """The sum over the last `axes` axes of a, times the first of b."""
    import torch

    return torch.tensordot(a, b, dims=axes)
