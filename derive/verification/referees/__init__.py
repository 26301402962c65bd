"""The referees: one concept a module, one row a referee in `table`."""

from derive.verification.referees.referee import Referee
from derive.verification.referees.table import REFEREES

__all__ = ["REFEREES", "Referee"]
