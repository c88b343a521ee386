"""Tuning: Optuna picks values for a direction's knobs, told of all that the ledger knows.

A study is never stored: it is rebuilt from the ledger's cases, so that a resumed swarm tunes on as if nothing happened.
"""

from __future__ import annotations

import asyncio
import math
import warnings
from statistics import fmean
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_swarm import cell
from jupyter_swarm.errors import EditError, LockError
from jupyter_swarm.protocols import Brief, Desk, Idea, Task
from jupyter_swarm.roles import briefs, screening
from jupyter_swarm.roles.brainstorming import look_again, propose_idea
from jupyter_swarm.roles.briefs import choice_seed
from jupyter_swarm.state import Agent, Direction, SwarmState
from jupyter_swarm.words import Edit, Knob, Value, Variation

if TYPE_CHECKING:
    import optuna

ENOUGH = 8
"""So many runs it takes before a mind is asked where to look."""
TRIES = 4
"""How often a sampler is asked for values that nobody has tried."""


class Tuning:
    """Works where a direction has knobs with ranges; the sampler is part of the agent's policy."""

    name = "tuning"

    def __init__(self) -> None:
        self._studies: dict[tuple[str, str, str], tuple[optuna.Study, set[str]]] = {}

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """A second look at a promising case of the direction, or new values; None where there is nothing to tune."""
        if direction is None:
            return None
        base = direction.base or state.baseline
        knobs = [knob for knob in cell.sites(base.code, state.analysis).knobs if tunable(knob, direction.targets)]
        if not knobs:
            return None
        case = screening.again(state, direction.cases, screening.prior(state, direction.id).bound)
        if case is not None:
            return look_again(state, agent, direction, case, desk)
        if ranges := {name: span for (who, name), span in direction.spaces.items() if who == agent.id}:
            knobs = [_within(knob, ranges.get(knob.name)) for knob in knobs]
        study = self._study(state, agent, direction, knobs)
        for _ in range(TRIES):
            idea = self._idea(state, study, base, knobs)
            if idea is not None:
                return propose_idea(state, agent, direction, idea, desk)
        return None

    def brief(self, state: SwarmState, agent: Agent, desk: Desk) -> Brief | None:
        """The whole cell, once something was tried in its numbers: where should an agent's values come from?"""
        whole = briefs.whole(state, agent)
        here = [each for each in state.directions.values() if (each.base or state.baseline).id == whole.base.id]
        asked = any(who == agent.id for each in here for who, _ in each.spaces)
        return None if asked or sum(each.trials for each in here) < ENOUGH else whole

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run what the task names."""
        await asyncio.gather(*(desk.run(experiment) for experiment in task.experiments))

    def _idea(self, state: SwarmState, study: optuna.Study, base: Variation, knobs: list[Knob]) -> Idea | None:
        trial = study.ask(_space(knobs))
        values: dict[str, Value] = {knob.name: trial.params[knob.name] for knob in knobs}
        edits = [Edit(kind="set", target=k.name, value=values[k.name]) for k in knobs if values[k.name] != k.value]
        try:
            variation = cell.apply(state.analysis, edits, base)
            cell.check_lock(variation.code, state.analysis)
        except (EditError, LockError):
            return None
        if not edits or variation.id in state.tried:
            return None
        return Idea(variation=variation, statement=cell.describe_all(variation, state.analysis, since=base))

    def _study(self, state: SwarmState, agent: Agent, direction: Direction, knobs: list[Knob]) -> optuna.Study:
        """The study of a direction for this agent's sampler, told of the cases that finished since it was last
        asked.
        """
        space = _space(knobs)
        key = (
            state.name,
            direction.id,
            f"{agent.policy.sampler} {space}" if direction.spaces else agent.policy.sampler,
        )
        if key not in self._studies:
            self._studies[key] = (_new_study(agent.policy.sampler, choice_seed(state, agent)), set())
        study, told = self._studies[key]
        base = direction.base or state.baseline
        for name in direction.cases:
            case = state.cases[name]
            gains = case.gains
            marker = f"{name}/{len(gains)}"
            if not gains or marker in told:
                continue
            told.add(marker)
            values = {knob.name: knob.value for knob in knobs}
            edits = case.hypothesis.variation.edits[len(base.edits) :]
            if any(edit.kind != "set" or edit.target not in values for edit in edits):
                continue
            values |= {edit.target: edit.value for edit in edits}
            _tell(study, values, space, fmean(gains))
        return study


def tunable(knob: Knob, targets: tuple[str, ...]) -> bool:
    """Whether a sampler can choose this knob's value.

    >>> tunable(Knob(name="C", value=1.0, low=0.1, high=10.0), ())
    True
    """
    if targets and knob.name not in targets:
        return False
    return bool(knob.choices) or isinstance(knob.value, bool) or (knob.low is not None and knob.high is not None)


def _within(knob: Knob, span: tuple[float, float, str] | None) -> Knob:
    """A knob in a range of one's own, as far as the two have something in common."""
    if span is None or knob.low is None or knob.high is None:
        return knob
    low, high = max(knob.low, span[0]), min(knob.high, span[1])
    if knob.integer:
        low, high = math.ceil(low), math.floor(high)
    return msgspec.structs.replace(knob, low=low, high=high) if low < high else knob


def _space(knobs: list[Knob]) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space: dict[str, Any] = {}
    for knob in knobs:
        if isinstance(knob.value, bool):
            space[knob.name] = CategoricalDistribution([False, True])
        elif knob.choices:
            space[knob.name] = CategoricalDistribution(tuple(dict.fromkeys((knob.value, *knob.choices))))
        elif knob.integer:
            log = knob.log and (knob.low or 0) >= 1
            space[knob.name] = IntDistribution(int(knob.low or 0), int(knob.high or 1), log=log)
        else:
            log = knob.log and (knob.low or 0) > 0
            space[knob.name] = FloatDistribution(float(knob.low or 0), float(knob.high or 1), log=log)
    return space


def _new_study(sampler: str, seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = {
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
            "qmc": lambda: optuna.samplers.QMCSampler(seed=seed, warn_independent_sampling=False),
        }.get(sampler, lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=6))()
    return optuna.create_study(direction="maximize", sampler=chosen)


def _tell(study: optuna.Study, values: dict[str, Value], space: dict[str, Any], gain: float) -> None:
    from optuna.trial import create_trial

    inside = {name: value for name, value in values.items() if _inside(space[name], value)}
    study.add_trial(create_trial(params=inside, distributions={name: space[name] for name in inside}, value=gain))


def _inside(distribution: Any, value: Value) -> bool:
    """Whether a value that the person wrote, or a mind chose, lies in the range that the sampler knows."""
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False
