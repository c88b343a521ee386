"""Real kernels: each reason by name, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import cloudpickle
import msgspec
import nbformat
import psutil
import pytest

from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.notebook import RESULT
from jupyter_swarm.experiments.records.executed import materialise
from jupyter_swarm.words import Analysis, Capture, Citation, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
NAP = str(1000 + os.getpid())
"""How long a stray child sleeps: a number by which this process finds its own."""
FORKS_TWICE = f"""
import contextlib, os, subprocess, time
if os.fork() == 0:
    with contextlib.suppress(PermissionError):
        os.setsid()
    if os.fork() == 0:
        os.execlp('sleep', 'sleep', '{NAP}')
    os._exit(0)
os.wait()
subprocess.Popen(['sleep', '{NAP}'])
time.sleep(100)
"""


def run(
    workspace: Workspace, context: Context, *experiments: Experiment, limit: float = 60.0, workers: int = 1
) -> list[Run]:
    async def main() -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=workers)
        await laboratory.open()
        try:
            return await asyncio.gather(*(laboratory.run(one, limit) for one in experiments))
        finally:
            await laboratory.close()

    return asyncio.run(main())


def executed(workspace: Workspace, one: Run) -> nbformat.NotebookNode:
    path = materialise(workspace.root, one.notebook)
    assert path is not None
    return nbformat.read(path, as_version=4)


def capture(workspace: Workspace, context: Context, **values: object) -> Context:
    data = cloudpickle.dumps(values)
    name = hashlib.sha256(data).hexdigest()
    (workspace.captures / f"{name}.pkl").write_bytes(data)
    captures = tuple(Capture(name=key, kind="data", describes="") for key in values)
    return msgspec.structs.replace(context, pickle=name, captures=captures)


class TestReasons:
    """One pool of kernels for all that ends by itself, as it would be in a swarm."""

    def test_each_by_name(
        self, workspace: Workspace, context: Context, experiment: Make, left: Callable[[], dict[str, object]]
    ) -> None:
        before = left()
        codes = {
            "value": "import numpy as np\nscore = np.float32(0.5)",
            "array": "import numpy as np\nscore = np.array(2)",
            "failure": "def f():\n    raise ValueError('\\nAll fits failed.\\nMore')\nf()",
            "exit": "import sys; sys.exit()",
            "missing": "scores = 1",
            "text": "score = '0.9'",
            "vector": "import numpy as np\nscore = np.ones(2)",
            "nonfinite": "score = float('nan')",
            "huge": "score = 10**400",
            "crash": "import os; os.kill(os.getpid(), 11)",
            "fork": "import os\nos.fork()\nscore = 1.0",
            "locked": "score = 'LOCKED'",
            "cheat": f"from IPython.display import display\nscore = None\n"
            f"display({{{RESULT!r}: {{'metric': 'score', 'value': 1e9, 'type': 'float'}}}}, raw=True)",
        }
        runs = dict(zip(codes, run(workspace, context, *map(experiment, codes.values()), workers=2), strict=True))
        assert {name: (one.value, one.reason) for name, one in runs.items() if name != "fork"} == {
            "value": (0.5, None),
            "array": (2.0, None),
            "failure": (None, "failure"),
            "exit": (None, "failure"),
            "missing": (None, "missing"),
            "text": (None, "missing"),
            "vector": (None, "missing"),
            "nonfinite": (None, "nonfinite"),
            "huge": (None, "nonfinite"),
            "crash": (None, "failure"),
            "locked": (None, "locked"),
            "cheat": (None, "missing"),
        }
        assert runs["failure"].message == "ValueError: All fits failed."
        assert "\x1b" not in runs["failure"].traceback
        assert "raise ValueError" in runs["failure"].traceback
        assert "never assigned" in runs["missing"].message
        assert "type str" in runs["text"].message
        assert "SIGSEGV" in runs["crash"].message
        assert runs["locked"].notebook == ""
        for name, one in runs.items():
            if name != "locked":
                nbformat.validate(executed(workspace, one))
        assert left() == before

    @pytest.mark.parametrize(
        "code",
        [
            "while True: pass",
            "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(15, signal.SIG_IGN)\n"
            "while True:\n    try: time.sleep(100)\n    except BaseException: pass",
            "import re; re.match('(a+)+b', 'a' * 60)",
            FORKS_TWICE,
        ],
        ids=["spins", "ignores signals", "spins in C", "forks twice"],
    )
    def test_timeout_kills_all(
        self, workspace: Workspace, context: Context, experiment: Make, left: Callable[[], dict[str, object]], code: str
    ) -> None:
        before = left()
        (one,) = run(workspace, context, experiment(code), limit=1.5)
        assert (one.value, one.reason) == (None, "timeout")
        assert 1.0 < one.seconds < 6
        assert "1.5 s" in one.message
        assert "1.5 s were over" in str(executed(workspace, one).cells)
        assert left() == before
        assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", NAP]]

    def test_a_finished_run_leaves_no_child(self, workspace: Workspace, context: Context, experiment: Make) -> None:
        code = f"import subprocess\nscore = 1.0\nsubprocess.Popen(['sleep', '{NAP}'])"
        assert run(workspace, context, experiment(code))[0].value == 1.0
        assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", NAP]]

    @pytest.mark.parametrize("how", ["cancel", "close"])
    def test_stopped(
        self,
        workspace: Workspace,
        context: Context,
        experiment: Make,
        left: Callable[[], dict[str, object]],
        how: str,
    ) -> None:
        async def main() -> Run | None:
            laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=1)
            await laboratory.open()
            running = asyncio.create_task(laboratory.run(experiment("import time; time.sleep(100)"), 60.0))
            waiting = asyncio.create_task(laboratory.run(experiment("score = 1"), 60.0))
            await asyncio.sleep(1.0)
            if how == "close":
                await laboratory.close()
                assert (await waiting).reason == "stopped"
                return await running
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert running.cancelled()
            assert (await waiting).value == 1.0
            await laboratory.close()
            return None

        before, began = left(), time.monotonic()
        one = asyncio.run(main())
        assert one is None or one.reason == "stopped"
        assert time.monotonic() - began < 30
        assert left() == before


class TestOutput:
    @pytest.mark.parametrize(
        "code",
        [
            "while True: print('x' * 1000)",
            "import os\nwhile True: os.write(1, b'y' * 100000)",
            "from IPython.display import display\nwhile True: display('z' * 100000)",
        ],
        ids=["print", "write", "display"],
    )
    def test_a_cell_that_prints_for_ever_is_cut(
        self, workspace: Workspace, context: Context, experiment: Make, code: str
    ) -> None:
        before = psutil.Process().memory_info().rss
        (one,) = run(workspace, context, experiment(code), limit=4.0)
        assert one.reason in ("timeout", "failure")
        text = str(executed(workspace, one))
        assert len(text) < 10_000_000
        assert "output cut" in text or "wrote more than" in text
        assert psutil.Process().memory_info().rss - before < 300_000_000

    def test_a_run_with_much_output_still_counts(
        self, workspace: Workspace, context: Context, experiment: Make
    ) -> None:
        (one,) = run(workspace, context, experiment("for i in range(60): print('x' * 100_000)\nscore = 1.0"))
        assert one.value == 1.0
        assert "output cut" in str(executed(workspace, one))


class TestSurroundings:
    def test_folder_environment_and_order(
        self, workspace: Workspace, context: Context, experiment: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("SOMETHING", "else")
        code = (
            "import json, os\nscore = float(os.nice(0))\n"
            "print(json.dumps({'cwd': os.getcwd(), 'env': dict(os.environ), 'random': __import__('random').random()}))"
        )
        here = os.getcwd()
        first, again, other = run(
            workspace, context, experiment(code), experiment(code + " "), experiment(code, seed=4), workers=2
        )
        said = []
        for one in (first, again, other):
            (cell,) = [c for c in executed(workspace, one).cells if "experiment" in c.metadata.tags]
            said.append(json.loads(cell.outputs[0].text))
        assert first.value is not None
        assert first.value >= 10
        assert said[0]["cwd"].endswith(f"/work{context.folder}")
        assert "sk-secret" not in str(said)
        assert "SOMETHING" not in said[0]["env"]
        assert said[0]["env"]["MPLBACKEND"].startswith("module://")
        assert said[0]["random"] == said[1]["random"] != said[2]["random"]
        assert os.getcwd() == here

    def test_captures_and_plain_papermill(
        self, workspace: Workspace, context: Context, experiment: Make, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        rich = capture(workspace, context, X=[1.0, 2.0], twice=lambda x: 2 * x)
        rich = msgspec.structs.replace(rich, imports=("import numpy as np",))
        quote = "A <script>alert(1)</script> ```\n$x$"
        cited = Citation(
            paper="p",
            title="<img src=x onerror=1>",
            kind="paper",
            passage="1",
            place="page 3",
            start=0,
            end=3,
            quote=quote,
        )
        one = experiment(
            "score = twice(np.sum(X)) + np.random.rand()", title="<b>", hypothesis="[a](b)", citations=(cited,)
        )
        (first,) = run(workspace, rich, one)
        assert first.ok, first
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        executed(workspace, first)
        command = [sys.executable, "-m", "papermill", str(workspace.root / first.notebook), "again.ipynb"]
        subprocess.run(command, cwd=elsewhere, check=True, capture_output=True)
        again = nbformat.read(elsewhere / "again.ipynb", as_version=4)
        (payload,) = [o.data[RESULT] for c in again.cells for o in c.get("outputs", []) if RESULT in o.get("data", {})]
        assert payload["value"] == first.value
        heading = again.cells[0].source
        assert again.metadata.jupyter_swarm.experiment == first.experiment
        assert "<b>" not in heading
        assert "<img" not in heading
        assert f"````text\n{quote}\n````" in heading
        for path in workspace.captures.glob("*.pkl"):
            path.unlink()
        failed = subprocess.run(command, cwd=elsewhere, check=False, capture_output=True, text=True)
        assert "run the %%swarm cell again" in failed.stderr

    @pytest.mark.parametrize("forks", [True, False])
    def test_the_runner_dies_suddenly(
        self, tmp_path: Path, left: Callable[[], dict[str, object]], temporary: Path, forks: bool
    ) -> None:
        before = left()
        script = (
            "import asyncio, socket, sys\n"
            f"{'' if forks else 'del socket.send_fds'}\n"
            "from jupyter_swarm.experiments.executor import Executor\n"
            "from jupyter_swarm.experiments.setup import Setup\n"
            "async def main():\n"
            "    executor = Executor(Setup(sys.executable, '.'), 1)\n"
            "    await executor.open()\n"
            "    print(executor.why != '', flush=True)\n"
            "    code = \"import subprocess, time; subprocess.Popen(['sleep', '985']); time.sleep(100)\"\n"
            "    await executor.run({'cells': [{'index': 0, 'source': code}]}, 90.0)\n"
            "asyncio.run(main())\n"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=tmp_path) as runner:
            assert runner.stdout is not None
            assert runner.stdout.readline().strip() == str(not forks).encode()
            below: list[psutil.Process] = []
            while ["sleep", "985"] not in [each.cmdline() for each in below]:
                time.sleep(0.1)
                below = psutil.Process(runner.pid).children(recursive=True)
            runner.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(below, timeout=10)
        assert not alive
        assert left() == before


class TestNoExperimentCanRun:
    def refused(
        self, workspace: Workspace, context: Context, match: str, error: type[Exception] = LaboratoryError
    ) -> None:
        with pytest.raises(error, match=match):
            run(workspace, context, Experiment(code="score = 1", seed=1, metric="score", context="c"))

    def test_another_python(self, workspace: Workspace, context: Context) -> None:
        self.refused(workspace, msgspec.structs.replace(context, python_version="3.8.1"), "captured under Python 3.8.1")

    def test_same_minor_python(self, workspace: Workspace, context: Context, experiment: Make) -> None:
        version = ".".join(platform.python_version_tuple()[:2]) + ".99"
        other = msgspec.structs.replace(context, python_version=version)
        assert run(workspace, other, experiment("score = 1"))[0].ok

    def test_no_interpreter(self, workspace: Workspace, context: Context) -> None:
        self.refused(
            workspace, msgspec.structs.replace(context, python="/nowhere/python"), "interpreter does not start"
        )

    def test_no_ipykernel(
        self, workspace: Workspace, context: Context, tmp_path: Path, left: Callable[[], dict[str, object]]
    ) -> None:
        before = left()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
        bare = msgspec.structs.replace(context, python=str(tmp_path / "bare" / "bin" / "python"))
        self.refused(workspace, bare, "pip install ipykernel")
        assert left() == before

    def test_deleted_or_changed_capture(self, workspace: Workspace, context: Context) -> None:
        rich = capture(workspace, context, X=1)
        path = workspace.captures / f"{rich.pickle}.pkl"
        path.write_bytes(b"other")
        self.refused(workspace, rich, "were changed")
        path.unlink()
        self.refused(workspace, rich, r"deleted .*Try: run the %%swarm cell again")

    def test_no_folder(self, workspace: Workspace, context: Context) -> None:
        self.refused(workspace, msgspec.structs.replace(context, folder="/nowhere"), "does not exist")

    def test_code_that_nobody_has_read_where_it_cannot_be_shut_in(
        self, workspace: Workspace, context: Context, experiment: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def main(**options: bool) -> tuple[list[Run], tuple[str, ...]]:
            laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=1, **options)
            await laboratory.open()
            try:
                some = [experiment("score = 1"), experiment("score = 2", free=True)]
                return [await laboratory.run(one, 60.0) for one in some], laboratory.notes
            finally:
                await laboratory.close()

        (own, written), notes = asyncio.run(main())
        assert (own.value, written.value, notes) == (1.0, 2.0, ())
        monkeypatch.setenv("JUPYTER_SWARM_ISOLATION", "off")
        (own, written), notes = asyncio.run(main())
        assert (own.value, written.reason) == (1.0, "refused")
        assert "--unsafe" in written.message
        assert "not wholly shut in" in " ".join(notes)
        (own, written), _ = asyncio.run(main(unsafe=True))
        assert written.value == 2.0
        monkeypatch.delenv("JUPYTER_SWARM_ISOLATION")
        monkeypatch.delattr(socket, "send_fds")
        (own, written), notes = asyncio.run(main())
        assert (own.value, written.reason) == (1.0, "refused")
        assert "kernels of their own" in " ".join(notes)
        assert "Nobody watches" in notes[1]

    def test_not_open(self, workspace: Workspace, context: Context, experiment: Make) -> None:
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context)
        call: Awaitable[Run] = laboratory.run(experiment("score = 1"), 1.0)
        with pytest.raises(LaboratoryError, match="not open"):
            asyncio.run(call)  # type: ignore[arg-type]


def test_ipython_lines_and_awaits_are_executed_as_typed(
    workspace: Workspace, context: Context, experiment: Make, tmp_path: Path
) -> None:
    (tmp_path / "data.txt").write_text("1\n2\n")
    code = (
        "import asyncio\nget_ipython().run_line_magic('matplotlib', 'inline')\n"
        "lines = get_ipython().getoutput('cat data.txt')\nawait asyncio.sleep(0)\n"
        "get_ipython().system('echo {len(lines)} lines')\nscore = float(len(lines))  # %time"
    )
    (one,) = run(workspace, context, experiment(code))
    assert one.value == 2.0, one.message
    shown = executed(workspace, one).cells[3]
    assert "\n!echo {len(lines)} lines\n" in shown.source
    assert "lines = !cat data.txt" in shown.source
    assert "2 lines" in shown.outputs[0].text


STARTS = """
import threading, time

