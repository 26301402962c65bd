"""The derivatives people ask for, each reduced to the derivative of one definition by one variable.

gradient   scalar output                 shape of wrt
jacobian   any output                    output.shape + wrt.shape
hessian    scalar output, two variables  wrt.shape + other.shape
vjp        Σ G_I ∂f_I/∂x_K               shape of wrt; G has the shape of the output
jvp        Σ ∂f_I/∂x_K V_K               shape of the output; V has the shape of wrt
entrywise  ∂f_i/∂x_i where f acts entry by entry, any order; shape of wrt
"""

from __future__ import annotations

from dataclasses import replace

from sympy import KroneckerDelta, S

from derive.calculus.chain import differentiate
from derive.calculus.derived import Derived, parse_target
from derive.calculus.stages import Context, contraction, facts, run_passes, tidying
from derive.errors import ShapeError
from derive.expr.equation import Stage, Step
from derive.expr.indices import Index, fresh
from derive.expr.problem import Definition, Problem, Variable, reference
from derive.expr.sums import substitute
from derive.expr.tree import Bracket, Delta, Diff, Frac, Node, Num, Sigma, add, mul, neg, rename, value
from derive.printing.present import present

__all__ = ["CONVENTIONS", "entrywise", "gradient", "hessian", "jacobian", "jvp", "under_convention", "vjp"]


def jacobian(problem: Problem, output: str, wrt: str) -> Derived:
    """∂output/∂wrt, of shape output.shape + wrt.shape."""
    return differentiate(problem, output, wrt)


def gradient(problem: Problem, output: str, wrt: str) -> Derived:
    """∂output/∂wrt of a scalar output, of the shape of wrt."""
    dims = problem.definition(output).dims
    if dims:
        shape = ", ".join(map(str, dims))
        raise ShapeError(
            f"grad needs a scalar output, but {output!r} has shape ({shape}): "
            "take jacobian, or derivative for a function that acts entry by entry, or sum it"
        )
    return differentiate(problem, output, wrt)


def hessian(problem: Problem, output: str, wrt: str, other: str | None = None) -> Derived:
    """∂²output/∂wrt∂other of a scalar output, of shape wrt.shape + other.shape."""
    first = gradient(problem, output, wrt)
    extended, name = _named(problem, first, "g")
    second = differentiate(extended, name, other or parse_target(wrt)[0])
    rank = len(first.indices)
    rows, columns = second.indices[:rank], second.indices[rank:]
    by = parse_target(other or wrt)[0]
    target = Diff(Diff(reference(output, ()), reference(first.wrt, rows)), reference(by, columns))
    stages = [*first.all_stages, *second.all_stages]
    stages[-1] = _retargeted(stages[-1], target)
    local, final = (stages[:-1], stages[-1]) if second.combination else (stages, None)
    generated = (*first.generated, (name, "gradient", output), *second.generated)
    return replace(second, stages=tuple(local), combination=final, generated=generated)


def vjp(problem: Problem, output: str, wrt: str) -> Derived:
    """Σ G ∂output/∂wrt for an upstream gradient G of the output's shape; the backward formula of `output`."""
    definition = problem.definition(output)
    upstream = problem.free_name("G")
    total = problem.free_name("L")
    at = tuple(fresh(i) for i in definition.indices)
    body: Node = mul(reference(upstream, at), reference(output, at))
    for index in reversed(at):
        body = Sigma(index, body)
    extended = replace(
        problem,
        variables=(Variable(upstream, definition.dims), *problem.variables),
        definitions=(*problem.definitions, Definition(total, (), body)),
        outputs=(total,),
    )
    return differentiate(extended, total, wrt)


def jvp(problem: Problem, output: str, wrt: str) -> Derived:
    """Σ ∂output/∂wrt V for a tangent V of the variable's shape."""
    derived = differentiate(problem, output, wrt)
    name = parse_target(wrt)[0]
    tangent = problem.free_name("V")
    dims = problem.variable(name).dims
    rows = derived.indices[: len(derived.indices) - len(dims)]
    at = derived.indices[len(rows) :]
    start: Node = mul(derived.closed_form, reference(tangent, at))
    for index in reversed(at):
        start = Sigma(index, start)
    extended = replace(derived.problem, variables=(Variable(tangent, dims), *problem.variables))
    context = Context((tangent,), variables=extended.variables)
    steps = run_passes(start, (contraction, facts, tidying), context)
    summed = mul(Diff(reference(output, rows), reference(name, at)), reference(tangent, at))
    for index in reversed(at):
        summed = Sigma(index, summed)
    stage = Stage(summed, rows, steps, start)
    return replace(derived, problem=extended, indices=rows, stages=derived.all_stages, combination=stage)


