"""What a lead is worth, 0 to 100, with the reason for every point.

Pure functions over plain values: one lead of a form and a hundred thousand of a file are scored by the same code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from clients.canonical import country_of_phone
from leads.choices import RuleKind
from leads.models import ScoreRule
from leads.places import zone_info
from leads.scores.engagement import Engagement

LOWEST, HIGHEST = 0, 100
_FREE = """
gmail.com googlemail.com yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yahoo.co.uk yahoo.com.au hotmail.com hotmail.de
hotmail.es hotmail.fr hotmail.it hotmail.co.uk outlook.com outlook.de outlook.es live.com live.de msn.com icloud.com
me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru yandex.ru
yandex.com proton.me protonmail.com pm.me libero.it virgilio.it orange.fr laposte.net free.fr sapo.pt telefonica.net
bigpond.com bigpond.net.au optusnet.com.au xtra.co.nz singnet.com.sg zoho.com tutanota.com tuta.io fastmail.com
hey.com
"""
FREE_MAIL = frozenset(_FREE.split())


@lru_cache(maxsize=1)
def disposable_hosts() -> frozenset[str]:
    """Load the known hosts of throw-away mailboxes, from the package `disposable-email-domains`."""
    from disposable_email_domains import blocklist

    return frozenset(blocklist)


def kind_of_email(email: str) -> str:
    """none, disposable, free or own (a company's or one's own domain)."""
    host = email.rpartition("@")[2].lower()
    if not host:
        return "none"
    if host in disposable_hosts() or any(host.endswith(f".{known}") for known in _parents(host)):
        return "disposable"
    return "free" if host in FREE_MAIL else "own"


def _parents(host: str) -> Iterable[str]:
    """Disposable hosts hand out subdomains, too."""
    parts = host.split(".")
    return [parent for n in range(1, len(parts) - 1) if (parent := ".".join(parts[n:])) in disposable_hosts()]


@dataclass(frozen=True, slots=True)
class Signals:
    """What scoring looks at. `campaign_quality` 0 to 10; `times_seen` counts this capture; `at` is when the lead came.

    `engagement`: when the person did what, as of `now`; `custom`: values of custom fields by key; `intended_deposit` in the
    brand's base currency.
    """

    country: str = ""
    language: str = ""
    brand_languages: tuple[str, ...] = ()
    email: str = ""
    phone: str = ""
    phone_was_typed: bool = False
    campaign: str = ""
    campaign_quality: int | None = None
    source: str = ""
    times_seen: int = 1
    is_referred: bool = False
    is_registered: bool = False
    has_message: bool = False
    has_consent: bool = False
    at: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    now: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    engagement: Engagement = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    experience: str = ""
    intended_deposit: Decimal | None = None
    segments: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A score rule as plain values."""

    pk: int
    name: str
    kind: str
    parameters: Mapping[str, Any]
    points: int


# Each question answers with what it found (shown beside the points) and a factor, or None when the rule does not apply.
Answer = tuple[str, float] | None


def _base(rule: Rule, seen: Signals) -> Answer:
    return "", 1


def _country(rule: Rule, seen: Signals) -> Answer:
    return (seen.country, 1) if seen.country in rule.parameters.get("countries", ()) else None


def _language(rule: Rule, seen: Signals) -> Answer:
    return (seen.language, 1) if seen.language[:2] in {code[:2] for code in seen.brand_languages} else None


def _email(rule: Rule, seen: Signals) -> Answer:
    kind = kind_of_email(seen.email)
    return (seen.email.rpartition("@")[2], 1) if kind == rule.parameters.get("is") else None


def phone_state(seen: Signals) -> str:
    """Classify a phone number: missing, invalid, match (of the lead's country) or mismatch."""
    if not seen.phone:
        return "invalid" if seen.phone_was_typed else "missing"
    of = country_of_phone(seen.phone)
    return "match" if of and of == seen.country else "mismatch"


def _phone(rule: Rule, seen: Signals) -> Answer:
    wanted = rule.parameters.get("is")
    state = phone_state(seen)
    hit = state == wanted or (wanted == "valid" and state in ("match", "mismatch"))
    return (country_of_phone(seen.phone) if seen.phone else "", 1) if hit else None


def _campaign(rule: Rule, seen: Signals) -> Answer:
    if seen.campaign_quality is None:
        return None
    return f"{seen.campaign} {seen.campaign_quality}/10", seen.campaign_quality / 10


def _source(rule: Rule, seen: Signals) -> Answer:
    return (seen.source, 1) if seen.source in rule.parameters.get("sources", ()) else None


def _hour(rule: Rule, seen: Signals) -> Answer:
    hour = seen.at.astimezone(zone_info(seen.country)).hour
    start, end = int(rule.parameters.get("from", 0)), int(rule.parameters.get("to", 24))
    inside = start <= hour < end if start <= end else hour >= start or hour < end
    return (f"{hour:02}:00", 1) if inside else None


def _repeat(rule: Rule, seen: Signals) -> Answer:
    return (f"{seen.times_seen}×", 1) if seen.times_seen >= int(rule.parameters.get("at_least", 2)) else None


