"""Registering in the client portal: a stranger, or a lead we know, becomes a client with a login.

Nobody is let in before the e-mail is proven: by the link of an invitation, or by a link that we send. The page says the
same whether the address is new, registered already, or that of a lead: nobody learns here who is a client.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.canonical import canonical_email, canonical_phone
from clients.choices import Stage, TimelineKind
from clients.models import Client
from clients.stages import move_stage
from crm.accounts import links, username_for
from crm.accounts.passwords import absolute
from crm.choices import LinkKind, UserKind
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import ClientRegistered, publish
from crm.i18n.localized_text import phrase
from crm.models import Brand, User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.notices.notify import notify
from crm.security import audit
from crm.security.request_context import current
from crm.texts.wording import Wording
from ib.applications import applying
from ib.partner_pages.sharing import PAGE
from ib.tracking import touches
from kyc.levels.reaching import note_proof
from leads import invitations
from leads.attribution import Origin
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from portal import consents, eligibility
from portal.audit_codes import PortalAction
from portal.choices import ConsentKind, PortalNotice
from portal.models import PortalLogin
from portal.texts import CONSENTS

# What a registration fills in where the record has nothing yet: a stranger who types a known e-mail overwrites nothing.
EMAIL_CONFIRMED = "email_confirmed"  # a proof that KYC levels may require
PARTICULARS = ("first_name", "last_name", "phone", "country", "date_of_birth")


@dataclass(frozen=True)
class Application:
    """What the form holds. `email` is ignored with an invitation: its link was sent to one address.

    A `referral_code` that was typed counts before the link that they followed, now or earlier. destination: code of the page where
    they land once they are signed in (`portal.views.destinations`).
    """

    email: str
    password: str
    first_name: str
    last_name: str
    phone: str
    country: str
    date_of_birth: dt.date | None
    language: str
    time_zone: str = ""
    given: Sequence[Wording] = ()
    refused: Sequence[Wording] = ()
    invitation: str = ""
    origin: Origin = field(default_factory=Origin)
    referral_code: str = ""
    user_agent: str = ""
    destination: str = ""


@dataclass(frozen=True)
class Registered:
    """`user` is None when the address has a login already: its owner was notified by e-mail, the page says nothing."""

    user: User | None
    client: Client | None = None
    is_proven: bool = False


@transaction.atomic
def register(*, brand: Brand, application: Application) -> Registered:
    """Create the login, link it to the one record of this person at the brand, and notify the other apps by event.

    Raises: LinkUnusable for a spent invitation; DomainError when residence or age stand against it;
    ValidationError for a weak password.
    """
    if brand.archived_at is not None:
        raise WrongState(_("%(brand)s no longer accepts registrations.") % {"brand": brand}, code="brand_archived")
    obstacles = eligibility.problems(brand, country=application.country, date_of_birth=application.date_of_birth)
    if obstacles:
        raise DomainError(obstacles[0].message)
    invitation = invitations.look_at(application.invitation) if application.invitation else None
    if invitation is not None and invitation.client.brand_id != brand.pk:
        raise WrongState(_("This invitation belongs to another brand."))
    email = invitation.client.email if invitation else application.email.strip().lower()
    client = invitation.client if invitation else _known_client(brand, email)
    user = _new_user(brand, email, application) if client is None or _may_take(client) else None
    if user is None:
        _tell_owner_of_login(brand, email, client)
        return Registered(None)
    if client is None:
        client = _capture(brand, email, application)
    client = _take(client, user, application)
    referral = _referral(client, application)
    proven = invitation is not None
    PortalLogin.objects.create(
        user=user,
        email_verified_at=timezone.now() if proven else None,
        registered_ip=current().ip,
        referral_code=referral.code,
    )
    if invitation is not None:
        invitations.redeem(application.invitation, user_id=user.pk)
    _record(brand, client, user, application, referral)
    if not proven:
        send_confirmation(user=user, destination=application.destination)
    return Registered(user, client, proven)


def _new_user(brand: Brand, email: str, application: Application) -> User | None:
    """Create the login; None when its user name is taken. The password is checked against the details either way."""
    user = User(
        username=username_for(brand=brand, email=email),
        email=email,
        kind=UserKind.CLIENT,
        brand=brand,
        first_name=application.first_name,
        last_name=application.last_name,
        language=application.language,
        time_zone=application.time_zone or brand.time_zone,
    )
    validate_password(application.password, user)
    user.set_password(application.password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        return None
    return user


def _known_client(brand: Brand, email: str) -> Client | None:
    """Find the record with this address, else one with the same mailbox in another spelling."""
    rows = Client.objects.filter(brand=brand)
    return rows.filter(email=email).first() or (
        rows.filter(email_canonical=canonical_email(email)).exclude(email="").order_by("pk").first()
    )


def _may_take(client: Client) -> bool:
    return client.user_id is None and client.stage != Stage.CLOSED


def _capture(brand: Brand, email: str, application: Application) -> Client:
    """Capture a person nobody knows yet as a lead first, so that source, score and agent are as for all others.

    Without the phone: a number that another client has must not make this one that other client.
    """
    origin, referral = application.origin, _came_by(application)
    captured = capture_lead(
        brand=brand,
        capture=Capture(
            channel=Channel.PORTAL,
            first_name=application.first_name,
            last_name=application.last_name,
            email=email,
            country=application.country,
            language=application.language,
            campaign=origin.utm.get("utm_campaign", ""),
            source=origin.utm.get("utm_source", ""),
            medium=origin.utm.get("utm_medium", ""),
            utm=origin.utm,
            click_id=referral.click_id,
            referral_code=referral.code,
            sub_id=referral.sub_id,
            landing_url=origin.page,
            referrer=origin.referrer,
            ip=current().ip,
            user_agent=application.user_agent,
            has_consent=any(text.declared is CONSENTS[ConsentKind.MARKETING] for text in application.given),
        ),
    )
    return captured.client


def _take(client: Client, user: User, application: Application) -> Client:
    """Link record and login; fill what is blank; note what was typed differently."""
    client = lock(Client, client.pk, "brand")
    if not _may_take(client):
        raise WrongState(_("This registration was completed a moment ago. Sign in instead."))
    typed = {name: getattr(application, name) for name in PARTICULARS}
    typed["phone"] = canonical_phone(application.phone, application.country)
    blank = {name: value for name, value in typed.items() if value and not getattr(client, name)}
    other = {name: value for name, value in typed.items() if value and getattr(client, name) not in ("", None, value)}
    for name, value in blank.items():
        setattr(client, name, value)
    client.user = user
    client.language = application.language
    client.registered_at = client.registered_at or timezone.now()
    client.marketing_consent = any(text.declared is CONSENTS[ConsentKind.MARKETING] for text in application.given)
    client.save(update_fields=[*blank, "user", "language", "registered_at", "marketing_consent"])
    if other:
        timeline.add_entry(
            client_id=client.pk,
            kind=TimelineKind.NOTE,
            title=phrase("Registered with different details from those on record"),
            body="\n".join(f"{name}: {value}" for name, value in other.items()),
        )
    return client


class Referral(NamedTuple):
    """The partner's code that somebody came with, the partner's sub-id, and the click's id in the partner's own system."""

    code: str
    sub_id: str
    click_id: str


def _came_by(application: Application) -> Referral:
    """Read it off the code that was typed, else off the visit."""
    origin, typed = application.origin, application.referral_code
    if typed and typed != origin.referral_code.strip().lower():
        return Referral(typed, "", "")
    return Referral(origin.referral_code, origin.sub_id, origin.click_id)


def _referral(client: Client, application: Application) -> Referral:
    """Find it among the person's enquiries too: the browser that registers is often another one."""
    if application.referral_code:
        return _came_by(application)
    touch = touches.credited_touch(client, application.origin)
    return Referral(touch.code, touch.sub_id, touch.click_id) if touch else _came_by(application)


