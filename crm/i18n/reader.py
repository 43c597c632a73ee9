"""For whom something is written: language, time zone and dates of a person, as on their pages."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.utils import timezone, translation

from crm.i18n import formats
from crm.i18n.languages import variant_of

if TYPE_CHECKING:
    from crm.models import User


@contextmanager
def reading_as(person: User) -> Iterator[None]:
    """Write as the pages do for this person, outside their requests: what a job makes is read by who started it."""
    with ExitStack() as stack:
        if language := variant_of(person.language):
            stack.enter_context(translation.override(language))
        try:
            stack.enter_context(timezone.override(zoneinfo.ZoneInfo(person.time_zone or "UTC")))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            stack.enter_context(timezone.override(None))
        stack.enter_context(formats.dates_as(formats.preferred_dates(person)))
        yield
