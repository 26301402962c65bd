from __future__ import annotations

import pytest

from derive.printing.style import PRESETS, Style


def test_a_choice_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"no style exp='pow'; write one of 'power', 'call'"):
        Style(exp="pow")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_found_by_name(name):
    assert Style.named(name) == PRESETS[name]


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="write one of notes, plain"):
        Style.named("fancy")


def test_symbols_override_names():
    style = Style(symbols=(("loss", r"\ell"),))

    assert style.symbol("loss") == r"\ell"
    assert style.symbol("l") is None
