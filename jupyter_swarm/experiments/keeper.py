"""A small process between the runner and one kernel, so that nothing the kernel starts outlives it.

    python -I -S keeper.py FOLDER COMMAND...       or, in a fork of the zygote, main(FOLDER, begin)

It becomes the reaper of all its descendants (`PR_SET_CHILD_SUBREAPER`): a child that forks twice or begins its own
session comes back to it. When the pipe at its standard input closes (the runner closed it, or died however
suddenly), or the kernel ends, it kills descendants until none is left, removes FOLDER (the kernel's connection file,
sockets and temporary files) and exits as the kernel did (128 + N for signal N).

It runs under any Python 3 and imports only the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import select
import signal
import stat
import sys
import time
from collections.abc import Callable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
NICE = 10
STOPPED = 128 + signal.SIGKILL
PATIENCE_SECONDS = 10.0
"""A process that cannot be killed (another user's, or stuck in a driver) is given up after so long."""


def main(folder: str, begin: Callable[[], object]) -> int:
    """Start a kernel, keep it until it or the runner ends, leave nothing behind.

    Args:
        folder: removed at the end.
        begin: called in the kernel's process; it execs, or returns when the kernel is over.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signals, wake = os.pipe()
    for end in (signals, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
    os.nice(NICE)
    kernel = _start(begin, libc)
    status = _wait(kernel, signals, ending)
    _kill_descendants()
    remove(folder)
    return status


def _start(begin: Callable[[], object], libc: ctypes.CDLL) -> int:
    """Fork the kernel; it dies with this process, and before it where memory runs out."""
    keeper = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 127
    try:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as adjust:
            adjust.write("500")
        begin()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(status)


def _exec(command: list[str]) -> None:
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    os.execv(command[0], command)


def _wait(kernel: int, signals: int, ending: list[int]) -> int:
    """Reap whatever ends, until it is the kernel or the runner's end of the pipe has closed."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(signals, select.POLLIN)
    while not ending:
        ready = [fd for fd, _ in poll.poll()]
        if signals in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(signals, 4096)
        if (status := _reap(kernel)) is not None:
            return status
        if 0 in ready and not os.read(0, 1):
            break
    return STOPPED


def _reap(kernel: int) -> int | None:
    """Collect children that have ended; the kernel's exit status if it is among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == kernel:
                code = os.waitstatus_to_exitcode(ended[1])
                status = code if code >= 0 else 128 - code
    return status


def _kill_descendants() -> None:
    """Kill until no child is left: whatever is orphaned meanwhile becomes a child of this process."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _descendants(root: int) -> list[int]:
    """Processes below `root`, from /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as stat:
                parent = int(stat.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def remove(path: str) -> None:
    """Delete a file, or a folder with all below, as far as that can be; no link is followed.

    Depth does not matter (folders are brought up before they are emptied), nor do modes. Nobody may be at work in it.
    """
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        os.chmod(path, 0o700)
        _remove_below(path)
        os.rmdir(path)


def _remove_below(path: str) -> None:
    """Empty a folder."""
    mark, number, stuck = secrets.token_hex(8), 0, set()
    while folders := [each for each in _subfolders(path) if each not in stuck]:
        for folder in folders:
            for each in _subfolders(folder):
                with contextlib.suppress(OSError):
                    os.rename(each, os.path.join(path, f"{mark}-{number}"))
                number += 1
            try:
                os.rmdir(folder)
            except OSError:
                stuck.add(folder)


def _subfolders(folder: str) -> list[str]:
    """The folders in a folder, opened to this process; everything else in it is deleted."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for each in entries:
            with contextlib.suppress(OSError):
                if each.is_dir(follow_symlinks=False):
                    os.chmod(each.path, 0o700)
                    found.append(each.path)
                else:
                    os.unlink(each.path)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], lambda: _exec(sys.argv[2:])))
