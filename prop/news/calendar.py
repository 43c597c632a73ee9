"""A brand's economic calendar: releases entered as lines of CSV, and removed. Accounts judged by another one are judged again."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Brand, User
from crm.security import audit, policies
from prop.audit_codes import PropAction
from prop.corrections.waiting import judge_again_soon
from prop.models import NewsRelease, PhaseAccount
from prop.news.releases import WITHIN
from prop.policies import can_write_programmes

LINES_MAX: Final = 500
TEXT_MAX: Final = 60_000
TITLE_MAX: Final = 120
COLUMNS: Final = 3
CODE_LENGTH: Final = 3  # ISO 4217
FURTHEST: Final = dt.timedelta(days=800)


@transaction.atomic
def enter_releases(*, brand: Brand, text: str, actor: User) -> int:
    """Enter releases as CSV: time in UTC, currency, title. Those that are there already are left; returns how many are new.

    Who: `prop.write_programme` on the whole brand. Raises: NotAllowed, DomainError that names the line.
    """
    policies.require(can_write_programmes(actor, brand.pk))
    brand = lock(Brand, brand.pk)
    known = set(NewsRelease.objects.filter(brand=brand, removed_at__isnull=True).values_list("at", "currency", "title"))
    new = [line for line in dict.fromkeys(_lines(text)) if line not in known]
    NewsRelease.objects.bulk_create(
        [NewsRelease(brand=brand, at=at, currency=code, title=title, made_by=actor) for at, code, title in new]
    )
    if new:
        audit.record(
            actor=actor,
            action=PropAction.RELEASES_ENTERED,
            target=brand,
            brand_id=brand.pk,
            after={"releases": [f"{at.isoformat()} {code} {title}" for at, code, title in new]},
        )
        _judge_again(brand, min(at for at, _code, _title in new))
    return len(new)


@transaction.atomic
def remove_release(*, release_id: int, actor: User) -> NewsRelease:
    """Take a release out of the calendar, as when it is moved or cancelled.

    Who: `prop.write_programme` on the whole brand. Raises: NotAllowed, WrongState where it was removed before.
    """
    release = lock(NewsRelease, release_id, "brand")
    policies.require(can_write_programmes(actor, release.brand_id))
    if release.removed_at is not None:
        raise WrongState(_("This release was removed already."))
    release.removed_at, release.removed_by = timezone.now(), actor
    release.save(update_fields=["removed_at", "removed_by"])
    audit.record(
        actor=actor,
        action=PropAction.RELEASE_REMOVED,
        target=release,
        brand_id=release.brand_id,
        before={"occurred_at": release.at.isoformat(), "currency": release.currency, "title": release.title},
    )
    _judge_again(release.brand, release.at)
    return release


def _judge_again(brand: Brand, since: dt.datetime) -> None:
    """Have the accounts with a news rule judged again that were judged beyond a release's time."""
    beyond = PhaseAccount.objects.filter(
        challenge__brand=brand, phase__news_minutes__isnull=False, judged_until__gt=since - WITHIN
    )
    judge_again_soon(beyond.select_related("challenge").order_by("pk"))


def _lines(text: str) -> Iterator[tuple[dt.datetime, str, str]]:
    lines = [line for line in text[:TEXT_MAX].splitlines() if line.strip()]
    if not lines or len(text) > TEXT_MAX or len(lines) > LINES_MAX:
        raise DomainError(_("Enter between 1 and %(most)s releases.") % {"most": LINES_MAX})
    for number, cells in enumerate(csv.reader(lines, skipinitialspace=True), 1):
        if len(cells) != COLUMNS:
            raise DomainError(_("Line %(line)s: enter time, currency and title.") % {"line": number})
        moment, currency, title = (cell.strip() for cell in cells)
        try:
            at = dt.datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=dt.UTC)
        except ValueError:
            raise DomainError(
                _("Line %(line)s: enter the time in UTC, such as 2026-12-04 13:30.") % {"line": number}
            ) from None
        if abs(at - timezone.now()) > FURTHEST:
            raise DomainError(_("Line %(line)s: this time is too far away.") % {"line": number})
        code = currency.upper()
        if len(code) != CODE_LENGTH or not code.isascii() or not code.isalpha():
            raise DomainError(_("Line %(line)s: enter a currency such as USD.") % {"line": number})
        if not 1 <= len(title) <= TITLE_MAX:
            raise DomainError(_("Line %(line)s: enter a title of at most 120 characters.") % {"line": number})
        yield at, code, title
