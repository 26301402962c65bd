"""Verification: samples, referees, tolerances; from a derivation to a report.

Derived, Program ─► samples ─► referees ─► checks ─► Report
"""

from derive.verification.campaign import Campaign, Outcome
from derive.verification.judge import verify
from derive.verification.referees import REFEREES, Referee
from derive.verification.report import Check, Report, Worst
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES, Tolerance

__all__ = [
    "REFEREES",
    "TOLERANCES",
    "Campaign",
    "Check",
    "Outcome",
    "Referee",
    "Report",
    "Sample",
    "Tolerance",
    "Worst",
    "verify",
]
