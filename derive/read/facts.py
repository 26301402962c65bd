"""Facts that may be declared of a variable, such as assume={"t": "one-hot"}."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

__all__ = ["FACTS", "read_facts"]

FACTS: dict[str, str] = {
    "sum=1": "the entries along the last dimension add up to 1",
    "one-hot": "along the last dimension one entry is 1 and the others are 0",
    "symmetric": "A.T = A",
    "positive": "every entry is above 0",
    "positive definite": "symmetric, and x.T A x > 0 for x other than 0",
    "orthogonal": "A.T A = I",
    "unit": "the norm is 1",
}


def read_facts(
    assume: Mapping[str, str | Sequence[str]] | None, variables: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The facts of each variable; a ValueError names an unknown fact or variable, and those there are."""
    facts: dict[str, tuple[str, ...]] = {}
    for name, stated in (assume or {}).items():
        if name not in variables:
            raise ValueError(f"assume names {name!r}, which is no variable; there are: {', '.join(variables)}")
        facts[name] = tuple(dict.fromkeys([stated] if isinstance(stated, str) else stated))
        for fact in facts[name]:
            if fact not in FACTS:
                raise ValueError(f"{fact!r} (of {name}) is no known fact; known are: {', '.join(FACTS)}")
    return facts
