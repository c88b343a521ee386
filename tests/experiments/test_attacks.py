"""Every attack of the corpus, really tried: by experiments of one laboratory, several at once, beside honest ones.

After each attack an honest experiment gives its right value; when all are quiet nothing is left of them; and nothing
outside has changed. Attacks that do no harm are tried without the sandbox as well, where they must succeed: so a test
that could not fail would be seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import gc
import glob
import hashlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attacks
import cloudpickle
import psutil
import pytest
from attacks import ATTACKS, CANNOT, DETECTED, PREAMBLE, Attack

from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.environment import ISOLATION
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.words import Analysis, Capture, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

NAP = str(3000 + os.getpid())
HONEST = """
import numpy, os
assert open("data.csv").read() == "data"
assert set(os.listdir()) - {"__pycache__"} == {"data.csv", "measure.py", "sub"}, os.listdir()
own = [os.environ["MPLCONFIGDIR"], os.environ["TMPDIR"], SHM]
assert not [name for folder in own for name in os.listdir(folder)], "its own folders are empty"
score = float(numpy.random.RandomState(seed).rand())
"""
MEMORY, DISK, PROCESSES = 700 << 20, 300 << 20, 40
OLD = {"layers": ["seccomp", "landlock"], "abi": 2}
"""As on Debian 12 in a container."""


class World:
    """What there is to steal and to break, and who listens."""

    def __init__(self, top: Path) -> None:
        self.top, self.study = top, top / "study"
        self.canary = f"canary-{secrets.token_hex(8)}"
        tail = self.canary.partition("-")[2]
        self.note = f"open('note', 'w').write('canary' + '-{tail}')"
        """What a neighbour writes in its folder; the source has no whole canary, as the zygote keeps sources."""
        self.heard: list[str] = []
        self._sockets: list[socket.socket] = []
        for name in ("home/secret", "home/.ssh/id", "foreign/file", "study/sub/x", "study/.swarm/ledger"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(self.canary)
        (self.study / "data.csv").write_text("data")
        (self.study / "measure.py").write_text("def accuracy(a, b): return 0.5\n")
        self.abstract = f"swarm-{secrets.token_hex(8)}"
        self.tcp = self._listen("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = self._listen("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self._listen("Unix", socket.AF_UNIX, socket.SOCK_STREAM, str(top / "listens"))
        self._listen("datagram", socket.AF_UNIX, socket.SOCK_DGRAM, str(top / "datagrams"))
        self._listen("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        self.before = self.state()
        self.holder = subprocess.Popen(["sleep", "1000"], env={**os.environ, "OPENAI_API_KEY": self.canary})
        signal.signal(signal.SIGWINCH, lambda *_: self.heard.append("a signal"))

    def _listen(self, name: str, family: int, kind: int, address: Any) -> int:
        server = socket.socket(family, kind)
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        self._sockets.append(server)

        def wait() -> None:
            with contextlib.suppress(OSError):
                while True:
                    if kind == socket.SOCK_STREAM:
                        server.accept()[0].close()
                    else:
                        server.recv(10)
                    self.heard.append(name)

        threading.Thread(target=wait, daemon=True).start()
        return int(server.getsockname()[1]) if family == socket.AF_INET else 0

    def state(self) -> dict[str, object]:
        """Everything outside that an attack may try to change; the laboratory's own folder aside."""
        found: dict[str, object] = {}
        for path in self.top.rglob("*"):
            if ".swarm/swarms" not in str(path) and not path.name.endswith(("-wal", "-shm")):
                stat = path.lstat()
                body = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                found[str(path)] = (stat.st_mode, stat.st_uid, stat.st_nlink if body else 0, body)
        for place in ("/dev/shm/*", "/tmp/swarm-attack", "/var/tmp/swarm-attack", "/tmp/core*"):
            found |= dict.fromkeys(glob.glob(place), "there")
        site = Path(cloudpickle.__file__).parents[1]
        return {
            **found,
            "site": sorted(each.name for each in site.glob("*.pth")),
            "core": len(list(self.study.glob("core*"))),
        }

    def close(self) -> None:
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self.holder.kill()
        self.holder.wait()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture(autouse=True)
