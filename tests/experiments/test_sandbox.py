"""The sandbox, by trying: each attack runs in a real fork, shut in and (where that does no harm) not shut in."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm.experiments.worker.sandbox import ALL, Policy, bpf, kernel, landlock, seccomp
from jupyter_swarm.experiments.worker.sandbox.paths import grants
#from jupyter_swarm.experiments.worker.sandbox.probe import probe

WORKER = Path(seccomp.__file__).parents[1]
pytestmark = pytest.mark.skipif(landlock.abi() < 6 or not kernel.SUPPORTED, reason="needs Linux 6.12 or later")

ZYGOTE = r"""
import importlib.util, json, os, sys, ctypes, fcntl, mmap, signal, socket, resource, time, errno, struct
worker, request = sys.argv[1], json.loads(sys.argv[2])
spec = importlib.util.spec_from_file_location("swarm_worker", worker + "/__init__.py", submodule_search_locations=[worker])
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
    said = os.read(reading, 100000).decode()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(reading)
    print(json.dumps(said or f"status {status}"), flush=True)
"""


class Zygote:
    """A process that forks attempts; `layers` are those in force."""

    def __init__(self, folder: Path, imports: tuple[str, ...] = (), user: int = 0, **policy: Any) -> None:
        self.slots = [folder / "slots" / str(each) for each in range(2)]
        for each in self.slots:
            each.mkdir(mode=0o700, parents=True)
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
        self._process.communicate(timeout=20)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a home, a notebook's folder with `.swarm`, and what must be left alone."""
    for name in ("home/secret", "study/.swarm/ledger", "study/data/a.csv", "study/b.csv", "foreign/file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    tmp_path.chmod(0o755)
    return tmp_path


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
    "ledger by a link": ("os.symlink('{outside}/study/.swarm/ledger', 'x'); open('x').read()", "EACCES|ENOENT"),
    "other slot": ("open('{outside}/zygote0/slots/1/note').read()", "EACCES"),
    "environment": ("said = b'SECRET' in open(f'/proc/{{parent}}/environ', 'rb').read()", "EACCES|ENOENT"),
    "memory": ("open(f'/proc/{{parent}}/mem', 'rb')", "EACCES|ENOENT"),
    "overwrite": ("open('{outside}/foreign/file', 'w')", "EACCES"),
    "overwrite input": ("open('{outside}/study/b.csv', 'r+')", "EACCES"),
    "create": ("open('{outside}/foreign/more', 'w')", "EACCES"),
    "folder": ("os.mkdir('{outside}/foreign/folder')", "EACCES"),
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
        "import subprocess; said = subprocess.run(['cat', '{outside}/home/secret'], stdout=-3, stderr=-3).returncode or 'done'", "1"),
}  # fmt: skip

OTHERS = {
    "Internet": ("socket.socket()", "EPERM"),
    "Unix": ("socket.socket(socket.AF_UNIX)", "EPERM"),
    "datagram": ("socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', '{outside}/listens')", "EPERM"),
    "pair": ("a, b = socket.socketpair(); a.send(b'x'); said = b.recv(9)", "b'x'"),
    "io_uring": ("call('io_uring_setup', 0, 0)", "EPERM"),
    "session": ("os.fork() or os.setsid() and os._exit(0); os.getpid() == os.getpgid(0) or 0", "done"),
    "signal to the parent": ("os.kill(parent, 0)", "EPERM"),
    "signal to a thread": ("call('tgkill', parent, parent, 0)", "EPERM"),
    "signal to itself": ("os.kill(os.getpid(), 0); os.killpg(0, 0); os.kill(0, 0)", "done"),
    "signal by a file": ("fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, parent)", "EPERM"),
    "limit of the parent": ("resource.prlimit(parent, resource.RLIMIT_CORE, (0, 0))", "EPERM"),
    "affinity of the parent": ("os.sched_setaffinity(parent, [0, 1])", "EPERM"),
    "priority of the parent": ("os.setpriority(os.PRIO_PROCESS, parent, 0)", "EPERM"),
    "scheduling": ("os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "EPERM"),
    "tracing": ("call('ptrace', 16, parent); call('ptrace', 17, parent)", "EPERM"),
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
HARMLESS = {"pair", "signal to itself", "privilege", "session", "x32", "flags", "high bits", "watch", "datagram", "take"}
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
    (zygote.slots[1] / "note").write_text("another's")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(outside / "listens"))
        assert not _try_all(zygote, outside, FILES | OTHERS, control=True)
    assert (outside / "foreign/file").exists()
    assert (outside / "study/.swarm/ledger").read_text() == "study/.swarm/ledger"
