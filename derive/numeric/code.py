"""Torch code as a shared graph: a template with operands, and a precedence so that parentheses are minimal.

Equal nodes are one object (hash-consing). What occurs twice is therefore known by identity, whatever the
indices were called where it was used: softmax at i and softmax at j are one node with one axis.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

__all__ = ["ADD", "ANY", "ATOM", "MUL", "UNARY", "Code", "atom", "call", "infix", "negative", "scaled", "view"]

ANY, COMPARE, OR, AND, ADD, MUL, UNARY, POWER, ATOM = range(9)

_nodes: WeakValueDictionary[tuple[object, ...], Code] = WeakValueDictionary()


class Code:
    """A piece of torch code: `template` with its operands put in, each in brackets where `slots` ask for it.

    `free` marks what costs nothing (a name, a number, a view) and so is never given a name of its own;
    `hint` is the name it would like to have.
    """

    __slots__ = ("__weakref__", "args", "free", "hint", "precedence", "slots", "template")

    template: str
    args: tuple[Code, ...]
    slots: tuple[int, ...]
    precedence: int
    free: bool
    hint: str

    def __new__(
        cls,
        template: str,
        args: tuple[Code, ...] = (),
        slots: tuple[int, ...] = (),
        precedence: int = ATOM,
        *,
        free: bool = False,
        hint: str = "",
    ) -> Code:
        key = (template, args, slots, precedence, free)
        known = _nodes.get(key)
        if known is not None:
            return known
        self = super().__new__(cls)
        self.template, self.args, self.slots, self.precedence = template, args, slots, precedence
        self.free, self.hint = free, hint
        _nodes[key] = self
        return self

    def __repr__(self) -> str:
        return self.template.format(*map(repr, self.args))


def atom(text: str) -> Code:
    """A name, or a number that is not negative."""
    return Code(text, free=True)


def call(template: str, *args: Code, hint: str = "") -> Code:
    """A call such as `torch.exp({0})`, or a method such as `{0}.sum(-1)`."""
    slots = tuple(ATOM if template.startswith(f"{{{k}}}") else ANY for k in range(len(args)))
    return Code(template, args, slots, hint=hint)


def view(template: str, arg: Code) -> Code:
    """A view of a tensor, such as `{0}.T` or `{0}[:, None]`; it costs nothing."""
    return Code(template, (arg,), (ATOM,), free=True)


def infix(operator: str, left: Code, right: Code, *, free: bool = False) -> Code:
    """Two operands with an infix operator of Python between them."""
    precedence, tight = _OPERATORS[operator]
    slots = (ATOM, UNARY) if operator == "**" else (precedence + (precedence == COMPARE), precedence + tight)
    spaced = operator if operator == "**" else f" {operator} "
    return Code(f"{{0}}{spaced}{{1}}", (left, right), slots, precedence, free=free)


def negative(code: Code) -> Code:
    """Minus the code: of a product, minus its first factor."""
    return Code("-{0}", (code,), (UNARY if _is_matmul(code) else MUL,), UNARY, free=code.free)


def scaled(by: Code, code: Code) -> Code:
    """A Python number times the code: of a product, times its first factor."""
    return Code("{0} * {1}", (by, code), (MUL, MUL + _is_matmul(code)), MUL, free=by.free and code.free)


def _is_matmul(code: Code) -> bool:
    """Whether the code has a matrix product outside all brackets, which is dearer to scale before than after."""
    return code.precedence == MUL and (" @ " in code.template or any(map(_is_matmul, code.args[:1])))


_OPERATORS = {
    "+": (ADD, 0),
    "-": (ADD, 1),
    "*": (MUL, 1),
    "/": (MUL, 1),
    "@": (MUL, 1),
    "%": (MUL, 1),
    "**": (POWER, 0),
    "&": (AND, 0),
    "|": (OR, 0),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (COMPARE, 1)),
}
