"""The recent past read again: what dealers edited and fills that came late, behind the seconds that every reading overlaps.

Window by window, over a connection of its own: new deals wait for nothing, and memory stays flat however busy a server was.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from trading.core.batching import batched
from trading.models import TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import capabilities_of, platform_for
from trading.sync.backfill import stretches
from trading.sync.cursor import reading
from trading.sync.deals import HOUR_MSC, take_in

KIND: Final = "deals_again"
FIRST_WINDOW_MSC: Final = 600_000
AT_ONCE: Final = 5_000


def read_again(server: TradingServer, *, span: dt.timedelta) -> int:
    """Read the last `span` of a server's clock once more, and an hour ahead: its clock may just have gone back.

    Returns how many deals were new or changed. Nothing is read where an export marks each edit by its stamp, or where deals
    can only be read account by account: there the nightly comparison finds them.
    """
    if server.reads_export or not capabilities_of(server.kind).reads_many_deals:
        return 0
    count = 0
    with reading(server, KIND) as run:
        if run is None:
            return 0
        platform = platform_for(server, Purpose.BACKFILL)
        now = platform.server_time().server_msc
        first = now - int(span.total_seconds() * 1000)
        read = stretches(platform, server, (first, now + HOUR_MSC), position=first, length=FIRST_WINDOW_MSC)
        for deals, _position in read:
            for some in batched(deals, AT_ONCE):
                taken = take_in(server, list(some))
                count += len(taken.new) + len(taken.changed)
        run.rows = count
    return count
