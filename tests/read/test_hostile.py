"""Text from outside: nothing is executed or computed without end, every refusal is a FormulaError."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from derive.errors import FormulaError
from derive.read import read_formula
from derive.read.tokens import MAX_BRACKETS, MAX_TEXT

TOWER = (
    "f0(x) = x*exp(x);" + "".join(f"f{k}(x) = f{k - 1}(x)*f{k - 1}(x + 1);" for k in range(1, 30)) + "f29(x)"
)


HOSTILE = (
    # code
    "__import__('os').system('true')",
    "x.__class__",
    "(1).__class__.__bases__[0].__subclasses__()",
    "getattr(x, y)",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "compile(x, y, z)",
    "globals()",
    "vars(x)",
    "__builtins__",
    "x.mro()",
    "x.T.__init__",
    "x.real",
    "import os",
    "from os import system",
    "lambda x: x",
    "(lambda: 1)()",
    "[a for a in x]",
    "(a for a in x)",
    "{a: b}",
    "{a, b}",
    "[1, 2]",
    "(x := 3)",
    "f'{x}'",
    "'text'",
    '"text"',
    "b'x'",
    "yield x",
    "(yield)",
    "await x",
    "async def f(): pass",
    "def f(): pass",
    "del x",
    "assert x",
    "raise x",
    "global x",
    "x if y else z",
    "x and y",
    "not x",
    "x is y",
    "True",
    "None",
    "...",
    # calls
    "sum(a, dim=1)",
    "sum(*a)",
    "sum(**a)",
    "*a",
    "*a, b = c",
    "exp(x)(y)",
    "x[0](1)",
    "x.T()",
    "eval(x)[0:1]",
    "x[y]",
    "x[0.5]",
    "x < y",
    "x == y == z",
    # signs and characters
    "x ^ 2",
    "x // 2",
    "x % 2",
    "x | y",
    "x & y",
    "~x",
    "x << 9999",
    "x!",
    "x?",
    "`x`",
    "$x$",
    r"\frac{1}{2}",
    "a\\\nb",
    "x\0",
    "\0",
    "x\x1b[0m",
    "x\x0cy",
    "x\u2028y",
    "ｅｖａｌ(x)",
    "\u212f**x",
    "\u0445 + 1",
    "σ(x)",
    "\ufeffx",
    "x\u200b",
    "\ud800",
    "1j",
    "0x10",
    "1_000",
    "2x",
    # numbers
    "9**9**9",
    "9**9**9**9",
    "9" * 51,
    "0." + "1" * 60,
    "1e999",
    "1e-99999999999",
    "2**1001",
    "((2**1000)**1000)**1000",
    "(((2**1000)**4)**1000)**1000",
    "100**(10**(10**10))",
    "a = 9**9; b = 9**a; b",
    "9**(x - x + 9**9)",
    "exp(10**9*log(9))",
    "exp(1e9*log(2))",
    "((x**1000)**1000)**1000",
    "lgamma(10**9)",
    "digamma(10**9)",
    "norm(x, 10**9)",
    "1/0",
    "x/(y - y)",
    "log(0)",
    "sqrt(-1)",
    "(-8)**(1/3)",
    # size
    "x" * 1_000_000,
    "x + " * 300_000,
    "(" * 9000,
    "(" * 60 + "x" + ")" * 60,
    "exp(" * 60 + "x" + ")" * 60,
    "[" * 60 + "]" * 60,
    "-" * 9000 + "x",
    "- " * 4000 + "x",
    "**".join(["x"] * 2000),
    "**".join(["9"] * 100),
    "+".join(["x"] * 3000),
    "x" + ".T" * 3000,
    "x" + "[0]" * 3000,
    "x" * 51,
    "f(x) = x*exp(x) + x;" + "f(" * 40 + "x" + ")" * 40,
    TOWER,
    # nothing, or half of something
    "",
    " \n ; ",
    "# nothing",
    "()",
    "x,,y",
    "x @",
    "@x",
    "= 3",
    "y =",
    "3 = x",
    "x[0] = 1",
    "x.T = y",
    "a = b = c",
    "f(x",
    "f)x(",
    "(x]",
    "x y",
)


READER = """
import json, sys
from derive.errors import FormulaError
from derive.read import read_formula
for text in json.load(sys.stdin):
    try:
        result = f"read as {read_formula(text).outputs}"
    except FormulaError as error:
        result = "FormulaError: " + str(error)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    print(json.dumps(result), flush=True)
"""


@pytest.fixture(scope="module")
def refusals():
    """What each text comes to, read one after another in one process that must come to an end."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        out, _ = process.communicate(json.dumps(HOSTILE), timeout=30 + len(HOSTILE))
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("k", range(len(HOSTILE)), ids=lambda k: ascii(HOSTILE[k][:30]))
def test_hostile_text_is_refused(k, refusals):
    assert len(refusals) > k, f"reading stopped at {HOSTILE[min(k, len(refusals))][:60]!r}"
    assert refusals[k].startswith("FormulaError: ")
    assert len(refusals[k].splitlines()[0]) > 30


def test_the_list_is_long_and_has_no_text_twice():
    assert len(set(HOSTILE)) == len(HOSTILE) > 100


@pytest.mark.parametrize(
    "text",
    [
        "x" + " " * (MAX_TEXT - 1),
        "(" * MAX_BRACKETS + "x" + ")" * MAX_BRACKETS,
        "+".join(["x"] * 100),
        "x**1000 + 2**1000 + 1e300*x + 1e-300",
        "9" * 50,
        "eval*exec",
        "x  # a comment; with 'quotes'",
        "(x\n + y)",
        "a = x\r\na + 1",
    ],
)
def test_what_keeps_the_limits_is_read(text):
    assert read_formula(text).outputs


def test_an_error_points_at_the_place():
    with pytest.raises(FormulaError) as caught:
        read_formula("y = x*2\nz = y + 3 ^ 2")
    assert (caught.value.line, caught.value.column) == (2, 10)
    *_, shown, caret = str(caught.value).splitlines()
    assert shown[caret.index("^")] == "^"
