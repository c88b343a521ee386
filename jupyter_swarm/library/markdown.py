"""Sections of a Markdown text, by its headings; the text itself stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jupyter_swarm.library.papers import Place

_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_ATX = re.compile(r"[ ]{0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r"[ ]{0,3}(=+|-+)[ \t]*$")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
_MARKS = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|\{[^}]*\}\s*$")

Heading = tuple[int, int, str]
"""Offset, level, words."""


def title_of(text: str) -> str:
    """The front matter's title, else the first heading of the highest level, else "".

    >>> title_of("---\\ntitle: Scaling\\n---\\n# Other")
    'Scaling'
    """
    front = _FRONT.match(text)
    named = _FRONT_TITLE.search(front[1]) if front else None
    if named:
        return named[1].strip().strip("\"'")
    found = list(headings(text))
    return min(found, key=lambda heading: (heading[1], heading[0]))[2] if found else ""


def sections(text: str) -> tuple[Place, ...]:
    """Places from heading to heading, named by the path of headings that leads there.

    >>> [(p.name, p.start) for p in sections("intro\\n# A\\na\\n## B\\nb\\n# C\\nc")]
    [('', 0), ('A', 6), ('A › B', 12), ('C', 19)]
    """
    front = _FRONT.match(text)
    begin = front.end() if front else 0
    path: list[Heading] = []
    starts: list[tuple[int, str]] = [(begin, "")]
    for heading in headings(text):
        path = [*(above for above in path if above[1] < heading[1]), heading]
        starts.append((heading[0], " › ".join(words for _, _, words in path if words)))
    ends = [start for start, _ in starts[1:]] + [len(text)]
    pairs = zip(starts, ends, strict=True)
    return tuple(Place(name=name, start=start, end=end) for (start, name), end in pairs if text[start:end].strip())


def headings(text: str) -> Iterator[Heading]:
    """All headings outside code, front matter left out.

    >>> list(headings("# A\\n```\\n# no\\n```\\nB\\n---\\n"))
    [(0, 1, 'A'), (17, 2, 'B')]
    """
    front = _FRONT.match(text)
    offset = front.end() if front else 0
    fence = ""
    before: tuple[int, str] | None = None
    for line in text[offset:].splitlines(keepends=True):
        bare = line.rstrip("\n")
        mark = _FENCE.match(bare)
        if fence or mark:
            if not fence and mark:
                fence = mark[1]
            elif mark and mark[1].startswith(fence) and not bare.strip().strip(fence[0]):
                fence = ""
            before = None
        elif atx := _ATX.match(bare):
            yield offset, len(atx[1]), _plain(atx[2] or "")
            before = None
        elif before and (under := _UNDERLINE.match(bare)):
            yield before[0], 1 if under[1][0] == "=" else 2, _plain(before[1])
            before = None
        else:
            paragraph = bare.strip() and not re.match(r"\s*([-*+>|]|\d+[.)])\s|\s{4}", bare)
            # Only a line that begins a paragraph: an underline below a longer one is a rule.
            before = (offset, bare.strip()) if paragraph and before is None else None
        offset += len(line)


def _plain(words: str) -> str:
    return _MARKS.sub(lambda match: match[1] or "", words).strip()
