from __future__ import annotations

import ast
import re

import pytest

import derive
from derive.catalog import CATALOG, Entry
from derive.derivation import OPERATORS, of_entry
from derive.documents import Page, compose
from derive.documents.compose import KINDS, listed
from derive.documents.page import Code, Display, Heading, Words
from derive.printing.breaking import MOST, PAGE
from derive.printing.width import width


def page_of(name: str) -> Page:
    return compose(of_entry(CATALOG[name]), CATALOG[name])


def words(page: Page) -> list[str]:
    return [b.text for b in page.blocks if isinstance(b, Words)]


def displays(page: Page) -> list[str]:
    return [b.latex for b in page.blocks if isinstance(b, Display)]


NAMES = list(CATALOG)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_leads_from_what_is_given_to_the_result_and_its_program(name):
    entry, page = CATALOG[name], page_of(name)
    assert page.title == entry.title
    boxed = [
        k for k, b in enumerate(page.blocks) if isinstance(b, Display) and b.latex.startswith(r"\boxed{")
    ]
    assert len(boxed) == (0 if entry.kind == "identity" else len(of_entry(entry).parts))
    code = [b for b in page.blocks if isinstance(b, Code)]
    assert [b.source for b in code] == [of_entry(entry).program().source]
    assert page.blocks[-2:] == (Heading("Program"), *code)
    first = 1 if entry.remark else 0
    assert page.blocks[first].text.startswith("Let")
    if entry.remark:
        assert page.blocks[0] == Words(entry.remark)


@pytest.mark.parametrize("name", NAMES)
def test_displays_are_legal_and_few_enough_to_break_a_page_between(name):
    for latex in displays(page_of(name)):
        assert "\n\n" not in latex
        assert "$" not in latex
        assert latex.count(r"\begin") == latex.count(r"\end")
        rows = latex.count("&=")
        assert 1 <= rows <= 2 * MOST or latex.startswith(r"\boxed{")


@pytest.mark.parametrize("name", NAMES)
def test_words_are_sentences_with_closed_marks(name):
    for text in words(page_of(name)):
        assert text.count("$") % 2 == 0
        assert "{" not in re.sub(r"\$[^$]*\$", "", text)
        assert text.rstrip()[-1] in ".:" or text in ("Let", "Then") or text.endswith("and let")


def test_the_result_is_the_closed_form_in_a_box():
    assert r"\boxed{\sigma'(x) = \sigma(x)(1 - \sigma(x))}" in displays(page_of("sigmoid"))
    assert r"\boxed{\frac{\partial s_i}{\partial z_j} = s_i(\delta_{ij} - s_j)}" in displays(
        page_of("softmax")
    )


def test_variables_live_somewhere():
    page = composed("sum(A @ x)*b/n", "A", shapes={"A": "m 3", "x": "3", "b": "", "n": ""})
    wanted = (r"$A \in \mathbb{R}^{m \times 3}$", r"$x \in \mathbb{R}^{3}$", r"$b \in \mathbb{R}$")
    assert all(place in words(page)[0] for place in wanted)


def composed(formula: str, wrt: str, kind: str = "gradient", **about: object) -> Page:
    entry = Entry("e", "", formula, (wrt,), kind, **about)
    return compose(of_entry(entry), entry)


@pytest.mark.parametrize("kind", [k for k in OPERATORS if k != "identity"])
def test_each_kind_says_what_it_derives_and_by_what(kind):
    formula = {"derivative": "tanh(x)", "gradient": "sum(x**2)", "hessian": "sum(x**2)"}.get(kind, "x*sum(x)")
    page = composed(formula, "x", kind, shapes={"x": "n"})
    said = KINDS[kind].partition("$")[0]
    (sentence,) = (text for text in words(page) if text.startswith(said))
    assert "{" not in sentence
    assert "$x$" in sentence


def test_declared_facts_are_said():
    with_fact = composed("-sum(y*log(softmax(z)))", "z", shapes={"y": "n", "z": "n"}, assume={"y": "sum=1"})
    without = composed("-sum(y*log(softmax(z)))", "z", shapes={"y": "n", "z": "n"})
    assert "and declare that $" in words(with_fact)[0]
    assert not any("declare" in text for text in words(without))


def test_lemmas_are_derived_before_they_are_used():
    page = composed("sum(gelu(x))", "x", shapes={"x": "n"})
    lemma = next(k for k, b in enumerate(page.blocks) if isinstance(b, Words) and b.text.startswith("Lemma."))
    end = next(k for k, b in enumerate(page.blocks) if isinstance(b, Display) and r"\boxed" in b.latex)
    assert lemma < end
    assert isinstance(page.blocks[lemma + 1], Display)


def test_the_convention_at_a_kink_is_said():
    text = " ".join(words(composed("sum(relu(x))", "x", shapes={"x": "n"})))
    assert "kink" in text
    assert "convention" in text
    assert "kink" not in " ".join(words(composed("sum(tanh(x))", "x", shapes={"x": "n"})))


@pytest.mark.parametrize(
    ("layout", "said", "shown"),
    [
        ("numerator", "in numerator layout", r"\begin{pmatrix} 2 x_1 & 2 x_2 \end{pmatrix}"),
        ("denominator", "in denominator layout", r"\begin{pmatrix} 2 x_1 \\ 2 x_2 \end{pmatrix}"),
    ],
)
def test_matrices_say_their_sizes_and_their_layout(layout, said, shown):
    page = composed("sum(x**2)", "x", shapes={"x": "n"}, sizes={"n": 2}, layout=layout)
    (text,) = (t for t in words(page) if t.startswith("Written out"))
    assert "$n = 2$" in text
    assert said in text
    assert shown in displays(page)[-1]


def test_a_long_derivation_is_torn_between_displays_and_not_inside_a_chain():
    made = OPERATORS["gradient"](
        "; ".join(["h0 = tanh(W @ x)", *(f"h{k} = tanh(h{k - 1})" for k in range(1, 8)), "l = sum(h7)"]),
        "x",
        shapes={"W": "m n", "x": "n"},
    )
    page = compose(made, Entry("e", "", "", ("x",)))
    chained = [d for d in displays(page) if not d.startswith(r"\boxed")]
    assert len(chained) > 3
    assert all(re.match(r"\\begin\{aligned\}\n(?!&=)", d) for d in chained)


def test_the_evidence_comes_last():
    entry = CATALOG["linear"]
    page = compose(of_entry(entry), entry, (Heading("Evidence"), Words("All agree.")))
    assert page.blocks[-2:] == (Heading("Evidence"), Words("All agree."))


def test_programs_are_code():
    (code,) = (b for b in page_of("softmax").blocks if isinstance(b, Code))
    assert isinstance(ast.parse(code.source).body[-1], ast.FunctionDef)


@pytest.mark.parametrize(
    ("items", "sentence"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_is_a_sentence(items, sentence):
    assert listed(items) == sentence


def test_labels_fit_beside_their_equations():
    for name in ("softmax", "cross-entropy", "gelu"):
        for latex in displays(page_of(name)):
            for line in latex.split("\n")[1:-1]:
                label = line.rpartition("&&")[2] if "&&" in line else ""
                assert width(label.removesuffix(r"\\")) < PAGE


def test_a_page_in_chinese_keeps_its_prose_and_names_rules_in_chinese():
    made = of_entry(CATALOG["sigmoid"])
    page = compose(derive.derivation.replace(made, style=made.style.with_lang("zh")), CATALOG["sigmoid"])
    assert "（" in "".join(displays(page))
