"""Flags of clients who may leave, one module per topic; each is a `Flag` with its SQL over many clients and its sentences."""

from risk.retention.choices import FlagKind
from risk.retention.flags.activity import INACTIVE, LOGINS
from risk.retention.flags.base import Flag
from risk.retention.flags.contact import COMPLAINT, TICKET
from risk.retention.flags.fills import FILLS
from risk.retention.flags.money import DECLINED, DEPOSITS, WITHDRAWN
from risk.retention.flags.results import DROP, LOSSES, MARGIN

# In the order in which a case lists them.
FLAGS: dict[FlagKind, Flag] = {
    flag.kind: flag
    for flag in (INACTIVE, WITHDRAWN, COMPLAINT, DROP, LOSSES, MARGIN, FILLS, LOGINS, DEPOSITS, DECLINED, TICKET)
}

__all__ = ["FLAGS", "Flag"]
