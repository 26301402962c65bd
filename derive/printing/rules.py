"""The names of rules, in English and Chinese: what stands at the end of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable

from derive.printing.style import Lang

__all__ = ["RULES", "label", "rule_name"]

RULES: dict[str, tuple[str, str]] = {
    # what is differentiated
    "definition": ("definition", "定义"),
    "expand": ("expand the intermediates", "展开中间变量"),
    "substitute": ("substitute", "代入"),
    "unroll": ("written out for the given sizes", "按给定大小展开"),
    # differentiation
    "constant": ("derivative of a constant", "常数求导"),
    "identity": ("derivative of the variable itself", "自变量求导"),
    "entry": ("derivative of an entry", "分量求导"),
    "sum": ("sum rule", "加法法则"),
    "constant_multiple": ("constant multiple rule", "常数倍法则"),
    "product": ("product rule", "乘法法则"),
    "quotient": ("quotient rule", "除法法则"),
    "reciprocal": ("reciprocal rule", "倒数法则"),
    "power": ("power rule", "幂函数求导"),
    "root": ("derivative of a root", "根式求导"),
    "exponential": ("derivative of the exponential", "指数函数求导"),
    "logarithm": ("derivative of the logarithm", "对数函数求导"),
    "function": ("derivative of a function", "函数求导"),
    "norm": ("derivative of a norm", "范数求导"),
    "chain": ("chain rule", "链式法则"),
    "multivariate_chain": ("multivariate chain rule", "多元链式法则"),
    "sigma": ("derivative under the sum", "求和号下求导"),
    "cases": ("derivative case by case", "分段求导"),
    "kink": ("convention at the kink", "不可导点的约定"),
    # tidying up
    "delta": ("contract the delta", "消去克罗内克符号"),
    "bracket": ("range of the index", "下标范围"),
    "pull_out": ("constant out of the sum", "常数提出求和号"),
    "split_sum": ("split the sum", "拆分求和"),
    "swap_sums": ("exchange the sums", "交换求和次序"),
    "collect": ("collect terms", "合并同类项"),
    "factor": ("factor out", "提取公因式"),
    "simplify": ("simplify", "化简"),
    "cancel": ("cancel", "约分"),
    "regroup": ("regroup", "重新分组"),
    "expand_product": ("multiply out", "展开乘积"),
    "fold": ("recognise the function", "代回函数记号"),
    "lemma": ("lemma", "引理"),
    "fact": ("given", "已知条件"),
    # layout
    "layout": ("transposed layout", "转置布局"),
    "transpose": ("transpose", "转置"),
    "matrix": ("matrix notation", "矩阵记法"),
    "matrix_product": ("product of Jacobians", "雅可比矩阵相乘"),
    "symmetry": ("symmetry", "对称性"),
    "evaluate": ("put in the numbers", "代入数值"),
}

MOST = 4
GIVEN = {"en": "given ", "zh": "已知 "}
COMMA = {"en": ", ", "zh": "，"}
SIGNS = {"^": r"{\wedge}", "~": r"{\sim}", "\\": r"{\backslash}"}
BRACKETS = {"en": ("(", ")"), "zh": ("（", "）")}


def rule_name(key: str, lang: Lang = "en") -> str:
    """The name of a rule, as in `chain`: "chain rule"; raises KeyError for an unknown key.

    >>> rule_name("chain"), rule_name("chain", "zh")
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
