"""From code to the source of a function: names for what occurs twice, one statement a line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from sympy import Symbol

from derive.expr.problem import Variable
from derive.numeric.chebyshev import EVALUATION
from derive.numeric.code import ANY, ATOM, Code, is_new
from derive.numeric.scope import Scope

__all__ = ["Statement", "write_function"]

WIDTH = 96
SHORT = 12  # what is no longer than this is not given a name to shorten a line


@dataclass(frozen=True)
class Statement:
    """`name = code`; no name where the code is returned."""

    name: str
    code: Code


def write_function(
    name: str,
    variables: Sequence[Variable],
    scope: Scope,
    lets: Sequence[Statement],
    results: Sequence[Code],
    doc: str,
) -> str:
    """The source of the function, with its imports."""
    writer = _Writer(scope)
    roots = [s.code for s in lets] + list(results)
    writer.count(roots)
    for statement in lets:
        writer.assign(statement.code, statement.name)
    shown = [writer.show(code, ANY, width=WIDTH - 8) for code in results]
    writer.lines.append(f"return {', '.join(shown)}")
    parameters = [scope.tensors[v.name].code.template for v in variables]
    body = [
        *_docstring(doc),
        *_sizes(variables, scope, writer.atoms),
        *_like(scope, writer.lines),
        *writer.lines,
    ]
    head = f"def {name}({', '.join(parameters)}):"
    text = "\n".join(f"    {line}" if line else "" for line in body)
    imports = "import math\n\nimport torch" if "math." in text else "import torch"
    before = [EVALUATION.strip(), *map(_table, scope.series.items())] if scope.series else []
    return "\n\n\n".join([imports, *before, f"{head}\n{text}\n"])


@dataclass
class _Writer:
    """Writes statements in order; what is used twice, or makes a line too long, gets a name first."""

    scope: Scope
    lines: list[str] = field(default_factory=list)
    atoms: set[str] = field(default_factory=set)
    uses: dict[Code, int] = field(default_factory=dict)
    names: dict[Code, str] = field(default_factory=dict)
    unnamed: int = 0

    def count(self, roots: Sequence[Code]) -> None:
        """Count from how many places each piece of code is used."""
        stack = list(roots)
        while stack:
            code = stack.pop()
            self.uses[code] = self.uses.get(code, 0) + 1
            if self.uses[code] == 1 or code.free:
                for k, arg in enumerate(code.args):
                    stack.extend([arg] * max(code.template.count(f"{{{k}}}"), 1))

    def assign(self, code: Code, name: str = "") -> None:
        """Write `name = code`, under the next free name if none is given: from here on it stands for it."""
        width = WIDTH - max(len(name), 2) - 7
        if code.in_place:
            matrix, *rest = code.args
            text = self.show(matrix, ANY if is_new(matrix) else ATOM, width=width)
            text += "" if is_new(matrix) and matrix not in self.names else ".clone()"
            added = [self.show(a, ANY) for a in rest]
        else:
            text = self.text(code, width=width)
        name = name or self.unused(code)
        self.lines.append(f"{name} = {text}")
        if code.in_place:
            self.lines.append(code.template.format(name, *added))
        self.names.setdefault(code, name)

    def show(self, code: Code, slot: int, *, width: int = WIDTH) -> str:
        """The code by its name, if it has or deserves one, or else its text, in brackets if the slot asks."""
        if code not in self.names and (code.in_place or (self.uses.get(code, 0) > 1 and not code.free)):
            self.assign(code)
        if code in self.names:
            return self.names[code]
        text = self.text(code, width=width)
        return f"({text})" if code.precedence < slot else text

    def text(self, code: Code, *, width: int) -> str:
        """The code with its operands put in; the longest of them is named where the line is too long."""
        if not code.args:
            self.atoms.add(code.template)
        parts = [self.show(a, s, width=width) for a, s in zip(code.args, code.slots, strict=True)]
        text = code.template.format(*parts)
        if len(text) <= width:
            return text
        k = max(range(len(parts)), key=lambda n: (code.args[n] not in self.names) * len(parts[n]))
        if len(parts[k]) > SHORT:
            self.assign(code.args[k])
            parts[k] = self.names[code.args[k]]
        return code.template.format(*parts)

    def unused(self, code: Code) -> str:
        """A new name for the code: the one that it would like, or else t1, t2, …."""
        if code.hint:
            return self.scope.unique(code.hint)
        self.unnamed += 1
        return self.scope.unique(f"t{self.unnamed}")


def _table(row: tuple[tuple[float, ...], Code]) -> str:
    """The coefficients of a series, as many a line as it takes."""
    numbers, name = row
    lines = textwrap.wrap(", ".join(map(repr, numbers)) + ",", WIDTH - 4)
    return "\n".join([f"{name} = (", *(f"    {line}" for line in lines), ")"])


def _docstring(doc: str) -> list[str]:
    if not doc:
        return []
    lines = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip().splitlines()
    return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']


def _sizes(variables: Sequence[Variable], scope: Scope, used: set[str]) -> list[str]:
    """The sizes that are used, each read from the first shape that has it."""
    lines: list[str] = []
    known: set[Symbol] = set()
    for v in variables:
        new = [d for d in v.dims if d in scope.sizes and scope.sizes[d].template in used and d not in known]
        if not new:
            continue
        tensor = scope.tensors[v.name].code.template
        if len(new) == 1:
            lines.append(f"{scope.sizes[new[0]].template} = {tensor}.shape[{v.dims.index(new[0])}]")
        else:
            names = [
                scope.sizes[d].template if d in new and d not in v.dims[:k] else "_"
                for k, d in enumerate(v.dims)
            ]
            lines.append(f"{', '.join(names)} = {tensor}.shape")
        known.update(new)
    return lines


def _like(scope: Scope, lines: Sequence[str]) -> list[str]:
    if not any("**like" in line for line in lines):
        return []
    return [f'like = {{"dtype": {scope.dtype}, "device": {scope.device}}}']
