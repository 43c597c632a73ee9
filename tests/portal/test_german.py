"""A trader and a partner who read German meet no English: every page of theirs, and what is told of them."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import translation
from django.utils.translation import trans_real

from clients.models import TimelineEntry
from crm.models import User
from tests.cast import signed_in
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
WRITTEN = re.compile(r"<(script|style|svg)\b.*?</\1>|<(\w+)[^>]*\blang=\"en\"[^>]*>.*?</\2>", re.S)
SAID = re.compile(r'(?:title|placeholder|aria-label|alt|data-confirm)="([^"]+)"')


class Reader:
    """Opens pages in German and notes each text that a page shows and that has no German."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: set[str] = set()
        self.english: set[str] = set()
        self.pages = 0
        for name in ("gettext", "pgettext", "ngettext"):
            monkeypatch.setattr(translation._trans, name, self._listening(name), raising=False)  # type: ignore[attr-defined]

    def _listening(self, name: str):
        real = getattr(trans_real, name)

        def look_up(*words):
            said = real(*words)
            source = words[1] if name == "pgettext" else words[0]
            if said == (words[1] if name == "ngettext" and words[2] != 1 else source):
                key = (
                    f"{words[0]}\x04{words[1]}" if name == "pgettext" else (source, 1) if name == "ngettext" else source
                )
                # The name of a language in its own words is looked up again; it has no translation.
                is_known = source in ("Deutsch", "Englisch") or trans_real.catalog()._catalog.get(key) is not None
                if translation.get_language() == "de" and not is_known:
                    self.asked.add(str(source))
            return said

        return look_up

    def read(self, browser: Browser, starts: tuple[str, ...], *, most: int = 45) -> None:
        browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
        todo, seen, shapes = list(starts), set(), Counter()
        while todo and len(seen) < most:
            address = todo.pop(0).partition("#")[0]
            shape = re.sub(r"\d+|[A-Z]-\w+", "N", address.partition("?")[0])
            if address in seen or shapes[shape] >= 2 or "logout" in address:
                continue
            seen.add(address)
            shapes[shape] += 1
            self.asked.clear()
            answer = browser.get(address, headers={"accept-language": "de"})
            assert answer.status_code < 500, address
            if answer.status_code in (301, 302):
                todo.append(answer["Location"])
            elif not answer.streaming and "html" in answer["Content-Type"]:
                self.pages += 1
                todo += self._note(address, answer.content.decode())

    def _note(self, address: str, page: str) -> list[str]:
        written = WRITTEN.sub(" ", page)
        shown = html.unescape(" \n ".join([*SAID.findall(written), re.sub(r"<[^>]+>", "\n", written)]))
        for source in self.asked:
            pattern = ".+?".join(re.escape(part) for part in re.split(r"%(?:\(\w+\))?[sd]", source))
            if re.search(rf"(?<!\w){pattern}(?!\w)", shown):
                self.english.add(f"{address}: {source}")
        return [link for link in re.findall(r'(?:href|hx-get)="(/[^"]*)"', page) if link.startswith(OURS)]


def test_every_page_of_trader_and_partner_is_german_throughout(monkeypatch, demo_world):
    world = whole_world()
    User.objects.exclude(kind="staff").update(language="de")
    reader = Reader(monkeypatch)
    reader.read(Browser(), PUBLIC)
    traders = User.objects.filter(kind="client", is_active=True, client__isnull=False).order_by("pk")
    each = {
        (user.client.stage, user.client.brand_id): user for user in traders.select_related("client")
    }  # one of each stage
    for user in each.values():
        reader.read(signed_in(user), ("/portal/",))
    reader.read(signed_in(world.people["partner"]), ("/partners/",))
    # A brand's own name of a way to pay ("SEPA Link", "BLIK") stays as it is; those of providers: test_deposit_page.
    names = tuple(f": {label}" for label in PaymentMethod.objects.values_list("label", flat=True))
    english = sorted(one for one in reader.english if not one.endswith(names))
    assert not english, "\n".join(english)
    assert reader.pages > 80
    told = TimelineEntry.objects.filter(is_visible_to_client=True, client__language="de")
    with translation.override("de"):
        titles = [row.for_client["title"] for row in told]
    assert any(title.startswith(("Einzahlung: ", "Ersteinzahlung: ")) for title in titles)
    assert not [
        title for title in titles if re.search(r"\b(Transfer|Deposit|Withdrawal|opened|paid|in the wallet)\b", title)
    ]
