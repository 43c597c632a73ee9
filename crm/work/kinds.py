"""The kinds of work. An app declares each as a subclass of `WorkKind` beside its verbs; pages and figures know no others."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.utils.functional import Promise

from crm.approvals import Change
from crm.brand_policies import Policy
from crm.i18n.localized_text import LocalizedText
from crm.models import Actor, Brand, User, WorkItem
from crm.security.policies import Decision

T = TypeVar("T", bound=models.Model)
Label = str | Promise


@dataclass(frozen=True)
class Outcome:
    """How work of a kind can end. `second_person`: whether another person has to agree; a function decides it per subject."""

    label: Label
    needs_reason: bool = False
    second_person: bool | Callable[[Any], bool] = False

    def needs_second_person(self, subject: Any) -> bool:
        return self.second_person(subject) if callable(self.second_person) else self.second_person


class WorkKind(ABC, Generic[T]):
    """One kind of work. Its subject's table has `work`, a one-to-one field to its `WorkItem`.

    Locks: `lock` takes the subject's rows in their order; the item is locked after them.
    """

    model: type[T]
    code: ClassVar[str]
    label: ClassVar[Label]
    # The right to claim and decide; who may see items is `visible_to`.
    right: ClassVar[str]
    outcomes: ClassVar[Mapping[str, Outcome]]
    # Working hours until an item is late, and seconds in which a decision can be undone; None: final at once.
    hours: ClassVar[Policy[int]]
    undo_seconds: ClassVar[Policy[int] | None] = None
    lease_minutes: ClassVar[int] = 10
    # Only whoever holds the claim decides; else a claim keeps colleagues out, and nobody has to claim.
    needs_claim: ClassVar[bool] = True
    # A claim takes all open items of the client, so that two people never work on one client.
    by_client: ClassVar[bool] = True
    # What "next" takes first, as paths from the item: by priority, then what has waited longest.
    order: ClassVar[Sequence[str]] = ("-priority", "opened_at", "pk")
    # The name of the queue's URL.
    queue_url: ClassVar[str]

    @abstractmethod
    def visible_to(self, user: Actor) -> QuerySet[T]:
        """Select the subjects that a person may see."""

    @abstractmethod
    def may_work(self, user: Actor, subject: T) -> Decision:
        """Decide whether a person may claim and decide this subject, whoever holds it."""

    def offered(self, user: Actor) -> QuerySet[T]:
        """Select what "next" may take: subjects that wait for somebody else, as for the client, are left out."""
        return self.visible_to(user)

    def hours_for(self, brand: Brand, priority: int) -> int:
        """Return the working hours until an item of a priority is late; the same for all, unless the kind says otherwise."""
        return self.hours.of(brand)

    def hold_subjects(self, item_ids: Sequence[int]) -> None:
        """Lock what `reprioritized` writes besides the items, where that is locked before them."""

    def reprioritized(self, item_ids: Sequence[int], before: Mapping[int, int]) -> None:
        """Follow a change of priority, where the kind keeps an order or a service level of its own. before: by item."""

    def further_labels(self) -> list[str]:
        """Name the columns that this kind adds to the figures of officers."""
        return []

    def further_figures(self, user: User, since: dt.datetime) -> Mapping[int, Sequence[str]]:
        """Compute what stands in them, by person; one text for each label."""
        return {}

    def rows(self) -> QuerySet[T]:
        """Select subjects with what `may_work` and `title` read of them."""
        return self.model._default_manager.all()

    def subject(self, item: WorkItem) -> T:
        return self.rows().get(work=item)

    def subjects(self, items: list[WorkItem]) -> dict[int, T]:
        """Find the subjects of many items, by item."""
        rows: Any = self.rows().filter(work__in=items)
        return {row.work_id: row for row in rows}

    @abstractmethod
    def lock(self, subject_id: Any) -> T:
        """Lock a subject, and before it what is locked before it."""

    @abstractmethod
    def title(self, subject: T) -> LocalizedText:
        """Name the subject in lists and notifications."""

    def url(self, subject: T) -> str:
        return str(subject.get_absolute_url())  # type: ignore[attr-defined]

    def carry_out(self, subject: T, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]) -> None:
        """Decide a locked subject as the second person, as was proposed: what the app's verb does without its checks.

        given: what the verb gave to `propose`.
        """
        raise NotImplementedError

    def described(self, subject: T, given: Mapping[str, Any]) -> Sequence[Change]:
        """Describe what was given with a proposal, for the person who decides on it."""
        return ()

    def take_effect(self, subject: T) -> None:
        """Have a decision its consequences, once it can't be undone any more; in the transaction that makes it final."""

    def reopen(self, subject: T, actor: User) -> None:
        """Put the subject back to where it was before the decision that is undone, and audit that."""


_kinds: dict[str, WorkKind[Any]] = {}


def register(kind: type[WorkKind[T]]) -> WorkKind[T]:
    """Make a kind known. Raises: TypeError when its code is taken, or it doesn't say how it is undone or carried out."""
    if kind.code in _kinds:
        raise TypeError(f"two kinds of work are called {kind.code!r}")
    if any(outcome.second_person for outcome in kind.outcomes.values()) and kind.carry_out is WorkKind.carry_out:
        raise TypeError(f"{kind.code!r} needs a second person, but has no carry_out")
    if kind.undo_seconds is not None and kind.reopen is WorkKind.reopen:
        raise TypeError(f"{kind.code!r} has a time to undo, but no way back")
    made = kind()
    _kinds[kind.code] = made
    return made


def kind_of(item: WorkItem) -> WorkKind[Any]:
    """Look up the kind of an item."""
    return _kinds[item.kind]


def all_kinds() -> list[WorkKind[Any]]:
    """List all kinds of work, by code."""
    return sorted(_kinds.values(), key=lambda kind: kind.code)
