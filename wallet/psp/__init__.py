"""Payment service providers: one small protocol (`base`), one module per kind of provider, one door (`adapter_of`)."""

from __future__ import annotations

from collections.abc import Callable

from wallet.models import Psp
from wallet.psp.base import PspAdapter
from wallet.psp.sandbox import SandboxAdapter

ADAPTERS: dict[str, Callable[[Psp], PspAdapter]] = {"sandbox": SandboxAdapter}


def adapter_of(psp: Psp) -> PspAdapter:
    """The adapter that speaks this PSP's protocol, with its keys."""
    return ADAPTERS[psp.adapter](psp)