def _referral(rule: Rule, seen: Signals) -> Answer:
    return ("", 1) if seen.is_referred else None


def _consent(rule: Rule, seen: Signals) -> Answer:
    return ("", 1) if seen.has_consent else None


def _engagement(rule: Rule, seen: Signals) -> Answer:
    """Ask for so many opens, clicks, sign-ins, calls or replies within so many days; each rule asks for one of them."""
    since = seen.now - dt.timedelta(days=int(rule.parameters.get("days", 30)))
    count = sum(at >= since for at in seen.engagement.get(rule.kind, ()))
    return (f"{count}×", 1) if count >= int(rule.parameters.get("at_least", 1)) else None


def _experience(rule: Rule, seen: Signals) -> Answer:
    return (seen.experience, 1) if seen.experience in rule.parameters.get("experience", ()) else None


def _deposit(rule: Rule, seen: Signals) -> Answer:
    """Ask for an intended deposit of so much or more."""
    least, amount = Decimal(str(rule.parameters.get("at_least", 0))), seen.intended_deposit
    return (f"≥ {least:f}", 1) if amount is not None and amount >= least else None


def _field(rule: Rule, seen: Signals) -> Answer:
    """Ask a custom field of the lead."""
    value = seen.custom.get(str(rule.parameters.get("field", "")))
    if value is None:
        return None
    least = rule.parameters.get("at_least")
    if least is not None:
        return (str(value), 1) if isinstance(value, int | float | Decimal) and value >= Decimal(str(least)) else None
    values = value if isinstance(value, list | tuple) else [str(value).lower()]
    hits = [one for one in values if one in rule.parameters.get("values", ())]
    return (str(hits[0]), 1) if hits else None


def _segment(rule: Rule, seen: Signals) -> Answer:
    """Ask whether the person is in one of the segments, which the rule names by their numbers."""
    hits = [name for pk, name in seen.segments if pk in rule.parameters.get("segments", ())]
    return (hits[0], 1) if hits else None


QUESTIONS: dict[str, Callable[[Rule, Signals], Answer]] = {
    RuleKind.BASE: _base,
    RuleKind.COUNTRY: _country,
    RuleKind.LANGUAGE: _language,
    RuleKind.EMAIL: _email,
    RuleKind.PHONE: _phone,
    RuleKind.CAMPAIGN: _campaign,
    RuleKind.SOURCE: _source,
    RuleKind.HOUR: _hour,
    RuleKind.REPEAT: _repeat,
    RuleKind.REFERRAL: _referral,
    RuleKind.CONSENT: _consent,
    RuleKind.OPENED: _engagement,
    RuleKind.CLICKED: _engagement,
    RuleKind.LOGIN: _engagement,
    RuleKind.CALL: _engagement,
    RuleKind.REPLY: _engagement,
    RuleKind.EXPERIENCE: _experience,
    RuleKind.DEPOSIT: _deposit,
    RuleKind.FIELD: _field,
    RuleKind.SEGMENT: _segment,
}


@dataclass(frozen=True, slots=True)
class Score:
    value: int
    reasons: list[dict[str, Any]]


def score(seen: Signals, rules: Sequence[Rule]) -> Score:
    """Add up the rules that apply, strongest reason first, within 0 and 100."""
    reasons: list[dict[str, Any]] = []
    for rule in rules:
        answer = QUESTIONS[rule.kind](rule, seen)
        if answer is None:
            continue
        found, factor = answer
        points = round(rule.points * factor)
        if points:
            reasons.append({"rule": rule.pk, "name": rule.name, "found": found, "points": points})
    reasons.sort(key=lambda reason: -abs(reason["points"]))
    return Score(max(LOWEST, min(HIGHEST, sum(reason["points"] for reason in reasons))), reasons)


def rules_of(brand_id: int, day: dt.date) -> list[Rule]:
    """List the rules in force on a day: those of all brands, and the brand's own, which replace one of the same name."""
    rows = ScoreRule.objects.filter(
        Q(brand_id=None) | Q(brand_id=brand_id), Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day
    ).order_by("pk")
    by_name: dict[str, ScoreRule] = {}
    for rule in rows:
        if rule.name not in by_name or rule.brand_id is not None:
            by_name[rule.name] = rule
    return [Rule(rule.pk, rule.name, rule.kind, rule.parameters, rule.points) for rule in by_name.values()]


def asks_segments(rules: Iterable[Rule]) -> bool:
    """Tell whether any rule asks for segments, so that nobody reads them in vain."""
    return any(rule.kind == RuleKind.SEGMENT for rule in rules)


def explain(reasons: Iterable[Mapping[str, Any]]) -> list[str]:
    """Write the lines that a person reads, e.g. `+20 Tier 1 country · DE`. Rules' names are the broker's own words."""
    lines = []
    for reason in reasons:
        found = f" · {reason['found']}" if reason.get("found") else ""
        lines.append(f"{reason['points']:+d} {_(reason['name'])}{found}")
    return lines