class Started:
    def __reduce__(self):
        return start, ()

def start():
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return 4.0
"""


def test_captures_that_start_threads_are_loaded_by_each_run_shut_in(
    workspace: Workspace, context: Context, experiment: Make
) -> None:
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(STARTS, scope)
    made = capture(workspace, context, x=scope["Started"]())  # type: ignore[operator]
    (one,) = run(
        workspace, made, experiment("import threading\nscore = x + threading.active_count()", purpose="confirmation")
    )
    assert one.value == 6.0, one.message


def test_frames_are_loaded_once_also_where_pyarrow_is_installed(
    workspace: Workspace, context: Context, experiment: Make
) -> None:
    import pandas as pd

    pytest.importorskip("pyarrow")
    made = capture(workspace, context, df=pd.DataFrame({"t": ["a", "b"]}))
    (one,) = run(workspace, made, experiment("import os, sys\nscore = len(os.listdir('/proc/self/task')) + len(df)"))
    assert one.value == 3.0, one.message


def test_modules_of_ones_own_are_those_of_the_beginning(
    workspace: Workspace, context: Context, experiment: Make, tmp_path: Path
) -> None:
    import ast

    from jupyter_swarm.cell.modules import local

    (tmp_path / "mine.py").write_text("import other\nRATE = other.RATE\n")
    (tmp_path / "other.py").write_text("RATE = 0.25\n")
    name, content = local([ast.parse("import mine")], tmp_path, {}).archive()
    (workspace.captures / f"{name}.zip").write_bytes(content)
    made = msgspec.structs.replace(context, modules=name)
    for place in ("mine.py", "other.py"):
        (tmp_path / place).write_text("raise RuntimeError('edited meanwhile')\n")
    (one,) = run(workspace, made, experiment("import mine\nscore = mine.RATE", purpose="confirmation"))
    assert one.value == 0.25, one.message
    source, target = materialise(workspace.root, one.notebook), tmp_path / "again.ipynb"
    subprocess.run(
        [sys.executable, "-m", "papermill", str(source), str(target)], check=True, capture_output=True, cwd=tmp_path
    )
    (workspace.captures / f"{name}.zip").write_bytes(b"x")
    with pytest.raises(LaboratoryError, match="captured modules of this swarm were changed"):
        run(workspace, made, experiment("import mine\nscore = mine.RATE", purpose="confirmation"))


def test_what_is_recorded_and_what_has_to_be_kept(workspace: Workspace, context: Context, experiment: Make) -> None:
    base = "score = 1.0\nlatency = 3\nnote = 'x'\nloss = float('nan')"
    analysis = Analysis(code=base, record=("note", "loss"), keep=("latency <= 5", "seconds < 100", "peak_mb < 4000"))
    slower = base.replace("= 3", "= 7.5")

    async def main() -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", analysis, context, workers=1)
        await laboratory.open()
        try:
            codes = (base, base.replace("1.0", "2.0"), slower, base.replace("latency = 3", "latency = None"))
            return [await laboratory.run(experiment(code), 60.0) for code in codes]
        finally:
            await laboratory.close()

    first, kept, broken, missing = asyncio.run(main())
    assert (first.value, kept.value) == (1.0, 2.0)
    assert first.values == {"latency": 3.0}, "what is no finite number is not recorded"
    assert first.peak >= 0
    assert (broken.value, broken.reason) == (None, "bounds")
    assert broken.message == "latency is 7.5, and has to be <= 5"
    assert broken.values == {"latency": 7.5}
    assert missing.message == "latency was not recorded, and has to be <= 5"
    assert "latency" in executed(workspace, first).cells[4].source


def test_what_lies_beside_the_notebook_is_the_runs_own_where_it_writes(
    workspace: Workspace, context: Context, experiment: Make, tmp_path: Path
) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    for name in ("log.txt", "data/a.txt", "data/b.txt", "data/deep/c.txt"):
        (tmp_path / name).write_text("one\n")
    before = {path: path.read_text() for path in tmp_path.rglob("*.txt")}
    code = (
        "import os, pathlib\n"
        "with open('log.txt', 'a') as f: f.write('two\\n')\n"
        "with open('data/a.txt', 'w') as f: f.write('new\\n')\n"
        "with open('data/deep/c.txt', 'r+') as f: f.write('ONE')\n"
        "pathlib.Path('data/made.txt').write_text('made')\n"
        "os.makedirs('data/more', exist_ok=True)\n"
        "told = [open(n).read() for n in ('log.txt', 'data/a.txt', 'data/b.txt', 'data/deep/c.txt', 'data/made.txt')]\n"
        "assert told == ['one\\ntwo\\n', 'new\\n', 'one\\n', 'ONE\\n', 'made'], told\n"
        "assert sorted(os.listdir('data')) == ['a.txt', 'b.txt', 'deep', 'made.txt', 'more']\n"
        "score = float(len(open('log.txt').readlines()))"
    )
    analysis = Analysis(code=code)

    async def main(*experiments: Experiment) -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", analysis, context, workers=1)
        await laboratory.open()
        try:
            return [await laboratory.run(one, 60.0) for one in experiments]
        finally:
            await laboratory.close()

    other = "open('data/b.txt', 'a').write('x')\nscore = 1.0"
    own, *runs = asyncio.run(
        main(
            experiment(code, purpose="baseline", seed=0),
            experiment(code, purpose="confirmation", seed=1),
            experiment(code + "\n", purpose="screening", seed=2),
            experiment(other, purpose="screening"),
        )
    )
    assert own.value == 2.0, own.message
    assert "PermissionError" in runs.pop().message, "the person's own cell did not write there"
    assert [one.value for one in runs] == [2.0, 2.0], runs[0].message
    assert {path: path.read_text() for path in tmp_path.rglob("*.txt") if ".swarm" not in str(path)} == before
    kept = workspace.root / "swarms" / "wine" / "runs" / experiment(code, purpose="confirmation", seed=1).id
    found = sorted(str(each.relative_to(kept)) for each in kept.rglob("*") if each.is_file())
    assert found == ["data/a.txt", "data/deep/c.txt", "data/made.txt", "log.txt"]
