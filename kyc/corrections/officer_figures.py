"""What the figures of officers say of documents besides counts: corrected fields, agreement of second readers, time by type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User, WorkItem
from crm.work.queries import Median
from kyc.choices import DocumentKind, SecondLookState
from kyc.models import FieldCorrection, SecondLook
from kyc.queries import documents_visible_to

KINDS_MAX: Final = 4


def officer_figures(user: User, since: dt.datetime) -> Mapping[int, list[str]]:
    """Compute the further figures by person, in the documents that `user` sees: three queries."""
    seen = documents_visible_to(user).order_by().values("pk")
    corrected = FieldCorrection.objects.filter(corrected_at__gte=since, document__in=seen).order_by()
    fields = dict(corrected.values_list("corrected_by").annotate(n=Count("pk")))
    # Of the first officer: how often the second one, who didn't know their opinion, came to the same.
    looks = SecondLook.objects.filter(asked_by__isnull=False, decided_at__gte=since, document__in=seen).order_by()
    read = {
        pk: (agreed, total)
        for pk, agreed, total in looks.values_list("asked_by").annotate(
            agreed=Count("pk", filter=Q(state=SecondLookState.AGREED)), n=Count("pk")
        )
    }
    times: dict[int, list[tuple[int, str, float]]] = {}
    items = WorkItem.objects.filter(decided_at__gte=since, handling_seconds__isnull=False, document__in=seen).order_by()
    medians = items.values_list("decided_by", "document__kind").annotate(
        n=Count("pk"), median=Median("handling_seconds")
    )
    for pk, kind, count, median in medians:
        times.setdefault(pk, []).append((count, str(DocumentKind(kind).label), median))
    return {
        pk: [formats.number(fields.get(pk, 0), 0), _agreement(read.get(pk)), _times(times.get(pk, []))]
        for pk in {*fields, *read, *times}
    }


def labels() -> list[str]:
    """Name the columns, in the order of the figures."""
    return [_("Corrected fields"), _("Second reader agrees"), _("Median time by type")]


def _agreement(read: tuple[int, int] | None) -> str:
    return _("%(agreed)s of %(total)s") % {"agreed": read[0], "total": read[1]} if read else "–"


def _times(rows: list[tuple[int, str, Any]]) -> str:
    most = sorted(rows, reverse=True)[:KINDS_MAX]
    return "; ".join(f"{label} {formats.duration(median, to_minute=False)}" for _count, label, median in most) or "–"
