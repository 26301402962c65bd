"""Manifests: what is written is what is read, and what cannot be read says where, and what to write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from derive.catalog.record import Kind
from derive.errors import ManifestError
from derive.testing.manifest import KEYS, KINDS, Item, imported, is_reference, read_manifest

WHOLE = """
# gradients of the notes

[[check]]
name = "mean square"
function = "model:loss"
wrt = "W"
shapes = { W = "m n", x = ["n"], y = "m" }
kind = "gradient"
candidate = "outer(W @ x - y, x)"
rounding = true
assume = { y = ["sum=1", "positive"] }
dtypes = { t = "int64" }
seed = 3

  [[ check ]]
name = "norm"
formula = "sum(x**2)"
wrt = ["x", "y"]
shapes = "x: n, y: n"
"""

GOOD = 'name = "a"\nformula = "sum(x**2)"\nwrt = "x"\nshapes = "x: n"\n'


def manifest(folder: Path, text: str) -> Path:
    file = folder / "derive.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = manifest(tmp_path, WHOLE)
    assert read_manifest(file) == (
        Item(
            "mean square",
            "",
            "model:loss",
            "W",
            {"W": "m n", "x": ["n"], "y": "m"},
            "gradient",
            "outer(W @ x - y, x)",
            True,
            {"y": ["sum=1", "positive"]},
            {"t": "int64"},
            3,
            file,
            4,
        ),
        Item("norm", "sum(x**2)", wrt=("x", "y"), shapes="x: n, y: n", file=file, line=16),
    )


def test_the_keys_are_the_fields_and_the_kinds_those_of_derive() -> None:
    assert {f.name for f in fields(Item)} == {*KEYS, "file", "line"}
    assert set(KINDS) == set(get_args(Kind))


def test_what_is_known_of_the_variables_is_what_derive_takes(tmp_path: Path) -> None:
    first, second = read_manifest(manifest(tmp_path, WHOLE))
    assert set(first.about) == {"shapes", "assume", "dtypes"}
    assert second.about == {"shapes": "x: n, y: n"}


def test_a_line_is_told_only_where_it_is_certain(tmp_path: Path) -> None:
    text = '[[check]]\nname = "a"\nformula = """\nsum(x)\n[[check]]\n"""\nwrt = "x"\nshapes = "x: n"\n'
    (item,) = read_manifest(manifest(tmp_path, text))
    assert item.line == 0


@pytest.mark.parametrize("key", KEYS)
def test_the_example_of_a_key_is_one_that_it_takes(key: str, tmp_path: Path) -> None:
    import tomllib

    example = (
        KEYS[key].example.partition(" or ")[0].replace("one of ", "").replace("gradient, ", "gradient#, ")
    )
    example = {"kind": 'kind = "gradient"', "dtypes": 'dtypes = { t = "int64" }'}.get(key, example)
    assert KEYS[key].fits(tomllib.loads(example)[key])


# ── what is wrong, where, and what to write ─────────────────────────────────────────────────────────

REFUSED = [
    ("", "derive.toml: there is no check in it; write a table [[check]]"),
    ("[[check]\n", "derive.toml: it is no TOML: Expected ']]'"),
    ("[[chek]]\n", "derive.toml: there is no key 'chek' here; write a table [[check]]"),
    ("[check]\nname = 'a'\n", "the tables of checks have two brackets: write [[check]]"),
    (
        f"[[check]]\n{GOOD}shape = 'x: n'\n",
        "line 1, [[check]] \"a\": there is no key 'shape'; did you mean shapes?",
    ),
    (f"[[check]]\n{GOOD}zzz = 1\n", "there is no key 'zzz'; the keys are name, formula"),
    ("[[check]]\nformula = 'x'\nwrt = 'x'\n", "line 1, name: it is missing; write name = "),
    ("\n[[check]]\nname = 3\n", "derive.toml, line 2, name: 3 does not fit; write name = "),
    ("[[check]]\nname = 'a'\nwrt = 'x'\n", 'line 1, [[check]] "a", formula: it is missing; write formula = '),
    ("[[check]]\nname = 'a'\nformula = 'x'\n", 'wrt: it is missing; write wrt = "W"'),
    ("[[check]]\nname = 'a'\nfunction = 'a:b'\nwrt = 'x'\n", "shapes: it is missing; write shapes = "),
    (
        "[[check]]\nname = 'a'\nfunction = 'loss'\n",
        "function: 'loss' does not fit; write function = \"model:loss\"",
    ),
    (
        f"[[check]]\n{GOOD}kind = 'grad'\n",
        "kind: 'grad' does not fit; write kind = one of gradient, derivative",
    ),
    (f"[[check]]\n{GOOD}seed = true\n", "seed: True does not fit; write seed = 0"),
    (f"[[check]]\n{GOOD}seed = -1\n", "seed: -1 does not fit"),
    (
        f"[[check]]\n{GOOD}dtypes = {{ t = 'int' }}\n",
        "dtypes: {'t': 'int'} does not fit; write dtypes = { t = one of",
    ),
    (f"[[check]]\n{GOOD}assume = 'x: unit'\n", "assume: 'x: unit' does not fit; write assume = "),
    (f"[[check]]\n{GOOD}rounding = true\n", "rounding: it is said of a candidate; there is none"),
    (f"[[check]]\n{GOOD}candidate = 2\n", "candidate: 2 does not fit; write candidate = "),
    (f"[[check]]\n{GOOD}function = 'a:b'\ncandidate = 'x'\n", "candidate: whose gradient is it"),
    (
        "[[check]]\nname = 'a'\nformula = 'x'\nwrt = ['x']\ncandidate = '1'\n",
        "candidate: it has one wrt, and no list",
    ),
    (
        "[[check]]\nname = 'a'\nformula = 'x, x'\nkind = 'identity'\ncandidate = '1'\n",
        "candidate: an identity has none; leave it out",
    ),
    (f"[[check]]\n{GOOD}[[check]]\n{GOOD}", 'line 6, [[check]] "a", name: another check has this name'),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_read_says_where_and_what_to_write(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as error:
        read_manifest(manifest(tmp_path, text))
    assert str(error.value).startswith("derive.toml")
    assert said in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "derive.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match=r"derive\.toml: it is not UTF-8"):
        read_manifest(tmp_path / "derive.toml")


# ── importing what is named ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules; what is imported from it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "home_of_loss.py").write_text(
        "from math import pi\nclass Model:\n    @staticmethod\n    def loss(x): return x\n", encoding="utf-8"
    )
    (tmp_path / "raises.py").write_text("import math\n\nmath.zero\n", encoding="utf-8")
    (tmp_path / "needs.py").write_text("import home_of_nobody\n", encoding="utf-8")
    (tmp_path / "json.py").write_text("def loss(x): return x\n", encoding="utf-8")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "inner.py").write_text("def loss(x): return x\n", encoding="utf-8")
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def item(folder: Path, function: str) -> Item:
    return Item("a", function=function, file=folder / "derive.toml", line=4)


@pytest.mark.parametrize("function", ["home_of_loss:Model.loss", "package.inner:loss"])
def test_a_function_is_imported_from_the_manifest_s_own_folder(project: Path, function: str) -> None:
    found = imported(item(project, function), "function")
    assert found(3) == 3
    assert Path(sys.modules[function.partition(":")[0]].__file__ or "").is_relative_to(project)


NOT_THERE = [
    ("home_of_nobody:f", "there is no module 'home_of_nobody' in "),
    ("package.nobody:f", "there is no module 'package.nobody' in "),
    ("home_of_loss:Model.los", "home_of_loss has no 'los'; did you mean loss?"),
    ("home_of_loss:pi", "pi of home_of_loss is no function, it is 3.14"),
    (
        "raises:f",
        "importing raises fails: AttributeError: module 'math' has no attribute 'zero' (raises.py, line 3)",
    ),
    ("needs:f", "importing needs fails: ModuleNotFoundError: No module named 'home_of_nobody'"),
    ("json:loss", "the module 'json' is already loaded from "),
]


@pytest.mark.parametrize(("function", "said"), NOT_THERE, ids=[function for function, _ in NOT_THERE])
def test_what_cannot_be_imported_says_why(project: Path, function: str, said: str) -> None:
    with pytest.raises(ManifestError) as error:
        imported(item(project, function), "function")
    assert str(error.value).startswith(f'derive.toml, line 4, [[check]] "a", function: {said}')


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("a:b", True),
        ("a.b:c.d", True),
        ("a b", False),
        ("2*x", False),
        ("x[1:3]", False),
        ("a:", False),
        (":b", False),
    ],
)
def test_a_reference_is_no_formula(text: str, reference: bool) -> None:
    assert is_reference(text) is reference
