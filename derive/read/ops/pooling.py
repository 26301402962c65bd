"""Pooling: means, maxima and norms over windows at affine positions."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import sympy
from sympy import And, Eq, Expr, Integer, Max, Or, Piecewise, S

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import Dim, fresh
from derive.expr.tree import Bracket, Cases, Frac, Node, Num, Pow, Sigma, mul, value
from derive.read.arrays import Array, Positions
from derive.read.dispatch import call
from derive.read.ops.convolution import bracketed, each
from derive.read.ops.pieces import in_range
from derive.read.ops.reductions import mean_over, size_node
from derive.read.ops.resampling import weighted
from derive.read.ops.shaping import number_of, split_axis
from derive.read.refusals import Refused
from derive.read.registry import as_real, composite, elementwise, op
from derive.read.sizes import expression
from derive.read.traced import Trace, Traced

__all__ = ["Windows"]


class Windows:
    """The windows over the last axes of an array: how many, where they start, which positions they hold."""

    def __init__(
        self,
        x: Array,
        rank: int,
        kernel: Any,
        stride: Any,
        padding: Any = 0,
        dilation: Any = 1,
        ceil: bool = False,
    ) -> None:
        self.x, self.rank = x, rank
        self.kernel = each(kernel, rank)
        self.stride = each(stride, rank, kernel)
        self.padding, self.dilation = each(padding, rank), each(dilation, rank)
        self.sizes = x.dims[x.rank - rank :]
        self.number = [self._number(n, ceil) for n in range(rank)]
        self.fit = not ceil and all(p == 0 for p in self.padding)

    def _number(self, n: int, ceil: bool) -> Dim:
        size, stride, padding = self.sizes[n], self.stride[n], self.padding[n]
        room = size + 2 * padding - self.dilation[n] * (self.kernel[n] - 1) - 1
        count = (sympy.ceiling if ceil else sympy.floor)(room / stride) + 1
        if ceil and size.is_Integer and (count - 1) * stride >= size + padding:
            count -= 1  # the last window must begin inside the axis, or before it
        elif ceil and not size.is_Integer:
            raise Unsupported(f"ceil_mode over the dimension {size}", "give that size as a number")
        if count.is_Integer and count < 1:
            raise ShapeError(f"a window of {self.kernel[n]} is longer than the padded axis of {size}")
        return count

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The shape of a result with one entry a window."""
        return (*self.x.dims[: self.x.rank - self.rank], *self.number)

    def without_padding(self) -> Windows:
        """The same windows of the array with its border."""
        same = copy(self)
        same.padding = [S.Zero] * self.rank
        return same

    def indices(self) -> list[Expr]:
        """Fresh indices that run over one window."""
        return [fresh("k", d) if d != 1 else Integer(0) for d in self.kernel]

    def positions(self, at: Positions, inside: Sequence[Expr]) -> Positions:
        """The positions in the array of an entry inside the window."""
        lead = at[: len(at) - self.rank]
        where = (
            s * i + d * k - p
            for s, i, d, k, p in zip(
                self.stride, at[len(lead) :], self.dilation, inside, self.padding, strict=True
            )
        )
        return (*lead, *where)

    def total(self, x: Array) -> Array:
        """The sum of each window."""

        def at(positions: Positions) -> Node:
            ks = self.indices()
            where = self.positions(positions, ks)
            return _summed(ks, x.at(where) if self.fit else bracketed(x, where))

        return Array(self.dims, at, x.text)


def _summed(ks: Sequence[Expr], node: Node) -> Node:
    for index in reversed([k for k in ks if not k.is_Integer]):
        node = Sigma(index, node)
    return node


# ── means ───────────────────────────────────────────────────────────────────────────────────────────


def average(
    rank: int, input: Any, kernel: Any, stride: Any, padding: Any, ceil: bool, all_: bool, divisor: Any
) -> Array:
    """The mean of each window; of what lies inside the array alone where padding is not counted."""
    x = as_real(input)
    w = Windows(x, rank, kernel, stride, padding, 1, ceil)
    total = w.total(x)

    def at(positions: Positions) -> Node:
        node = total.at(positions)
        if divisor is not None:
            return mul(Num(1 / expression(divisor)), node)
        places = positions[len(positions) - rank :]
        below = sympy.Mul(*(_extent(w, n, i, all_, ceil) for n, i in enumerate(places)))
        return mul(_reciprocal(below), node)

    return Array(w.dims, at, x.text)


