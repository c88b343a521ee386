"""System calls by their names, without a library of the system's in between.

The kernel's numbers differ between machines; those of x86_64 and of aarch64 stand here (arch/x86/entry/syscalls and
include/uapi/asm-generic/unistd.h of Linux 6.17). Elsewhere `SUPPORTED` is false and no layer is in force.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform

MACHINE = platform.machine()
SUPPORTED = MACHINE in ("x86_64", "aarch64") and ctypes.sizeof(ctypes.c_void_p) == 8 and os.name == "posix"
NEWEST = 469
"""The highest number that was looked at (file_setattr); what is newer is unknown to these filters."""

_DETACH = 2
_BOTH = """
fchmodat2 452 452
socket 41 198
connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242, socketpair 53 199, sendto 44 206
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427
chmod 90 -, fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16
setxattrat 463 463, removexattrat 466 466, file_setattr 469 469
setsid 112 157, setpgid 109 154
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, process_mrelease 448 448
pidfd_getfd 438 438, kcmp 312 272, perf_event_open 298 241, bpf 321 280, userfaultfd 323 282, memfd_secret 447 447
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429, fsopen 430 430
fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442, open_tree_attr 467 467
unshare 272 97, setns 308 268, clone 56 220, clone3 435 435
keyctl 250 219, add_key 248 217, request_key 249 218, swapon 167 224, swapoff 168 225, reboot 169 142
kexec_load 246 104, kexec_file_load 320 294, init_module 175 105, finit_module 313 273, delete_module 176 106
create_module 174 -, query_module 178 -, quotactl 179 60, quotactl_fd 443 443
settimeofday 164 170, clock_settime 227 112, adjtimex 159 171, clock_adjtime 305 266, personality 135 92
open_by_handle_at 304 265, name_to_handle_at 303 264, syslog 103 116, acct 163 89, lookup_dcookie 212 18
nfsservctl 180 42, _sysctl 156 -, uselib 134 -, vhangup 153 58, iopl 172 -, ioperm 173 -, modify_ldt 154 -
sethostname 170 161, setdomainname 171 162, fanotify_init 300 262, fanotify_mark 301 263, inotify_add_watch 254 27
shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190, semctl 66 191, semop 65 193, semtimedop 220 192
msgget 68 186, msgctl 71 187, msgsnd 69 189, msgrcv 70 188, mq_open 240 180, mq_unlink 241 181
prctl 157 167, ioctl 16 29, fcntl 72 25, truncate 76 45, open 2 -, openat 257 56, openat2 437 437
setpriority 141 140, sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274
sched_setaffinity 203 122, ioprio_set 251 30, migrate_pages 256 238, move_pages 279 239, prlimit64 302 261
kill 62 129, tkill 200 130, tgkill 234 131, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240
pidfd_send_signal 424 424, pidfd_open 434 434
seccomp 317 277, capset 126 91, close_range 436 436
landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446
"""


def numbers(machine: str) -> dict[str, int]:
    """Name → number of every system call that a filter or a layer mentions and this machine has.

    >>> numbers("x86_64")["kill"], numbers("aarch64")["kill"], "chmod" in numbers("aarch64")
    (62, 129, False)
    """
    column = 1 if machine == "x86_64" else 2
    entries = [each.split() for line in _BOTH.split("\n") for each in line.split(",") if each.strip()]
    return {entry[0]: int(entry[column]) for entry in entries if entry[column] != "-"}


NUMBERS = numbers(MACHINE)
_libc = ctypes.CDLL(None, use_errno=True)
_raw = _libc.syscall
_raw.restype = ctypes.c_long
_raw.argtypes = [ctypes.c_long] * 7
_mount, _unmount = _libc.mount, _libc.umount2
_unmount.argtypes = [ctypes.c_char_p, ctypes.c_int]
_mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def call(name: str, *arguments: int) -> int:
    """A system call; what it returns.

    Raises:
        OSError: what the kernel says.

    >>> call("prctl", 39, 0, 0, 0, 0) in (0, 1)  # PR_GET_NO_NEW_PRIVS
    True
    """
    if not SUPPORTED:
        raise OSError(errno.ENOSYS, f"no system calls are known for {MACHINE}")
    result: int = _raw(NUMBERS[name], *arguments, *(0,) * (6 - len(arguments)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mount a file system, or change how one is mounted.

    Raises:
        OSError: what the kernel says.
    """
    if _mount(source.encode(), os.fsencode(target), kind.encode(), flags, data.encode() or None):
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind or target}: {os.strerror(code)}", target)


def unmount(target: str) -> None:
    """Take away what is mounted there; it vanishes when nobody uses it any more.

    Raises:
        OSError: what the kernel says.
    """
    if _unmount(os.fsencode(target), _DETACH):
        code = ctypes.get_errno()
        raise OSError(code, f"unmount: {os.strerror(code)}", target)
