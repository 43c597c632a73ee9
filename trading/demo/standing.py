"""What happened around accounts in the demo: requests in each state, accounts taken over, logins that wait, one that vanished."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clients.choices import Stage
from clients.models import Client
from crm.choices import JobState
from crm.demo import Demo
from crm.models import Job, User
from crm.security import audit
from trading.audit_codes import TradingAction
from trading.choices import ImportState, MissingBecause, StagedState, Verdict
from trading.models import AccountChange, AccountImport, AccountRequest, StagedLogin, TradingAccount, TradingServer
from trading.platforms.base import Right

TAKEN_OVER = 4
FIRST_STRANGER = 650_001
RIGHTS = sorted(right.value for right in Right)
# verdict, name there, group, what it shares with a client of ours ("" nothing), balance
STRANGERS: list[tuple[Verdict, str, str, str, str]] = [
    (Verdict.CLEAN, "", "real\\standard-EUR", "email", "1250.00"),
    (Verdict.CLEAN, "", "real\\standard-EUR", "email", "310.55"),
    (Verdict.PERHAPS, "", "real\\pro-EUR", "name", "4820.10"),
    (Verdict.NO_CLIENT, "Ingrid Solheim", "real\\standard-EUR", "", "95.00"),
    (Verdict.NO_CLIENT, "Dealing Test 7", "real\\vip-EUR", "", "100000.00"),
    (Verdict.NO_TYPE, "", "real\\netting-EUR", "email", "0.00"),
]


def tell(demo: Demo, server: TradingServer, accounts: Sequence[TradingAccount]) -> list[dict[str, Any]]:
    """Write it all; returns the logins that only the platform knows, for the sandbox."""
    support = demo.by_role.get("support") or demo.by_role.get("administrator") or demo.heads
    real = [one for one in accounts if not one.is_demo and one.client.user_id]
    if not support or len(real) < 16:
        return []
    traders = [one for one in real if one.client.stage == Stage.ACTIVE and one.imported_at is None]
    _requests(demo, traders, support[0])
    _dealers_change(demo, traders)
    _vanish(demo, real)
    return _imports(demo, server, [one for one in real if one.imported_at], traders, support[0])


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _requests(demo: Demo, traders: Sequence[TradingAccount], person: User) -> None:
    """Make waiting requests with their reason, one that somebody claimed, and decided ones."""
    now, hour, day = demo.now, dt.timedelta(hours=1), dt.timedelta(days=1)
    german = [one for one in traders if one.leverage == 30][:9]
    if len(german) < 9:
        return
    wishes: list[dict[str, Any]] = [
        {
            "kind": "leverage",
            "leverage": 100,
            "reason": "I trade since 2009 and would like more leverage",
            "asked": 3 * hour,
            "held": ["cap"],
        },
        {
            "kind": "leverage",
            "leverage": 10,
            "reason": "Less risk, please",
            "asked": 26 * hour,
            "held": ["positions"],
            "claimed": True,
        },
        {"kind": "archive", "reason": "I don't trade any more", "asked": 5 * hour, "held": ["money"]},
        {"kind": "password", "reason": "I can't find it any more", "asked": 1 * hour, "held": ["contact"]},
        {"kind": "leverage", "leverage": 30, "before": 20, "state": "granted", "asked": 9 * day},
        {
            "kind": "leverage",
            "leverage": 30,
            "before": 10,
            "state": "granted",
            "asked": 6 * day,
            "held": ["positions"],
            "by": True,
            "note": "Mind that your margin level changes.",
        },
        {
            "kind": "leverage",
            "leverage": 100,
            "state": "refused",
            "asked": 4 * day,
            "held": ["cap"],
            "by": True,
            "note": "Retail clients may have 1:30 at most.",
        },
        {"kind": "archive", "state": "withdrawn", "asked": 8 * day, "held": ["money"], "reason": "Moving abroad"},
        {
            "kind": "leverage",
            "leverage": 10,
            "state": "undone",
            "asked": 12 * day,
            "by": True,
            "note": "As agreed by phone",
        },
    ]
    for account, wish in zip(german, wishes, strict=True):
        state, at = wish.get("state", "waiting"), now - wish["asked"]
        assert account.client.user is not None
        decided = at + 2 * hour if state in ("granted", "refused", "undone") else None
        one = AccountRequest.objects.create(
            account=account,
            kind=wish["kind"],
            leverage=wish.get("leverage"),
            reason=wish.get("reason", ""),
            state=state,
            held_because=wish.get("held", []),
            asked_by=account.client.user,
            note=wish.get("note", ""),
            before={
                "leverage": wish.get("before", account.leverage),
                "group": account.group,
                "account_type": account.account_type_id,
            },
            decided_by=person if wish.get("by") else None,
            decided_at=decided,
            claimed_by=person if wish.get("claimed") else None,
            claimed_until=now + dt.timedelta(minutes=10) if wish.get("claimed") else None,
        )
        AccountRequest.objects.filter(pk=one.pk).update(asked_at=at)


def _dealers_change(demo: Demo, traders: Sequence[TradingAccount]) -> None:
    """Record that a dealer moved one account from 1:20 to 1:30 on the platform itself."""
    account = next((one for one in reversed(traders) if one.leverage == 30), None)
    if account is None:
        return
    before, after = {"leverage": 20}, {"leverage": 30}
    AccountChange.objects.create(account=account, at=demo.now - dt.timedelta(days=3), before=before, after=after)
    audit.record(
        actor=None,
        action=TradingAction.CHANGED_AT_PLATFORM,
        target=account,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        before=before,
        after=after,
    )


def _vanish(demo: Demo, real: Sequence[TradingAccount]) -> None:
    """Let an account without a past vanish from the platform's list."""
    empty = [one for one in real if one.client.stage == Stage.VERIFIED and not one.balance and one.opened_at]
    account = min(empty, key=lambda one: one.opened_at or demo.now, default=None)
    if account is None:
        return
    assert account.opened_at is not None
    since = max(demo.now - dt.timedelta(days=6), account.opened_at + dt.timedelta(hours=1))
    account.missing_since, account.missing_because = min(since, demo.now), MissingBecause.GONE
    account.save(update_fields=["missing_since", "missing_because"])
    audit.record(
        actor=None,
        action=TradingAction.ACCOUNT_MISSING,
        target=account,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        after={"login": account.login, "because": "gone", "server": str(account.server)},
    )


