"""What keeps libraries at work inside a sandbox that forbids what they are used to.

Nothing here isolates anything. Each piece concerns a library's way of doing something that can be done otherwise:

- torch sends tensors between processes as descriptors over a socket; here they are sent by value, through the pipe.
- Modes and times of files may not be set. For a run's own files, where libraries set them as a matter of course
  (`joblib` with large arrays, `shutil.copy`), Python's `os.chmod` and `os.utime` do nothing instead of failing.
- From Python 3.14 on, processes come from a server that listens on a socket; here they are spawned.
- Where signals to children are refused (Landlock before ABI 6), `Process.terminate` asks over the pipe that each
  process of `multiprocessing` has anyway, and a thread in it answers.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing import popen_fork, process, reduction
from types import ModuleType
from typing import Any

from .paths import within

_TORCH = "torch.multiprocessing.reductions"
_MARK = "_swarm_adapted"
own: list[str] = []
"""Folders of this process's run, as `realpath` gives them."""


def adapt(modules: Mapping[str, ModuleType] | None = None, *, signals: bool = True) -> None:
    """Adapt what is loaded (`sys.modules`), and what will be; a second call changes nothing.

    signals: whether a process may signal its children.
    """
    known = sys.modules if modules is None else modules
    _send_by_value(known)
    _keep_modes()
    _spawn_rather_than_listen()
    if not signals:
        _terminate_by_pipe()


def _once(function: Callable[..., Any]) -> bool:
    """Whether this function is not one of ours yet."""
    return not hasattr(function, _MARK)


def _ours(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(function, _MARK, True)
    return function


def _send_by_value(modules: Mapping[str, ModuleType]) -> None:
    """Take torch's reducers out of the pickler for pipes, and let it register no others."""
    pickler: Any = reduction.ForkingPickler
    if _once(pickler.register):
        register = pickler.register

        def selective(kind: type, reduce: Callable[..., Any]) -> None:
            if getattr(reduce, "__module__", "") != _TORCH:
                register(kind, reduce)

        pickler.register = staticmethod(_ours(selective))
        reduction.register = selective  # type: ignore[assignment]
    if _TORCH in modules:
        for kind, reduce in list(pickler._extra_reducers.items()):
            if getattr(reduce, "__module__", "") == _TORCH:
                del pickler._extra_reducers[kind]


def _keep_modes() -> None:
    for name in ("chmod", "utime"):
        if _once(original := getattr(os, name)):
            tolerant = _ours(_tolerant(original))
            setattr(os, name, tolerant)
            for known in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
                if original in known:
                    known.add(tolerant)


def _tolerant(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def tolerant(path: Any, *arguments: Any, **options: Any) -> None:
        try:
            function(path, *arguments, **options)
        except PermissionError:
            if isinstance(path, int) or not any(within(os.path.realpath(os.fsdecode(path)), each) for each in own):
                raise

    return tolerant


def _spawn_rather_than_listen() -> None:
    context: Any = multiprocessing.context._default_context
    if context._actual_context is None and context._default_context._name == "forkserver":
        context._default_context = multiprocessing.get_context("spawn")


def _terminate_by_pipe() -> None:
    popen: Any = popen_fork.Popen
    if not _once(popen._send_signal):
        return
    kill, launch, bootstrap = popen._send_signal, popen._launch, process.BaseProcess._bootstrap  # type: ignore[attr-defined]

    def launched(self: Any, process_object: Any) -> None:
        launch(self, process_object)
        _, self.leash = self.finalizer._args  # the descriptors of two pipes: what it reads, what it writes

    def send(self: Any, number: int) -> None:
        if getattr(self, "leash", -1) < 0:
            kill(self, number)
        elif self.returncode is None:
            with contextlib.suppress(OSError):  # it has ended
                os.write(self.leash, bytes([number]))

    def begun(self: Any, parent_sentinel: int | None = None) -> Any:
        if parent_sentinel is not None:
            threading.Thread(target=_obey, args=(parent_sentinel,), daemon=True).start()
        return bootstrap(self, parent_sentinel)

    popen._launch, popen._send_signal = launched, _ours(send)
    process.BaseProcess._bootstrap = begun  # type: ignore[attr-defined]


def _obey(leash: int) -> None:
    """Wait until the parent has said how this process is to end, or is gone."""
    said = os.read(leash, 1)
    if said:
        os._exit(128 + said[0])
