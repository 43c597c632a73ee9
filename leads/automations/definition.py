"""What an automation says: read from stored data, checked part by part, written as sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Segment
from clients.vocabulary import CLIENT
from crm.conditions import Condition, Field, FieldType, read
from crm.errors import DomainError, outcome_of
from crm.events.bus import EVENT_TYPES, label_of
from crm.events.conditions import path_of, vocabulary_of
from crm.i18n import formats
from crm.models import Brand
from leads.automations import actions
from leads.automations.choices import TriggerKind, Variant
from leads.models import AutomationStep, AutomationVersion

STEPS_MAX: Final = 20
WAIT_MINUTES_MAX: Final = 366 * 24 * 60
HOURS_MAX: Final = 366 * 24
ENTRIES_MAX, ENTRIES_DAYS_MAX, DAYS_MAX = 50, 366, 3_660
EVERYONE: Final[dict[str, Any]] = {"version": 1, "all": []}


def new_definition() -> dict[str, Any]:
    """Return what a new automation's draft begins with."""
    return {
        "trigger": {"kind": TriggerKind.EVENT.value, "event": "client.registered"},
        "condition": EVERYONE,
        "goal": None,
        "exit": None,
        "entries_max": 1,
        "entries_days": 30,
        "split": 0,
        "steps": [],
    }


@dataclass(frozen=True)
class Trigger:
    """What lets a client in. `path`: the predicate on an event's data, as a subscription keeps it."""

    kind: TriggerKind
    event: str = ""
    condition: Condition | None = None
    absent: str = ""
    hours: int = 0
    field: Field | None = None
    days: int = 0
    segment: Segment | None = None
    is_entering: bool = True

    @property
    def events(self) -> list[str]:
        if self.kind == TriggerKind.SEGMENT:
            return ["client.entered_segment" if self.is_entering else "client.left_segment"]
        return [self.event] if self.event else []

    @property
    def path(self) -> str | None:
        if self.segment is not None:
            return f"($.segment_id == {self.segment.pk})"
        return path_of(self.condition) if self.condition is not None and self.condition.parts() else None

    def words(self) -> str:
        if self.kind == TriggerKind.SEGMENT:
            text = _("When a client enters the segment “%(segment)s”")
            left = _("When a client leaves the segment “%(segment)s”")
            return (text if self.is_entering else left) % {"segment": self.segment}
        if self.kind == TriggerKind.DATE and self.field is not None:
            days = ngettext("%(count)s day", "%(count)s days", self.days) % {"count": formats.number(self.days)}
            return _("%(days)s after “%(date)s”") % {"days": days, "date": self.field.label}
        about = {"event": label_of(self.event)}
        text = _("On “%(event)s”") % about
        if self.condition is not None and self.condition.parts():
            text = _("%(event)s where %(condition)s") % {"event": text, "condition": self.condition.sentence()}
        if self.kind == TriggerKind.ABSENT:
            hours = ngettext("%(count)s hour", "%(count)s hours", self.hours) % {"count": formats.number(self.hours)}
            return _("%(event)s, unless “%(absent)s” follows within %(hours)s") % {
                "event": text,
                "absent": label_of(self.absent),
                "hours": hours,
            }
        return text


def _wait_words(minutes: int) -> str:
    """Write a wait in the largest unit that it is a whole number of, as it is entered."""
    days, hours = minutes // 1440, minutes // 60
    if minutes % 1440 == 0:
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": formats.number(days)}
    if minutes % 60 == 0:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": formats.number(hours)}
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": formats.number(minutes)}


@dataclass(frozen=True)
class Step:
    """One step: `wait_minutes` after the one before it."""

    position: int
    kind: actions.ActionKind
    options: dict[str, Any]
    wait_minutes: int = 0
    variant: str = ""
    condition: Condition | None = None

    @property
    def wait(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.wait_minutes)

    def words(self) -> str:
        text = self.kind.words(self.options)
        if self.condition is not None:
            text = _("%(step)s, if %(condition)s") % {"step": text, "condition": self.condition.sentence()}
        if self.wait_minutes:
            text = _("after %(wait)s: %(step)s") % {"wait": _wait_words(self.wait_minutes), "step": text}
        return f"{Variant(self.variant).label}: {text}" if self.variant else text


