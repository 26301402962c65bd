"""What a printer knows besides the tree: the style, the names in use, and the letters of the indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from sympy import Basic, preorder_traversal

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import Bracket, Cases, Delta, Entry, Node, Norm, Sigma, Sym, children
from derive.printing.names import GREEK, name_latex, parse_name
from derive.printing.style import Style

__all__ = ["Scope", "free_indices"]

Size = Literal["display", "fraction", "script"]


@dataclass(frozen=True)
class Scope:
    r"""The surroundings of a node that is printed.

    `names` are the names in use in the problem: no bound index is called like one of them. `letters` gives
    the indices in force (free ones, and those of enclosing sums) their LaTeX. `ordinary` says that there is
    one variable, so that a derivative is written with d and not with \partial.
    """

    style: Style = field(default_factory=Style)
    names: frozenset[str] = frozenset()
    letters: tuple[tuple[Index, str], ...] = ()
    ordinary: bool = False
    size: Size = "display"

    @classmethod
    def of(
        cls,
        problem: Problem,
        style: Style | None = None,
        indices: Iterable[Index] = (),
        *,
        ordinary: bool | None = None,
    ) -> Scope:
        """The scope of a problem, with the free indices of what is derived.

        A problem of one scalar variable is written with d, unless `ordinary` says otherwise.
        """
        style = style or Style()
        shown = tuple((v.name, v.shown) for v in problem.variables if v.shown)
        if shown:
            style = replace(style, aliases=(*style.aliases, *shown))
        names = problem.reserved | {f.name for f in problem.functions}
        if ordinary is None:
            ordinary = len(problem.variables) == 1 and not problem.variables[0].dims
        return cls(style, names, ordinary=ordinary).with_free(indices)

    def letter(self, index: Index) -> str:
        """The letter of an index in force."""
        for known, letter in self.letters:
            if known == index:
                return letter
        raise Unsupported(f"an index {index.name} that nothing binds", "name it with Scope.with_free")

    def with_free(self, indices: Iterable[Index]) -> Scope:
        """The scope with free indices, each under its own name; one that is taken gets another letter."""
        scope = self
        known = {index for index, _ in self.letters}
        for index in indices:
            if index not in known:
                known.add(index)
                own = _own(index, scope.style)
                kept = own is not None and index.uid == 0 and own not in scope._used()
                scope = scope._with(index, own if kept and own else scope._choose(own))
        return scope

    def covering(self, node: Node) -> Scope:
        """The scope with what the node itself brings along: its names and its free indices."""
        known = self.names.union(_names(node))
        return replace(self, names=known).with_free(free_indices(node))

    def bind(self, index: Index) -> tuple[str, Scope]:
        """A letter for an index that is bound here, and the scope inside."""
        own = _own(index, self.style)
        letter = self._choose(own if own is not None and (len(own) == 1 or own[1:] in GREEK) else None)
        return letter, self._with(index, letter)

    def entry_name(self, name: str) -> str:
        """The name under which entries of a tensor are written: w for W where the style has small entries."""
        small = name[:1].lower() + name[1:]
        single = re.fullmatch(r"[A-Z](\d|_|'|$).*", name) is not None
        free = small not in self.names and self.style.symbol(name) is None
        return small if self.style.small_entries and single and free else name

    def inside(self, size: Size) -> Scope:
        """The scope inside a fraction or a script."""
        return replace(self, size=size)

    def _with(self, index: Index, letter: str) -> Scope:
        return replace(self, letters=(*self.letters, (index, letter)))

    def _used(self) -> set[str]:
        return {letter for _, letter in self.letters}

    def _reserved(self) -> set[str]:
        shown = {self.entry_name(name) for name in self.names} | self.names
        asked = {latex for _, latex in self.style.symbols}
        return {parse_name(name, self.style).head for name in shown} | shown | asked | {"e", "d"}

    def _choose(self, own: str | None) -> str:
        taken = self._used() | self._reserved()
        for letter in _candidates(own, self.style.index_letters):
            if letter not in taken:
                return letter
        raise AssertionError("the candidates never end")


def _own(index: Index, style: Style) -> str | None:
    """The LaTeX of the index's own name; a canonical index of a closed sum has none."""
    return None if index.uid < 0 or index.name == "_" else name_latex(index.name, style)


def _candidates(own: str | None, letters: str) -> Iterator[str]:
    if own is not None:
        yield own
    primes = ""
    while True:
        yield from (letter + primes for letter in letters)
        primes += "'"


def free_indices(node: Node) -> tuple[Index, ...]:
    """The indices that nothing inside the node binds, in the order of their first appearance."""
    return tuple(dict.fromkeys(_free(node)))


def _free(node: Node) -> Iterator[Index]:
    match node:
        case Entry(at=at):
            yield from _in(*at)
        case Delta(i, j):
            yield from _in(i, j)
        case Sym(symbol):
            yield from _in(symbol)
        case Bracket(condition):
            yield from _in(condition)
        case Cases(branches):
            for body, condition in branches:
                yield from _free(body)
                yield from _in(condition)
            return
    bound = node.index if isinstance(node, Sigma | Norm) else None
    for child in children(node):
        yield from (index for index in _free(child) if index != bound)


def _names(node: Node) -> Iterator[str]:
    """The names of tensors, scalars and dimensions in the tree."""
    match node:
        case Entry(base=base):
            yield base
        case Sym(symbol):
            yield from (s.name for s in symbol.free_symbols if not isinstance(s, Index))
        case Sigma(index=index) | Norm(index=index):
            yield from (s.name for s in index.dim.free_symbols)
    for child in children(node):
        yield from _names(child)


def _in(*parts: Basic) -> Iterator[Index]:
    """Free indices of SymPy expressions; an index closed by a sum has a negative uid."""
    for part in parts:
        for atom in preorder_traversal(part):
            if isinstance(atom, Index) and atom.uid >= 0:
                yield atom
