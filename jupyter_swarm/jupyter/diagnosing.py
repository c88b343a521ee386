"""`diagnose`: why a training does not make progress, from what it logged, its data, or the error that ended it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm import register
from jupyter_swarm.api import Swarm
from jupyter_swarm.diagnosis import data, logfile, objects
from jupyter_swarm.diagnosis.case import Case, Failure
from jupyter_swarm.diagnosis.examining import TESTS, Diagnosis
from jupyter_swarm.diagnosis.examining import diagnose as examine
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.options import nearest
from jupyter_swarm.jupyter.pages import Answer, Part, Words
from jupyter_swarm.jupyter.telling import follow
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.report.phrases import plural

NOTHING = "-"
"""Stands for curves where only data are given."""


def diagnose(asked: Asked) -> Answer:
    """Put the classical tests to what is named: a value of the notebook, a log file, or a swarm's run; with X and y.

    Raises:
        UsageError: nothing of that name, or it cannot be read; an expression in a terminal.
    """
    what, features, target = asked.options.what, asked.options.X, asked.options.y
    if features and features.isdecimal() and not target:
        return _answer(asked, _of_run(asked, what, int(features)), f"run {features} of {what}")
    namespace = _namespace() if asked.face == "notebook" else None
    if features and namespace is None:
        raise UsageError(
            "X and y need a notebook", where=f"{features} {target or ''}".strip(), cure="%swarm diagnose there"
        )
    found = Case() if what == NOTHING else _of(asked, what, namespace)
    if features and namespace is not None:
        values = [_value(each, namespace) for each in (features, target) if each]
        read = data.of(values[0], values[1] if target else None, (features, target or "y"))
        found = Case(found.series, read, found.failure)
    if what == NOTHING and found.data is None:
        raise UsageError("nothing to look at", where=NOTHING, cure="X and y after it, or a history in its place")
    return _answer(asked, found, features if what == NOTHING else what)


# ---------------------------------------------------------------- what is named


def _of(asked: Asked, what: str, namespace: Mapping[str, Any] | None) -> Case:
    """A name of the notebook first, then a file, then an expression.

    Raises:
        UsageError: it is none of them.
    """
    if namespace is not None and what.isidentifier() and what in namespace:
        return _of_value(what, namespace[what])
    path = Path(what).expanduser()
    if path.is_file():
        return _of_file(path)
    if what in register.names(asked.workspace):
        raise UsageError(f"which run of {what}?", cure=f"its number, as in {asked.command} diagnose {what} 12")
    if path.suffix.lower() in (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt"):
        raise UsageError(f"there is no file {what}", where=str(Path.cwd()), cure="the path of a log file, from here")
    if namespace is None:
        raise UsageError(
            f"there is no file {what}, and an expression needs a notebook",
            where=str(Path.cwd()),
            cure=f"the path of a log file, or {asked.command} diagnose SWARM RUN; in a notebook %swarm diagnose {what}",
        )
    return _of_value(what, _value(what, namespace, "is no file, and "))


def _of_value(name: str, value: Any) -> Case:
    """A value of the notebook; text and paths name a log file."""
    if isinstance(value, (str, os.PathLike)):
        return _of_file(Path(value).expanduser())
    return Case(objects.of(value, name))


def _of_file(path: Path) -> Case:
    read = logfile.read(path)
    return Case(read.series, None, Failure(traceback=read.traceback) if read.traceback else None)


def _of_run(asked: Asked, name: str, number: int) -> Case:
    """A swarm's run: its curves, and how it failed.

    Raises:
        UsageError: no such run, or it neither failed nor logged a curve.
    """
    swarm = Swarm(name, asked.workspace)
    run = swarm.row(number).run
    assert run is not None, "row gives finished runs alone"
    failure = Failure.of(run)
    if not run.curves and failure is None:
        raise UsageError(
            f"run {number} of {name} did not fail, and logged no curve",
            cure="jupyter_swarm.log(step, loss=loss) in the cell's loop, or a run that failed",
        )
    objective = swarm.state.objective
    ways = {objective.metric: "up" if objective.maximize else "down"}
    return Case(objects.of_run(run, ways) if run.curves else None, None, failure)


# ---------------------------------------------------------------- the notebook


def _namespace() -> Mapping[str, Any]:
    """The notebook's variables."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell.user_ns if shell is not None else {}