def lock(simple_cell: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the locked statements of the attacked cell rest on."""
    rests = SimpleNamespace(names=("labels",), callables=("measure:accuracy",), also=(), fixed=())
    monkeypatch.setattr(sys.modules["jupyter_swarm.cell"], "rests_on", lambda code, analysis: rests)


@pytest.fixture
def world(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(temporary / "world")
    monkeypatch.setenv("HOME", str(made.top / "home"))
    monkeypatch.setenv("OPENAI_API_KEY", made.canary)
    monkeypatch.setenv("SWARM_OTHER", made.canary)
    yield made
    made.close()


class House:
    """A laboratory under attack."""

    def __init__(self, world: World, workers: int = 4, **setup: object) -> None:
        workspace = Workspace(world.study).create()
        data = cloudpickle.dumps({"labels": [0, 1, 0]})
        pickle = hashlib.sha256(data).hexdigest()
        (workspace.captures / f"{pickle}.pkl").write_bytes(data)
        context = Context(python=sys.executable, folder=str(world.study), imports=("import measure", "import IPython"),
                          pickle=pickle, captures=(Capture(name="labels", kind="data", describes=""),))  # fmt: skip
        self.world = world
        self.laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=workers)
        executor = self.laboratory._executor
        executor.setup = self._limited(executor.setup, setup)
        self._rest: dict[str, object] = {}
        self._files = 0
        self._number = 0
        self._others = {each.pid for each in psutil.Process().children()}  # what other tests have left running

    def _limited(self, setup: Setup, more: dict[str, object]) -> Setup:
        policy = None
        if setup.policy is not None:
            policy = {**setup.policy, "shm_bytes": DISK, **more.pop("policy", {})}  # type: ignore[dict-item]
        return dataclasses.replace(setup, memory=MEMORY, disk=DISK, processes=PROCESSES, policy=policy, **more)  # type: ignore[arg-type]

    async def __aenter__(self) -> House:
        self.world.before = {}
        await self.laboratory.open()
        await self.honest()
        self.settle()
        return self

    def settle(self) -> None:
        """What is there now is what must be there whenever all is quiet."""
        gc.collect()
        self.world.before, self._rest, self._files = self.world.state(), self.rest(), _open_files()

    async def __aexit__(self, *_: object) -> None:
        await self.laboratory.close()

    def preamble(self) -> str:
        nursery = self.laboratory._executor._nursery
        assert nursery is not None
        assert nursery._process is not None
        keeper = psutil.Process(nursery._process.pid)
        (zygote,) = keeper.children()
        values = {"OUTSIDE": str(self.world.top), "STUDY": str(self.world.study), "RUNNER": os.getpid(), "NAP": NAP,
                  "KEEPER": keeper.pid, "ZYGOTE": zygote.pid, "TCP": self.world.tcp, "UDP": self.world.udp,
                  "ABSTRACT": self.world.abstract, "HOLDER": self.world.holder.pid}  # fmt: skip
        return PREAMBLE + "".join(f"{name} = {value!r}\n" for name, value in values.items())

    async def run(self, code: str, seconds: float = 30.0, purpose: Any = "confirmation") -> Run:
        self._number += 1
        return await self.laboratory.run(
            Experiment(code=code, seed=self._number, metric="score", context="c", purpose=purpose), seconds
        )

    async def honest(self) -> None:
        """A normal experiment gives its right value: its input is as it was, and its folder as new."""
        own = self.laboratory._executor.layers.get("shm") == ""
        run = await self.run(HONEST.replace("SHM", repr("/dev/shm") if own else 'os.environ["TMPDIR"]'))
        assert run.reason is None, run.traceback or run.message
        assert 0 < run.value < 1  # type: ignore[operator]

    def rest(self) -> dict[str, object]:
        """What must be the same whenever all is quiet: processes, open files, scratch folders."""
        nursery = self.laboratory._executor._nursery
        assert nursery is not None
        tops = [each for each in psutil.Process().children() if each.pid not in self._others]
        processes = [each for top in tops for each in (top, *top.children(recursive=True))]
        return {
            "processes": sorted(p.pid for p in processes),
            "files": [len(os.listdir(f"/proc/{p.pid}/fd")) for p in processes],
            "slots": sorted(str(p) for p in nursery.folder.rglob("*") if p.name != "__pycache__"),
            "naps": [p.pid for p in psutil.process_iter() if NAP in _command(p)],
        }

    async def quiet(self) -> None:
        """Nothing is left of anything, and nothing outside was touched."""
        assert self.rest() == self._rest
        assert _open_files() <= self._files  # fewer, once what other tests have left is collected
        assert self.world.state() == self.world.before
        assert self.world.heard == []


def _open_files() -> int:
    """How many this process has open, which hosts the runner's part."""
    return len(os.listdir("/proc/self/fd"))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def _attacked(house: House, attack: Attack) -> tuple[str, Run]:
    run = await house.run(house.preamble() + attack.code, attack.seconds)
    await house.honest()
    return attack.name, run


async def _all(house: House, chosen: Sequence[Attack]) -> dict[str, Run]:
    """Try them, a few at a time, and see after each few that nothing is left."""
    runs: dict[str, Run] = {}
    for start in range(0, len(chosen), 12):
        runs |= dict(await asyncio.gather(*(_attacked(house, each) for each in chosen[start : start + 12])))
        await house.quiet()
    return runs


def _succeeded(run: Run) -> bool:
    """Whether an attack got what it wanted, or did something to who reads of it."""
    said = run.message + run.traceback
    strange = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said) is not None
    return run.value == 1.0 or run.reason == "lost" or len(said) > 30_000 or strange


