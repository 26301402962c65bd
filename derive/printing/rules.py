"""The names of rules, in English and Chinese: what stands at the end of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable

from derive.printing.style import Lang

__all__ = ["RULES", "label", "rule_name"]

RULES: dict[str, tuple[str, str]] = {
    # where a row starts
    "definition": ("definition", "定义"),
    "definition of the norm": ("definition of the norm", "范数的定义"),
    "expand intermediates": ("expand the intermediates", "展开中间变量"),
    "named intermediates": ("name the intermediates", "用中间变量表示"),
    "stages put in": ("put in the factors", "代入各因子"),
    "entry by entry": ("entry by entry", "逐分量"),
    "unroll": ("written out for the given sizes", "按给定大小展开"),
    # differentiation
    "constant": ("derivative of a constant", "常数求导"),
    "identity": ("derivative of the variable itself", "自变量求导"),
    "entry": ("derivative of an entry", "分量求导"),
    "sum rule": ("sum rule", "加法法则"),
    "constant multiple": ("constant multiple", "常数倍法则"),
    "product rule": ("product rule", "乘法法则"),
    "quotient rule": ("quotient rule", "除法法则"),
    "reciprocal rule": ("reciprocal rule", "倒数法则"),
    "power rule": ("power rule", "幂法则"),
    "general power rule": ("general power rule", "幂指函数求导"),
    "exponential rule": ("exponential rule", "指数法则"),
    "derivative of a function": ("derivative of the function", "函数求导"),
    "chain rule": ("chain rule", "链式法则"),
    "multivariate chain rule": ("multivariate chain rule", "多元链式法则"),
    "derivative under the sum": ("derivative under the sum", "求和号下求导"),
    "cases": ("case by case", "分段求导"),
    "derivative of inverse": ("derivative of the inverse", "逆矩阵求导"),
    "derivative of det": ("Jacobi's formula", "雅可比公式"),
    "derivative of logabsdet": ("Jacobi's formula, of the logarithm", "雅可比公式的对数形式"),
    "derivative of eigenvalues": ("derivative of a simple eigenvalue", "单特征值求导"),
    "derivative of singular values": ("derivative of a simple singular value", "单奇异值求导"),
    "derivative of pinv": ("derivative of the pseudo-inverse", "伪逆求导"),
    "symmetric convention": ("symmetric matrices", "对称矩阵约定"),
    "unique convention": ("unique entries of a symmetric matrix", "对称矩阵的独立元素约定"),
    "triangular convention": ("triangular matrices", "三角矩阵约定"),
    # tidying up
    "delta contraction": ("contract the delta", "消去克罗内克符号"),
    "collect": ("collect terms", "合并同类项"),
    "simplify": ("simplify", "化简"),
    "regroup": ("regroup", "重新分组"),
    "fold": ("recognise the function", "代回函数记号"),
    "lemma": ("lemma", "引理"),
    "fact": ("given", "已知条件"),
    # layout
    "layout": ("layout", "布局"),
    "transpose": ("transpose", "转置"),
    "symmetry": ("symmetry", "对称性"),
}

MOST = 3
GIVEN = {"en": "given ", "zh": "已知 "}
COMMA = {"en": ", ", "zh": "，"}
SIGNS = {"^": r"{\wedge}", "~": r"{\sim}", "\\": r"{\backslash}"}
BRACKETS = {"en": ("(", ")"), "zh": ("（", "）")}


def rule_name(key: str, lang: Lang = "en") -> str:
    """The name of a rule in a language; raises KeyError, naming the rules there are, for an unknown key.

    >>> rule_name("chain rule"), rule_name("chain rule", "zh")
    ('chain rule', '链式法则')
    """
    if key not in RULES:
        raise KeyError(f"there is no rule {key!r}; the rules are: {', '.join(sorted(RULES))}")
    return RULES[key][0 if lang == "en" else 1]


def label(keys: Iterable[str], given: Iterable[str] = (), lang: Lang = "en") -> str:
    r"""The label of a row, each rule and each fact once: \text{(chain rule, given sum(y)=1)}.

    Of many rules merged into one row the first few are named; empty where there is nothing to name.
    """
    facts = [GIVEN[lang] + fact for fact in dict.fromkeys(given)]
    names = [rule_name(key, lang) for key in dict.fromkeys(keys) if not (facts and key == "fact")]
    if len(names) > MOST:
        names = [*names[:MOST], "..."]
    left, right = BRACKETS[lang]
    parts = [*names, *facts]
    return _in_text(left + COMMA[lang].join(parts) + right) if parts else ""


def _in_text(words: str) -> str:
    r"""The words inside \text, and signs that LaTeX reads otherwise outside: MathJax escapes none there."""
    pieces = re.split(r"([#$%&_{}^~\\]+)", words)
    pieces[::2] = [rf"\text{{{piece}}}" if piece else "" for piece in pieces[::2]]
    pieces[1::2] = ["".join(SIGNS.get(c, f"\\{c}") for c in piece) for piece in pieces[1::2]]
    return "".join(pieces)
