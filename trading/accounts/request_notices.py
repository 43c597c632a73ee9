"""Who is notified of a request on an account, and what is recorded of it."""

from __future__ import annotations

from typing import Any

from clients import timeline
from clients.choices import TimelineKind
from crm.audit_codes import AuditCode
from crm.i18n.localized_text import joined, localize, lowered, phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.security import audit
from trading.accounts.request_rules import what, words_of
from trading.choices import RequestState
from trading.core.notices import TradingNotice
from trading.models import AccountRequest

DECIDES = "trading.decide_request"


def notify_staff(request: AccountRequest) -> None:
    """Notify the people who decide requests in the client's brand that one is waiting, once per state of its obstacles."""
    account = request.account
    notify(
        people_with(DECIDES, brand_id=account.client.brand_id),
        kind=TradingNotice.REQUEST,
        title=phrase("Request for %(login)s: %(what)s") % {"login": account.login, "what": what(request)},
        body=joined(words_of(request), " "),
        url=f"/trading/requests/{request.pk}/",
        dedupe_key=f"trading.request:{request.pk}:{len(request.held_because)}",
    )


def notify_client(request: AccountRequest) -> None:
    """Put the request's state on the client's timeline and, for a client who signs in, into their notifications."""
    account = request.account
    state = RequestState(request.state)

    title = phrase("%(login)s: %(what)s – %(state)s") % {
        "login": account.login,
        "what": what(request),
        "state": lowered(state.label),
    }
    if request.is_by_rule and state == RequestState.GRANTED:  # nobody asked for it
        title = joined([account.login, what(request)], ": ")

    timeline.add_entry(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        actor=request.decided_by,
        is_visible_to_client=True,
        title=title,
        body=request.note,
        dedupe_key=f"trading.request:{request.pk}:{state.value}:{request.decided_at}",
    )
    if account.client.user_id:
        notify(
            [account.client.user_id],
            kind=TradingNotice.REQUEST,
            title=title,
            body=request.note,
            url=f"/portal/accounts/{account.pk}/",
            dedupe_key=f"trading.request:{request.pk}:{state.value}:{request.decided_at}",
        )


def record(action: AuditCode, request: AccountRequest, actor: Actor, **more: Any) -> None:
    """Audit an action on a request with its client and brand; `more` goes to `audit.record`."""
    account = request.account
    more.setdefault("after", {"what": localize(what(request))})
    audit.record(
        actor=actor,
        action=action,
        target=request,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        **more,
    )
