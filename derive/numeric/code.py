"""Torch code as a shared graph: a template with operands, and a precedence so that parentheses are minimal.

Equal nodes are one object (hash-consing). What occurs twice is therefore known by identity, whatever the
indices were called where it was used: softmax at i and softmax at j are one node with one axis.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

__all__ = [
    "ADD",
    "ANY",
    "ATOM",
    "MUL",
    "OUTER",
    "UNARY",
    "Code",
    "atom",
    "call",
    "divided",
    "infix",
    "is_new",
    "is_view",
    "names_of",
    "negative",
    "scaled",
    "view",
]

ANY, COMPARE, OR, AND, ADD, MUL, UNARY, POWER, ATOM = range(9)

OUTER = "torch.outer({0}, {1})"

_nodes: WeakValueDictionary[tuple[object, ...], Code] = WeakValueDictionary()


class Code:
    """A piece of torch code: `template` with its operands put in, each in brackets where `slots` ask for it.

    `free` marks what costs nothing (a name, a number, a view) and so is never given a name of its own;
    `hint` is the name it would like to have. Working `in_place`, its value is its first operand, changed.
    """

    __slots__ = ("__weakref__", "args", "free", "hint", "in_place", "precedence", "slots", "template")

    template: str
    args: tuple[Code, ...]
    slots: tuple[int, ...]
    precedence: int
    free: bool
    in_place: bool
    hint: str

    def __new__(
        cls,
        template: str,
        args: tuple[Code, ...] = (),
        slots: tuple[int, ...] = (),
        precedence: int = ATOM,
        *,
        free: bool = False,
        in_place: bool = False,
        hint: str = "",
    ) -> Code:
        key = (template, args, slots, precedence, free)
        known = _nodes.get(key)
        if known is not None:
            return known
        self = super().__new__(cls)
        self.template, self.args, self.slots, self.precedence = template, args, slots, precedence
        self.free, self.in_place, self.hint = free, in_place, hint
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
    if code.template == OUTER:
        return call(OUTER, negative(code.args[0]), code.args[1])
    slot = UNARY if _is_matmul(code) else MUL
    # The minus of -a / b is that of a: the whole binds as its quotient does.
    precedence = MUL if slot == code.precedence else UNARY
    return Code("-{0}", (code,), (slot,), precedence, free=code.free)


def scaled(by: Code, code: Code) -> Code:
    """A Python number times the code: of a product, times its first factor."""
    if code.template == OUTER:
        return call(OUTER, scaled(by, code.args[0]), code.args[1])
    return Code("{0} * {1}", (by, code), (MUL, MUL + _is_matmul(code)), MUL, free=by.free and code.free)


def divided(code: Code, by: Code) -> Code:
    """The code divided by a Python number."""
    if code.template == OUTER:
        return call(OUTER, divided(code.args[0], by), code.args[1])
    return infix("/", code, by)


def names_of(code: Code) -> set[str]:
    """The names and numbers that the code is made of."""
    seen: set[Code] = set()
    stack = [code]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.args)
    return {node.template for node in seen if not node.args and not node.template.isdigit()}


def is_view(code: Code) -> bool:
    """Whether the code may share memory with a named tensor."""
    while code.args and (code.free or ".narrow(" in code.template or ".unfold(" in code.template):
        code = code.args[0]
    return not code.args


def is_new(code: Code) -> bool:
    """Whether the code makes a tensor that nothing else holds: neither a name, nor autograd for a slope."""
    return code.precedence in (ADD, MUL, UNARY) or code.template.startswith(("torch.outer(", "torch.einsum("))


def _is_matmul(code: Code) -> bool:
    """Whether the code is a matrix product outside brackets: scaling its first factor would cost more."""
    return code.precedence == MUL and (" @ " in code.template or any(map(_is_matmul, code.args[:1])))


_OPERATORS = {
    "+": (ADD, 0),
    "-": (ADD, 1),
    "*": (MUL, 1),
    "/": (MUL, 1),
    "//": (MUL, 1),
    "@": (MUL, 1),
    "%": (MUL, 1),
    "**": (POWER, 0),
    "&": (AND, 0),
    "|": (OR, 0),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (COMPARE, 1)),
}
