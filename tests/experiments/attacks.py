"""The corpus of attacks: what code in an experiment may try, and what comes of it.

Each is source that an experiment executes after `PREAMBLE`. It gives `score` the value 1.0 where it has got what it
wanted, as far as it can tell; what it cannot tell (whether a file outside was changed, whether something has outlived
it) the test looks at from outside. `docs/attacks.md` is made of this file: `python tests/experiments/attacks.py`.
"""

# ruff: noqa: E501  (lines of what experiments execute, which would not be clearer in pieces)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Label = Literal["prevented", "detected", "cannot be prevented in one process"]
PREVENTED: Label = "prevented"
DETECTED: Label = "detected"
CANNOT: Label = "cannot be prevented in one process"
DOCUMENT = Path(__file__).parents[2] / "docs" / "attacks.md"


@dataclass(frozen=True)
class Attack:
    """One attack.

    Args:
        name: what it tries, in a few words.
        label: what comes of it.
        code: source; it assigns `score`.
        by: what stops it, or why nothing can.
        control: it succeeds where nothing shuts in, and does no harm there: the test tries so.
        seconds: the time-out that it gets.
        layers: it is tried with fewer layers of the sandbox, too (without namespaces, and an old Landlock).
    """

    name: str
    label: Label
    code: str
    by: str
    control: bool = False
    seconds: float = 30.0
    layers: bool = False


PREAMBLE = r"""
import ctypes, fcntl, mmap, os, re, resource, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def found(data):
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    return re.search(b"canary" + b"-[0-9a-f]{16}", data) is not None

def read(path, size=10_000_000):
    with open(path, "rb") as file:
        return file.read(size)

def any_of(*ways):
    done = 0.0
    for way in ways:
        try:
            done = max(done, float(way() is not False))
        except BaseException as error:
            print(type(error).__name__, error)
    return done

def must(value):
    if not value or value == -1:
        raise OSError(ctypes.get_errno(), "no")

def finds(path):
    return lambda: must(found(read(path)))

def memory(pid):
    with open(f"/proc/{pid}/maps") as maps:
        places = [line.split() for line in maps if " rw" in line]
    places.sort(key=lambda place: place[-1] not in ("[heap]", "[stack]"))
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for low, high in ((int(each, 16) for each in place[0].split("-")) for place in places):
            for at in range(low, high, 1 << 22):  # with an overlap; a large read may come back short
                mem.seek(at)
                try:
                    if found(mem.read(min(high - at, (1 << 22) + 64))):
                        return True
                except OSError:
                    continue  # a page that is not there
    return False

def tell(*data):
    for each in data:
        os.write(get_ipython().display_pub.session.channel.descriptor, each)

def slot():
    return os.path.dirname(os.environ["TMPDIR"])

def pids():
    seen = [int(each) for each in os.listdir('/proc') if each.isdigit() and each != '1']
    return {*seen, *range(RUNNER - 300, RUNNER + 3000), KEEPER, ZYGOTE, HOLDER}

def forever():
    while True:
        time.sleep(100)

SYSCALL = {"x86_64": (101, 310, 62, 424, 434, 56, 200), "aarch64": (117, 270, 129, 424, 434, 220, 130)}[os.uname().machine]
PTRACE, READV, KILL, PIDFD_SEND, PIDFD_OPEN, CLONE, TKILL = SYSCALL
"""


