"""E-mails that could not be sent: what for, how often tried, and what the mail server answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.choices import MailState
from crm.models import OutgoingMail
from crm.security.scope import reach_of
from crm.ui.tables import AgoColumn, Column, Empty, NumberColumn, Table

PERMISSION = "crm.manage_events"


class FailedMailTable(Table):
    """The address itself stays out: whoever keeps the mail running needs no client's contact."""

    name = "crm.failed_mail"
    title = _("Failed e-mails")
    subtitle = _("E-mails that the mail server refused or couldn't be reached for, after all attempts.")
    permission = PERMISSION
    is_searchable = False
    columns: ClassVar[Sequence[Column]] = (
        Column("subject", _("Subject")),
        Column("kind", _("Kind"), css="mono"),
        Column("domain", _("Recipient's server"), value=lambda row: row.to.rpartition("@")[2]),
        Column("brand", _("Brand"), value="brand.name"),
        NumberColumn("attempts", _("Attempts")),
        Column("error", _("Error"), css="clip"),
        AgoColumn("finished_at", _("Failed")),
    )
    empty = Empty(
        _("No failed e-mails"), _("An e-mail appears here when its last attempt has failed."), icon="circle-check"
    )

    def queryset(self) -> QuerySet[OutgoingMail]:
        rows = OutgoingMail.objects.filter(state=MailState.FAILED).select_related("brand")
        if self.user.is_superuser:
            return rows
        return rows.filter(Q(brand_id__in=reach_of(self.user).whole_brands) | Q(brand_id__isnull=True))

    def row_url(self, row: OutgoingMail) -> str:
        return ""
