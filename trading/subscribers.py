"""What trading does when something happened elsewhere."""

from __future__ import annotations

from clients.facts import FACTS, rebuild_client
from clients.mail import send_mail_to
from clients.models import Client
from crm.events import ClientVerified, RestrictionLifted, RestrictionPlaced, TradingAccountOpened, subscribe
from trading import caps, policies
from trading.accounts import follow_restrictions, request_account
from trading.models import AccountType, TradingAccount


@subscribe(ClientVerified)
def open_the_first_account(event: ClientVerified) -> None:
    """A verified client gets the brand's default account, once. The platform is called by a worker, after the commit."""
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
    ladder = caps.ladder_for(client, account_type, cap=caps.cap_for(client))
    if ladder.steps and policies.can_open_account(None, client, account_type):
        request_account(client_id=client.pk, account_type_id=account_type.pk, request_key=f"verified:{client.pk}")


@subscribe(TradingAccountOpened)
def welcome_with_the_login(event: TradingAccountOpened) -> None:
    """The letter with platform, login and server of a new account; never a password."""
    account = TradingAccount.objects.select_related("server").get(pk=event.account_id)
    send_mail_to(
        client_id=account.client_id, template="clients.welcome", dedupe_key=f"trading.account_opened:{account.pk}",
        context={"platform": event.platform, "login": event.login, "server": str(account.server)},
    )  # fmt: skip


@subscribe(RestrictionPlaced, RestrictionLifted)
def stop_or_allow_trading(event: RestrictionPlaced | RestrictionLifted) -> None:
    """A restriction that forbids trading holds on the platform, too."""
    assert event.client_id is not None
    if "restrictions" in FACTS:
        rebuild_client(event.client_id, "restrictions")
    follow_restrictions(client_id=event.client_id)
