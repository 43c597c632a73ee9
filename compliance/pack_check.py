"""Checking a pack from inside: the same code that a regulator runs, and whether the key is ours."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from django.conf import settings

from crm.security import keys


@dataclass(frozen=True)
class PackResult:
    rows: int = 0
    seals: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems


@cache
def verifier() -> ModuleType:
    """Load `deploy/verify_pack.py`: one program, given to regulators and used here."""
    path = settings.BASE_DIR / "deploy" / "verify_pack.py"
    spec = importlib.util.spec_from_file_location("verify_pack", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_pack(content: bytes) -> PackResult:
    """Verify an audit pack with the script that auditors get, and that this instance signed it; problems are listed, not raised."""
    script = verifier()
    try:
        trail, problems = script.verify(content)
    except script.NoPack as error:
        return PackResult(problems=[str(error)])
    if trail["public_key"] not in keys.verification_keys():
        problems.append("the pack was not signed by this instance")
    return PackResult(len(trail["rows"]), len(trail["seals"]), problems)
