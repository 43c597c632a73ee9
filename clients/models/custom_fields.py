"""Fields that a brand adds to its leads and clients: what they are, their choices, and the typed values."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clients.models.client import Client
from crm.choices import Role
from crm.models import Brand

TEXT_CHARS_MAX = 2_000
CHOICES_MAX = 200


class CustomFieldType(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    MONEY = "money", _("Amount of money")
    DATE = "date", _("Date")
    YES_NO = "yes_no", _("Yes or no")
    CHOICE = "choice", _("One choice")
    CHOICES = "choices", _("Several choices")


# The column of a value by the type of its field.
COLUMNS = {
    CustomFieldType.TEXT: "text",
    CustomFieldType.NUMBER: "number",
    CustomFieldType.MONEY: "number",
    CustomFieldType.DATE: "day",
    CustomFieldType.YES_NO: "flag",
    CustomFieldType.CHOICE: "code",
    CustomFieldType.CHOICES: "codes",
}


def in_reader_language(labels: dict[str, str]) -> str:
    """Pick a label in the reader's language, else the English one, else any."""
    language = (get_language() or "en")[:2]
    return labels.get(language) or labels.get("en") or next(iter(labels.values()), "")


class _Labelled(models.Model):
    labels = models.JSONField(help_text="Label by language")
    position = models.PositiveSmallIntegerField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return in_reader_language(self.labels)


class CustomField(_Labelled):
    """One field of a brand. Key and brand never change, and the type not while a record has a value (trigger)."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="custom_fields", db_index=False)
    key = models.CharField(max_length=40)
    type = models.CharField(max_length=8, choices=CustomFieldType.choices)
    for_leads = models.BooleanField(default=True)
    for_clients = models.BooleanField(default=True)
    is_required = models.BooleanField(default=False)
    is_personal = models.BooleanField(default=False)
    roles = ArrayField(models.CharField(max_length=20, choices=Role.choices), default=list, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "key"], name="custom_field_key_is_unique_per_brand"),
            models.CheckConstraint(
                condition=Q(key__regex="^[a-z][a-z0-9_]*$"), name="custom_field_key_is_a_plain_word"
            ),
            models.CheckConstraint(
                condition=Q(for_leads=True) | Q(for_clients=True), name="custom_field_is_on_leads_or_clients"
            ),
            models.CheckConstraint(condition=Q(type__in=CustomFieldType.values), name="custom_field_has_a_known_type"),
            models.CheckConstraint(
                condition=Q(roles__contained_by=list(Role.values)), name="custom_field_names_known_roles"
            ),
        ]

    @property
    def column(self) -> str:
        return COLUMNS[CustomFieldType(self.type)]

    @property
    def has_choices(self) -> bool:
        return self.type in (CustomFieldType.CHOICE, CustomFieldType.CHOICES)


class CustomChoice(_Labelled):
    """A choice of a field. Values name it by its code, which never changes."""

    field = models.ForeignKey(CustomField, on_delete=models.PROTECT, related_name="choices", db_index=False)
    code = models.CharField(max_length=40)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["field", "code"], name="custom_choice_code_is_unique_per_field")]


def _only(column: str) -> Q:
    """Require a value in one column and in no other."""
    condition = Q(**{f"{column}__isnull": False})
    for other in sorted(set(COLUMNS.values()) - {column}):
        condition &= Q(**{f"{other}__isnull": True})
    return condition


def _fits_its_type() -> Q:
    condition = Q()
    for type_, column in COLUMNS.items():
        condition |= Q(type=type_) & _only(column)
    return condition


class CustomValue(models.Model):
    """What one record has in a field. A trigger holds that type and brand are those of the field, and choices are its own.

    `day` is midnight UTC of the day, so that it compares as conditions compare times. Destroying the client's key deletes all.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="custom_values", db_index=False)
    field = models.ForeignKey(CustomField, on_delete=models.PROTECT, related_name="values", db_index=False)
    type = models.CharField(max_length=8, choices=CustomFieldType.choices)
    text = models.TextField(null=True)
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    day = models.DateTimeField(null=True)
    flag = models.BooleanField(null=True)
    code = models.CharField(max_length=40, null=True)
    codes = ArrayField(models.CharField(max_length=40), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "field"], name="one_custom_value_per_client_and_field"),
            models.CheckConstraint(condition=_fits_its_type(), name="custom_value_fits_its_type"),
            models.CheckConstraint(
                condition=Q(text__isnull=True) | (~Q(text="") & Q(LessThanOrEqual(Length("text"), TEXT_CHARS_MAX))),
                name="custom_text_is_short_and_not_blank",
            ),
            models.CheckConstraint(
                condition=Q(codes__isnull=True) | Q(codes__len__gt=0), name="custom_choices_are_some"
            ),
        ]
        indexes = [
            models.Index(fields=["field", "number"], name="custom_by_number", condition=Q(number__isnull=False)),
            models.Index(fields=["field", "day"], name="custom_by_day", condition=Q(day__isnull=False)),
            models.Index(fields=["field", "code"], name="custom_by_code", condition=Q(code__isnull=False)),
            models.Index(fields=["field", "client"], name="custom_by_field"),
            GinIndex(fields=["codes"], name="custom_by_codes", condition=Q(codes__isnull=False)),
            GinIndex(
                fields=["text"], name="custom_by_text", opclasses=["gin_trgm_ops"], condition=Q(text__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field_id}: {self.value}"

    @property
    def value(self) -> Any:
        return getattr(self, COLUMNS[CustomFieldType(self.type)])
