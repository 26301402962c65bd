"""Indexing and movement: the same entries at other positions."""

from __future__ import annotations

from typing import Any

from sympy import And, Expr, Integer, KroneckerDelta, S

from derive.errors import ShapeError, Unsupported
from derive.expr.tree import Delta, Node, Num, Sym, mul, value
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.registry import as_array, as_real, axes_of, from_size, op
from derive.read.sizes import Size

__all__ = ["select", "unsqueezed"]


def moved(array: Array, dims: tuple[Any, ...], where: Any) -> Array:
    """The array read at `where(positions)`, of shape `dims`."""
    return Array(tuple(dims), lambda at: array.at(tuple(where(at))), array.text, array.kind)


@op("T")
def t_property(input: Array) -> Array:
    """All axes in reverse order."""
    return moved(input, input.dims[::-1], lambda at: at[::-1])


@op("mT", "H", "mH", "adjoint")
def m_t(input: Array) -> Array:
    """The last two axes exchanged."""
    return transpose(input, -1, -2)


@op("t")
def t(input: Array) -> Array:
    """The matrix transposed; a vector as it is."""
    return t_property(input)


@op("transpose", "swapaxes", "swapdims")
def transpose(input: Array, dim0: Any, dim1: Any) -> Array:
    """Two axes exchanged."""
    a, b = (base.axis_of(input, int(d)) for d in (dim0, dim1))
    order = list(range(input.rank))
    order[a], order[b] = order[b], order[a]
    return permuted(input, order)


def permuted(input: Array, order: Any) -> Array:
    """Axis k of the result is axis order[k] of the input."""
    back = [order.index(k) for k in range(input.rank)]
    return moved(input, tuple(input.dims[k] for k in order), lambda at: (at[k] for k in back))


@op("permute")
def permute(input: Array, *dims: Any) -> Array:
    """The axes in another order."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    return permuted(input, [base.axis_of(input, int(d)) for d in order])


@op("movedim", "moveaxis")
def movedim(input: Array, source: Any, destination: Any) -> Array:
    """Axes moved to other places."""
    sources = [base.axis_of(input, s) for s in (source if isinstance(source, list | tuple) else [source])]
    given = destination if isinstance(destination, list | tuple) else [destination]
    targets = dict(zip((base.axis_of(input, d) for d in given), sources, strict=True))
    rest = iter(k for k in range(input.rank) if k not in sources)
    return permuted(input, [targets[k] if k in targets else next(rest) for k in range(input.rank)])


def unsqueezed(input: Array, axis: int) -> Array:
    """The array with an axis of size 1."""
    dims = (*input.dims[:axis], S.One, *input.dims[axis:])
    return moved(input, dims, lambda at: (*at[:axis], *at[axis + 1 :]))


@op("unsqueeze")
def unsqueeze(input: Array, dim: Any) -> Array:
    """An axis of size 1 put in."""
    if not -input.rank - 1 <= dim <= input.rank:
        raise ShapeError(f"{input} has no place {dim} for an axis")
    return unsqueezed(input, dim % (input.rank + 1))


@op("squeeze")
def squeeze(input: Array, dim: Any = None) -> Array:
    """Axes of size 1 left out."""
    axes = [k for k in axes_of(input, dim) if input.dims[k] == 1]
    dims = tuple(d for k, d in enumerate(input.dims) if k not in axes)

    def where(at: Positions) -> list[Expr]:
        rest = iter(at)
        return [Integer(0) if k in axes else next(rest) for k in range(input.rank)]

    return moved(input, dims, where)


@op("expand", "broadcast_to")
def expand(input: Array, *sizes: Any) -> Array:
    """Axes of size 1 stretched; -1 keeps the size."""
    wanted = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    own = (None,) * (len(wanted) - input.rank) + input.dims
    dims = tuple(o if int(w) == -1 else from_size(w) for w, o in zip(wanted, own, strict=True))
    lead = len(dims) - input.rank
    return moved(
        input, dims, lambda at: (Integer(0) if d == 1 else p for d, p in zip(input.dims, at[lead:], strict=True))
    )


@op("expand_as")
def expand_as(input: Array, other: Array) -> Array:
    """Stretched to the shape of another."""
    lead = other.rank - input.rank
    return moved(
        input,
        other.dims,
        lambda at: (Integer(0) if d == 1 else p for d, p in zip(input.dims, at[lead:], strict=True)),
    )


@op("broadcast_tensors")
def broadcast_tensors(*tensors: Any) -> tuple[Array, ...]:
    """All stretched to their common shape."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    arrays = [as_real(x) for x in given]
    together = base.elementwise(lambda *nodes: nodes[0], *arrays)
    return tuple(expand_as(x, together) for x in arrays)


