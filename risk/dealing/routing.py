"""Execution books of clients: proposed with a reason, approved by a second person, in force from then on.

The platform routes; this is the company's decision with its history. Clients, partners and sales don't see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.policies import can
from clients.queries import clients_visible_to
from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock, lock_all
from crm.errors import DomainError
from crm.events import ClientRoutingChanged, publish
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import Actor, User
from crm.security.policies import no, require, require_permission
from risk.abuse.choices import EpisodeState, RiskNotice
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import episodes_visible_to
from risk.audit_codes import RiskAction
from risk.dealing.choices import ExecutionBook
from risk.dealing.models import ClientRouting

SEES: Final = "risk.view_clientrouting"
RIGHT: Final = "risk.decide_clientrouting"
EXPORTS: Final = "risk.export_clientrouting"
AT_ONCE_MAX: Final = 100
HISTORY_SHOWN: Final = 20
# The client's execution book is shown beside this tab of their page.
TAB: Final = "trading"
WHOLE: Final = {ExecutionBook.A: 100, ExecutionBook.B: 0}


@dataclass(frozen=True)
class Line:
    """One client of a preview: the book in force, and why nothing would be proposed, if so."""

    client: Client
    now: ClientRouting | None
    problem: str = ""


def routings_visible_to(user: Actor) -> QuerySet[ClientRouting]:
    """Select proposals and decisions about clients in reach, for those who may see execution books at all."""
    if user is None or not user.is_team or not user.has_perm(SEES):
        return ClientRouting.objects.none()
    return ClientRouting.objects.filter(client__in=clients_visible_to(user).order_by().values("pk"))


def only_current(rows: QuerySet[ClientRouting]) -> QuerySet[ClientRouting]:
    """Keep the decision that is in force for each client."""
    later = ClientRouting.objects.filter(
        client=OuterRef("client"), state=ApprovalState.APPROVED, decided_at__gt=OuterRef("decided_at")
    )
    return rows.filter(~Exists(later), state=ApprovalState.APPROVED)


def current_of(client_ids: Iterable[int]) -> dict[int, ClientRouting]:
    """Find the decision in force by client; for callers who have asked who may see it."""
    rows = ClientRouting.objects.filter(client__in=list(client_ids), state=ApprovalState.APPROVED)
    rows = rows.select_related("decided_by").order_by("client_id", "-decided_at", "-pk").distinct("client_id")
    return {row.client_id: row for row in rows}


def page_of(client: Client) -> str:
    """Return the address of the page that shows a client's book."""
    return reverse("client_tab", kwargs={"client_id": client.pk, "slug": TAB})


def share_text(row: ClientRouting) -> str:
    """Name the book, of a split also how much is passed on."""
    if row.book != ExecutionBook.SPLIT:
        return str(row.get_book_display())
    return _("%(percent)s %% A, %(rest)s %% B") % {
        "percent": formats.number(row.passed_percent),
        "rest": formats.number(100 - row.passed_percent),
    }


def plan(*, client_ids: Sequence[int], user: User, book: str, passed_percent: int | None) -> list[Line]:
    """Say for each selected client in reach what is in force and whether a proposal would change it. Nothing is written."""
    clients = clients_visible_to(user).filter(pk__in=list(client_ids)[:AT_ONCE_MAX]).order_by("last_name", "pk")
    found = list(clients.select_related("brand"))
    return _lines(found, WHOLE.get(ExecutionBook(book), passed_percent) if book else None)


def _lines(clients: Sequence[Client], percent: int | None) -> list[Line]:
    ids = [client.pk for client in clients]
    now = current_of(ids)
    waiting = set(
        ClientRouting.objects.filter(client__in=ids, state=ApprovalState.PENDING).values_list("client_id", flat=True)
    )
    lines = []
    for client in clients:
        row, problem = now.get(client.pk), ""
        if client.pk in waiting:
            problem = _("A proposal is already awaiting second approval.")
        elif row is not None and row.passed_percent == percent:
            problem = _("Already on this book.")
        lines.append(Line(client, row, problem))
    return lines


@transaction.atomic
def propose_routing(
    *,
    client_id: int,
    book: str,
    actor: User,
    reason: str,
    passed_percent: int | None = None,
    episode_id: int | None = None,
) -> ClientRouting:
    """Propose on which book a client's trades are executed; `passed_percent` of a split, the case that it rests on.

    Who: `risk.decide_clientrouting`, the client in reach.
    Raises: NotAllowed; WrongState (one awaits approval); DomainError (no share for a split, already on it, no reason, no case).
    """
    client = lock(Client, client_id, "brand", "book", no_key=True)
    require(can(actor, client, RIGHT))
    percent = _share(book, passed_percent)
    now = current_of([client.pk]).get(client.pk)
    if now is not None and now.passed_percent == percent:
        raise DomainError(_("Already on this book."))
    episode = None
    if episode_id is not None:
        episode = cases_of(actor, client.pk).filter(pk=episode_id).first()
        if episode is None:
            raise DomainError(_("Choose a case of this client."))
    row = ClientRouting(client=client, book=ExecutionBook(book), passed_percent=percent, episode=episode, reason=reason)
    return approvals.propose(row, actor=actor)


