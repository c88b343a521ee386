"""What an experiment may use up, and the privilege that it gives away.

Limits bind each process, not all of them together, and RLIMIT_NPROC does not bind root: memory and the number of
processes are for the parent to watch. Without capabilities root is still the owner of its files.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource
import struct

from . import kernel
from .policy import Policy

_NO_NEW_PRIVS, _SECUREBITS, _AMBIENT, _AMBIENT_CLEAR = 38, 28, 47, 4
_NO_ROOT = 0x0F  # being root gives nothing at exec; nor does becoming it; both locked
_HEAD = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
_NONE = ctypes.create_string_buffer(24)


def chosen(policy: Policy) -> list[tuple[int, int]]:
    """Which resource is limited to what, never above what limits this process already."""
    limits = []
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, policy.file_bytes),
        (resource.RLIMIT_NOFILE, policy.open_files),
        (resource.RLIMIT_CPU, policy.cpu_seconds),
    ):
        if value is not None:
            hard = resource.getrlimit(what)[1]
            limits.append((what, value if hard == resource.RLIM_INFINITY else min(value, hard)))
    return limits


def apply(limits: list[tuple[int, int]]) -> None:
    """Limit this process and its descendants."""
    for what, value in limits:
        resource.setrlimit(what, (value, value))


def renounce() -> None:
    """Give privilege away: no program gains any at exec, and capabilities are dropped.

    Raises:
        OSError: the kernel refuses it.
    """
    kernel.call("prctl", _NO_NEW_PRIVS, 1)
    for option, value in ((_SECUREBITS, _NO_ROOT), (_AMBIENT, _AMBIENT_CLEAR)):
        with contextlib.suppress(OSError):  # who has no CAP_SETPCAP has nothing to lock
            kernel.call("prctl", option, value)
    kernel.call("capset", ctypes.addressof(_HEAD), ctypes.addressof(_NONE))
