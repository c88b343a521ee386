"""Arguments of verbs: declared once; parsed, explained and completed from the declaration.

An argument whose name begins with `--` is an option, any other a position. Nothing is abbreviated or guessed: a name
that nobody knows is an error that says which known ones are near.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jupyter_swarm.errors import SwarmError, UsageError


@dataclass(frozen=True)
class Argument:
    """An option or a position of a verb."""

    name: str
    help: str
    kind: Callable[[str], Any] = str
    default: Any = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    flag: bool = False
    many: bool = False
    """An option that may be repeated (or takes names separated by commas); a position that takes all that is left."""
    required: bool = False
    completes: str = ""
    """What Tab offers: "swarm", "verb", "direction", "path"."""

    @property
    def option(self) -> bool:
        """Whether it is written with two dashes."""
        return self.name.startswith("--")

    @property
    def key(self) -> str:
        """The attribute under which its value is found."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def usage(self) -> str:
        """As in a usage line.

        >>> Argument("--budget", "", metavar="BUDGET").usage, Argument("words", "", many=True).usage
        ('[--budget BUDGET]', '[WORDS …]')
        """
        shown = self.metavar or ("|".join(self.choices) if self.choices else self.key.upper())
        if self.option:
            text = self.name if self.flag else f"{self.name} {shown}"
        else:
            text = f"{shown} …" if self.many else shown
        return text if self.required else f"[{text}]"


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> str:
    """A cure for a mistyped word: the known ones that are near, or all of a few, or "".

    >>> nearest("--budge", ["--budget", "--agents"])
    '--budget'
    >>> nearest("zzz", ["a", "b"])
    'one of a, b'
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=most, cutoff=0.55)
    near = near or [name for name in names if len(word) > 1 and word in name][:most]
    if near:
        return " or ".join(near)
    return f"one of {', '.join(names)}" if 0 < len(names) <= 24 else ""


def split(line: str, namespace: Mapping[str, Any]) -> list[str]:
    """The words of a magic's line, as a shell would split them; `{{name}}` becomes the value of that variable.

    >>> split('wine --budget {{ b }} "two words"', {"b": "60s"})
    ['wine', '--budget', '60s', 'two words']
    """
    line = re.sub(r"\{\{\s*(.*?)\s*\}\}", r"{{\1}}", line)
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the line cannot be read: {error}", where=line, cure="close the quotation mark") from None

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in namespace:
            known = [each for each in namespace if not each.startswith("_")]
            cure = nearest(name, known) if len(name) > 1 else ""
            raise UsageError(
                f"{{{{{name}}}}}: the notebook has no variable {name!r}",
                cure=cure if cure and not cure.startswith("one of") else "assign it in an earlier cell",
            )
        return str(namespace[name])

    return [re.sub(r"\{\{(.*?)\}\}", value, word) for word in words]


def parse(command: str, arguments: Sequence[Argument], words: Sequence[str]) -> SimpleNamespace:
    """The values of a command's arguments.

    Raises:
        UsageError: an unknown option, a missing or needless value, a value that makes no sense.

    >>> spec = [Argument("name", ""), Argument("--agents", "", kind=int, default=16)]
    >>> parse("x", spec, ["wine", "--agents", "4"])
    namespace(name='wine', agents=4)
    """
    options = {each.name: each for each in arguments if each.option}
    positions = [each for each in arguments if not each.option]
    values: dict[str, Any] = {each.key: [] if each.many else each.default for each in arguments}
    given: list[str] = []
    seen: set[str] = set()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            given += rest
            break
        if not word.startswith("--"):
            given.append(word)
            continue
        name, equals, value = word.partition("=")
        argument = options.get(name)
        if argument is None:
            cure = nearest(name, [*options, "--help"])
            raise UsageError(f"{command} has no option {name}", cure=cure or f"{command} --help")
        if argument.key in seen and not argument.many:
            raise UsageError(f"{name} is given twice", where=command)
        seen.add(argument.key)
        found = _value(command, argument, value if equals else None, rest)
        values[argument.key] = [*values[argument.key], found] if argument.many else found
    _place(command, positions, given, values)
    for argument in arguments:
        if argument.required and values[argument.key] in (None, []):
            raise UsageError(f"{command} needs {argument.usage}", cure=f"{command} --help")
    return SimpleNamespace(**values)


def _value(command: str, argument: Argument, value: str | None, rest: list[str]) -> Any:
    """The value of an option, which follows its name after `=` or as the next word of `rest`."""
    if argument.flag:
        if value is not None:
            raise UsageError(f"{argument.name} takes no value", where=f"{argument.name}={value}")
        return True
    if value is None:
        if not rest or rest[0].startswith("--"):
            raise UsageError(f"{argument.name} needs a value", where=command, cure=argument.usage.strip("[]"))
        value = rest.pop(0)
    return _converted(argument, value)


def _place(command: str, positions: Sequence[Argument], given: list[str], values: dict[str, Any]) -> None:
    """Give the words without dashes to the positions, in order."""
    for argument in positions:
        if argument.many:
            values[argument.key] = [_converted(argument, word) for word in given]
            given = []
        elif given:
            values[argument.key] = _converted(argument, given.pop(0))
    if given:
        raise UsageError(
            f"{command} does not know what to do with {' '.join(map(repr, given))}",
            cure="put words that belong together in quotation marks, or see --help",
        )


def _converted(argument: Argument, word: str) -> Any:
    if argument.choices and word not in argument.choices:
        raise UsageError(f"{word!r} is no {argument.key}", cure=nearest(word, argument.choices))
    try:
        return argument.kind(word)
    except SwarmError:
        raise
    except ValueError as error:
        said = str(error) if argument.kind not in (int, float) else "it has to be a number"
        raise UsageError(f"{argument.name} {word}: {said}", cure=argument.help) from None


def count(text: str) -> int:
    """A whole number of at least 1.

    >>> count("16")
    16
    """
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise ValueError("it has to be a whole number of at least 1")
    return number


def counts(text: str) -> list[int]:
    """Whole numbers of at least 1, separated by commas.

    >>> counts("3,17")
    [3, 17]
    """
    return [count(each.strip()) for each in text.split(",")]


def role_and_mind(text: str) -> tuple[str, str | None]:
    """Whom to hire: a role, and perhaps a mind.

    >>> role_and_mind("tuner"), role_and_mind("coder:openai:gpt-5-mini")
    (('tuner', None), ('coder', 'openai:gpt-5-mini'))
    """
    role, _, mind = text.partition(":")
    if not role.strip():
        raise ValueError("it begins with a role, as in tuner or coder:local:qwen3")
    return role.strip(), mind.strip() or None


def role_and_count(text: str) -> tuple[str, int]:
    """How many agents a role is to have at work.

    >>> role_and_count("tuner=6")
    ('tuner', 6)
    """
    role, _, number = text.partition("=")
    if not role.strip() or not number.strip().isdecimal():
        raise ValueError("it is a role and a number, as in tuner=6")
    return role.strip(), count(number.strip())


def cell_numbers(text: str) -> list[int]:
    """Numbers of cells, as in `3-6,8`.

    >>> cell_numbers("3-6,8")
    [3, 4, 5, 6, 8]
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError("cells are named by their numbers, as in 3-6,8")
        if int(last or first) < int(first) or int(last or first) - int(first) > 1_000:
            raise ValueError(f"{part.strip()} is no range of cells")
        found += range(int(first), int(last or first) + 1)
    return found


def share(text: str) -> float:
    """A share of something: between 0 and 1, or a percentage.

    >>> share("50%"), share("0.5")
    (0.5, 0.5)
    """
    number = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    if not 0.0 < number < 1.0:
        raise ValueError("it has to lie between 0 and 1")
    return number