def _reads() -> Iterable[Attack]:
    def read(name: str, code: str, by: str, control: bool = True) -> Attack:
        return Attack(name, PREVENTED, code, by, control, layers=True)

    landlock = "Landlock: only the interpreter, libraries, inputs and the run's own folder can be read"
    tracing = "Landlock and seccomp: processes outside the run cannot be traced or looked into"
    yield read(
        "a key from its own environment",
        "score = any_of(lambda: must(any(map(found, os.environ.values()))), finds('/proc/self/environ'),\n"
        "               lambda: must(memory('self')))",
        "the zygote's environment is clean from its exec on, so that nothing is left on the stack either",
        False,
    )
    yield read(
        "a key from the runner's environment",
        "score = any_of(finds(f'/proc/{RUNNER}/environ'), finds(f'/proc/{HOLDER}/environ'))",
        tracing,
    )
    yield read("a key from the runner's memory", "score = any_of(lambda: must(memory(RUNNER)))", tracing)
    yield read(
        "a key from the zygote's and the keeper's environment",
        "score = any_of(*(finds(f'/proc/{each}/environ') for each in (ZYGOTE, KEEPER, os.getppid())))",
        "their environment is clean from exec on, and shut",
        False,
    )
    yield read("the zygote's memory", "score = any_of(lambda: open(f'/proc/{ZYGOTE}/mem', 'rb').close())", tracing)
    yield read(
        "a key from any process", "score = any_of(*(finds(f'/proc/{each}/environ') for each in pids()))", tracing
    )
    yield read(
        "memory by process_vm_readv",
        "buffer = ctypes.create_string_buffer(16)\n"
        "none = ctypes.c_long(0)  # the seventh word, on the stack: a plain int is half of it\n"
        "local = struct.pack('QQ', ctypes.addressof(buffer), 16)\n"
        "base = int(read(f'/proc/{ZYGOTE}/stat').split()[25]) if os.path.exists(f'/proc/{ZYGOTE}/stat') else 4096\n"
        "remote = struct.pack('QQ', id(object), 16)\n"
        "score = any_of(*(lambda pid=pid: must(libc.syscall(READV, pid, local, 1, remote, 1, none) == 16)\n"
        "                 for pid in (ZYGOTE, os.getppid())))",
        tracing,
    )
    yield read("a file in the home folder", "score = any_of(finds(f'{OUTSIDE}/home/secret'))", landlock)
    yield read(
        "the home folder's names",
        "score = any_of(lambda: os.listdir(f'{OUTSIDE}/home'), lambda: os.listdir(f'{OUTSIDE}/home/.ssh'))",
        landlock,
    )
    yield read(
        "the system's passwords",
        "score = any_of(lambda: read('/etc/shadow'), lambda: read('/root/.bash_history'))",
        landlock,
        False,
    )
    yield read("the ledger by its absolute path", "score = any_of(finds(f'{STUDY}/.swarm/ledger'))", landlock)
    yield read(
        "the ledger through ..",
        "up = '../' * 30\n"
        "score = any_of(finds(up + STUDY + '/.swarm/ledger'), finds('.swarm/ledger'), finds('../study/.swarm/ledger'),\n"
        "               finds(f'{STUDY}/sub/../.swarm/ledger'))",
        landlock,
    )
    yield read(
        "the ledger through the mirror's links",
        "real = os.path.dirname(os.path.realpath('data.csv'))\n"
        "links = [each.path for each in os.scandir('..') if each.is_symlink()]\n"
        "score = any_of(finds(f'{real}/.swarm/ledger'), finds('sub/../.swarm/ledger'),\n"
        "               *(finds(f'{each}/../study/.swarm/ledger') for each in links))",
        landlock + "; `.swarm/` is no entry of the mirror",
    )
    yield read(
        "the ledger through /proc/self/root and /proc/self/cwd",
        "score = any_of(*(finds(f'/proc/{pid}/{way}/.swarm/ledger') for pid in ('self', 'thread-self', RUNNER, ZYGOTE)\n"
        "                 for way in ('cwd', f'root{STUDY}', f'cwd{\"/..\" * 30}{STUDY}')))",
        landlock,
    )
    yield read(
        "the ledger through a link of its own",
        "os.symlink(f'{STUDY}/.swarm/ledger', 'mine'); os.symlink(f'{STUDY}/.swarm', 'folder')\n"
        "score = any_of(finds('mine'), finds('folder/ledger'))",
        landlock,
    )
    yield read(
        "a hard link to what is shut",
        "score = any_of(*(lambda path=path: must(os.link(path, 'hard') is None and found(read('hard')))\n"
        "                 for path in (f'{STUDY}/.swarm/ledger', f'{OUTSIDE}/home/secret')))",
        "Landlock: no file may be linked into a folder that grants more",
    )
    yield read(
        "open descriptors of its own",
        "ours = [int(each) for each in os.listdir('/proc/self/fd')]\n"
        "def through(number):\n"
        "    must(found(os.read(os.open(f'{STUDY}/.swarm/ledger'[1:], os.O_RDONLY, dir_fd=number), 100)))\n"
        "score = any_of(*(lambda each=each: through(each) for each in ours if each > 2))",
        "a fork keeps three descriptors and the file for its frames",
        False,
    )
    yield read(
        "open descriptors of other processes",
        "score = any_of(*(lambda pid=pid, n=n: os.close(os.open(f'/proc/{pid}/fd/{n}', os.O_RDONLY))\n"
        "                 for pid in (RUNNER, ZYGOTE, KEEPER, os.getppid()) for n in range(40)))",
        tracing,
    )
    yield read(
        "another run's folder",
        "import glob\n"
        "around = glob.glob(os.path.dirname(slot()) + '/*') + glob.glob(f'/proc/*/cwd')\n"
        "around += [f'{os.path.dirname(slot())}/slot{n}/work{STUDY}' for n in range(9)]\n"
        "def others(path):\n    must(not os.path.realpath(path).startswith(slot() + '/') and found(read(path)))\n"
        "score = any_of(*(lambda f=f: others(f) for top in around for f in (top + '/note', f'{top}/work{STUDY}/note')))",
        landlock,
    )
    yield read(
        "a child's eyes: cat, with PATH and LD_PRELOAD of its own",
        "open('cat', 'w').write('#!/bin/sh\\nexec /bin/cat \"$@\"\\n')\n"
        "score = any_of(*(lambda e=e: must(found(subprocess.run(['cat', f'{OUTSIDE}/home/secret', f'/proc/{RUNNER}/environ'],\n"
        "    capture_output=True, env={**os.environ, **e}).stdout)) for e in ({}, {'LD_PRELOAD': '/lib/x.so'}, {'PATH': '.:/bin'})))",
        "what a run starts is shut in as it is",
    )


