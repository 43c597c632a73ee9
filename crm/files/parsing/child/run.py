"""The child's main function: confine itself, read the file, do the one operation, write the one answer."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from .confine import confine
from .refusal import Refusal


def operation_of(name: str) -> Any:
    """Import only the library that the operation needs, and return the operation."""
    from importlib import import_module

    kind, _dot, verb = name.partition(".")
    module = {"image": "images", "pdf": "pdfs", "workbook": "workbooks", "pages": "joining", "bundle": "bundles"}[kind]
    return import_module(f".{module}", __package__).OPERATIONS[verb]


def main() -> None:
    """Run the one operation that the parent ordered, confined, and write its result or its refusal."""
    order = json.loads(sys.argv[2])
    limits = order["limits"]
    status = _own_status()
    confine(limits["memory_bytes"], limits["cpu_seconds"], limits["output_bytes"])
    try:
        work = operation_of(order["operation"])
        with os.fdopen(0, "rb", closefd=False) as file:
            facts, content = work(file, **order["options"])
        _write({"facts": facts, "cost": _cost(status)}, content)
    except Refusal as refusal:
        _refuse({"refused": refusal.code, "values": refusal.values})
    except MemoryError:
        _refuse({"refused": "memory"})
    except OSError as error:
        _refuse({"refused": "output" if error.errno == 27 else "damaged", "error": repr(error)[:300]})  # 27: EFBIG
    except RecursionError:
        _refuse({"refused": "crashed"})
    except Exception as error:  # whatever a library says of a broken file
        _refuse({"refused": "damaged", "error": repr(error)[:300]})


def _own_status() -> BinaryIO | None:
    """Open this process's status before nothing can be opened any more; it is read at the end."""
    try:
        return Path("/proc/self/status").open("rb")
    except OSError:
        return None


def _cost(status: BinaryIO | None) -> dict[str, float]:
    """Measure this program alone: `ru_maxrss` would count the process that started it, too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu_seconds": round(used.ru_utime + used.ru_stime, 3)}
    if status is None:
        return cost
    with status:
        peak = next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM")), 0)
    return {**cost, "peak_bytes": peak}


def _write(head: dict[str, Any], content: bytes) -> None:
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(json.dumps(head).encode() + b"\n")
        out.write(content)


def _refuse(head: dict[str, Any]) -> None:
    os.ftruncate(1, 0)
    os.lseek(1, 0, os.SEEK_SET)
    _write(head, b"")
