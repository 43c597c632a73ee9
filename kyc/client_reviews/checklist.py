"""What is checked at a periodic review: documents, screening, answers and activity, each with what the records say today."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.facts import fact_of
from clients.models import Client
from crm.i18n import formats
from kyc.corporate.pages import company_of
from kyc.corporate.structure import structure_of
from kyc.queries import requirements_of


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to check: what it is, what the records say, and whether that is a concern."""

    label: str
    text: str
    is_concern: bool = False
    url: str = ""


def points_of(client: Client) -> list[Point]:
    """List what to check for a client. The caller has got the client through a scoped read; its brand is loaded."""
    page = client.get_absolute_url()
    return [
        *_documents(client, f"{page}?tab=kyc"),
        *_people(client, f"{page}?tab=kyc"),
        _screening(client),
        *_activity(client),
    ]


def _documents(client: Client, url: str) -> list[Point]:
    points = []
    for one in requirements_of(client):
        ends = min((document.expires_on for document in one.documents if document.expires_on), default=None)
        soon = ends is not None and ends < timezone.now().date() + dt.timedelta(days=90)
        if not one.is_met:
            points.append(Point(one.label, _("Not proved today"), True, url))
        elif ends is not None:
            points.append(Point(one.label, _("Valid until %(day)s") % {"day": formats.day(ends)}, soon, url))
        else:
            points.append(Point(one.label, _("Approved"), url=url))
    return points


def _people(client: Client, url: str) -> list[Point]:
    company = company_of(client)
    if company is None:
        return []
    flaws = structure_of(company).flaws
    return [Point(_("Directors and owners"), "; ".join(flaws) if flaws else _("Complete."), bool(flaws), url)]


def _screening(client: Client) -> Point:
    held = ", ".join(client.restrictions)
    text = _("Restricted: %(kinds)s") % {"kinds": held} if held else _("No restriction from a match")
    return Point(_("Screening"), text, bool(held), f"/compliance/clients/{client.pk}/")


def _activity(client: Client) -> list[Point]:
    """Deposits and trading beside what the client declared, which the questionnaires on the KYC tab show."""
    currency = client.brand.base_currency
    last = client.last_trade_at
    deposits = fact_of(client, "deposits_count") or 0
    return [
        Point(
            _("Deposits"),
            _("%(count)s deposits, %(net)s net")
            % {"count": deposits, "net": formats.money(client.net_deposits, currency)},
            url=f"{client.get_absolute_url()}?tab=kyc",
        ),
        Point(_("Last trade"), formats.day(last) if last else _("Never traded"), last is None and deposits > 0),
    ]
