"""MetaTrader 5 as a `Platform`, over either form of the Web API."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from trading.choices import Transport
from trading.platforms.base import (
    EXPORTS,
    AccountData,
    AccountMoney,
    BalanceKind,
    Capabilities,
    DealData,
    DealPage,
    GroupData,
    Health,
    NewAccount,
    PositionData,
    Right,
    ServerTime,
    SymbolData,
    platform_kind,
)
from trading.platforms.errors import FinalError, OutcomeUnknown, ReadTimedOut
from trading.platforms.gate import Gate
from trading.platforms.mt5 import retcodes, units, wire
from trading.platforms.mt5.client import Mt5Client
from trading.platforms.mt5.commands import Mt5Commands, Mt5Config
from trading.platforms.mt5.deal import deal_from, msc_of
from trading.platforms.mt5.enums import RIGHTS_DEFAULT, DealAction, MarginMode, Rights
from trading.platforms.mt5.export import SqlExport
from trading.platforms.mt5.rest import Mt5RestClient
from trading.platforms.mt5.rows import RIGHT_BITS, account_from, idle_money_from, money_from

if TYPE_CHECKING:
    from trading.models import TradingServer

PAGE: Final = 100  # DEAL_GET_PAGE gives no more
LOGINS_PER_REQUEST: Final = 400
LOOK_BACK: Final = dt.timedelta(minutes=5)
DAY_MSC: Final = 86_400_000
HOUR_MSC: Final = 3_600_000
FIRST_READ_MSC: Final = 2 * DAY_MSC
SANDBOX_HOST: Final = "sandbox"  # a server row with this host is wherever settings.SANDBOX_MT5 says
REFERENCE_LEFT_MIN: Final = 12  # characters of a cut reference that still name one operation

KINDS: Final = {
    BalanceKind.BALANCE: DealAction.BALANCE,
    BalanceKind.CREDIT: DealAction.CREDIT,
    BalanceKind.BONUS: DealAction.BONUS,
    BalanceKind.CORRECTION: DealAction.CORRECTION,
}
MONEY_ACTIONS: Final = frozenset(range(DealAction.BALANCE, DealAction.BONUS + 1))


class Mt5Platform:
    """One access server. `balance_command` may name a broker's own plugin command with the same parameters."""

    capabilities = Capabilities(reference_chars_max=units.COMMENT_CHARS_MAX)

    def __init__(self, client: Mt5Commands, zone: ZoneInfo, *, balance_command: str = "TRADE_BALANCE") -> None:
        self.client, self.zone, self.balance_command = client, zone, balance_command

    # -- server -----------------------------------------------------------------------------------------------------

    def health(self) -> Health:
        access, trade = self.client.connect()
        started = time.monotonic()
        self.client.read("TEST_ACCESS")
        latency = round((time.monotonic() - started) * 1000)
        return Health(version=f"{access}/{trade}", latency_ms=latency, time=self.server_time())

    def server_time(self) -> ServerTime:
        seconds, _, fraction = self._parameter(self.client.read("TIME_SERVER"), "TIME").partition(" ")
        settings = _row(self.client.read("TIME_GET"))
        offset = units.whole(settings.get("TimeZone")) * 60
        if units.whole(settings.get("DaylightState")):
            offset += 3600
        msc = units.whole(seconds) * 1000 + units.whole(fraction[:3] or 0)
        return ServerTime(server_msc=msc, offset_seconds=offset)

    def groups(self) -> list[GroupData]:
        total = self.client.read("GROUP_TOTAL").number("TOTAL")
        rows = [_row(self.client.read("GROUP_NEXT", {"INDEX": index})) for index in range(total)]
        return [
            GroupData(
                name=units.text(row["Group"]),
                currency=units.text(row["Currency"]),
                currency_digits=units.whole(row.get("CurrencyDigits"), 2),
                is_hedging=units.whole(row.get("MarginMode")) == MarginMode.RETAIL_HEDGING,
                margin_call=units.decimal(row.get("MarginCall")),
                stop_out=units.decimal(row.get("MarginStopOut")),
            )
            for row in rows
        ]

    def symbols(self) -> Iterator[SymbolData]:
        for index in range(self.client.read("SYMBOL_TOTAL").number("TOTAL")):
            row = _row(self.client.read("SYMBOL_NEXT", {"INDEX": index}))
            yield SymbolData(
                name=units.text(row["Symbol"]),
                path=units.text(row.get("Path")),
                description=units.text(row.get("Description")),
                digits=units.whole(row.get("Digits"), 5),
                contract_size=units.decimal(row.get("ContractSize")),
                currency_base=units.text(row.get("CurrencyBase")),
                currency_profit=units.text(row.get("CurrencyProfit")),
                currency_margin=units.text(row.get("CurrencyMargin")),
                volume_min_lots=units.lots(units.volume_ext(row, "VolumeMin")),
                volume_step_lots=units.lots(units.volume_ext(row, "VolumeStep")),
                volume_max_lots=units.lots(units.volume_ext(row, "VolumeMax")),
                swap_long=units.decimal(row.get("SwapLong")),
                swap_short=units.decimal(row.get("SwapShort")),
            )

    # -- accounts -----------------------------------------------------------------------------------------------------

    def create_account(self, wanted: NewAccount) -> AccountData:
        """With a login of our own range, so that a repeat meets 3004 and finds the first attempt by its reference.

        Raises: FinalError with retcode 3004 when the login belongs to somebody else.
        """
        parameters = {
            "LOGIN": wanted.login,
            "PASS_MAIN": wanted.main_password,
            "PASS_INVESTOR": wanted.investor_password,
            "RIGHTS": RIGHTS_DEFAULT,
            "GROUP": wanted.group,
            "NAME": units.shorten(wanted.name, units.NAME_CHARS_MAX),
            "LANGUAGE": wanted.language,
            "COUNTRY": wanted.country,
            "EMAIL": wanted.email,
            "COMMENT": wanted.reference,
            "LEVERAGE": wanted.leverage,
        }
        try:
            answer = self.client.write("USER_ADD", parameters)
        except FinalError as problem:
            if problem.code != retcodes.LOGIN_EXISTS:
                raise
            found = self.read_account(wanted.login)
            if found is None or found.reference != wanted.reference:
                raise
            # An earlier attempt made it and its answer was lost: it gets the password that we are about to tell.
            self.change_password(wanted.login, wanted.main_password)
            self.change_password(wanted.login, wanted.investor_password, investor=True)
            return found
        try:
            return account_from(answer.row(), self.zone)
        except (wire.WireError, KeyError, ValueError) as problem:
            raise OutcomeUnknown(f"the new account's data can't be read ({problem})", command="USER_ADD") from problem

    def read_account(self, login: str) -> AccountData | None:
        try:
            return account_from(_row(self.client.read("USER_GET", {"LOGIN": login})), self.zone)
        except FinalError as problem:
            if problem.code == retcodes.NOT_FOUND:
                return None
            raise

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        found: list[AccountData] = []
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part = logins[start : start + LOGINS_PER_REQUEST]
            rows = self._rows_or_none("USER_GET_BATCH", {"LOGIN": ",".join(part)})
            found += [account_from(row, self.zone) for row in rows]
        return found

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Reads the rights before it changes some: the other bits are the broker's."""
        changes: dict[str, object] = {}
        if group:
            changes["GROUP"] = group
        if leverage is not None:
            changes["LEVERAGE"] = leverage
        if rights:
            now = Rights(self._existing(login).rights)
            wanted = _with_rights(now, rights)
            if wanted != now:
                changes["RIGHTS"] = int(wanted)
        if changes:
            self.client.write("USER_UPDATE", {"LOGIN": login, **changes})
        return self._existing(login)

    def disable_account(self, login: str) -> AccountData:
        return self.update_account(login, rights={Right.SIGN_IN: False, Right.TRADE: False})

    def _existing(self, login: str) -> AccountData:
        found = self.read_account(login)
        if found is None:
            raise FinalError("the account is not on the server", command="USER_GET", code=retcodes.NOT_FOUND)
        return found

    def logins(self, mask: str) -> list[str]:
        data = _json(self.client.read("USER_LOGINS", {"GROUP": mask}))
        return [str(units.whole(login)) for login in data or []]

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        """The answer for a wrong password is 3006."""
        kind = "INVESTOR" if investor else "MAIN"
        try:
            self.client.read("USER_PASS_CHECK", {"LOGIN": login, "TYPE": kind, "PASSWORD": password})
        except FinalError as problem:
            if problem.code == 3006:
                return False
            raise
        return True

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        kind = "INVESTOR" if investor else "MAIN"
        self.client.write("USER_PASS_CHANGE", {"LOGIN": login, "TYPE": kind, "PASSWORD": password})

    # -- money ----------------------------------------------------------------------------------------------------------

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Sent once. A reference that the server would cut is refused here, before anything moves."""
        if not units.reference_fits(reference):
            raise FinalError("the reference does not fit into a deal's comment", command=self.balance_command)
        if not amount or abs(amount) > units.AMOUNT_MAX:
            raise FinalError("the amount is zero or above the server's limit", command=self.balance_command)
        answer = self.client.write(
            self.balance_command,
            {
                "LOGIN": login,
                "TYPE": int(KINDS[kind]),
                "BALANCE": f"{amount:f}",
                "COMMENT": reference,
                "CHECK_MARGIN": int(check_margin),
            },
        )
        try:
            return answer.number("TICKET")
        except wire.WireError as problem:
            raise OutcomeUnknown(str(problem), command=self.balance_command) from problem

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """A window of an hour more on both sides covers the day on which the server's clock jumps."""
        from_msc = units.to_server_seconds(since - LOOK_BACK, self.zone) * 1000 - HOUR_MSC
        found = self.deals_of(login, from_msc=from_msc, to_msc=from_msc + 370 * DAY_MSC)
        return [
            deal
            for deal in found
            if deal.action in MONEY_ACTIONS and deal.profit == amount and _is_reference(deal.comment, reference)
        ]

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        """Accounts idle since the server's start are not in the account list: their balance is read from the user."""
        found: list[AccountMoney] = []
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part = logins[start : start + LOGINS_PER_REQUEST]
            rows = self._rows_or_none("USER_ACCOUNT_GET_BATCH", {"LOGIN": ",".join(part)})
            active = {str(units.whole(row["Login"])): money_from(row) for row in rows}
            idle = [login for login in part if login not in active]
            rows = self._rows_or_none("USER_GET_BATCH", {"LOGIN": ",".join(idle)}) if idle else []
            found += [*active.values(), *map(idle_money_from, rows)]
        return found

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        """Two requests for any number of accounts: those with activity, and the users for the idle ones."""
        active = set()
        for row in self._rows_or_none("USER_ACCOUNT_GET_BATCH", {"GROUP": mask}):
            money = money_from(row)
            active.add(money.login)
            yield money
        for row in self._rows_or_none("USER_GET_BATCH", {"GROUP": mask}):
            if str(units.whole(row["Login"])) not in active:
                yield idle_money_from(row)

    # -- deals and positions --------------------------------------------------------------------------------------------

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """One request per server. The cursor is the server's clock in milliseconds when we asked.

        The window is open for an hour ahead: on the day the clock goes back, "now" is behind deals made just before. An
        edit of an older deal or a fill that came late lies behind the overlap: wider reads and the nightly check find it.
        """
        now = self.server_time()
        last = cursor or now.server_msc - FIRST_READ_MSC
        deals = self.deals(
            mask=mask,
            from_msc=min(last, now.server_msc) - int(overlap.total_seconds() * 1000),
            to_msc=max(last, now.server_msc) + HOUR_MSC,
        )
        return DealPage(deals, cursor=now.server_msc, clock=now)

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        parameters = {"GROUP": mask, "FROM": from_msc // 1000, "TO": -(-to_msc // 1000)}
        return [self._deal(row) for row in self._rows_or_none("DEAL_GET_BATCH", parameters)]

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        """Page by page: also servers without batch requests can do it."""
        window = {"LOGIN": login, "FROM": from_msc // 1000, "TO": -(-to_msc // 1000)}
        try:
            total = self.client.read("DEAL_GET_TOTAL", window).number("TOTAL")
        except wire.WireError as problem:
            raise ReadTimedOut(str(problem), command="DEAL_GET_TOTAL") from problem
        for offset in range(0, total, PAGE):
            page = {**window, "OFFSET": offset, "TOTAL": min(PAGE, total - offset)}
            for row in self._rows_or_none("DEAL_GET_PAGE", page):
                yield self._deal(row)

    def positions(self, *, mask: str) -> list[PositionData]:
        rows = self._rows_or_none("POSITION_GET_BATCH", {"GROUP": mask})
        return [
            PositionData(
                ticket=units.whole(row["Position"]),
                login=str(units.whole(row["Login"])),
                symbol=units.text(row["Symbol"]),
                action=units.whole(row["Action"]),
                lots=units.lots(units.volume_ext(row)),
                contract_size=units.decimal(row.get("ContractSize")),
                price_open=units.decimal(row.get("PriceOpen")),
                price_current=units.decimal(row.get("PriceCurrent")),
                profit=units.decimal(row.get("Profit")),
                swap=units.decimal(row.get("Storage")),
                server_msc=msc_of(row, "TimeCreate"),
                opened_at=units.to_utc(msc_of(row, "TimeCreate"), self.zone),
                comment=units.text(row.get("Comment"))[:64],
            )
            for row in rows
        ]

    def close(self) -> None:
        self.client.close()

    # -- reading answers --------------------------------------------------------------------------------------------------

    def _deal(self, row: Mapping[str, Any]) -> DealData:
        return deal_from(row, executed_at=units.to_utc(msc_of(row, "Time"), self.zone))

    def _rows_or_none(self, command: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a list command; "not found" is an empty list."""
        try:
            return self.client.read(command, parameters).rows()
        except FinalError as problem:
            if problem.code == retcodes.NOT_FOUND:
                return []
            raise
        except wire.WireError as problem:
            raise ReadTimedOut(str(problem), command=command) from problem

    @staticmethod
    def _parameter(answer: wire.Answer, name: str) -> str:
        value = answer.parameters.get(name, "")
        if not value:
            raise ReadTimedOut(f"the answer has no {name}", command=answer.name)
        return value


def _with_rights(now: Rights, wanted: Mapping[Right, bool]) -> Rights:
    for right, allowed in wanted.items():
        bit, takes_away = RIGHT_BITS[right]
        now = now | bit if allowed != takes_away else now & ~bit
    return now


def _json(answer: wire.Answer) -> Any:
    try:
        return answer.json()
    except wire.WireError as problem:
        raise ReadTimedOut(str(problem), command=answer.name) from problem


def _row(answer: wire.Answer) -> dict[str, Any]:
    try:
        return answer.row()
    except wire.WireError as problem:
        raise ReadTimedOut(str(problem), command=answer.name) from problem


def _is_reference(comment: str, reference: str) -> bool:
    """The comment is our reference, or what a manager or plugin left of it."""
    left = comment.strip()
    return left == reference or (len(left) >= REFERENCE_LEFT_MIN and reference.startswith(left))


def configuration(server: TradingServer) -> Mt5Config:
    host, port = server.host, server.port
    if host == SANDBOX_HOST:
        host, _colon, number = settings.SANDBOX_MT5.rpartition(":")
        port = int(number)
    return Mt5Config(
        host=host,
        port=port,
        login=int(server.manager_login),
        password=server.password(),
        crypt_method=server.crypt_method,
        read_seconds=settings.TRADING_READ_SECONDS,
        write_seconds=settings.TRADING_WRITE_SECONDS,
        certificate=server.certificate,
        path_prefix=server.path_prefix,
    )


@platform_kind("mt5")
def make_platform(server: TradingServer, gate: Gate) -> Mt5Platform:
    form = Mt5RestClient if server.transport == Transport.REST else Mt5Client
    return Mt5Platform(form(configuration(server), gate), server.zone, balance_command=server.balance_command)


def make_export(server: TradingServer) -> SqlExport:
    """The reader of a server's SQL export. Raises: FinalError when none is set or its address can't be."""
    return SqlExport(server.export_url(), server.zone, read_seconds=settings.TRADING_READ_SECONDS)


EXPORTS["mt5"] = make_export

__all__ = ["Mt5Platform", "configuration", "make_export", "make_platform"]
