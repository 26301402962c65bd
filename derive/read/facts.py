"""Declared facts of variables, such as assume={"t": "one-hot"}; `calculus.facts` knows what each one says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from derive.calculus.facts import FACTS

__all__ = ["read_facts"]


def read_facts(
    assume: Mapping[str, str | Sequence[str]] | None, variables: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The facts of each variable; a ValueError names an unknown fact or variable, and those there are."""
    facts: dict[str, tuple[str, ...]] = {}
    for name, stated in (assume or {}).items():
        if name not in variables:
            raise ValueError(
                f"assume names {name!r}, which is no variable; there are: {', '.join(variables)}"
            )
        facts[name] = tuple(dict.fromkeys([stated] if isinstance(stated, str) else stated))
        for fact in facts[name]:
            if fact not in FACTS:
                raise ValueError(f"{fact!r} (of {name}) is no known fact; known are: {', '.join(FACTS)}")
    return facts