def _value(expression: str, namespace: Mapping[str, Any], besides: str = "") -> Any:
    """The value of a name or an expression of the person's own; `besides` is said where there is none.

    Raises:
        UsageError: it is no expression, or evaluating it fails.
    """
    if expression.isidentifier() and expression not in namespace:
        known = [each for each in namespace if not each.startswith("_")]
        cure = nearest(expression, known)
        raise UsageError(
            f"{expression!r} {besides}is no variable of the notebook",
            cure=cure
            if cure and not cure.startswith("one of")
            else "assign it in an earlier cell, or a log file's path",
        )
    try:
        return eval(compile(expression, "<diagnose>", "eval"), dict(namespace))
    except SyntaxError as error:
        what = f"{expression!r} {besides}is no expression: {error.msg}"
    except Exception as error:
        what = f"{expression!r} {besides}cannot be evaluated: {type(error).__name__}: {error}"
    raise UsageError(what, where="%swarm diagnose", cure="an expression with quotation marks in it stands in others")


# ---------------------------------------------------------------- the answer


def _answer(asked: Asked, case: Case, name: str) -> Answer:
    found = examine(case)
    parts: list[Part] = []
    for place, sign in enumerate(found.signs, start=1):
        parts.append(Words(f"{place}. {sign.kind}: {sign.what}", strong=True))
        parts.append(Words("\n".join(f"   {fact.text}" for fact in sign.evidence)))
        parts.append(Words(f"   Try: {sign.cure}"))
    parts += [Words(each) for each in (*_told(found), *(f"Note: {note}." for note in found.notes))]
    data = {"of": name, "signs": found.findings, "looked": list(found.looked), "idle": list(found.idle),
            "notes": list(found.notes)}  # fmt: skip
    if found.signs and asked.options.model:
        more, causes = _explained(asked, found, name)
        return Answer([*parts, *more], data={**data, "causes": causes})
    return Answer(parts, data=data)


def _explained(asked: Asked, found: Diagnosis, name: str) -> tuple[list[Part], list[dict[str, Any]]]:
    """What a language model says of the signs."""
    from jupyter_swarm.minds import explaining

    model, url, store = asked.options.model, asked.options.base_url or "", asked.workspace.store
    causes, struck = follow(lambda _: explaining.explain(store, model, url, name, found.findings), lambda _: None)
    parts: list[Part] = [Words(f"What may lie behind it, says {model} (a guess, not a finding):", strong=True)]
    for each in causes:
        tried = f" Try: {each.attempt}" if each.attempt else ""
        parts.append(Words(f"{each.what} It would explain: {', '.join(each.signs)}.{tried}"))
    if struck:
        parts.append(Words(f"{plural(struck, 'cause')} left out: no sign, or no number, bears it."))
    if not causes and not struck:
        parts.append(Words("It knows no cause."))
    return parts, [msgspec.to_builtins(each) for each in causes]


def _told(found: Diagnosis) -> list[str]:
    """Which tests spoke, which did not, which had nothing to look at."""
    silent = [name for name in found.looked if name not in {sign.kind for sign in found.signs}]
    said = []
    if not found.looked:
        said.append(f"None of {len(TESTS)} tests has anything to look at: too little was logged.")
    elif not found.signs:
        said.append(f"Nothing of {plural(len(found.looked), 'test')} speaks: {', '.join(silent)}.")
    elif silent:
        said.append(f"Nothing is seen by {plural(len(silent), 'test')}: {', '.join(silent)}.")
    if found.idle and found.looked:
        said.append(f"Nothing to look at for {plural(len(found.idle), 'test')}: {', '.join(found.idle)}.")
    return said
