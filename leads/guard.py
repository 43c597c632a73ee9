"""Keeping robots out of public forms, without a riddle for people.

Three nets: a field that people don't see; a signed stamp that says when the form was shown (nobody fills it in within
two seconds, nobody needs a day); and a limit per address. A robot is thanked like everyone else, and nothing is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.core import signing

from crm.project.cache import count

HONEYPOT = "website"
SALT = "leads.form"
SOONEST_SECONDS, LATEST_SECONDS = 2, 24 * 3600
PER_TEN_MINUTES, PER_DAY = 8, 40


@dataclass(frozen=True)
class Stamp:
    """What a form carries: `form_id` names this showing of it, so that a double click is one lead."""

    form_id: str
    is_good: bool
    why: str = ""


def new_stamp() -> str:
    """Sign a stamp for one showing of a public form; `read_stamp` judges it when the form comes back."""
    return signing.TimestampSigner(salt=SALT).sign(secrets.token_urlsafe(12))


def read_stamp(text: str) -> Stamp:
    """Judge whether a form was filled in by hand, as far as its stamp shows: `why` is forged, early or late."""
    signer = signing.TimestampSigner(salt=SALT)
    try:
        form_id = signer.unsign(text, max_age=LATEST_SECONDS)
    except signing.SignatureExpired:
        return Stamp("", False, "late")
    except signing.BadSignature:
        return Stamp("", False, "forged")
    try:
        signer.unsign(text, max_age=SOONEST_SECONDS)
    except signing.SignatureExpired:
        return Stamp(form_id, True)
    return Stamp(form_id, False, "early")


def is_within_limit(scope: str, *, limit: int, seconds: int) -> bool:
    """Count one more of something in the current window. A cache that is away lets everyone in: no lead is lost."""
    return count(f"limit:{scope}:{seconds}", timeout=seconds)[0] <= limit


def may_submit(brand_id: int, ip: str | None) -> bool:
    """Count an enquiry against an address's limits at a brand; False where it is over the ten-minute or the daily limit."""
    who = f"lead:{brand_id}:{ip or 'unknown'}"
    short = is_within_limit(who, limit=PER_TEN_MINUTES, seconds=600)
    return is_within_limit(who, limit=PER_DAY, seconds=86_400) and short
