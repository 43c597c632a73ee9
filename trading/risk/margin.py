"""Margin levels that fall: noticed when equity is read, reported once to client and agent, over when the level has recovered.

Each brand has three limits (`MarginPolicy`; without a row the defaults hold). When an account's level is below one, an alert
opens; it stays the same alert until the level is `hysteresis` points above the limit, or no margin is in use any more. A level
that swings around a limit is therefore reported once. A fall through several limits at once is reported as the deepest.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Case, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.events import MarginLevelFell, publish_many
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from trading import queries
from trading.audit_codes import TradingAction
from trading.choices import AccountState, MarginSeverity
from trading.models import MarginAlert, MarginPolicy, TradingAccount, TradingServer

CHANGES: Final = "trading.change_marginpolicy"
NEAR_PERCENT: Final = Decimal(200)  # what the page of accounts near a margin call begins with
FIELDS: Final = (
    "is_enabled",
    "warning_at",
    "call_at",
    "stop_at",
    "hysteresis",
    "tells_client",
    "writes_letters",
    "tells_agent",
    "includes_demo",
)
RECOVER: Final = """
UPDATE trading_marginalert m SET recovered_at = %(now)s
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
LEFT JOIN trading_marginpolicy p ON p.brand_id = c.brand_id
WHERE m.account_id = a.id AND m.recovered_at IS NULL AND a.server_id = %(server)s AND a.login = ANY(%(logins)s)
  AND (a.margin = 0 OR a.margin_level >= m."limit" + coalesce(p.hysteresis, 10))
"""
CROSS: Final = """
INSERT INTO trading_marginalert (account_id, severity, "limit", level, equity, margin, at)
SELECT a.id, l.severity, l.percent, a.margin_level, a.equity, a.margin, %(now)s
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
LEFT JOIN trading_marginpolicy p ON p.brand_id = c.brand_id
CROSS JOIN LATERAL (VALUES ('warning', coalesce(p.warning_at, 120)), ('call', coalesce(p.call_at, 100)),
  ('stop', coalesce(p.stop_at, 50))) AS l(severity, percent)
WHERE a.server_id = %(server)s AND a.login = ANY(%(logins)s) AND a.state = 'open' AND a.margin > 0
  AND a.margin_level < l.percent AND coalesce(p.is_enabled, true) AND (NOT a.is_demo OR coalesce(p.includes_demo, false))
ON CONFLICT (account_id, severity) WHERE recovered_at IS NULL DO NOTHING
RETURNING id, account_id, severity, "limit", level
"""
DEPTH: Final = {MarginSeverity.WARNING: 0, MarginSeverity.CALL: 1, MarginSeverity.STOP: 2}


def watch(server: TradingServer, logins: Sequence[str]) -> int:
    """Look at accounts whose money was just written, in the same transaction. Returns how many alerts are new."""
    values: dict[str, Any] = {"server": server.pk, "logins": list(logins), "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(RECOVER, values)
        cursor.execute(CROSS, values)
        crossed = cursor.fetchall()
    deepest: dict[int, tuple[int, str, Decimal, Decimal]] = {}
    for alert_id, account_id, severity, limit, level in crossed:
        known = deepest.get(account_id)
        if known is None or DEPTH[MarginSeverity(severity)] > DEPTH[MarginSeverity(known[1])]:
            deepest[account_id] = (alert_id, severity, limit, level)
    if not deepest:
        return 0
    owners = TradingAccount.objects.filter(pk__in=deepest).values_list("pk", "client_id", "client__brand_id")
    publish_many(
        MarginLevelFell(
            client_id=client_id,
            brand_id=brand_id,
            account_id=account_id,
            alert_id=deepest[account_id][0],
            severity=deepest[account_id][1],
            limit=deepest[account_id][2],
            level=deepest[account_id][3],
        )
        for account_id, client_id, brand_id in owners
    )
    return len(deepest)


def policy_of(brand: Brand) -> MarginPolicy:
    """Read the brand's margin policy, or an unsaved one with the defaults."""
    return MarginPolicy.objects.filter(brand=brand).first() or MarginPolicy(brand=brand)


@transaction.atomic
def set_policy(*, brand_id: int, actor: Actor, **values: Any) -> MarginPolicy:
    """Change a brand's limits. Who: `trading.change_marginpolicy`, reaching the brand.

    Raises: NotAllowed; DomainError when the limits do not descend.
    """
    require_permission(actor, CHANGES)
    if brand_id not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))
    lock(Brand, brand_id)
    policy = MarginPolicy.objects.filter(brand_id=brand_id).first() or MarginPolicy(brand_id=brand_id)
    before = {name: str(getattr(policy, name)) for name in FIELDS}
    for name, value in values.items():
        setattr(policy, name, value)
    if not policy.warning_at > policy.call_at > policy.stop_at > 0:
        raise DomainError(_("Enter descending limits above zero: warning, then margin call, then stop-out."))
    policy.save()
    after = {name: str(getattr(policy, name)) for name in FIELDS}
    audit.record(
        actor=actor,
        action=TradingAction.MARGIN_POLICY_CHANGED,
        target=policy,
        brand_id=brand_id,
        before={k: v for k, v in before.items() if v != after[k]},
        after={k: v for k, v in after.items() if v != before[k]},
    )
    return policy


# ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_alerts_of(account: TradingAccount) -> list[MarginAlert]:
    """Open alerts of an account that `get_account` gave, the deepest first."""
    alerts = MarginAlert.objects.filter(account_id=account.pk, recovered_at__isnull=True)
    return sorted(alerts[:10], key=lambda alert: alert.limit)


def accounts_near(user: User, *, below: Decimal = NEAR_PERCENT) -> QuerySet[TradingAccount]:
    """Open accounts with margin in use whose level is below a percentage, with their deepest open alert beside them."""
    newest = MarginAlert.objects.filter(account_id=OuterRef("pk"), recovered_at__isnull=True).order_by("limit")
    return (
        queries.accounts_visible_to(user)
        .filter(state=AccountState.OPEN, margin__gt=0, margin_level__lt=below)
        .annotate(alert_severity=Subquery(newest.values("severity")[:1]), alert_at=Subquery(newest.values("at")[:1]))
    )


def counts(user: User) -> dict[str, int]:
    """Count accounts with an open alert by the deepest limit they fell through, among those a user sees; demo accounts, too."""
    depth = Case(*[When(severity=s, then=Value(d)) for s, d in DEPTH.items()], output_field=IntegerField())
    rows = (
        MarginAlert.objects.filter(recovered_at__isnull=True, account__in=queries.accounts_visible_to(user))
        .annotate(depth=depth)
        .order_by("account_id", "-depth")
        .distinct("account_id")
        .values_list("severity", flat=True)[:5000]
    )
    totals = dict.fromkeys(MarginSeverity.values, 0)
    for severity in rows:
        totals[severity] += 1
    return totals
