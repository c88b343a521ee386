"""`steer`: a person's word to a running swarm, and its answer."""

from __future__ import annotations

from types import SimpleNamespace

from jupyter_swarm.api import Swarm
from jupyter_swarm.errors import UsageError
from jupyter_swarm.events import SteeringVerb
from jupyter_swarm.jupyter.pages import Answer, Words
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.settings import budget_text

PATIENCE_SECONDS = 5.0
"""How long an answer is waited for."""

_CHANGES = (
    "--priority 3, --close, --add, --approve H3, --veto H3, --replicate 17, --hire tuner, --dismiss tuner-2, "
    "--resize tuner=6 or --budget 5m"
)
Request = tuple[SteeringVerb, str, float | str | None]


def steer(asked: Asked) -> Answer:
    """Ask, wait a little, show the answer.

    Raises:
        UsageError: no such swarm; it is over; not exactly one change is asked for.
    """
    verb, target, value = request(asked.options)
    swarm = Swarm(asked.options.name, asked.workspace)
    entry = swarm.steer(verb, target, value, wait=PATIENCE_SECONDS)
    data = {"verb": verb, "target": target, "value": value, "done": None, "answer": ""}
    if entry.done is None:
        lost = not swarm.alive and swarm.state.phase != "requested"
        why = "It has no runner now: resume it." if lost else "Its runner will answer in its log."
        return Answer([Words(f"Asked; {swarm.name} has not answered yet. {why}")], data=data)
    data |= {"done": entry.done, "answer": entry.answer}
    words = f"Done: {entry.answer}" if entry.done else f"Refused: {entry.answer}"
    return Answer([Words(words, strong=not entry.done)], data=data, status=0 if entry.done else 1)


def request(options: SimpleNamespace) -> Request:
    """The one change that the options ask for.

    Raises:
        UsageError: none, several, or a target is missing or needless.

    >>> from jupyter_swarm.jupyter.verbs import VERBS, read
    >>> request(read(VERBS["steer"], ["wine", "scaling", "--priority", "3"], "notebook"))
    ('priority', 'scaling', 3.0)
    >>> request(read(VERBS["steer"], ["wine", "--hire", "coder:local:qwen3"], "notebook"))
    ('hire', 'coder', 'local:qwen3')
    """
    direct = _of_direction(options)
    asked = direct + _of_others(options)
    if len(asked) != 1:
        what = "say what to change" if not asked else "one change at a time"
        raise UsageError(what, cure=_CHANGES)
    if direct and not options.target:
        raise UsageError(f"--{asked[0][0]} needs a direction", cure='its number or words of its title, as in "scaling"')
    if not direct and options.target:
        raise UsageError(f"--{asked[0][0]} goes with no direction", where=options.target, cure="leave it out")
    return asked[0]


def _of_direction(options: SimpleNamespace) -> list[Request]:
    """Changes of the direction that TARGET names."""
    asked: list[Request] = []
    if options.priority is not None:
        asked.append(("priority", options.target, options.priority))
    if options.close:
        asked.append(("close", options.target, None))
    if options.add:
        asked.append(("add", options.target, None))
    return asked


def _of_others(options: SimpleNamespace) -> list[Request]:
    """Changes that name themselves what they are about."""
    asked: list[Request] = []
    if options.approve:
        asked.append(("approve", options.approve, None))
    if options.veto:
        asked.append(("veto", options.veto, None))
    if options.replicate:
        asked.append(("replicate", str(options.replicate), None))
    if options.hire:
        asked.append(("hire", *options.hire))
    if options.dismiss:
        asked.append(("dismiss", options.dismiss, None))
    if options.resize:
        asked.append(("resize", *options.resize))
    if options.budget:
        asked.append(("budget", "", budget_text(options.budget)))
    return asked
