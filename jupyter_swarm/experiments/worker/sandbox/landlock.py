"""Which files an experiment may read and write: rules of the kernel's Landlock, in force from Linux 5.13 on.

A rule set names what is handled, and grants it below folders; what is handled and not granted is refused to the
process and to all that descend from it. More layers only take away. It also keeps a process from tracing, and so from
reading the environment and memory of, any process that is not shut in with it or further.

What it cannot do: it does not look at stat, chdir, chmod, chown, utime, extended attributes and flock, nor at
connections to a Unix socket's path (seccomp does). So names, sizes and times of files that are known by name can be
seen everywhere; folders cannot be listed. What a kernel's ABI lacks (2: renaming between folders, 3: truncation,
4: TCP, 5: ioctl of devices, 6: signals and abstract sockets), it does not refuse.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from . import kernel

_VERSION = 1
_BENEATH = 1
_PATH = getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_REMOVE, _MAKE = 0x30, 0x1780  # not: character and block devices
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | _REMOVE | _MAKE | _REFER | _TRUNCATE
DEVICE = READ_FILE | WRITE_FILE | _TRUNCATE | _IOCTL
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL
_NETWORK = 3
_SCOPES = 3  # signals, abstract Unix sockets


def abi() -> int:
    """The kernel's version of Landlock; 0 where it has none, or it is switched off."""
    try:
        return kernel.call("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def handled(version: int) -> int:
    """The rights to files that this version knows.

    >>> [handled(v).bit_length() for v in (1, 2, 3, 4, 5, 9)]
    [13, 14, 15, 15, 16, 16]
    """
    return (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1


class RuleSet:
    """What is granted; a descriptor that `restrict` puts in force and `close` gives back.

    Whoever holds the descriptor can add rules: it must be closed before code that is not trusted runs.
    """

    def __init__(self, version: int, network: bool = False) -> None:
        self.version = version
        self._handled = handled(version)
        fields = [self._handled]
        if version >= 4:
            fields.append(0 if network else _NETWORK)
        if version >= 6:
            fields.append(_SCOPES)
        attributes = ctypes.create_string_buffer(struct.pack(f"={len(fields)}Q", *fields))
        size = 8 * len(fields)
        self.descriptor = kernel.call("landlock_create_ruleset", ctypes.addressof(attributes), size, 0)
        self._rule = ctypes.create_string_buffer(12)
        self._address = ctypes.addressof(self._rule)

    def grant(self, path: str, rights: int) -> bool:
        """Grant rights to a file, or to a folder and all below; whether there is one.

        Raises:
            OSError: the kernel refuses the rule.
        """
        try:
            descriptor = os.open(path, _PATH)
        except OSError:
            return False
        try:
            self.grant_open(descriptor, rights)
        finally:
            os.close(descriptor)
        return True

    def grant_open(self, descriptor: int, rights: int) -> None:
        """Likewise, of a file that is open. Rights that a file cannot have are left out; a rule of none is no rule."""
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        if rights & self._handled:
            struct.pack_into("=Qi", self._rule, 0, rights & self._handled, descriptor)
            kernel.call("landlock_add_rule", self.descriptor, _BENEATH, self._address, 0)

    def grant_all(self, paths: Iterable[tuple[str, int]]) -> None:
        """Grant rights to many; those that do not exist are passed over."""
        for path, rights in paths:
            self.grant(path, rights)

    def restrict(self) -> None:
        """Put it in force in this process, for ever. Needs no_new_privs, or privilege.

        Raises:
            OSError: the kernel refuses it.
        """
        kernel.call("landlock_restrict_self", self.descriptor, 0)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
