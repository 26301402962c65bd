"""Diagnosis: somebody's gradient beside the truth, and how the two differ."""

from derive.diagnosis.examination import examine
from derive.diagnosis.verdict import Counterexample, Mistake, Ulps, Verdict

__all__ = ["Counterexample", "Mistake", "Ulps", "Verdict", "examine"]
