"""Help, made from the table of verbs."""

from __future__ import annotations

from jupyter_swarm.jupyter.pages import Answer, Code, Part, Table, Words
from jupyter_swarm.jupyter.verbs import CELL, TERMINAL, VERBS, Asked, Face, Verb, find


def help(asked: Asked) -> Answer:
    """What there is, or how one verb is used.

    Raises:
        UsageError: no such verb.
    """
    name = asked.options.verb
    if not name:
        return overview(asked.face)
    cell = name in ("%%swarm", "run") and asked.face == "notebook"
    return of(CELL if cell else find(name, asked.face), asked.face)


def overview(face: Face) -> Answer:
    """All verbs in one table.

    >>> "papers" in repr(overview("terminal"))
    True
    """
    known = [verb for verb in VERBS.values() if verb.face in (None, face)]
    rows = [(verb.name, verb.help) for verb in known]
    parts: list[Part]
    if face == "notebook":
        parts = [
            Code(f"{CELL.examples[0]}\n…your cell…"),
            Words(f"{CELL.help} {CELL.more}"),
            Table(("verb", "what it does"), rows, title="%swarm VERB …"),
            Words("%swarm help VERB says more about one of them, %swarm help %%swarm about the cell's first line."),
        ]
    else:
        parts = [
            Table(("verb", "what it does"), rows, title="jupyter swarm VERB …"),
            Words("jupyter swarm help VERB says more about one of them; jupyter swarm --version says which this is."),
        ]
    return Answer(parts, data={verb.name: verb.help for verb in known})


def of(verb: Verb, face: Face) -> Answer:
    """How one verb is used."""
    command = "%%swarm" if verb is CELL else "%swarm" if face == "notebook" else "jupyter swarm"
    arguments = verb.arguments + (TERMINAL if face == "terminal" else ())
    examples = "\n".join(each if face == "notebook" else in_terminal(each) for each in verb.examples)
    parts: list[Part] = [Code(verb.usage(command)), Words(verb.help)]
    if arguments:
        rows = [(each.usage.strip("[]"), each.help) for each in arguments]
        parts.append(Table(("argument", "what it says"), rows))
    if verb.more:
        parts.append(Words(verb.more))
    if examples:
        parts.append(Code(examples))
    data = {"verb": verb.name, "help": verb.help, "arguments": {each.name: each.help for each in arguments}}
    return Answer(parts, data=data)


def in_terminal(line: str) -> str:
    """A magic's line as one writes it in a terminal.

    >>> in_terminal("%swarm best wine")
    'jupyter swarm best wine'
    """
    return "jupyter swarm" + line.removeprefix("%swarm") if line.startswith("%swarm") else line