@transaction.atomic
def propose_routing_for(
    *, client_ids: Sequence[int], book: str, actor: User, reason: str, passed_percent: int | None = None
) -> list[ClientRouting]:
    """Propose one book for several clients, each with the newest case; whom it wouldn't change is left out.

    Who: `risk.decide_clientrouting`; clients out of reach are left out. Raises: NotAllowed (also when none is in reach);
    DomainError (nobody is left).
    """
    require_permission(actor, RIGHT)
    percent = _share(book, passed_percent)
    seen = (
        clients_visible_to(actor).filter(pk__in=list(client_ids)[:AT_ONCE_MAX]).order_by().values_list("pk", flat=True)
    )
    clients = lock_all(Client, "brand", "book", pks=seen, no_key=True)
    if not clients:
        require(no(_("This is out of your reach.")))
    rows = []
    for line in _lines(clients, percent):
        if line.problem or not can(actor, line.client, RIGHT):
            continue
        case = cases_of(actor, line.client.pk).first()
        row = ClientRouting(
            client=line.client, book=ExecutionBook(book), passed_percent=percent, episode=case, reason=reason
        )
        rows.append(approvals.propose(row, actor=actor))
    if not rows:
        raise DomainError(_("Nothing to propose: the selected clients are on this book or a proposal awaits approval."))
    return rows


def _share(book: str, passed_percent: int | None) -> int:
    """Return the share that is passed on. Raises: DomainError."""
    if book not in ExecutionBook.values:
        raise DomainError(_("Choose a book."))
    if book != ExecutionBook.SPLIT:
        return WHOLE[ExecutionBook(book)]
    if passed_percent is None or not 1 <= passed_percent <= 99:
        raise DomainError(_("Enter how much of a split is passed on, from 1 to 99 percent."))
    return passed_percent


def cases_of(user: Actor, client_id: int) -> QuerySet[AbuseEpisode]:
    """Select open and confirmed cases of a client among those the user sees, the newest first."""
    rows = episodes_visible_to(user).filter(parties__client=client_id).distinct()
    return rows.filter(state__in=[EpisodeState.OPEN, EpisodeState.CONFIRMED]).order_by("-pk")


class ClientRoutingApproval(approvals.ApprovalKind[ClientRouting]):
    """A client's execution book. Who decides holds the same right as who proposes."""

    model = ClientRouting
    code = "client-routing"
    label = gettext_lazy("Execution book of a client")
    asks = decides = RIGHT
    proposed, approved = RiskAction.ROUTING_PROPOSED, RiskAction.ROUTING_APPROVED
    rejected, withdrawn = RiskAction.ROUTING_REJECTED, RiskAction.ROUTING_WITHDRAWN
    notice = RiskNotice.ROUTING_PROPOSED
    client_path = "client"
    related = ("client__brand", "episode")
    one_open = ("client",)
    done = gettext_lazy("Execution book recorded. Change the routing on the platform.")

    def lock(self, pk: int) -> ClientRouting:
        """Lock the client first, as proposing does."""
        lock(Client, ClientRouting.objects.values_list("client_id", flat=True).get(pk=pk), no_key=True)
        return super().lock(pk)

    def apply(self, item: ClientRouting, actor: User, **given: Any) -> None:
        """Notify the systems that route: the approved row is the decision in force."""
        publish(
            ClientRoutingChanged(
                routing_id=item.pk,
                book=item.book,
                passed_percent=item.passed_percent,
                client_id=item.client_id,
                brand_id=item.client.brand_id,
            )
        )

    def title(self, item: ClientRouting) -> LocalizedText:
        return joined([str(item.client), label_of(item, "book")], ": ")

    def url(self, item: ClientRouting) -> str:
        return page_of(item.client)

    def changes(self, item: ClientRouting) -> Sequence[Change]:
        now = current_of([item.client_id]).get(item.client_id)
        before = share_text(now) if now and now.pk != item.pk else None
        lines = [Change(_("Execution book"), share_text(item), before)]
        return [*lines, Change(_("Suspected abuse"), str(item.episode))] if item.episode else lines

    def before(self, item: ClientRouting) -> dict[str, Any]:
        now = current_of([item.client_id]).get(item.client_id)
        return {"book": now.book, "passed_percent": now.passed_percent} if now else {}

    def after(self, item: ClientRouting) -> dict[str, Any]:
        return {"book": item.book, "passed_percent": item.passed_percent, "episode": item.episode_id}
