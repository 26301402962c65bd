"""Products and their sums: deltas are contracted, brackets become masks, the rest is one contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Piecewise, Pow, S, Sum, exp
from sympy.logic.boolalg import And, Not

from derive.expr.indices import Index
from derive.expr.sums import Iverson, open_sum, substitute
from derive.numeric.axes import Value, align, common_axes
from derive.numeric.code import Code, atom, call, divided, infix, negative, scaled
from derive.numeric.conditions import every
from derive.numeric.constants import number
from derive.numeric.contraction import contract, product
from derive.numeric.diagonals import add_diagonal, diagonal_of, embed, same_range
from derive.numeric.overflow import is_bounded
from derive.numeric.softmax import LogSumExp, Split, divides_by_exponentials, match_product
from derive.numeric.views import is_landed, land, landing

if TYPE_CHECKING:
    from derive.numeric.lowering import Lowering

__all__ = ["lower_product"]

INFINITIES = (S.Infinity, S.NegativeInfinity, S.NaN, S.ComplexInfinity)


def lower_product(lowering: Lowering, factors: Sequence[Expr], bound: Sequence[Index]) -> Value:
    """The product of the factors, summed over the bound indices."""
    flat, bound = _flatten(factors, list(bound))
    for index in bound:
        lowering.order(index)
    split = _distribute(flat, bound)
    if split is not None:
        return lowering.add([(lower_product(lowering, part, bound), 1) for part in split])
    flat, bound, diagonals, conditions = _deltas(flat, bound)
    flat, bound, conditions = _landed(lowering, flat, bound, conditions)
    if any(f.is_zero for f in flat):
        return Value(atom("0"), (), "number")
    value = None if conditions else _plus_diagonal(lowering, flat, bound)
    if value is None:
        value = _masked(lowering, flat, bound, conditions)
    for i, j in diagonals:
        value = embed(lowering, value, i, j)
    return value


# ── the shape of the product ────────────────────────────────────────────────────────────────────────


def _flatten(factors: Sequence[Expr], bound: list[Index]) -> tuple[list[Expr], list[Index]]:
    """All factors in one list; sums that stand in the product are opened, so that one contraction is left."""
    flat: list[Expr] = []
    queue = list(factors)
    alone = len(factors) == 1 and isinstance(factors[0], Sum)
    reciprocal = any(divides_by_exponentials(g) for g in factors)
    exponential = any(isinstance(f, exp) for g in factors for f in Mul.make_args(g))
    divides = any(_below_the_line(f) for g in factors for f in Mul.make_args(g))
    while queue:
        factor = queue.pop(0)
        if isinstance(factor, Mul):
            queue[:0] = factor.args
        elif isinstance(factor, Sum) and (
            alone or _mergeable(factor) or (exponential and divides_by_exponentials(factor.function))
        ):
            index, body = open_sum(factor)
            bound.append(index)
            queue.insert(0, body)
        elif isinstance(factor, Piecewise) and (common := _common_delta(factor, bound)) is not None:
            cases = [(S.Zero if e == 0 else _without(e, common), c) for e, c in factor.args]
            flat += [common, Piecewise(*cases)]
        elif divides and isinstance(factor, Piecewise) and (case := _only_case(factor)) is not None:
            queue[:0] = case
        elif reciprocal and isinstance(factor, Pow) and isinstance(factor.base, Sum) and factor.exp in (2, 3):
            queue[:0] = [factor.base] * int(factor.exp)
        else:
            flat.append(factor)
    return flat, bound


def _common_delta(cases: Piecewise, bound: Sequence[Index]) -> Expr | None:
    """A delta of a bound index that every branch has as a factor, those that are zero apart."""
    branches = [Mul.make_args(e) for e, _ in cases.args if e != 0]
    shared = [f for f in branches[0] if _contractible(f, bound)] if branches else []
    return next((f for f in shared if all(f in b for b in branches)), None)


def _below_the_line(factor: Expr) -> bool:
    return isinstance(factor, Pow) and bool(factor.exp.is_negative) and not factor.base.is_number


def _only_case(cases: Piecewise) -> tuple[Expr, Expr] | None:
    """The one branch that is not zero, and the bracket of its condition: where it fails, 0/0 is 0 too."""
    others, found = S.true, None
    for branch, condition in cases.args:
        if branch != 0:
            if found is not None:
                return None
            found = branch, Iverson(And(others, condition))
        others = And(others, Not(condition))
    return found


def _without(product: Expr, factor: Expr) -> Expr:
    return Mul(*(f for f in Mul.make_args(product) if f != factor))


def _mergeable(expr: Sum) -> bool:
    """Whether a sum may be opened inside a product: its brackets, if any, would mask the other factors."""
    return not expr.has(Iverson, KroneckerDelta, Piecewise)


def _distribute(flat: Sequence[Expr], bound: Sequence[Index]) -> list[list[Expr]] | None:
    """Take apart the first factor that adds a delta of a bound index to something else."""
    for k, factor in enumerate(flat):
        if isinstance(factor, Add):
            deltas = [t for t in factor.args if any(_contractible(f, bound) for f in Mul.make_args(t))]
            if deltas:
                rest = factor - Add(*deltas)
                parts = [*deltas, *([] if rest.is_zero else [rest])]
                return [[*flat[:k], part, *flat[k + 1 :]] for part in parts]
    return None


def _contractible(factor: Expr, bound: Sequence[Index]) -> tuple[Index, Expr] | None:
    """(bound index, what it equals), where the factor is a delta that removes a bound index."""
    if not isinstance(factor, KroneckerDelta):
        return None
    a, b = factor.args
    for index, other in ((a, b), (b, a)):
        if index in bound and isinstance(other, Index) and other.dim == index.dim:
            return index, other
        if index in bound and other.is_Integer and index.dim.is_Integer and 0 <= other < index.dim:
            return index, other
    return None


def _plus_diagonal(lowering: Lowering, flat: Sequence[Expr], bound: Sequence[Index]) -> Value | None:
    """P (δ_ij c + R) is P R with P c added to its diagonal."""
    for k, factor in enumerate(flat):
        found = diagonal_of(factor) if isinstance(factor, Add) else None
        if found is not None and found.i not in bound and found.j not in bound:
            others = [*flat[:k], *flat[k + 1 :]]
            matrix = lower_product(lowering, [*others, found.off], bound)
            on = [substitute(f, {found.j: found.i}) for f in (*others, found.on)]
            return add_diagonal(matrix, lower_product(lowering, on, bound), found.i, found.j)
    return None


def _deltas(
    flat: list[Expr], bound: list[Index]
) -> tuple[list[Expr], list[Index], list[tuple[Index, Index]], list[Expr]]:
    """Without deltas: bound ones contracted, those of free indices as diagonals, others as conditions."""
    diagonals: list[tuple[Index, Index]] = []
    conditions: list[Expr] = []
    queue = [f for f in flat if isinstance(f, (KroneckerDelta, Iverson))]
    flat = [f for f in flat if not isinstance(f, (KroneckerDelta, Iverson))]
    while queue:
        factor = next((f for f in queue if _contractible(f, bound)), queue[0])
        queue.remove(factor)
        found = _contractible(factor, bound)
        if found is not None:
            old, new = found
            bound = [b for b in bound if b != old]
        elif isinstance(factor, KroneckerDelta) and same_range(*factor.args):
            new, old = factor.args
            diagonals.insert(0, (new, old))
        else:
            conditions.append(factor.condition if isinstance(factor, Iverson) else factor)
            continue
        flat = [substitute(f, {old: new}) for f in flat]
        conditions = [c.xreplace({old: new}) for c in conditions]
        queue = [f for f in (substitute(f, {old: new}) for f in queue) if f is not S.One]
        if S.Zero in queue:
            return [S.Zero], [], [], []
        flat += [f for f in queue if not isinstance(f, (KroneckerDelta, Iverson))]
        queue = [f for f in queue if isinstance(f, (KroneckerDelta, Iverson))]
    return flat, bound, diagonals, conditions


def _landed(
    lowering: Lowering, flat: list[Expr], bound: list[Index], conditions: list[Expr]
) -> tuple[list[Expr], list[Index], list[Expr]]:
    """Sums whose terms land on places that a delta gives are tensors, read at the place that is asked for."""
    while (at := landing(conditions, bound)) is not None:
        brackets = [c if isinstance(c, KroneckerDelta) else Iverson(c) for c in conditions if c != at.delta]
        inside = [f for f in (*flat, *brackets) if f.has(*at.inner)]
        outside = [f for f in (*flat, *brackets) if not f.has(*at.inner)]
        kept = [_condition(f) for f in outside if isinstance(f, (KroneckerDelta, Iverson))]
        # An integer target is a position, by its declaration, but where a bracket excludes some.
        read = at.target if at.merged else at.position
        declared = isinstance(read, Indexed) and lowering.guard is None and not brackets
        ranges = [] if declared else at.ranges
        if not at.merged:
            inside += [Iverson(c) for c in ranges]
        summed = [b for b in bound if b not in at.inner and not any(f.has(b) for f in (*outside, at.delta))]
        value = _product_under(lowering, kept, inside, summed)
        entry = land(lowering, lowering.full(lowering.as_real(value)), at, clamped=bool(ranges))
        bound = [b for b in bound if b not in at.inner and b not in summed]
        flat = [*(f for f in outside if not isinstance(f, (KroneckerDelta, Iverson))), entry]
        conditions = kept + (ranges if at.merged else [])
    return flat, bound, conditions


def _condition(bracket: Expr) -> Any:
    return bracket.condition if isinstance(bracket, Iverson) else bracket


def _product_under(
    lowering: Lowering, conditions: Sequence[Any], factors: Sequence[Expr], bound: Sequence[Index]
) -> Value:
    """The product where the conditions hold; elsewhere it is not used."""
    if not conditions:
        return lower_product(lowering, factors, bound)
    return lowering.under(every(lowering, conditions), lambda: lower_product(lowering, factors, bound))


# ── masks ───────────────────────────────────────────────────────────────────────────────────────────


def _masked(
    lowering: Lowering, flat: Sequence[Expr], bound: Sequence[Index], conditions: list[Expr]
) -> Value:
    """The product under its conditions: zero, and never NaN, where one of them fails."""
    split = match_product([*flat, *(Iverson(c) for c in conditions if not isinstance(c, KroneckerDelta))])
    if split is not None:
        # The brackets of a masked softmax belong to it: only those that are left mask the rest.
        conditions = [c for c in conditions if isinstance(c, KroneckerDelta)]
        conditions += [f.condition for f in split.others if isinstance(f, Iverson)]
        split = replace(split, others=tuple(f for f in split.others if not isinstance(f, Iverson)))
    else:
        split = Split((), (), tuple(flat))
    if not conditions:
        return _unmasked(lowering, split, bound)
    mask = every(lowering, conditions)
    inside, outside = split, Split((), (), ())
    if bound and not split.matches and not split.below:
        inside, outside = _divided(lowering, split.others, mask)
    value = lowering.under(mask, lambda: _unmasked(lowering, inside, []))
    value = lowering.where(mask, value, Value(atom("0"), (), "number"))
    return _unmasked(lowering, outside, bound, [value]) if bound else value


def _divided(lowering: Lowering, factors: Sequence[Expr], mask: Value) -> tuple[Split, Split]:
    """The factors that must be masked, and those that may be multiplied afterwards, in one contraction."""
    wild = [f for f in factors if not _tame(lowering, f)]
    tame = [f for f in factors if _tame(lowering, f)]
    touching = [f for f in tame if f.atoms(Index) and f.atoms(Index) <= set(mask.axes)]
    if not wild and touching:
        wild = [max(touching, key=lambda f: len(f.atoms(Index)))]
        tame.remove(wild[0])
    return Split((), (), tuple(wild)), Split((), (), tuple(tame))


def _tame(lowering: Lowering, factor: Expr) -> bool:
    """Whether a factor is there and finite under any condition: a number, a scalar or a plain entry."""
    if isinstance(factor, Indexed):
        if is_landed(factor):  # lowered under the condition itself
            return False
        dims = lowering.scope.tensors[str(factor.base.label)].dims
        return all(isinstance(p, Index) and p.dim == d for p, d in zip(factor.indices, dims, strict=True))
    return bool(factor.is_number or factor.is_Symbol)


# ── what is left: numbers, tensors above and tensors below ──────────────────────────────────────────


def _unmasked(lowering: Lowering, split: Split, bound: Sequence[Index], ready: Sequence[Value] = ()) -> Value:
    """The product of all parts and of what is `ready`, summed over the bound indices."""
    above = [*ready, *(lowering.softmax(m) for m in split.matches)]
    below: list[Value] = []
    factors = list(split.others)
    if split.below:
        exponent = next((f for f in factors if isinstance(f, exp)), None)
        factors = [f for f in factors if f is not exponent]
        above.append(_shifted(lowering, exponent, split.below))
    numbers = [f for f in factors if f.is_number and not f.has(*INFINITIES, Index)]
    coefficient = Mul(*numbers)
    factors = [f for f in factors if f not in numbers]
    if abs(coefficient) > 1:  # the largest numbers times it would overflow: what is bounded goes first
        factors.sort(key=lambda f: not is_bounded(f))
    for factor in factors:
        if _divides(lowering, factor):
            below.append(_denominator(lowering, factor))
        else:
            above.append(lowering.real(factor))
    numbers_above = [v.code for v in above if v.kind == "number"]
    numbers_below = [v.code for v in below if v.kind == "number"]
    above = [v for v in above if v.kind != "number"]
    below = [v for v in below if v.kind != "number"]
    seen = {a for v in (*above, *below) for a in v.axes}
    numbers_above += [lowering.size(b.dim) for b in bound if b not in seen]
    tensor = _fraction(lowering, above, below, [b for b in bound if b in seen])
    return _scaled(lowering, tensor, coefficient, numbers_above, numbers_below)


def _divides(lowering: Lowering, factor: Expr) -> bool:
    """Whether the factor is a reciprocal; 1/sqrt(x) of a tensor is a function of its own, rsqrt."""
    if not isinstance(factor, Pow) or not factor.exp.is_negative:
        return False
    return factor.exp != -S.Half or lowering.sizes(factor.base) is not None


def _denominator(lowering: Lowering, factor: Pow) -> Value:
    """The reciprocal's value: what is divided by."""
    base = lowering.guarded(lowering.real(factor.base), 1)
    if factor.exp == -1:
        return base
    if base.kind == "number":
        return lowering.real(1 / factor)
    return (
        lowering.real(factor.base**-factor.exp)
        if lowering.guard is None
        else base.with_code(infix("**", base.code, number(-factor.exp)))
    )


