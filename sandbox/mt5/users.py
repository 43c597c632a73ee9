"""Accounts: adding, changing, showing; the platform's rules for passwords, lengths and groups."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.engine.books import RIGHTS_DEFAULT, AccountView, Books, Refused, cut
from sandbox.engine.contracts import GROUPS, SYMBOLS
from sandbox.engine.store import User, hash_password
from sandbox.mt5.protocol import Request

# wire parameter -> (name in the user's JSON, longest text in UTF-16 units); longer text is cut without a word
TEXTS = {
    "NAME": ("Name", 128),
    "COMPANY": ("Company", 64),
    "LANGUAGE": ("Language", 8),
    "COUNTRY": ("Country", 32),
    "CITY": ("City", 32),
    "STATE": ("State", 32),
    "ZIPCODE": ("ZipCode", 16),
    "ADDRESS": ("Address", 128),
    "PHONE": ("Phone", 32),
    "EMAIL": ("Email", 64),
    "ID": ("ID", 32),
    "STATUS": ("Status", 16),
    "COMMENT": ("Comment", 64),
    "COLOR": ("Color", 10),
    "AGENT": ("Agent", 20),
    "PASS_PHONE": ("PhonePassword", 32),
    "FIRSTNAME": ("FirstName", 64),
    "LASTNAME": ("LastName", 64),
    "LEADSOURCE": ("LeadSource", 64),
    "LEADCAMPAIGN": ("LeadCampaign", 64),
}
BODY_NAMES = {
    "PassMain": "PASS_MAIN",
    "PassInvestor": "PASS_INVESTOR",
    "PassPhone": "PASS_PHONE",
    "Login": "LOGIN",
    "Group": "GROUP",
    "Leverage": "LEVERAGE",
    "Rights": "RIGHTS",
    **{shown: wire for wire, (shown, _limit) in TEXTS.items()},
}


def password_ok(password: str) -> bool:
    """Tell whether a password has the length and the four kinds of characters that the platform asks for."""
    kinds = (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]")
    return 8 <= len(password) <= 16 and all(re.search(kind, password) for kind in kinds)


def merged(request: Request) -> dict[str, str]:
    """Merge the line's parameters with the JSON body: the body wins."""
    values = dict(request.parameters)
    if request.body.strip():
        try:
            body = json.loads(request.body)
        except ValueError:
            raise Refused(4) from None
        if not isinstance(body, dict):
            raise Refused(4)
        values.update({BODY_NAMES[name]: str(value) for name, value in body.items() if name in BODY_NAMES})
    return values


def _number(values: dict[str, str], key: str, default: int) -> int:
    text = values.get(key, "").strip()
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise Refused(3) from None


def _texts(values: dict[str, str]) -> dict[str, str]:
    return {shown: cut(values[wire], limit) for wire, (shown, limit) in TEXTS.items() if wire in values}


def add(books: Books, request: Request) -> User:
    """USER_ADD. Raises Refused."""
    store, values = books.store, merged(request)
    group = GROUPS.get(values.get("GROUP", ""))
    if group is None:
        raise Refused(8)
    main, investor = values.get("PASS_MAIN", ""), values.get("PASS_INVESTOR", "")
    if not password_ok(main) or not password_ok(investor):
        raise Refused(3006)
    leverage = _number(values, "LEVERAGE", group.leverage)
    login = _number(values, "LOGIN", 0)
    if not values.get("NAME", "").strip() or not 1 <= leverage <= 500 or login < 0:
        raise Refused(3)
    if login in store.users or login in store.archived():
        raise Refused(3004)
    now = books.clock.now()
    with store.transaction():
        while not login:
            candidate = store.next_ticket("login")
            login = candidate if candidate not in store.users else 0
        user = User(
            login,
            group.name,
            leverage,
            _number(values, "RIGHTS", RIGHTS_DEFAULT) or RIGHTS_DEFAULT,
            Decimal(0),
            Decimal(0),
            hash_password(login, main),
            hash_password(login, investor),
            now,
            now,
            _texts(values),
        )
        store.save_user(user)
    return user


def update(books: Books, request: Request) -> User:
    """USER_UPDATE. Balance and passwords can't be set here. Raises Refused."""
    values = merged(request)
    user = books.user(_number(values, "LOGIN", 0))
    group_name = values.get("GROUP") or user.group
    if group_name not in GROUPS:
        raise Refused(8)
    if GROUPS[group_name].currency != GROUPS[user.group].currency:
        raise Refused(3010)
    leverage = _number(values, "LEVERAGE", user.leverage)
    if not 1 <= leverage <= 500:
        raise Refused(3)
    changed = replace(
        user,
        group=group_name,
        leverage=leverage,
        rights=_number(values, "RIGHTS", user.rights),
        fields={**user.fields, **_texts(values)},
    )
    with books.store.transaction():
        books.store.save_user(changed)
    return changed


def delete(books: Books, login: int) -> None:
    """Delete an account. Raises Refused while it has open positions."""
    books.user(login)
    if books.store.positions_of(login):
        raise Refused(3008)
    with books.store.transaction():
        books.store.delete_user(login)


