"""Keeping what a client declares: from now on, until they declare something else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clients.declared.choices import DeclaredFact
from clients.models import Declaration

# The top of a band without an upper end. Compared with it, no deposit is too much.
UNLIMITED: Final = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Declared:
    """An amount in the brand's base currency, with what was entered; or codes."""

    amount: Decimal | None = None
    given_amount: Decimal | None = None
    given_currency: str = ""
    codes: tuple[str, ...] = ()


def declare(*, client_id: int, source: str, given: Mapping[DeclaredFact, Declared | None], at: dt.datetime) -> None:
    """Keep what was declared in place of what held before; None ends that without declaring anything.

    The caller holds the client's lock.
    """
    Declaration.objects.filter(client=client_id, fact__in=list(given), until=None).update(until=at)
    Declaration.objects.bulk_create(
        Declaration(
            client_id=client_id,
            fact=fact,
            given_at=at,
            source=source,
            amount=None if declared.amount is None else min(declared.amount, UNLIMITED),
            given_amount=declared.given_amount,
            given_currency=declared.given_currency,
            codes=sorted(declared.codes),
        )
        for fact, declared in given.items()
        if declared is not None
    )