def _shifted(lowering: Lowering, exponent: Expr | None, totals: Sequence[tuple[LogSumExp, Expr]]) -> Value:
    """e^a / Σ e^v as e^(a - log Σ e^v)."""
    terms: list[tuple[Value, int]] = [] if exponent is None else [(lowering.real(exponent.args[0]), 1)]
    for total, power in totals:
        value = lowering.logsumexp(total)
        terms.append((value if power == 1 else scale(value, number(power)), -1))
    value = lowering.full(lowering.add(terms))
    return value.with_code(call("torch.exp({0})", value.code))


def _fraction(
    lowering: Lowering, above: list[Value], below: list[Value], bound: Sequence[Index]
) -> Value | None:
    """The tensors multiplied, divided and summed; None where there are none."""
    outside = [d for d in below if not set(d.axes) & set(bound)]
    for d in below:
        if d in outside:
            continue
        k = next((k for k, n in enumerate(above) if set(d.axes) <= set(n.axes)), None)
        if k is None:
            above.append(_divide(lowering, None, d))
        else:
            above[k] = _divide(lowering, above[k], d)
    scalars = [v for v in above if not v.axes]
    tensors = [v for v in above if v.axes]
    value = contract(tensors, bound, lowering.order) if tensors else None
    if scalars:
        scalar = reduce(lambda a, b: product(a, b, lowering.order), scalars)
        value = scalar if value is None else value.with_code(scaled(scalar.code, value.code))
    if outside:
        divisor = reduce(lambda a, b: product(a, b, lowering.order), outside)
        value = _divide(lowering, value, divisor)
    return value


