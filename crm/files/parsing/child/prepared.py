"""The prepared child's main function: load the libraries, then fork for each file, wait for the fork, and pass its answer on.

It reads lengths and its parent's order, never a file. The fork gives up the pipes to the parent before it opens one.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import time
from typing import Any, BinaryIO

from .confine import confine
from .refusal import Refusal
from .run import _cost, _own_status

TICK_SECONDS = 0.004


def main(module_name: str) -> None:
    """Serve one parent until it closes the pipe."""
    module = _loaded(module_name)
    source, target = os.fdopen(0, "rb"), os.fdopen(1, "wb")
    target.write(b"ready\n")
    target.flush()
    while line := source.readline():
        order = json.loads(line)
        contents = [source.read(size) for size in order["sizes"]]
        refused, body, status = _in_a_fork(module, order, contents)
        target.write(json.dumps({"refused": refused, "bytes": len(body), "status": status}).encode() + b"\n" + body)
        target.flush()


def _loaded(module_name: str) -> Any:
    from django.conf import settings

    settings.configure(USE_I18N=False, USE_TZ=True)
    module = importlib.import_module(module_name)
    module.warm_up()
    return module


def _in_a_fork(module: Any, order: dict[str, Any], contents: list[bytes]) -> tuple[str, bytes, int | None]:
    """Let a fork of this process do the operation. Returns why there is no answer, or the answer; and how the fork ended."""
    answer = os.memfd_create("keelson-answer", os.MFD_CLOEXEC)
    try:
        child = os.fork()
        if not child:
            _work(module, order, contents, answer)
        status = _waited(child, time.monotonic() + order["limits"]["wall_seconds"])
        if status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)):
            return "time", b"", status
        if os.WIFSIGNALED(status) or os.WEXITSTATUS(status):
            is_memory = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
            return "memory" if is_memory else "crashed", b"", status
        size = os.lseek(answer, 0, os.SEEK_END)
        return "", os.pread(answer, size, 0), status
    finally:
        os.close(answer)


def _waited(child: int, deadline: float) -> int | None:
    """Wait for a fork, and end it when its time is over: None then."""
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(TICK_SECONDS)


def _work(module: Any, order: dict[str, Any], contents: list[bytes], answer: int) -> None:
    """In the fork: give up the parent's pipes and every right, do the operation, write the answer, end."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1):
            os.dup2(nothing, handle)
        limits = order["limits"]
        status = _own_status()
        confine(limits["memory_bytes"], limits["cpu_seconds"], limits["output_bytes"])
        with os.fdopen(answer, "wb", closefd=False) as target:
            _answer(module, order, contents, target, status)
        code = 0
    finally:
        os._exit(code)


def _answer(
    module: Any, order: dict[str, Any], contents: list[bytes], target: BinaryIO, status: BinaryIO | None
) -> None:
    try:
        facts, content = module.OPERATIONS[order["operation"]](contents, **order["options"])
        head = {"facts": facts, "cost": _cost(status)}
    except Refusal as refusal:
        head, content = {"refused": refusal.code, "values": refusal.values}, b""
    except MemoryError:
        head, content = {"refused": "memory"}, b""
    except Exception as error:  # whatever a library says of a broken file
        head, content = {"refused": "crashed", "error": repr(error)[:300]}, b""
    target.write(json.dumps(head).encode() + b"\n" + content)