def test_the_corpus_is_what_the_documentation_says() -> None:
    assert attacks.DOCUMENT.read_text(encoding="utf-8") == attacks.document()
    assert len(ATTACKS) >= 40
    assert len({each.name for each in ATTACKS}) == len(ATTACKS)


async def _beside_a_neighbour(house: House, chosen: Sequence[Attack]) -> dict[str, Run]:
    """Try them while an experiment runs that has a secret in its folder, and gives its value in the end."""
    note = f"{house.world.note}\nimport os, time\nend = os.environ['TMPDIR'] + '/end'\n"
    waits = "while not os.path.exists(end): time.sleep(0.05)\nscore = 7.0"
    neighbour = asyncio.ensure_future(house.run(note + waits, 250.0))
    nursery = house.laboratory._executor._nursery
    assert nursery is not None
    while not (found := list(nursery.folder.glob("slot*/work/**/note"))):
        await asyncio.sleep(0.02)
    house.settle()
    runs = await _all(house, chosen)
    (nursery.folder / found[0].relative_to(nursery.folder).parts[0] / "tmp" / "end").touch()
    assert (await neighbour).value == 7.0
    return runs


def test_none_succeeds_that_is_labelled_so(world: World, left: Callable[[], dict[str, object]]) -> None:
    before = left()

    async def main() -> dict[str, Run]:
        async with House(world) as house:
            assert set(house.laboratory._executor.layers) >= {"seccomp", "landlock"}
            return await _beside_a_neighbour(house, ATTACKS)

    runs = asyncio.run(main())
    expected = {each.name for each in ATTACKS if each.label == CANNOT}
    detected = {each.name for each in ATTACKS if each.label == DETECTED}
    assert {name for name, run in runs.items() if run.reason == "locked"} == detected
    assert {name for name, run in runs.items() if _succeeded(run)} == expected
    assert all(0 <= run.seconds < 60 for run in runs.values())
    assert left() == before
    kept = [each for each in (world.study / ".swarm/swarms/wine/runs").rglob("*")]
    assert any(each.name == "plain" for each in kept)
    assert all(each.is_dir() or (each.is_file() and not each.is_symlink()) for each in kept)
    assert not any(each.stat().st_mode & 0o7177 for each in kept if each.is_file())


def test_none_succeeds_with_fewer_layers(world: World) -> None:
    """Without namespaces, and with the Landlock of an older kernel."""

    async def main() -> dict[str, Run]:
        async with House(world, policy=OLD) as house:
            layers = house.laboratory._executor.layers
            assert not layers["seccomp"] + layers["landlock"]
            assert all(layers[name] for name in ("network", "shm", "proc"))
            return await _beside_a_neighbour(house, [each for each in ATTACKS if each.layers])

    assert {name for name, run in asyncio.run(main()).items() if _succeeded(run)} == set()


