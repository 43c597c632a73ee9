"""The demo's news for partners: one for everybody of the brand, one for the first partner's network."""

from __future__ import annotations

import datetime as dt

from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand
from ib.models import Partner
from ib.news.publishing import EVERYBODY, Audience, publish_news

PAYOUTS = {
    "en": ("Payouts before the holidays", "Settlements that close by 18 December are paid out before the holidays."),
    "de": ("Auszahlungen vor den Feiertagen", "Abrechnungen bis zum 18. Dezember zahlen wir vor den Feiertagen aus."),
}
WEBINAR = {
    "en": (
        "Webinar for your network",
        "Thursday at 18:00: how to bring clients to their first trade. The link follows.",
    ),
    "de": ("Webinar für Ihr Netzwerk", "Donnerstag, 18 Uhr: So kommen Kunden zum ersten Trade. Der Link folgt."),
}


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Publish two messages that are shown today."""
    manager, today = demo.by_role[Role.IB_MANAGER][0], demo.now.date()
    for texts, days, partner in ((PAYOUTS, 9, None), (WEBINAR, 2, partners[0])):
        publish_news(
            brand_id=brand.pk,
            texts=texts,
            days=(today - dt.timedelta(days=days), today + dt.timedelta(days=30 - days)),
            audience=Audience(partner.pk) if partner else EVERYBODY,
            notifies=False,
            actor=manager,
        )