@dataclass(frozen=True)
class Definition:
    trigger: Trigger
    condition: Condition
    goal: Condition | None
    exit: Condition | None
    entries_max: int
    entries_days: int
    split: int
    steps: list[Step]

    def step_from(self, position: int, variant: str) -> Step | None:
        """Find the next step of a run from a position on: those of the other group are passed over."""
        return next((step for step in self.steps[position:] if step.variant in ("", variant)), None)

    def sentence(self) -> str:
        """Write the whole automation as one sentence."""
        text = self.trigger.words()
        if self.condition.parts():
            text = _("%(trigger)s, for clients where %(condition)s") % {
                "trigger": text,
                "condition": self.condition.sentence(),
            }
        steps = "; ".join(step.words() for step in self.steps)
        parts = [_("%(start)s: %(steps)s.") % {"start": text, "steps": steps}]
        if self.split:
            parts.append(_("%(share)s%% of clients are in group B.") % {"share": formats.number(self.split)})
        if self.goal is not None:
            parts.append(_("It ends with the goal reached when %(goal)s.") % {"goal": self.goal.sentence()})
        if self.exit is not None:
            parts.append(_("Clients leave it when %(exit)s.") % {"exit": self.exit.sentence()})
        return " ".join([*parts, self.limit_words()])

    def limit_words(self) -> str:
        """State the loop guard."""
        times = ngettext("%(count)s time", "%(count)s times", self.entries_max) % {
            "count": formats.number(self.entries_max)
        }
        days = ngettext("%(count)s day", "%(count)s days", self.entries_days) % {
            "count": formats.number(self.entries_days)
        }
        return _("Each client enters at most %(times)s in %(days)s.") % {"times": times, "days": days}


def client_events() -> list[str]:
    """List the events that are about a client, by name."""
    return sorted(
        (name for name in EVENT_TYPES if not name.startswith(("crm.", "wallet.period", "client.country"))), key=label_of
    )


def date_fields() -> list[Field]:
    """List the dates of a client that can start an automation."""
    return [field for field in CLIENT.fields if field.type is FieldType.MOMENT]


def read_definition(data: Mapping[str, Any], brand: Brand) -> Definition:
    """Read what a draft or a version says. Raises: DomainError, which names the step and what to do."""
    if not data.get("steps"):
        raise DomainError(_("Add at least one step."))
    return _read(data, brand, _steps(data, brand))


def read_draft(data: Mapping[str, Any], brand: Brand) -> Definition:
    """Read a draft that may have no steps yet. Raises: as `read_definition`."""
    return _read(data, brand, _steps(data, brand))


def in_force(version: AutomationVersion) -> Definition:
    """Read a version for its runs: what was checked when it was activated isn't asked again, and its trigger isn't read whole.

    Raises: DomainError where a condition names a field that is gone since, or no app has one of its steps any more.
    """
    data = version.definition
    trigger = data["trigger"]
    return Definition(
        trigger=Trigger(TriggerKind(trigger["kind"]), absent=trigger.get("absent", ""), hours=trigger.get("hours", 0)),
        condition=read(data.get("condition") or EVERYONE, CLIENT),
        goal=_optional(data.get("goal")),
        exit=_optional(data.get("exit")),
        entries_max=data["entries_max"],
        entries_days=data["entries_days"],
        split=data.get("split", 0),
        steps=[_stored_step(row) for row in version.steps.order_by("position")],
    )


def _stored_step(row: AutomationStep) -> Step:
    kind = actions.ACTIONS.get(row.action)
    if kind is None:
        raise DomainError(_("No app has the step “%(step)s” any more.") % {"step": row.action})
    return Step(row.position, kind, row.options, row.wait_minutes, row.variant, _optional(row.condition))


