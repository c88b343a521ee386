"""Which files and folders are granted: the system's, the interpreter's, and those that a policy names."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import sys
from collections.abc import Iterable, Sequence

from .landlock import DEVICE, READ, READ_DIR, READ_FILE

_SYSTEM = """/usr /lib /lib32 /lib64 /bin /sbin /nix/store /gnu/store
    /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/ld.so.preload /etc/alternatives
    /etc/localtime /etc/timezone /etc/locale.alias /etc/mime.types /etc/magic /etc/fonts /var/cache/fontconfig
    /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts /etc/host.conf /etc/resolv.conf /etc/services /etc/protocols
    /etc/os-release /etc/lsb-release /etc/debian_version /etc/redhat-release
    /etc/ssl/certs /etc/ssl/openssl.cnf /etc/pki/tls/certs /etc/pki/tls/openssl.cnf /etc/pki/ca-trust /etc/OpenCL
    /sys/devices/system/cpu /sys/devices/system/node /sys/fs/cgroup /sys/kernel/mm/transparent_hugepage"""
_PROC = "/proc"
"""All of it: a process that descends from an experiment has a folder there that nobody can name before. Landlock itself
keeps the environment, memory and open files of processes outside shut; their command lines and names are not."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
SHM = "/dev/shm"
_CACHES = frozenset([".cache", ".keras"])


def system() -> list[tuple[str, int]]:
    """What every program needs."""
    more = [*glob.glob("/etc/python*"), *os.environ.get("LD_LIBRARY_PATH", "").split(":")]
    folders = [path for path in (*_SYSTEM.split(), *more) if path]
    return [*((path, READ) for path in folders), (_PROC, READ_FILE | READ_DIR), *((path, DEVICE) for path in _DEVICES)]


def interpreter() -> list[str]:
    """The interpreter and the libraries that it finds: prefixes, `sys.path`, and what is installed to be edited."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, here, *sys.path]
    found.append(os.path.dirname(os.path.realpath(sys.executable)))
    for name, module in list(sys.modules.items()):
        if name.startswith("__editable__"):
            found += [str(path) for path in getattr(module, "MAPPING", {}).values()]
    return [path for path in dict.fromkeys(map(os.path.realpath, filter(None, found))) if not _too_much(path)]


def homes() -> list[str]:
    """The person's home, by the system's account and by the environment."""
    found = [os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError):  # an account that the system does not know
        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return [os.path.realpath(path) for path in dict.fromkeys(found) if path and path != "/"]


def hidden() -> list[str]:
    """What is hidden in the person's home, where programs keep keys; caches of data are not among it."""
    found = []
    for home in homes():
        with contextlib.suppress(OSError):
            found += [each.path for each in os.scandir(home) if each.name.startswith(".") and each.name not in _CACHES]
    return found


def _too_much(path: str) -> bool:
    """Whether it is a home, or has one below, or is the root."""
    return path == "/" or not os.path.exists(path) or any(within(home, path) for home in homes())


def within(path: str, folder: str) -> bool:
    """Whether it is the folder, or lies below it; both as `realpath` gives them.

    >>> within("/a/b", "/a"), within("/a", "/a"), within("/ab", "/a")
    (True, True, False)
    """
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def grants(read: Iterable[tuple[str, int]], shut: Sequence[str], listing: bool) -> dict[str, int]:
    """Path → rights, so that what is read is granted, but nothing that is shut."""
    closed = [os.path.realpath(path) for path in shut]
    granted: dict[str, int] = {}
    for path, rights in read:
        _grant(os.path.realpath(path), rights, closed, listing, granted)
    return granted


def _grant(path: str, rights: int, closed: list[str], listing: bool, granted: dict[str, int]) -> None:
    if any(within(path, each) for each in closed):
        return
    inside = [each for each in closed if within(each, path)]
    if not inside:
        granted[path] = granted.get(path, 0) | rights
        return
    if listing:
        granted[path] = granted.get(path, 0) | READ_DIR
    try:
        entries = [entry.path for entry in os.scandir(path) if not entry.is_symlink()]
    except OSError:
        return
    for entry in entries:  # a link's target is not below: it is granted where it lies, or not at all
        _grant(entry, rights, inside, listing, granted)
