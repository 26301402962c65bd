"""What names stand for in the code: tensors, sizes of dimensions, and the dtype and device of the inputs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from derive.errors import ShapeError
from derive.expr.indices import Dim
from derive.expr.problem import Variable
from derive.numeric.code import Code, atom

__all__ = ["Scope", "Tensor"]

RESERVED = {"torch", "math", "like", "chebyshev"}


@dataclass(frozen=True)
class Tensor:
    """A named tensor: the code that stands for it, its shape, and whether it holds integers."""

    code: Code
    dims: tuple[Dim, ...]
    integer: bool = False


@dataclass
class Scope:
    """The names of one program.

    `tensors` are the variables and definitions; `sizes` the Python integers that are read from the shapes of
    the variables, in the order in which the variables give them; `series` the tables of coefficients.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    sizes: dict[Expr, Code] = field(default_factory=dict)
    series: dict[tuple[float, ...], Code] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(RESERVED))
    source: str = ""  # the variable that gives the dtype and the device
    real: bool = True  # whether that variable is real

    @classmethod
    def of(cls, variables: Iterable[Variable]) -> Scope:
        """The scope that the variables open: their names, and the sizes that their shapes give."""
        self = cls()
        variables = tuple(variables)
        for v in variables:
            if v.name in self.tensors:
                raise ShapeError(
                    f"two variables have the name {v.name!r}; give every variable a name of its own"
                )
            self.tensors[v.name] = Tensor(atom(self.unique(v.name)), v.dims, v.integer)
        for size in dict.fromkeys(d for v in variables for d in v.dims if isinstance(d, Symbol)):
            self.sizes[size] = atom(self.unique(size.name))
        giver = next((v for v in variables if not v.integer), variables[0] if variables else None)
        if giver is not None:
            self.source, self.real = self.tensors[giver.name].code.template, not giver.integer
        return self

    def unique(self, wish: str) -> str:
        """A Python name that nothing else has, as near to the wish as possible."""
        base = re.sub(r"\W+", "_", wish, flags=re.ASCII).strip("_") or "t"
        base = f"_{base}" if base[0].isdigit() else f"{base}_" if keyword.iskeyword(base) else base
        name, k = base, 2
        while name in self.taken:
            name, k = f"{base}_{k}", k + 1
        self.taken.add(name)
        return name

    def coefficients(self, numbers: tuple[float, ...]) -> Code:
        """The name of a table of coefficients, which stands before the function."""
        if numbers not in self.series:
            self.series[numbers] = atom(self.unique(f"C{len(self.series) + 1}"))
        return self.series[numbers]

    @property
    def dtype(self) -> str:
        """The dtype of the results, as code."""
        return f"{self.source}.dtype" if self.source and self.real else "torch.get_default_dtype()"

    @property
    def device(self) -> str:
        """The device of the results, as code."""
        return f"{self.source}.device" if self.source else '"cpu"'

    def require(self, size: Dim) -> None:
        """Raise a ShapeError unless the shapes of the variables give this size."""
        for symbol in size.free_symbols:
            if symbol not in self.sizes:
                known = ", ".join(map(str, self.sizes)) or "none"
                raise ShapeError(
                    f"dimension {symbol} is in the shape of no variable, so its size is unknown when the "
                    f"program runs (known: {known}); give a variable of that dimension"
                )
