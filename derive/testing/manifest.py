"""Manifests: the checks that a project asks for in a file `derive.toml`, read as plain data.

    [[check]]
    name = "mean square"                            # the name of the test
    formula = "sum((W @ x - y)**2) / 2"             # what is differentiated, as formula text
    function = "model:loss"                         # or as a torch function; or both, to be compared
    wrt = "W"                                       # or a list of names
    shapes = { W = "m n", x = "n", y = "m" }        # or one text, "W: m n, x: n, y: m"
    kind = "gradient"                               # or derivative, jacobian, hessian, vjp, jvp, identity
    candidate = "outer(W @ x - y, x)"               # or "notes:gradient": the gradient that is checked
    rounding = false                                # whether a candidate may be right but for rounding
    assume = { y = "sum=1" }                        # declared facts
    dtypes = { t = "int64" }                        # of the variables that are not real
    seed = 0                                        # of the points that are looked at

Without a candidate it is the derivation of derive that is checked. Text is never executed; `module:function`
is imported from the manifest's own folder, or from the path, as pytest imports test files.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any

from derive.errors import ManifestError

__all__ = ["KEYS", "KINDS", "Item", "Key", "imported", "is_reference", "read_manifest"]

KINDS = ("gradient", "derivative", "jacobian", "hessian", "vjp", "jvp", "identity")
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool")

REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")  # no formula text has this form


@dataclass(frozen=True)
class Item:
    """One check: a table of a manifest. `line` is that of its [[check]], 0 where it is not known."""

    name: str
    formula: str = ""
    function: str = ""
    wrt: str | tuple[str, ...] = ()
    shapes: str | Mapping[str, Any] | None = None
    kind: str = "gradient"
    candidate: str = ""
    rounding: bool = False
    assume: Mapping[str, Any] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    file: Path = Path("derive.toml")
    line: int = 0

    @property
    def about(self) -> dict[str, Any]:
        """What is known of the variables, as `derive.grad` takes it."""
        known = {"shapes": self.shapes, "assume": self.assume, "dtypes": self.dtypes}
        return {name: value for name, value in known.items() if value}


# ── the keys ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    """A key of a table: which values it takes, and an example for whoever writes another."""

    name: str
    fits: Callable[[Any], bool]
    example: str


def is_reference(text: str) -> bool:
    """Whether the text names a function to import, `module:function`, and is no formula."""
    return REFERENCE.fullmatch(text) is not None


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value))


def _table_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _dims(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(d, str | int) and not isinstance(d, bool) for d in value)
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


KEYS = {
    key.name: key
    for key in (
        Key("name", _text, 'name = "mean square"'),
        Key("formula", _text, 'formula = "sum((W @ x - y)**2) / 2"'),
        Key("function", lambda v: _text(v) and is_reference(v), 'function = "model:loss"'),
        Key("wrt", lambda v: _text(v) or _texts(v), 'wrt = "W" or wrt = ["W", "x"]'),
        Key("shapes", lambda v: _text(v) or _table_of(_dims)(v), 'shapes = { W = "m n", x = "n", b = "" }'),
        Key("kind", lambda v: v in KINDS, f"kind = one of {', '.join(KINDS)}"),
        Key("candidate", _text, 'candidate = "outer(W @ x - y, x)" or candidate = "notes:gradient"'),
        Key("rounding", lambda v: isinstance(v, bool), "rounding = true"),
        Key("assume", _table_of(lambda v: _text(v) or _texts(v)), 'assume = { y = "sum=1" }'),
        Key("dtypes", _table_of(lambda v: v in DTYPES), f"dtypes = {{ t = one of {', '.join(DTYPES)} }}"),
        Key("seed", lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0, "seed = 0"),
    )
}

# What holds among the keys of a table: the key of which it is said, when it fails, and what to do about it
# ("" where the key is missing).
RULES: tuple[tuple[str, Callable[[Mapping[str, Any]], bool], str], ...] = (
    ("name", lambda t: "name" not in t, ""),
    ("formula", lambda t: not {"formula", "function"} & set(t), ""),
    (
        "candidate",
        lambda t: {"candidate", "formula", "function"} <= set(t),
        "whose gradient is it, that of the formula or of the function? leave one of the two out",
    ),
    ("wrt", lambda t: "wrt" not in t and t.get("kind") != "identity", ""),
    ("shapes", lambda t: "shapes" not in t and "function" in t, ""),
    (
        "candidate",
        lambda t: "candidate" in t and t.get("kind") == "identity",
        "an identity has none; leave it out",
    ),
    (
        "candidate",
        lambda t: "candidate" in t and isinstance(t.get("wrt"), list),
        "it has one wrt, and no list",
    ),
    (
        "rounding",
        lambda t: "rounding" in t and "candidate" not in t,
        "it is said of a candidate; there is none",
    ),
)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────


def read_manifest(file: Path) -> tuple[Item, ...]:
    """The checks of a manifest, in the order written.

    Raises ManifestError with the file, the line, the table and the key, and what to write instead.
    """
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ManifestError(f"it is not UTF-8: {error}", file) from None
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"it is no TOML: {error}", file) from None
    unknown = sorted(set(data) - {"check"})
    if unknown:
        raise ManifestError(
            f"there is no key {unknown[0]!r} here; write a table [[check]] for each check", file
        )
    tables = data.get("check", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ManifestError("the tables of checks have two brackets: write [[check]]", file)
    if not tables:
        raise ManifestError("there is no check in it; write a table [[check]] for each check", file)
    items = [_item(table, file, line) for table, line in zip(tables, _lines(text, len(tables)), strict=True)]
    for k, item in enumerate(items):
        twin = next((other for other in items[:k] if other.name == item.name), None)
        if twin:
            raise ManifestError(
                "another check has this name; names are the names of tests", *_at(item), "name"
            )
    return tuple(items)


def _lines(text: str, count: int) -> list[int]:
    """The line of each [[check]]; 0 where a text of many lines holds such a line too."""
    found = [k for k, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*check\s*\]\]", line)]
    return found if len(found) == count else [0] * count


def _item(table: dict[str, Any], file: Path, line: int) -> Item:
    name = table.get("name")
    where = (file, line, name if isinstance(name, str) else "")
    for key, value in table.items():
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(KEYS)}"
            raise ManifestError(f"there is no key {key!r}; {hint}", *where)
        if not KEYS[key].fits(value):
            raise ManifestError(f"{value!r} does not fit; write {KEYS[key].example}", *where, key)
    for key, fails, said in RULES:
        if fails(table):
            raise ManifestError(said or f"it is missing; write {KEYS[key].example}", *where, key)
    values: dict[str, Any] = {
        key: tuple(v) if key == "wrt" and isinstance(v, list) else v for key, v in table.items()
    }
    return Item(**values, file=file, line=line)


def _at(item: Item) -> tuple[Path, int, str]:
    return item.file, item.line, item.name


# ── importing what a manifest names ─────────────────────────────────────────────────────────────────


def imported(item: Item, key: str) -> Callable[..., Any]:
    """The function that `module:function` names under a key, imported with the manifest's folder on the path.

    Raises ManifestError for a module or a function that is not there, or a module that raises.
    """
    module_name, _, path = str(getattr(item, key)).partition(":")
    module = _module(module_name, item, key)
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            near = get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ManifestError(f"{module_name} has no {part!r}{hint}", *_at(item), key)
        found = getattr(found, part)
    if not callable(found):
        raise ManifestError(f"{path} of {module_name} is no function, it is {found!r}", *_at(item), key)
    return found  # type: ignore[no-any-return]


def _module(name: str, item: Item, key: str) -> Any:
    folder = item.file.resolve().parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            said = f"there is no module {error.name!r} in {folder.name}/ or on the path"
            raise ManifestError(said, *_at(item), key) from None
        raise ManifestError(_raised(name, error), *_at(item), key) from error
    except Exception as error:  # a module of others may raise anything
        raise ManifestError(_raised(name, error), *_at(item), key) from error
    # A module of that name from another folder would be another function than the one that was meant.
    here = folder.joinpath(*name.split("."))
    mine = [path for path in (here.with_suffix(".py"), here / "__init__.py") if path.is_file()]
    source = getattr(module, "__file__", None)
    if mine and (source is None or Path(source).resolve() != mine[0].resolve()):
        said = f"the module {name!r} is already loaded from {source}; give one of the two another name"
        raise ManifestError(said, *_at(item), key)
    return module


def _raised(name: str, error: Exception) -> str:
    last = extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"importing {name} fails: {type(error).__name__}: {error} ({where})"
