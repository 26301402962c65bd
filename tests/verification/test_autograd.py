"""Autograd in both modes: each against torch.func on functions written by hand."""

from __future__ import annotations

import pytest

from derive.numeric import program_of
from derive.verification.autograd import forward_mode, function_of, reverse_mode
from derive.verification.case import Case, Question
from derive.verification.judge import lowered
from tests.verification.problems import DERIVATIONS

torch = pytest.importorskip("torch")


def case_of(name: str, reference=None) -> tuple[Case, Question]:
    kind, derived = DERIVATIONS[name]()
    case = Case((derived,), program_of([derived]), kind, reference, lower=lowered)
    return case, case.questions[0]


@pytest.mark.parametrize("name", DERIVATIONS)
def test_both_modes_agree_and_have_the_shape_of_the_law(name: str) -> None:
    case, question = case_of(name)
    for sample in case.samples:
        reverse, forward = reverse_mode(case, question, sample), forward_mode(case, question, sample)
        assert tuple(reverse.shape) == tuple(forward.shape) == tuple(question.shape(sample))
        assert torch.allclose(reverse, forward, rtol=1e-9, atol=1e-12)


def test_they_are_torch_func() -> None:
    func = torch.func
    softmax = lambda z: torch.softmax(z, 0)  # noqa: E731
    case, question = case_of("softmax", softmax)
    sample = case.samples[0]
    (z,) = case.tensors(sample, "float64")
    assert torch.allclose(reverse_mode(case, question, sample), func.jacrev(softmax)(z))
    case, question = case_of("softmax vjp", softmax)
    sample = case.samples[0]
    G, z = case.tensors(sample, "float64")
    assert torch.allclose(reverse_mode(case, question, sample), func.vjp(softmax, z)[1](G)[0])
    case, question = case_of("softmax jvp", softmax)
    sample = case.samples[0]
    V, z = case.tensors(sample, "float64")
    assert torch.allclose(forward_mode(case, question, sample), func.jvp(softmax, (z,), (V,))[1])
    loss = lambda z, y: -(y * torch.log_softmax(z, 0)).sum()  # noqa: E731
    case, question = case_of("cross entropy hessian", loss)
    sample = case.samples[0]
    z, y = case.tensors(sample, "float64")
    assert torch.allclose(reverse_mode(case, question, sample), func.hessian(loss)(z, y))
    assert torch.allclose(forward_mode(case, question, sample), func.hessian(loss)(z, y))


def test_a_function_that_does_not_use_its_variable_has_a_zero_derivative() -> None:
    case, question = case_of("silu", lambda x: torch.ones_like(x))
    sample = case.samples[0]
    assert not reverse_mode(case, question, sample).any()
    assert not forward_mode(case, question, sample).any()


def test_the_reference_is_run_where_it_gives_the_output_in_question() -> None:
    case, question = case_of("silu", torch.nn.functional.silu)
    assert function_of(case, question)[1] == "the reference"
    case, question = case_of("silu")
    assert function_of(case, question)[1] == "the forward program"


def test_one_of_several_results_is_chosen_by_its_name() -> None:
    kind, derived = DERIVATIONS["silu"]()
    case = Case((derived,), program_of([derived]), kind, lambda x: (torch.nn.functional.silu(x),))
    sample = case.samples[0]
    assert reverse_mode(case, case.questions[0], sample).shape == (sample.sizes["n"],)
    case = Case((derived,), program_of([derived]), kind, lambda x: (x, x))
    with pytest.raises(ValueError, match="2 results"):
        reverse_mode(case, case.questions[0], sample)


def test_a_hessian_asks_for_the_authors_output_by_both_variables() -> None:
    _, question = case_of("cross entropy hessian")
    assert (question.output, question.wrts, question.label) == ("l", ("z", "z"), "∂²l/∂z∂z")
    _, question = case_of("silu twice")
    assert (question.output, question.wrts) == ("y", ("x", "x"))
    _, question = case_of("softmax vjp")
    assert (question.output, question.wrts, question.label) == ("s", ("z",), "G·∂s/∂z")
