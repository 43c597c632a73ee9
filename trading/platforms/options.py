"""Settings that the way to one kind of platform needs beside host, port, manager and password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that the way to one kind of platform needs beside host, port, manager and password.

    `pattern`: a regular expression that the whole value must match. `choices`: (value, label).
    """

    name: str
    label: Any
    help: Any = ""
    default: str = ""
    is_required: bool = False
    is_secret: bool = False
    pattern: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
