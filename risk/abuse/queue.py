"""The queue of suspected abuse: who sees which episode, and how one is decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients.models import Client
from clients.queries import clients_visible_to
from compliance.aml.referrals import Suspicion, refer_suspicion
from crm import work
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import Decision, has_permission, require_permission
from risk.abuse.brand_policies import ABUSE_HOURS
from risk.abuse.choices import Abuse, EpisodeState, Handling
from risk.abuse.models import AbuseEpisode, EpisodeParty
from risk.abuse.texts import reservations, sentence
from risk.audit_codes import RiskAction

SEES: Final = "risk.view_abuseepisode"
RIGHT: Final = "risk.decide_abuseepisode"


class AbuseWork(work.WorkKind[AbuseEpisode]):
    """Suspected abuse by traders. Nobody has to claim."""

    model = AbuseEpisode
    code, label = "risk.abuse", gettext_lazy("Suspected abuse")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        EpisodeState.CONFIRMED: work.Outcome(EpisodeState.CONFIRMED.label, needs_reason=True),
        EpisodeState.ALLOWED: work.Outcome(EpisodeState.ALLOWED.label, needs_reason=True),
        EpisodeState.NOT_ABUSE: work.Outcome(EpisodeState.NOT_ABUSE.label, needs_reason=True),
    }
    hours = ABUSE_HOURS
    needs_claim = False
    by_client = False
    order = ("-priority", "-abuse_episode__stake", "opened_at", "pk")
    queue_url = "risk_abuse"

    def visible_to(self, user: Actor) -> QuerySet[AbuseEpisode]:
        return episodes_visible_to(user)

    def may_work(self, user: Actor, subject: AbuseEpisode) -> Decision:
        return can_decide_episode(user, subject)

    def rows(self) -> QuerySet[AbuseEpisode]:
        return AbuseEpisode.objects.select_related("client__brand", "brand")

    def lock(self, subject_id: int) -> AbuseEpisode:
        return lock(AbuseEpisode, subject_id, "work", "client", "brand")

    def title(self, subject: AbuseEpisode) -> LocalizedText:
        return joined([str(subject.client), label_of(subject, "kind")], ": ")


ABUSE: Final = work.register(AbuseWork)


def episodes_visible_to(user: Actor) -> QuerySet[AbuseEpisode]:
    """Select episodes in which an account of a client in reach has a part."""
    if user is None or not user.is_team or not user.has_perm(SEES):
        return AbuseEpisode.objects.none()
    seen = EpisodeParty.objects.filter(
        episode=OuterRef("pk"), client__in=clients_visible_to(user).order_by().values("pk")
    )
    return AbuseEpisode.objects.filter(Exists(seen))


def with_money(rows: QuerySet[AbuseEpisode]) -> QuerySet[AbuseEpisode]:
    """Add to each whether accounts with real money have a part in it, and accounts of challenges, whose money is simulated."""
    parties = EpisodeParty.objects.filter(episode=OuterRef("pk"))
    return rows.annotate(
        has_real=Exists(parties.filter(account__is_demo=False)),
        has_simulated=Exists(parties.filter(account__is_demo=True)),
    )


def get_episode(user: User, episode_id: int) -> AbuseEpisode:
    """Find one, 403 without the right, 404 out of reach."""
    require_permission(user, SEES)
    rows = with_money(episodes_visible_to(user)).select_related("brand", "client__brand", "work", "decided_by")
    row = rows.filter(pk=episode_id).first()
    if row is None:
        raise Http404
    return row


def can_decide_episode(user: Actor, episode: AbuseEpisode) -> Decision:
    """Decide whether the user may decide it: with the right, and a client of it in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    if episodes_visible_to(user).filter(pk=episode.pk).exists():
        return policies.YES
    return policies.no(_("This is out of your reach."))


@transaction.atomic
def decide_episode(*, episode_id: int, actor: User, outcome: str, reason: str, handling: str = "") -> AbuseEpisode:
    """Decide an episode with a reason; of confirmed abuse, say how it is handled.

    What is done about it is done where it belongs, by its own verb and with its second approval; this records the decision.
    Reported to the AML officer, it opens the AML cases of its clients, or joins the open ones.
    Who: `risk.decide_abuseepisode`, with a client of the episode in reach.

    Raises: NotAllowed (also while a colleague has claimed it), WrongState, DomainError (no reason, no handling).
    """
    is_reported = outcome == EpisodeState.CONFIRMED and handling == Handling.REPORT_AML
    if is_reported:  # before the episode, as everywhere
        parties = EpisodeParty.objects.filter(episode=episode_id).values_list("client_id", flat=True)
        lock_all(Client, pks=set(parties), no_key=True)
    row = ABUSE.lock(episode_id)
    policies.require(can_decide_episode(actor, row))
    if row.state != EpisodeState.OPEN:
        raise WrongState(_("This has already been decided."))
    state = EpisodeState(outcome)
    if state == EpisodeState.CONFIRMED and handling not in Handling.values:
        raise DomainError(_("Select how confirmed abuse is handled."))
    work.decide(row, actor=actor, outcome=state, reason=reason)
    row.move_to(state)
    row.reason, row.decided_by, row.decided_at = reason.strip(), actor, timezone.now()
    row.handling = handling if state == EpisodeState.CONFIRMED else ""
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "handling"])
    audit.record(
        actor=actor,
        action=RiskAction.ABUSE_DECIDED,
        target=row,
        brand_id=row.brand_id,
        client_id=row.client_id,
        reason=reason,
        after={"outcome": str(state), "kind": row.kind, "handling": row.handling},
    )
    if is_reported:
        _report_to_aml(row, actor, reason)
    return row


def _report_to_aml(row: AbuseEpisode, actor: User, reason: str) -> None:
    """Pass a confirmed episode on: each of its clients has an AML case with it as evidence. A part of deciding it."""
    trades = row.trades.count()
    has_real = row.parties.filter(account__is_demo=False).exists()
    text = " ".join(
        [
            sentence(row.kind, row.facts, row.brand.base_currency),
            *reservations(row.facts),
            ngettext("%(n)s trade as evidence.", "%(n)s trades as evidence.", trades) % {"n": formats.number(trades)},
        ]
    )
    for client_id in sorted(set(row.parties.values_list("client_id", flat=True))):
        refer_suspicion(
            client_id=client_id,
            suspicion=Suspicion(
                source=f"risk.abuse:{row.pk}:{client_id}",
                title=str(Abuse(row.kind).label),
                text=text,
                since=row.first_at,
                until=row.last_at,
                base_amount=row.stake if has_real else Decimal(0),
                url=row.get_absolute_url(),
            ),
            reason=reason,
            referred_by=actor,
        )


def feedback(user: User) -> dict[str, tuple[int, int]]:
    """Count decided and confirmed episodes by kind, of the last year, among those the reader sees: how often a check is right."""
    since = timezone.now() - dt.timedelta(days=365)
    rows = episodes_visible_to(user).filter(decided_at__gte=since).order_by().values_list("kind", "state")
    counted: dict[str, tuple[int, int]] = {}
    for kind, state in rows[:10_000]:
        decided, confirmed = counted.get(kind, (0, 0))
        counted[kind] = decided + 1, confirmed + (state == EpisodeState.CONFIRMED)
    return counted
