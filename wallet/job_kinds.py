"""Work of the wallet that a person starts and waits on."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client
from clients.queries import clients_visible_to
from crm.errors import NotAllowed
from crm.jobs import RunningJob, job_kind
from wallet.statements import gather, make_pdf


@job_kind("wallet.statement", title=gettext_noop("Statement of account"))
def statement(job: RunningJob) -> None:
    """The owner may have lost the client since: what they see now counts."""
    client = clients_visible_to(job.owner).select_related("brand").filter(pk=job.parameters["client_id"]).first()
    if client is None:
        raise NotAllowed(_("You don't reach this client."))
    first, last = (dt.date.fromisoformat(job.parameters[name]) for name in ("first", "last"))
    job.progress(0, 3, _("Reading the movements"))
    figures = gather(client, first, last)
    pdf = make_pdf(figures, language=job.parameters["language"], progress=job.progress)
    job.attach(f"statement-{_file_part(client)}-{first}-{last}.pdf", pdf)


def _file_part(client: Client) -> str:
    return f"{client.brand.code}-{client.pk}"
