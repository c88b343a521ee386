"""A process that has imported what the experiments import, and forks a kernel whenever it is asked to.

    python zygote.py FD FOLDER        FD: a Unix socket to the runner; FOLDER: where the experiments work

Importing is most of what a fresh kernel costs; a fork pays it once. It is exec'd, never forked, with a clean
environment and one thread for each numerical library, and it imports only: nothing of an experiment ever runs in it.
Before each fork it has to be single-threaded, since locks that other threads hold would be held for ever in the child.

The first message is `{"imports", "keeper"}`; it answers `{"ready": true}`, or why no kernel can be forked here. Each
later one is `{"folder", "arguments", "environment", "threads"}` with three descriptors (the keeper's standard input,
the kernel's standard error, the pipe for the exit status), answered by `{"pid"}` of the keeper. It runs under the
notebook's own interpreter and needs only ipykernel there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import os
import signal
import socket
import sys
from typing import Any

LONGEST = 1_000_000


def main(descriptor: int, folder: str) -> None:
    """Import, then fork for as long as the runner keeps its end of the socket open."""
    channel = socket.socket(fileno=descriptor)
    with contextlib.suppress(OSError):
        os.chdir(folder)
    request = json.loads(channel.recv(LONGEST))
    keeper = _keeper(request["keeper"])
    why = prepare(request["imports"])
    channel.send(json.dumps({"why": why} if why else {"ready": True}).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers that end are collected by the system
    gc.collect()
    gc.freeze()  # what is shared with the children stays shared: no collection writes to it
    while not why:
        body, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 3)
        if not body:
            return
        if threads() > 1:
            answer: dict[str, Any] = {"why": "an import has started threads"}
        else:
            pid = os.fork()
            if pid == 0:
                channel.close()
                _keep(keeper, json.loads(body), descriptors)
            answer = {"pid": pid}
        for each in descriptors:
            os.close(each)
        channel.send(json.dumps(answer).encode())


def prepare(imports: list[str]) -> str:
    """Import what a kernel is made of and what the experiments import; why nothing may be forked, or ""."""
    try:
        import ipykernel.ipkernel
        import ipykernel.kernelapp  # noqa: F401
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    sys.path.insert(0, "")  # modules beside the notebook
    for statement in imports:
        with contextlib.suppress(Exception):  # it fails again where it is seen: in the notebook
            exec(statement, {"__name__": "imports"})
    sys.path.remove("")
    return "an import has started threads" if threads() > 1 else ""


def threads() -> int:
    """How many threads this process has; 2 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 2


def _keep(keeper: Any, request: dict[str, Any], descriptors: list[int]) -> None:
    """In the child: become the keeper of one kernel, tell its exit status, and end."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        gc.unfreeze()
        stdin, stderr, told = descriptors
        os.dup2(stdin, 0)
        os.dup2(stderr, 2)
        os.close(stdin)
        os.close(stderr)
        status = keeper.main(request["folder"], lambda: _become_kernel(request, told))
        os.write(told, bytes([status]))
    finally:
        os._exit(status)


def _become_kernel(request: dict[str, Any], told: int) -> None:
    """In the kernel's process: as if `python -m ipykernel_launcher` had just been exec'd."""
    import random

    os.close(told)
    os.environ.update(request["environment"])
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if request["threads"] > 1:
        _allow(request["threads"])
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _allow(count: int) -> None:
    """Let libraries that were loaded with one thread use more; a child may raise the number, its parent never."""
    with contextlib.suppress(Exception):  # without threadpoolctl they go on with one
        import threadpoolctl

        threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        with contextlib.suppress(Exception):
            sys.modules["torch"].set_num_threads(count)


def _keeper(path: str) -> Any:
    """The keeper's module, by its path: nothing of ours is on the search path of an experiment."""
    spec = importlib.util.spec_from_file_location("swarm_keeper", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    main(int(sys.argv[1]), sys.argv[2])
