"""What KYC shows on the homes of sales: the documents that clients still owe."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.queries import clients_visible_to
from clients.tables import name_or_number
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow
from kyc.choices import OPEN_STATES, DocumentState
from kyc.models import Document

ROWS = 6
LOOKED_AT = 60


def documents_owed(user: User) -> ListCard:
    """List the agent's newest unverified clients whose documents are missing or were rejected."""
    mine = clients_visible_to(user).filter(owner=user, stage=Stage.REGISTERED, kyc_level=0)
    clients = list(mine.defer("search_text").order_by("-id")[:LOOKED_AT])
    states: dict[int, set[str]] = {}
    for client_id, state in Document.objects.filter(client__in=clients).values_list("client_id", "state"):
        states.setdefault(client_id, set()).add(state)
    rows: list[ListRow] = []
    for client in clients:
        known = states.get(client.pk, set())
        if len(rows) < ROWS and not known.intersection([*OPEN_STATES, DocumentState.APPROVED]):
            rejected = DocumentState.REJECTED in known
            rows.append(
                ListRow(
                    title=name_or_number(client),
                    url=client.get_absolute_url(),
                    note=_("Registered %(ago)s") % {"ago": formats.ago(client.registered_at)},
                    end=_("Rejected") if rejected else _("Missing"),
                    tone="danger" if rejected else "warning",
                    is_person=True,
                )
            )
    return ListCard(
        title=_("Documents owed by my clients"),
        rows=rows,
        icon="id-card",
        url=f"{reverse('clients')}?owner={user.pk}&stage={Stage.REGISTERED}",
        empty=_("No documents owed"),
        empty_text=_("Registered clients without documents appear here."),
        empty_icon="file-check",
    )