# How the gradient by a structured matrix is read: what each entry of it answers.
CONVENTIONS = {
    "free": "every entry of the matrix is a variable of its own",
    "symmetric": "the matrix is moved along symmetric matrices: (G + Gᵀ)/2",
    "unique": "the entries on and above the diagonal are the variables, each used twice: G + Gᵀ - diag(G)",
    "triangular": "only the entries on and below the diagonal are variables",
}


def under_convention(derived: Derived, convention: str) -> Derived:
    """The gradient by a square matrix read under a convention of CONVENTIONS."""
    if convention not in CONVENTIONS:
        raise ShapeError(f"there is no convention {convention!r}; write one of {', '.join(CONVENTIONS)}")
    if convention == "free":
        return derived
    if len(derived.indices) != 2 or derived.indices[0].dim != derived.indices[1].dim:
        raise ShapeError(f"the convention {convention!r} is for the gradient of a scalar by a square matrix")
    target = _read(derived.final.target, derived.indices, convention)
    read = _read(derived.closed_form, derived.indices, convention)
    context = Context(derived.problem.names, variables=derived.problem.variables)
    first = Step(target, read, (f"{convention} convention",))
    steps = (first, *run_passes(read, (facts, tidying), context))
    stage = Stage(target, derived.indices, steps, target)
    return replace(derived, stages=derived.all_stages, combination=stage, convention=convention)


def _read(entry: Node, indices: tuple[Index, ...], convention: str) -> Node:
    """What stands for the entry of a free gradient under a convention."""
    i, j = indices
    turned = rename(entry, {i: j, j: i})
    match convention:
        case "symmetric":
            return Frac(add(entry, turned), Num(S(2)))
        case "unique":
            return add(entry, turned, neg(mul(Delta(i, j), entry)))
    return mul(Bracket(i >= j), entry)


def entrywise(problem: Problem, output: str, wrt: str, order: int = 1) -> Derived:
    """∂ⁿoutput_i/∂wrt_iⁿ of an output that acts on `wrt` entry by entry, of the shape of wrt."""
    if order < 1:
        raise ShapeError(f"the order of a derivative is 1 or more, not {order}")
    name = parse_target(wrt)[0]
    stages: tuple[Stage, ...] = ()
    generated: tuple[tuple[str, str, str], ...] = ()
    derived = _one_entrywise(problem, output, name)
    for _ in range(order - 1):
        stages = (*stages, *derived.all_stages)
        problem, following = _named(problem, derived, "g")
        generated = (*generated, *derived.generated, (following, "derivative", output))
        output = following
        derived = _one_entrywise(problem, output, name)
    return replace(derived, stages=(*stages, *derived.stages), generated=(*generated, *derived.generated))


def _one_entrywise(problem: Problem, output: str, wrt: str) -> Derived:
    # One product: an adjoint would be a matrix here, with the delta hidden in its definition.
    derived = differentiate(problem, output, wrt, longest=10**6)
    if not derived.indices:
        return derived
    split = len(problem.definition(output).indices)
    rows, columns = derived.indices[:split], derived.indices[split:]
    on_diagonal = dict(zip(columns, rows, strict=False))
    jacobian_value = value(derived.closed_form)
    deltas = {KroneckerDelta(i, j) for i, j in zip(rows, columns, strict=False)}
    off_diagonal = any(substitute(jacobian_value, {delta: S.Zero}) != 0 for delta in deltas)
    if [i.dim for i in rows] != [j.dim for j in columns] or off_diagonal:
        raise ShapeError(f"{output!r} does not act on {wrt!r} entry by entry; take jacobian instead")
    start = rename(derived.closed_form, on_diagonal)  # type: ignore[arg-type]
    after = present(substitute(jacobian_value, on_diagonal), problem.names)
    target = Diff(reference(output, rows), reference(wrt, rows))
    stage = Stage(target, rows, (Step(start, after, ("entry by entry",)),), start)
    return replace(derived, indices=rows, stages=derived.all_stages, combination=stage)


def _retargeted(stage: Stage, target: Node) -> Stage:
    """The stage of the same result, under another name for what is derived."""
    if stage.start != stage.target:
        return replace(stage, target=target)
    first, *others = stage.steps
    return replace(stage, target=target, start=target, steps=(replace(first, before=target), *others))


def _named(problem: Problem, derived: Derived, letter: str) -> tuple[Problem, str]:
    """The problem with a derivation's closed form as one more definition."""
    name = problem.free_name(letter)
    definition = Definition(name, derived.indices, derived.closed_form)
    extended = replace(
        derived.problem, definitions=(*derived.problem.definitions, definition), outputs=(name,)
    )
    return extended, name
