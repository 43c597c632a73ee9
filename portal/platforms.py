"""What the client portal says of a trading platform: where and with what one signs in, and what is done by us instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trading.accounts.request_rules import words_of
from trading.choices import Ability, AccountState, HeldBecause, PlatformKind
from trading.models import AccountRequest, TradingAccount, TradingServer
from trading.platforms import capabilities, downloads
from trading.platforms.pool import capabilities_of, option_value

# In the client's words; the labels of `Ability` are the staff's. A client meets no others (`abilities.OF_CLIENTS`).
WISHES: Final = {
    Ability.MOVE_MONEY: gettext_lazy("transfer money to and from the account"),
    Ability.SET_PASSWORDS: gettext_lazy("set a new password"),
    Ability.CHANGE_LEVERAGE: gettext_lazy("change the leverage"),
    Ability.CHANGE_GROUP: gettext_lazy("change the account type"),
    Ability.STOP_TRADING: gettext_lazy("close the account"),
}
# Why a request waits, where the staff's words speak of "the client".
WAITS: Final = {
    HeldBecause.RESTRICTED: gettext_lazy("We need to review your account first."),
    HeldBecause.NOT_OFFERED: gettext_lazy("This account type isn't available to you yet."),
    HeldBecause.PLATFORM: gettext_lazy(
        "The trading platform isn't responding. We'll make the change as soon as it's back."
    ),
}


def left_to_us(server: TradingServer) -> list[str]:
    """List what a client can't do from here on this server, in their words."""
    return [str(WISHES[ability]) for ability in capabilities.lacking(server) if ability in capabilities.OF_CLIENTS]


def why_it_waits(request: AccountRequest) -> str:
    """Explain to the client why a request wasn't granted at once."""
    reasons = zip(request.held_because, words_of(request), strict=True)
    return " ".join(str(WAITS.get(HeldBecause(code), text)) for code, text in reasons)


@dataclass(frozen=True)
class SignIn:
    """How one gets from here to trading. `name`: what is typed as the user; `name_label`: what the platform calls it."""

    platform: str
    server: str
    name_label: str
    name: str
    password: str


def sign_in(account: TradingAccount) -> SignIn:
    """Describe how a client signs in to a platform: by the account, or as a person."""
    kind = PlatformKind(account.server.kind)
    label, name, password = SIGN_INS.get(kind, _by_login)(account)
    return SignIn(str(kind.label), account.server.name, label, name, password)


def _own_password(account: TradingAccount) -> str:
    if capabilities.can(account.server, Ability.SET_PASSWORDS):
        return _(
            "The trading password of this account. If you don't have one, set it above: we don't "
            "store passwords and can't show them."
        )
    return _("The trading password of this account. If you don't have one, contact support.")


def _by_login(account: TradingAccount) -> tuple[str, str, str]:
    return _("Login"), account.login, _own_password(account)


def _ctrader(account: TradingAccount) -> tuple[str, str, str]:
    if option_value(account.server, "links_ctid") == "yes":
        text = _("The password of your cTrader ID. If you don't have one yet, choose “Forgot password” in cTrader.")
    else:
        text = _("The password of your cTrader ID. Link this account in cTrader with its login and trading password.")
    return _("cTrader ID"), account.client.email, text


def _matchtrader(account: TradingAccount) -> tuple[str, str, str]:
    return (
        _("E-mail"),
        account.client.email,
        _("Your trading password. It's the same for all your accounts on this platform."),
    )


def _sirix(account: TradingAccount) -> tuple[str, str, str]:
    return _("Login"), account.login, _("Follow the instructions in the e-mail from the platform.")


SIGN_INS: Final[dict[PlatformKind, Callable[[TradingAccount], tuple[str, str, str]]]] = {
    PlatformKind.CTRADER: _ctrader,
    PlatformKind.MATCHTRADER: _matchtrader,
    PlatformKind.SIRIX: _sirix,
}


@dataclass(frozen=True)
class FirstSteps:
    """From an opened account to the first trade. `shows_password`: none was set yet, and one can be made and shown now.

    `downloads`: where to get the platform's programs.
    """

    shows_password: bool
    downloads: list[downloads.Download]


def first_steps(account: TradingAccount, *, may_set_password: bool) -> FirstSteps:
    """Describe how a client starts to trade on an account: the first password, and where to get the platform.

    Nobody knows the password that the account was opened with: the first one is set when its owner asks for it.
    """
    shows = may_set_password and account.password_set_at is None and not _password_is_elsewhere(account)
    return FirstSteps(shows, downloads.of_server(account.server))


def _password_is_elsewhere(account: TradingAccount) -> bool:
    """Tell whether a new password here would be useless, or would replace the one the client already signs in with."""
    if account.server.kind == PlatformKind.CTRADER:
        return option_value(account.server, "links_ctid") == "yes"
    others = TradingAccount.objects.filter(
        client_id=account.client_id, server_id=account.server_id, state=AccountState.OPEN
    ).exclude(pk=account.pk)
    return account.server.kind == PlatformKind.MATCHTRADER and others.exists()


def password_hint(account: TradingAccount) -> str:
    """Explain what a new trading password is good for, where that isn't to sign in to this account alone."""
    kind = account.server.kind
    if kind == PlatformKind.MATCHTRADER:
        text = _(
            "You sign in with your e-mail address %(email)s. The new password applies to all your "
            "accounts on this platform."
        )
        return text % {"email": account.client.email}
    if kind == PlatformKind.CTRADER:
        return _(
            "Use the trading password to link the account to a cTrader ID. You then sign in with "
            "your cTrader ID and its password."
        )
    return ""


def password_rule(server: TradingServer) -> str:
    """Explain which passwords the platform accepts."""
    return _(
        "8 to %(longest)s characters, with upper and lower case letters, a digit and a symbol. "
        "Leave empty to have one generated."
    ) % {"longest": capabilities_of(server.kind).password_chars_max}