def _writes() -> Iterable[Attack]:
    def write(name: str, code: str, by: str, control: bool = True) -> Attack:
        return Attack(name, PREVENTED, code, by, control, layers=True)

    landlock = "Landlock: only the run's own folder and a /dev/shm of its own can be written"
    seccomp = "seccomp: modes, owners, times and attributes cannot be set at all"
    yield write(
        "overwrite an input",
        "score = any_of(*(lambda f=f, m=m: open(f, m).close() for f in ('data.csv', f'{STUDY}/data.csv') for m in ('r+', 'a')),\n"
        "               lambda: os.truncate('data.csv', 1), lambda: os.close(os.open('data.csv', os.O_RDONLY | os.O_TRUNC)),)",
        landlock,
    )
    yield write(
        "a new file in the notebook's folder",
        "score = any_of(lambda: open(f'{STUDY}/sitecustomize.py', 'w').close(), lambda: open('sub/new', 'w').close(),\n"
        "               lambda: os.mkdir(f'{STUDY}/made'), lambda: os.unlink(f'{STUDY}/sub/x'), lambda: os.symlink('x', f'{STUDY}/link'))",
        landlock,
    )
    yield write(
        "a new file in the home folder",
        "score = any_of(lambda: open(f'{OUTSIDE}/home/.bashrc', 'w').close())",
        landlock,
    )
    yield write(
        "a file in /tmp and /var/tmp",
        "score = any_of(*(lambda d=d: os.close(os.open(f'{d}/swarm-attack', os.O_CREAT | os.O_RDWR)) for d in ('/tmp', '/var/tmp')),\n"
        "               lambda: os.close(os.open('/tmp', os.O_TMPFILE | os.O_RDWR)))",
        landlock,
        False,
    )
    yield write(
        "a start-up file in site-packages",
        "import numpy\n"
        "place = os.path.dirname(os.path.dirname(numpy.__file__))\n"
        "score = any_of(lambda: open(f'{place}/swarm_attack.pth', 'w').close(), lambda: open(numpy.__file__, 'r+').close())",
        landlock,
        False,
    )
    yield write(
        "the ledger and the journal",
        "score = any_of(*(lambda f=f: open(f'{STUDY}/.swarm/{f}', 'r+').close() for f in ('ledger', 'swarms/wine/runs.journal')),\n"
        "               lambda: os.unlink(f'{STUDY}/.swarm/ledger'))",
        landlock,
    )
    yield write(
        "another run's input",
        "places = [f'{os.path.dirname(slot())}/slot{n}' for n in range(9)]\n"
        "score = any_of(*(lambda p=p: open(f'{p}/work{STUDY}/planted', 'w').close() for p in places if p != slot()))",
        landlock,
    )
    yield write(
        "settings of the system",
        "score = any_of(*(lambda f=f: open(f, 'r+').close() for f in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/swappiness')))",
        landlock,
        False,
    )
    yield write(
        "be spared when memory runs out",
        "score = any_of(lambda: must(open('/proc/self/oom_score_adj', 'w').write('-1000')))",
        landlock,
        False,
    )
    yield write(
        "modes, owners, times and attributes of a foreign file",
        "path = f'{OUTSIDE}/foreign/file'\n"
        "score = any_of(lambda: libc.chmod(path.encode(), 0o777) and must(0), lambda: os.chown(path, -1, -1),\n"
        "               lambda: must(libc.utimes(path.encode(), None) == 0), lambda: os.setxattr(path, 'user.x', b'x'))",
        seccomp,
    )
    yield write(
        "a lease on a file, so that whoever opens it must wait",
        "score = any_of(lambda: fcntl.fcntl(os.open('data.csv', os.O_RDONLY), 1024, 1))",
        "seccomp: no leases and no notifications of files",
    )
    yield Attack(
        "a lock on a file, so that others who ask for it must wait",
        CANNOT,
        "score = any_of(lambda: fcntl.flock(os.open('data.csv', os.O_RDONLY), fcntl.LOCK_EX))",
        "whoever may read a file may lock it (flock); libraries need it, and the lock ends with the run. A library that asks "
        "for a lock before it reads (HDF5) can fail in runs at the same time, which shows as failed runs, never as a value",
    )
    yield Attack(
        "another file under the name of an input, before a line that reads it",
        CANNOT,
        "os.remove('data.csv'); open('data.csv', 'w').write('forged')\nscore = float(open('data.csv').read() == 'forged')",
        "a run's folder is its own, and libraries replace files there all the time. The file beside the notebook stays as it "
        "is, and declared edits cannot do this: only code that nobody has read can, whose findings are unaudited",
    )
    yield Attack(
        "forge an input for the run that comes next",
        PREVENTED,
        "os.remove('data.csv'); open('data.csv', 'w').write('forged'); open('numpy.py', 'w').write('1/0')\n"
        "open(os.path.expanduser('~/.pythonrc'), 'w').close(); os.makedirs('../../planted', exist_ok=True); score = 0.0",
        "after each run its folder is made anew; the next run of the test reads the input",
    )


