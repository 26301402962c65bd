"""Derivation → torch program, and values in high precision."""

from derive.numeric.assemble import forward_of, program_of
from derive.numeric.evaluate import Evaluator, differentiate, evaluate, evaluate_tensor
from derive.numeric.matrices import MatrixValues, agrees, checked_form
from derive.numeric.program import Let, Program, build_program

__all__ = [
    "Evaluator",
    "Let",
    "MatrixValues",
    "Program",
    "agrees",
    "build_program",
    "checked_form",
    "differentiate",
    "evaluate",
    "evaluate_tensor",
    "forward_of",
    "program_of",
]
