"""Steering: each request of a person is answered in the ledger, done or refused with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from jupyter_swarm.engine import roster, staffing
from jupyter_swarm.engine.staffing import Refused
from jupyter_swarm.errors import PolicyError, UsageError
from jupyter_swarm.events import (
    AgentHired,
    AnyEvent,
    BudgetChanged,
    DirectionClosed,
    DirectionOpened,
    DirectionWeighted,
    HypothesisMarked,
    SteeringAnswered,
    SteeringRequested,
)
from jupyter_swarm.outcome import audited
from jupyter_swarm.policy import NO_LIMITS, House
from jupyter_swarm.roles.prospects import prospects, terms_of
from jupyter_swarm.settings import MOST_AGENTS, parse_budget
from jupyter_swarm.state import Case, Direction, Steering, SwarmState
from jupyter_swarm.words import Budget

VETOED = "vetoed by the person"
WANTED = 2.0
"""The priority that a direction has at least once it is approved."""


def answer(state: SwarmState, entry: Steering, house: House = NO_LIMITS) -> list[AnyEvent]:
    """The events that carry out a request, the answer last; a refusal is an answer alone.

    `replicate` is carried out by the engine; its answer here says whether the run exists.

    Args:
        state: of the swarm.
        entry: the request.
        house: what an administrator allows.
    """
    try:
        events, text = _VERBS[entry.request.verb](state, entry.request)
        _check(state, events, house)
    except Refused as refusal:
        return [SteeringAnswered(request=entry.number, done=False, answer=str(refusal))]
    except Exception as error:  # an unanswered request would end every later runner in the same way
        said = f"this could not be carried out: {type(error).__name__}: {error}"
        return [SteeringAnswered(request=entry.number, done=False, answer=said)]
    return [*events, SteeringAnswered(request=entry.number, done=True, answer=text)]


def _check(state: SwarmState, events: list[AnyEvent], house: House) -> None:
    """Whether there may be so many agents, and such a budget, after these events.

    Raises:
        Refused: there may not.
    """
    hired = [event for event in events if isinstance(event, AgentHired)]
    count = len(roster.working(state)) + len(hired)
    if hired and count > MOST_AGENTS:
        raise Refused(f"that would be {count:,} agents: a swarm has {MOST_AGENTS:,} at most")
    try:
        house.check_models(event.mind for event in hired if ":" in event.mind)
        if hired:
            house.check_agents(count)
        for event in events:
            if isinstance(event, BudgetChanged):
                house.check_budget(event.budget)
    except PolicyError as error:
        raise Refused(str(error)) from None


def find_direction(state: SwarmState, words: str) -> Direction:
    """The direction with this id, this title, or the only one whose title has these words.

    Raises:
        Refused: none, or several.
    """
    if words in state.directions:
        return state.directions[words]
    low = words.lower()
    exact = [each for each in state.directions.values() if each.title.lower() == low]
    found = exact or [each for each in state.directions.values() if low and low in each.title.lower()]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{each.id} {each.title}" for each in found or state.directions.values())
    raise Refused(f"{'several directions match' if found else 'no direction matches'} {words!r}: {known}")


def run_number(request: SteeringRequested, state: SwarmState) -> int:
    """The run that a request names.

    Raises:
        Refused: there is none of this number, or it has not finished.
    """
    text = request.target.lstrip("#")
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    row = state.rows.get(number)
    if row is None or row.run is None:
        raise Refused(f"there is no finished run {request.target!r}; the last is {max(state.rows, default=0)}")
    return number


def _priority(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    direction = find_direction(state, request.target)
    if direction.closed:
        raise Refused(f"{direction.title!r} is closed: {direction.closed}")
    try:
        priority = float(request.value if request.value is not None else "")
    except ValueError:
        raise Refused(f"{request.value!r} is no priority: give a number from 0 (rest) to 100") from None
    if not 0 <= priority <= 100:
        raise Refused(f"{priority:g} is no priority: give a number from 0 (rest) to 100")
    weighted = DirectionWeighted(direction=direction.id, priority=priority)
    return [weighted], f"{direction.title!r} has priority {priority:g} now"


def _add(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    words = (request.target or str(request.value or "")).strip()
    asked = {word.lower() for word in re.findall(r"\w+", words)}
    if not asked:
        raise Refused("say in words what to look at")
    incumbent = state.incumbent()
    base = incumbent.hypothesis.variation if incumbent else state.baseline
    targets: list[str] = []
    for prospect in prospects(state.analysis, base):
        for target in prospect.targets:
            terms = " ".join(terms_of(state, (target,), base)).lower()
            if asked & _parts(terms):
                targets.append(target)
    if not targets:
        raise Refused(f"nothing in the cell that may vary speaks of {words!r}; `%swarm plan` lists what does")
    opened = DirectionOpened(
        direction=f"D{len(state.directions) + 1}",
        title=words[:80],
        agent="you",
        targets=tuple(targets),
        why="asked for by the person",
        base=base if incumbent else None,
    )
    weighted = DirectionWeighted(direction=opened.direction, priority=2.0)
    return [opened, weighted], f"opened {opened.direction} over {', '.join(targets[:6])}"


def _parts(text: str) -> set[str]:
    return set(re.findall(r"\w+", text)) | {part for word in re.findall(r"\w+", text) for part in word.split("_")}


def _close(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    direction = find_direction(state, request.target)
    if direction.closed:
        raise Refused(f"{direction.title!r} is closed already: {direction.closed}")
    return [DirectionClosed(direction=direction.id, why="closed by the person")], f"closed {direction.title!r}"


def _mark(mark: str) -> Callable[[SwarmState, SteeringRequested], tuple[list[AnyEvent], str]]:
    whole = {"approved": _approve_direction, "vetoed": _veto_direction}[mark]

    def carry_out(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
        if request.target in state.directions:
            return whole(state, state.directions[request.target])
        if re.fullmatch(r"D[0-9]+", request.target):
            raise Refused(f"there is no direction {request.target!r}; they are D1 to D{len(state.directions)}")
        if request.target not in state.cases:
            known = f"they are H1 to H{len(state.cases)}" if state.cases else "there is none yet"
            raise Refused(f"there is no hypothesis {request.target!r}; {known}")
        case = state.cases[request.target]
        marked = HypothesisMarked(hypothesis=request.target, mark=mark)  # type: ignore[arg-type]
        said = f"{mark} {request.target}: {case.hypothesis.statement}"
        if mark == "approved" and not audited(state, case):
            said += (
                "; its code counts as read by you"
                if case.evidence
                else "; what differs is for you to read once it is judged"
            )
        return [marked], said

    return carry_out


def _approve_direction(state: SwarmState, direction: Direction) -> tuple[list[AnyEvent], str]:
    if direction.closed:
        raise Refused(f"{direction.title!r} is closed: {direction.closed}")
    events, named = _marks(state, direction, "approved")
    priority = max(WANTED, direction.priority)
    events.append(DirectionWeighted(direction=direction.id, priority=priority))
    return events, f"approved {direction.title!r}: priority {priority:g}, and {named}"


def _veto_direction(state: SwarmState, direction: Direction) -> tuple[list[AnyEvent], str]:
    events, named = _marks(state, direction, "vetoed")
    if direction.closed and not events:
        raise Refused(f"{direction.title!r} is closed already: {direction.closed}")
    if not direction.closed:
        events.append(DirectionClosed(direction=direction.id, why=VETOED))
    return events, f"vetoed {direction.title!r}: it is closed, and {named}"


def _marks(state: SwarmState, direction: Direction, mark: str) -> tuple[list[AnyEvent], str]:
    """A mark on each hypothesis of a direction that has no verdict; and which, in words."""
    names = [name for name in direction.cases if _unjudged(state.cases[name]) and state.cases[name].mark != mark]
    events: list[AnyEvent] = [HypothesisMarked(hypothesis=name, mark=mark) for name in names]  # type: ignore[arg-type]
    return events, f"{roster.names(names)} marked {mark}" if names else f"no hypothesis without a verdict to be {mark}"


def _unjudged(case: Case) -> bool:
    return case.evidence is None


def _replicate(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    number = run_number(request, state)
    return [], f"run {number} will be repeated on three fresh seeds"


def _budget(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    asked = _budget_of(str(request.value or request.target))
    said = {name: value for name in asked.__struct_fields__ if (value := getattr(asked, name)) is not None}
    new = msgspec.structs.replace(state.budget, **said)
    spent = {
        "experiments": state.experiments,
        "seconds": state.clock,
        "dollars": sum(each.dollars for each in state.spent.values()),
        "tokens": sum(each.tokens for each in state.spent.values()),
    }
    if any(value < spent[name] for name, value in said.items()):
        raise Refused(f"more is spent already: {state.experiments} experiments, {state.clock:.0f} s")
    return [BudgetChanged(budget=new)], "the budget is changed"


def _budget_of(text: str) -> Budget:
    try:
        return parse_budget(text)
    except UsageError:
        raise Refused(f"{text!r} is no budget; write it as in 2m or 500x") from None


_VERBS: dict[str, Callable[[SwarmState, SteeringRequested], tuple[list[AnyEvent], str]]] = {
    "priority": _priority,
    "add": _add,
    "close": _close,
    "approve": _mark("approved"),
    "veto": _mark("vetoed"),
    "replicate": _replicate,
    "budget": _budget,
    "hire": staffing.hire,
    "dismiss": staffing.dismiss,
    "resize": staffing.resize,
}