# ── taking over ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _imports(
    demo: Demo, server: TradingServer, taken: Sequence[TradingAccount], traders: Sequence[TradingAccount], person: User
) -> list[dict[str, Any]]:
    at = demo.now - dt.timedelta(days=20)
    job = Job.objects.create(
        kind="trading.read_logins",
        title=f"Accounts of {server}",
        owner=person,
        state=JobState.DONE,
        started_at=at,
        finished_at=at,
        done=len(taken) + len(STRANGERS),
        total=len(taken) + len(STRANGERS),
    )
    batch = AccountImport.objects.create(
        server=server,
        mask="real*",
        first_login=FIRST_STRANGER,
        last_login=server.last_login,
        owner=person,
        job=job,
        state=ImportState.READY,
        read=len(taken) + len(STRANGERS),
        finished_at=at,
    )
    AccountImport.objects.filter(pk=batch.pk).update(created_at=at)
    rows = [_taken_row(batch, account, person, at) for account in taken]
    users = []
    same_brand = [one for one in traders if one.client.brand.code == "meridian"][-len(STRANGERS) :]
    for number, ((verdict, name, group, shares, balance), like) in enumerate(zip(STRANGERS, same_brand, strict=False)):
        row = _stranger(batch, str(FIRST_STRANGER + number), verdict, name, group, balance)
        _share(row, like.client, shares, verdict, group)
        row.read_at = at
        rows.append(row)
        users.append(
            {
                "kind": "user",
                "login": row.login,
                "group": group,
                "leverage": row.leverage,
                "balance": balance,
                "credit": "0.00",
                "name": row.name,
                "email": row.email,
                "country": row.country,
                "comment": "",
                "registration": int((at - dt.timedelta(days=300 - number)).timestamp()),
            }
        )
    StagedLogin.objects.bulk_create(rows)
    return users


def _taken_row(batch: AccountImport, account: TradingAccount, person: User, at: dt.datetime) -> StagedLogin:
    client = account.client
    row = _stranger(batch, account.login, Verdict.CLEAN, client.full_name, account.group, str(account.balance))
    row.email = row.email_canonical = client.email
    row.country, row.client, row.account_type, row.account = client.country, client, account.account_type, account
    row.state, row.decided_by, row.decided_at, row.read_at = StagedState.ATTACHED, person, account.imported_at, at
    row.reasons = [
        {"client": client.pk, "codes": ["email", "name", "country"], "weight": 7, "type": account.account_type_id}
    ]
    row.currency, row.leverage = account.currency, account.leverage
    return row


def _stranger(batch: AccountImport, login: str, verdict: Verdict, name: str, group: str, balance: str) -> StagedLogin:
    return StagedLogin(
        server=batch.server,
        batch=batch,
        login=login,
        group=group,
        currency=group[-3:],
        leverage=30,
        allowed=RIGHTS,
        name=name,
        verdict=verdict,
        balance=Decimal(balance),
        credit=Decimal(0),
        registered_at=batch.created_at - dt.timedelta(days=300),
    )


def _share(row: StagedLogin, client: Client, shares: str, verdict: Verdict, group: str) -> None:
    """Give the login what it has in common with a client, and the verdict of matching."""
    if not shares:
        row.country = "NO" if verdict == Verdict.NO_CLIENT else ""
        return
    row.name, row.country = client.full_name, client.country
    codes = ["name", "country"]
    if shares == "email":
        row.email = row.email_canonical = client.email
        codes = ["email", *codes]
    offered = client.brand.account_types.filter(server=row.server, group=group, currency=row.currency).first()
    row.client, row.account_type = client, offered
    weights = {"email": 4, "name": 2, "country": 1}
    row.reasons = [
        {
            "client": client.pk,
            "codes": codes,
            "weight": sum(weights[code] for code in codes),
            "type": offered.pk if offered else None,
        }
    ]
    if verdict == Verdict.NO_TYPE:
        row.problem = f"No account type of the client's brand has the group {group} in {row.currency}."
