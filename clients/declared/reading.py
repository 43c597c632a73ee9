"""Showing a colleague what a client declared: every look is in the access log."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clients.declared.choices import CODES, DeclaredFact
from clients.declared.declaring import UNLIMITED
from clients.models import Client, Declaration
from crm.choices import AccessKind
from crm.i18n import formats
from crm.models import User
from crm.money.amounts import Money
from crm.security import access_log


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    label: str
    text: str
    since: dt.datetime


def shown_to(user: User, client: Client) -> list[DeclaredLine]:
    """List what holds of a client now, and log the view. The caller has got the client through a scoped read."""
    rows = {row.fact: row for row in Declaration.objects.filter(client=client, until=None)}
    if rows:
        access_log.note(
            user=user,
            kind=AccessKind.VIEW,
            client_id=client.pk,
            brand_id=client.brand_id,
            target=f"clients.declarations:{client.pk}",
            rows=len(rows),
        )
    return [
        DeclaredLine(str(fact.label), _text(rows[fact], client.brand.base_currency), rows[fact].given_at)
        for fact in DeclaredFact
        if fact in rows
    ]


def _text(row: Declaration, base: str) -> str:
    if row.amount is None:
        known = CODES[row.fact]
        return ", ".join(str(known(code).label) if code in known.values else code for code in row.codes)
    if row.amount >= UNLIMITED:
        return _("No upper limit")
    if row.given_amount is not None and row.given_currency != base:
        given = formats.money(Money(row.given_amount, row.given_currency))
        return f"{given} ({formats.money(Money(row.amount, base))})"
    shown = formats.money(Money(row.amount, base))
    return shown if row.given_amount is not None else _("up to %(amount)s") % {"amount": shown}