def _record(brand: Brand, client: Client, user: User, application: Application, referral: Referral) -> None:
    consents.record_consents(client=client, actor=user, given=application.given, refused=application.refused)
    move_stage(client_id=client.pk, to=Stage.REGISTERED, actor=user)
    client.refresh_from_db()
    audit.record(
        actor=user,
        action=PortalAction.CLIENT_REGISTERED,
        target=client,
        client_id=client.pk,
        brand_id=brand.pk,
        after={"user": user.pk, "email": user.email},
        evidence={"referral_code": referral.code, "invited": bool(application.invitation)},
    )
    event = ClientRegistered(
        client_id=client.pk,
        brand_id=brand.pk,
        user_id=user.pk,
        referral_code=referral.code,
        sub_id=referral.sub_id,
        click_id=referral.click_id,
    )
    publish(event, actor=user)
    if client.owner_id:
        notify(
            [client.owner_id],
            kind=PortalNotice.REGISTERED,
            title=phrase("%(client)s has registered") % {"client": client},
            url=client.get_absolute_url(),
            dedupe_key=f"portal.registered:{client.pk}",
        )


# ── letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_confirmation(*, user: User, destination: str = "") -> None:
    """Send the link that proves the e-mail: good once and for 48 hours; an older one stops working.

    destination: code of the page where it leads afterwards (`portal.views.destinations`).
    """
    assert user.brand is not None
    _link, token = links.issue(kind=LinkKind.VERIFY_EMAIL, user=user)
    address = absolute(reverse("portal_confirm_email", kwargs={"brand": user.brand.code, "token": token}))
    address += f"?{urlencode({PAGE: destination})}" if destination else ""
    mail.send(
        kind="portal.confirm_email",
        to=Recipient.of(user),
        is_secret=True,
        letter=lambda: Letter(
            subject=_("Confirm your e-mail address"),
            greeting=_("Hello %(name)s,") % {"name": user.first_name},
            paragraphs=(
                _("Welcome to %(brand)s. Please confirm your e-mail address to open your client portal.")
                % {"brand": user.brand.name if user.brand else ""},
            ),
            button=(_("Confirm my e-mail"), address),
            closing=(
                _("The link can be used once and expires after 48 hours."),
                _("If you didn't register, you can ignore this e-mail."),
            ),
        ),
    )


