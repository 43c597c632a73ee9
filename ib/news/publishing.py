"""Publishing and withdrawing news for partners, and which of them a partner sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.languages import base_of
from crm.models import Actor, Brand, User
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit, policies
from crm.security.scope import reach_of
from crm.staff.company import open_brand
from ib.audit_codes import IbAction
from ib.models import Partner, PartnerNews, Upline
from ib.policies import can_manage_partners

TITLE_CHARS: Final = 80
BODY_CHARS: Final = 1_000
DAYS_MAX: Final = 366
SHOWN_DAYS: Final = 30
SHOWN: Final = 3
CHOSEN_MAX: Final = 1_000  # as many as a list's selection holds
# By language: title and text.
Texts = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Audience:
    """Whom news are for: all partners of the brand, one and everyone below, or chosen ones."""

    partner_id: int | None = None
    chosen: Sequence[int] | None = None


EVERYBODY: Final = Audience()


@transaction.atomic
def publish_news(
    *, brand_id: int, texts: Texts, days: tuple[dt.date, dt.date], audience: Audience, notifies: bool, actor: Actor
) -> PartnerNews:
    """Show a text to an audience among a brand's partners from one day to another; notifies: also in the bell and by e-mail.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState for an archived brand; DomainError for a partner of
    another brand, days that don't fit, or a text that is missing in the brand's language, half written or too long.
    """
    policies.require(can_manage_partners(actor, brand_id))
    brand = open_brand(brand_id)
    starts_on, ends_on = days
    named = audience.chosen if audience.chosen is not None else [audience.partner_id] if audience.partner_id else None
    if named is not None:
        if not 0 < len(named) <= CHOSEN_MAX or len(set(named)) != len(named):
            raise DomainError(_("Choose up to %(count)s partners.") % {"count": CHOSEN_MAX})
        if Partner.objects.filter(pk__in=named, brand=brand).count() != len(named):
            raise DomainError(_("Choose a partner of the same brand."))
    if not max(starts_on, today(brand)) <= ends_on <= starts_on + dt.timedelta(days=DAYS_MAX):
        raise DomainError(_("Enter a last day from today on, within a year of the first."))
    news = PartnerNews.objects.create(
        brand=brand,
        partner_id=audience.partner_id if audience.chosen is None else None,
        chosen=None if audience.chosen is None else list(audience.chosen),
        notifies=notifies,
        texts=_checked(texts, base_of(brand.default_language)),
        starts_on=starts_on,
        ends_on=ends_on,
        made_by=actor,
    )
    audit.record(
        actor=actor,
        action=IbAction.NEWS_PUBLISHED,
        target=news,
        brand_id=brand.pk,
        after={
            "partner": news.partner_id,
            "partners": news.chosen,
            "notified": notifies,
            "from": starts_on.isoformat(),
            "until": ends_on.isoformat(),
            "texts": news.texts,
        },
    )
    if notifies:
        enqueue_soon_on_commit("ib.notify_of_news")
    return news


def _checked(texts: Texts, language: str) -> dict[str, list[str]]:
    """Return the texts that were written, with what every partner can fall back on among them."""
    written = {code: [title.strip(), body.strip()] for code, (title, body) in texts.items() if (title + body).strip()}
    if language not in written:
        raise DomainError(_("Write the text in the brand's own language, too."))
    for title, body in written.values():
        if not title or not body:
            raise DomainError(_("Enter both a title and a text."))
        if len(title) > TITLE_CHARS or len(body) > BODY_CHARS:
            raise DomainError(_("The text is too long."))
    return written


@transaction.atomic
def withdraw_news(*, news_id: int, actor: Actor) -> PartnerNews:
    """Stop showing a text before its last day. Who: as for publishing. Raises: NotAllowed, WrongState."""
    news = lock(PartnerNews, news_id)
    policies.require(can_manage_partners(actor, news.brand_id))
    if news.withdrawn_at is not None:
        raise WrongState(_("This was already withdrawn."))
    news.withdrawn_by, news.withdrawn_at = actor, timezone.now()
    news.save(update_fields=["withdrawn_by", "withdrawn_at"])
    audit.record(actor=actor, action=IbAction.NEWS_WITHDRAWN, target=news, brand_id=news.brand_id)
    return news


def news_visible_to(user: User) -> QuerySet[PartnerNews]:
    """Select the news of the brands that a member of staff reaches as a whole."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm("ib.view_partner"):
        return PartnerNews.objects.none()
    return PartnerNews.objects.filter(brand_id__in=reach_of(user).whole_brands)


@dataclass(frozen=True)
class ShownNews:
    """What a partner reads."""

    title: str
    body: str
    on: dt.date


def news_for(partner: Partner) -> list[ShownNews]:
    """List what a partner sees today in the language in use, the newest first; one statement."""
    day = today(partner.brand)
    above = Upline.objects.filter(partner=partner, ends_at__isnull=True).values("ancestor_id")
    rows = PartnerNews.objects.filter(
        Q(partner__isnull=True, chosen__isnull=True) | Q(partner_id__in=above) | Q(chosen__contains=[partner.pk]),
        brand_id=partner.brand_id,
        withdrawn_at__isnull=True,
        starts_on__lte=day,
        ends_on__gte=day,
    )
    language = get_language() or partner.brand.default_language
    rows = rows.order_by("-starts_on", "-id")[:SHOWN]
    return [ShownNews(*text_of(row, language, partner.brand), row.starts_on) for row in rows]


def text_of(news: PartnerNews, language: str, brand: Brand) -> tuple[str, str]:
    """Return title and text in a language, else in the brand's own."""
    own = news.texts.get(base_of(brand.default_language)) or next(iter(news.texts.values()))
    title, body = news.texts.get(base_of(language), own)
    return title, body
