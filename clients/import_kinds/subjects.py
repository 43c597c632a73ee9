"""Whom a record of another system is about: a client by that system's number, or by e-mail address."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_email
from crm.imports import OPEN_ROWS, Field, Span, Staged

CLIENT_FIELD = Field(
    "client",
    gettext_lazy("Client"),
    names="clientid customerid accountid contactid userid traderid clientemail email relatedto parentid whoid kundennummer",
    longest=254,
    is_required=True,
    help=gettext_lazy("Number in the other system, or e-mail address"),
)
# Leads are clients' records, too: what is about a lead finds it by the lead's number.
BY_NUMBER = f"""
UPDATE crm_importrow r SET subject_id = x.object_id FROM crm_externalreference x
WHERE {OPEN_ROWS} AND x.brand_id = %(brand)s AND x.system = %(system)s AND x.kind = ANY(%(kinds)s)
  AND x.external_id = r.values ->> 'client'
"""  # noqa: S608 - a constant
BY_MAILBOX = f"""
UPDATE crm_importrow r SET subject_id = m.client_id FROM (
  SELECT DISTINCT ON (r.id) r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id FROM crm_importrow r
  JOIN clients_client c ON c.brand_id = %(brand)s AND c.email_canonical = r.values ->> 'mailbox' AND c.email <> ''
  WHERE {OPEN_ROWS} AND r.subject_id IS NULL ORDER BY r.id, (c.stage = 'closed'), c.id
) m WHERE m.row_id = r.id
"""  # noqa: S608 - a constant


def settle_client(row: Staged) -> None:
    """Note the mailbox where the client is named by e-mail address."""
    if "@" in row.values.get("client", ""):
        row.values["mailbox"] = canonical_email(row.values["client"])


def find_clients(span: Span, kinds: tuple[str, ...] = ("clients", "leads")) -> None:
    """Find the client of each open row; refuse rows whose client isn't here."""
    span.run(BY_NUMBER, kinds=list(kinds))
    span.run(BY_MAILBOX)
    span.refuse(
        "r.subject_id IS NULL", "client", _("No client with this number or e-mail address. Import clients first.")
    )
