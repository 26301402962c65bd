from __future__ import annotations

import sympy
from sympy import Integer

from derive.expr.equation import BRIEF, FULL, NORMAL, Stage, Step
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Definition
from derive.expr.tree import Add, Call, Diff, Entry, Frac, Group, Mul, Neg, Num, Pow, Sigma, Sym
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.rows import Row, aligned, definition_row, stage_rows, unrepeated
from derive.printing.scope import Scope
from derive.printing.style import Style

one, two = Num(Integer(1)), Num(Integer(2))
x, y = Sym(scalar("x")), Sym(scalar("y"))
e = Call(sympy.exp, (Neg(x),))
below = Add((one, e))
SIGMOID = FUNCTIONS["sigmoid"]
sigma = Call(SIGMOID, (x,))

rate = Diff(Frac(one, below), x)
reciprocal = Neg(Frac(Diff(below, x), Pow(below, two)))
quotient = Frac(e, Pow(below, two))
regrouped = Mul((Frac(one, below), Group(Frac(e, below))))
folded = Mul((sigma, Add((one, Neg(sigma)))))
STEPS = (
    Step(rate, reciprocal, ("reciprocal rule",), FULL),
    Step(reciprocal, quotient, ("chain rule",), FULL),
    Step(quotient, regrouped, ("regroup",), NORMAL),
    Step(regrouped, folded, ("fold",), NORMAL),
)
STAGE = Stage(Diff(sigma, x), (), STEPS, rate)
DEFINITION = Definition("sigmoid", (), Frac(one, below), SIGMOID)


def scope(**style):
    return Scope(Style(**style), ordinary=True)


def test_the_sigmoid_derivation_reads_like_the_notes():
    rows = stage_rows(STAGE, scope(exp="call", derivative="prime", rules=False), NORMAL, DEFINITION)

    assert aligned(rows) == "\n".join(
        [
            r"\begin{aligned}",
            r"\sigma(x) &= \frac{1}{1 + \exp(-x)} \\",
            r"\sigma'(x) &= \frac{1}{1 + \exp(-x)}\left(\frac{\exp(-x)}{1 + \exp(-x)}\right) \\",
            r"&= \sigma(x)(1 - \sigma(x))",
            r"\end{aligned}",
        ]
    )


def test_the_rules_of_hidden_steps_are_named_at_the_next_row():
    labels = [row.label for row in stage_rows(STAGE, scope())]

    assert labels == [r"\text{(reciprocal rule, chain rule, regroup)}", r"\text{(recognise the function)}"]


def test_brief_is_the_last_row_alone():
    (row,) = stage_rows(STAGE, scope(), BRIEF)

    assert row.left == r"\frac{d}{dx} \sigma(x)"
    assert row.right == (r"\sigma(x)(1 - \sigma(x))",)
    assert row.label == ""


def test_full_begins_with_what_is_differentiated():
    rows = stage_rows(STAGE, scope(), FULL)

    assert rows[0].right == (r"\frac{d}{dx} \frac{1}{1 + e^{-x}}",)
    assert [row.left for row in rows[1:]] == [""] * 4


def test_more_detail_never_takes_a_row_away():
    rows = [{row.right for row in stage_rows(STAGE, scope(), level)} for level in (BRIEF, NORMAL, FULL)]

    assert rows[0] < rows[1] < rows[2]


def test_rows_that_read_the_same_become_one():
    bracketed = Call(SIGMOID, (Group(x),))
    steps = (Step(x, sigma, ("lemma",)), Step(sigma, bracketed, ("simplify",)))

    (row,) = stage_rows(Stage(y, (), steps, x), scope())
    assert row.label == r"\text{(lemma, simplify)}"


def test_a_first_row_that_repeats_its_left_side_is_left_out():
    steps = (Step(y, Diff(sigma, x), ("lemma",)), Step(Diff(sigma, x), folded, ("fold",)))

    (row,) = stage_rows(Stage(Diff(sigma, x), (), steps, y), scope())
    assert row.right == (r"\sigma(x)(1 - \sigma(x))",)
    assert row.label == r"\text{(lemma, recognise the function)}"


def test_a_stage_without_steps_is_its_start():
    assert stage_rows(Stage(y, (), (), x), scope()) == (Row("y", ("x",)),)


def test_facts_are_named_with_the_rule_that_rests_on_them():
    step = Step(x, y, ("fact",), given=("sum=1",))
    (row,) = stage_rows(Stage(y, (), (step,), x), scope())

    assert row.label == r"\text{(given sum=1)}"


def test_a_tensor_s_definition_has_letters_of_its_own():
    i, k = Index("i", dim("m")), fresh("i", dim("n"))
    body = Sigma(k, Mul((Entry("W", (i, k)), Entry("x", (k,)))))

    row = definition_row(Definition("y", (i,), body), Scope(names=frozenset({"W", "x", "y", "m", "n"})))
    assert row == Row("y_i", (r"\sum_{j=1}^{n} W_{ij} x_j",), r"\text{(definition)}")


def test_a_long_sum_is_broken_before_a_sign():
    terms = [Mul((Entry("a", (Integer(n),)), Call(SIGMOID, (Entry("y", (Integer(n),)),)))) for n in range(11)]
    terms[8] = Neg(terms[8])

    (row,) = stage_rows(Stage(y, (), (Step(y, Add(tuple(terms)), ()),), y), scope(rules=False))
    assert len(row.right) == 2
    assert row.right[1].startswith(r"- a_9 \sigma(y_9)") or row.right[1].startswith("+ ")
    assert all(len(line) <= 120 for line in row.right)
    assert aligned([row]).count(r"&\quad") == 1


def test_no_block_has_a_blank_line_or_what_some_renderer_refuses():
    text = aligned(stage_rows(STAGE, scope(), FULL, DEFINITION))

    assert "\n\n" not in text
    assert not any(word in text for word in (r"\tag", r"\label", "align*", "$"))


def test_a_chain_that_was_shown_is_not_shown_again():
    y, twice, z = Row("y", ("x^2",)), Row("", ("x x",)), Row("z", ("2",))

    assert list(unrepeated([[y, twice], [y, twice, z], [z], [y]])) == [(y, twice), (z,), (y,)]
