"""The referee layouts: the program on tensors that lie in memory in other ways, and on a batch of them.

Autograd and broadcasting hand out tensors whose strides are not those of a fresh one. The program must read
them by their shape, leave them as they were, and be mapped over a batch by torch.func.vmap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from derive.verification.case import Case, ProgramFailed, first_line
from derive.verification.comparison import Comparison
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.samples import Sample

__all__ = ["LAYOUTS", "by_layouts"]


def transposed(x: Any) -> Any:
    """The same values with the axes in the opposite order in memory."""
    axes = tuple(reversed(range(x.ndim)))
    return x.permute(axes).contiguous().permute(axes)


def strided(x: Any) -> Any:
    """The same values with others between them."""
    import torch

    return torch.stack([x, x - 1], dim=-1)[..., 0]


def expanded(x: Any) -> Any:
    """The first slice along the first axis, repeated by a stride of 0."""
    return x[:1].expand(x.shape) if x.ndim else x.expand(())


LAYOUTS: dict[str, Callable[[Any], Any]] = {f.__name__: f for f in (transposed, strided, expanded)}


def by_layouts(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a layout, and one for a batch, for every question."""
    sample = case.samples[0]
    for name, layout in LAYOUTS.items():
        views = [layout(x) for x in case.tensors(sample, "float64")]
        copies = [v.clone().contiguous() for v in views]
        before = [v.clone() for v in views]
        plain, seen = _ran(case, copies, sample), _ran(case, views, sample)
        changed = [
            v.name
            for v, view, old in zip(case.variables, views, before, strict=True)
            if not bool((view == old).all())
        ]
        yield from _compared(case, referee, name, sample, seen, plain, changed)
    yield from _batch(case, referee, sample)


def _batch(case: Case, referee: Referee, sample: Sample) -> Iterator[Check]:
    """The program mapped over a batch of two, against one call after the other."""
    import torch

    tensors = case.tensors(sample, "float64")
    rows = [tensors, [x.flip(tuple(range(x.ndim))) for x in tensors]]
    try:
        mapped = torch.func.vmap(case.program)(*(torch.stack(pair) for pair in zip(*rows, strict=True)))
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        for question in case.questions:
            reason = f"in a batch: {type(error).__name__}: {first_line(error)}"
            yield Check(question.label, referee.name, "unknown", reason=reason, guarantee=referee.guarantee)
        return
    mapped = tuple(mapped) if isinstance(mapped, (tuple, list)) else (mapped,)
    alone = [_ran(case, row, sample) for row in rows]
    for k, question in enumerate(case.questions):
        comparison = Comparison("float64")
        for place, results in enumerate(alone):
            one, other = mapped[k][place], results[k]
            comparison.tensors(one, other, sample, tuple(other.shape), other.float)
        yield comparison.check(question, referee, "in a batch")


def _ran(case: Case, tensors: Sequence[Any], sample: Sample) -> tuple[Any, ...]:
    try:
        result = case.program(*tensors)
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ProgramFailed(f"{type(error).__name__}: {first_line(error)} ({sample.label})") from error
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def _compared(
    case: Case,
    referee: Referee,
    name: str,
    sample: Sample,
    seen: tuple[Any, ...],
    plain: tuple[Any, ...],
    changed: Sequence[str],
) -> Iterator[Check]:
    labelled = replace(sample, label=f"{name} inputs; {sample.label}")
    for k, question in enumerate(case.questions):
        comparison = Comparison("float64")
        comparison.tensors(seen[k], plain[k], labelled, tuple(plain[k].shape), plain[k].float)
        if changed:
            comparison.refute(labelled, f"the program writes into {', '.join(changed)}")
        yield comparison.check(question, referee, f"{name} inputs")
