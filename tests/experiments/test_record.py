"""Frames become outputs: those of nbclient, whatever hostile lines stand between; and a notebook that runs again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from jupyter_swarm.experiments import notebook
from jupyter_swarm.experiments.notebook import RESULT
from jupyter_swarm.experiments.records import record, transcript
from jupyter_swarm.words import Context, Experiment
from jupyter_swarm.workspace import Workspace


def line(**frame: Any) -> bytes:
    return json.dumps(frame, ensure_ascii=False).encode() + b"\n"


def plain(cells: int) -> nbformat.NotebookNode:
    code = [nbformat.v4.new_code_cell("x", id=f"c{number}") for number in range(cells)]
    return nbformat.v4.new_notebook(cells=code)


def made(frames: bytes, cells: int = 2, **more: Any) -> nbformat.NotebookNode:
    """The executed notebook; valid, and free of our own ways to say so."""
    found = record.assemble(plain(cells), frames, **more)
    nbformat.validate(found)
    return found


def texts(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


_data = st.fixed_dictionaries({"text/plain": st.text(max_size=3)})
_shown = st.fixed_dictionaries({
    "data": _data,
    "metadata": st.just({}),
    "transient": st.sampled_from([None, {}, {"display_id": "a"}, {"display_id": "b"}]),
})  # fmt: skip
_messages = st.one_of(
    st.tuples(st.just("stream"), st.fixed_dictionaries({
        "name": st.sampled_from(["stdout", "stderr"]), "text": st.text(max_size=3)})),
    st.tuples(st.sampled_from(["display_data", "update_display_data"]), _shown),
    st.tuples(st.just("execute_result"), _shown.map(lambda shown: {**shown, "execution_count": 7})),
    st.tuples(st.just("clear_output"), st.fixed_dictionaries({"wait": st.booleans()})),
    st.tuples(st.just("error"), st.just({"ename": "E", "evalue": "v", "traceback": ["t"]})),
)  # fmt: skip


_names = st.sampled_from(["cell", "begin", "end", "msg", "content", "data", "count", "done", "x"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner),
)
_lines = st.binary(max_size=40) | _values.map(lambda value: json.dumps(value).encode())


class TestOutputs:
    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.lists(_messages, max_size=8), min_size=1, max_size=3))
    def test_are_those_of_nbclient(self, told: list[list[tuple[str, dict[str, Any]]]]) -> None:
        client = NotebookClient(plain(len(told)))
        frames = b""
        for index, messages in enumerate(told):
            client.clear_before_next_output = False
            frames += line(cell=index, begin=float(index))
            for kind, content in messages:
                frames += line(cell=index, msg=kind, content=content)
                message = {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {}, "content": content}
                client.process_message(json.loads(json.dumps(message)), client.nb.cells[index], index)
            frames += line(cell=index, end=index + 0.5, count=index + 1, ok=True)
        ours = made(frames, len(told))
        for mine, theirs in zip(ours.cells, client.nb.cells, strict=True):
            assert mine.outputs == joined(theirs.outputs)

    @given(st.lists(_lines, max_size=12), st.integers(0, 12))
    @settings(max_examples=300, deadline=None)
    def test_no_line_makes_it_fail(self, lines: list[bytes], at: int) -> None:
        good = [
            line(cell=0, begin=1.0).strip(),
            line(cell=0, msg="stream", content={"name": "stdout", "text": "a"})[:-1],
        ]
        made(b"\n".join([*lines[:at], *good, *lines[at:]]))
        record.gist(b"\n".join([*lines[:at], *good, *lines[at:]]), result=0, own=0)

    @pytest.mark.parametrize(
        "bad",
        [
            b"",
            b"\xff\xfe",
            b"[" * 200_000,
            b'{"cell":0,"msg":"display_data","content":{"data":{"application/json":' + b"[" * 90 + b"]" * 90 + b"}}}",
            b'{"cell":0,"msg":"display_data","content":{"data":{"text/plain":{"not":"text"}}}}',
            b'{"cell":0,"msg":"display_data","content":{"data":{"a/b+json":' + b"9" * 5000 + b"}}}",
            b'{"cell":0,"msg":"stream","content":{"name":"elsewhere","text":"x"}}',
            b'{"cell":0,"msg":"stream","content":{"name":"stdout","text":"\\ud800"}}',
            b'{"cell":0,"msg":"error","content":{"ename":"E","evalue":1,"traceback":[]}}',
            b'{"cell":0,"msg":"shutdown_reply","content":{}}',
            b'{"cell":0,"begin":2.0}',
            b'{"cell":0,"end":1e300}',
            b'{"cell":0,"end":-1.0}',
            b'{"cell":0,"end":NaN}',
            b'{"cell":7,"begin":2.0}',
            b'{"cell":-1,"begin":2.0}',
            b'{"cell":1,"msg":"stream","content":{"name":"stdout","text":"not begun"}}',
        ],
    )
    def test_what_is_malformed_is_counted_and_nothing_else_is_lost(self, bad: bytes) -> None:
        before, after = (line(cell=0, msg="stream", content={"name": "stdout", "text": text}) for text in "ab")
        frames = line(cell=0, begin=1.0) + before + bad + b"\n" + bad + b"\n" + after + line(cell=0, end=2.0, count=1)
        found = made(frames)
        assert texts(found.cells[0]) == "ab\n[2 malformed messages were left out]\n"
        assert found.cells[0].execution_count == 1

    def test_nothing_is_read_after_the_last_line(self) -> None:
        end = line(done=True, more=3)
        late = line(cell=0, msg="stream", content={"name": "stdout", "text": "late"})
        assert texts(made(line(cell=0, begin=1.0) + end + late).cells[0]) == "\n[1 malformed message was left out]\n"
        assert record.gist(end, result=0, own=0).done == end.strip()


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Texts of one stream that follow one another, as one."""
    found: list[nbformat.NotebookNode] = []
    for output in outputs:
        if found and output.output_type == "stream" == found[-1].output_type and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