def _divide(lowering: Lowering, top: Value | None, bottom: Value) -> Value:
    if top is None:
        return bottom.with_code(infix("/", atom("1"), bottom.code))
    axes = common_axes([top, bottom], lowering.order)
    return Value(infix("/", align(top, axes), align(bottom, axes)), axes)


def _scaled(
    lowering: Lowering, tensor: Value | None, coefficient: Expr, above: list[Code], below: list[Code]
) -> Value:
    """The tensor times the numbers; a Python number where no tensor is and no size divides."""
    sign = -1 if coefficient.could_extract_minus_sign() else 1
    top, bottom = (sign * coefficient).as_numer_denom()
    if not (top.is_Integer and bottom.is_Integer) or (top != 1 and bottom != 1 and not above and not below):
        top, bottom = top / bottom, S.One  # one number, that Python computes
    above = [number(top), *above] if top != 1 else above
    below = [number(bottom), *below] if bottom != 1 else below
    code = reduce(lambda a, b: infix("*", a, b, free=True), above) if above else None
    if tensor is None:
        code = atom("1") if code is None else code
        code = negative(code) if sign < 0 else code
        # A size may be 0, and Python raises where torch divides: so the numerator is a tensor then.
        if not below or all(b.template.isdigit() for b in below):
            return Value(_over(code, below), (), "number")
        tensor = lowering.full(Value(code, (), "number"))
    elif code is not None:
        tensor = scale(tensor, negative(code) if sign < 0 else code)
    elif sign < 0:
        tensor = tensor.with_code(negative(tensor.code))
    return tensor.with_code(_over(tensor.code, below))


def _over(code: Code, below: Sequence[Code]) -> Code:
    """The code divided by the numbers."""
    return code if not below else divided(code, reduce(lambda a, b: infix("*", a, b, free=True), below))


def scale(value: Value, by: Code) -> Value:
    """The value times a Python number."""
    return value.with_code(scaled(by, value.code))