def check_password(books: Books, login: int, kind: str, password: str) -> None:
    """Check a password. Raises Refused (3006) for a wrong one."""
    user = books.user(login)
    stored = user.pass_investor if kind == "INVESTOR" else user.pass_main
    if kind not in ("MAIN", "INVESTOR", "") or stored != hash_password(login, password):
        raise Refused(3006)


def change_password(books: Books, login: int, kind: str, password: str) -> None:
    """Change a password. Raises Refused for a weak one."""
    user = books.user(login)
    if kind not in ("MAIN", "INVESTOR", ""):
        raise Refused(3)
    if not password_ok(password):
        raise Refused(3006)
    hashed = hash_password(login, password)
    changed = replace(user, pass_investor=hashed) if kind == "INVESTOR" else replace(user, pass_main=hashed)
    with books.store.transaction():
        books.store.save_user(changed)


def user_json(books: Books, user: User) -> dict[str, Any]:
    """Show an account."""
    digits = GROUPS[user.group].digits
    texts = {shown: user.fields.get(shown, "") for shown, _limit in TEXTS.values()}
    return {
        "Login": user.login,
        "Group": user.group,
        "CertSerialNumber": 0,
        "Rights": user.rights,
        "MQID": 0,
        "Registration": user.registration,
        "LastAccess": user.last_access,
        "LastPassChange": user.registration,
        "LastIP": "",
        "MiddleName": "",
        "Account": "",
        "ClientID": 0,
        **texts,
        "Color": texts["Color"] or "4278190080",
        "Agent": texts["Agent"] or "0",
        "Leverage": user.leverage,
        "CurrencyDigits": digits,
        "Balance": f"{user.balance:.{digits}f}",
        "Credit": f"{user.credit:.{digits}f}",
        "InterestRate": "0.00",
        "CommissionDaily": "0.00",
        "CommissionMonthly": "0.00",
        "BalancePrevDay": "0.00",
        "BalancePrevMonth": "0.00",
        "EquityPrevDay": "0.00",
        "EquityPrevMonth": "0.00",
        "TradeAccounts": "",
        "LimitOrders": 0,
        "LimitPositions": 0,
        "ApiData": [],
    }


def account_json(books: Books, login: int) -> dict[str, Any]:
    """Show an account's money by its login."""
    return view_json(books.account(login))


def view_json(view: AccountView) -> dict[str, Any]:
    """Show an account's money."""
    digits = view.group.digits

    def money(amount: Decimal) -> str:
        return f"{amount:.{digits}f}"

    call = view.margin and view.level <= view.group.margin_call
    return {
        "Login": view.user.login,
        "CurrencyDigits": digits,
        "Balance": money(view.user.balance),
        "Credit": money(view.user.credit),
        "Margin": money(view.margin),
        "MarginFree": money(view.free),
        "MarginLevel": f"{view.level:.2f}",
        "MarginLeverage": view.user.leverage,
        "MarginInitial": money(Decimal(0)),
        "MarginMaintenance": money(Decimal(0)),
        "Profit": money(view.profit),
        "Storage": money(view.storage),
        "Commission": money(Decimal(0)),
        "Floating": money(view.floating),
        "Equity": money(view.equity),
        "SOActivation": int(bool(call)),
        "SOTime": 0,
        "SOLevel": "0.00",
        "SOEquity": "0.00",
        "SOMargin": "0.00",
        "BlockedCommission": money(Decimal(0)),
        "BlockedProfit": money(Decimal(0)),
        "Assets": money(Decimal(0)),
        "Liabilities": money(Decimal(0)),
        "Leverage": view.user.leverage,
    }


def position_json(books: Books, login: int) -> list[dict[str, Any]]:
    """Show an account's positions."""
    user = books.user(login)
    group = GROUPS[user.group]
    rows = []
    for position in books.store.positions_of(login):
        symbol = SYMBOLS[position.symbol]
        bid, ask = books.market.quote(symbol, group)
        digits = symbol.digits
        rows.append(
            {
                "Position": position.ticket,
                "ExternalID": "",
                "Login": login,
                "Dealer": 0,
                "Symbol": position.symbol,
                "Action": position.action,
                "Digits": digits,
                "DigitsCurrency": group.digits,
                "Reason": 0,
                "ContractSize": f"{symbol.contract_size:.8f}",
                "TimeCreate": position.time_msc // 1000,
                "TimeUpdate": position.time_msc // 1000,
                "TimeCreateMsc": position.time_msc,
                "TimeUpdateMsc": position.time_msc,
                "PriceOpen": f"{position.price_open:.{digits}f}",
                "PriceCurrent": f"{bid if position.action == 0 else ask:.{digits}f}",
                "PriceSL": f"{0:.{digits}f}",
                "PriceTP": f"{0:.{digits}f}",
                "Volume": position.volume_ext // 10_000,
                "VolumeExt": position.volume_ext,
                "Profit": f"{books.floating(position, group):.{group.digits}f}",
                "Storage": f"{position.storage:.{group.digits}f}",
                "RateProfit": f"{books.market.rate(symbol.profit, group.currency):.8f}",
                "RateMargin": "1.00000000",
                "ExpertID": 0,
                "ExpertPositionID": 0,
                "Comment": position.comment,
                "ActivationMode": 0,
                "ActivationTime": 0,
                "ActivationPrice": f"{0:.{digits}f}",
                "ActivationFlags": 0,
            }
        )
    return rows
