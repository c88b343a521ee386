"""Which system calls an experiment may make: a filter in the kernel (seccomp), in force wherever Linux runs.

It stops what no other layer does: sockets, io_uring (whose requests no other filter sees), changes of modes, owners,
times and attributes of files (Landlock does not look at them), leaving the session, signals and priorities of other
processes, tracing, keys, mounts, namespaces, objects of System V that outlive a run. A call is refused with EPERM,
as if the person had no right to it; what is newer than this table does not exist (ENOSYS).

What it cannot do: see what a pointer points to. So it knows no paths (that is Landlock's part), and where Landlock
does not confine signals (ABI < 6) a process may signal itself and its group, but none of its children alone.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from . import bpf, kernel
from .bpf import ALLOW, Branch, Decision

EPERM, ENOSYS = bpf.deny(errno.EPERM), bpf.deny(errno.ENOSYS)
_SET_MODE_FILTER = 1
_SELF = 0x3AD0CAFE
"""Stands in a compiled filter for the number of the process that it will be for; no process has such a one."""

_DENIED = """
    connect bind listen accept accept4 io_uring_setup io_uring_enter io_uring_register chmod fchmod fchmodat
    fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat setxattr lsetxattr fsetxattr
    removexattr lremovexattr fremovexattr setxattrat removexattrat file_setattr setsid setpgid ptrace
    process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp perf_event_open bpf
    userfaultfd memfd_secret mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick
    mount_setattr open_tree_attr unshare setns keyctl add_key request_key swapon swapoff reboot kexec_load
    kexec_file_load init_module finit_module delete_module create_module query_module quotactl quotactl_fd
    settimeofday clock_settime adjtimex clock_adjtime open_by_handle_at name_to_handle_at syslog acct
    lookup_dcookie nfsservctl _sysctl uselib vhangup iopl ioperm modify_ldt sethostname setdomainname
    fanotify_init fanotify_mark inotify_add_watch shmget shmat shmctl semget semctl semop semtimedop msgget msgctl
    msgsnd msgrcv mq_open mq_unlink sched_setscheduler sched_setparam sched_setattr migrate_pages