@op("flip")
def flip(input: Array, *dims: Any) -> Array:
    """Axes read backwards."""
    given = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    axes = axes_of(input, list(given))
    return moved(
        input, input.dims, lambda at: (input.dims[k] - 1 - p if k in axes else p for k, p in enumerate(at))
    )


@op("view", "reshape", "_unsafe_view", "view_as", "reshape_as")
def reshape(input: Array, *sizes: Any) -> Array:
    """Another shape for the same entries in the same order: axes of size 1 put in or left out, axes split
    or merged where the sizes are numbers."""
    if len(sizes) == 1 and isinstance(sizes[0], Array):
        dims = sizes[0].dims
    else:
        wanted = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
        dims = _resolved(input, wanted)
    return _regrouped(input, tuple(dims))


@op("flatten", "ravel")
def flatten(input: Array, start_dim: Any = 0, end_dim: Any = -1) -> Array:
    """Axes merged into one."""
    if input.rank == 0:
        return unsqueezed(input, 0)
    first, last = base.axis_of(input, start_dim), base.axis_of(input, end_dim)
    merged = S.One
    for d in input.dims[first : last + 1]:
        merged *= d
    return _regrouped(input, (*input.dims[:first], merged, *input.dims[last + 1 :]))


@op("unflatten")
def unflatten(input: Array, dim: Any, sizes: Any) -> Array:
    """One axis split."""
    k = base.axis_of(input, dim)
    given = [None if int(s) == -1 else from_size(s) for s in sizes]
    known = S.One
    for s in given:
        known *= S.One if s is None else s
    split = tuple(input.dims[k] / known if s is None else s for s in given)
    return _regrouped(input, (*input.dims[:k], *split, *input.dims[k + 1 :]))


def _resolved(input: Array, wanted: Any) -> tuple[Any, ...]:
    total = S.One
    for d in input.dims:
        total *= d
    given = [None if not isinstance(w, Size) and int(w) == -1 else from_size(w) for w in wanted]
    known = S.One
    for g in given:
        known *= S.One if g is None else g
    if given.count(None) > 1:
        raise ShapeError("only one size can be -1")
    rest = total / known
    if None in given and not (rest.is_integer or rest.is_Integer):
        raise ShapeError(f"{input} cannot be seen as {tuple(map(str, wanted))}")
    return tuple(rest if g is None else g for g in given)


