"""What is looked at: curves, data, and an error, as far as they are there."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_swarm.diagnosis.data import Data
from jupyter_swarm.diagnosis.series import Series
from jupyter_swarm.words import Run


@dataclass(frozen=True)
class Failure:
    """How a training ended that gave nothing."""

    reason: str = "failure"
    message: str = ""
    traceback: str = ""

    @classmethod
    def of(cls, run: Run) -> Failure | None:
        """Of a swarm's run; None where it gave a value."""
        return None if run.reason is None else cls(run.reason, run.message, run.traceback)


@dataclass(frozen=True)
class Case:
    """All that is known of a training."""

    series: Series | None = None
    data: Data | None = None
    failure: Failure | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or left out in reading it."""
        return (*(self.series.notes if self.series else ()), *(self.data.notes if self.data else ()))
