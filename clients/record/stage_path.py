"""A client's way from lead to active trader as the page draws it: each stage with the day it was reached."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clients.choices import Stage, TimelineKind
from clients.models import Client, TimelineEntry

PATH = (Stage.LEAD, Stage.REGISTERED, Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE)
ENDS = (Stage.DORMANT, Stage.CLOSED)
CHANGES_MAX = 50


@dataclass(frozen=True)
class StageStep:
    """One stage of the path. `state`: done, current or ahead; `at` is the day it was first reached, where that is known."""

    label: str
    state: str
    at: dt.datetime | None = None
    tone: str = ""


def path_of(client: Client) -> list[StageStep]:
    """List the stages in order; a dormant or closed client has that state as one more step. One query."""
    reached = _reached(client)
    steps = [_step(client, stage, reached) for stage in PATH]
    if client.stage in ENDS:
        stage = Stage(client.stage)
        steps.append(
            StageStep(str(stage.label), "current", reached.get(stage), "danger" if stage == "closed" else "warning")
        )
    return steps


def _step(client: Client, stage: Stage, reached: dict[str, dt.datetime]) -> StageStep:
    if stage == client.stage:
        return StageStep(str(stage.label), "current", reached.get(stage))
    is_done = stage in reached or (stage == Stage.VERIFIED and client.kyc_level > 0)
    return StageStep(str(stage.label), "done" if is_done else "ahead", reached.get(stage))


def _reached(client: Client) -> dict[str, dt.datetime]:
    """Return when each stage was first reached, from the timeline's stage entries and the client's own dates."""
    entries = TimelineEntry.objects.filter(client=client, kind=TimelineKind.STAGE).order_by("-at", "-id")
    reached: dict[str, dt.datetime] = {}
    for at, stage in entries.values_list("at", "data__after")[:CHANGES_MAX]:
        if stage:
            reached[stage] = at  # newest first: the oldest stays
    own = {
        Stage.LEAD: client.created_at,
        Stage.REGISTERED: client.registered_at,
        Stage.FUNDED: client.first_deposit_at,
        Stage.ACTIVE: reached.get(Stage.ACTIVE) or (client.last_trade_at if client.first_deposit_at else None),
    }
    return reached | {stage: at for stage, at in own.items() if at}