def _tell_owner_of_login(brand: Brand, email: str, client: Client | None) -> None:
    """E-mail the owner of a login that somebody registered with its address; the page doesn't show it."""
    to = client.email if client is not None and client.email else email
    user = User.objects.filter(username=username_for(brand=brand, email=to)).first()
    language = user.language if user else brand.default_language
    if user is None or not user.is_active:
        text: Callable[[Brand, str], Letter] = _closed_letter
        sign_in = f"mailto:{brand.support_email}"
    else:
        text = _known_letter
        sign_in = absolute(reverse("portal_login", kwargs={"brand": brand.code}))
    mail.send(
        kind="portal.registered_already",
        to=Recipient(to, language, brand),
        dedupe_key=f"registered-already:{brand.pk}:{to}:{timezone.now():%Y-%m-%d-%H}",
        letter=lambda: text(brand, sign_in),
    )
    audit.record(
        actor=None,
        action=PortalAction.REGISTRATION_REPEATED,
        target=user or brand,
        brand_id=brand.pk,
        client_id=client.pk if client else None,
    )


def _known_letter(brand: Brand, sign_in: str) -> Letter:
    return Letter(
        subject=_("You already have an account"),
        paragraphs=(
            _("Someone, probably you, just tried to register with this e-mail address.")
            + " "
            + _("You already have an account at %(brand)s. Sign in to use it.") % {"brand": brand.name},
            _("If you've forgotten your password, reset it on the sign-in page."),
        ),
        button=(_("Sign in"), sign_in),
        closing=(
            _("If this wasn't you, you don't need to do anything: your account stays protected by your password."),
        ),
    )


def _closed_letter(brand: Brand, contact: str) -> Letter:
    return Letter(
        subject=_("About your registration"),
        paragraphs=(
            _("Someone, probably you, just tried to register with this e-mail address.")
            + " "
            + _("We can't register this e-mail address automatically. Please contact %(email)s.")
            % {"email": brand.support_email},
        ),
        button=(_("Contact support"), contact),
    )


# ── proving the e-mail ──────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def confirm_email(*, token: str) -> User:
    """Use the link of a confirmation: the e-mail is proven and the login may be used. Raises: LinkProblem."""
    link = links.use(token, kind=LinkKind.VERIFY_EMAIL)
    mark_proven(user=link.user)
    return link.user


@transaction.atomic
def mark_proven(*, user: User) -> None:
    """Record that the mailbox is the person's: by a confirmation link, or by choosing a new password through one."""
    login, _created = PortalLogin.objects.get_or_create(user=user)
    if login.email_verified_at is not None:
        return
    login.email_verified_at = timezone.now()
    login.save(update_fields=["email_verified_at"])
    client = Client.objects.filter(user=user).first()
    audit.record(
        actor=user,
        action=PortalAction.EMAIL_CONFIRMED,
        target=user,
        brand_id=user.brand_id,
        client_id=client.pk if client else None,
    )
    if client is not None:
        timeline.add_entry(
            client_id=client.pk,
            kind=TimelineKind.STAGE,
            title=phrase("E-mail address confirmed"),
            actor=user,
            dedupe_key=f"email-confirmed:{user.pk}",
        )
        note_proof(client_id=client.pk, proof=EMAIL_CONFIRMED)
        applying.link_own_record(client=client)


def has_proven_email(user: User) -> bool:
    """Tell whether the e-mail is proven; logins made by staff or by the demo have no row and count as proven."""
    login = PortalLogin.objects.filter(user=user).only("email_verified_at").first()
    return login is None or login.email_verified_at is not None
