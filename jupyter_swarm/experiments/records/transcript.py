"""What an experiment told of itself: frames (JSON, one a line) folded into the outputs that its cells have in the end.

Frames are written by the experiment's own process, so nothing in them is believed: each line is checked, what does not
fit is left out and counted, and no line of whatever kind makes the fold fail. Outputs are those that nbclient makes of
the same messages; texts of one stream that follow one another become one output.

    {"cell": 3, "begin": 1764.1}                                   a notebook's cell (its index) begins, Unix time
    {"cell": 3, "msg": "stream", "content": {...}}                 a Jupyter message's type and content
    {"cell": 3, "end": 1764.4, "count": 2, "ok": true}             it has ended
    {"done": true, ...}                                            the last line
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_swarm.experiments.notebook import RESULT
from jupyter_swarm.experiments.records import frames as f
from jupyter_swarm.experiments.records.frames import Frame, Frames

CELL_BYTES = 4_000_000
"""About what one cell may show: twice the cap in the experiment's process, whose own note thus stays."""
WHOLE_BYTES = 64_000_000
"""About what all cells may show together; afterwards each has `SMALL_BYTES`."""
SMALL_BYTES = 64_000
OUTPUT_BYTES = 100
"""What an output counts besides its contents."""
VITAL = 8
"""How many errors and typed results of a cell are kept, however much else it shows."""
MALFORMED = 10_000
"""Malformed lines after which nothing is read any more."""
SILENT = frozenset(["comm_open", "comm_msg", "comm_close", "status", "execute_input"])
"""Messages that leave no output."""

Node = dict[str, Any]


@dataclass(slots=True)
class _Shown:
    """What the outputs of one display id show: always the same, whichever cell they are in."""

    data: Node
    metadata: Node
    uses: int = 0


@dataclass(slots=True)
class Told:
    """What one cell told: times (Unix), execution count, whether it went well, its outputs as in a notebook."""

    begin: float
    end: float | None = None
    count: int | None = None
    ok: bool = True
    outputs: list[Node] = field(default_factory=list)
    size: int = 0
    cut: bool = False
    vital: int = 0
    clearing: bool = False
    texts: list[str] = field(default_factory=list)
    """Pieces of the stream that is the last output."""
    shown: list[tuple[Node, _Shown]] = field(default_factory=list)
    """Outputs that have a display id."""

    def append(self, output: Node) -> None:
        """Show one more output; what was to be cleared before it is cleared now."""
        if self.clearing:
            self.clear()
        self.join()
        self.outputs.append(output)
        self.size += OUTPUT_BYTES

    def print(self, name: str, text: str) -> None:
        """Go on with a stream, where it was the last output, or begin it."""
        if self.clearing:
            self.clear()
        if not (self.texts and self.outputs[-1]["name"] == name):
            self.append({"output_type": "stream", "name": name, "text": ""})
        self.texts.append(text)

    def note(self) -> None:
        """Say that something is left out."""
        self.print("stderr", "\n[output cut: more than this cell may show]\n")

    def clear(self) -> None:
        """Take all outputs away."""
        self.clearing = False
        for _, shown in self.shown:
            shown.uses -= 1
        self.texts, self.shown, self.outputs = [], [], []
        if self.cut:
            self.note()

    def join(self) -> None:
        """Put the pieces of a stream together."""
        if self.texts:
            self.outputs[-1]["text"] = "".join(self.texts)
            self.texts = []

    def finish(self) -> None:
        """Let outputs with a display id show what was last displayed under it."""
        self.join()
        for output, shown in self.shown:
            output.update(data=shown.data, metadata=shown.metadata)


