"""A trader and a partner who read German meet no English: every page of theirs, and the texts about them."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser
from django.utils import translation

from clients.models import TimelineEntry
from crm.models import User
from ib.models import AutomaticPayout, CommissionDispute
from kyc.models import Document
from tests.cast import signed_in
from tests.german import Reader
from tests.walker.world import whole_world
from wallet.models import PaymentMethod

pytestmark = pytest.mark.django_db
OURS = ("/portal/", "/partners/", "/b/", "/l/", "/r/", "/accounts/", "/notifications/", "/profile/")
PUBLIC = (
    "/b/meridian/",
    "/b/meridian/register/",
    "/b/meridian/login/",
    "/b/meridian/partners/",
    "/b/meridian/legal/terms/",
)


def test_every_page_of_trader_and_partner_is_german_throughout(monkeypatch, demo_world):
    world = whole_world()
    User.objects.exclude(kind="staff").update(language="de")
    reader = Reader(monkeypatch, follows=OURS)
    reader.read(Browser(), PUBLIC)
    traders = User.objects.filter(kind="client", is_active=True, client__isnull=False).order_by("pk")
    each = {
        (user.client.stage, user.client.brand_id): user for user in traders.select_related("client")
    }  # one of each stage
    for user in each.values():
        reader.shapes.clear()  # each stage sees the same pages with other things on them
        reader.read(signed_in(user), ("/portal/",))
    reader.shapes.clear()
    reader.read(signed_in(world.people["partner"]), ("/partners/",))
    # A brand's own name of a payment method ("SEPA Link", "BLIK") stays as it is; those of providers: test_deposit_page.
    names = set(PaymentMethod.objects.values_list("label", flat=True))
    # A rejection is written in the language of the client's record, whatever the pages' language.
    names |= {text for row in CommissionDispute.objects.values_list("reason", "answer") for text in row}
    names |= set(AutomaticPayout.objects.values_list("refusal", flat=True))  # in the brand's language
    names |= set(Document.objects.exclude(client__language="de").values_list("reason", flat=True))
    english = sorted(f"{address}: {text}" for text, address in reader.english.items() if text not in names)
    assert not english, "\n".join(english)
    assert not {address: status for address, status in reader.opened.items() if status >= 500}
    assert len(reader.opened) > 60
    assert not reader.unformatted
    told = TimelineEntry.objects.filter(is_visible_to_client=True, data__for_client__isnull=True)
    with translation.override("de"):
        titles = [row.for_client["title"] for row in told]
    assert any(title.startswith(("Einzahlung: ", "Ersteinzahlung: ")) for title in titles)
    assert not [
        title for title in titles if re.search(r"\b(Transfer|Deposit|Withdrawal|opened|paid|in the wallet)\b", title)
    ]