def _connects() -> Iterable[Attack]:
    def connect(name: str, code: str, control: bool = True) -> Attack:
        return Attack(name, PREVENTED, code, "seccomp: no socket but a pair; and a network without connections",
                      control, layers=True)  # fmt: skip

    yield connect(
        "a TCP connection", "score = any_of(lambda: socket.create_connection(('127.0.0.1', TCP), 2).sendall(b'x'))"
    )
    yield connect(
        "a UDP packet", "score = any_of(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP)))"
    )
    yield connect(
        "a Unix socket by its path",
        "score = any_of(lambda: socket.socket(socket.AF_UNIX).connect(f'{OUTSIDE}/listens'))",
    )
    yield connect(
        "an abstract Unix socket", "score = any_of(lambda: socket.socket(socket.AF_UNIX).connect('\\0' + ABSTRACT))"
    )
    yield connect(
        "a packet from one end of a pair to somebody else",
        "score = any_of(lambda: socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', f'{OUTSIDE}/datagrams'))",
        False,
    )
    yield connect(
        "netlink", "score = any_of(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0)))"
    )
    yield connect(
        "raw sockets and packet sockets",
        "score = any_of(*(lambda a=a: socket.socket(*a) for a in ((2, 3, 1), (10, 3, 58), (17, 3, 768), (38, 5, 0))))",
        False,
    )
    yield connect("listening", "s = any_of(lambda: socket.create_server(('127.0.0.1', 0)))\nscore = s")
    yield connect(
        "io_uring, which no filter sees",
        "score = any_of(lambda: must(libc.syscall(425, 8, ctypes.create_string_buffer(120)) > 0))",
        False,
    )
    yield connect(
        "a connection of a child's",
        "code = f'import socket; socket.create_connection((\"127.0.0.1\", {TCP}), 2)'\n"
        "score = any_of(lambda: must(subprocess.run([sys.executable, '-c', code], capture_output=True).returncode == 0))",
    )


def _processes() -> Iterable[Attack]:
    signals = "Landlock (from ABI 6) or seccomp: no signal leaves the run"

    def touch(name: str, code: str, by: str = signals, control: bool = True) -> Attack:
        return Attack(name, PREVENTED, code, by, control, layers=True)

    for name, pid in (("runner", "RUNNER"), ("zygote", "ZYGOTE"), ("keeper", "KEEPER")):
        yield touch(
            f"kill or stop the {name}",
            f"score = any_of(lambda: os.kill({pid}, 0), lambda: must(libc.syscall(TKILL, {pid}, 0) == 0),\n"
            f"               lambda: signal.pidfd_send_signal(os.pidfd_open({pid}), 0), lambda: os.killpg({pid}, 0))",
        )
    yield touch("kill whatever can be killed", "os.kill(-1, signal.SIGWINCH); score = 0.0", control=False)
    yield touch(
        "kill a run beside it",
        "def other(pid):\n    must(os.getpgid(0) != pid); os.kill(pid, 0)\n"
        "score = any_of(*(lambda pid=pid: other(pid) for pid in pids() if pid != os.getpid()))",
    )
    yield touch(
        "trace the runner or the zygote",
        "score = any_of(*(lambda pid=pid: must(libc.syscall(PTRACE, 0x4206, pid, 0, 0) == 0) for pid in (ZYGOTE, KEEPER)))",
        "seccomp: no tracing",
        False,
    )
    yield touch(
        "limits, priority and cores of the runner",
        "score = any_of(lambda: resource.prlimit(RUNNER, resource.RLIMIT_CORE, resource.prlimit(RUNNER, resource.RLIMIT_CORE)),\n"
        "               lambda: os.sched_setaffinity(RUNNER, os.sched_getaffinity(0)),\n"
        "               lambda: os.setpriority(os.PRIO_PROCESS, RUNNER, 0))",
        "seccomp: a process may set these for itself alone",
    )
    yield touch(
        "run before others",
        "score = any_of(lambda: os.nice(-5), lambda: must(libc.syscall(251, 1, 0, 1 << 13 | 0) == 0 and os.nice(0) < 10))",
        "runs are niced, and have no privilege to take that back",
        False,
    )
    yield touch(
        "namespaces, mounts, modules, the clock, a new root",
        "score = any_of(lambda: must(libc.unshare(0x10000000) == 0), lambda: must(libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0) == 0),\n"
        "               lambda: must(libc.chroot(b'.') == 0), lambda: time.clock_settime(0, 1.0), lambda: os.setuid(12345),\n"
        "               lambda: must(libc.ptrace(0, 0, 0, 0) == 0), lambda: must(libc.syscall(272, 0x20000) == 0))",
        "seccomp: refused; capabilities are given away",
        False,
    )

    def outlive(name: str, code: str) -> Attack:
        return Attack(name, PREVENTED, code, "seccomp keeps it in its session, the zygote adopts orphans and kills the session "
                      "until nothing is left", seconds=2.0, layers=True)  # fmt: skip

    yield outlive(
        "fork twice and begin a session, to outlive the run",
        "if os.fork() == 0:\n"
        "    any_of(os.setsid, lambda: os.setpgid(0, 0), lambda: libc.prctl(36, 1))\n"
        "    if os.fork() == 0:\n        os.execlp('sleep', 'sleep', NAP)\n    os._exit(0)\n"
        "os.wait()\n"
        "any_of(lambda: subprocess.Popen(['sleep', NAP], start_new_session=True), lambda: subprocess.Popen(['setsid', 'sleep', NAP]))\n"
        "subprocess.Popen(['sleep', NAP], process_group=0) if any_of(lambda: os.setpgid(0, 0)) else None\nscore = 0.0",
    )
    yield outlive(
        "children that ignore SIGTERM, beyond the time-out",
        "for number in (1, 2, 3, 13, 15): signal.signal(number, signal.SIG_IGN)\n"
        "for _ in range(5): subprocess.Popen(['sleep', NAP])\nforever()",
    )
    yield outlive(
        "a child whose parent is the zygote",
        "pid = libc.syscall(CLONE, 0x8000 | 17, 0, 0, 0, 0)\n"
        "if pid == 0: os.execlp('sleep', 'sleep', NAP)\nscore = float(pid > 0)",
    )
    yield outlive(
        "a daemon that has closed everything",
        "if os.fork() == 0:\n    os.chdir('/'); os.closerange(0, 100)\n"
        "    if os.fork() == 0: os.execlp('sleep', 'sleep', NAP)\n    os._exit(0)\nscore = 0.0",
    )
    yield outlive("kill itself while children go on", "subprocess.Popen(['sleep', NAP]); os.kill(os.getpid(), 9)")
    yield outlive("stop itself", "os.kill(os.getpid(), signal.SIGSTOP); forever()")


