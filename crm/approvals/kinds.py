"""Kinds of approvals: who proposes and decides one, whom it is about, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.choices import ApprovalState, BadgeChoices
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import Actor, User
from crm.notices.kinds import NotificationKind
from crm.security.policies import YES, Decision, has_permission, no, require
from crm.security.scope import reach_of

T = TypeVar("T", bound=models.Model)
Label = str | Promise


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what a proposal changes. before: None where nothing was there, or nothing is replaced."""

    label: Label
    after: Any
    before: Any = None


class ApprovalKind(Generic[T]):
    """One kind of proposal. A room subclasses it, names rights and audit codes, and writes `apply`: the effect.

    Locks: `lock` takes the subject first where others do so too, then the proposal.
    """

    model: type[T]
    code: ClassVar[str]
    label: ClassVar[Label]
    # Rights of who proposes (and withdraws) one and of who decides it.
    asks: ClassVar[str]
    decides: ClassVar[str]
    # Audit codes. None: the effect records its own; without the last one there is no withdrawing.
    proposed: ClassVar[AuditCode | None]
    approved: ClassVar[AuditCode | None]
    rejected: ClassVar[AuditCode | None]
    withdrawn: ClassVar[AuditCode | None]
    # What those who decide are notified of; the one who proposed gets CrmNotice.PROPOSAL_DECIDED.
    notice: ClassVar[NotificationKind | None] = None
    # Whom it is about, as lookups: a client is reached through the book, a brand as a whole. Neither: the whole company.
    client_path: ClassVar[str] = ""
    brand_path: ClassVar[str] = ""
    # Fields of the subject that may have one open proposal at a time.
    one_open: ClassVar[tuple[str, ...]] = ()
    related: ClassVar[tuple[str, ...]] = ()
    # False: nobody says no, who doesn't agree doesn't approve; the form to approve is on its own page.
    is_rejectable: ClassVar[bool] = True
    # Whoever approves needs more than a note, or should see more: their form is on the proposal's own page.
    has_own_form: ClassVar[bool] = False
    # The person signs in again before deciding.
    is_sensitive: ClassVar[bool] = False
    # Question before an approval that can't be undone, and its success message.
    confirm: ClassVar[Label] = ""
    done: ClassVar[Label] = ""
    maker: ClassVar[str] = "requested_by"
    asked_at: ClassVar[str] = "requested_at"
    reason: ClassVar[str] = "reason"
    note: ClassVar[str] = "decision_note"
    states: ClassVar[type[BadgeChoices]] = ApprovalState
    pending: ClassVar[Mapping[str, Any]] = {"state": ApprovalState.PENDING}

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> QuerySet[T]:
        return self.model._default_manager.select_related(self.maker, *self.related)

    def in_reach(self, rows: QuerySet[T], user: User) -> QuerySet[T]:
        """Those about a client or brand that the user reaches: decided by rights and reach alone, not by the hour."""
        if self.client_path:
            return rows.filter(**{f"{self.client_path}__book_id__in": reach_of(user).books})
        if self.brand_path:
            return rows.filter(**{f"{self.brand_path}__in": reach_of(user).whole_brands})
        return rows

    def maker_id(self, item: T) -> int | None:
        pk: int | None = value_of(item, f"{self.maker}_id")
        return pk

    def client_id(self, item: T) -> int | None:
        return value_of(item, f"{self.client_path}_id") if self.client_path else None

    def brand_id(self, item: T) -> int | None:
        path = f"{self.client_path}__brand_id" if self.client_path else self.brand_path
        pk: int | None = value_of(item, path) if path else None
        return pk

    def awaiting(self, rows: QuerySet[T]) -> QuerySet[T]:
        """Those of the rows that await a decision."""
        return rows.filter(**self.pending)

    def is_pending(self, item: T) -> bool:
        return all(getattr(item, name) == value for name, value in self.pending.items())

    def is_decider(self, user: User) -> bool:
        """Whether the user decides proposals of this kind, about whomever they reach."""
        return user.has_perm(self.decides)

    def takes_part(self, user: User) -> bool:
        """Whether the user proposes or decides any."""
        return self.is_decider(user) or user.has_perm(self.asks)

    def read_subjects(self, items: Sequence[T]) -> None:
        """Read what the titles of many proposals need, where it isn't read along."""

    def decided_by_right(self, item: T) -> str:
        """Return the right that decides this proposal, for who is notified."""
        return self.decides

    def not_deciders(self, item: T) -> set[int | None]:
        """Who isn't notified though they have the right."""
        return {self.maker_id(item)}

    # ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def reaches(self, user: User, item: T) -> Decision:
        if self.client_path and value_of(item, f"{self.client_path}__book_id") not in reach_of(user).books:
            return no(_("You don't have access to this client."))
        if self.brand_path and value_of(item, self.brand_path) not in reach_of(user).whole_brands:
            return no(_("You don't have access to this brand."))
        return YES

    def can_propose(self, user: User, item: T) -> Decision:
        allowed = has_permission(user, self.asks)
        return self.reaches(user, item) if allowed else allowed

    def may_decide(self, user: User, item: T) -> Decision:
        """Right and reach; that it isn't one's own proposal and still waits is asked by `can_decide`."""
        allowed = has_permission(user, self.decides)
        return self.reaches(user, item) if allowed else allowed

    def can_decide(self, user: User, item: T) -> Decision:
        """Four eyes: not the one who proposed it (also a CHECK of the table), and only while it waits."""
        allowed = self.may_decide(user, item)
        if not allowed:
            return allowed
        allowed = by_another(user, self.maker_id(item))
        return self.still_waits(item) if allowed else allowed

    def can_withdraw(self, user: User, item: T) -> Decision:
        if not self.withdrawn:
            return no(_("This can't be withdrawn. Ask someone to reject it."))
        if user.pk != self.maker_id(item):
            return no(_("Only the person who proposed this can withdraw it."))
        allowed = has_permission(user, self.asks)
        return self.still_waits(item) if allowed else allowed

    def still_waits(self, item: T) -> Decision:
        if self.is_pending(item):
            return YES
        return no(_("This was already decided: %(state)s.") % {"state": value_of(item, "get_state_display")()})

    # ── what is its own ──────────────────────────────────────────────────────────────────────────────────────────────

    def lock(self, pk: int) -> T:
        """Lock the proposal; its subject before it where others lock the subject too."""
        return lock(self.rows(), pk)

    def ask_outside(self, item: T, **given: Any) -> None:
        """Ask another system before approving, outside the transaction."""

    def apply(self, item: T, actor: User, **given: Any) -> None:
        """Apply the proposal in the approval's transaction; `item` is saved afterwards. Raises: DomainError when it can't be."""
        raise NotImplementedError

    def give_back(self, item: T, actor: User) -> None:
        """Give the subject back as it was before the proposal, which `actor` has rejected or withdrawn; in that transaction."""

    def title(self, item: T) -> LocalizedText:
        """Describe it for the list and for the notice to those who decide."""
        raise NotImplementedError

    def answer_title(self, item: T) -> LocalizedText:
        return joined([self.title(item), label_of(item, "state")], ": ")

    def url(self, item: T) -> str:
        """Return the address of its subject's page."""
        raise NotImplementedError

    def maker_url(self, item: T) -> str:
        """Return the address where the maker reads the decision, where that isn't its subject's page."""
        return self.url(item)

    def changes(self, item: T) -> Sequence[Change]:
        return ()

    def target(self, item: T) -> models.Model:
        """Return the row that the audit log names."""
        return item

    def approval_code(self, item: T) -> AuditCode | None:
        """Return the audit code of an approval; None where the effect records it."""
        return self.approved

    def before(self, item: T) -> dict[str, Any]:
        """For the audit of an approval; read before the effect."""
        return {}

    def after(self, item: T) -> dict[str, Any]:
        """For the audit: what it says."""
        return {}


