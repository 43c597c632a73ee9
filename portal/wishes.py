"""What a client asks for and a person decides."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.followups import add_task
from clients.models import Client, Task
from crm import audit
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import User
from crm.notify import people_with
from crm.scope import reach_of
from crm.words import say
from trading.choices import AccountState
from trading.models import TradingAccount

ANSWER_WITHIN = dt.timedelta(days=1)


@transaction.atomic
def wish_leverage(*, account_id: int, leverage: int, reason: str, actor: User) -> Task:
    """The client asks for another leverage: a task for somebody who may change it, due within a day.

    Who: the account's owner. Raises: NotAllowed, WrongState (not open, asked already), DomainError.
    """
    account = TradingAccount.objects.select_related("client", "account_type", "server").get(pk=account_id)
    if account.client.user_id != actor.pk:
        raise NotAllowed(_("This is not your account."))
    Client.objects.select_for_update(of=("self",)).get(pk=account.client_id)
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account is not open."))
    kind = account.account_type
    if kind is None or leverage not in {*kind.leverages, kind.default_leverage}:
        raise DomainError(_("This account type has no leverage of 1:%(leverage)s.") % {"leverage": leverage})

    def words() -> str:
        return _("Leverage of %(login)s: 1:%(before)s → 1:%(after)s wished") % {
            "login": account.login, "before": account.leverage, "after": leverage,
        }  # fmt: skip

    title = say(words)  # staff read it, and the same wish in another language is the same
    if Task.objects.filter(client_id=account.client_id, done_at=None, title=title).exists():
        raise WrongState(_("We have this wish already and answer soon."))
    task = add_task(
        client_id=account.client_id, actor=None, title=title, due_at=timezone.now() + ANSWER_WITHIN,
        assignee_id=_who_decides(account.client),
    )  # fmt: skip
    audit.record(
        actor=actor, action="portal.leverage_wished", target=account, client_id=account.client_id,
        brand_id=account.client.brand_id, before={"leverage": account.leverage}, after={"leverage": leverage}, reason=reason,
    )  # fmt: skip
    timeline.tell(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        actor=actor,
        title=words,
        body=reason,
        is_visible_to_client=True,
    )
    return task


def _who_decides(client: Client) -> int:
    """The client's own agent where they may change leverage, else the first colleague who may and reaches the client."""
    able = set(people_with("trading.change_leverage", brand_id=client.brand_id))
    if client.owner_id in able:
        return client.owner_id
    for user in User.objects.filter(pk__in=able).order_by("pk"):
        if client.book_id in reach_of(user).books:
            return user.pk
    raise DomainError(_("Nobody can decide this at the moment. Please write to support."))