def _regrouped(input: Array, dims: tuple[Any, ...]) -> Array:
    """Match groups of axes of equal product, from the left."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(input.dims) or j < len(dims):
        left, right = [i] if i < len(input.dims) else [], [j] if j < len(dims) else []
        a = input.dims[i] if left else S.One
        b = dims[j] if right else S.One
        i, j = i + len(left), j + len(right)
        while a != b:
            if (a / b).is_integer and a != b and j < len(dims):
                b *= dims[j]
                right.append(j)
                j += 1
            elif i < len(input.dims):
                a *= input.dims[i]
                left.append(i)
                i += 1
            elif j < len(dims):
                b *= dims[j]
                right.append(j)
                j += 1
            else:
                raise ShapeError(f"{input} cannot be seen as {base_shown(dims)}")
        groups.append((left, right))

    def where(at: Positions) -> list[Expr]:
        result: dict[int, Expr] = {}
        for left, right in groups:
            _place(result, left, [input.dims[k] for k in left], [at[k] for k in right], [dims[k] for k in right])
        return [result[k] for k in range(input.rank)]

    return moved(input, dims, where)


def _place(result: dict[int, Expr], left: list[int], sizes: list[Any], at: list[Expr], dims: list[Any]) -> None:
    """The positions along one group of axes."""
    wide = [k for k, d in zip(left, sizes, strict=True) if d != 1]
    for k in left:
        result[k] = Integer(0)
    flat: Expr = Integer(0)
    for p, d in zip(at, dims, strict=True):
        flat = flat * d + (Integer(0) if d == 1 else p)
    if not wide:
        return
    if len(wide) == 1:
        result[wide[0]] = flat
        return
    inner = [d for d in sizes if d != 1]
    if flat.is_Integer:
        number = int(flat)
        for k, d in zip(reversed(wide), reversed(inner), strict=True):
            result[k], number = Integer(number % int(d)), number // int(d)
        return
    wide_at = [(p, d) for p, d in zip(at, dims, strict=True) if d != 1]
    if [d for _, d in wide_at] == inner:
        for k, (p, _) in zip(wide, wide_at, strict=True):
            result[k] = p
        return
    raise Unsupported("merging axes whose position is needed apart", "keep the axes apart, or use einsum")


def base_shown(dims: Any) -> str:
    """Dimensions for a message."""
    return f"({', '.join(map(str, dims))})"


# ── indexing ────────────────────────────────────────────────────────────────────────────────────────


@op("getitem")
def getitem(input: Array, key: Any) -> Array:
    """x[…]: numbers, slices, None, Ellipsis, and arrays of positions."""
    keys = list(key) if isinstance(key, tuple) else [key]
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if Ellipsis in [k if not isinstance(k, Array) else 0 for k in keys]:
        place = next(n for n, k in enumerate(keys) if k is Ellipsis)
        keys[place : place + 1] = [slice(None)] * (input.rank - used)
    else:
        keys += [slice(None)] * (input.rank - used)
    plan: list[tuple[str, Any, Any]] = []
    dims: list[Any] = []
    axis = 0
    gathered: list[Array] = []
    place_of_gather = -1
    for k in keys:
        if k is None:
            dims.append(S.One)
            plan.append(("new", None, None))
            continue
        size = input.dims[axis]
        axis += 1
        if isinstance(k, slice):
            start, length, step = _range(k, size)
            dims.append(length)
            plan.append(("slice", start, step))
        elif isinstance(k, Array):
            if k.kind == "bool":
                raise Unsupported("indexing by a condition", "write torch.where, or multiply by the condition")
            if not gathered:
                place_of_gather = len(dims)
            gathered.append(k)
            plan.append(("gather", len(gathered) - 1, size))
        else:
            plan.append(("at", _position(k, size), None))
    if not gathered:
        return Array(tuple(dims), lambda at: input.at(_read(plan, at)), input.text, input.kind)
    together = base.elementwise(lambda *nodes: nodes, *gathered)
    if together.rank == 0 and len(gathered) == 1 and gathered[0].rank == 0:
        together = gathered[0]
    shape = (*dims[:place_of_gather], *together.dims, *dims[place_of_gather:])
    rank = together.rank

    def at(positions: Positions) -> Any:
        middle = positions[place_of_gather : place_of_gather + rank]
        outer = positions[:place_of_gather] + positions[place_of_gather + rank :]
        found = together.at(middle)
        nodes = found if isinstance(found, tuple) else (found,)
        return input.at(_read(plan, outer, [value(n) for n in nodes]))

    return Array(shape, at, input.text, input.kind)


def _read(plan: Any, at: Positions, gathered: Any = ()) -> Positions:
    rest = iter(at)
    result: list[Expr] = []
    for kind, a, b in plan:
        if kind == "new":
            next(rest)
        elif kind == "slice":
            result.append(a + b * next(rest))
        elif kind == "gather":
            result.append(gathered[a])
        else:
            result.append(a)
    return tuple(result)


def _range(key: slice, size: Any) -> tuple[Expr, Expr, int]:
    """Start, length and step of a slice, for a size that may be a symbol."""
    step = 1 if key.step is None else int(key.step)
    if step < 1:
        raise ShapeError("the step of a slice is positive; use flip")
    start = _bound(key.start, size, S.Zero)
    stop = _bound(key.stop, size, size)
    length = stop - start
    if length.is_Integer:
        length = Integer(max(0, -(-int(length) // step)))
    elif step != 1:
        raise Unsupported(f"a slice with step {step} of a dimension without a number", "give the size as a number")
    return start, length, step


def _bound(bound: Any, size: Any, default: Any) -> Expr:
    if bound is None:
        return default
    expr = bound.expr if isinstance(bound, Size) else Integer(int(bound))
    if expr.is_negative:
        expr = expr + size
        return Integer(max(0, int(expr))) if expr.is_Integer else expr
    if expr.is_Integer and size.is_Integer:
        return Integer(min(int(expr), int(size)))
    return expr


def _position(k: Any, size: Any) -> Expr:
    expr = k.expr if isinstance(k, Size) else Integer(int(k))
    if expr.is_Integer and size.is_Integer and not -int(size) <= int(expr) < int(size):
        raise ShapeError(f"position {expr} is outside of a dimension of size {size}")
    return expr + size if expr.is_negative else expr


@op("select")
def select(input: Array, dim: Any, index: Any) -> Array:
    """One position of an axis."""
    k = base.axis_of(input, dim)
    return getitem(input, (slice(None),) * k + (index,))


@op("narrow")
def narrow(input: Array, dim: Any, start: Any, length: Any) -> Array:
    """A stretch of an axis."""
    k = base.axis_of(input, dim)
    return getitem(input, (slice(None),) * k + (slice(start, start + length),))


@op("unbind")
def unbind(input: Array, dim: Any = 0) -> tuple[Array, ...]:
    """The slices along an axis of a given size."""
    k = base.axis_of(input, dim)
    if not input.dims[k].is_Integer:
        raise Unsupported(f"unbind over the dimension {input.dims[k]}", "give that size as a number")
    return tuple(select(input, k, n) for n in range(int(input.dims[k])))


@op("split", "split_with_sizes")
def split(input: Array, split_size: Any, dim: Any = 0, **names: Any) -> tuple[Array, ...]:
    """Stretches of an axis of a given size."""
    k = base.axis_of(input, dim)
    if not input.dims[k].is_Integer:
        raise Unsupported(f"split over the dimension {input.dims[k]}", "give that size as a number")
    total = int(input.dims[k])
    if isinstance(split_size, list | tuple):
        sizes = [int(s) for s in split_size]
    else:
        step = int(split_size)
        sizes = [min(step, total - s) for s in range(0, total, step)]
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    return tuple(narrow(input, k, s, n) for s, n in zip(starts, sizes, strict=True))


@op("chunk")
def chunk(input: Array, chunks: Any, dim: Any = 0) -> tuple[Array, ...]:
    """A number of stretches of an axis."""
    k = base.axis_of(input, dim)
    if not input.dims[k].is_Integer:
        raise Unsupported(f"chunk over the dimension {input.dims[k]}", "give that size as a number")
    return split(input, -(-int(input.dims[k]) // int(chunks)), k)


@op("index_select")
def index_select(input: Array, dim: Any, index: Array) -> Array:
    """The slices of an axis at the given positions."""
    k = base.axis_of(input, dim)
    return getitem(input, (slice(None),) * k + (index,))


@op("gather", "take_along_dim")
def gather(input: Array, dim: Any, index: Any, *, sparse_grad: bool = False) -> Array:
    """input at the positions that index gives along one axis."""
    if isinstance(dim, Array):
        dim, index = index, dim
    k = base.axis_of(input, dim)

    def at(positions: Positions) -> Any:
        where = value(index.at(positions))
        return input.at((*positions[:k], where, *positions[k + 1 :]))

    return Array(index.dims, at, input.text, input.kind)


@op("embedding")
def embedding(input: Array, weight: Array, *_: Any, **__: Any) -> Array:
    """The rows of the weight at the given positions."""
    return getitem(weight, input)


@op("one_hot")
def one_hot(tensor: Array, num_classes: Any = -1) -> Array:
    """1 at the given position of a new last axis, 0 elsewhere."""
    if not isinstance(num_classes, Size) and int(num_classes) == -1:
        raise Unsupported("one_hot without num_classes", "give num_classes")
    dims = (*tensor.dims, from_size(num_classes))
    return Array(dims, lambda at: Delta(at[-1], value(tensor.at(at[:-1]))), tensor.text)


@op("cat", "concat", "concatenate")
def cat(tensors: Any, dim: Any = 0, *, out: Any = None) -> Array:
    """Arrays one after the other along an axis."""
    parts = [as_real(x) for x in tensors]
    k = base.axis_of(parts[0], dim)
    starts: list[Expr] = []
    total: Expr = Integer(0)
    for part in parts:
        starts.append(total)
        total = total + part.dims[k]
    dims = (*parts[0].dims[:k], total, *parts[0].dims[k + 1 :])

    def at(positions: Positions) -> Node:
        branches: list[tuple[Any, Node]] = []
        for part, start in zip(parts, starts, strict=True):
            inside = (*positions[:k], positions[k] - start, *positions[k + 1 :])
            branches.append((positions[k] < start + part.dims[k], part.at(inside)))
        return _pieces(positions[k], branches)

    return Array(dims, at, parts[0].text)


@op("stack")
def stack(tensors: Any, dim: Any = 0, *, out: Any = None) -> Array:
    """Arrays beside each other along a new axis."""
    parts = [as_real(x) for x in tensors]
    k = dim % (parts[0].rank + 1)
    dims = (*parts[0].dims[:k], Integer(len(parts)), *parts[0].dims[k:])

    def at(positions: Positions) -> Node:
        inside = (*positions[:k], *positions[k + 1 :])
        if positions[k].is_Integer:
            return parts[int(positions[k])].at(inside)  # type: ignore[no-any-return]
        from derive.expr.tree import add

        terms = (mul(Delta(positions[k], Integer(n)), part.at(inside)) for n, part in enumerate(parts))
        return add(*terms)

    return Array(dims, at, parts[0].text)


def _pieces(position: Expr, branches: list[tuple[Any, Node]]) -> Node:
    """The branch that the position is in, as a sum over brackets where it is not decided."""
    decided = [(c, n) for c, n in branches if c != S.false]
    if decided and decided[0][0] == S.true:
        return decided[0][1]
    from derive.expr.tree import Bracket, add

    terms: list[Node] = []
    lower: Any = S.true
    for n, (holds, node) in enumerate(decided):
        inside = lower if n == len(decided) - 1 else And(lower, holds)
        terms.append(mul(Bracket(inside), node) if inside != S.true else node)
        from sympy import Not

        lower = Not(holds)
    return add(*terms)


# ── diagonals, triangles and constants ──────────────────────────────────────────────────────────────


@op("diagonal", "linalg_diagonal")
def diagonal(input: Array, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Array:
    """The entries x_{i, i + offset} of two axes, as a last axis."""
    a, b = base.axis_of(input, dim1), base.axis_of(input, dim2)
    n, m = input.dims[a], input.dims[b]
    shift = int(offset)
    if shift == 0 and (n == m or (n.is_Integer and m.is_Integer)):
        length = n if n == m else Integer(min(int(n), int(m)))
    elif n == m or (n.is_Integer and m.is_Integer):
        length = n - abs(shift) if n == m else Integer(min(int(n) + min(0, shift), int(m) - max(0, shift)))
    else:
        raise Unsupported(f"the diagonal of {n} by {m}", "take it of a square matrix")
    rest = [k for k in range(input.rank) if k not in (a, b)]
    dims = (*(input.dims[k] for k in rest), length)

    def where(at: Positions) -> list[Expr]:
        full = dict(zip(rest, at[:-1], strict=True))
        full[a], full[b] = at[-1] + max(0, -shift), at[-1] + max(0, shift)
        return [full[k] for k in range(input.rank)]

    return moved(input, dims, where)


@op("diag_embed")
def diag_embed(input: Array, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> Array:
    """The last axis along the diagonal of two new axes."""
    if offset or (dim1, dim2) != (-2, -1):
        raise Unsupported("diag_embed with an offset or other axes", "use the defaults")
    dims = (*input.dims, input.dims[-1])
    return Array(dims, lambda at: mul(input.at(at[:-1]), Delta(at[-2], at[-1])), input.text)


@op("diag")
def diag(input: Array, diagonal: Any = 0) -> Array:
    """A vector as a diagonal matrix, or a matrix's diagonal."""
    if input.rank == 1:
        return diag_embed(input, diagonal)
    return OPS_diagonal(input, diagonal)