def _exhausts() -> Iterable[Attack]:
    def ends(name: str, code: str, by: str, seconds: float = 30.0) -> Attack:
        return Attack(name, PREVENTED, code + "\nscore = 1.0", by, seconds=seconds)

    memory = "resident memory of the run and all that it has started is watched, and files without a name with it"
    yield ends("a fork bomb", "while True: os.fork()", "processes are counted, and the run is ended at the limit")
    yield ends(
        "orphans without end",
        "while True:\n    if os.fork() == 0:\n        os.fork(); os._exit(0)\n    os.wait()",
        "orphans are the zygote's to collect; after the time-out the session is killed",
        1.5,
    )
    yield ends(
        "a bomb of threads",
        "def wait(): time.sleep(30)\nthreading.stack_size(65536)\nfor _ in range(20_000): threading.Thread(target=wait, daemon=True).start()",
        "threads are counted with the processes",
    )
    yield ends("a bomb of memory", "kept = []\nwhile True: kept.append(bytearray(b'x') * 10_000_000)", memory)
    yield ends(
        "memory in many processes",
        "for _ in range(20):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * 100_000_000; forever()\nforever()",
        memory,
    )
    yield ends(
        "memory in a file without a name (memfd)",
        "f = os.memfd_create('x')\nwhile True: os.write(f, b'x' * 10_000_000)",
        memory,
    )
    yield Attack(
        "shared memory without a name, its pages given back",
        CANNOT,
        "kept = []\nfor _ in range(90):\n    m = mmap.mmap(-1, 10_000_000); kept.append(m)\n"
        "    m.write(b'x' * 10_000_000); m.madvise(mmap.MADV_DONTNEED)\n"
        "time.sleep(0.6); score = 1.0",
        "such pages (mmap of shared memory, then MADV_DONTNEED) are resident in no process, and only a cgroup would count them. "
        "Where memory runs out because of them the kernel ends experiments first, and the memory goes with its run",
    )
    yield ends(
        "memory of a process whose first thread has ended",
        "def hog():\n    kept = []\n    while True:\n        kept.append(bytearray(b'x') * 10_000_000); time.sleep(0.001)\n"
        "threading.Thread(target=hog).start(); libc.syscall(60 if os.uname().machine == 'x86_64' else 93, 0)",
        memory,
    )
    yield ends(
        "a huge mapping, touched", "m = mmap.mmap(-1, 8 << 30)\nfor n in range(0, 8 << 30, 4096): m[n] = 1", memory
    )
    yield ends(
        "shared memory in /dev/shm",
        "f = open('/dev/shm/x', 'wb', 0)\nwhile True: must(f.write(b'x' * 10_000_000) == 10_000_000)",
        "a run has a /dev/shm of its own, of limited size, gone with it",
    )
    yield ends(
        "System V shared memory and message queues, which outlive a run",
        "must(libc.shmget(0, 1 << 20, 0o1600) >= 0)",
        "seccomp: no such objects",
    )
    disk = "what a run has on the disk is counted when the disk gets fuller, and the run is ended at the limit"
    yield ends("a huge file", "f = open('x', 'wb', 0)\nwhile True: f.write(b'x' * 10_000_000)", disk)
    yield ends(
        "a huge file that was deleted",
        "f = open('x', 'wb', 0); os.unlink('x')\nwhile True: f.write(b'x' * 10_000_000)",
        disk,
    )
    yield ends(
        "a huge file, too deep to be counted",
        "for _ in range(1500): os.mkdir('d' * 9); os.chdir('d' * 9)\nf = open('x', 'wb', 0)\nwhile True: f.write(b'x' * 10_000_000)",
        disk,
    )
    yield ends("many small files", "for n in range(10**7): os.close(os.open(f'{n}', os.O_CREAT | os.O_WRONLY))", disk)
    yield ends(
        "a sparse file", "open('x', 'wb').truncate(1 << 42)", "a limit of the system on the length of a file (EFBIG)"
    )
    time_out = "after the time-out the kernel kills every process of the run; no signal handler is asked"
    yield ends("an infinite loop in Python", "while True: pass", time_out, 1.0)
    yield ends("an infinite loop in C", "re.match('(a+)+b', 'a' * 60)", time_out, 1.0)
    yield ends("an infinite loop in a thread", "threading.Thread(target=forever).start()\nforever()", time_out, 1.0)
    yield ends(
        "an infinite loop that ignores signals and catches everything",
        "for n in range(1, 65): any_of(lambda: signal.signal(n, signal.SIG_IGN))\n"
        "while True:\n    try: forever()\n    except BaseException: pass",
        time_out,
        1.0,
    )
    yield ends(
        "burning all cores in many processes",
        "for _ in range(16):\n    if os.fork() == 0:\n        while True: pass\nforever()",
        time_out + "; meanwhile runs are niced and each session has its share of the cores",
        1.5,
    )
    told = "a cell's output is cut with a note; what C code writes is watched, too"
    yield ends("a notebook that never stops printing", "while True: print('y' * 1000)", told, 2.0)
    yield ends("C code that never stops printing", "while True: os.write(1, b'y' * 100_000)", told, 5.0)
    yield ends("output as a sparse file", "os.ftruncate(1, 1 << 31), os.ftruncate(2, 1 << 31), forever()", told, 3.0)
    yield ends("an error of 100 MB", "raise ValueError('x' * 100_000_000)", told)
    yield ends(
        "a core dump of the zygote's memory",
        "os.kill(os.getpid(), 11)",
        "no core is dumped (RLIMIT_CORE)",
    )


