"""The address that a partner shares for one of their links: landing page, language and tags are parts of it.

`/r/<code>/?to=spring&lang=de&utm_source=telegram` counts the click and leads on with everything that was added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ib.links import landing_url, link_url
from ib.models import Partner, ReferralLink
from leads.attribution import CLICK_IDS, LONGEST, UTM, sub_id_of
from leads.models import LandingPage

PAGES_MAX: Final = 100
PAGE, LANGUAGE = "to", "lang"


@dataclass(frozen=True)
class SharedPage:
    """A page of an app above that links can lead to behind registration. code: with a dot, which no landing page's slug has.

    is_offered: whether the brand with this id has it.
    """

    code: str
    label: str | Promise
    is_offered: Callable[[int], bool]


SHARED_PAGES: Final[dict[str, SharedPage]] = {}


def register_page(page: SharedPage) -> None:
    """Let partners share a page that is reached by registering or signing in."""
    SHARED_PAGES[page.code] = page


@dataclass(frozen=True)
class Target:
    """Where a shared address leads. page: slug of a landing page or code of a shared one, empty for registration.

    tags: utm_*, click ids and sub-id.
    """

    page: str = ""
    language: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def query(self) -> dict[str, str]:
        """List what is added to the short address; what is empty stays out of it."""
        return {name: value for name, value in {PAGE: self.page, LANGUAGE: self.language, **self.tags}.items() if value}


def target_of(query: Mapping[str, str]) -> Target:
    """Read a target from an address's query; anything unknown is dropped."""
    tags = {name: query[name][:LONGEST] for name in (*UTM, *CLICK_IDS) if query.get(name)}
    if sub_id := sub_id_of(query):
        tags["sub_id"] = sub_id
    return Target(query.get(PAGE, "")[:60], query.get(LANGUAGE, "")[:8], tags)


def share_url(link: ReferralLink, target: Target, request: HttpRequest) -> str:
    """Build the whole address to share."""
    query = urlencode(target.query())
    return link_url(link, request) + (f"?{query}" if query else "")


def destination(link: ReferralLink, target: Target, *, with_code: bool = True) -> str:
    """Find where a click on a shared address leads, with its tags: a published page of the brand, one behind registration, or the
    link's own."""
    base = landing_url(link, with_code=with_code)
    tags = dict(target.tags)
    own = SHARED_PAGES.get(target.page)
    if own is not None and own.is_offered(link.partner.brand_id):
        base = f"/b/{link.partner.brand.code}/register/"
        tags = {**({"ref": link.code} if with_code else {}), PAGE: own.code, **tags}
    page = _published(link.partner).filter(slug=target.page).first() if target.page and own is None else None
    if page is not None:
        base = f"/l/{link.partner.brand.code}/{page.slug}/"
        tags = {**({"ref": link.code} if with_code else {}), **tags}
        if target.language:
            tags["lang"] = target.language
    if not tags:
        return base
    return f"{base}{'&' if '?' in base else '?'}{urlencode(tags)}"


def is_language(code: str) -> bool:
    """Say whether the registration page exists in a language."""
    return code in dict(settings.LANGUAGES)


def _published(partner: Partner) -> QuerySet[LandingPage]:
    return LandingPage.objects.filter(brand_id=partner.brand_id, is_published=True)


def pages_of(partner: Partner) -> list[tuple[str, str]]:
    """List the pages that a partner can choose: those behind registration, then landing pages as (slug, headline), one per slug."""
    shared = [page for page in SHARED_PAGES.values() if page.is_offered(partner.brand_id)]
    pages: dict[str, str] = {page.code: str(page.label) for page in shared}
    for slug, headline in _published(partner).order_by("slug", "language").values_list("slug", "headline")[:PAGES_MAX]:
        pages.setdefault(slug, headline)
    return list(pages.items())


def languages_of(partner: Partner) -> list[str]:
    """List the languages of the registration page and of the brand's landing pages."""
    theirs = _published(partner).order_by("language").values_list("language", flat=True).distinct()[:PAGES_MAX]
    return list(dict.fromkeys([*(code for code, _name in settings.LANGUAGES), *theirs]))


@dataclass(frozen=True)
class ShareButton:
    """A way to send an address on: a messenger's or the mail program's own address."""

    label: str
    icon: str
    url: str


def share_buttons(url: str, partner: Partner) -> list[ShareButton]:
    """List WhatsApp, Telegram and e-mail with a sentence and the address filled in."""
    text = _("Open a trading account with %(brand)s:") % {"brand": partner.brand}
    return [
        ShareButton("WhatsApp", "message-square", f"https://wa.me/?text={quote(f'{text} {url}', safe='')}"),
        ShareButton(
            "Telegram", "send", f"https://t.me/share/url?url={quote(url, safe='')}&text={quote(text, safe='')}"
        ),
        ShareButton(
            _("E-mail"),
            "mail",
            f"mailto:?subject={quote(str(partner.brand), safe='')}&body={quote(f'{text} {url}', safe='')}",
        ),
    ]
