"""Clients who are here already, beside their rows in a file: how they differ, and changing many of them as the uploader chose.

What a document has proved is never changed by an import: KYC corrects it on the record. An empty cell changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from clients import policies
from clients.audit_codes import ClientsAction
from clients.choices import Stage, TimelineKind
from clients.countries import country_name
from clients.identifiers import learn_many
from clients.identifiers.sources import now_of
from clients.import_kinds.custom_columns import PREFIX, CustomColumns
from clients.models import Client, TimelineEntry
from clients.timeline import entry_texts
from crm.db.bulk import copy_models
from crm.db.locking import lock_all
from crm.events import ClientProfileChanged, publish_many
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.imports import Difference, Field
from crm.models import DataImport, ImportRow
from crm.security import audit

COMPARED: Final = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "country",
    "language",
    "date_of_birth",
    "nationality",
    "address_line",
    "city",
    "postal_code",
    "marketing_consent",
)
NAMES: Final = ("first_name", "last_name")


class Comparison:
    """Some rows of an import beside the clients whom they name, read in a bounded number of queries; with locks to change them."""

    def __init__(
        self,
        batch: DataImport,
        fields: Sequence[Field],
        custom: CustomColumns,
        rows: Sequence[ImportRow],
        *,
        locks: bool = False,
    ) -> None:
        self.batch, self.custom, self.owner = batch, custom, batch.owner
        self.labels = {entry.name: str(entry.label) for entry in fields}
        ids = {row.object_id for row in rows if row.object_id}
        clients = Client.objects.filter(brand_id=batch.brand_id)
        found = lock_all(clients, pks=ids) if locks else clients.filter(pk__in=ids)
        self.clients = {client.pk: client for client in found}
        self.stored = custom.stored(self.clients.keys())
        addresses = {row.values["email"] for row in rows if row.values.get("email")}
        self.email_owners = dict(clients.filter(email__in=addresses).values_list("email", "pk"))

    def of(self, row: ImportRow) -> list[Difference]:
        """List how a row's client differs from it."""
        client = self.clients.get(row.object_id or 0)
        if client is None:
            return []
        plain = [
            self._difference(client, name, row.values[name])
            for name in COMPARED
            if row.values.get(name) not in (None, "") and not _is_same(client, name, row.values)
        ]
        return [*plain, *self.custom.differences(client, row.values, self.stored)]

    def _difference(self, client: Client, name: str, value: Any) -> Difference:
        before, after = getattr(client, name), value
        if name in policies.CONTACT and not policies.sees_contacts(self.owner):
            hide = formats.mask_email if name == "email" else formats.mask_phone
            before = hide(before) if before else ""
        label = self.labels.get(name) or str(Client._meta.get_field(name).verbose_name).capitalize()  # type: ignore[union-attr]
        return Difference(name, label, _text(name, before), _text(name, after), self._kept(client, name, value))

    def _kept(self, client: Client, name: str, value: Any) -> str:
        """Say why an import doesn't change a value; "" where it may."""
        if client.stage == Stage.CLOSED:
            return _("the account is closed")
        if name in policies.PROVED and client.kyc_level:
            return _("proved by a document: KYC corrects it")
        if name in policies.CONTACT and getattr(client, name) and not policies.sees_contacts(self.owner):
            return _("your role can't change contact details")
        if name == "email" and self.email_owners.get(value, client.pk) != client.pk:
            return _("another client has this e-mail address")
        if name == "marketing_consent" and value:
            return _("only the client gives consent")
        return ""


def _is_same(client: Client, name: str, values: Mapping[str, Any]) -> bool:
    if name in NAMES:  # capitals are a matter of taste; a full name was split where the file has one column
        given = " ".join(filter(None, (values.get(part, "") for part in NAMES))).lower()
        has_both = all(values.get(part) for part in NAMES)
        return (has_both and given == client.full_name.lower()) or values[name].lower() == getattr(client, name).lower()
    have = getattr(client, name)
    return bool((have.isoformat() if isinstance(have, dt.date) else have) == values[name])


