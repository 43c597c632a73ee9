"""News sent on to partners' logins: the bell and e-mail, through the channels that each of them chose."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.i18n.languages import variant_of
from crm.models import User
from crm.notices.notify import notify
from ib.choices import IbNotice, PartnerState
from ib.models import Partner, PartnerMember, PartnerNews, Upline
from ib.news.publishing import text_of

BATCH: Final = 500


def notify_due() -> int:
    """Notify of all news whose first day has begun and that are still shown; returns how many logins that were.

    Goes on after a killed worker: a login gets one notification per item of news.
    """
    waiting = PartnerNews.objects.filter(notifies=True, notified_at__isnull=True, withdrawn_at__isnull=True)
    count = 0
    for news in waiting.select_related("brand").order_by("pk"):
        day = today(news.brand)
        if news.starts_on <= day <= news.ends_on:
            count += _notify_of(news)
    return count


def readers_of(news: PartnerNews) -> QuerySet[User]:
    """Select the logins that news are for: of active partners, with their team."""
    partners = Partner.objects.filter(brand_id=news.brand_id, state=PartnerState.ACTIVE)
    if news.chosen is not None:
        partners = partners.filter(pk__in=news.chosen)
    elif news.partner_id is not None:
        below = Upline.objects.filter(ancestor_id=news.partner_id, ends_at__isnull=True)
        partners = partners.filter(pk__in=below.values("partner_id"))
    team = PartnerMember.objects.filter(partner__in=partners, removed_at__isnull=True)
    logins = Q(pk__in=partners.values("user_id")) | Q(pk__in=team.values("user_id"))
    return User.objects.filter(logins, is_active=True)


def _notify_of(news: PartnerNews) -> int:
    """Notify the logins in batches, each in a transaction of its own, and note when all are done."""
    own = variant_of(news.brand.default_language) or "en"
    last, count = 0, 0
    while batch := list(readers_of(news).filter(pk__gt=last).order_by("pk").values_list("pk", "language")[:BATCH]):
        by_language: dict[str, list[int]] = defaultdict(list)
        for pk, language in batch:
            by_language[language or own].append(pk)
        with transaction.atomic():
            if lock(PartnerNews, news.pk).withdrawn_at is not None:
                return count
            for language, ids in by_language.items():
                title, body = text_of(news, language, news.brand)
                key = f"ib.news:{news.pk}"
                notify(ids, kind=IbNotice.NEWS, title=title, body=body, url="/partners/", dedupe_key=key)
        last, count = batch[-1][0], count + len(batch)
    PartnerNews.objects.filter(pk=news.pk, notified_at__isnull=True, withdrawn_at__isnull=True).update(
        notified_at=timezone.now()
    )
    return count
