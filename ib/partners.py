"""Becoming, being and no longer being a partner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, remove_perm

from clients.choices import ClientKind
from clients.models import Client
from clients.queries import reaches
from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note
from crm.accounts import partner_username
from crm.choices import UserKind
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import Event, PartnerApproved, PartnerBlocked, PartnerClosed, PartnerCreated, PartnerUnblocked, publish
from crm.models import Actor, Brand, User
from crm.security import audit, policies
from ib import links, tree
from ib.audit_codes import IbAction
from ib.choices import ApplicantKind, PartnerState
from ib.codes import new_code
from ib.models import Partner, PartnerApplication, PartnerSpell
from ib.policies import can_manage_partners
from ib.queries import partners_visible_to
from ib.screening import partner_names


@dataclass(frozen=True)
class PartnerDetails:
    """Who becomes a partner: name and sign-in, the currency that they are paid in, and their place in the tree.

    client: their own client record, whose wallet gets the payouts. manager: who looks after them among the staff.
    """

    name: str
    email: str
    currency: str
    code: str = ""
    parent_id: int | None = None
    client: Client | None = None
    manager: User | None = None
    language: str = ""


@transaction.atomic
def register_partner(*, brand: Brand, details: PartnerDetails, actor: Actor, at: dt.datetime | None = None) -> Partner:
    """Make somebody a partner, active at once, with a sign-in (no password yet) and a first referral link.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed; DomainError where the e-mail or the code is taken, or the
    client is another brand's or a partner already.
    """
    policies.require(can_manage_partners(actor, brand.pk))
    return _create(brand, details, actor=actor, now=at or timezone.now(), state=PartnerState.ACTIVE)


@transaction.atomic
def register_applicant(*, brand: Brand, details: PartnerDetails) -> Partner:
    """Make somebody who applied a partner that awaits approval: without a spell, so that no trade earns them anything.

    Who: the system, for a stranger's application. Raises: DomainError where the e-mail is taken.
    """
    return _create(brand, details, actor=None, now=timezone.now(), state=PartnerState.PENDING)


def _create(brand: Brand, details: PartnerDetails, *, actor: Actor, now: dt.datetime, state: PartnerState) -> Partner:
    client = details.client
    if client is not None and client.brand_id != brand.pk:
        raise DomainError(_("This client belongs to another brand."))
    user = create_login(brand, name=details.name, email=details.email, language=details.language)
    try:
        with transaction.atomic():
            partner = Partner.objects.create(
                brand=brand,
                user=user,
                client=client,
                code=details.code or new_code(),
                name=details.name,
                currency=details.currency,
                state=state,
                manager=details.manager,
                joined_at=now,
            )
    except IntegrityError as error:
        if "partner_code_is_unique" in str(error):
            raise DomainError(_("The code %(code)s is already taken. Choose another one.") % {"code": details.code})
        raise DomainError(_("This client is already a partner."))
    if state == PartnerState.ACTIVE:
        PartnerSpell.objects.create(partner=partner, starts_at=now)
    tree.lock_tree()
    tree.rebuild_upline([partner.pk])
    audit.record(
        actor=actor,
        action=IbAction.PARTNER_REGISTERED if state == PartnerState.ACTIVE else IbAction.PARTNER_APPLIED,
        target=partner,
        brand_id=brand.pk,
        after={"code": partner.code, "currency": partner.currency, "client": client.pk if client else None},
    )
    _publish(partner, PartnerCreated, actor, state=str(state))
    if details.parent_id is not None:
        tree.move_partner(partner_id=partner.pk, parent_id=details.parent_id, actor=actor, reason="", at=now)
    links.create_link(partner_id=partner.pk, campaign="", actor=None, code=partner.code)
    return partner


def create_login(brand: Brand, *, name: str, email: str, language: str = "") -> User:
    """Make a login for the partner pages, without a password yet. Raises: DomainError where the address has one."""
    email = email.strip().lower()
    try:
        with transaction.atomic():
            user = User(
                username=partner_username(brand=brand, email=email),
                email=email,
                kind=UserKind.PARTNER,
                brand=brand,
                first_name=name.strip()[:150],
                language=language or brand.default_language,
                time_zone=brand.time_zone,
            )
            user.set_unusable_password()
            user.save()
    except IntegrityError:
        raise DomainError(_("There's already a login with the address %(email)s. Use another one.") % {"email": email})
    return user


@transaction.atomic
def change_state(*, partner_id: int, to: PartnerState, actor: Actor, reason: str) -> Partner:
    """Block, unblock or close a partner, or reject an application. From now on trades of their network earn them nothing, or again.

    Who: `ib.manage_partners` at the brand. Raises: WrongState, also for an applicant, whom two people approve, and for a
    partner without a client record who may be on a list.
    """
    partner = lock(Partner, partner_id)
    policies.require(can_manage_partners(actor, partner.brand_id))
    if partner.state == PartnerState.PENDING and to == PartnerState.ACTIVE:
        raise WrongState(_("Two people approve an application. Propose the approval with a plan."))
    return set_state(partner, to, actor=actor, reason=reason)


def set_state(partner: Partner, to: PartnerState, *, actor: Actor, reason: str) -> Partner:
    """Move a locked partner to a state, which is when their trades begin or cease to earn. Raises: WrongState."""
    now = timezone.now()
    before = partner.state
    partner.move_to(to)
    if to == PartnerState.ACTIVE:
        partner_names.require_no_match(partner)
    partner.save(update_fields=["state"])
    spell = PartnerSpell.objects.filter(partner=partner, ends_at__isnull=True).first()
    if spell is not None and to != PartnerState.ACTIVE:
        spell.ends_at = now
        spell.save(update_fields=["ends_at"])
    elif spell is None and to == PartnerState.ACTIVE:
        PartnerSpell.objects.create(partner=partner, starts_at=now)
    audit.record(
        actor=actor,
        action=IbAction.PARTNER_STATE_CHANGED,
        target=partner,
        brand_id=partner.brand_id,
        before={"state": before},
        after={"state": str(to)},
        reason=reason,
    )
    if to == PartnerState.ACTIVE:
        _publish(partner, PartnerApproved if before == PartnerState.PENDING else PartnerUnblocked, actor)
    else:
        _publish(partner, PartnerBlocked if to == PartnerState.BLOCKED else PartnerClosed, actor, reason=reason)
    return partner


def _publish(partner: Partner, event_type: Callable[..., Event], actor: Actor, **data: str) -> None:
    publish(
        event_type(partner_id=partner.pk, client_id=partner.client_id, brand_id=partner.brand_id, **data), actor=actor
    )


def awaits_company(partner: Partner) -> bool:
    """Whether an undecided applicant applied as a company while their own record is still a person's."""
    return (
        partner.state == PartnerState.PENDING
        and partner.client is not None
        and partner.client.kind != ClientKind.COMPANY
        and PartnerApplication.objects.filter(partner=partner, kind=ApplicantKind.COMPANY).exists()
    )


