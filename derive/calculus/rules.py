"""The rules of differentiation: one short function a rule, from the shape in which a term is written.

A rule takes the body of an unexecuted derivative and what it is taken by, and gives what stands there
afterwards and the rule's name. Derivatives of leaves and of constants are carried out at once, so that no
line is spent on d/dx x = 1. Nothing here knows a derivative by heart: SymPy's functions carry theirs, and a
named function's is its primed self, whose closed form is found in `calculus.lemmas`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Dummy, S

from derive.calculus.gaps import slope_in_gap
from derive.errors import Unsupported
from derive.expr.functions import NamedFunction
from derive.expr.heads import HEADS
from derive.expr.problem import names_in, reference
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    Entry,
    Frac,
    Group,
    Head,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    add,
    map_children,
    mul,
    neg,
    value,
    walk,
)
from derive.printing.present import present

__all__ = ["RULES", "depends", "diff", "rule_for"]

ZERO, ONE, TWO = Num(S.Zero), Num(S.One), Num(S(2))

Rule = Callable[[Any, Node], tuple[Node, str]]


def depends(node: Node, wrt: Node) -> bool:
    """Whether the tree mentions the variable that `wrt` is, or is an entry of."""
    name = wrt.base if isinstance(wrt, Entry) else wrt.symbol.name  # type: ignore[attr-defined]
    return name in set(names_in(node))


def diff(body: Node, wrt: Node) -> Node:
    """The derivative of `body`, carried out at once where it is a constant or a leaf."""
    if not depends(body, wrt):
        return ZERO
    match body:
        case Sym():
            return ONE
        case Entry(base, at):
            if base != wrt.base:  # type: ignore[attr-defined]
                raise Unsupported(
                    "differentiating by an integer position", "positions are data, not variables"
                )
            pairs = zip(at, wrt.at, strict=True)  # type: ignore[attr-defined]
            return mul(*(Delta(i, j) for i, j in pairs if i != j))
        case Neg(inner):
            return neg(diff(inner, wrt))
        case Group(inner):
            return diff(inner, wrt)
    return Diff(body, wrt)


def sum_rule(body: Add, wrt: Node) -> tuple[Node, str]:
    """(u + v)' = u' + v'."""
    return add(*(diff(term, wrt) for term in body.terms)), "sum rule"


def product_rule(body: Mul, wrt: Node) -> tuple[Node, str]:
    """(c u)' = c u',  (u v)' = u' v + u v'."""
    constants = [f for f in body.factors if not depends(f, wrt)]
    moving = [f for f in body.factors if depends(f, wrt)]
    if len(moving) == 1:
        return mul(*constants, diff(moving[0], wrt)), "constant multiple"
    terms = (
        mul(*constants, *(diff(f, wrt) if j == k else f for j, f in enumerate(moving)))
        for k in range(len(moving))
    )
    return add(*terms), "product rule"


def quotient_rule(body: Frac, wrt: Node) -> tuple[Node, str]:
    """(u/c)' = u'/c,  (c/v)' = -c v'/v²,  (u/v)' = (u' v - u v')/v²."""
    top, bottom = body.top, body.bottom
    if not depends(bottom, wrt):
        return _over(diff(top, wrt), bottom), "constant multiple"
    if not depends(top, wrt):
        return neg(Frac(mul(top, diff(bottom, wrt)), _squared(bottom))), "reciprocal rule"
    upper = add(mul(diff(top, wrt), bottom), neg(mul(top, diff(bottom, wrt))))
    return Frac(upper, _squared(bottom)), "quotient rule"


def power_rule(body: Pow, wrt: Node) -> tuple[Node, str]:
    """(u^c)' = c u^(c-1) u',  (c^u)' = c^u log(c) u',  (u^v)' = u^v (v' log u + v u'/u)."""
    base, exponent = body.base, body.exponent
    log_base = Call(sympy.log, (base,))
    if not depends(base, wrt):
        return mul(body, log_base, diff(exponent, wrt)), "exponential rule"
    if depends(exponent, wrt):
        rate = add(mul(diff(exponent, wrt), log_base), mul(exponent, Frac(diff(base, wrt), base)))
        return mul(body, rate), "general power rule"
    if exponent == Num(S.Half):
        return Frac(diff(base, wrt), mul(TWO, body)), "power rule"
    lowered = value(exponent) - 1
    power = base if lowered == 1 else ONE if lowered == 0 else Pow(base, present(lowered))
    return mul(exponent, power, diff(base, wrt)), "power rule"


def chain_rule(body: Call, wrt: Node) -> tuple[Node, str]:
    """f(u)' = f'(u) u', for each argument."""
    terms = (
        _times(_outer(body, k), diff(argument, wrt))
        for k, argument in enumerate(body.args)
        if depends(argument, wrt)
    )
    leaf = all(isinstance(a, (Sym, Entry)) for a in body.args)
    return add(*terms), "derivative of a function" if leaf else "chain rule"


def sigma_rule(body: Sigma, wrt: Node) -> tuple[Node, str]:
    """(Σ u)' = Σ u'."""
    return Sigma(body.index, diff(body.body, wrt)), "derivative under the sum"


def norm_rule(body: Norm, wrt: Node) -> tuple[Node, str]:
    """‖v‖_p = (Σ |v|^p)^(1/p), then the power rule."""
    from derive.expr.vocabulary import FUNCTIONS

    inner = body.body if body.p.is_even else Call(FUNCTIONS["abs"], (body.body,))
    powers = inner if body.p == 1 else Pow(inner, Num(body.p))
    total = Sigma(body.index, powers)
    return diff(total if body.p == 1 else Pow(total, Num(1 / body.p)), wrt), "definition of the norm"


