"""`bench trading`: deals into the table, pages beside ten millions of them, and the way from a platform to an open page.

Five parts, each with a database of its own where it writes much:

- deals: batches through the real ingest path (`take_in`: keyed, compared, events, symbols, results to be summed) in turns
  with a plain COPY of the same rows into a partitioned table with the same indexes; then a span of history read from a
  broker's SQL export (a SQLite file made here) in flat memory, its sums made, and the account page among all of it;
- money: every account's equity from the sandbox server over its socket, in batches;
- lag: the sandbox trades, the sync reads it over sockets, the event stream tells open pages, and each asks for its deals;
- platforms: the sandbox servers of MT4, cTrader, Match-Trader and Sirix at once, a trade on each into the table.
"""

from __future__ import annotations

from bench import trading_deals, trading_lag, trading_money, trading_platforms
from bench.harness import Figure, own_database, say


def run(size: str) -> list[Figure]:
    figures: list[Figure] = []
    with own_database("trading"):
        figures += trading_deals.run(size)
    say("equity")
    with own_database("trading_money"):
        figures += trading_money.run(size)
    say("lag")
    with own_database("trading_lag"):
        figures += trading_lag.run(size)
    say("four more platforms")
    with own_database("trading_platforms"):
        figures += trading_platforms.run(size)
    return figures
