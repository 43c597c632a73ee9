"""Where a visitor came from: the tags of the address they opened, kept in the form and in a cookie."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "k_from"
COOKIE_SECONDS = 30 * 86_400
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
CLICK_IDS = ("gclid", "fbclid", "msclkid", "ttclid", "click_id")
REFERRAL = ("ref", "ib")
# A partner's own name for where they placed a link, as affiliate networks write it.
SUB_IDS = ("sub_id", "subid", "sub", "aff_sub", "s1")
LONGEST = 200
SUB_ID_LONGEST = 60


@dataclass(frozen=True)
class FirstVisit:
    """The first visit with a partner's code that the browser remembers; `at` in seconds since 1970."""

    code: str
    sub_id: str
    click_id: str
    at: int


@dataclass(frozen=True)
class Origin:
    """`utm` holds the utm_* tags as they came; `page` is the address first opened."""

    utm: dict[str, str] = field(default_factory=dict)
    click_id: str = ""
    referral_code: str = ""
    sub_id: str = ""
    page: str = ""
    referrer: str = ""
    first: FirstVisit | None = None

    @property
    def has_tags(self) -> bool:
        return bool(self.utm or self.click_id or self.referral_code)

    def as_dict(self) -> dict[str, object]:
        return {
            "utm": self.utm,
            "click_id": self.click_id,
            "referral_code": self.referral_code,
            "sub_id": self.sub_id,
            "page": self.page,
            "referrer": self.referrer,
            "first": asdict(self.first) if self.first else None,
        }


def sub_id_of(values: Mapping[str, str]) -> str:
    """Read the sub-id from an address's tags, cut to its length and without signs that can't be printed."""
    raw = next((values[name] for name in SUB_IDS if values.get(name)), "")
    return "".join(sign for sign in raw[:SUB_ID_LONGEST] if sign.isprintable()).strip()


def _tags(values: Mapping[str, str], page: str, referrer: str) -> Origin:
    def first(names: tuple[str, ...]) -> str:
        return next((values[name][:LONGEST] for name in names if values.get(name)), "")

    return Origin(
        utm={name: values[name][:LONGEST] for name in UTM if values.get(name)},
        click_id=first(CLICK_IDS),
        referral_code=first(REFERRAL)[:40],
        sub_id=sub_id_of(values),
        page=page[:500],
        referrer=referrer[:500],
    )


def origin_of(request: HttpRequest) -> Origin:
    """Read where a visitor came from: this address's tags, else the earlier visit's (cookie), else page and referrer alone."""
    query = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    now = _tags(query, request.build_absolute_uri(), request.headers.get("Referer", ""))
    before = _from_cookie(request)
    if not now.has_tags:
        return before or now
    first = before.first if before else None
    if first is None and now.referral_code:
        first = FirstVisit(now.referral_code, now.sub_id, now.click_id, int(time.time()))
    return replace(now, first=first)


def _from_cookie(request: HttpRequest) -> Origin | None:
    try:
        return _loaded(signing.loads(request.COOKIES[COOKIE], salt=COOKIE, max_age=COOKIE_SECONDS))
    except (KeyError, signing.BadSignature, TypeError):
        return None


def _loaded(values: dict[str, Any]) -> Origin:
    first = values.pop("first", None)
    return Origin(**values, first=FirstVisit(**first) if first else None)


def pack(origin: Origin) -> str:
    """Sign an origin for a hidden field, so that nobody credits themselves with another's visitor."""
    return signing.dumps(origin.as_dict(), salt=COOKIE)


def unpack(text: str) -> Origin | None:
    """Read an origin that was signed into a cookie or form; None where it was altered or is too old."""
    try:
        return _loaded(signing.loads(text, salt=COOKIE, max_age=COOKIE_SECONDS))
    except (signing.BadSignature, TypeError):
        return None


def remember(response: HttpResponse, origin: Origin, request: HttpRequest) -> None:
    """Keep the tags for the visitor's next page."""
    if origin.has_tags:
        response.set_cookie(
            COOKIE, pack(origin), max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