def _slots() -> Iterable[Attack]:
    def leave(name: str, code: str) -> Attack:
        return Attack(name, PREVENTED, code + "\nscore = 0.0", "what a run leaves is removed without following links, whatever "
                      "its depth, names and modes; only plain files are kept")  # fmt: skip

    yield leave(
        "folders nested 1,500 deep", "for _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('x', 'w').write('y')"
    )
    yield leave(
        "folders that cannot be read, entered or written",
        "old = os.umask(0)\nos.mkdir('none', 0); os.makedirs('out/in'); open('out/in/x', 'w').close(); os.mkdir('out/none', 0)\n"
        "os.mkdir(slot() + '/tmp/none', 0o300); open(slot() + '/tmp/none/x', 'w').close()",
    )
    yield leave(
        "names with odd bytes",
        "for name in (b'\\xff\\xfe', b'new\\nline', b'-rf', b'\\x1b[2J', b'n' * 255, '\\u202e'.encode()): os.mkdir(name); open(name + b'/' + name, 'w')",
    )
    yield leave(
        "a pipe, and a file for another user",
        "os.mkfifo('pipe'); os.close(os.open('bits', os.O_CREAT | os.O_WRONLY, 0o6777))\n"
        "any_of(lambda: os.mknod('device', 0o60666, 0x801))",
    )
    yield leave(
        "links for the cleaner to follow",
        "target = f'{OUTSIDE}/foreign'\nos.symlink(target, 'link'); os.makedirs('out'); os.symlink(target, 'out/link')\n"
        "import shutil\nfor name in ('home', 'tmp', 'shm'):\n    shutil.rmtree(f'{slot()}/{name}', True)\n    os.symlink(target, f'{slot()}/{name}')",
    )
    yield leave(
        "the mirror replaced by a link",
        "os.rename(slot() + '/work', slot() + '/w'); os.symlink(STUDY, slot() + '/work')",
    )
    yield leave(
        "files where folders were",
        "import shutil\nfor name in ('home', 'tmp', 'shm', 'work'):\n    shutil.rmtree(f'{slot()}/{name}', True)\n    open(f'{slot()}/{name}', 'w').close()",
    )
    yield leave(
        "links to secrets among the files that are kept",
        "os.makedirs('kept/more')\nos.symlink(f'{OUTSIDE}/home/secret', 'kept/more/secret'); open('kept/plain', 'w').write('x')\n"
        "os.symlink('/etc', 'kept/etc'); os.symlink(f'{OUTSIDE}/home/secret', 'secret')",
    )
    yield leave("files on loan: its own folder removed", "import shutil\nshutil.rmtree(slot(), True)")