def test_they_do_succeed_where_nothing_shuts_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ISOLATION, "off")
    chosen = [each for each in ATTACKS if each.control]

    async def main() -> dict[str, Run]:
        async with House(world) as house:
            neighbour = asyncio.ensure_future(house.run(f"{world.note}\nimport time\ntime.sleep(100)", 100.0))
            await asyncio.sleep(2.0)
            runs = {each.name: await house.run(house.preamble() + each.code) for each in chosen}
            neighbour.cancel()
            return runs

    failed = {
        name: (run.reason, run.message, run.traceback) for name, run in asyncio.run(main()).items() if run.value != 1.0
    }
    assert failed == {}
    assert set(world.heard) >= {"TCP", "UDP"}


UNREADABLE = """
import os, stat, sys
from pathlib import Path
from jupyter_swarm.experiments.slots import Slot

study, slot = Path(sys.argv[1]), Slot(Path(sys.argv[2]), Path(sys.argv[1]))
slot.make()
before = sorted(map(str, slot.folder.rglob("*")))
work = slot.folder / "work" / Path(*study.parts[1:])
for folder in (work, slot.folder / "tmp", slot.folder):
    deep = folder / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    for path, mode in ((deep, 0o300), (deep.parent, 0), (folder / "a", 0o500)):
        path.chmod(mode)
(slot.folder / "home").chmod(0)
try:
    os.listdir(slot.folder / "home")
except PermissionError:
    slot.clean(study.parent / "kept")
    assert sorted(map(str, slot.folder.rglob("*"))) == before
    assert not slot.used
    print("clean")
"""


def _without_override() -> None:
    # Root may read and write anywhere by two capabilities; a process may give them up (24) before it begins.
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def test_folders_that_cannot_be_read_are_removed(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    command = [sys.executable, "-c", UNREADABLE, str(tmp_path / "study"), str(tmp_path / "slot")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_without_override, check=False)
    assert done.stdout == "clean\n", done.stderr


SHARED = """
import mmap, time
memory = mmap.mmap(-1, 4096)
time.sleep(0.15)
x = {}
seen, memory[0] = memory[0], 1
score = float(seen)
"""
PLANTS = """
import ctypes, os, time
libc = ctypes.CDLL(None)
top = os.path.dirname(os.path.dirname(os.environ["TMPDIR"]))
end, made = time.time() + 0.5, 0
while time.time() < end:
    for each in os.listdir(top):
        made += each.startswith("slot") and (fd := libc.creat(f"{top}/{each}/tmp/planted".encode(), 0o600)) > 0
        made += libc.close(fd) if made and fd > 0 else 0
    time.sleep(0.01)
x = PARAMETER
score = 0.5
"""
LOOKS = """
import os, time
seen = False
for _ in range(40):
    seen = seen or os.path.exists(os.environ["TMPDIR"] + "/planted")
    time.sleep(0.02)
score = float(seen)
"""
TALKS = """
import os, time
time.sleep(0.15)
for fd in range(3, 20):
    for word in (b'[]', b'{"ended":1,"status":[]}', b'{"ready":true,"statements":[[1e308,""]]}', b"\\xff" * 1000):
        try:
            os.write(fd, word)
        except OSError:
            pass
x = PARAMETER
score = 0.5
"""


def test_a_snapshot_is_not_poisoned(world: World) -> None:
    """A beginning is executed once for several experiments; nothing that it does may reach others than these."""

    async def main() -> None:
        async with House(world) as house:
            for n in range(4):  # each finds the memory as it would be had it been alone
                run = await house.run(SHARED.format(n), purpose="screening")
                assert run.value == 0.0, run
            for n in range(4):  # runs that are evidence, beside a snapshot whose beginning writes wherever it may
                evidence = asyncio.ensure_future(house.run(LOOKS))
                await house.run(PLANTS.replace("PARAMETER", str(n)), purpose="screening")
                assert (await evidence).value == 0.0
            for n in range(4):  # nonsense on every descriptor
                run = await house.run(TALKS.replace("PARAMETER", str(n)), purpose="screening")
                assert run.value in (None, 0.5)
                assert run.reason != "lost"
                await house.honest()

    asyncio.run(main())
