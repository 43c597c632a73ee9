"""What happens to money on the server: balance operations, opening and closing, margin, swaps and stop-outs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from sandbox.engine.clock import ServerClock
from sandbox.engine.contracts import BY_LEVERAGE, CALC_FOREX, GROUPS, NETTING, SYMBOLS, Group, Symbol
from sandbox.engine.deals import IN, INOUT, OUT, OUT_BY, REASON_CLIENT, REASON_DEALER, REASON_STOP_OUT, DealDraft
from sandbox.engine.market import Market
from sandbox.engine.store import Position, Store, User

BUY, SELL, BALANCE, CREDIT, CHARGE, CORRECTION, BONUS, SO_COMPENSATION = 0, 1, 2, 3, 4, 5, 6, 19
BALANCE_KINDS = (BALANCE, CREDIT, CHARGE, CORRECTION, BONUS)
AMOUNT_MAX = Decimal(1_000_000_000)
COMMENT_MAX = 31
RIGHT_TRADE_DISABLED, RIGHT_READONLY = 0x4, 0x200
RIGHTS_DEFAULT = 483


class Refused(Exception):
    """The server says no, with one of its own codes."""

    def __init__(self, code: int) -> None:
        super().__init__(f"retcode {code}")
        self.code = code


def cut(text: str, units: int = COMMENT_MAX) -> str:
    """Cut to UTF-16 units, silently and even through a surrogate pair: that is what the platform does."""
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "replace")


@dataclass
class AccountView:
    """Money of one account at current prices, in its currency."""

    user: User
    group: Group
    profit: Decimal
    storage: Decimal
    margin: Decimal

    @property
    def floating(self) -> Decimal:
        return self.profit + self.storage

    @property
    def equity(self) -> Decimal:
        return self.user.balance + self.user.credit + self.floating

    @property
    def free(self) -> Decimal:
        return self.equity - self.margin

    @property
    def level(self) -> Decimal:
        if not self.margin:
            return Decimal(0)
        return (self.equity / self.margin * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class MarketOrder:
    """What a trader buys or sells at the market. `pending`: ticket of the pending order that it fills, else 0.

    `close_at_msc`: when the engine closes it again. `is_stale`: at the price before the last tick, as a slow feed fills it.
    """

    login: int
    symbol: str
    side: int
    lots: Decimal
    close_at_msc: int | None = None
    comment: str = ""
    is_stale: bool = False
    pending: int = 0


class Books:
    """All rules that move money. `active` are logins with trading activity since the start."""

    def __init__(self, store: Store, market: Market, clock: ServerClock) -> None:
        self.store, self.market, self.clock = store, market, clock
        store.stamp = clock.filetime
        self.active: set[int] = {position.login for position in store.positions.values()}

    # -- views

    def user(self, login: int | None) -> User:
        try:
            return self.store.users[login or 0]
        except KeyError:
            raise Refused(13) from None

    @staticmethod
    def money(amount: Decimal, group: Group) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-group.digits), ROUND_HALF_UP)

    def floating(self, position: Position, group: Group) -> Decimal:
        """Profit of an open position at the price it would close at, in the account's currency."""
        symbol = SYMBOLS[position.symbol]
        return self._profit(symbol, group, position, self._closing_price(symbol, group, position))[0]

    def _closing_price(self, symbol: Symbol, group: Group, position: Position) -> Decimal:
        bid, ask = self.market.quote(symbol, group)
        return bid if position.action == BUY else ask

    def _profit(
        self, symbol: Symbol, group: Group, position: Position, price: Decimal, lots: Decimal | None = None
    ) -> tuple[Decimal, Decimal, Decimal]:
        """(profit, raw profit in the symbol's currency, rate)."""
        move = price - position.price_open if position.action == BUY else position.price_open - price
        raw = move * (position.lots if lots is None else lots) * symbol.contract_size
        rate = self.market.rate(symbol.profit, group.currency)
        return self.money(raw * rate, group), raw, rate

    def margin(self, symbol: Symbol, group: Group, leverage: int, lots: Decimal, price: Decimal) -> Decimal:
        amount = lots * (symbol.margin_initial or symbol.contract_size) * symbol.margin_rate
        if symbol.calc_mode == CALC_FOREX or symbol.margin_initial:
            rate = self.market.rate(symbol.margin, group.currency)
        else:
            amount, rate = amount * price, self.market.rate(symbol.profit, group.currency)
        return self.money(amount * rate / (leverage if symbol.calc_mode in BY_LEVERAGE else 1), group)

    def account(self, login: int) -> AccountView:
        """Hedged legs of a symbol need margin for the larger side only."""
        user = self.user(login)
        group = GROUPS[user.group]
        profit = storage = Decimal(0)
        legs: dict[str, list[Decimal]] = {}
        for position in self.store.positions_of(login):
            symbol = SYMBOLS[position.symbol]
            profit += self.floating(position, group)
            storage += position.storage
            needed = self.margin(symbol, group, user.leverage, position.lots, position.price_open)
            legs.setdefault(position.symbol, [Decimal(0), Decimal(0)])[position.action] += needed
        return AccountView(user, group, profit, self.money(storage, group), sum(map(max, legs.values()), Decimal(0)))

    # -- money in and out

    def balance_operation(
        self,
        login: int,
        kind: int,
        amount: Decimal,
        comment: str,
        check_margin: bool,
        comment_units: int = COMMENT_MAX,
        *,
        may_overdraw: bool = False,
    ) -> int:
        """Deposit or withdraw; the deal's ticket. Raises Refused with the codes of the platform's documentation.

        may_overdraw: a withdrawal may leave less than nothing. Credit never goes below what was given.
        """
        if kind not in BALANCE_KINDS or not amount.is_finite() or amount == 0:
            raise Refused(3)
        if abs(amount) > AMOUNT_MAX:
            raise Refused(4005)
        user = self.user(login)
        view = self.account(login)
        amount = self.money(amount, view.group)
        if kind in (CREDIT, BONUS):
            if user.credit + amount < 0:
                raise Refused(10019)
            changed = replace(user, credit=user.credit + amount)
        else:
            lacks = user.balance + amount < 0 or (check_margin and view.free + amount < 0)
            if amount < 0 and lacks and not may_overdraw:
                raise Refused(10019)
            changed = replace(user, balance=user.balance + amount)
        with self.store.transaction():
            ticket = self.store.next_ticket("deal")
            self._book(
                DealDraft(
                    login=user.login,
                    group=view.group,
                    action=kind,
                    profit=amount,
                    comment=cut(comment, comment_units),
                    reason=REASON_DEALER,
                    dealer=1000,
                ),
                ticket,
                self.clock.now_msc(),
            )
            self.store.save_user(changed)
        return ticket

    # -- trading

    def open(self, order: MarketOrder) -> tuple[int, Position | None]:
        """Buy or sell at the market and return the deal's ticket and the position that is open now. Raises: Refused.

        In a hedging group this is always a new position. In a netting group it adds to, reduces, closes or turns the one
        position of the symbol.
        """
        user = self.user(order.login)
        symbol = SYMBOLS.get(order.symbol)
        if symbol is None or order.side not in (BUY, SELL):
            raise Refused(3)
        if user.rights & (RIGHT_TRADE_DISABLED | RIGHT_READONLY) or not user.rights & 1:
            raise Refused(10017)
        volume = int((order.lots * 100_000_000).to_integral_value(ROUND_HALF_UP))
        if volume < 1_000_000 or volume % 1_000_000 or order.lots > symbol.volume_max_lots:
            raise Refused(10014)
        if not self.market.is_open(symbol, self.clock.now()):
            raise Refused(10018)
        group = GROUPS[user.group]
        held = self._netted(order.login, order.symbol) if group.margin_mode == NETTING else None
        if held is not None and held.action != order.side:
            return self._reduce_or_turn(held, volume, order.comment, order.pending)
        bid, ask = self.market.quote(symbol, group, stale=order.is_stale)
        price = ask if order.side == BUY else bid
        if self.account(order.login).free < self.margin(symbol, group, user.leverage, order.lots, price):
            raise Refused(10019)
        commission = -self.money(group.commission * order.lots, group)
        with self.store.transaction():
            now = self.clock.now_msc()
            ticket, number = self.store.next_ticket("deal"), order.pending or self.store.next_ticket("order")
            if held is None:
                held = Position(
                    number,
                    order.login,
                    order.symbol,
                    order.side,
                    volume,
                    price,
                    now,
                    Decimal(0),
                    order.comment,
                    order.close_at_msc,
                )
            else:
                total = held.volume_ext + volume
                average = (held.price_open * held.volume_ext + price * volume) / total
                held.price_open = average.quantize(symbol.point, ROUND_HALF_UP)
                held.volume_ext = total
            self._book(
                DealDraft(
                    login=user.login,
                    group=group,
                    action=order.side,
                    entry=IN,
                    order=number,
                    position=held.ticket,
                    symbol=symbol,
                    volume=volume,
                    price=price,
                    commission=commission,
                    comment=order.comment,
                    quote=(bid, ask),
                ),
                ticket,
                now,
            )
            self.store.save_position(held)
            self.store.save_user(replace(user, balance=user.balance + commission, last_access=now // 1000))
        self.active.add(order.login)
        return ticket, held

    def _netted(self, login: int, symbol: str) -> Position | None:
        return next((position for position in self.store.positions_of(login) if position.symbol == symbol), None)

    def _reduce_or_turn(self, held: Position, volume: int, comment: str, order: int) -> tuple[int, Position | None]:
        """Trade against the position of a netting group.

        More than is held turns the position: one INOUT deal, the same position.
        """
        if volume <= held.volume_ext:
            ticket = self.close(held, volume_ext=volume, comment=comment, order=order)
            return ticket, self.store.positions.get(held.ticket)
        user = self.user(held.login)
        group, symbol = GROUPS[user.group], SYMBOLS[held.symbol]
        rest = volume - held.volume_ext
        price = self._closing_price(symbol, group, held)
        profit, raw, rate = self._profit(symbol, group, held, price)
        lots = Decimal(rest).scaleb(-8)
        needed = self.margin(symbol, group, user.leverage, lots, price)
        freed = self.margin(symbol, group, user.leverage, held.lots, held.price_open)
        if self.account(held.login).free + freed < needed:
            raise Refused(10019)
        commission = -self.money(group.commission * Decimal(volume).scaleb(-8), group)
        storage = self.money(held.storage, group)
        with self.store.transaction():
            now = self.clock.now_msc()
            ticket, order = self.store.next_ticket("deal"), order or self.store.next_ticket("order")
            self._book(
                DealDraft(
                    login=user.login,
                    group=group,
                    action=1 - held.action,
                    entry=INOUT,
                    order=order,
                    position=held.ticket,
                    symbol=symbol,
                    volume=volume,
                    volume_closed=held.volume_ext,
                    price=price,
                    profit=profit,
                    storage=storage,
                    commission=commission,
                    comment=comment,
                    raw=raw,
                    rate=rate,
                    price_position=held.price_open,
                    quote=self.market.quote(symbol, group),
                ),
                ticket,
                now,
            )
            held.action, held.volume_ext, held.price_open = 1 - held.action, rest, price
            held.storage, held.time_msc = Decimal(0), now
            self.store.save_position(held)
            change = profit + storage + commission
            self.store.save_user(replace(user, balance=user.balance + change, last_access=now // 1000))
        self.active.add(held.login)
        return ticket, held

    def close_by(self, first: Position, second: Position) -> tuple[int, int]:
        """Close two opposite positions of a symbol against each other: a pair of OUT_BY deals, no spread paid.

        The deal of `first` carries the profit, at the other's price; that of `second` leaves at its own price with none.
        """
        if first.login != second.login or first.symbol != second.symbol or first.action == second.action:
            raise Refused(3)
        user = self.user(first.login)
        group, symbol = GROUPS[user.group], SYMBOLS[first.symbol]
        volume = min(first.volume_ext, second.volume_ext)
        lots, now = Decimal(volume).scaleb(-8), self.clock.now_msc()
        profit, raw, rate = self._profit(symbol, group, first, second.price_open, lots)
        tickets, change = [], profit
        with self.store.transaction():
            for position, other, earned, pure in (
                (first, second, profit, raw),
                (second, first, Decimal(0), Decimal(0)),
            ):
                ticket, order = self.store.next_ticket("deal"), self.store.next_ticket("order")
                storage = self.money(position.storage * volume / position.volume_ext, group)
                self._book(
                    DealDraft(
                        login=user.login,
                        group=group,
                        action=1 - position.action,
                        entry=OUT_BY,
                        order=order,
                        position=position.ticket,
                        symbol=symbol,
                        volume=volume,
                        volume_closed=volume,
                        price=second.price_open,
                        profit=earned,
                        storage=storage,
                        comment=f"close #{position.ticket} by #{other.ticket}",
                        raw=pure,
                        rate=rate,
                        price_position=position.price_open,
                        quote=self.market.quote(symbol, group),
                    ),
                    ticket,
                    self.clock.now_msc(),
                )
                tickets.append(ticket)
                change += storage
            for position in (first, second):
                self._take_off(position, volume, group)
            self.store.save_user(replace(user, balance=user.balance + change, last_access=now // 1000))
        return tickets[0], tickets[1]

    def _take_off(self, position: Position, volume: int, group: Group) -> None:
        """`volume` of a position is closed, with its share of the swap. Inside the transaction that books it."""
        if volume == position.volume_ext:
            self.store.delete_position(position)
            return
        position.storage -= self.money(position.storage * volume / position.volume_ext, group)
        position.volume_ext -= volume
        self.store.save_position(position)

    def close(
        self,
        position: Position,
        *,
        volume_ext: int | None = None,
        reason: int = REASON_CLIENT,
        comment: str = "",
        order: int = 0,
    ) -> int:
        """Close a position, or a part of it, at the market; the deal's ticket."""
        user = self.user(position.login)
        group, symbol = GROUPS[user.group], SYMBOLS[position.symbol]
        if not self.market.is_open(symbol, self.clock.now()):
            raise Refused(10018)
        volume = min(volume_ext or position.volume_ext, position.volume_ext)
        lots = Decimal(volume).scaleb(-8)
        price = self._closing_price(symbol, group, position)
        profit, raw, rate = self._profit(symbol, group, position, price, lots)
        storage = self.money(position.storage * volume / position.volume_ext, group)
        commission = -self.money(group.commission * lots, group)
        now = self.clock.now_msc()
        with self.store.transaction():
            ticket, order = self.store.next_ticket("deal"), order or self.store.next_ticket("order")
            self._book(
                DealDraft(
                    login=user.login,
                    group=group,
                    action=1 - position.action,
                    entry=OUT,
                    order=order,
                    position=position.ticket,
                    symbol=symbol,
                    volume=volume,
                    volume_closed=volume,
                    price=price,
                    profit=profit,
                    storage=storage,
                    commission=commission,
                    comment=comment,
                    reason=reason,
                    raw=raw,
                    rate=rate,
                    price_position=position.price_open,
                    quote=self.market.quote(symbol, group),
                ),
                ticket,
                self.clock.now_msc(),
            )
            self._take_off(position, volume, group)
            change = profit + storage + commission
            self.store.save_user(replace(user, balance=user.balance + change, last_access=now // 1000))
        self.active.add(position.login)
        return ticket

    def stop_out(self, login: int) -> list[int]:
        """Close the worst positions until the margin level is above the group's limit; forgive a negative balance."""
        tickets = []
        view = self.account(login)
        while view.margin and view.level <= view.group.stop_out:
            open_now = [
                held
                for held in self.store.positions_of(login)
                if self.market.is_open(SYMBOLS[held.symbol], self.clock.now())
            ]
            if not open_now:
                break
            worst = min(open_now, key=lambda position: self.floating(position, view.group))
            note = f"[so {view.level}%/{view.equity}/{view.margin}]"
            tickets.append(self.close(worst, reason=REASON_STOP_OUT, comment=cut(note)))
            view = self.account(login)
        if tickets and not view.margin and view.user.balance < 0:
            with self.store.transaction():
                ticket = self.store.next_ticket("deal")
                self._book(
                    DealDraft(
                        login=view.user.login,
                        group=view.group,
                        action=SO_COMPENSATION,
                        profit=-view.user.balance,
                        comment="negative balance",
                        reason=REASON_STOP_OUT,
                    ),
                    ticket,
                    self.clock.now_msc(),
                )
                self.store.save_user(replace(view.user, balance=Decimal(0)))
            tickets.append(ticket)
        return tickets

    def rollover(self, nights: int) -> None:
        """Charge swap on every open position, in points per lot and night; swap-free groups pay none."""
        with self.store.transaction():
            for position in list(self.store.positions.values()):
                group = GROUPS[self.user(position.login).group]
                if group.swap_free:
                    continue
                symbol = SYMBOLS[position.symbol]
                points = symbol.swap_long if position.action == BUY else symbol.swap_short
                raw = points * symbol.point * position.lots * symbol.contract_size * nights
                position.storage += self.money(raw * self.market.rate(symbol.profit, group.currency), group)
                self.store.save_position(position)

    def _book(self, draft: DealDraft, ticket: int, now_msc: int) -> None:
        """Store a deal under its ticket. Inside the transaction that also changes the account."""
        self.store.add_deal(draft.as_row(ticket, now_msc))
