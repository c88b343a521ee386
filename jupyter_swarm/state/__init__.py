"""The state of a swarm: a fold over its events, the same for the runner, the view, the report and the terminal.

    nouns.py    agents, directions, cases, trials, rows: what a state is made of
    swarm.py    `SwarmState`: all of it, and what one may ask of it
    folds.py    the table of small functions, one for each event that changes it

`SwarmState.of(records)` replays a log; any prefix of a log is a state.
"""

from jupyter_swarm.state.nouns import (
    CUT_OFF,
    MOST_CUTS,
    SCREENING,
    Agent,
    Best,
    Case,
    Direction,
    Row,
    Spent,
    Steering,
    Trial,
)
from jupyter_swarm.state.swarm import SwarmState

__all__ = [
    "CUT_OFF",
    "MOST_CUTS",
    "SCREENING",
    "Agent",
    "Best",
    "Case",
    "Direction",
    "Row",
    "Spent",
    "Steering",
    "SwarmState",
    "Trial",
]
