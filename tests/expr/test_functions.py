from __future__ import annotations

import pickle

import pytest
import sympy
from sympy import Lambda, Symbol, exp, log, sqrt

from derive.errors import Unsupported
from derive.expr.functions import Apply, elementary, named
from derive.expr.indices import scalar
from derive.expr.vocabulary import FUNCTIONS
from tests.expr.expressions import I, same, x

z, b = Symbol("z", real=True), Symbol("b", real=True)
SIGMOID = FUNCTIONS["sigmoid"]


def swish():
    return named("swish", [z, b], z * SIGMOID(b * z), latex=r"\mathrm{swish}", kinks=[0], convention="none")


def test_a_function_is_what_it_was_declared_by():
    assert swish() == swish()
    assert hash(swish()) == hash(swish())
    other = named(
        "swish", [z, b], z * SIGMOID(z * b + 0) + 0, latex=r"\mathrm{swish}", kinks=[0], convention="none"
    )
    assert other == swish()
    assert named("swish", [z, b], z * b) != swish()
    assert named("silu", [z, b], z * SIGMOID(b * z)) != swish()


@pytest.mark.parametrize("fn", [*FUNCTIONS.values(), swish(), swish().derivative(1, 2)], ids=str)
def test_functions_and_what_they_are_applied_to_survive_pickling(fn):
    again = pickle.loads(pickle.dumps(fn))
    assert again == fn
    assert (again.name, again.latex, again.primes, again.kinks) == (fn.name, fn.latex, fn.primes, fn.kinks)
    call = fn(*[x(I)] * fn.arity)
    assert pickle.loads(pickle.dumps(call)) == call


def test_the_wrong_number_of_arguments_is_refused():
    with pytest.raises(TypeError, match=r"swish takes 2 argument\(s\), not 1"):
        swish()(z)


def test_unfolding_puts_the_arguments_in_at_once():
    # One after the other, z would become b and then b again.
    assert swish()(b, z).unfold() == b * SIGMOID(z * b)
    ratio = named("ratio", [z, b], z / b)
    assert ratio(b, z).unfold() == b / z


def test_elementary_goes_to_the_bottom_and_under_sums():
    nested = FUNCTIONS["mish"](FUNCTIONS["mish"](x(I)))
    assert not elementary(nested).has(Apply)
    assert same(elementary(nested), nested)


def test_primes_count_each_argument():
    second = swish().derivative(1).derivative(0).derivative(1)
    assert second.primes == (1, 2)
    assert str(second) == "swish'''"
    assert second.derivative(1, -2).derivative(0, -1) == swish() == second.base


def test_the_definition_of_a_primed_function_is_that_of_sympy():
    assert swish().derivative(0).definition == Lambda((z, b), swish().definition.expr.diff(z))


def test_applications_are_differentiated_in_every_argument():
    both = swish()(z**2, z)
    assert both.diff(z) == 2 * z * swish().derivative(0)(z**2, z) + swish().derivative(1)(z**2, z)
    assert both.diff(b) == 0


def test_an_argument_named_like_a_parameter_is_not_captured():
    a = scalar("z")  # the same symbol as the parameter
    assert swish()(1 + a, 2 * a).unfold() == (1 + a) * SIGMOID(2 * a * (1 + a))


def test_a_derivative_that_is_no_function_is_refused():
    step = named("step", [z], sympy.Heaviside(z))
    with pytest.raises(Unsupported, match="no elementary closed form"):
        _ = step.derivative().definition


def test_a_head_without_latex_is_written_upright():
    assert named("bentid", [z], (sqrt(z**2 + 1) - 1) / 2 + z).latex == r"\operatorname{bentid}"
    assert swish().latex == r"\mathrm{swish}"


def test_definitions_are_not_searched():
    # Replacing log in an expression does not change what softplus means.
    call = FUNCTIONS["softplus"](x(I))
    assert not call.has(log)
    assert not call.has(exp)
