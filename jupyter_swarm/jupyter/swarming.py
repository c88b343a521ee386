"""Beginning a swarm: `%%swarm` and `jupyter swarm run`."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from jupyter_swarm import policy
from jupyter_swarm.api import Swarm
from jupyter_swarm.errors import CellError, UsageError
from jupyter_swarm.jupyter import source
from jupyter_swarm.jupyter.earlier import joined
from jupyter_swarm.jupyter.options import split
from jupyter_swarm.jupyter.pages import Answer, Part, Words
from jupyter_swarm.jupyter.verbs import BUDGET, CELL, COMMANDS, Asked, Face, read
from jupyter_swarm.jupyter.waiting import capturing
from jupyter_swarm.minds import team
from jupyter_swarm.outcome import outcome
from jupyter_swarm.report import phrases
from jupyter_swarm.settings import budget_text, checked, objective_of, parse_budget
from jupyter_swarm.words import Budget
from jupyter_swarm.workspace import Workspace, check_name

AGENTS = 16
NAME = "swarm"
OF_THE_SWARM = (
    "name", "maximize", "minimize", "budget", "agents", "workers", "timeout", "seed", "vary", "fix", "mind",
    "record", "keep", "min_effect", "equivalent", "prune", "tradeoff", "confirm", "cells", "setup", "confirmation",
    "network", "gpus", "unsafe", "read", "model", "base_url",
)  # fmt: skip
"""Options of a notebook's magic line that a terminal takes over: those of the swarm, not of how it is shown."""

CHECKED = ("min_effect", "equivalent", "prune", "tradeoff", "mind")
"""Options whose values make sense or not, whatever the cell."""

Progress = Callable[[int, int], None]


def begin(
    code: str,
    options: SimpleNamespace,
    namespace: Mapping[str, Any],
    *,
    workspace: Workspace,
    folder: Path,
    earlier: Mapping[int, str],
    face: Face = "notebook",
    progress: Progress | None = None,
) -> Answer:
    """Start the swarm (or find it there), or show its plan.

    Args:
        code: the cell.
        options: the values of `verbs.CELL`.
        namespace: the notebook's variables.
        workspace: where it is kept.
        folder: where relative paths in the cell resolve.
        earlier: number → source of cells that were run before.
        face: that asked.
        progress: told (bytes done, bytes in all) while data are captured.

    Raises:
        SwarmError: the cell or an option cannot be used; nothing was started then.
    """
    house = policy.from_environment()
    name, agents = check_name(options.name or NAME), options.agents or min(AGENTS, house.agents or AGENTS)
    objective = objective_of(options.maximize, options.minimize)
    usual = parse_budget(BUDGET)
    if house.seconds is not None:  # what nobody has asked for is not refused
        usual = msgspec.structs.replace(usual, seconds=min(usual.seconds or house.seconds, house.seconds))
    budget = options.budget or usual
    if budget.seconds is None and budget.experiments is None:
        budget = msgspec.structs.replace(budget, seconds=usual.seconds)
    models = " ".join(_names(options.model))
    vary, fix = _names(options.vary), _names(options.fix)
    code, setup, done = joined(code, earlier, options.cells, options.setup)
    if options.plan:
        asked = {each: getattr(options, each) for each in CHECKED}
        chosen = checked(agents, asked | {"models": models or None, "base_url": options.base_url})
        team.check(chosen, budget)
        from jupyter_swarm.experiments.cores import usable_cores
        from jupyter_swarm.jupyter import plan

        workers, previous = options.workers or usable_cores(), plan.before(workspace, name)
        found = plan.plan(
            code, objective, budget, namespace,
            vary=vary, fix=fix, record=_names(options.record), keep=options.keep, setup=setup, done=done,
            confirm=options.confirm or "", folder=folder, workers=workers, share=options.confirmation, earlier=previous,
        )  # fmt: skip
        if models:
            found.parts.append(Words(f"Language models: {models.replace(' ', ', ')}. {_limits(chosen, budget)}"))
        return found
    swarm = Swarm.start(
        code,
        name=name,
        maximize=options.maximize,
        minimize=options.minimize,
        budget=budget,
        agents=agents,
        namespace=namespace,
        workspace=workspace,
        folder=folder,
        vary=vary,
        fix=fix,
        record=_names(options.record),
        keep=options.keep,
        setup=setup,
        done=done,
        confirm=options.confirm or "",
        new=bool(options.new),
        progress=progress,
        workers=options.workers,
        timeout_seconds=options.timeout,
        share_confirmation=options.confirmation,
        seed=options.seed,
        min_effect=options.min_effect,
        equivalent=options.equivalent,
        prune=options.prune,
        tradeoff=options.tradeoff,
        mind=options.mind,
        models=models or None,
        base_url=options.base_url,
        network=options.network or None,
        gpus=options.gpus,
        unsafe=options.unsafe or None,
        read=_paths(options.read, folder) or None,
    )
    parts: list[Part] = [Words(_beginning(swarm, name, options, face))]
    if not swarm.attached:
        analysis, request = swarm.state.analysis, swarm.state.request
        held = request.holdout.analysis.warnings if request is not None and request.holdout is not None else ()
        careful = dict.fromkeys((*map(phrases.leak, analysis.leaks), *analysis.warnings, *held))
        parts += [Words(f"Careful: {each}") for each in careful]
    return Answer(parts, data=outcome(swarm.state), watch=swarm, wait=bool(options.wait))


