"""What of the leads app follows when two records are merged: every capture with its attribution."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.merging.attachments import all_stay, follows
from leads.assignment import FIRST_CONTACT

follows("leads.Lead.client", _("Leads"))
follows("leads.RegistrationInvitation.client", _("Registration links"))
follows("crm.DueRow.client_id", only=Q(kind=FIRST_CONTACT, state="pending"), part="leads")
all_stay(
    [
        "leads.AutomationRun.client",  # ends: the kept record has its own
        "leads.PossibleDuplicate.first",
        "leads.PossibleDuplicate.second",
        "leads.LeadFacts.client",
        "leads.LeadImportRow.client_id",
        "leads.SalesStatusChange.client",
    ]
)
