"""Filters of lists that stay true from day to day, for quick filters and saved views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.conditions import Vocabulary, everything, read
from crm.models import User
from crm.ui.conditions import ConditionField, ConditionInput, sentence_of

DAY = dt.timedelta(days=1)
# value → (days back from the start of today, or None; hours that must have passed, or None)
SINCE: dict[str, tuple[int | None, int | None]] = {
    "today": (0, None),
    "week": (6, None),
    "month": (29, None),
    "over24h": (None, 24),
    "over72h": (None, 72),
}
CHOICES = [
    ("today", _("Today")),
    ("week", _("Last 7 days")),
    ("month", _("Last 30 days")),
    ("over24h", _("More than 24 hours ago")),
    ("over72h", _("More than 3 days ago")),
]


@lru_cache(maxsize=512)
def narrowed_to(filterset: type[django_filters.FilterSet], names: frozenset[str]) -> type[django_filters.FilterSet]:
    """Make a filter set of only these filters of another one, in the same order."""
    make: Any = type(filterset)
    narrow: type[django_filters.FilterSet] = make(filterset.__name__, (filterset,), {})
    narrow.base_filters = {name: one for name, one in filterset.base_filters.items() if name in names}
    return narrow


class WhenFilter(django_filters.ChoiceFilter):
    """A time in relation to now, where a date would be yesterday's tomorrow. Days begin in the reader's zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, choices=CHOICES, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in SINCE:
            return qs
        days, hours = SINCE[value]
        if hours is not None:
            return qs.filter(**{f"{self.field_name}__lte": timezone.now() - dt.timedelta(hours=hours)})
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return qs.filter(**{f"{self.field_name}__gte": midnight - DAY * (days or 0)})


class _ListedCondition(ConditionField):
    """A condition in the filters of a list: nothing entered is no filter. Its rows are drawn when somebody asks for them."""

    def __init__(self, vocabulary: Vocabulary, **kwargs: Any) -> None:
        kwargs.pop("required", None)
        super().__init__(vocabulary, **kwargs)
        self.widget.template_name = "crm/ui/condition_in_list.html"

    def to_python(self, value: Any) -> Any:
        stored = super().to_python(value)
        return None if stored == everything().stored() else stored

    def in_words(self, value: Any) -> str:
        return sentence_of(value, self.vocabulary)


class ConditionFilter(django_filters.Filter):
    """Any condition over a vocabulary, kept in the address; a saved view keeps it as a segment.

    vocabulary: makes it for a user, who may see other fields than a colleague.
    """

    def __init__(self, *, vocabulary: Callable[[User], Vocabulary], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    @property
    def field(self) -> _ListedCondition:
        if not hasattr(self, "_field"):
            self._field = _ListedCondition(self.vocabulary(self.parent.request.user), label=self.label)
        return self._field

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.filter(read(value, self.field.vocabulary).q(timezone.now())) if value else qs

    def drawn(self, user: User) -> str:
        """Draw the form component for a user."""
        return str(ConditionInput(self.vocabulary(user)).render("conditions", "", {"id": "id_conditions"}))
