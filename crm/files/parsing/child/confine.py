"""Taking rights away from this process before it opens a file: memory, time, output, descriptors; no network, no programs, no
files but those of Python and its libraries.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys

FILES_MAX = 64
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 38, 22, 2
ALLOW, DENY = 0x7FFF0000, 0x00050000 | 1  # EPERM
# socket, connect, socketpair, bind, execve, execveat, ptrace, process_vm_readv, process_vm_writev, kill, io_uring_setup
DENIED = {
    "x86_64": (0xC000003E, (41, 42, 53, 49, 59, 322, 101, 310, 311, 62, 425)),
    "aarch64": (0xC00000B7, (198, 203, 199, 200, 221, 281, 117, 270, 271, 129, 425)),
}
# Landlock: landlock_create_ruleset, landlock_add_rule, landlock_restrict_self have these numbers on every processor.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# What a kernel of each version can take away: all of 1, then moving between folders (2) and shortening files (3).
ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/fonts")


def confine(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    """Limit this process before it opens a stranger's file: memory, CPU time, output, files and system calls."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, output_bytes),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        # One second between SIGXCPU, which says why, and SIGKILL.
        _limit(kind, most, most + 1 if kind == resource.RLIMIT_CPU else most)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _close_files(libc)
        _filter_system_calls(libc)
    with contextlib.suppress(OSError):
        os.nice(5)


def _limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit where the system has it: some know it by name only, and the others and the wall time hold there."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


def _close_files(libc: ctypes.CDLL) -> None:
    """Close the file system by Landlock: only Python's own files and libraries still open, for reading; open descriptors stay.

    Where the kernel has no Landlock (before 5.13, or not among its `lsm=`), the system user's files stay readable.
    See https://docs.kernel.org/userspace-api/landlock.html.
    """
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION))
    if version < 1:
        return
    rights = ctypes.c_uint64(ALL_RIGHTS[min(version, max(ALL_RIGHTS))])
    rules = libc.syscall(CREATE_RULESET, ctypes.byref(rights), ctypes.c_size_t(8), ctypes.c_uint32(0))
    if rules < 0:
        return
    for path in _readable():
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE  # noqa: PTH112 - no import may follow
            rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, handle))
            libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0))
            os.close(handle)
    libc.syscall(RESTRICT_SELF, rules, ctypes.c_uint32(0))
    os.close(rules)


def _readable() -> list[str]:
    """List where modules and shared libraries are. A path that a `.pth` file adds, such as a project's own, is none of them."""
    roots = (sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    modules = [path for path in sys.path if path.startswith(roots)]
    shared = [path for name in ("LD_LIBRARY_PATH",) for path in os.environ.get(name, "").split(":") if path]
    return [*modules, f"{sys.base_prefix}/lib", *LIBRARIES, *shared]


def _filter_system_calls(libc: ctypes.CDLL) -> None:
    """seccomp-bpf: what opens a connection, starts a program or reaches into another process answers "not permitted".

    Where the kernel has no seccomp, or on another processor, the limits hold alone. See prctl(2), seccomp(2).
    """
    if platform.machine() not in DENIED:
        return
    arch, calls = DENIED[platform.machine()]

    def line(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    load, equal, answer = 0x20, 0x15, 0x06
    program = [line(load, 0, 0, 4), line(equal, 1, 0, arch), line(answer, 0, 0, DENY), line(load, 0, 0, 0)]
    program += [line(equal, len(calls) - at, 0, number) for at, number in enumerate(calls)]
    program += [line(answer, 0, 0, ALLOW), line(answer, 0, 0, DENY)]
    code = ctypes.create_string_buffer(b"".join(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(head), 0, 0)
