"""The assertions: thin skins over what is found, that hide themselves in a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derive.testing.find import find_derivation, find_gradient, find_step

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.expr.equation import Step
    from derive.testing.finding import Finding

__all__ = ["assert_derivation", "assert_gradient", "assert_step"]


def assert_gradient(
    f: Any,
    candidate: Any,
    wrt: str,
    *,
    name: str = "",
    rounding: bool = False,
    seed: int = 0,
    **about: Any,
) -> None:
    """A candidate for the gradient of `f` by `wrt` is right, or an AssertionError says how it is wrong.

    `f` and `candidate` are torch functions or formula texts; `about` is what `derive.check` takes: `shapes=`
    or `like=` (example tensors), `dtypes=`, `assume=`, `kind=`. With `rounding` a candidate passes that is
    right as mathematics and loses digits as a program.

    >>> assert_gradient("sum(x**2)", "2*x", wrt="x", shapes={"x": "n"})
    """
    __tracebackhide__ = True
    _pass(find_gradient(f, candidate, wrt, name=name, rounding=rounding, seed=seed, **about))


def assert_derivation(
    what: Any, wrt: Any = None, *, kind: str = "gradient", name: str = "", seed: int = 0, **about: Any
) -> None:
    """A derivation verifies: the one given, or that of `what` by `wrt`, of a kind such as jacobian.

    >>> assert_derivation("tanh(W @ x)", wrt="x", kind="jacobian", shapes={"W": "m n", "x": "n"})
    """
    __tracebackhide__ = True
    _pass(find_derivation(what, wrt, kind=kind, name=name, seed=seed, **about))


def assert_step(
    before: str | Step,
    after: str | None = None,
    shapes: Any = None,
    *,
    of: Derivation | None = None,
    name: str = "",
    seed: int = 0,
    **about: Any,
) -> None:
    """One step of a calculation holds: the two sides are equal at random points.

    The sides are formula texts of the same shape; or `before` is a step of a derivation, which `of` names.

    >>> assert_step("log(exp(x) * exp(y))", "x + y")
    """
    __tracebackhide__ = True
    _pass(find_step(before, after, shapes, of=of, name=name, seed=seed, **about))


def _pass(finding: Finding) -> None:
    __tracebackhide__ = True
    if not finding.ok:
        raise AssertionError(str(finding))
