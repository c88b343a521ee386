"""`jupyter swarm doctor`: which layers shut experiments in on this machine, each tried."""

from __future__ import annotations

from dataclasses import asdict

from jupyter_swarm.experiments.worker.sandbox.probe import Layer, probe
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words
from jupyter_swarm.jupyter.verbs import Asked

_FOR = {
    "seccomp": "system calls: sockets, modes and owners of files, signals to others, namespaces",
    "landlock": "files: what may be read and written; other processes' memory and environment",
    "network": "a network without connections, besides seccomp",
    "shm": "a /dev/shm for each experiment; otherwise all of a person's processes share one",
    "proc": "names of other processes stay unseen; otherwise their command lines can be read",
}
_MEANS = (
    "Your own cell may run here, with a warning. Code that was written by a language model is refused, unless --unsafe "
    "is given."
)


def doctor(asked: Asked) -> Answer:
    """Try each layer; status 1 where one is missing that isolates."""
    layers = probe()
    missing = [each.name for each in layers if each.isolating and not each.in_force]
    parts: list[Part] = [
        Table(("layer", "in force", "what it is for", "tried by", "note"), [_row(each) for each in layers])
    ]
    if missing:
        parts.append(Words(f"Missing: {' and '.join(missing)}. {_MEANS}", strong=True))
    else:
        more = "" if all(each.in_force for each in layers) else " What is not in force here would add to it."
        parts.append(Words(f"Experiments are shut in.{more}"))
    data = {"isolated": not missing, "layers": [asdict(each) for each in layers]}
    return Answer(parts, data=data, status=1 if missing else 0)


def _row(layer: Layer) -> tuple[str, ...]:
    return (layer.name, "yes" if layer.in_force else "no", _FOR[layer.name], layer.tried, layer.detail)
