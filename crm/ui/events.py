"""The catalogue of events as a choice."""

from __future__ import annotations

from crm.events.conditions import APPS
from crm.events.schemas import catalogue


def grouped_events() -> list[tuple[str, list[tuple[str, str]]]]:
    """Offer the events under their apps, each by its name with its code."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for event_type in catalogue():
        app = event_type.name.partition(".")[0]
        grouped.setdefault(str(APPS.get(app, app)), []).append(
            (event_type.name, f"{event_type.label} · {event_type.name}")
        )
    return [(app, sorted(events, key=lambda event: event[1])) for app, events in grouped.items()]
