"""Programmes and the drafts of their versions: created, written from YAML, changed by their author, withdrawn from sale."""

from __future__ import annotations

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor, Brand, User
from crm.security import audit, policies
from crm.staff.company import open_brand
from prop.audit_codes import PropAction
from prop.choices import VersionState
from prop.models import Programme, ProgrammePhase, ProgrammeSize, ProgrammeVersion, PublishProposal
from prop.policies import can_write_programmes
from prop.programmes.files import PHASE_FIELDS, ProgrammeFile, read_terms, write_terms
from trading.models import AccountType


@transaction.atomic
def create_programme(*, brand: Brand, name: str, description: str, actor: Actor) -> Programme:
    """Create a programme without a version; nothing is on sale yet. Who: `prop.write_programme` at the brand.

    Raises: NotAllowed, WrongState for an archived brand, DomainError where the name is taken.
    """
    policies.require(can_write_programmes(actor, brand.pk))
    open_brand(brand.pk)
    try:
        with transaction.atomic():
            programme = Programme.objects.create(brand=brand, name=name.strip(), description=description.strip())
    except IntegrityError:
        raise DomainError(_("There's already a programme called “%(name)s”.") % {"name": name}) from None
    audit.record(
        actor=actor,
        action=PropAction.PROGRAMME_CREATED,
        target=programme,
        brand_id=brand.pk,
        after={"name": programme.name},
    )
    return programme


@transaction.atomic
def draft_version(*, programme_id: int, content: bytes, actor: User) -> ProgrammeVersion:
    """Write the next version of a programme from YAML, as a draft.

    Who: `prop.write_programme` at the brand. Raises: NotAllowed, DomainError that names what is wrong.
    """
    programme = lock(Programme, programme_id)
    policies.require(can_write_programmes(actor, programme.brand_id))
    terms, account, funded = read_terms(content, brand_id=programme.brand_id)
    last = programme.versions.aggregate(last=Max("number"))["last"] or 0
    version = ProgrammeVersion(programme=programme, number=last + 1, made_by=actor)
    _write(version, terms, account, funded)
    _record(version, PropAction.VERSION_DRAFTED, actor)
    return version


@transaction.atomic
def change_draft(*, version_id: int, content: bytes, actor: User) -> ProgrammeVersion:
    """Replace everything that a draft says. Who: its author, while nobody is asked to publish it.

    Raises: NotAllowed, WrongState, DomainError that names what is wrong.
    """
    version = locked(version_id)
    policies.require(can_write_programmes(actor, version.programme.brand_id))
    if version.state != VersionState.DRAFT or version.made_by_id != actor.pk:
        raise WrongState(_("Only the author can change a version, and only while it's a draft."))
    if PublishProposal.objects.filter(version=version, state="pending").exists():
        raise WrongState(_("Withdraw the proposal before you change the draft."))
    before = write_terms(version)
    version.sizes.all().delete()
    version.phases.all().delete()
    _write(version, *read_terms(content, brand_id=version.programme.brand_id))
    _record(version, PropAction.VERSION_CHANGED, actor, before=before)
    return version


def locked(version_id: int) -> ProgrammeVersion:
    """Lock a version's programme, then the version. Raises: NotFound."""
    owner = ProgrammeVersion.objects.filter(pk=version_id).values_list("programme_id", flat=True).first()
    programme = lock(Programme, owner or 0, "brand")
    version = lock(ProgrammeVersion, version_id, "account_type", "funded_account_type")
    version.programme = programme
    return version


def _write(version: ProgrammeVersion, terms: ProgrammeFile, account: AccountType, funded: AccountType) -> None:
    version.currency, version.note = terms.currency, terms.note
    version.refunds_fee, version.payout_days = terms.refund_fee, terms.payout_days
    version.payout_minimum = terms.payout_minimum or Decimal(0)
    version.account_type, version.funded_account_type = account, funded
    version.save()
    ProgrammeSize.objects.bulk_create(ProgrammeSize(version=version, **size.model_dump()) for size in terms.sizes)
    ProgrammePhase.objects.bulk_create(
        ProgrammePhase(
            version=version,
            number=number,
            is_funded=number == len(terms.phases),
            scaling_profit=phase.scaling.profit if phase.scaling else None,
            scaling_growth=phase.scaling.growth if phase.scaling else None,
            scaling_split=phase.scaling.split if phase.scaling else None,
            scaling_payouts=(phase.scaling.payouts or 0) if phase.scaling else 0,
            scaling_days=(phase.scaling.days or 0) if phase.scaling else 0,
            **{name: getattr(phase, key) for key, name in PHASE_FIELDS.items()},
        )
        for number, phase in enumerate(terms.phases, start=1)
    )


def _record(version: ProgrammeVersion, action: PropAction, actor: Actor, *, before: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        target=version,
        brand_id=version.programme.brand_id,
        before={"terms": before} if before else None,
        after={"version": version.number, "terms": write_terms(version)},
    )


@transaction.atomic
def retire_version(*, version_id: int, actor: Actor) -> ProgrammeVersion:
    """Take a version off sale; who bought it keeps it. Who: `prop.write_programme` at the brand.

    Raises: NotAllowed, WrongState where it isn't on sale.
    """
    version = locked(version_id)
    policies.require(can_write_programmes(actor, version.programme.brand_id))
    end_sale(version)
    audit.record(actor=actor, action=PropAction.VERSION_RETIRED, target=version, brand_id=version.programme.brand_id)
    return version


def end_sale(version: ProgrammeVersion) -> None:
    """End the sale of a locked version. Raises: WrongState."""
    version.move_to(VersionState.RETIRED)
    version.ends_at = timezone.now()
    version.save(update_fields=["state", "ends_at"])
