"""Reads of work: one item with what a person may do about it, its clock in words, and the figures of those who do the work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.approvals.queries import Proposal
from crm.approvals.queries import proposal_of as shown_proposal
from crm.choices import WorkAct, WorkState
from crm.i18n import formats
from crm.models import Brand, User, WorkEntry, WorkItem
from crm.models.work import COUNTED
from crm.security.policies import YES, Decision, require
from crm.work.assigning import RIGHT
from crm.work.claims import may_claim
from crm.work.deciding import may_undo
from crm.work.entries import ShownEntry, entries_of
from crm.work.hours import hours_of
from crm.work.items import is_held_by_other, items_visible_to, may_decide
from crm.work.kinds import WorkKind, all_kinds, kind_of
from crm.work.proposals import proposal_of

WEEK_DAYS = 7
# Which figure an act of the history counts in.
ACTS = {WorkAct.TAKEN_OVER: "take_overs", WorkAct.PROPOSED: "proposed", WorkAct.REJECTED: "seconded"}


@dataclass(frozen=True)
class Clock:
    """How much working time is left of an item's service level, in words; late ones say so."""

    text: str
    is_late: bool


def clock_of(item: WorkItem, brand: Brand, now: dt.datetime) -> Clock:
    """Read an open item's clock, in working hours."""
    hours, is_late = hours_of(brand), now > item.due_at
    span = hours.between(item.due_at, now) if is_late else hours.between(now, item.due_at)
    minutes = int(span.total_seconds() // 60)  # a day of working time isn't a day: hours and minutes only
    time = f"{formats.number(minutes // 60)}\u00a0h {minutes % 60}\u00a0min" if minutes >= 60 else f"{minutes}\u00a0min"
    return Clock(_("Late by %(time)s") % {"time": time} if is_late else _("%(time)s left") % {"time": time}, is_late)


@dataclass(frozen=True)
class Work:
    """One item as a page shows it to one person."""

    item: WorkItem
    subject: Any
    user: User

    @cached_property
    def kind(self) -> WorkKind[Any]:
        return kind_of(self.item)

    @property
    def is_open(self) -> bool:
        return self.item.state == WorkState.OPEN

    @cached_property
    def may_work(self) -> Decision:
        return self.kind.may_work(self.user, self.subject)

    @cached_property
    def may_claim(self) -> Decision:
        return may_claim(self.kind, self.subject, self.item, self.user)

    @cached_property
    def proposal(self) -> Proposal | None:
        """Return what awaits a second person, with what this person may do about it."""
        found = proposal_of(self.item)
        if found is None:
            return None
        found.item, found.subject = self.item, self.subject
        return shown_proposal(found, self.user)

    @cached_property
    def may_decide(self) -> Decision:
        return may_decide(self.user, self.item) if self.may_work else self.may_work

    @cached_property
    def is_mine(self) -> bool:
        item = self.item
        return (
            item.claimed_by_id == self.user.pk
            and item.claimed_until is not None
            and item.claimed_until > timezone.now()
        )

    @cached_property
    def is_held_by_other(self) -> bool:
        return is_held_by_other(self.user, self.item)

    @cached_property
    def may_assign(self) -> bool:
        return self.is_open and self.user.has_perm(RIGHT)

    @cached_property
    def clock(self) -> Clock:
        return clock_of(self.item, self.item.brand, timezone.now())

    @cached_property
    def entries(self) -> list[ShownEntry]:
        return entries_of(self.item)

    @property
    def undo_seconds(self) -> int:
        """Return the seconds left to undo the decision; 0 where this person can't."""
        if self.item.final_at is None or not may_undo(self.user, self.item, self.subject):
            return 0
        return max(0, round((self.item.final_at - timezone.now()).total_seconds()))

    @property
    def title(self) -> str:
        return str(self.kind.title(self.subject))

    @property
    def outcome_label(self) -> str:
        outcome = self.kind.outcomes.get(self.item.outcome)
        return str(outcome.label) if outcome else ""

    @property
    def url(self) -> str:
        return self.kind.url(self.subject)


def work_of(user: User, item_id: int | None) -> Work | None:
    """Find an item for the page of its subject, which the user sees; None where there is none."""
    rows = WorkItem.objects.select_related("brand", "claimed_by", "assigned_to", "decided_by")
    item = rows.filter(pk=item_id).first() if item_id else None
    return Work(item, kind_of(item).subject(item), user) if item is not None else None


def get_work(user: User, item_id: int) -> Work:
    """Find an item that a person sees and whose kind they work on. Raises: Http404, NotAllowed.

    With the right of its kind, the verbs say why one may not do this item.
    """
    work = work_of(user, item_id)
    if work is None or not items_visible_to(user, work.kind).filter(pk=item_id).exists():
        raise Http404
    require(YES if user.has_perm(work.kind.right) else work.may_work)
    return work


def get_file(user: User, entry_id: int) -> tuple[Work, WorkEntry]:
    """Find an attached file of an item that a person sees and whose kind they work on. Raises: Http404, NotAllowed."""
    entry = WorkEntry.objects.filter(pk=entry_id, act=WorkAct.FILE).first()
    if entry is None:
        raise Http404
    return get_work(user, entry.item_id), entry


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class OfficerFigures:
    """What one person did in one kind of work: decisions, how long they took, how many were late, and take-overs.

    proposed: first decisions of two. seconded: second ones, of which the approvals are decisions, too.
    """

    person: User
    kind: WorkKind[Any]
    today: int = 0
    week: int = 0
    median_seconds: float | None = None
    late: int = 0
    proposed: int = 0
    seconded: int = 0
    take_overs: int = 0
    assigned: int = 0
    further: Sequence[str] = ()

    @property
    def median_text(self) -> str:
        return formats.duration(self.median_seconds, to_minute=True)

    @property
    def late_percent(self) -> int | None:
        return round(100 * self.late / self.week) if self.week else None


def figures(user: User, *, code: str = "") -> list[OfficerFigures]:
    """Count what people did over the last seven days in the items that `user` sees, by name and kind; `code`: of one kind."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    counts = {kind: _counts(user, kind, today) for kind in all_kinds() if code in ("", kind.code)}
    if code:
        for kind, by_person in counts.items():
            blank, found = [""] * len(kind.further_labels()), kind.further_figures(user, _since(today))
            for pk in {*by_person, *found}:
                by_person.setdefault(pk, {})["further"] = found.get(pk, blank)
    people = User.objects.filter(pk__in={pk for rows in counts.values() for pk in rows})
    return [
        OfficerFigures(person, kind, **rows[person.pk])
        for person in people.order_by("first_name", "last_name", "pk")
        for kind, rows in counts.items()
        if person.pk in rows
    ]


def _since(today: dt.datetime) -> dt.datetime:
    return today - dt.timedelta(days=WEEK_DAYS - 1)


def _counts(user: User, kind: WorkKind[Any], today: dt.datetime) -> dict[int, dict[str, Any]]:
    since, items = _since(today), items_visible_to(user, kind).order_by()
    decided = items.filter(decided_at__gte=since).values_list("decided_by")
    counted = decided.annotate(
        today=Count("pk", filter=Q(decided_at__gte=today)),
        week=Count("pk"),
        late=Count("pk", filter=Q(decided_at__gt=F("due_at"))),
        seconded=Count("pk", filter=Q(proposed_by__isnull=False)),
        median_seconds=Median("handling_seconds"),
    )
    names = ("today", "week", "late", "seconded", "median_seconds")
    by_person: dict[int, dict[str, Any]] = {pk: dict(zip(names, row, strict=True)) for pk, *row in counted}
    waiting = items.filter(state=WorkState.OPEN, assigned_to__isnull=False).values_list("assigned_to")
    acts = WorkEntry.objects.filter(act__in=COUNTED, at__gte=since, item__in=items.values("pk")).order_by()
    for pk, count in waiting.annotate(n=Count("pk")):
        by_person.setdefault(pk, {})["assigned"] = count
    for pk, act, count in acts.values_list("actor", "act").annotate(n=Count("pk")):
        row = by_person.setdefault(pk, {})
        row[ACTS[act]] = row.get(ACTS[act], 0) + count
    return by_person