def _reciprocal(below: Expr) -> Node:
    from derive.printing.present import present

    return (
        Frac(Num(S.One), size_node(below))
        if not below.has(Piecewise, sympy.Max, sympy.Min)
        else present(1 / below)
    )


def _extent(w: Windows, n: int, i: Expr, padded: bool, ceil: bool) -> Expr:
    """How many positions of window i along one axis are counted."""
    size, padding, kernel = w.sizes[n], w.padding[n], w.kernel[n]
    if padded and not ceil:
        return kernel
    if padding == 0 and not ceil:
        return kernel
    start = w.stride[n] * i - padding
    stop = start + kernel
    if padded:
        low, high = start, sympy.Min(stop, size + padding)
    else:
        low, high = sympy.Max(start, 0), sympy.Min(stop, size)
    return _pieced(high) - _pieced(low)


def _pieced(bound: Expr) -> Expr:
    """A maximum or minimum of two positions by cases, as it is written and computed."""
    if isinstance(bound, sympy.Max | sympy.Min):
        a, b = bound.args
        return Piecewise((a, a >= b if isinstance(bound, sympy.Max) else a <= b), (b, True))
    return bound


# ── maxima ──────────────────────────────────────────────────────────────────────────────────────────


def maximum(x: Traced, w: Windows) -> Traced:
    """The largest entry of each window; the first one where several are, as in torch."""
    inner = bordered(x, w)
    array, w = inner.array, w.without_padding()

    def at(positions: Positions) -> Node:
        ks, ms = w.indices(), w.indices()
        here = array.at(w.positions(positions, ks))
        mine, other = value(here), value(array.at(w.positions(positions, ms)))
        before: Any = S.false
        for k, m in zip(reversed(ks), reversed(ms), strict=True):  # row by row
            before = Or(m < k, And(Eq(m, k), before))
        ahead = value(_summed(ms, Bracket(Or(other > mine, And(Eq(other, mine), before)))))
        first = Bracket(Eq(ahead, 0)) if mine != other else Num(S.One)
        return _summed(ks, mul(first, here))

    return x.tape.add(Array(w.dims, at, x.array.text), "max_pool", (inner,))


def bordered(x: Traced, w: Windows) -> Traced:
    """The input itself, or with a border of -∞ as wide as the windows need."""
    borders = []
    for n, size in enumerate(w.sizes):
        reach = w.stride[n] * (w.number[n] - 1) + w.dilation[n] * (w.kernel[n] - 1) + 1
        beyond = reach - w.padding[n] - size
        borders.append((w.padding[n], Max(beyond, 0) if beyond.is_number else w.padding[n]))
    if not any(side for pair in borders for side in pair):
        return x
    array, lead = x.array, x.array.rank - w.rank
    dims = (*array.dims[:lead], *(n + a + b for n, (a, b) in zip(w.sizes, borders, strict=True)))

    def at(positions: Positions) -> Node:
        where = (p - a for p, (a, _) in zip(positions[lead:], borders, strict=True))
        inside = (*positions[:lead], *where)
        there = And(*(in_range(p, d) for p, d in zip(inside, array.dims, strict=True)))
        entry = array.at(inside)
        return entry if there == S.true else Cases(((entry, there), (Num(-sympy.oo), S.true)))

    framed = x.tape.add(Array(dims, at, array.text), "pad", (x,))
    framed.forced = True
    return framed


