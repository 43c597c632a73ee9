"""A resource of the API is declared, not written: the rows that its reader may see, and its fields.

    CLIENTS = Resource(
        "clients", "client", scope="clients:read", permission="clients.view_client", rows=clients_visible_to,
        fields=(integer("id"), text("stage"), time("created_at")), filters=("stage",), client="id",
    )
    register(router, CLIENTS)

gives GET /api/v1/clients and /api/v1/clients/{id} with keyset cursors, `fields`, `expand`, filters, ETag, the access log
and their part of the OpenAPI file. A list takes the same few queries however many rows it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet

from crm.api.fields import Field
from crm.conditions import Vocabulary
from crm.models import User

RESOURCES: Final[dict[str, Resource]] = {}


@dataclass(frozen=True)
class Resource:
    """`rows(user)`: what this user may see, as on the pages. permission: the right that the pages ask for; "" where only
    partners read it, as far as `partner_may` says for their role in the team.

    client: the path of a row's client id, for the access log; "" where a row isn't about one. order: the columns of the
    keyset, unique together; the first `-` says newest first. expand: a relation's path and the resource behind it.
    filters: names of fields that may be asked for by value, and times or amounts by range. tracks_changes: the table has
    `changed_in` (crm.db.change_numbers), and the list takes `updated_since`. vocabulary: what conditions in `where` may speak of.
    """

    name: str
    noun: str
    scope: str
    permission: str
    rows: Callable[[User], QuerySet[Any]]
    fields: tuple[Field, ...]
    summary: str = ""
    client: str = ""
    brand: str = ""
    filters: tuple[str, ...] = ()
    expand: Mapping[str, Resource] = field(default_factory=dict)
    order: tuple[str, ...] = ("-id",)
    partner_may: Callable[[User], bool] | None = None
    tracks_changes: bool = False
    vocabulary: Callable[[User], Vocabulary] | None = None

    @property
    def by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}