def _beginning(swarm: Swarm, asked: str, options: SimpleNamespace, face: Face) -> str:
    """Which swarm this is, and why."""
    state, name = swarm.state, swarm.name
    if swarm.attached:
        doing = f"over ({state.phase}: {state.why})" if state.over else phrases.phase(state, swarm.alive)
        again = "--new or another budget starts another" if state.over else "--new starts another"
        same = f"The cell and its line are unchanged: this is {name} again, with the data taken then."
        return f"{same} It is {doing}. {again}."
    agents = state.request.agents if state.request else AGENTS
    default = "" if options.budget else "; no budget was given"
    words = f"{name} has begun: {phrases.plural(agents, 'agent')}, budget {_budget(swarm)}{default}."
    if state.option("models", "") and state.request is not None:
        words += f" {_limits(state.request.options, state.budget)}"
    if name != asked:
        why = "Another swarm of the same name" if options.new else f"The cell or its settings differ from {asked}'s"
        words = f"{why}, so this is a new one. {words}"
    hint = "" if face == "notebook" or options.wait else f" {COMMANDS[face]} watch {name} follows it."
    return words + hint


def _budget(swarm: Swarm) -> str:
    budget = swarm.state.budget
    time = phrases.duration(budget.seconds) if budget.seconds is not None else ""
    runs = phrases.plural(budget.experiments, "experiment") if budget.experiments is not None else ""
    dollars = f"${budget.dollars:g}" if budget.dollars is not None else ""
    tokens = phrases.plural(budget.tokens, "token") if budget.tokens is not None else ""
    return ", ".join(part for part in (time, runs, dollars, tokens) if part) or budget_text(budget)


def _limits(options: Mapping[str, str | int | float | bool], budget: Budget) -> str:
    """What language models may take, in words."""
    tokens, dollars = team.limits(options, budget)
    if tokens is None and dollars is None:
        return "They are asked on this machine, without a limit but that of the swarm."
    said = [f"${dollars:g}"] if dollars is not None else []
    said += [phrases.plural(tokens, "token")] if tokens is not None else []
    given = budget.tokens is not None or budget.dollars is not None
    hint = "" if given else ", as the budget names neither dollars nor tokens (2m,$2 or 2m,500kt)"
    return f"Language models may take {' and '.join(said)}{hint}."


def _names(given: Sequence[str]) -> list[str]:
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def _paths(given: Sequence[str], folder: Path) -> str:
    """Files and folders that exist, absolute, separated as in PATH.

    Raises:
        UsageError: one does not exist.
    """
    found = [(folder / Path(each).expanduser()).absolute() for each in given]
    for each in found:
        if not each.exists():
            raise UsageError(f"there is no {each}", where="--read", cure="name a file or folder that exists")
    return os.pathsep.join(map(str, found))


def cell(asked: Asked) -> Answer:
    """`%%swarm` is begun by the magic, which has the cell."""
    raise UsageError("there is no cell here", cure="begin a cell with %%swarm")


def this(asked: Asked) -> Answer:
    """`%swarm this` is begun by the magic, which has the notebook's variables."""
    raise UsageError("there is no notebook here", cure="begin it in one")


def expression(line: str) -> tuple[str, str]:
    """The expression of a line `this EXPRESSION --option …`, and its options.

    >>> expression("this train(cfg, name='a b') --minimize loss")
    ("train(cfg, name='a b')", '--minimize loss')
    """
    rest = line.strip().removeprefix("this")
    cut = re.search(r"\s--[a-z]", rest)
    return (rest[: cut.start()].strip(), rest[cut.start() :].strip()) if cut else (rest.strip(), "")


def cell_of(text: str, options: SimpleNamespace) -> str:
    """The cell that measures an expression.

    Raises:
        UsageError: nothing says what to call its value.
        CellError: it is no expression.
    """
    try:
        ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise CellError(
            f"{text!r} is no expression: {error.msg}", cure="something that could stand after a ="
        ) from None
    if not (options.maximize or options.minimize):
        raise UsageError(
            "say what to call the value, and which way is better", cure="--maximize NAME or --minimize NAME"
        )
    return f"{options.maximize or options.minimize} = {text}\n"


def run(asked: Asked) -> Answer:
    """`jupyter swarm run FILE`.

    Raises:
        UsageError: the file cannot be read as a cell with its context.
        CellError: its context fails, or the cell cannot be used.
    """
    path = source.existing(asked.options.file)
    asked.options.here = False
    chosen = asked.options.workspace or os.environ.get("JUPYTER_SWARM_WORKSPACE") or path.parent
    with source.opened(path, asked.options.name or "") as opened, capturing(asked.face) as progress:
        options = _merged(asked, opened)
        return begin(
            opened.code, options, opened.namespace,
            workspace=Workspace(chosen), folder=path.parent, earlier=opened.earlier, face=asked.face, progress=progress,
        )  # fmt: skip


def _merged(asked: Asked, opened: source.Opened) -> SimpleNamespace:
    """What the command says, and what the notebook's magic line says where the command says nothing."""
    options = asked.options
    if opened.line is None:
        options.name = options.name or source.name_of(opened.path)
        return options
    line = read(CELL, split(opened.line, opened.namespace), "notebook")
    if options.maximize or options.minimize:
        line.maximize = line.minimize = None
    for key in OF_THE_SWARM:
        if getattr(options, key) in (None, []):
            setattr(options, key, getattr(line, key))
    return options