OPS_diagonal = diagonal


@op("tril")
def tril(input: Array, diagonal: Any = 0) -> Array:
    """The lower triangle; zero above."""
    from derive.expr.tree import Bracket

    shift = int(diagonal)
    return Array(
        input.dims, lambda at: mul(Bracket(at[-1] <= at[-2] + shift), _node(input, at)), input.text
    )


@op("triu")
def triu(input: Array, diagonal: Any = 0) -> Array:
    """The upper triangle; zero below."""
    from derive.expr.tree import Bracket

    shift = int(diagonal)
    return Array(
        input.dims, lambda at: mul(Bracket(at[-1] >= at[-2] + shift), _node(input, at)), input.text
    )


def _node(input: Array, at: Positions) -> Node:
    return as_real(input).at(at)  # type: ignore[no-any-return]


def _sizes(sizes: Any) -> tuple[Any, ...]:
    given = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    return tuple(from_size(s) for s in given)


@op("eye")
def eye(n: Any, m: Any = None, **_: Any) -> Array:
    """The identity matrix."""
    rows, columns = from_size(n), from_size(n if m is None else m)
    return Array((rows, columns), lambda at: _delta(at[0], at[1]), "eye")


def _delta(i: Expr, j: Expr) -> Node:
    decided = KroneckerDelta(i, j)
    return Num(decided) if decided.is_number else Delta(i, j)