def _text(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name in ("country", "nationality"):
        return country_name(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def update_clients(comparison: Comparison, rows: Iterable[ImportRow], *, fills_only: bool) -> dict[int, set[str]]:
    """Change locked clients as their rows say, with history, audit, timeline, identifiers and event; by row what was changed.

    Two rows of one client count in the order of the file.
    """
    written: dict[int, set[str]] = {}
    before: dict[int, dict[str, Any]] = {}
    after: dict[int, dict[str, Any]] = {}
    for row in rows:
        for difference in comparison.of(row):
            if difference.kept or (fills_only and difference.before):
                continue
            name, client = difference.field, comparison.clients[row.object_id or 0]
            value = row.values[name]
            if name.startswith(PREFIX):
                field = comparison.custom.fields[name]
                old = comparison.stored.get((client.pk, field.pk))
            else:
                old = getattr(client, name)
                setattr(client, name, dt.date.fromisoformat(value) if name == "date_of_birth" else value)
            before.setdefault(client.pk, {}).setdefault(name, old)
            after.setdefault(client.pk, {})[name] = value
            written.setdefault(row.pk, set()).add(name)
    if after:
        _save(comparison, before, after)
    return written


def _save(comparison: Comparison, before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]]) -> None:
    batch = comparison.batch
    plain = {pk: [name for name in names if not name.startswith(PREFIX)] for pk, names in after.items()}
    clients = [comparison.clients[pk] for pk, names in plain.items() if names]
    fields = sorted({name for names in plain.values() for name in names})
    if clients:
        bulk_update_with_history(clients, Client, fields, batch_size=500, default_user=batch.owner)
    custom = {
        pk: {name: value for name, value in values.items() if name.startswith(PREFIX)} for pk, values in after.items()
    }
    comparison.custom.replace({pk: values for pk, values in custom.items() if values})
    _record(comparison, plain, before, after, ClientsAction.PROFILE_CHANGED)
    _record(comparison, custom, before, after, ClientsAction.CUSTOM_VALUES_CHANGED)
    _add_entries(comparison, after)
    learn_many(seen for client in clients if policies.CONTACT.intersection(plain[client.pk]) for seen in now_of(client))
    publish_many(
        (
            ClientProfileChanged(client_id=client.pk, brand_id=batch.brand_id, fields=tuple(sorted(plain[client.pk])))
            for client in clients
        ),
        actor=batch.owner,
    )


def _record(
    comparison: Comparison,
    names: Mapping[int, Iterable[str]],
    before: Mapping[int, Mapping[str, Any]],
    after: Mapping[int, Mapping[str, Any]],
    action: ClientsAction,
) -> None:
    batch = comparison.batch
    audit.record_many(
        {
            "actor": batch.owner,
            "action": action,
            "target": comparison.clients[pk],
            "client_id": pk,
            "brand_id": batch.brand_id,
            "before": {name.removeprefix(PREFIX): before[pk][name] for name in chosen},
            "after": {name.removeprefix(PREFIX): after[pk][name] for name in chosen},
            "evidence": {"import": batch.pk},
        }
        for pk, chosen in names.items()
        if chosen
    )


def _add_entries(comparison: Comparison, after: Mapping[int, Mapping[str, Any]]) -> None:
    batch, now, actor = comparison.batch, timezone.now(), comparison.owner
    title = phrase("Updated by an import from %(system)s") % {"system": batch.system}
    copy_models(
        [
            TimelineEntry(
                client_id=pk,
                kind=TimelineKind.NOTE,
                actor_id=actor.pk if actor else None,
                at=now,
                dedupe_key=f"data-import-update:{batch.pk}:{now.isoformat()}",
                **entry_texts(
                    title=title,
                    body=", ".join(comparison.labels.get(name, name) for name in values),
                    data={"import": batch.pk},
                ),
            )
            for pk, values in after.items()
        ]
    )
