"""How a derivation looks: one frozen value that every printer is handed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

__all__ = ["Lang", "Style"]

Lang = Literal["en", "zh"]

CHOICES: dict[str, tuple[str, ...]] = {
    "exp": ("power", "call"),
    "derivative": ("fraction", "prime"),
    "vectors": ("plain", "bold", "arrow"),
    "fractions": ("frac", "dfrac"),
    "product": ("", r"\cdot"),
    "brackets": ("round", "square"),
    "lang": ("en", "zh"),
}


@dataclass(frozen=True)
class Style:
    r"""The choices on which careful people differ; the default is the plainest of each.

    | field         | choices                                                                      |
    |---------------|------------------------------------------------------------------------------|
    | exp           | "power" e^{-x}, "call" \exp(-x)                                              |
    | derivative    | "fraction" \frac{dy}{dx}, "prime" y' and f'(x) where there is one variable   |
    | vectors       | "plain" x, "bold" \mathbf{x}, "arrow" \overrightarrow{x}                     |
    | fractions     | "frac", "dfrac" (the outermost fraction in display size)                     |
    | product       | "" juxtaposed, "\cdot" a dot between all factors                             |
    | brackets      | "round" throughout, "square" around round ones: [y - (xw + b)]^2             |
    | small_entries | entries of a matrix W are written w_{ij}, unless w is itself in use          |
    | symbols       | LaTeX for given names: (("sigmoid", r"\phi"), ("loss", r"\text{loss}"))      |
    | aliases       | names that are written as other names: (("layer_weight", "W_layer"),)        |
    | rules         | the rule is named at the end of each row                                     |
    | lang          | "en" or "zh", for the names of rules                                         |
    | index_letters | letters for indices that have no letter of their own, in order of preference |

    Raises ValueError for a choice that does not exist.
    """

    exp: Literal["power", "call"] = "power"
    derivative: Literal["fraction", "prime"] = "fraction"
    vectors: Literal["plain", "bold", "arrow"] = "plain"
    fractions: Literal["frac", "dfrac"] = "frac"
    product: Literal["", r"\cdot"] = ""
    brackets: Literal["round", "square"] = "round"
    small_entries: bool = False
    symbols: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    rules: bool = True
    lang: Lang = "en"
    index_letters: str = "ijklmpqrstuv"

    def __post_init__(self) -> None:
        for field in fields(self):
            chosen, allowed = getattr(self, field.name), CHOICES.get(field.name)
            if allowed is not None and chosen not in allowed:
                known = ", ".join(map(repr, allowed))
                raise ValueError(f"there is no style {field.name}={chosen!r}; write one of {known}")

    @staticmethod
    def named(name: str) -> Style:
        """The ready-made style of that name.

        >>> Style.named("notes").vectors
        'arrow'
        """
        if name not in PRESETS:
            raise ValueError(f"there is no style {name!r}; write one of {', '.join(sorted(PRESETS))}")
        return PRESETS[name]

    def with_lang(self, lang: str) -> Style:
        """The same style with the names of rules in another language."""
        return replace(self, lang=lang)  # type: ignore[arg-type]

    def symbol(self, name: str) -> str | None:
        """The LaTeX that was asked for this name, if any."""
        return dict(self.symbols).get(name)


PRESETS: dict[str, Style] = {
    "plain": Style(),
    "notes": Style(
        exp="call",
        derivative="prime",
        vectors="arrow",
        fractions="dfrac",
        brackets="square",
        small_entries=True,
        rules=False,
    ),
}