class TestCaps:
    def flood(self, cell: int, size: int, times: int = 1, **content: Any) -> bytes:
        shown = {"data": {"text/plain": "x" * size}, "metadata": {}, **content}
        return line(cell=cell, msg="display_data", content=shown) * times

    def test_of_a_cell_leaves_errors_and_the_result(self) -> None:
        result = line(cell=0, msg="display_data", content={"data": {RESULT: {"metric": "score", "value": 1.0}}})
        error = line(cell=0, msg="error", content={"ename": "E", "evalue": "v", "traceback": ["t" * 10**6] * 200})
        frames = line(cell=0, begin=1.0) + self.flood(0, 10**6, 9) + result + error
        found = made(frames).cells[0].outputs
        assert [output.output_type for output in found] == ["display_data"] * 3 + ["stream", "display_data", "error"]
        assert "output cut" in found[3].text
        assert len(json.dumps(found)) < transcript.CELL_BYTES + 2_100_000
        assert record.shown(frames, 0) == [{"metric": "score", "value": 1.0}]

    def test_of_one_message_and_of_countless_small_ones(self) -> None:
        for frames in (self.flood(0, 60_000_000), self.flood(0, 0, 100_000)):
            outputs = made(line(cell=0, begin=1.0) + frames).cells[0].outputs
            assert len(outputs) <= transcript.CELL_BYTES / transcript.OUTPUT_BYTES + 1
            assert "output cut" in outputs[-1].text

    def test_of_the_whole(self) -> None:
        frames = b"".join(line(cell=n, begin=float(n)) + self.flood(n, 3_000_000) for n in range(30))
        found = made(frames, 30)
        assert len(json.dumps(found)) < transcript.WHOLE_BYTES + 4_000_000
        assert "output cut" in texts(found.cells[29])

    def test_a_display_id_multiplies_nothing(self) -> None:
        same = {"transient": {"display_id": "a"}}
        frames = line(cell=0, begin=1.0) + self.flood(0, 1, 5_000, **same)
        update = {"data": {"text/plain": "x" * 3_000_000}, "metadata": {}, **same}
        frames += line(cell=0, msg="update_display_data", content=update)
        assert len(json.dumps(made(frames))) < transcript.CELL_BYTES


