"""What each message of the Manager API does. Lists come newest first, in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from sandbox.ctrader import names, traders, view
from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from sandbox.ctrader.state import Reference, State
from sandbox.ctrader.traders import Denied
from sandbox.engine.books import BONUS
from sandbox.engine.contracts import GROUPS, SYMBOLS, currency_digits
from sandbox.engine.deals import IN
from sandbox.engine.store import User

VERSION = "89.3"


@dataclass
class Commands:
    """`chunk`: how many rows a list brings at most."""

    state: State
    chunk: int

    def run(self, name: str, request: Any, subscribe: Callable[[Iterable[int]], None]) -> Any:
        """Answer a request by name. Raises Denied."""
        if name == "SUBSCRIBE_SPOTS":
            subscribe(request.symbolId)
            return pb.ProtoSubscribeSpotQuotesRes()
        return getattr(self, f"_{name.lower()}")(request)

    @property
    def _users(self) -> dict[int, User]:
        return self.state.books.store.users

    def _user(self, trader_id: int) -> User:
        return traders.user_of(self.state, names.login_of(trader_id))

    def _cut(self, rows: Iterable[Any], limit: int = 0) -> tuple[list[Any], bool]:
        """Take the first chunk, and tell whether there is more; no further row is read."""
        chunk = min(self.chunk, limit) if limit else self.chunk
        first = list(islice(rows, chunk + 1))
        return first[:chunk], len(first) > chunk

    # -- the server ---------------------------------------------------------------------------------------------------

    def _server_time(self, _request: Any) -> pb.ProtoServerTimeRes:
        return pb.ProtoServerTimeRes(timeInMillis=self.state.books.clock.now_msc())

    def _version(self, _request: Any) -> pb.ProtoVersionRes:
        return pb.ProtoVersionRes(version=VERSION)

    def _light_group_list(self, _request: Any) -> pb.ProtoLightGroupListRes:
        return pb.ProtoLightGroupListRes(lightGroup=[view.light_group(group) for group in GROUPS.values()])

    def _symbol_list(self, _request: Any) -> pb.ProtoManagerSymbolListRes:
        return pb.ProtoManagerSymbolListRes(symbol=[view.symbol(symbol) for symbol in SYMBOLS.values()])

    def _volume_profile_list(self, _request: Any) -> pb.ProtoVolumeProfileListRes:
        return pb.ProtoVolumeProfileListRes(volumeProfile=[view.volume_profile(symbol) for symbol in SYMBOLS.values()])

    def _asset_list(self, _request: Any) -> pb.ProtoAssetListRes:
        return pb.ProtoAssetListRes(
            asset=[
                pb.ProtoAsset(
                    assetId=number,
                    name=name,
                    description=name,
                    type=7,
                    depositAsset=name in names.DEPOSIT_ASSETS,
                    depositable=name in names.DEPOSIT_ASSETS,
                    digits=currency_digits(name),
                )
                for name, number in names.ASSET_IDS.items()
            ]
        )

    # -- traders ------------------------------------------------------------------------------------------------------

    def _registered(self, request: Any) -> list[User]:
        group = names.GROUPS_BY_ID.get(request.groupId) if request.HasField("groupId") else None
        if request.HasField("groupId") and group is None:
            raise Denied("TRADER_GROUP_NOT_FOUND")
        users = [
            user
            for user in self._users.values()
            if request.fromTimestamp <= view.registered_msc(user) <= request.toTimestamp and group in (None, user.group)
        ]
        return sorted(users, key=lambda user: (-view.registered_msc(user), -user.login))

    def _light_trader_list(self, request: Any) -> pb.ProtoManagerLightTraderListRes:
        users, more = self._cut(self._registered(request))
        return pb.ProtoManagerLightTraderListRes(trader=[view.light_trader(user) for user in users], hasMore=more)

    def _trader_list(self, request: Any) -> pb.ProtoTraderListRes:
        users, more = self._cut(self._registered(request))
        return pb.ProtoTraderListRes(trader=[view.trader(self.state, user) for user in users], hasMore=more)

    def _trader_by_id(self, request: Any) -> pb.ProtoTraderByIdRes:
        users = [self._users.get(names.login_of(trader_id)) for trader_id in request.traderId]
        return pb.ProtoTraderByIdRes(trader=[view.trader(self.state, user) for user in users if user])

    def _crud_trader(self, request: Any) -> pb.ProtoCrudTraderRes:
        trader, user = request.trader, self._user(request.trader.traderId)
        if request.validateVersion and trader.version != self.state.version(user.login):
            raise Denied("CONCURRENT_MODIFICATION")
        if request.operation == pb.PROTO_DELETE:
            self._delete(user)
        elif request.operation == pb.PROTO_UPDATE_DIFF:
            self._update(trader, user)
        else:
            raise Denied("UNSUPPORTED_MESSAGE", "accounts are made by WebServices here")
        return pb.ProtoCrudTraderRes(operation=request.operation, traderId=trader.traderId)

    def _delete(self, user: User) -> None:
        if self.state.books.store.positions_of(user.login):
            raise Denied("TRADER_HAS_POSITIONS")
        with self.state.books.store.transaction():
            self.state.books.store.delete_user(user.login)

    def _update(self, trader: Any, user: User) -> None:
        group = ""
        if trader.groupId != names.GROUP_IDS[user.group]:
            group = names.GROUPS_BY_ID.get(trader.groupId, "?")
        traders.change(
            self.state,
            user,
            group=group,
            leverage_cents=trader.leverageInCents if trader.HasField("leverageInCents") else None,
            access=int(trader.accessRights) if trader.HasField("accessRights") else None,
        )

    def _change_password(self, request: Any) -> pb.ProtoChangeTraderPasswordRes:
        traders.change(self.state, self._user(request.traderId), hashed=request.passwordHash)
        return pb.ProtoChangeTraderPasswordRes(traderId=request.traderId)

    def _check_password(self, request: Any) -> pb.ProtoCheckTraderPasswordRes:
        user = self._user(request.traderId)
        if not self.state.password_is(user, request.passwordHash):
            raise Denied("WRONG_PASSWORD")
        return pb.ProtoCheckTraderPasswordRes(traderId=request.traderId)

    # -- history ------------------------------------------------------------------------------------------------------

    def _rows(self, request: Any, only: str) -> Iterator[dict[str, Any]]:
        """Yield the engine's deals of a window, newest first; `only` is the rest of a condition on them."""
        owners = (
            list(request.traderId) if only == "trades" else ([request.traderId] if request.HasField("traderId") else [])
        )
        logins = [names.login_of(trader_id) for trader_id in owners]
        first, last = request.fromTimestamp, request.toTimestamp
        if last < first:
            raise Denied("INCORRECT_BOUNDARIES")
        query, arguments = "SELECT data FROM deals WHERE time_msc BETWEEN ? AND ?", [first, last]
        if logins:
            query += f" AND login IN ({','.join('?' * len(logins))})"
            arguments += logins
        query += {
            "trades": " AND symbol <> ''",
            "balance": f" AND json_extract(data, '$.Action') <> '{BONUS}'",
            "bonus": f" AND json_extract(data, '$.Action') = '{BONUS}'",
        }[only]
        rows = self.state.db.execute(f"{query} ORDER BY time_msc DESC, ticket DESC", arguments)
        return (json.loads(data) for (data,) in rows)

    def _deal_list(self, request: Any) -> pb.ProtoManagerDealListRes:
        groups = {names.GROUPS_BY_ID.get(number) for number in request.groupId}
        request.fromTimestamp += view.MADE_BEFORE_MSC  # the list goes by the time at which deals were made
        request.toTimestamp += view.MADE_BEFORE_MSC

        def is_wanted(row: dict[str, Any]) -> bool:
            user = self._users.get(int(row["Login"]))
            return view.is_trade(row) and (not groups or (user is not None and user.group in groups))

        rows, more = self._cut(filter(is_wanted, self._rows(request, "trades")), request.maxRows)
        return pb.ProtoManagerDealListRes(deal=[view.deal(self.state, row) for row in rows], hasMore=more)

    def _get_deal(self, request: Any) -> pb.ProtoManagerGetDealRes:
        row = self.state.books.store.deal(request.dealId)
        if row is None or not view.is_trade(row):
            raise Denied("DEAL_NOT_FOUND")
        return pb.ProtoManagerGetDealRes(deal=view.deal(self.state, row))

    def _balance_history_list(self, request: Any) -> pb.ProtoBalanceHistoryListRes:
        found = self._rows(request, "balance")
        rows, more = self._cut(row for row in found if not view.is_trade(row) or int(row["Entry"]) != IN)
        made = pb.ProtoBalanceHistoryListRes(
            depositWithdraw=[view.balance_row(self.state, row) for row in rows], hasMore=more
        )
        if request.HasField("traderId"):
            made.traderId = request.traderId
        return made

    def _bonus_history_list(self, request: Any) -> pb.ProtoBonusHistoryListRes:
        rows, more = self._cut(self._rows(request, "bonus"))
        return pb.ProtoBonusHistoryListRes(
            bonusDepositWithdraw=[view.bonus_row(self.state, row) for row in rows], hasMore=more
        )

    def _position_list(self, request: Any) -> pb.ProtoPositionListRes:
        store = self.state.books.store
        held = list(store.positions.values())
        if request.HasField("traderId"):
            held = store.positions_of(names.login_of(request.traderId))
        inside = [position for position in held if request.fromTimestamp <= position.time_msc <= request.toTimestamp]
        rows, more = self._cut(sorted(inside, key=lambda position: (-position.time_msc, -position.ticket)))
        return pb.ProtoPositionListRes(
            position=[view.position(self.state, position) for position in rows], hasMore=more
        )

    # -- money --------------------------------------------------------------------------------------------------------

    def _change_balance(self, request: Any) -> pb.ProtoChangeBalanceRes:
        """`newWay`: the amount is in the currency's smallest unit; without it in hundredths whatever the currency."""
        user = self._user(request.traderId)
        reference = Reference(request.externalId, request.source, request.externalNote)
        ticket = traders.change_balance(
            self.state, user, request.type, self._amount(request, user), request.comment, reference
        )
        return pb.ProtoChangeBalanceRes(traderId=request.traderId, balanceHistoryId=ticket)

    def _change_bonus(self, request: Any) -> pb.ProtoManagerChangeBonusRes:
        user = self._user(request.traderId)
        amount = self._amount(request, user)
        if amount <= 0:
            raise Denied("CHANGE_BONUS_BAD_AMOUNT")
        signed = -amount if request.type == pb.BONUS_WITHDRAW else amount
        ticket = traders.change_bonus(self.state, user, signed, request.comment, request.externalNote)
        return pb.ProtoManagerChangeBonusRes(traderId=request.traderId, bonusHistoryId=ticket)

    @staticmethod
    def _amount(request: Any, user: User) -> Decimal:
        return Decimal(request.amount).scaleb(-GROUPS[user.group].digits if request.newWay else -2)
