"""A network without connections, and for each slot a view of the file system with a /dev/shm of its own.

Both are made once, by the process that forks the experiments: with privilege directly, else in a user namespace in
which the person is the person. Many hosts allow neither (containers, hardened systems); then seccomp still refuses
sockets, and /dev/shm is shared with whatever else runs for this person.

Entering a view that exists costs some microseconds. In it lie a fresh memory file system on /dev/shm, an empty folder
over each folder that is shut, and, with privilege alone, a /proc that shows an experiment its own processes only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from . import kernel
from .paths import SHM, within

_NEWNS, _NEWIPC, _NEWUSER, _NEWNET = 0x20000, 0x08000000, 0x10000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _READONLY, _REC, _SLAVE = 2, 4, 8, 1, 0x4000, 0x80000
_VIEW = "/proc/self/ns/mnt"


@dataclass
class Namespaces:
    """The namespaces of a zygote; `prepare` makes them, `view` and `enter` use them.

    slots: the folders of the slots. shm_bytes: how large a /dev/shm may grow. shut: folders to cover. keep: paths that
    must stay to be seen: no folder that has one of them below is covered.
    """

    slots: Sequence[str]
    shm_bytes: int = 1 << 30
    shut: Sequence[str] = ()
    keep: Sequence[str] = ()
    network: bool = False
    views: bool = False
    own_proc: bool = False
    _base: int = -1
    _views: list[int] = field(default_factory=list)

    def prepare(self, wanted: Sequence[str]) -> dict[str, str]:
        """Make what can be made of "network", "shm" and "proc"; for each of them why it is missing, or ""."""
        missing = {each: "" for each in wanted}
        both = [each for each in ("network", "shm") if each in wanted]
        for together in [both, *([each] for each in both if len(both) > 1)]:
            layers = [each for each in together if not self._has(each)]
            for as_user in (False, True):
                if not layers or (as_user and (self.network or self.views)):
                    continue
                why = tried(lambda layers=layers, as_user=as_user: self._make(layers, as_user))  # type: ignore[misc]
                if not why:
                    self._make(layers, as_user)
                    for each in layers:
                        missing[each] = ""
                    break
                for each in layers:
                    missing[each] = why
        if "proc" in missing:
            missing["proc"] = "" if self.own_proc else "it takes privilege, and a mount namespace"
        return missing

    def _has(self, layer: str) -> bool:
        return self.network if layer == "network" else self.views

    def _make(self, layers: Sequence[str], as_user: bool) -> None:
        """Make namespaces; what fails half-way leaves the process unusable, so it is tried in a fork before."""
        flags = (_NEWNET | _NEWIPC if "network" in layers else 0) | (_NEWNS if "shm" in layers else 0)
        if as_user:
            user, group = os.geteuid(), os.getegid()
            kernel.call("unshare", flags | _NEWUSER)
            maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
            for name, text in maps.items():
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
        else:
            kernel.call("unshare", flags)
        if "shm" in layers:
            self._make_views()
            self.views = True
        self.network = self.network or "network" in layers

    def _make_views(self) -> None:
        kernel.mount("none", "/", "", _REC | _SLAVE)
        self._base = os.open(_VIEW, os.O_RDONLY | os.O_CLOEXEC)
        for _ in self.slots:
            with self._back():
                kernel.call("unshare", _NEWNS)
                self._fresh_shm()
                for path in self.shut:
                    self._cover(os.path.realpath(path))
                self.own_proc = self._proc()
                self._views.append(os.open(_VIEW, os.O_RDONLY | os.O_CLOEXEC))

    def _fresh_shm(self) -> None:
        kernel.mount("tmpfs", SHM, "tmpfs", _NOSUID | _NODEV, f"size={self.shm_bytes},mode=1777")

    def _cover(self, path: str) -> None:
        if os.path.isdir(path) and not any(within(os.path.realpath(each), path) for each in self.keep):
            with contextlib.suppress(OSError):
                kernel.mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV | _READONLY, "size=4k,mode=755")

    def _proc(self) -> bool:
        """A /proc that shows a process only those which it may trace (Linux 5.8); whether there is one."""
        try:
            kernel.mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC, "hidepid=ptraceable")
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _back(self) -> Iterator[None]:
        """Come back to the base, and to the working folder, afterwards."""
        here = os.getcwd()
        try:
            yield
        finally:
            self._go(self._base, here)

    def _go(self, view: int, here: str) -> None:
        kernel.call("setns", view, _NEWNS)
        with contextlib.suppress(OSError):  # a folder that is gone
            os.chdir(here)

    @contextlib.contextmanager
    def view(self, slot: int) -> Iterator[None]:
        """As the slot sees the file system, for as long as this lasts."""
        if not self.views:
            yield
            return
        with self._back():
            self._go(self._views[slot], os.getcwd())
            yield

    def enter(self, slot: int) -> bool:
        """See the file system as the slot does, from now on; whether /dev/shm had to be made afresh.

        Raises:
            OSError: the kernel refuses it.
        """
        if not self.views:
            return False
        self._go(self._views[slot], os.getcwd())
        if not os.listdir(SHM):
            return False
        kernel.unmount(SHM)
        self._fresh_shm()
        return True

    def close(self) -> None:
        """Let go of the descriptors: nothing else may be entered."""
        for each in (self._base, *self._views):
            if each >= 0:
                os.close(each)
        self._base, self._views = -1, []


def tried(attempt: Callable[[], object]) -> str:
    """Try it in a fork of this process; "" if it went well, else why not."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            attempt()
        except BaseException as error:
            os.write(writing, (str(error) or type(error).__name__).encode("utf-8", "replace")[:2000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode("utf-8", "replace")
    return said if os.waitpid(pid, 0)[1] == 0 else said or "the attempt died"