class TestDeath:
    @pytest.mark.parametrize(
        ("frames", "where"),
        [
            (b"", 0),
            (line(cell=0, begin=5.0), 0),
            (line(cell=0, begin=5.0) + line(cell=0, end=6.0, count=1), 1),
            (line(cell=0, begin=5.0) + line(cell=0, end=6.0) + line(cell=1, begin=6.0) + b'{"cell":1,"ms', 1),
        ],
        ids=["before", "in the first", "between", "in the last, amid a line"],
    )
    def test_is_said_where_it_happened(self, frames: bytes, where: int) -> None:
        found = made(frames, died="2 s were over", ended=9.0)
        cell = found.cells[where]
        said = next(output for output in cell.outputs if output.output_type == "error")
        assert (said.ename, said.evalue) == ("DeadKernelError", "2 s were over")
        assert (cell.metadata.papermill.status, cell.metadata.papermill.exception) == ("failed", True)
        assert cell.metadata.papermill.end_time == "1970-01-01T00:00:09+00:00"
        assert found.metadata.papermill.exception is True
        assert [c.metadata.papermill.status for c in found.cells[where + 1 :]] == ["pending"] * (1 - where)


def test_it_runs_again_to_the_same_metric_and_says_what_papermill_says(tmp_path: Path) -> None:
    experiment = Experiment(code="score = seed * C", seed=3, metric="score", context="c", title="t")
    built = notebook.build(experiment, experiment.code, {"C": 0.5, "seed": 3}, Context(), Workspace(tmp_path).create())
    shown = {"data": {RESULT: {"metric": "score", "value": 1.5, "type": "float"}}, "metadata": {}, "transient": {}}
    frames = b""
    for cell in range(1, 5):
        frames += line(cell=cell, begin=1e9 + cell)
        frames += line(cell=cell, msg="display_data", content=shown) if cell == 4 else b""
        frames += line(cell=cell, end=1e9 + cell + 0.25, count=cell, ok=True)
    frames += line(done=True)
    gist = record.gist(frames, result=4, own=3, code=range(1, 5))
    assert (gist.payloads, gist.error, gist.seconds) == ([shown["data"][RESULT]], None, 0.25)

    path = tmp_path / "run.ipynb"
    path.write_bytes(record.written(record.Record(json.dumps(built).encode(), frames)))
    ours = nbformat.read(path, as_version=4)
    nbformat.validate(ours)
    theirs = papermill.execute_notebook(path, None, progress_bar=False)
    again = [output.data[RESULT] for output in theirs.cells[4].outputs if RESULT in output.get("data", {})]
    assert again == gist.payloads
    for mine, other in zip(ours.cells, theirs.cells, strict=True):
        assert set(mine.metadata.papermill) == set(other.metadata.papermill)
        for name in ("status", "exception"):
            assert mine.metadata.papermill[name] == other.metadata.papermill[name]
        assert mine.get("execution_count") == other.get("execution_count")
    assert set(ours.metadata.papermill) <= set(theirs.metadata.papermill)
    assert ours.metadata.papermill.duration == pytest.approx(3.25)


def test_the_first_error_is_told_without_colours() -> None:
    trace = ["\x1b[31mValueError\x1b[0m Traceback", "\x1b[31mValueError\x1b[0m: bad\x1b[0m"]
    frames = line(cell=0, begin=1.0) + line(cell=0, end=1.5, ok=True) + line(cell=1, begin=2.0)
    frames += line(cell=1, msg="error", content={"ename": "ValueError", "evalue": "\n bad \nmore", "traceback": trace})
    frames += line(cell=1, end=2.5, count=2, ok=False)
    assert record.failure(frames) == ("ValueError: bad", "ValueError Traceback\nValueError: bad")
    assert record.seconds(frames, 1) == 0.5
    found = made(frames, 3)
    assert [cell.metadata.papermill.status for cell in found.cells] == ["completed", "failed", "pending"]
