"""Planted mistakes: candidates wrong in one known way, and the evidence that a family is asked on."""

from __future__ import annotations

import warnings
from functools import partial

from derive.derivation import OPERATORS
from derive.diagnosis.candidate import read_candidate
from derive.diagnosis.examination import telling
from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.judging import judge
from derive.diagnosis.kinds import read_kind
from derive.diagnosis.looks import Sampler
from derive.diagnosis.precision import precision
from derive.diagnosis.question import read_function
from derive.diagnosis.truth import Asked


def evidence_of(candidate, of, kind, shapes, wrt="x", **about) -> Evidence:
    """The evidence on a candidate, as the examination makes it."""
    about = {"shapes": shapes, **about}
    function = read_function(of, about)
    read = read_candidate(candidate, function, kind, wrt)
    kind, order = read_kind(kind, 1)
    asked = Asked(kind, wrt, order, extra=function.drawn.free_name("G") if read.extra else "")
    with precision("float64"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = Sampler(function, asked)
        found = judge(function, read, asked, "float64", sampler, list(sampler.samples()))
    about |= {"order": order} if kind == "derivative" else {}
    answer = partial(OPERATORS[kind], of, wrt, **about)
    return Evidence(function, read, asked, sampler, telling(found.looks), answer=answer)


def asked_of(family, *planted, **about):
    """What a family finds in a planted mistake."""
    evidence = evidence_of(*planted, **about)
    with precision("float64"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(family(evidence))
