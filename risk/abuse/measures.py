"""What is done about confirmed abuse: a measure against a client, carried out when a second person has approved it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to
from compliance.choices import RestrictionKind
from compliance.restrictions import place_restriction
from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, joined, label_of, localize, phrase
from crm.models import User
from crm.security import policies
from risk.abuse.choices import EpisodeState, Measure, RiskNotice
from risk.abuse.models import AbuseEpisode, AbuseMeasure, EpisodeParty
from risk.abuse.queue import RIGHT, can_decide_episode
from risk.audit_codes import RiskAction
from trading.accounts.request_rules import types_to_change_to
from trading.accounts.requests import order_by_house
from trading.models import AccountType, TradingAccount
from wallet.bonuses.ending import take_bonus_away
from wallet.choices.bonuses import BonusState
from wallet.models import BonusGrant

BONUSES_MAX: Final = 100  # of one client in one measure


@transaction.atomic
def propose_measure(
    *,
    episode_id: int,
    client_id: int,
    kind: str,
    actor: User,
    reason: str,
    account_id: int | None = None,
    type_id: int | None = None,
) -> AbuseMeasure:
    """Propose a measure against a client of a confirmed episode. A second person approves it, and it is carried out.

    `account_id`, `type_id`: whose type is changed, and to which. Who: `risk.decide_abuseepisode`, the client in reach.
    Raises: NotAllowed; WrongState (not confirmed, a proposal of the kind waits); DomainError (not of the episode, no such type,
    no bonus held, no reason).
    """
    client = lock(Client, client_id, "brand", "book", no_key=True)
    episode = AbuseEpisode.objects.get(pk=episode_id)
    policies.require(can_decide_episode(actor, episode))
    if episode.state != EpisodeState.CONFIRMED:
        raise WrongState(_("Confirm the abuse first. Measures follow from that decision."))
    if not EpisodeParty.objects.filter(episode=episode, client=client).exists():
        raise DomainError(_("Choose a client of this episode."))
    measure = AbuseMeasure(episode=episode, client=client, kind=Measure(kind), reason=reason.strip())
    if measure.kind == Measure.TYPE:
        measure.account, measure.account_type = _account_and_type(episode, client, account_id, type_id)
    elif measure.kind == Measure.BONUSES and not _bonuses(client.pk):
        raise DomainError(_("%(client)s holds no bonus.") % {"client": client})
    return approvals.propose(measure, actor=actor)


def _account_and_type(
    episode: AbuseEpisode, client: Client, account_id: int | None, type_id: int | None
) -> tuple[TradingAccount, AccountType]:
    """Find both, as the account page would offer them. Raises: DomainError."""
    party = EpisodeParty.objects.filter(episode=episode, client=client, account_id=account_id)
    party = party.select_related("account__client", "account__server", "account__account_type")
    found = party.first()
    if found is None:
        raise DomainError(_("Choose an account of this episode."))
    for account_type in types_to_change_to(found.account):
        if account_type.pk == type_id:
            return found.account, account_type
    raise DomainError(_("Choose an account type that this account can be changed to."))


def _bonuses(client_id: int) -> list[int]:
    rows = BonusGrant.objects.filter(client_id=client_id, state=BonusState.ACTIVE).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:BONUSES_MAX])


class AbuseMeasureApproval(approvals.ApprovalKind[AbuseMeasure]):
    """A measure against a client of confirmed abuse. Who decides holds the same right as who proposes."""

    model = AbuseMeasure
    code = "abuse-measure"
    label = gettext_lazy("Measure against abuse")
    asks = decides = RIGHT
    proposed, approved = RiskAction.MEASURE_PROPOSED, RiskAction.MEASURE_APPROVED
    rejected, withdrawn = RiskAction.MEASURE_REJECTED, RiskAction.MEASURE_WITHDRAWN
    notice = RiskNotice.MEASURE_PROPOSED
    client_path = "client"
    related = ("client__brand", "episode", "account", "account_type")
    one_open = ("client", "kind", "account")
    done = gettext_lazy("Measure carried out.")

    def lock(self, pk: int) -> AbuseMeasure:
        """Lock the client first, as restrictions and bonuses do."""
        lock(Client, AbuseMeasure.objects.values_list("client_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: AbuseMeasure, actor: User, **given: Any) -> None:
        """Carry it out in the house's name: both persons are on the measure. Raises: DomainError, WrongState."""
        # On the client's file it is in the company's language, whoever approves it in which.
        reason = localize(
            phrase("Abuse confirmed (%(kind)s, no. %(number)s): %(reason)s")
            % {"kind": label_of(item.episode, "kind"), "number": item.episode_id, "reason": item.reason}
        )
        if item.kind == Measure.WITHDRAWALS:
            place_restriction(client_id=item.client_id, kind=RestrictionKind.NO_WITHDRAWAL, reason=reason, actor=None)
        elif item.kind == Measure.BONUSES:
            grants = _bonuses(item.client_id)
            if not grants:
                raise DomainError(_("%(client)s holds no bonus.") % {"client": item.client})
            for grant in grants:
                take_bonus_away(grant_id=grant, actor=None, reason=reason)
        else:
            assert item.account is not None and item.account_type is not None
            order_by_house(account_id=item.account.pk, account_type=item.account_type, ordered_by=actor)

    def title(self, item: AbuseMeasure) -> LocalizedText:
        return joined([str(item.client), label_of(item, "kind")], ": ")

    def url(self, item: AbuseMeasure) -> str:
        return f"/risk/abuse/{item.episode_id}/"

    def changes(self, item: AbuseMeasure) -> Sequence[Change]:
        lines = [
            Change(_("Measure to take"), item.get_kind_display()),
            Change(_("Client"), str(item.client)),
            Change(_("Suspected abuse"), item.episode.get_kind_display()),
        ]
        if item.account is None or item.account_type is None:
            return lines
        return [*lines, Change(_("Account"), item.account.login), Change(_("Account type"), str(item.account_type))]

    def after(self, item: AbuseMeasure) -> dict[str, Any]:
        said = {"kind": item.kind, "episode": item.episode_id}
        return said | ({"account": item.account_id, "account_type": item.account_type_id} if item.account_id else {})


def measures_of(user: User, episode: AbuseEpisode) -> list[AbuseMeasure]:
    """List the measures of an episode against clients in the reader's reach, the newest first."""
    rows = episode.measures.filter(client__in=clients_visible_to(user).order_by().values("pk"))
    return list(rows.select_related("client", "account", "account_type", "requested_by", "decided_by")[:50])
