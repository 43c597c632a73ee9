"""Applying to become a partner: on the website, from the client portal, or through a partner's link."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.accounts.passwords import absolute
from crm.errors import DomainError
from crm.i18n.localized_text import label_of, localize, phrase
from crm.models import Brand, User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import YES, no
from crm.security.request_context import current
from crm.staff.company import open_brand
from crm.texts.wording import Wording, store
from ib import partners
from ib.applications.agreement import agreement_for
from ib.audit_codes import IbAction
from ib.brand_policies import APPLICATIONS_OPEN
from ib.choices import ApplicantKind, ApplicationSource, IbNotice, PartnerState
from ib.models import Partner, PartnerApplication, ReferralLink, SubPartnerOffer
from ib.partners import PartnerDetails


@dataclass(frozen=True)
class Answers:
    """What an applicant answers: codes of `ib.choices`; country as ISO code; channels: how they will refer clients."""

    kind: str
    country: str
    channels: str
    clients_per_month: str
    website: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Accepted:
    """The agreement as the applicant read it: its language, and the hash of the very words."""

    language: str
    sha256: str


def link_of_inviter(code: str) -> ReferralLink | None:
    """Find the active link of an active partner; nobody is invited by any other."""
    return (
        ReferralLink.objects.select_related("partner__brand", "partner__manager")
        .filter(code=code.lower(), is_active=True, partner__state=PartnerState.ACTIVE)
        .first()
    )


def invite_url(partner: Partner, request: HttpRequest) -> str:
    """Build the address for a partner's sub-partners; empty for a partner who can't invite."""
    link = partner.referral_links.filter(is_active=True).order_by("pk").first()
    if link is None or partner.state != PartnerState.ACTIVE:
        return ""
    return request.build_absolute_uri(reverse("partner_join", kwargs={"code": link.code}))


@transaction.atomic
def apply(
    *, brand: Brand, details: PartnerDetails, answers: Answers, accepted: Accepted, offer: SubPartnerOffer | None = None
) -> Partner | None:
    """Take a stranger's application at a brand, or below the partner of `details` who invited them, on the plan they offered.

    Who: anybody. They earn nothing and can't sign in before two people approve. None where nothing was kept: the address has
    a partner's login already, which a stranger doesn't learn. Raises: DomainError where the agreement changed or the brand
    takes no applications.
    """
    open_brand(brand.pk)
    is_invited = details.parent_id is not None
    if not is_invited and not APPLICATIONS_OPEN.of(brand):
        raise DomainError(_("We aren't taking partner applications at the moment."))
    wording = _accepted(brand, accepted)
    source = ApplicationSource.INVITATION if is_invited else ApplicationSource.WEBSITE
    try:
        with transaction.atomic():
            return _keep(brand, replace(details, language=accepted.language), answers, wording, source, offer)
    except DomainError:
        return None


@transaction.atomic
def apply_as_client(*, client: Client, actor: User, currency: str, answers: Answers, accepted: Accepted) -> Partner:
    """Take a client's application from their portal: their own record is known, and its documents are those that count.

    Who: the client, for themselves. Raises: NotAllowed; DomainError where they applied already, the agreement changed or the
    brand takes no applications.
    """
    policies.require(YES if client.user_id == actor.pk else no(_("This isn't your account.")))
    brand = open_brand(client.brand_id)
    if not APPLICATIONS_OPEN.of(brand):
        raise DomainError(_("We aren't taking partner applications at the moment."))
    wording = _accepted(brand, accepted)
    details = PartnerDetails(
        name=client.full_name, email=client.email, currency=currency, client=client, language=accepted.language
    )
    return _keep(brand, details, answers, wording, ApplicationSource.PORTAL)


def _accepted(brand: Brand, accepted: Accepted) -> Wording:
    wording = agreement_for(brand, accepted.language)
    if wording.sha256 != accepted.sha256:
        raise DomainError(_("The agreement has changed since you opened this page. Read it again."), code="agreement")
    return wording


def _keep(
    brand: Brand,
    details: PartnerDetails,
    answers: Answers,
    wording: Wording,
    source: ApplicationSource,
    offer: SubPartnerOffer | None = None,
) -> Partner:
    partner = partners.register_applicant(brand=brand, details=details)
    application = PartnerApplication.objects.create(
        partner=partner,
        source=source,
        kind=answers.kind,
        country=answers.country,
        website=answers.website,
        channels=answers.channels,
        clients_per_month=answers.clients_per_month,
        licence=answers.licence,
        offer=offer,
        wording=store(wording),
        ip=current().ip,
        submitted_at=timezone.now(),
    )
    audit.record(
        actor=None,
        action=IbAction.AGREEMENT_ACCEPTED,
        target=partner,
        brand_id=brand.pk,
        client_id=partner.client_id,
        after={"sha256": wording.sha256, "version": wording.version.number if wording.version else None},
    )
    _confirm_receipt(partner, application)
    _notify_managers(partner, application)
    return partner


def _confirm_receipt(partner: Partner, application: PartnerApplication) -> None:
    brand, has_record = partner.brand, partner.client_id is not None
    is_company = application.kind == ApplicantKind.COMPANY
    address = reverse("portal_register_at", kwargs={"brand": brand.code})
    if has_record:
        address = reverse("portal_partner" if is_company else "portal_documents")
    mail.send(
        kind="ib.application_received",
        to=Recipient(partner.user.email, partner.user.language, brand),
        dedupe_key=f"ib.application:{partner.pk}",
        letter=lambda: Letter(
            subject=_("We received your partner application"),
            greeting=_("Hello %(name)s,") % {"name": partner.name},
            paragraphs=(
                _("Thank you for applying to become a partner of %(brand)s. We'll review your application.")
                % {"brand": brand},
                _(
                    "So that we can verify the company and pay it, register it in the client portal and upload its documents. "
                    "If you are verified already, you stay so."
                )
                if has_record and is_company
                else _("So that we can verify you, upload your documents in the client portal.")
                if has_record
                else _(
                    "So that we can verify the company and pay it, open a client account with this e-mail address, register "
                    "the company there, and upload its documents."
                )
                if is_company
                else _(
                    "So that we can verify you and pay you, open a client account with this e-mail address and "
                    "upload your documents there."
                ),
            ),
            button=(
                _("Register a company")
                if has_record and is_company
                else _("Upload documents")
                if has_record
                else _("Open an account"),
                absolute(address),
            ),
        ),
    )


def _notify_managers(partner: Partner, application: PartnerApplication) -> None:
    notify(
        people_with("ib.manage_partners", brand_id=partner.brand_id),
        kind=IbNotice.PARTNER_APPLIED,
        title=phrase("Partner application: %(name)s") % {"name": partner.name},
        body=label_of(application, "source"),
        url=partner.get_absolute_url(),
        dedupe_key=f"ib.partner_applied:{partner.pk}",
    )


@transaction.atomic
def link_own_record(*, client: Client) -> Partner | None:
    """Link a client who proved an applicant's e-mail address to the application, as the partner's own record.

    Who: the system, once the client proved that the mailbox is theirs. None where nobody with that address awaits approval
    at the brand.
    """
    waiting = Partner.objects.filter(
        brand_id=client.brand_id, state=PartnerState.PENDING, client=None, user__email__iexact=client.email
    ).first()
    if waiting is None or Partner.objects.filter(client=client).exists():
        return None
    return partners.link_wallet(
        partner_id=waiting.pk, client_id=client.pk, actor=None, reason=localize(phrase("Same proven e-mail address"))
    )
