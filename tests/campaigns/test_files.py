"""Files of problems: read line by line, and refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.campaigns.files import read_jobs
from derive.campaigns.job import Job

LINES = """\
{"entry": "sigmoid"}

{"name": "sum", "formula": "sum(w*x)", "wrt": ["x", "w"], "shapes": {"x": "n", "w": "n"}, "seed": 4}
{"function": "torch:relu", "wrt": "input", "kind": "derivative", "shapes": {"input": ""}}
"""


def test_a_line_is_a_job(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(LINES, encoding="utf-8")
    assert list(read_jobs(path)) == [
        Job("sigmoid", entry="sigmoid"),
        Job("sum", formula="sum(w*x)", wrt=("x", "w"), shapes={"x": "n", "w": "n"}, seed=4),
        Job("problem 4", function="torch:relu", wrt=("input",), kind="derivative", shapes={"input": ""}),
    ]


WRONG = [
    ("{", "line 2: Expecting property name"),
    ("[1]", "line 2: a problem is an object with some of: name, entry"),
    (
        '{"entry": "sigmoid", "sead": 3}',
        "line 2: there is no field 'sead'; the fields are name, entry, .*seed",
    ),
    ('{"formula": "x"}', "line 2: 'problem 2': say by what"),
]


@pytest.mark.parametrize(("line", "says"), WRONG)
def test_a_line_that_is_no_job_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"entry": "sigmoid"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        list(read_jobs(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"problems are read from files \.jsonl"):
        list(read_jobs(tmp_path / "problems.csv"))


def test_a_manifest_is_read_as_jobs(tmp_path):
    path = tmp_path / "derive.toml"
    path.write_text(
        '[[check]]\nname = "mean"\nformula = "sum(x)/n"\nwrt = "x"\nshapes = { x = "n" }\nseed = 3\n'
    )
    assert list(read_jobs(path)) == [Job("mean", formula="sum(x)/n", wrt="x", shapes={"x": "n"}, seed=3)]


def test_what_compares_two_gradients_is_not_for_a_campaign(tmp_path):
    path = tmp_path / "derive.toml"
    path.write_text('[[check]]\nname = "mean"\nformula = "sum(x)"\nwrt = "x"\ncandidate = "x"\n')
    with pytest.raises(ValueError, match=r"line 1: 'mean' compares two gradients; pytest --derive does that"):
        list(read_jobs(path))
