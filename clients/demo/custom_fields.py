"""Custom fields of the demo's brands, with values on every third record."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Final

from clients.custom_fields.setup import FieldDetails, add_custom_choice, create_custom_field
from clients.models import Client, CustomField, CustomFieldType, CustomValue
from crm.demo import Demo

# Key → (label in English and German, type, choices).
FIELDS: Final = {
    "interest": (
        {"en": "Interested in", "de": "Interessiert an"},
        CustomFieldType.CHOICE,
        (
            {"en": "Currencies", "de": "Währungen"},
            {"en": "Indices", "de": "Indizes"},
            {"en": "Metals", "de": "Metalle"},
        ),
    ),
    "invested": ({"en": "Invested elsewhere", "de": "Anderswo angelegt"}, CustomFieldType.MONEY, ()),
    "wants_webinar": ({"en": "Wants webinars", "de": "Möchte Webinare"}, CustomFieldType.YES_NO, ()),
}
AMOUNTS: Final = (250, 500, 1_000, 5_000)


def write_fields(demo: Demo) -> None:
    """Set the fields up, before there is anybody to have them."""
    for brand in demo.brands:
        for key, (labels, type_, choices) in FIELDS.items():
            details = FieldDetails(labels=labels, type=type_)
            field = create_custom_field(brand_id=brand.pk, key=key, actor=None, details=details)
            for labels_of_choice in choices:
                add_custom_choice(field_id=field.pk, actor=None, labels=labels_of_choice)


def write_values(demo: Demo) -> None:
    """Fill them in, with dice of their own, so that everybody else stays as they were."""
    dice = random.Random(20)
    for brand in demo.brands:
        fields = {field.key: field for field in CustomField.objects.filter(brand=brand)}
        people = Client.objects.filter(brand=brand).order_by("pk").values_list("pk", flat=True)
        rows = [row for pk in people[::3] for row in _values(fields, pk, dice)]
        CustomValue.objects.bulk_create(rows, batch_size=1_000)


def _values(fields: dict[str, CustomField], client_id: int, dice: random.Random) -> list[CustomValue]:
    interest, amount, webinar = (fields[key] for key in FIELDS)
    given = (
        (interest, dice.choice(["currencies", "indices", "metals"])),
        (amount, Decimal(dice.choice(AMOUNTS))),
        (webinar, dice.random() < 0.5),
    )
    return [
        CustomValue(client_id=client_id, field=field, type=field.type, **{field.column: value})
        for field, value in given
    ]
