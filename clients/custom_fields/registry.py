"""What pages, lists and conditions know of custom fields: which a person sees, and each as a field of conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clients import policies
from clients.models import Client, CustomField, CustomFieldType, CustomValue
from clients.vocabulary import CLIENT
from crm.conditions import Field, FieldType, Vocabulary
from crm.conditions.fields import ADDED
from crm.models import User
from crm.money.numbers import is_whole
from crm.security.scope import reach_of

TYPES: Final = {
    CustomFieldType.TEXT: FieldType.TEXT,
    CustomFieldType.NUMBER: FieldType.DECIMAL,
    CustomFieldType.MONEY: FieldType.MONEY,
    CustomFieldType.DATE: FieldType.MOMENT,
    CustomFieldType.YES_NO: FieldType.YES_NO,
    CustomFieldType.CHOICE: FieldType.CHOICE,
    CustomFieldType.CHOICES: FieldType.SET,
}

Describe = Callable[[CustomField], Field]


def name_of(field: CustomField) -> str:
    """Name a field for conditions and columns."""
    return f"{ADDED}{field.pk}"


def seen_by(user: User) -> QuerySet[CustomField]:
    """Select the open fields of the brands in reach that a person's roles see; personal data for who sees contacts in full."""
    fields = CustomField.objects.filter(brand_id__in=reach_of(user).brands, archived_at=None)
    if not user.is_superuser:
        fields = fields.filter(Q(roles=[]) | Q(roles__overlap=ArraySubquery(user.groups.order_by().values("name"))))
    if not policies.sees_contacts(user):
        fields = fields.filter(is_personal=False)
    return fields.select_related("brand").prefetch_related("choices").order_by("brand__name", "position", "id")


def of_record(client: Client, fields: QuerySet[CustomField]) -> QuerySet[CustomField]:
    """Keep the fields that this record has: those of its brand, for leads or for clients."""
    mine = fields.filter(brand_id=client.brand_id).select_related(None).order_by("position", "id")
    return mine.filter(for_leads=True) if client.stage == "lead" else mine.filter(for_clients=True)


def as_field(field: CustomField) -> Field:
    """Describe a custom field for conditions: its values are rows of their own, searched by an index of the type."""
    choices = [(choice.code, choice.label) for choice in field.choices.all()]
    return Field(
        name_of(field),
        field.label,
        TYPES[CustomFieldType(field.type)],
        field.column,
        (lambda: choices) if field.has_choices else None,
        partial(_value_of, field),
        group=_("Custom fields: %(brand)s") % {"brand": field.brand},
        rows=lambda: CustomValue.objects.filter(field_id=field.pk),
    )


def _value_of(field: CustomField, subject: Any) -> Any:
    if isinstance(subject, Mapping):
        return subject.get(name_of(field))
    row = CustomValue.objects.filter(field_id=field.pk, client_id=subject.pk).first()
    return None if row is None else row.value


def numbered(name: str) -> QuerySet[CustomField]:
    """Find the field that a name in a condition means, archived or not."""
    number = name.removeprefix(ADDED)
    known = CustomField.objects.select_related("brand").prefetch_related("choices")
    return known.filter(pk=int(number)) if is_whole(number) and len(number) < 18 else known.none()


def _find(name: str) -> Field | None:
    field = numbered(name).filter(archived_at=None).first()
    return None if field is None else as_field(field)


def _name_lost(name: str) -> str:
    field = numbered(name).first()
    return "" if field is None else field.label


class AddedVocabulary(Vocabulary):
    """A vocabulary with custom fields beside its own, read when first needed. `describe` makes a field of one."""

    def __init__(
        self, base: Vocabulary, rows: QuerySet[CustomField], brands: Iterable[int], describe: Describe = as_field
    ) -> None:
        super().__init__(base.name, base.fields, preview=base.preview)
        self.add(*base.happenings)
        self.rows, self.brands, self.describe = rows, brands, describe
        self._added: dict[str, Field] | None = None
        self.find, self.name_lost = self._find_added, self._name_added

    @property
    def added(self) -> dict[str, Field]:
        if self._added is None:
            self._added = {name_of(field): self.describe(field) for field in self.rows}
        return self._added

    @property
    def fields(self) -> list[Field]:
        return [*super().fields, *self.added.values()]

    def _find_added(self, name: str) -> Field | None:
        return self.added.get(name)

    def _name_added(self, name: str) -> str:
        field = numbered(name).filter(brand_id__in=self.brands).first()
        return "" if field is None else field.label


class SeenVocabulary(AddedVocabulary):
    """The client's vocabulary as one person may use it: with the custom fields that they see."""

    def __init__(self, user: User) -> None:
        super().__init__(CLIENT, seen_by(user), reach_of(user).brands)


CLIENT.find, CLIENT.name_lost = _find, _name_lost


def chosen(names: Iterable[str]) -> list[str]:
    """Pick the names of custom fields."""
    return [name for name in names if name.startswith(ADDED)]
