"""Taking rights away from this process before it opens a file: memory, time, output, descriptors; no network, no programs."""

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


def confine(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, output_bytes), (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_CPU, cpu_seconds), (resource.RLIMIT_AS, memory_bytes),
    ):  # fmt: skip
        # One second between SIGXCPU, which says why, and SIGKILL.
        _limit(kind, most, most + 1 if kind == resource.RLIMIT_CPU else most)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _filter_system_calls(libc)
    with contextlib.suppress(OSError):
        os.nice(5)


def _limit(kind: int, soft: int, hard: int) -> None:
    """Some systems know a limit by name only; there the others and the wall time hold."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


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