@transaction.atomic
def link_wallet(*, partner_id: int, client_id: int, actor: Actor, reason: str) -> Partner:
    """Link a partner's own client record: its wallet gets the payouts, and its trading earns the partner nothing.

    Once linked it stays: payouts never change hands. Only who applied as a company may still put the company's record in the place
    of a person's. Who: `ib.manage_partners` at the brand, and the client in reach. Raises: NotAllowed, WrongState, DomainError.
    """
    partner = lock(Partner, partner_id, "client")
    policies.require(can_manage_partners(actor, partner.brand_id))
    before = partner.client_id
    if before is not None and not awaits_company(partner):
        raise WrongState(_("This partner already has a wallet."))
    client = Client.objects.filter(pk=client_id, brand_id=partner.brand_id).first()
    if client is None or (actor is not None and not reaches(actor, client)):
        raise DomainError(_("No client with this number at the partner's brand."))
    if Partner.objects.filter(client=client).exists():
        raise DomainError(_("This client is already a partner."))
    if before is not None and client.kind != ClientKind.COMPANY:
        raise DomainError(_("They applied as a company. Enter the number of the company’s client record."))
    partner.client = client
    partner.save(update_fields=["client"])
    audit.record(
        actor=actor,
        action=IbAction.WALLET_LINKED,
        target=partner,
        brand_id=partner.brand_id,
        client_id=client.pk,
        before={"client": before} if before else {},
        after={"client": client.pk},
        reason=reason,
    )
    if partner.name != client.full_name:
        note(client_id=client.pk, role=PartyRole.PARTNER, named=Named(name=partner.name, subject=partner.code))
    return partner


@transaction.atomic
def grant_partner(*, user: User, partner_id: int, actor: Actor, take_away: bool = False) -> None:
    """Let a member of staff see one partner and the network below, or no longer.

    Who: `crm.manage_staff`, and nobody grants what they don't see themselves.
    """
    policies.require_permission(actor, "crm.manage_staff")
    partner = Partner.objects.get(pk=partner_id)
    if actor is not None and not partners_visible_to(actor).filter(pk=partner.pk).exists():
        raise NotAllowed(_("You can only grant access to what you can access yourself."))
    (remove_perm if take_away else assign_perm)("ib.access_partner", user, partner)
    user.__dict__.pop("_keelson_granted_partners", None)
    audit.record(
        actor=actor,
        action=IbAction.ACCESS_TAKEN if take_away else IbAction.ACCESS_GRANTED,
        target=user,
        brand_id=partner.brand_id,
        after={"access_partner": partner.pk, "name": str(partner)},
    )