def _read(data: Mapping[str, Any], brand: Brand, steps: list[Step]) -> Definition:
    split = _whole(data.get("split", 0), 0, 99)
    if not split and any(step.variant for step in steps):
        raise DomainError(_("Steps of group A or B need a share of clients in group B."))
    return Definition(
        trigger=_trigger(data.get("trigger") or {}, brand),
        condition=read(data.get("condition") or EVERYONE, CLIENT),
        goal=_optional(data.get("goal")),
        exit=_optional(data.get("exit")),
        entries_max=_whole(data.get("entries_max"), 1, ENTRIES_MAX),
        entries_days=_whole(data.get("entries_days"), 1, ENTRIES_DAYS_MAX),
        split=split,
        steps=steps,
    )


def _optional(data: Any) -> Condition | None:
    if not data:
        return None
    condition = read(data, CLIENT)
    return condition if condition.parts() else None


def _trigger(data: Mapping[str, Any], brand: Brand) -> Trigger:
    kind = data.get("kind")
    if kind == TriggerKind.DATE:
        field = CLIENT.field(str(data.get("field")))
        if field is None or field.type is not FieldType.MOMENT:
            raise DomainError(_("Choose the date that starts the automation."))
        return Trigger(TriggerKind.DATE, field=field, days=_whole(data.get("days"), 0, DAYS_MAX))
    if kind == TriggerKind.SEGMENT:
        pk = data.get("segment")
        segment = Segment.objects.filter(pk=pk if isinstance(pk, int) else 0, brand=brand, archived_at=None).first()
        if segment is None:
            raise DomainError(_("Choose a segment of the brand that isn't archived."))
        return Trigger(TriggerKind.SEGMENT, segment=segment, is_entering=bool(data.get("is_entering", True)))
    event = _event(data.get("event"))
    condition = read(data["condition"], vocabulary_of([EVENT_TYPES[event]])) if data.get("condition") else None
    if kind == TriggerKind.ABSENT:
        absent, hours = _event(data.get("absent")), _whole(data.get("hours"), 1, HOURS_MAX)
        return Trigger(TriggerKind.ABSENT, event=event, condition=condition, absent=absent, hours=hours)
    if kind != TriggerKind.EVENT:
        raise DomainError(_("Choose what starts the automation."))
    return Trigger(TriggerKind.EVENT, event=event, condition=condition)


def _event(name: Any) -> str:
    if name not in client_events():
        raise DomainError(_("“%(event)s” isn't an event that can be used here.") % {"event": str(name)[:60]})
    return str(name)


def _steps(data: Mapping[str, Any], brand: Brand) -> list[Step]:
    rows = data.get("steps") or []
    if len(rows) > STEPS_MAX:
        raise DomainError(_("An automation has at most %(count)s steps.") % {"count": STEPS_MAX})
    return [_step(place, row, brand) for place, row in enumerate(rows)]


def _step(place: int, row: Mapping[str, Any], brand: Brand) -> Step:
    found = outcome_of(lambda: _one_step(place, row, brand))
    if not found:
        raise DomainError(_("Step %(number)s: %(problem)s") % {"number": place + 1, "problem": found.message})
    return found.result


def _one_step(place: int, row: Mapping[str, Any], brand: Brand) -> Step:
    kind = actions.ACTIONS.get(str(row.get("action")))
    if kind is None:
        raise DomainError(_("Choose what is done."))
    return Step(
        place,
        kind,
        kind.clean(brand, row.get("options") or {}),
        _whole(row.get("wait_minutes", 0), 0, WAIT_MINUTES_MAX),
        Variant(row.get("variant") or "").value,
        _optional(row.get("condition")),
    )


def _whole(given: Any, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise DomainError(
            _("Enter a whole number from %(minimum)s to %(maximum)s.")
            % {"minimum": formats.number(least), "maximum": formats.number(most)}
        )
    return given
