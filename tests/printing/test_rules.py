from __future__ import annotations

import re
from pathlib import Path

import pytest

import derive.calculus
from derive.expr.heads import HEADS
from derive.printing.rules import RULES, label, rule_name


@pytest.mark.parametrize("key", RULES)
def test_every_rule_has_a_name_in_both_languages(key):
    english, chinese = rule_name(key, "en"), rule_name(key, "zh")

    assert english.isascii()
    assert re.fullmatch(r"[\u4e00-\u9fff]+", chinese)


def test_names_are_told_apart():
    assert len({names[0] for names in RULES.values()}) == len(RULES)
    assert len({names[1] for names in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("head", [head.name for head in HEADS.values() if head.source])
def test_the_derivative_of_every_function_of_a_matrix_has_a_name(head):
    assert rule_name(f"derivative of {head}")


def test_an_unknown_rule_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match=r"no rule 'chian rule'.*chain rule"):
        rule_name("chian rule")


def test_every_rule_that_the_calculus_names_is_in_the_table():
    folder = Path(derive.calculus.__file__).parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    named = set(re.findall(r'Step\([^\n]*\("([a-z ]+)",\)', source))
    named |= set(re.findall(r'"([a-z ]+ rule|constant multiple|[a-z]+ contraction)"', source))

    assert len(named) > 10
    assert named <= set(RULES)


@pytest.mark.parametrize(
    ("keys", "given", "lang", "expected"),
    [
        ([], [], "en", ""),
        (["chain rule"], [], "en", r"\text{(chain rule)}"),
        (["sum rule", "chain rule", "sum rule"], [], "en", r"\text{(sum rule, chain rule)}"),
        (["sum rule", "chain rule"], [], "zh", r"\text{（加法法则，链式法则）}"),
        (["fact"], ["sum=1"], "en", r"\text{(given sum=1)}"),
        (["fact", "collect"], ["one-hot"], "zh", r"\text{（合并同类项，已知 one-hot）}"),
        (["fact"], ["y_i<50%"], "en", r"\text{(given y}\_\text{i<50}\%\text{)}"),
        (list(RULES)[:6], [], "zh", r"\text{（定义，范数的定义，展开中间变量，...）}"),
    ],
)
def test_labels_name_each_rule_and_each_fact_once(keys, given, lang, expected):
    assert label(keys, given, lang) == expected
