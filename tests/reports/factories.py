"""Rows of figures as the upkeep would have written them."""

from typing import Any, TypeVar

from crm.models import Book
from reports.models import DayFigure, OriginDay

Row = TypeVar("Row", DayFigure, OriginDay)


def make_day(model: type[Row], **fields: Any) -> Row:
    """Write one row; without a book in one of the desk, or of the brand."""
    if "book" not in fields:
        of = {"brand": fields["brand"], "desk": fields.get("desk")}
        fields["book"] = Book.objects.filter(**of).first() or Book.objects.create(name=f"Book of {of['desk']}", **of)
    return model.objects.create(**fields)
