"""A vendor's entities as entries of the vendor's own source: so matches, decisions, holds and trails are the same as of any list.

What is written is what was answered about somebody, never a vendor's whole data. Each time that something of it is new, changed
or gone, the source has a new version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import VersionState
from compliance.models import ListEntry, ListVersion, ScreeningVendor, WatchlistSource
from compliance.sources.base import ENTITY, BrokenFile, LeftOut, ParsedEntry
from compliance.sources.opensanctions import KINDS, entry_of
from compliance.vendors.protocol import Entity
from compliance.watchlists import KnownEntry, known_entries, write_entries
from crm.connections.protocol import ServiceUnknown
from crm.db.locking import lock
from crm.security import audit

# What an entity is listed for where the vendor doesn't say: the worst, until an officer decides.
UNSAID = "sanction"
DATASETS_MAX = 20


def parsed(entity: Entity) -> ParsedEntry:
    """Read a vendor's entity as an entry. Raises: ServiceUnknown for one without a name."""
    properties = {name: list(values) for name, values in entity.properties.items()}
    properties.setdefault("topics", [UNSAID])
    if not properties.get("name"):
        properties["name"] = [entity.caption]
    schema = entity.schema if entity.schema in KINDS else "LegalEntity"
    try:
        entry = entry_of({"id": entity.id, "schema": schema, "properties": properties}, [], {})
        if isinstance(entry, LeftOut):  # of a topic that we don't know
            entry = entry_of(
                {"id": entity.id, "schema": schema, "properties": {**properties, "topics": [UNSAID]}}, [], {}
            )
    except BrokenFile as error:
        raise ServiceUnknown(str(error)[:300]) from error
    if isinstance(entry, LeftOut):
        raise ServiceUnknown(_("An entity without a name: %(id)s") % {"id": entity.id})
    if entity.schema not in KINDS:
        entry.kind = ENTITY
    entry.programs = entry.programs or list(entity.datasets[:DATASETS_MAX])
    return entry


@transaction.atomic
def take_entries(vendor: ScreeningVendor, entities: Iterable[Entity], gone: Sequence[str] = ()) -> ListVersion | None:
    """Write entities as they are now, and mark those that the vendor doesn't list any more; None where nothing is new.

    The caller holds no client's lock: an entry's source is locked after clients nowhere else.
    """
    entries = {entity.id: parsed(entity) for entity in entities}
    source = lock(WatchlistSource, vendor.source_id)
    before = known_entries(ListEntry.objects.filter(source=source, external_id__in=[*entries, *gone]))
    ended = [known.pk for entity_id in gone if (known := before.get(entity_id)) and known.is_listed]
    differing = [entry for entry in entries.values() if _differs(entry, before)]
    if not differing and not ended:
        return None
    now = timezone.now()
    ListVersion.objects.filter(source=source, state=VersionState.CURRENT).update(state=VersionState.SUPERSEDED)
    digest = hashlib.sha256(orjson.dumps(sorted(entry.content_hash() for entry in differing) + sorted(gone)))
    version = ListVersion.objects.create(
        source=source,
        state=VersionState.CURRENT,
        file_name=_("Answer of %(vendor)s") % {"vendor": vendor.name},
        sha256=digest.hexdigest(),
        imported_at=now,
        dated_on=now.date(),
    )
    write_entries(version, differing, before, ended)
    version.entry_count = ListEntry.objects.filter(source=source, is_listed=True).count()
    version.save(update_fields=["entry_count"])
    audit.record(
        actor=None,
        action=ComplianceAction.VENDOR_ENTRIES_TAKEN,
        target=version,
        brand_id=vendor.brand_id,
        after={"source": source.code, "added": version.added, "changed": version.changed, "removed": version.removed},
        evidence={"sha256": version.sha256},
    )
    return version


def _differs(entry: ParsedEntry, before: dict[str, KnownEntry]) -> bool:
    known = before.get(entry.external_id)
    return known is None or not known.is_listed or known.content_hash != entry.content_hash()


@transaction.atomic
def move_entry(vendor: ScreeningVendor, entity_id: str, to: str) -> None:
    """Follow an entity that was merged into another: the same person under another key, with all that was decided."""
    lock(WatchlistSource, vendor.source_id)
    rows = ListEntry.objects.filter(source_id=vendor.source_id)
    if not rows.filter(external_id=to).exists():
        rows.filter(external_id=entity_id).update(external_id=to)
