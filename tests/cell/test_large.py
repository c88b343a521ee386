"""Large data: captured without a second copy, mapped where they are loaded, and the same values there."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_swarm import cell
from jupyter_swarm.cell.buffers import LEAST
from jupyter_swarm.errors import CaptureError, UsageError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments import cells as sources
from jupyter_swarm.words import Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

VALUES = '''
def values():
    """Many kinds, each larger than what stays in a pickle."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import torch

    rows = 20_000
    base = np.random.default_rng(0).random((rows, 6))
    fixed = base[:, 0].copy()
    fixed.flags.writeable = False
    words = np.array([f"word {n % 7}" if n % 11 else None for n in range(rows)], dtype=object)
    words[5] = float("nan")
    unlike = np.array([f"text {n}" for n in range(rows)], dtype=object)
    weights = torch.from_numpy(base.copy())
    table = pd.DataFrame(
        {
            "x": base[:, 0],
            "n": np.arange(rows),
            "text": pd.Series(unlike, dtype=object),
            "word": pd.Series(words, dtype=object),
            "string": pd.Series([f"s{n}" for n in range(rows)], dtype="str"),
            "python": pd.Series([f"s{n}" for n in range(rows)], dtype="string[python]"),
            "whole": pd.array([1, None] * (rows // 2), dtype="Int64"),
            "group": pd.Categorical(["a", "b"] * (rows // 2)),
            "when": pd.date_range("2020", periods=rows, freq="s", tz="UTC"),
        }
    )
    return {
        "c": base, "fortran": np.asfortranarray(base), "scattered": base[:, ::2], "backwards": base[::-1],
        "turned": base.reshape(100, 200, 6).transpose(1, 0, 2), "fixed": fixed, "fixed_cut": fixed[::2],
        "dates": np.arange(rows).astype("M8[ns]"), "spans": np.asfortranarray(base.astype("m8[s]")),
        "records": np.zeros(2 * rows, dtype="i4,f8")[::2], "letters": np.array(["ab", "c"] * rows)[::2],
        "swapped": np.arange(3 * rows, dtype=">f8")[::3], "wide": np.broadcast_to(np.arange(6.0), (rows, 6)),
        "truth": (base > 0.5).ravel()[::2], "words": words, "unlike": unlike, "several": [base + n for n in range(3)],
        "columns": np.asfortranarray(words.reshape(-1, 2)), "mixed": np.array([1, "a", [2]] * rows, dtype=object),
        "masked": np.ma.masked_array(base, base > 0.5), "strings": words[1:5].tolist() * rows,
        "tensor": weights, "half": weights[::2], "bfloat": weights.to(torch.bfloat16),
        "table": table, "cut": table[["x", "text"]], "every": table.iloc[::2], "index": table.set_index(["word", "n"]),
        "series": table["text"],
        "lists": table["text"].str.split(" "), "arrow": pa.table({"x": base[:, 1], "t": unlike}),
    }
'''
ALIKE = '''
def alike(one, other):
    """Whether two values are the same in type, contents and layout."""
    import numpy as np
    import pandas as pd
    import torch

    if type(one) is not type(other):
        return False
    if isinstance(one, np.ma.MaskedArray):
        return alike(one.data, other.data) and alike(one.mask, other.mask)
    if isinstance(one, np.ndarray):
        flags = "WRITEABLE" if not one.flags.forc else "WRITEABLE C F"
        same = (one.dtype, one.shape) == (other.dtype, other.shape)
        same = same and all(one.flags[flag] == other.flags[flag] for flag in flags.split())
        if one.dtype == object:
            pairs = zip(one.ravel(), other.ravel(), strict=True)
            return same and all(type(a) is type(b) and (a == b or a != a and b != b) for a, b in pairs)
        return same and one.tobytes() == other.tobytes()
    if isinstance(one, pd.DataFrame):
        axes = one.columns.equals(other.columns) and one.index.equals(other.index)
        return axes and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, pd.Series):
        items = one.dtype != object or list in map(type, one) or alike(one.to_numpy(), other.to_numpy())
        return one.dtype == other.dtype and items and one.equals(other)
    if isinstance(one, torch.Tensor):
        same = (one.dtype, one.stride(), one.requires_grad) == (other.dtype, other.stride(), other.requires_grad)
        return same and torch.equal(one, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one.equals(other)) if hasattr(one, "equals") else one == other
'''


def notebook(source: str) -> dict[str, Any]:
    """The variables that a notebook's cell leaves: what it defines belongs to `__main__`."""
    module = types.ModuleType("__main__")
    exec(compile(source, "<notebook>", "exec"), module.__dict__)
    return module.__dict__


def taken(code: str, namespace: dict[str, Any], folder: Path, **more: Any) -> Context:
    analysis = cell.read(code, metric="score", namespace=namespace)
    return cell.capture(analysis, namespace, folder=folder, captures=folder, **more)


def run(code: str, namespace: dict[str, Any], folder: Path, seeds: int = 1) -> tuple[list[Run], str]:
    """Runs of a cell as the laboratory makes them, and why they were not forked."""
    workspace = Workspace(folder).create()
    analysis = cell.read(code, metric="score", namespace=namespace)
    context = cell.capture(analysis, namespace, folder=folder, captures=workspace.captures)
    laboratory = NotebookLaboratory(workspace, "large", analysis, context, workers=1)

    async def main() -> tuple[list[Run], str]:
        await laboratory.open()
        try:
            some = [
                Experiment(code=code, seed=n, metric="score", context="c", purpose="confirmation") for n in range(seeds)
            ]
            return [await laboratory.run(each, 120.0) for each in some], "; ".join(laboratory.notes)
        finally:
            await laboratory.close()

    return asyncio.run(main())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- the same values


@pytest.fixture(params=["forked", "kernels"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How experiments begin here."""
    if request.param == "kernels":
        monkeypatch.delattr(socket, "send_fds")
    return str(request.param)


CHECK = (
    "made = values()\n"
    "other = [name for name, value in made.items() if not alike(value, lent[name])]\n"
    "assert not other, other\n"
    "score = float(len(made))"
)


def test_values_of_all_kinds_are_the_same_in_an_experiment(way: str, tmp_path: Path) -> None:
    space = notebook(VALUES + ALIKE)
    made = space["values"]()
    assert all(space["alike"](value, value) for value in made.values())
    assert not space["alike"](made["c"], made["c"] + 1)
    assert not space["alike"](made["c"], made["fortran"]), "it does tell what differs"
    assert not space["alike"](made["words"], made["unlike"])
    space["lent"] = made
    (one,), why = run(CHECK, space, tmp_path)
    assert (one.value, one.message) == (float(len(made)), "")
    assert bool(why) == (way == "kernels"), why


def test_models_are_taken_with_their_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(300, 300)
    layer.tied = layer.weight
    code = "score = layer.weight.sum().item() if layer.tied is layer.weight else 0.0"
    (one,), _ = run(code, {"layer": layer}, tmp_path)
    assert one.value == pytest.approx(layer.weight.sum().item())


def test_tensors_that_share_memory_share_it_in_the_experiment(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    whole = torch.zeros(300, 300)
    (one,), _ = run("whole[0, 0] = 7.0\nscore = float(part.max())", {"whole": whole, "part": whole[:100]}, tmp_path)
    assert (one.value, one.message) == (7.0, "")


def test_two_names_of_one_array_stay_one(tmp_path: Path) -> None:
    data = np.zeros(LEAST)
    (one,), _ = run("a[0] = 7.0\nscore = float(b[0]) + (a is b)", {"a": data, "b": data}, tmp_path)
    assert (one.value, one.message) == (8.0, "")


def test_a_cell_may_write_into_its_data_and_the_next_run_sees_nothing_of_it(way: str, tmp_path: Path) -> None:
    space = {"data": np.ones(10 * LEAST), "frame": pd.DataFrame({"x": np.ones(LEAST), "t": ["a"] * LEAST})}
    code = "before = data.sum() + frame.x.sum()\ndata[:] = 0.0\nframe.loc[:, 'x'] = 0.0\nscore = float(before)"
    space["before"] = 0.0
    runs, why = run(code, space, tmp_path, seeds=2)
    assert [(one.value, one.message) for one in runs] == 2 * [(11.0 * LEAST, "")]
    assert bool(why) == (way == "kernels")
    assert space["data"].sum() == 10 * LEAST


def test_what_is_only_read_is_not_memory_that_a_run_holds(tmp_path: Path) -> None:
    data = np.ones(150 * 2**20 // 8)
    for name in ("read", "written"):
        (tmp_path / name).mkdir()
    (one,), _ = run("score = float(data.sum())", {"data": data}, tmp_path / "read")
    (other,), _ = run("data[:] = 2.0\nscore = float(data.sum())", {"data": data}, tmp_path / "written")
    assert one.value == len(data)
    assert other.value == 2 * len(data)
    assert one.peak < 50 * 2**20, "the file's pages are nobody's"
    assert other.peak > 100 * 2**20, "what is written is the run's own"


def test_a_notebook_that_was_exported_loads_them_by_itself(tmp_path: Path) -> None:
    context = taken("score = data.sum()", {"data": np.arange(float(LEAST))}, tmp_path)
    code = sources.inputs(context, tmp_path, {"seed"}, "")
    assert "jupyter_swarm" not in code
    show = "\nprint(data.sum(), data.flags.writeable, [name for name in globals() if name.startswith('_swarm')])"
    done = subprocess.run(
        [sys.executable, "-c", f"seed = 0\n{code}{show}"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n")[0] == f"{np.arange(float(LEAST)).sum()} True []", done.stderr


# ---------------------------------------------------------------- no second copy

MEASURE = """
import sys, json, tempfile
from pathlib import Path
import numpy as np
import pandas as pd
from jupyter_swarm import cell

def told(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key)) / 1024

def extra(value, folder):
    space = {"data": value}
    analysis = cell.read("score = float(len(data))", metric="score", namespace=space)
    before = told("VmRSS:")
    Path("/proc/self/clear_refs").write_text("5")
    context = cell.capture(analysis, space, folder=folder, captures=Path(folder))
    return told("VmHWM:") - before

rows = 300 * 2**20 // 8 // 10
rng = np.random.default_rng(0)
kinds = {
    "small": lambda: np.ones(9000),
    "array": lambda: rng.random((rows, 10)),
    "scattered": lambda: rng.random((rows, 20))[:, ::2],
    "dates": lambda: np.arange(rows * 10).astype("M8[s]"),
    "frame": lambda: pd.DataFrame(rng.random((rows, 10))),
    "cut": lambda: pd.DataFrame(rng.random((rows, 20)))[list(range(0, 20, 2))],
}
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    print(json.dumps({name: extra(make(), folder) for name, make in kinds.items()}))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system tells no peak")
def test_capturing_takes_no_second_copy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    extra = json.loads(done.stdout)
    extra.pop("small")  # what the first one imports
    assert max(extra.values()) < 0.25 * 300, extra


def test_loading_maps_and_reads_nothing(tmp_path: Path) -> None:
    context = taken("score = data.sum()", {"data": np.ones(100 * 2**20 // 8)}, tmp_path)
    path = tmp_path / f"{context.pickle}.pkl"
    code = (
        "import numpy, sys\nfrom jupyter_swarm.experiments.worker import captured, processes\n"
        "before = processes.memory(processes.os.getpid()).held\nvalues = captured.load(sys.argv[1], globals())\n"
        "print(values['data'].sum(), processes.memory(processes.os.getpid()).held - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=120, check=True)
    total, held = done.stdout.split()
    assert float(total) == 100 * 2**20 // 8
    assert int(held) < 20 * 2**20


# ---------------------------------------------------------------- again, interrupted, too large


def test_the_same_data_are_not_written_again(tmp_path: Path) -> None:
    def space() -> dict[str, Any]:
        return {"data": np.arange(float(LEAST)), "text": pd.Series([f"t{n}" for n in range(LEAST)], dtype=object)}

    code = "score = data.sum() + len(text)"
    one = taken(code, space(), tmp_path)
    path = tmp_path / f"{one.pickle}.pkl"
    first = path.stat()
    assert taken(code, space(), tmp_path).pickle == one.pickle
    assert files(tmp_path) == [path.name]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    other = space()
    other["data"][-1] = -1.0
    assert taken(code, other, tmp_path).pickle != one.pickle, "the same length, other values"
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:-1] + b"?"])
def test_a_file_that_was_damaged_is_written_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    space = {"data": np.arange(float(LEAST))}
    path = tmp_path / f"{taken('score = data.sum()', space, tmp_path).pickle}.pkl"
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    taken("score = data.sum()", space, tmp_path)
    assert path.read_bytes() == whole
    assert files(tmp_path) == [path.name]


@pytest.fixture
def interrupted() -> Iterator[Callable[[int, int], None]]:
    """Told how far it is; in the midst comes Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def told(done: int, whole: int) -> None:
        if done > 2**20:
            signal.raise_signal(signal.SIGINT)

    yield told
    signal.signal(signal.SIGINT, before)


TEXTS = [f"t{n}" for n in range(300_000)]


@pytest.mark.parametrize("value", [np.ones(10 * 2**20), pd.Series(TEXTS, dtype=object), TEXTS], ids=["a", "s", "l"])
def test_an_interrupt_leaves_nothing_behind(
    tmp_path: Path, value: Any, interrupted: Callable[[int, int], None]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        taken("score = len(data)", {"data": value}, tmp_path, progress=interrupted)
    assert files(tmp_path) == []


def test_in_a_notebook_a_bar_moves_and_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=tmp_path)
    shown: list[float] = []

    def told(message: dict[str, Any]) -> None:
        page = message["content"].get("data", {}).get("text/html", "")
        if "capturing" in page:
            shown.append(float(page.partition('value="')[2].partition('"')[0]))
            if len(shown) == 2:
                manager.interrupt_kernel()

    try:
        client.execute_interactive(
            "%load_ext jupyter_swarm\nimport numpy as np\ndata = np.ones((2**27, 2))[:, 0]", timeout=120
        )
        cell = "%%swarm large --maximize score --budget 1x\nk = 3  #: free\nscore = float(data.sum()) * k"
        reply = client.execute_interactive(cell, timeout=120, output_hook=told)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "interrupted" in reply["content"]["evalue"]
    assert shown == sorted(shown)
    assert 0.0 <= shown[0] < shown[1] < 1.0
    assert files(tmp_path / ".swarm" / "captures") == files(tmp_path / ".swarm" / "swarms") == []


def test_progress_moves_evenly_over_buffers(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    space = {"data": np.ones((4 * 2**20, 2))[:, 0], "more": np.ones(2**20)}
    taken("score = data.sum() + more.sum()", space, tmp_path, progress=lambda *each: told.append(each))
    sizes = [done for done, _ in told]
    assert sizes == sorted(sizes)
    assert max(after - before for before, after in itertools.pairwise(sizes)) <= 2**20
    assert sizes[-1] >= 40 * 2**20
    assert told[0] == (0, 40 * 2**20), "it is said at once, whatever has to be done first"


class TestLimit:
    """What is too large is named, with what to do."""

    @pytest.mark.parametrize("limit", ["1000000", "1 MB", "0.9m"])
    def test_one_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
        monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", limit)
        space = {"small": np.zeros(9), "data": np.zeros(2**20)}
        with pytest.raises(CaptureError) as told:
            taken("score = data.sum() + small.sum()", space, tmp_path)
        said = str(told.value)
        for each in ("'data' takes 8 MB", "limit of 1 MB", "--setup", "np.load", "CAPTURE_LIMIT=1GB"):
            assert each in said
        assert files(tmp_path) == []

    def test_a_frame(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "1MB")
        with pytest.raises(CaptureError, match="only the columns that the cell uses"):
            taken("score = data.x.sum()", {"data": pd.DataFrame({"x": np.zeros(2**20)})}, tmp_path)

    def test_all_together(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "20MB")
        space = {"first": np.zeros(2**20), "second": np.zeros(2 * 2**20 - 1), "third": np.zeros(2**19)}
        with pytest.raises(CaptureError, match=r"'second' takes 1[67] MB, and all together take 2[89] MB"):
            taken("score = first.sum() + second.sum() + third.sum()", space, tmp_path)
        assert files(tmp_path) == []

    def test_what_does_not_show_its_size(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "1MB")
        box = "class Box:\n    def __init__(self, size):\n        self.inside = bytes(size)\n"
        space = notebook(f"{box}big, small = Box(3_000_000), Box(9)")
        with pytest.raises(CaptureError, match="'big' takes 3 MB"):
            taken("score = len(small.inside) + len(big.inside)", space, tmp_path)

    def test_what_the_machine_has(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from jupyter_swarm.cell import room

        monkeypatch.delenv("JUPYTER_SWARM_CAPTURE_LIMIT", raising=False)
        free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
        found = room.limit(tmp_path)
        assert 0 < found.bytes <= 0.51 * free
        assert "that is free" in found.why or "what is free" in found.why

    def test_nonsense(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "much")
        with pytest.raises(UsageError, match=r"'much' is no size.*CAPTURE_LIMIT"):
            taken("score = data.sum()", {"data": np.zeros(3)}, tmp_path)