class Transcript:
    r"""The fold of all frames.

    Args:
        frames: as they came.
        code: indices of the notebook's code cells; a frame about another cell is malformed. Any where not given.
        only: cells whose outputs matter; of the others nothing but errors is decoded. All where not given.

    Attributes:
        cells: what each cell told that began, by its index, in the order of beginning.
        done: the last line as it came; b"" where it never came.
        malformed: how many lines were left out.

    >>> frames = b'{"cell":1,"begin":1.0}\n{"cell":1,"msg":"stream","content":{"name":"stdout","text":"a"}}\n'
    >>> Transcript(frames, {1}).cells[1].outputs
    [{'output_type': 'stream', 'name': 'stdout', 'text': 'a'}]
    """

    def __init__(
        self, frames: Frames, code: Collection[int] | None = None, *, only: Collection[int] | None = None
    ) -> None:
        self.cells: dict[int, Told] = {}
        self.done = b""
        self.malformed = 0
        self._code = None if code is None else frozenset(code)
        self._only = only
        self._total = self._count = 0
        self._shown: dict[str, _Shown] = {}
        for line in f.lines(frames):
            if self.malformed < MALFORMED:
                try:
                    self._take(line)
                    continue
                except (ValueError, RecursionError):  # msgspec's own are ValueErrors
                    pass
            self.malformed += 1
        for told in self.cells.values():
            told.finish()

    def _take(self, line: memoryview) -> None:
        frame = f.read_frame(line)
        if self.done:
            raise ValueError("it follows the last line")
        if frame.done:
            self.done = bytes(line)
            return
        if frame.curves:
            return  # `curves.py` reads them
        told = self.cells.get(frame.cell)
        if frame.begin is not None:
            if told is not None or frame.cell < 0 or (self._code is not None and frame.cell not in self._code):
                raise ValueError("no cell that can begin")
            self._count += 1
            self.cells[frame.cell] = Told(frame.begin, count=self._count)
        elif told is None:
            raise ValueError("the cell has not begun")
        elif frame.end is not None:
            if told.end is not None:
                raise ValueError("the cell has ended already")
            told.end, told.ok = frame.end, frame.ok
            told.count = self._count = self._count if frame.count is None else frame.count
        elif frame.msg not in SILENT:
            if (take := _KINDS.get(frame.msg)) is None:
                raise ValueError("no message that a cell gets")
            if self._only is None or frame.cell in self._only or frame.msg in ("error", "clear_output"):
                take(self, frame, told)

    # ------------------------------------------------------------ messages

    def _stream(self, frame: Frame, told: Told) -> None:
        if self._gigantic(frame, told):
            return
        content = f.read_stream(frame.content)
        room = self._room(told)
        fits = self._counted(len(content.text), told)
        text = content.text if fits else content.text[:room]
        if fits or text:
            told.print(content.name, text)
        if not fits:
            self._cut(told)

    def _display(self, frame: Frame, told: Told) -> None:
        if self._gigantic(frame, told):
            return
        content = f.read_display(frame.content)
        size = max(f.checked(content), len(frame.content) // f.ESCAPED)
        identity = (content.transient or {}).get("display_id")
        identity = identity if isinstance(identity, str) else ""
        shown = self._shown.get(identity) if identity else None
        new = frame.msg != "update_display_data"
        if content.execution_count is not None:
            told.count = content.execution_count
        if shown is None and not new:
            return
        vital = RESULT in content.data and not identity and self._vital(frame, told)
        if not vital and not self._counted(size * (shown.uses + new if shown else 1), told):
            self._cut(told)
            return
        if shown is None:
            shown = _Shown(content.data, content.metadata)
            if identity:
                self._shown[identity] = shown
        shown.data, shown.metadata = content.data, content.metadata
        if new:
            count = {"execution_count": content.execution_count} if frame.msg == "execute_result" else {}
            told.append({"output_type": frame.msg, "data": content.data, "metadata": content.metadata, **count})
            if identity:
                shown.uses += 1
                told.shown.append((told.outputs[-1], shown))

    def _error(self, frame: Frame, told: Told) -> None:
        content = f.read_error(frame.content)
        trace = [line[:20_000] for line in content.traceback[-100:]]
        output = {"ename": content.ename[:1000], "evalue": content.evalue[:20_000], "traceback": trace}
        if not self._vital(frame, told) and not self._counted(f.weight(output), told):
            self._cut(told)
            return
        told.append({"output_type": "error", **output})

    def _clear(self, frame: Frame, told: Told) -> None:
        if f.read_clear(frame.content).wait:
            told.clearing = True
        else:
            told.clear()

    # ------------------------------------------------------------ how much

    def _room(self, told: Told) -> int:
        """How much more a cell may show."""
        limit = CELL_BYTES if self._total < WHOLE_BYTES else SMALL_BYTES
        return 0 if told.cut else max(0, limit - told.size)

    def _counted(self, size: int, told: Told) -> bool:
        """Whether so much more may be shown; if so, it counts."""
        size = max(1, size)
        if size > self._room(told):
            return False
        told.size += size
        self._total += size
        return True

    def _cut(self, told: Told) -> None:
        """Nothing more is shown, and a note says so."""
        if not told.cut:
            told.cut = True
            told.note()

    def _gigantic(self, frame: Frame, told: Told) -> bool:
        """Whether a message is too large to be looked at."""
        if found := len(frame.content) // f.ESCAPED > CELL_BYTES:
            self._cut(told)
        return found

    def _vital(self, frame: Frame, told: Told) -> bool:
        """Whether a message is kept even where the cell shows too much."""
        told.vital += 1
        return told.vital <= VITAL and (frame.msg == "error" or len(frame.content) <= SMALL_BYTES)


_KINDS: Mapping[str, Callable[[Transcript, Frame, Told], None]] = {
    "stream": Transcript._stream,
    "display_data": Transcript._display,
    "execute_result": Transcript._display,
    "update_display_data": Transcript._display,
    "error": Transcript._error,
    "clear_output": Transcript._clear,
}