def _channel() -> Iterable[Attack]:
    checked = "frames are believed in nothing: each line is checked, what does not fit is left out and counted"

    signed = checked + "; the last frame signs all others with a key that came with the job"

    def speak(name: str, code: str, by: str = checked) -> Attack:
        return Attack(name, DETECTED if by == signed else PREVENTED, code, by)

    result = (
        "def shown(value):\n    import json\n    data = {'application/vnd.jupyter-swarm.result+json': "
        "{'metric': 'score', 'value': value, 'type': 'float'}}\n"
        "    return json.dumps({'cell': 4, 'msg': 'display_data', 'content': {'data': data, 'metadata': {}}}).encode() + b'\\n'\n"
    )
    yield Attack(
        "a forged result",
        DETECTED,
        result + 'tell(b\'{"cell":3,"end":9e8,"ok":true}\\n{"cell":4,"begin":9e8}\\n\', shown(1.0), '
        'b\'{"cell":4,"end":9e8,"ok":true}\\n{"done":true}\\n\'), os._exit(0)',
        "the last frame is signed with a key that came with the job, and says what the seal saw",
    )
    yield speak("a second result", result + "tell(b'{\"cell\":4,\"begin\":9e8}\\n', shown(1.0)); score = 0.5",
                "where not exactly one result is shown there is none")  # fmt: skip
    yield speak("a result in another cell", result + "tell(shown(1.0).replace(b'4', b'3', 1)); score = 'none'")
    yield speak("the last line before the end", "tell(b'{\"done\":true}\\n'); score = 1.0")
    yield speak(
        "garbage", "tell(os.urandom(100_000), b'\\n', b'\\xff\\n\\0\\n{}\\n[]\\nnull\\n' * 1000); score = 0.5", signed
    )
    yield speak("half a line, then death", 'tell(b\'{"cell":3,"msg":"stream",\'), os._exit(0)')
    yield speak(
        "a number of 5,000 digits, and something printed",
        "tell(b'\\n{\"cell\":' + b'1' * 5000 + b',\"begin\":'), os.write(1, b'x'), os._exit(0)",
    )
    yield speak(
        "unprintable output just before death",
        "os.write(1, b'\\0' * 300_000), os.write(2, b'\\xff\\0' * 100_000), os._exit(0)",
        "what is told of it is cut so that it fits into a message",
    )
    yield speak(
        "200 MB of frames",
        'line = b\'{"cell":3,"msg":"stream","content":{"name":"stdout","text":"\' + b\'y\' * 1_000_000 + b\'"}}\\n\'\n'
        "for _ in range(200): tell(line)\nforever()",
        "a run that tells more than 96 MB is ended",
    )
    yield speak("frames that take themselves back", "fd = get_ipython().display_pub.session.channel.descriptor\n"
                "any_of(lambda: os.ftruncate(fd, 0)), os._exit(97)",
                "a run that has begun has begun, whatever its frames and its exit status say")  # fmt: skip
    yield speak(
        "frames for other cells",
        'tell(*(b\'{"cell":%d,"begin":1}\\n\' % n for n in (-1, 0, 2, 3, 5, 10**9))); score = 0.5',
        signed,
    )
    yield speak(
        "deep JSON",
        'tell(b\'{"cell":3,"msg":"display_data","content":\' + b\'[\' * 10**6 + b\'\\n\'); score = 0.5',
        signed,
    )
    yield speak(
        "malformed and gigantic displays",
        "from IPython.display import display\n"
        "deep = {}\nfor _ in range(900): deep = {'x': deep}\n"
        "any_of(*(lambda d=d: display(d, raw=True) for d in ({'text/plain': 5}, {'image/png': 'x' * 30_000_000}, {'a/b': float('nan')},\n"
        "    {'application/json': deep}, {'text/html': '\\ud800'}, {5: 6}, {'text/plain': object()})))\nscore = 0.5",
    )
    yield speak(
        "NaN and what is no number as result",
        "class F(float):\n    def __float__(self): return 1.0\nscore = F('nan') * 1",
    )
    yield Attack(
        "control characters and markup in an error",
        PREVENTED,
        "E = type('\\x1b[2J<script>alert(1)</script>', (Exception,), {})\n"
        "raise E('\\x1b[31mred \\x9b31m \\x07 \\x1b]0;title\\x07 \\r\\b <img src=x onerror=alert(1)> \\u202e')",
        "control characters are taken out of messages and tracebacks; whoever shows them escapes markup",
    )


