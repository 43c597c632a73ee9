"""What trading does when something happened elsewhere."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

import trading.accounts.trade_frequency
import trading.symbols.fx_quotes  # noqa: F401 (both register a reader)
from clients.facts import FACTS, rebuild_client
from clients.mail import send_mail_to
from clients.models import Client
from compliance.aml.opposite import record_positions
from crm.events import (
    ClientVerified,
    DealsSynced,
    MarginLevelFell,
    RestrictionLifted,
    RestrictionPlaced,
    TradingAccountOpened,
    subscribe,
)
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify
from kyc.questionnaires.publishing import offer_account_kinds
from trading import policies
from trading.accounts.changes import follow_restrictions
from trading.accounts.opening import request_account
from trading.choices import AccountKind, MarginSeverity
from trading.core.notices import TradingNotice
from trading.leverage import caps
from trading.models import AccountType, TradingAccount
from trading.risk import margin
from trading.sync.closed_positions import closed_by

offer_account_kinds([(kind.value, kind.label) for kind in AccountKind if kind != AccountKind.DEMO])
ADVICE = {
    MarginSeverity.WARNING: gettext_lazy("Close positions or deposit funds to avoid a stop-out."),
    MarginSeverity.CALL: gettext_lazy(
        "You have no free margin left, so you can't open positions. Deposit funds or close positions."
    ),
    MarginSeverity.STOP: gettext_lazy("The platform may close positions at any moment."),
}


@subscribe(ClientVerified)
def open_the_first_account(event: ClientVerified) -> None:
    """Request the brand's default account for a verified client, once. A worker calls the platform after the commit."""
    assert event.client_id is not None
    client = Client.objects.get(pk=event.client_id)
    account_type = AccountType.objects.filter(
        brand_id=client.brand_id, is_default=True, is_enabled=True, kyc_level__lte=event.level
    ).first()
    if account_type is None or client.trading_accounts.filter(is_demo=False).exists():
        return
    if client.kyc_level < account_type.kyc_level and "kyc_level" in FACTS:
        rebuild_client(client.pk, "kyc_level")
        client.refresh_from_db(fields=["kyc_level"])
    ladder = caps.ladder_for(client, account_type)
    if ladder.steps and policies.can_open_account(None, client, account_type):
        request_account(client_id=client.pk, account_type_id=account_type.pk, request_key=f"verified:{client.pk}")


@subscribe(TradingAccountOpened)
def welcome_with_the_login(event: TradingAccountOpened) -> None:
    """E-mail platform, login and server of a new account to the client; never a password."""
    account = TradingAccount.objects.select_related("server").get(pk=event.account_id)
    send_mail_to(
        client_id=account.client_id,
        template="clients.welcome",
        dedupe_key=f"trading.account_opened:{account.pk}",
        context={"platform": event.platform, "login": event.login, "server": str(account.server)},
    )


@subscribe(MarginLevelFell)
def tell_of_a_low_margin(event: MarginLevelFell) -> None:
    """Notify the client (also by e-mail) and their agent of a low margin level, as the brand's policy sets."""
    account = TradingAccount.objects.select_related("client__brand").get(pk=event.account_id)
    policy, client, severity = margin.policy_of(account.client.brand), account.client, MarginSeverity(event.severity)
    level, key = f"{event.level:.0f}", f"trading.margin:{event.alert_id}"
    if policy.tells_client and client.user_id:
        notify(
            [client.user_id],
            kind=TradingNotice.MARGIN,
            url=f"/portal/accounts/{account.pk}/",
            dedupe_key=key,
            title=phrase("The margin level of account %(login)s is %(level)s %%")
            % {"login": account.login, "level": level},
            body=ADVICE[severity],
        )
    if policy.writes_letters:
        send_mail_to(
            client_id=client.pk,
            template=f"trading.margin_{severity.value}",
            dedupe_key=key,
            context={"login": account.login, "level": level, "limit": f"{event.limit:.0f}"},
        )
    if policy.tells_agent and client.owner_id:
        notify(
            [client.owner_id],
            kind=TradingNotice.MARGIN,
            url=f"/trading/accounts/{account.pk}/",
            dedupe_key=key,
            title=phrase("%(what)s: %(client)s, %(level)s %%")
            % {"what": severity.label, "client": client, "level": level},
            body=account.login,
        )


@subscribe(DealsSynced)
def compare_closed_positions(event: DealsSynced) -> None:
    """Have positions that were closed compared with those of other clients, for AML monitoring."""
    record_positions(closed_by(event.deal_ids))


@subscribe(RestrictionPlaced, RestrictionLifted)
def stop_or_allow_trading(event: RestrictionPlaced | RestrictionLifted) -> None:
    """Apply a restriction that forbids trading, or its end, to the client's accounts on the platforms."""
    assert event.client_id is not None
    if "restrictions" in FACTS:
        rebuild_client(event.client_id, "restrictions")
    follow_restrictions(client_id=event.client_id)