def _register(rank: int) -> None:
    @op(f"avg_pool{rank}d")
    def avg_pool(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> Array:
        """The mean of each window."""
        return average(
            rank, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )

    def max_pool(
        trace: Trace,
        input: Traced,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Traced:
        """The largest entry of each window."""
        return maximum(input, Windows(input.array, rank, kernel_size, stride, padding, dilation, ceil_mode))

    def adaptive_max_pool(
        trace: Trace, input: Traced, output_size: Any, return_indices: bool = False
    ) -> Traced:
        """The largest entry of each of a number of windows."""
        return adaptive_maximum(input, rank, output_size)

    for name, row in (("max_pool", max_pool), ("adaptive_max_pool", adaptive_max_pool)):
        _with_places(f"{name}{rank}d", row)

    @op(f"lp_pool{rank}d")
    def lp_pool(
        input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> Array:
        """The p-norm of each window."""
        x, p = as_real(input), expression(norm_type)
        w = Windows(x, rank, kernel_size, stride, ceil=ceil_mode)
        if ceil_mode:
            raise Unsupported("lp_pool in ceil_mode", "use ceil_mode=False")
        powers = w.total(elementwise(lambda a: Pow(a, Num(p)) if p != 1 else a, x))
        return powers if p == 1 else elementwise(lambda a: Pow(a, Num(1 / p)), powers)

    @composite(f"adaptive_avg_pool{rank}d")
    def adaptive_avg_pool(trace: Trace, input: Traced, output_size: Any) -> Traced:
        """The mean of each of a number of windows, as equal as can be."""
        return adaptive_mean(input, rank, output_size)  # type: ignore[no-any-return]


def _with_places(name: str, row: Any) -> None:
    """The rows of a maximum: alone, and with the places of the maxima, which have no derivative."""

    def alone(*args: Any, **kwargs: Any) -> Any:
        return (both if kwargs.get("return_indices") else row)(*args, **kwargs)

    def both(*args: Any, **kwargs: Any) -> Any:
        return row(*args, **kwargs), Refused("the positions of the maxima", "use the values")

    composite(name)(alone)
    composite(f"{name}_with_indices")(both)


def output_sizes(x: Array, rank: int, wanted: Any) -> list[Dim]:
    """One size for each axis; None keeps the axis."""
    given = wanted if isinstance(wanted, list | tuple) else [wanted] * rank
    given = list(given) * rank if len(given) == 1 else given
    sizes = x.dims[x.rank - rank :]
    return [d if g is None else each(g, 1)[0] for d, g in zip(sizes, given, strict=True)]


def adaptive_mean(x: Traced, rank: int, wanted: Any) -> Any:
    """Each axis cut into windows and averaged, one axis after the other."""
    for n, number in enumerate(output_sizes(x.array, rank, wanted)):
        array, axis = x.array, x.array.rank - rank + n
        size = array.dims[axis]
        if (size / number).is_integer:
            split = split_axis(array, axis, (number, size / number))
            x = x.tape.add(mean_over(split, axis + 1), "adaptive_avg_pool", (x,))
        else:
            rows = [dict.fromkeys(range(a, b), 1 / (b - a)) for a, b in cuts(size, number)]
            x = weighted(x, axis, rows)
    return x


def cuts(size: Dim, number: Dim) -> list[tuple[int, int]]:
    """Where the windows of an adaptive pooling begin and end."""
    n, m = number_of(size, "adaptive pooling"), number_of(number, "adaptive pooling")
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def adaptive_maximum(x: Traced, rank: int, wanted: Any) -> Traced:
    """One pooling where the windows are equal, else a pooling for each window."""
    numbers = output_sizes(x.array, rank, wanted)
    lead = x.array.rank - rank
    sizes = x.array.dims[lead:]
    if all((size / number).is_integer for size, number in zip(sizes, numbers, strict=True)):
        kernel = [number_of(s / n, "max pooling") for s, n in zip(sizes, numbers, strict=True)]
        return maximum(x, Windows(x.array, rank, kernel, None))
    ends = [cuts(size, number) for size, number in zip(sizes, numbers, strict=True)]

    def along(n: int, window: tuple[slice, ...]) -> Any:
        if n < rank:
            return call(x.tape, "stack", ([along(n + 1, (*window, slice(*e))) for e in ends[n]], lead), {})
        part = x[(..., *window)]  # type: ignore[index]
        whole = [number_of(d, "max pooling") for d in part.array.dims[lead:]]
        return maximum(part, Windows(part.array, rank, whole, None)).flatten(lead).squeeze(lead)

    return along(0, ())


for _rank in (1, 2, 3):
    _register(_rank)