"""
DENIED = tuple(_DENIED.split())
"""Refused whatever their arguments."""
_NAMES = ("connect", "bind", "listen", "accept", "accept4")

_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_SIBLING = 0x00008000  # CLONE_PARENT: a process whose parent would be the zygote
_PRCTL = (
    1,  # PR_SET_PDEATHSIG: what ends it with its parent
    4,  # PR_SET_DUMPABLE
    28,  # PR_SET_SECUREBITS
    35,  # PR_SET_MM
    36,  # PR_SET_CHILD_SUBREAPER: orphans are the zygote's to collect
    62,  # PR_SCHED_CORE
    0x59616D61,  # PR_SET_PTRACER
)
_FCNTL = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals by way of a file
_IOCTL = (
    0x5412,  # TIOCSTI: typing on somebody's terminal
    0x541C,  # TIOCLINUX
    0x540E,  # TIOCSCTTY
    0x8901,  # FIOSETOWN, SIOCSPGRP: as F_SETOWN
    0x8902,
    0x40086602,  # FS_IOC_SETFLAGS: attributes of a file that can be read
    0x40087602,  # FS_IOC_SETVERSION
    0x401C5820,  # FS_IOC_FSSETXATTR
)
_TRUNCATING, _ACCESS = os.O_TRUNC, os.O_ACCMODE


@dataclass(frozen=True)
class Rules:
    """What the filter depends on.

    network: sockets of the Internet are allowed; truncate, signals: whether Landlock sees to them; leader: the
    process forks experiments, which enter sessions of their own before they are filtered further.
    """

    network: bool = False
    truncate: bool = True
    signals: bool = True
    leader: bool = False


def decisions(rules: Rules, machine: str, pid: int) -> dict[int, Decision]:
    """Number of a system call → decision; `pid` is the process, and group, that it is for (if signals are its part)."""
    named: dict[str, Decision] = dict.fromkeys(DENIED, EPERM)
    if rules.network:
        for name in _NAMES:
            del named[name]
    if rules.leader:
        del named["setsid"]
    named.update(_arguments(rules, machine))
    if not rules.signals:
        named.update(_signals(pid))
    numbers = kernel.numbers(machine)
    return {numbers[name]: decision for name, decision in named.items() if name in numbers}


def _arguments(rules: Rules, machine: str) -> Iterator[tuple[str, Decision]]:
    """Calls that are judged by their arguments."""
    internet = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
    yield "socket", Branch(0, "in", ALLOW, EPERM, internet) if rules.network else EPERM
    # a datagram may name another receiver, in a structure that no filter sees
    kinds = Branch(1, "in", ALLOW, EPERM, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET), mask=0xF)
    yield "socketpair", Branch(0, "in", kinds, EPERM, (socket.AF_UNIX,))
    if not rules.network:
        yield "sendto", Branch(4, "null", ALLOW, EPERM)
    yield "clone", Branch(0, "bits", EPERM, ALLOW, (_NAMESPACES | _SIBLING,))
    yield "clone3", ENOSYS  # its flags lie behind a pointer; the C library takes clone then
    yield "personality", Branch(0, "in", ALLOW, EPERM, (0xFFFFFFFF,))
    yield "prctl", Branch(0, "in", EPERM, ALLOW, _PRCTL[1:] if rules.leader else _PRCTL)
    yield "fcntl", Branch(1, "in", EPERM, ALLOW, _FCNTL)
    yield "ioctl", Branch(1, "in", EPERM, ALLOW, _IOCTL)
    itself = Branch(0, "in", ALLOW, EPERM, (0,))
    yield "sched_setaffinity", itself
    yield "move_pages", itself
    yield "prlimit64", Branch(0, "in", ALLOW, Branch(2, "null", ALLOW, EPERM), (0,))
    process = Branch(1, "in", ALLOW, EPERM, (0,))
    yield "setpriority", Branch(0, "in", process, EPERM, (0,))
    yield "ioprio_set", Branch(0, "in", process, EPERM, (1,))
    if not rules.truncate:
        yield "truncate", EPERM
        yield "openat2", ENOSYS
        yield "open", Branch(1, "in", EPERM, ALLOW, (_TRUNCATING,), mask=_TRUNCATING | _ACCESS)
        yield "openat", Branch(2, "in", EPERM, ALLOW, (_TRUNCATING,), mask=_TRUNCATING | _ACCESS)


def _signals(pid: int) -> Iterator[tuple[str, Decision]]:
    """Signals go to this process and to its group alone; a descendant's to the same two."""
    itself = Branch(0, "in", ALLOW, EPERM, (pid,))
    yield "kill", Branch(0, "in", ALLOW, EPERM, (pid, 0, -pid & 0xFFFFFFFF))
    yield "tgkill", itself
    yield "rt_tgsigqueueinfo", itself
    yield "rt_sigqueueinfo", itself
    yield "tkill", EPERM
    yield "pidfd_send_signal", EPERM


class Filter:
    """A filter, compiled once (`Filter(rules)`) and put in force in each experiment (`enter`)."""

    def __init__(self, rules: Rules) -> None:
        whole = bpf.program(kernel.MACHINE, decisions(rules, kernel.MACHINE, _SELF), kernel.NEWEST, ENOSYS)
        self._code = ctypes.create_string_buffer(whole, len(whole))
        self._head = Program(len(whole) // 8, ctypes.addressof(self._code))
        self._process = _places(whole, _SELF)
        self._group = _places(whole, -_SELF)

    def enter(self) -> None:
        """Filter the calls of this process and of all its descendants, for ever. Needs no_new_privs, or privilege.

        Raises:
            OSError: the kernel refuses it.
        """
        for place in self._process:
            struct.pack_into("=i", self._code, place, os.getpid())
        for place in self._group:
            struct.pack_into("=i", self._code, place, -os.getpgid(0))
        kernel.call("seccomp", _SET_MODE_FILTER, 0, ctypes.addressof(self._head))


def _places(program: bytes, number: int) -> list[int]:
    """Where an instruction compares with this number."""
    wanted = struct.pack("=i", number)
    return [at + 4 for at in range(0, len(program), 8) if program[at + 4 : at + 8] == wanted]


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
