"""A verified person applied to become a partner as a company: the company gets an account of its own, theirs stays as it is."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clients.models import Client
from crm.errors import WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import User
from crm.security import policies
from crm.security.policies import YES, no
from ib.models import Partner
from ib.partners import awaits_company, link_wallet
from kyc.corporate.companies import CompanyDetails, register_company
from portal.registration import Application, Registered, register


def application_of(client: Client) -> Partner | None:
    """Find what a client applied for: as themselves, or for a company that they are a person of."""
    own = Q(client__company__people__person=client, client__company__people__left_at=None)
    return Partner.objects.select_related("client").filter(Q(client=client) | own).order_by("-pk").first()


def needs_company_account(partner: Partner | None, client: Client) -> bool:
    """Whether an application waits for a company, and the applicant's own record has proved too much to become one."""
    if partner is None or partner.client_id != client.pk or not awaits_company(partner):
        return False
    return client.kyc_level > 0 or client.documents.exists()


@transaction.atomic
def open_company_account(
    *, client: Client, details: CompanyDetails, application: Application, actor: User
) -> Registered:
    """Open the account of an applicant's company: it signs in with an e-mail address of its own and sends its own documents.

    The applicant's own record is linked to it as director and signatory with what it has proved, and the partner will be paid to
    the company. Who: the applicant, for themselves. As `register`, an address that has a login already changes nothing.
    Raises: NotAllowed; WrongState without such an application; else as `register` and `register_company`.
    """
    policies.require(YES if client.user_id == actor.pk else no(_("This isn't your account.")))
    partner = application_of(client)
    if partner is None or not needs_company_account(partner, client):
        raise WrongState(_("You have no application that waits for a company."))
    registered = register(brand=client.brand, application=application)
    if registered.client is None:
        return registered
    company = registered.client.pk
    register_company(client_id=company, details=details, actor=registered.user, contact=client)
    reason = localize(phrase("Registered by the applicant"))
    link_wallet(partner_id=partner.pk, client_id=company, actor=None, reason=reason)
    return registered