def _case_by_case(body: Cases, x: Node) -> Node:
    """The branches, each differentiated; the value at a gap that is filled, by what is around it."""
    return Cases(
        tuple(
            (diff(branch, x) if (slope := slope_in_gap(body, k, value(x))) is None else Num(slope), condition)
            for k, (branch, condition) in enumerate(body.branches)
        )
    )


def cases_rule(body: Cases, wrt: Node) -> tuple[Node, str]:
    """Branch by branch; what happens at the border is a convention that the function states.

    Where one entry x_i is all that the branches know of x, the delta ∂x_i/∂x_j goes in front, so that it
    never stands inside a branch; else each branch is multiplied by the bracket of its condition.
    """
    if isinstance(wrt, Sym):
        return _case_by_case(body, wrt), "cases"
    assert isinstance(wrt, Entry)
    entries = [
        p for branch, _ in body.branches for p in walk(branch) if isinstance(p, Entry) and p.base == wrt.base
    ]
    bound = {p.index for branch, _ in body.branches for p in walk(branch) if isinstance(p, (Sigma, Norm))}
    if len(set(entries)) == 1 and not any(a.has(*bound) for a in entries[0].at if bound):
        return mul(_case_by_case(body, entries[0]), diff(entries[0], wrt)), "cases"
    terms, before = [], sympy.true
    for branch, condition in body.branches:
        holds = sympy.And(before, condition)
        before = sympy.And(before, sympy.Not(condition))
        terms.append(mul(Bracket(holds), diff(branch, wrt)))
    return add(*terms), "cases"


def head_rule(body: Head, wrt: Node) -> tuple[Node, str]:
    """The identity that the row of the function of a matrix states: d(A⁻¹) = -A⁻¹ dA A⁻¹ and its like."""
    if not isinstance(wrt, Entry) or wrt.base != body.base:
        raise Unsupported(f"the derivative of {body.op} by something that is not its matrix")
    head = HEADS[body.op]
    depth = len(wrt.at) - 2  # of a stack, every matrix by itself
    lead, at = body.at[:depth], body.at[depth:]
    same = [Delta(i, j) for i, j in zip(lead, wrt.at[:depth], strict=True) if i != j]
    if head.terms is not None:
        return mul(
            *same, head.terms(body.own, body.at, body.base, *wrt.at[depth:])
        ), f"derivative of {body.op}"
    factors = head.derivative(body.own, at, body.companions, *wrt.at[depth:])
    product = mul(*same, *(reference(name, (*lead, *positions)) for name, positions in factors))
    return (product if head.sign > 0 else neg(product)), f"derivative of {body.op}"


RULES: dict[type[Node], Rule] = {
    Add: sum_rule,
    Mul: product_rule,
    Frac: quotient_rule,
    Pow: power_rule,
    Call: chain_rule,
    Sigma: sigma_rule,
    Norm: norm_rule,
    Cases: cases_rule,
    Head: head_rule,
}


def rule_for(node: Diff) -> tuple[Node, str]:
    """What one rule makes of an unexecuted derivative, and the rule's name."""
    body, wrt = node.body, node.wrt
    if isinstance(body, (Sym, Entry, Neg, Group)) or not depends(body, wrt):
        return diff(body, wrt), "constant multiple" if isinstance(body, Neg) else "identity"
    if isinstance(body, (Delta, Bracket)):
        return ZERO, "constant"
    if type(body) not in RULES:
        raise Unsupported(f"the derivative of a {type(body).__name__}")
    return RULES[type(body)](body, wrt)


def _times(outer: Node, inner: Node) -> Node:
    """f'(u) u', with u' on top where f'(u) is one over something."""
    if isinstance(outer, Frac) and outer.top == ONE:
        return _over(inner, outer.bottom)
    return mul(outer, inner)


def _over(top: Node, bottom: Node) -> Node:
    """The fraction, with a number on top pulled straight: 1 over b, minus outside."""
    return neg(Frac(top.body, bottom)) if isinstance(top, Neg) else ZERO if top == ZERO else Frac(top, bottom)


def _squared(node: Node) -> Node:
    """v², v⁴ for v², and v for its root."""
    match node:
        case Pow(base, Num(exponent)):
            return base if 2 * exponent == 1 else Pow(base, Num(2 * exponent))
    return Pow(node, TWO)


def _outer(call: Call, argument: int) -> Node:
    """f'(u): the primed named function, or SymPy's own derivative of its function."""
    if isinstance(call.fn, NamedFunction):
        return Call(call.fn.derivative(argument), call.args)
    slots = [a.number if isinstance(a, Num) else Dummy(f"u{k}", real=True) for k, a in enumerate(call.args)]
    outer = call.fn(*slots).diff(slots[argument])
    if outer.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta, sympy.Heaviside, sympy.meijerg):
        raise Unsupported(f"the derivative of {call.fn.__name__} in argument {argument + 1}")
    return plug(present(outer), {s: a for s, a in zip(slots, call.args, strict=True) if isinstance(s, Dummy)})


def plug(node: Node, arguments: dict[Any, Node]) -> Node:
    """The tree with scalar symbols replaced by trees, in the conditions of branches too."""
    match node:
        case Sym(symbol):
            return arguments.get(symbol, node)
        case Bracket(condition):
            return Bracket(condition.xreplace({s: value(tree) for s, tree in arguments.items()}))
        case Cases(branches):
            values = {s: value(tree) for s, tree in arguments.items()}
            return Cases(tuple((plug(body, arguments), c.xreplace(values)) for body, c in branches))
    return map_children(lambda child: plug(child, arguments), node)