@op("ones", "new_ones")
def ones(*size: Any, **_: Any) -> Array:
    """All ones."""
    size = tuple(s for s in size if not isinstance(s, Array))
    return Array(_sizes(size), lambda at: Num(S.One), "ones")


@op("zeros", "empty", "new_zeros", "new_empty")
def zeros(*size: Any, **_: Any) -> Array:
    """All zeros."""
    size = tuple(s for s in size if not isinstance(s, Array))
    return Array(_sizes(size), lambda at: Num(S.Zero), "zeros")


@op("full", "new_full")
def full(*given: Any, **_: Any) -> Array:
    """One number everywhere."""
    size, fill = [g for g in given if not (isinstance(g, Array) and g.rank)][:2] if given else ((), 0)
    filled = as_real(_.get("fill_value", fill))
    return Array(_sizes((size,)), lambda at: filled.at(()), "full")


@op("ones_like")
def ones_like(input: Array, **_: Any) -> Array:
    """Ones of the same shape."""
    return Array(input.dims, lambda at: Num(S.One), "ones")


@op("zeros_like", "empty_like")
def zeros_like(input: Array, **_: Any) -> Array:
    """Zeros of the same shape."""
    return Array(input.dims, lambda at: Num(S.Zero), "zeros")


@op("full_like")
def full_like(input: Array, fill_value: Any, **_: Any) -> Array:
    """One number in the same shape."""
    filled = as_real(fill_value)
    return Array(input.dims, lambda at: filled.at(()), "full")


@op("arange")
def arange(*bounds: Any, start: Any = None, end: Any = None, step: Any = 1, **_: Any) -> Array:
    """0, 1, 2, … as whole numbers."""
    given = [b for b in (*bounds, start, end) if b is not None]
    first, last = (0, given[0]) if len(given) == 1 else (given[0], given[1])
    if len(given) > 2:
        step = given[2]
    if step != 1 or any(isinstance(b, float) for b in (first, last)):
        raise Unsupported("arange with a step or fractions", "write a + b * torch.arange(n)")
    low, high = from_size(first), from_size(last)

    def at(positions: Positions) -> Node:
        position = positions[0] + low
        return Num(position) if position.is_number else Sym(position)

    return Array((high - low,), at, "arange", "int")


@op("tensor", "as_tensor", "scalar_tensor")
def tensor(data: Any, **_: Any) -> Array:
    """A number as a tensor; a list of numbers or of tensors as a vector."""
    if isinstance(data, Array):
        return data
    if isinstance(data, list | tuple):
        return stack([tensor(d) for d in data])
    return as_array(data)