def _lies() -> Iterable[Attack]:
    sealed = "the seal: what the metric rests on (data, functions, names, what shows the result) is looked at before and after, "
    sealed += "and a run that changed it is discarded"
    free = "whatever the cell computes it may make up; the locked statements are compared before the run, and a finding that "
    free += "rests on free code needs a person's approval"

    def seen(name: str, code: str) -> Attack:
        return Attack(name, DETECTED, code, sealed)

    def lie(name: str, code: str, by: str = free) -> Attack:
        return Attack(name, CANNOT, code, by)

    replaced = "import measure\nmeasure.accuracy = lambda *a: 1.0\nscore = measure.accuracy([0], [1])"
    yield seen("the metric function replaced", replaced)
    yield seen(
        "the metric function's code replaced",
        "import measure\nmeasure.accuracy.__code__ = (lambda a, b: 1.0).__code__\nscore = measure.accuracy([0], [1])",
    )
    yield seen(
        "captured data edited in place", "labels[:] = [1] * len(labels)\nscore = float(sum(labels) == len(labels))"
    )
    yield seen(
        "numpy's seed taken away",
        "import numpy\nnumpy.random.seed = lambda *a: None\nnumpy.random.seed(5)\nscore = 1.0",
    )
    yield seen("random's seed taken away", "import random\nrandom.seed = lambda *a: None\nscore = 1.0")
    yield seen("the clock replaced", "time.time = lambda: 9e8\nscore = 1.0")
    yield seen(
        "the display machinery replaced",
        "import IPython.display\nreal = IPython.display.display\n"
        "def display(data, **more):\n    for each in data.values():\n"
        "        if isinstance(each, dict): each.update(value=1.0, type='float'); each.pop('reason', None)\n"
        "    real(data, **more)\nIPython.display.display = display\nscore = 0.1",
    )
    yield seen("float made to lie", "import builtins\nbuiltins.float = lambda x=0: 1.0\nscore = 0.1")
    yield lie("a made-up value", "score = 1.0")
    yield lie(
        "an estimator whose score lies", "class E:\n    def score(self, *a): return 1.0\nscore = E().score([0], [1])"
    )
    yield lie(
        "random draws replaced that no locked statement reaches",
        "import random\nrandom.random = lambda: 1.0\nscore = random.random()",
    )
    yield lie(
        "the seal blinded, then the metric function replaced",
        "import gc\nseal = next(each for each in gc.get_objects() if type(each).__name__ == 'Seal')\n"
        "for name in ('look', '_look_at_harness', '_look_at'): setattr(type(seal), name, lambda *a, **k: None)\n"
        + replaced,
        "whoever executes code in a process can change what looks at it there; " + free,
    )


def _endings() -> Iterable[Attack]:
    reason = "a run without a result is a failed run, with the reason"

    def end(name: str, code: str, by: str = reason) -> Attack:
        return Attack(name, PREVENTED, code, by)

    yield end("leave something to atexit", "import atexit\natexit.register(lambda: (open('/tmp/swarm-attack', 'w'), subprocess.Popen(['sleep', NAP])))\nscore = 0.5",
              "a run ends without handlers (os._exit)")  # fmt: skip
    yield end("exit with status 0 before the result", "score = 1.0; os._exit(0)")
    yield end("sys.exit", "score = 1.0\nsys.exit(0)")
    yield end("an exit of its own kind", "class E(SystemExit): pass\nscore = 1.0\nraise E(0)")
    yield end("KeyboardInterrupt", "score = 1.0\nraise KeyboardInterrupt")
    yield end("ask the shell to end", "score = 1.0\nget_ipython().ask_exit(); exit()")
    yield end(
        "replaced sys.stdout",
        "class S:\n    def __getattr__(self, n): raise SystemExit\nsys.stdout = sys.stderr = S()\nscore = 0.5",
    )
    yield end("closed descriptors", "os.closerange(0, 10); score = 1.0")
    yield end(
        "all descriptors closed, and opened again elsewhere",
        "os.closerange(0, 4096)\nfor _ in range(20): os.open('x', os.O_CREAT | os.O_RDWR)\nscore = 1.0",
    )
    yield end("die of a signal", "score = 1.0\nos.kill(os.getpid(), 9)")
    yield end("die in C", "score = 1.0\nctypes.string_at(0)")
    yield end(
        "the shell broken",
        "sh = get_ipython()\nfor n in ('run_cell', 'between', 'execution_count', 'payload_manager'): setattr(sh, n, None)\nscore = 1.0",
    )


ATTACKS: tuple[Attack, ...] = (
    *_reads(),
    *_writes(),
    *_connects(),
    *_processes(),
    *_exhausts(),
    *_slots(),
    *_channel(),
    *_lies(),
    *_endings(),
)


_HEAD = """# Attacks

What code in an experiment may try, and what comes of it. Each attack is really tried by `tests/experiments/test_attacks.py`,
by experiments of one laboratory, several at once, beside honest ones; this table is made of `tests/experiments/attacks.py`
(`python tests/experiments/attacks.py`), and a test compares the two.

*Prevented*: it does not get what it wants. *Detected*: the run is discarded. *Cannot be prevented in one process*: the test
sees it succeed; a finding that could rest on it needs a person's approval. Attacks marked ¹ succeed where nothing shuts in
(`JUPYTER_SWARM_ISOLATION=off`), which is tested, too.

What none of this covers: flaws of the kernel itself; what can be learned from how long something takes; names and command
lines of other processes where there is no /proc of a run's own; and a machine that lacks seccomp or Landlock, on which code
of a language model is refused.

| attack | | what stops it, or why nothing can |
|---|---|---|
"""


def document() -> str:
    """The text of `docs/attacks.md`."""
    rows = (f"| {each.name}{'¹' if each.control else ''} | {each.label} | {each.by} |\n" for each in ATTACKS)
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
