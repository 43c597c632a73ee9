"""Ports: which are free, and who holds one that is not."""

import contextlib
import os
import socket
from collections.abc import Iterable
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp


class PortTaken(RuntimeError):
    """A port that Keelson needs is in use; the message names it, its holder if known, and how to choose another."""


def check(host: str, ports: dict[str, tuple[int, str]]) -> None:
    """Require every port to be free. Raises: PortTaken. `wanted`: name → (port, how to choose another)."""
    problems = []
    numbers: dict[int, str] = {}
    for name, (port, choose) in ports.items():
        if port in numbers:
            problems.append(f"Port {port} is asked for twice, by {numbers[port]} and {name}. Choose another: {choose}")
        elif not is_free(host, port):
            problems.append(f"Port {port} ({name}) is taken{_by_whom(port)}. Choose another: {choose}")
        numbers[port] = name
    if problems:
        raise PortTaken("\n".join(problems))


def is_free(host: str, port: int) -> bool:
    """Tell whether we could listen there, as a server would."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Find that many different free ports; held together while asking, so that no two are the same."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [probe.getsockname()[1] for probe in probes]


def _by_whom(port: int) -> str:
    holder = find_holder(port)
    return f" by process {holder[0]} (`{holder[1]}`)" if holder else ""


def find_holder(port: int) -> tuple[int, str] | None:
    """Find the process that listens on this port and its command, where /proc lets us see it."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if str(descriptor.readlink()) in inodes:
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    return int(process.name), command.strip()[:120]
    return None


def _listening_inodes(port: int) -> Iterable[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"


def describe_process(pid: int) -> str:
    """Describe a process by its command, or by its number where that can't be read."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}" if pid != os.getpid() else "this process"
