"""Who is written to about a client: a company's people have no login, so their company is."""

from __future__ import annotations

from clients.choices import Stage
from clients.models import Client
from crm.i18n.localized_text import LocalizedText, joined
from kyc.models import Company, Document


def recipient_of(client: Client) -> Client:
    """Return the client who is notified: the company of a related person, else the client themselves."""
    if client.stage != Stage.RELATED:
        return client
    companies = Company.objects.filter(people__person=client, people__left_at=None)
    company = companies.select_related("client__brand").order_by("created_at").first()
    return company.client if company else client


def title_for(document: Document) -> LocalizedText:
    """Name a document to its recipient: with whose it is where that is one of their people."""
    person = document.client
    return joined([document.title_words, str(person)]) if person.stage == Stage.RELATED else document.title_words
