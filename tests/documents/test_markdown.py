from __future__ import annotations

import re

import pytest

from derive.documents import Page, markdown
from derive.documents.markdown import cell, inline
from derive.documents.page import Code, Table, Words
from tests.documents.pages import EVERY

PAGE = r"""# 50% of $x_1$ & `y_2`

## A\_b

Let $a_1 < b$ be `c_d`: \#1.

$$
\begin{aligned}
a &= b
\end{aligned}
$$

```python
def f(x_1):
    return x_1 % 2
```

| x\_1 | $y$ |
| --- | --- |
| 1 & 2 | $\vert y\vert $ |
| `a\|b` | c\|d |
"""


def test_every_block_is_written():
    assert markdown(EVERY) == PAGE


@pytest.mark.parametrize("sign", list(r"\`*_[]<>#|"))
def test_a_sign_of_markdown_is_taken_as_it_stands(sign):
    assert inline(f"a{sign}b") == f"a\\{sign}b"


def test_mathematics_and_code_keep_their_signs():
    assert inline("$a_1 * |b|$ and `a_1 * |b|`") == "$a_1 * |b|$ and `a_1 * |b|`"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a|b", r"a\|b"),
        ("$|a|$", r"$\vert a\vert $"),
        (r"$\|a\|$", r"$\Vert a\Vert $"),
        ("`a|b`", r"`a\|b`"),
        ("---", "---"),
    ],
)
def test_a_cell_holds_no_bar_that_would_end_it(text, wanted):
    assert cell(text) == wanted
    assert not re.search(r"(?<!\\)\|", cell(text))


def test_a_table_has_as_many_cells_in_each_row():
    table = Table(("a", "b|c", ""), (("1", "|", "$|x|$"), ("", "`|`", "--")))
    lines = markdown(Page("t", (table,))).splitlines()[2:]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert lines[1] == "| --- | --- | --- |"


def test_a_page_ends_with_one_newline_and_has_no_hole_where_a_figure_was():
    text = markdown(Page("t", (*EVERY.blocks, Words("end"))))
    assert text.endswith("end\n")
    assert "\n\n\n" not in text


def test_code_says_its_language():
    assert "```sh\nls\n```" in markdown(Page("t", (Code("ls\n", "sh"),)))