class ListedApproval(ApprovalKind[T]):
    """A kind whose states belong to a longer life, such as a withdrawal's: it keeps its verbs, and is in the list.

    `withdrawn` names the audit code that its own `withdraw` records.
    """

    proposed: ClassVar[AuditCode | None] = None
    approved: ClassVar[AuditCode | None] = None
    rejected: ClassVar[AuditCode | None] = None
    withdrawn: ClassVar[AuditCode | None] = None

    def approve(self, pk: int, actor: User, note: str) -> T:
        raise NotImplementedError

    def reject(self, pk: int, actor: User, note: str) -> T:
        raise NotImplementedError

    def withdraw(self, pk: int, actor: User, note: str) -> T:
        raise NotImplementedError


def by_another(user: Actor, maker_id: int | None) -> Decision:
    """Four eyes: whoever proposed it doesn't decide it."""
    if user is None:
        return no(_("This must be decided by a person."))
    return no(_("You proposed this: someone else must decide.")) if user.pk == maker_id else YES


def value_of(item: Any, path: str) -> Any:
    """Return the value behind a lookup such as `psp__brand_id`."""
    return reduce(getattr, path.split("__"), item)


def require_waiting(kind: ApprovalKind[Any], item: Any) -> None:
    """Refuse a second decision. Raises: WrongState when it was decided."""
    waits = kind.still_waits(item)
    if not waits:
        raise WrongState(waits.reason)


def require_withdrawable(kind: ApprovalKind[T], item: T, actor: User) -> None:
    """Let only the maker withdraw, and only while nobody has decided. Raises: NotAllowed, WrongState."""
    if actor.pk == kind.maker_id(item):
        require_waiting(kind, item)
    require(kind.can_withdraw(actor, item))


_kinds: dict[type[models.Model], ApprovalKind[Any]] = {}


def register(*kinds: type[ApprovalKind[Any]]) -> None:
    """Make kinds known to the list and the pages; an app does this in its `panels.py`."""
    for kind in kinds:
        _kinds[kind.model] = kind()


def kind_of(model: type[T]) -> ApprovalKind[T]:
    """Look up the kind of proposal that a model is."""
    return _kinds[model]


def all_kinds() -> list[ApprovalKind[Any]]:
    """List all kinds of proposals, by their code."""
    return sorted(_kinds.values(), key=lambda kind: kind.code)
