"""The sandbox, by trying: each attack runs in a real fork, shut in and (where that does no harm) not shut in."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm.experiments.worker.sandbox import ALL, Policy, bpf, kernel, landlock, seccomp
from jupyter_swarm.experiments.worker.sandbox.paths import grants
from jupyter_swarm.experiments.worker.sandbox.probe import probe
from jupyter_swarm.jupyter import doctor
from jupyter_swarm.jupyter.cli import main

WORKER = Path(seccomp.__file__).parents[1]
pytestmark = pytest.mark.skipif(landlock.abi() < 6 or not kernel.SUPPORTED, reason="needs Linux 6.12 or later")

ZYGOTE = r"""
import importlib.util, json, os, sys, ctypes, fcntl, mmap, signal, socket, resource, time, errno, struct
worker, request = sys.argv[1], json.loads(sys.argv[2])
find = importlib.util.spec_from_file_location
spec = find("swarm_worker", worker + "/__init__.py", submodule_search_locations=[worker])
sys.modules["swarm_worker"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from swarm_worker.sandbox import Policy, Sandbox, kernel
for each in request["imports"]:
    __import__(each)
if request["user"]:
    os.setgroups([]); os.setresgid(*[request["user"]] * 3); os.setresuid(*[request["user"]] * 3)
    kernel.call("prctl", 4, 1)  # dumpable again, as after an exec
sandbox = Sandbox(Policy.from_json(request["policy"]), request["slots"])
layers = sandbox.prepare()
print(json.dumps(layers), flush=True)

def number(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result

def run(source, enter):
    os.setsid()
    os.environ.update(TMPDIR=request["slots"][0], HOME=request["slots"][0])
    names = {"__name__": "__main__", "call": kernel.call, "sandbox": sandbox, "parent": os.getppid(), **globals()}
    os.chdir(request["slots"][0])
    if enter:
        sandbox.enter(*enter)
    try:
        exec(source, names)
        return names.get("said", "done")
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except BaseException as error:
        import traceback
        traceback.print_exc()
        return type(error).__name__

for line in sys.stdin:
    source, enter = json.loads(line)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, str(run(source, enter)).encode())
        os._exit(0)
    os.close(writing)
    answer = os.read(reading, 100000).decode()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(reading)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    print(json.dumps(answer or f"status {status}"), flush=True)
"""


class Zygote:
    """A process that forks attempts; `layers` are those in force."""

    def __init__(self, folder: Path, imports: tuple[str, ...] = (), user: int = 0, **policy: Any) -> None:
        self.slots = [folder / "slots" / str(each) for each in range(2)]
        for each in self.slots:
            each.mkdir(mode=0o700, parents=True)
            (each / "note").write_text("its own")
            if user:
                os.chown(each, user, user)
        request = {
            "policy": Policy(**policy).to_json(),
            "slots": [str(each) for each in self.slots],
            "imports": imports,
            "user": user,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE, str(WORKER), json.dumps(request)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"HOME": str(folder / "home"), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "SECRET": "key"},
            text=True,
        )
        self.layers = self._said()

    def _said(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def run(self, source: str, *enter: Any) -> str:
        """What came of it in a fork: "done", what it left in `said`, or the name of the error."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([source, enter]) + "\n")
        self._process.stdin.flush()
        return str(self._said())

    def end(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            finally:
                process.kill()


@pytest.fixture
def outside(temporary: Path) -> Path:
    """A folder with a home, a notebook's folder with `.swarm`, and what must be left alone."""
    for name in ("home/secret", "study/.swarm/ledger", "study/data/a.csv", "study/b.csv", "foreign/file"):
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_text(name)
    temporary.chmod(0o755)
    return temporary


@pytest.fixture
def zygotes(outside: Path) -> Iterator[Any]:
    made: list[Zygote] = []

    def make(*imports: str, **more: Any) -> Zygote:
        more = {"read": (f"{outside}/study",), "shut": (f"{outside}/study/.swarm",), **more}
        folder = outside / f"zygote{len(made)}"
        made.append(Zygote(folder, imports, **more))
        return made[-1]

    yield make
    for each in made:
        each.end()


OLD = {"layers": ("seccomp", "landlock"), "abi": 2}
"""As on Debian 12 in a container: no namespaces, and Landlock without truncation, network and signals."""

FILES = {
    "home": ("open('{outside}/home/secret').read()", "EACCES"),
    "home listed": ("os.listdir('{outside}/home')", "EACCES"),
    "ledger": ("open('{outside}/study/.swarm/ledger').read()", "EACCES|ENOENT"),
    "ledger by a link": (
        "os.path.lexists('x') or os.symlink('{outside}/study/.swarm/ledger', 'x'); open('x')", "EACCES|ENOENT"),
    "other slot": ("open('{outside}/zygote0/slots/1/note').read()", "EACCES"),
    "environment": ("said = b'SECRET' in open(f'/proc/{{parent}}/environ', 'rb').read()", "EACCES|EPERM"),
    "memory": ("open(f'/proc/{{parent}}/mem', 'rb')", "EACCES|EPERM"),
    "overwrite": ("open('{outside}/foreign/file', 'w')", "EACCES"),
    "overwrite input": ("open('{outside}/study/b.csv', 'r+')", "EACCES"),
    "create": ("open('{outside}/foreign/more', 'w')", "EACCES"),
    "folder": ("os.mkdir('{outside}/foreign/d'); os.rmdir('{outside}/foreign/d')", "EACCES"),
    "move": ("open('mine', 'w'); os.rename('mine', '{outside}/foreign/mine')", "EACCES|EXDEV"),
    "take": ("os.rename('{outside}/study/b.csv', 'b'); os.rename('b', '{outside}/study/b.csv')", "EACCES|EXDEV"),
    "hard link": ("os.link('{outside}/home/secret', 'h'); os.unlink('h')", "EACCES|EXDEV"),
    "delete": ("os.unlink('{outside}/foreign/file'); open('{outside}/foreign/file', 'w')", "EACCES"),
    "truncate": ("os.truncate('{outside}/study/b.csv', 1)", "EACCES|EPERM"),
    "truncate as it is opened": ("os.open('{outside}/study/b.csv', os.O_RDONLY | os.O_TRUNC)", "EACCES|EPERM"),
    "mode": ("os.chmod('{outside}/foreign/file', 0o644)", "EPERM"),
    "mode of what can be read": ("os.fchmod(os.open('{outside}/study/b.csv', 0), 0o644)", "EPERM"),
    "owner": ("os.chown('{outside}/foreign/file', -1, -1)", "EPERM"),
    "times": ("os.utime('{outside}/foreign/file')", "EPERM"),
    "attribute": ("os.setxattr('{outside}/foreign/file', 'user.x', b'x')", "EPERM"),
    "flags": ("fcntl.ioctl(os.open('{outside}/study/b.csv', 0), 0x40086602, struct.pack('l', 0x80000))", "EPERM"),
    "watch": ("call('inotify_add_watch', ctypes.CDLL(None).inotify_init(), id(b'/')+32, 1)", "EPERM"),
    "by a descendant": (
        "import subprocess as s; said = s.call(['cat', '{outside}/home/secret'], stdout=-3, stderr=-3) or 'done'", "1"),
}  # fmt: skip

OTHERS = {
    "Internet": ("socket.socket()", "EPERM"),
    "Unix": ("socket.socket(socket.AF_UNIX)", "EPERM"),
    "datagram": ("socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', '{outside}/listens')", "EPERM"),
    "pair": ("a, b = socket.socketpair(); a.send(b'x'); said = b.recv(9)", "b'x'"),
    "io_uring": ("call('io_uring_setup', 1, ctypes.addressof(ctypes.create_string_buffer(120)))", "EPERM"),
    "session": ("import subprocess; subprocess.Popen(['true'], start_new_session=True).wait()", "EPERM"),
    "signal to the parent": ("os.kill(parent, 0)", "EPERM"),
    "signal to a thread": ("call('tgkill', parent, parent, 0)", "EPERM"),
    "signal to itself": ("os.kill(os.getpid(), 0); os.killpg(0, 0); os.kill(0, 0)", "done"),
    "signal by a file": ("fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, parent)", "EPERM"),
    "limit of the parent": ("resource.prlimit(parent, resource.RLIMIT_CORE, (0, 0))", "EPERM"),
    "affinity of the parent": ("os.sched_setaffinity(parent, [0, 1])", "EPERM"),
    "priority of the parent": ("os.setpriority(os.PRIO_PROCESS, parent, 0)", "EPERM"),
    "scheduling": ("os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "EPERM"),
    "tracing": ("call('ptrace', 0x4206, parent)", "EPERM"),
    "user namespace": ("call('unshare', 0x10000000)", "EPERM"),
    "namespace by clone": ("call('clone', 0x10000011) or os._exit(0)", "EPERM"),
    "high bits": ("call('ioctl', 0, (1 << 40) + 0x5412, 0)", "EPERM"),
    "tie to the parent": ("call('prctl', 1, 0)", "EPERM"),
    "x32": ("said = kernel._raw(0x40000000 + 39, *[0] * 6)", "-1"),
    "System V": ("call('shmctl', call('shmget', 0, 4096, 0o600), 0)", "EPERM"),
    "personality": ("call('personality', 0x0040000)", "EPERM"),
    "privilege": ("said = [x.split()[1] for x in open('/proc/self/status') if x[:6] in ('CapEff', 'NoNewP', 'Seccom')]",
                  "['0000000000000000', '1', '2', *"),
}  # fmt: skip
HARMLESS = {"pair", "signal to itself", "privilege", "x32", "flags", "high bits", "watch", "datagram", "take"}
"""Work outside likewise, or fail there for a reason of their own."""


def _try_all(zygote: Zygote, outside: Path, attacks: dict[str, tuple[str, str]], control: bool) -> dict[str, str]:
    """Attack → what came of it, of those that came out otherwise than they must."""
    wrong = {}
    for name, (source, expected) in attacks.items():
        text = source.format(outside=outside) if "{outside}" in source or "{{" in source else source
        if control and name not in HARMLESS and (said := zygote.run(text)) not in ("done", "True"):
            wrong[f"{name}, not shut in"] = said
        said = zygote.run(text, 0)
        if not (said in expected.split("|") or (expected.endswith("*") and said.startswith(expected[:-2]))):
            wrong[name] = said
    return wrong


@pytest.mark.parametrize("policy", [{}, OLD, {"abi": 4, "layers": ("seccomp", "landlock", "network")}])
def test_attacks_fail_that_succeed_without(zygotes: Any, outside: Path, policy: dict[str, Any]) -> None:
    zygote = zygotes(**policy)
    assert [each for each in zygote.layers if not zygote.layers[each]] == [
        each for each in zygote.layers if each in policy.get("layers", ALL)
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(outside / "listens"))
        assert not _try_all(zygote, outside, FILES | OTHERS, control=True)
    assert (outside / "foreign/file").exists()
    assert (outside / "study/.swarm/ledger").read_text() == "study/.swarm/ledger"


def test_calls_that_are_denied_are_denied_whatever_is_asked(zygotes: Any) -> None:
    names = [each for each in seccomp.DENIED if each in kernel.NUMBERS]
    source = f"""
said = []
for name in {names}:
    try:
        call(name, *[-1] * 6)
    except OSError as error:
        if error.errno == errno.EPERM:
            continue
    said.append(name)
"""
    assert zygotes().run(source, 0) == "[]"


def _answer(program: bytes, number: int, architecture: int, arguments: tuple[int, ...]) -> int:
    """What a filter says, by carrying out its instructions."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments)
    at, register = 0, 0
    while True:
        code, yes, no, k = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == 0x06:
            return int(k)
        if code == 0x20:
            register = struct.unpack_from("=I", data, k)[0]
        elif code == 0x54:
            register &= k
        else:
            at += yes if {0x15: register == k, 0x35: register >= k, 0x45: register & k}[code] else no


def _meant(decision: bpf.Decision, arguments: tuple[int, ...]) -> int:
    while not isinstance(decision, int):
        value = arguments[decision.argument]
        low = value & decision.mask
        holds = {
            "in": low in decision.values,
            "bits": bool(decision.values and low & decision.values[0]),
            "null": value == 0,
        }
        decision = decision.then if holds[decision.how] else decision.otherwise
    return decision


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("flags", [(n, t, s, le) for n in (0, 1) for t, s in ((0, 0), (1, 0), (1, 1)) for le in (0, 1)])
def test_filters_say_what_was_decided_on_each_machine(machine: str, flags: tuple[int, ...]) -> None:
    decided = seccomp.decisions(seccomp.Rules(*map(bool, flags)), machine, 77)
    program = bpf.program(machine, decided, kernel.NEWEST, seccomp.ENOSYS)
    values = [0, 1, 2, 77, 4, 8, 36, 0x5412, 0o1000, 0x10000000, 0xFFFFFFFF, 1 << 40, (1 << 40) + 0x5412, 2**64 - 77]
    for number in (*range(kernel.NEWEST + 3), 0x40000000 + 1, 0xFFFFFFFF):
        for value in values if isinstance(decided.get(number), bpf.Branch) else [0]:
            for arguments in ((value,) * 6, (0, value, 0, 0, value, 0), (1, value, value, value, 0, 0)):
                meant = seccomp.ENOSYS if number > kernel.NEWEST else _meant(decided.get(number, bpf.ALLOW), arguments)
                assert _answer(program, number, bpf.ARCHITECTURES[machine], arguments) == meant
    assert _answer(program, 0, 0x40000003, (0,) * 6) == 0x80000000  # i386 on x86_64, and anything else


@pytest.mark.skipif(os.getuid() != 0, reason="the tests run as an ordinary user anyway")
@pytest.mark.parametrize("layers", [ALL, ("seccomp", "landlock")])
def test_an_ordinary_user_is_shut_in_as_well(zygotes: Any, outside: Path, layers: tuple[str, ...]) -> None:
    for path in (outside, *outside.rglob("*")):
        os.chown(path, 65534, 65534)
    zygote = zygotes("encodings.idna", "shutil", "subprocess", user=65534, layers=layers)
    assert not {name: why for name, why in zygote.layers.items() if why and name in layers and name != "proc"}
    attacks = {**FILES, **OTHERS}
    assert not _try_all(zygote, outside, attacks, control=False)
    assert zygote.run(f"said = open('{outside}/study/b.csv').read(), os.getuid()", 0) == "('study/b.csv', 65534)"


def test_the_notebooks_folder_is_read_around_what_is_shut(zygotes: Any, outside: Path) -> None:
    source = f"said = sorted(os.listdir('{outside}/study')), open('{outside}/study/data/a.csv').read()"
    for policy in ({}, OLD):
        assert zygotes(**policy).run(source, 0) == "(['.swarm', 'b.csv', 'data'], 'study/data/a.csv')"
    granted = grants([(f"{outside}/study", landlock.READ)], [f"{outside}/study/data/later/x"], listing=False)
    assert set(granted) == {f"{outside}/study/{each}" for each in ("b.csv", ".swarm", "data/a.csv")}


def test_shared_memory_is_a_runs_own_and_empty(zygotes: Any) -> None:
    zygote = zygotes()
    make = "open('/dev/shm/left', 'w').write('x'); said = os.listdir('/dev/shm')"
    assert zygote.run(make, 0) == "['left']"
    assert not Path("/dev/shm/left").exists()
    assert zygote.run("said = os.listdir('/dev/shm')", 1) == "[]"
    assert zygote.run(make, 0) == "['left']"
    assert zygote.run("open('/dev/shm/a', 'w').truncate(1); said = os.listdir('/dev/shm')", 0) == "['a']"


def test_limits_end_a_run_and_what_it_started(zygotes: Any) -> None:
    zygote = zygotes(cpu_seconds=1, file_bytes=1000)
    assert zygote.run("while True: pass", 0) in ("status -9", "status -24")
    assert zygote.run("f = open('big', 'wb', buffering=0); f.write(bytes(2000)); f.write(b'x')", 0) == "EFBIG"
    assert zygote.run("said = resource.getrlimit(resource.RLIMIT_CORE)", 0) == "(0, 0)"


def test_a_snapshot_forks_experiments_with_folders_of_their_own(zygotes: Any) -> None:
    fork = """
reading, writing = os.pipe()
if not (pid := os.fork()):
    said = []
    there = "open('{1}/mine', 'w')", "open('{0}/common', 'w')"
    for attempt in ("os.setsid()", "sandbox.enter(1)", *there, "os.setsid()"):
        try:
            eval(attempt)
            said.append("done")
        except Exception as error:
            said.append(type(error).__name__)
    os.write(writing, str(said).encode())
    os._exit(0)
os.waitpid(pid, 0)
open('{0}/common', 'w')
said = os.read(reading, 1000).decode()
"""
    expected = "['done', 'done', 'done', 'PermissionError', 'PermissionError']"
    for policy in ({}, OLD):
        zygote = zygotes(**policy)
        assert zygote.run(fork.format(*zygote.slots), 0, [1]) == expected
        denied = "PermissionError"
        refused = str([denied, "SandboxError", denied, denied, denied])
        assert zygote.run(fork.format(*zygote.slots), 0) == refused  # the slot is not its own to give


WORK = {
    "loky": "from sklearn.model_selection import cross_val_score\n"
    "from sklearn.datasets import load_wine\nfrom sklearn.tree import DecisionTreeClassifier\n"
    "said = len(cross_val_score(DecisionTreeClassifier(), *load_wine(return_X_y=True), n_jobs=2))",
    "threads": "import joblib\nsaid = sum(joblib.Parallel(2, 'threading')(joblib.delayed(abs)(-1) for _ in range(5)))",
    "multiprocessing": "import joblib\n"
    "said = sum(joblib.Parallel(2, 'multiprocessing')(joblib.delayed(abs)(-1) for _ in range(5)))",
    "large arrays": "import joblib, numpy\n"
    "said = int(sum(joblib.Parallel(2)(joblib.delayed(numpy.max)(numpy.ones(500000)) for _ in range(5))))",
    "pool": "import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n    said = sum(pool.map(abs, [-2, -3]))",
    "executor": "import concurrent.futures\nwith concurrent.futures.ProcessPoolExecutor(2) as pool:\n"
    "    said = sum(pool.map(abs, [-2, -3]))",
    "subprocess": "import subprocess\n"
    "said = int(subprocess.run([sys.executable, '-c', 'import numpy; print(5)'], stdout=-1).stdout)",
    "torch": "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
    "data = DataLoader(TensorDataset(torch.ones(5, 3)), num_workers=2)\n"
    "said = sum(int(x[0][0]) for x, in data) if next(iter(data))[0].shape == (1, 3) else data",
    "files": "import shutil, tempfile\nopen('a', 'w').write('x')\nshutil.copy2('a', 'b')\n"
    "with tempfile.TemporaryDirectory() as d:\n    shutil.copytree('.', d + '/t', ignore=lambda d, n: set(n) - {'b'})\n"
    "    said = 5 * len(os.listdir(d + '/t'))",
    "server of processes": "import multiprocessing as m\nfrom swarm_worker.sandbox import adapt\n"
    "m.context._default_context._default_context = m.get_context('forkserver'); adapt()\n"
    "said = m.get_context()._name == 'spawn' and m.SimpleQueue() and 5",
    "asyncio": "import asyncio\nsaid = asyncio.run(asyncio.sleep(0, 5))",
    "figures": "import matplotlib; matplotlib.use('Agg')\nimport matplotlib.pyplot as p\n"
    "p.plot([1]); p.savefig('f.png'); said = 5 * os.path.exists('f.png')",
    "psutil": "import psutil\nsaid = 5 * (psutil.Process().memory_info().rss < psutil.virtual_memory().total)",
}


@pytest.mark.parametrize(("policy", "imports"), [({}, ()), (OLD, ("sklearn.model_selection", "torch"))])
def test_libraries_work_inside(zygotes: Any, policy: dict[str, Any], imports: tuple[str, ...]) -> None:
    zygote = zygotes(*imports, **policy)
    assert {name: said for name, source in WORK.items() if (said := zygote.run(source, 0)) != "5"} == {}


def test_doctor_tells_what_holds_by_trying(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    layers = {each.name: each for each in probe()}
    assert set(layers) == set(ALL)
    assert layers["seccomp"].in_force
    assert layers["landlock"].in_force
    assert layers["landlock"].detail.startswith("ABI ")
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["isolated"]
    assert {each["name"]: each["in_force"] for each in told["layers"]} == {n: e.in_force for n, e in layers.items()}
    missing = [
        replace(each, in_force=False, detail="none") if each.name == "landlock" else each for each in layers.values()
    ]
    monkeypatch.setattr(doctor, "probe", lambda: missing)
    assert main(["doctor"]) == 1
    assert "Missing: landlock" in capsys.readouterr().out


def test_a_right_that_a_file_cannot_have_is_no_rule(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    rules = landlock.RuleSet(landlock.abi())
    try:
        assert rules.grant(str(file), landlock.READ_DIR), "as where a cell lists the folder in which its own lies"
        assert rules.grant(str(tmp_path), landlock.READ_DIR)
    finally:
        rules.close()
