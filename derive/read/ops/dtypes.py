"""Dtypes: the same values as real numbers, whole numbers or conditions.

A trace knows the kind of a tensor and not how many bits it has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from derive.errors import Unsupported
from derive.read.arrays import Array
from derive.read.ops.pointwise import ROUNDED, condition
from derive.read.registry import as_array, as_real, elementwise, op

__all__ = ["of_kind", "to"]

# Words in the names of dtypes and of tensor types → the kind; the first that is found decides.
KINDS = {
    "bool": "bool",
    **dict.fromkeys(("int8", "int16", "byte", "char", "short"), "narrow"),
    **dict.fromkeys(("int", "long"), "int"),
    **dict.fromkeys(("float", "double", "half"), "real"),
}


def _kind_of(dtype: Any) -> str | None:
    """The kind that a dtype names; none for a device or a memory format."""
    name = str(dtype).lower()
    return next((kind for word, kind in KINDS.items() if word in name), None)


def of_kind(array: Array, kind: str) -> Array:
    """The same values as that kind: whole numbers are rounded towards 0, truth values are x ≠ 0."""
    if kind == "bool":
        return condition(array)
    if kind == "narrow" and array.kind != "bool":
        raise Unsupported("whole numbers of 8 or 16 bits, which wrap around", "write .long()")
    if kind == "real":
        return replace(as_real(array), kind="real")
    rounded = elementwise(ROUNDED["trunc"], array) if array.kind == "real" else as_real(array)
    return replace(rounded, kind="int")


@op("to", "type_as")
def to(input: Any, *args: Any, dtype: Any = None, other: Any = None, **_: Any) -> Array:
    """The same values in another dtype, or that of another tensor; in their own where none is named."""
    array = as_array(input)
    given = [a for a in (dtype, other, *args) if a is not None]
    kinds = [a.kind if isinstance(a, Array) else _kind_of(a) for a in given]
    return of_kind(array, next((k for k in kinds if k is not None), array.kind))


@op("type")
def type_(input: Any, dtype: Any, non_blocking: bool = False) -> Array:
    """The same values in another dtype."""
    return to(input, dtype)


@op("double", "float", "half", "bfloat16")
def to_real(input: Any, *, memory_format: Any = None) -> Array:
    """Real numbers."""
    return of_kind(as_array(input), "real")


@op("long", "int")
def to_whole(input: Any, *, memory_format: Any = None) -> Array:
    """Whole numbers as they are, others rounded towards 0."""
    return of_kind(as_array(input), "int")


@op("short", "char", "byte")
def to_narrow(input: Any, *, memory_format: Any = None) -> Array:
    """Conditions as whole numbers; what may wrap around is refused."""
    return of_kind(as_array(input), "narrow")


@op("bool")
def to_condition(input: Any, *, memory_format: Any = None) -> Array:
    """Whether the entries are not 0."""
    return condition(input)


@op("is_floating_point")
def is_floating_point(input: Any) -> bool:
    """Whether the entries are real numbers."""
    return as_array(input).kind == "real"
