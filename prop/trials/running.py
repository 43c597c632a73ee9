"""Trying a version on challenges of the last days: a job, whose result is kept beside it. Challenges stay as they are."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.files.jobs import start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import Decision, on_whole_brand, require
from prop.audit_codes import PropAction
from prop.models import Challenge, Programme, ProgrammeTrial, ProgrammeVersion
from prop.policies import can_write_programmes
from prop.programmes.files import write_terms
from prop.trials.challenges import try_challenge
from prop.trials.figures import Figures
from prop.trials.reasons import NotTried, Reason

JOB: Final = "prop.trial"
DAYS_MAX: Final = 365
CHALLENGES_MAX: Final = 1_000  # the newest ones
SAMPLES_MAX: Final = 10_000_000


def can_try(user: Actor, version: ProgrammeVersion) -> Decision:
    """Allow who may write the brand's programmes, and who may publish them."""
    brand_id = version.programme.brand_id
    return can_write_programmes(user, brand_id) or on_whole_brand(user, "prop.publish_programme", brand_id)


def content_hash(version: ProgrammeVersion) -> str:
    """Sum up a version's terms, to tell whether they have changed since."""
    return hashlib.sha256(write_terms(version).encode()).hexdigest()


def request_trial(*, version_id: int, days: int, of_programme_id: int | None, actor: User) -> Job:
    """Start the job that tries a version. Who: as `run_trial`. Raises: NotAllowed, DomainError."""
    version = ProgrammeVersion.objects.select_related("programme").get(pk=version_id)
    _check(version, days, of_programme_id, actor)
    return start_job(
        JOB, owner=actor, parameters={"version": version.pk, "days": days, "of_programme": of_programme_id}
    )


def run_trial(
    *,
    version_id: int,
    days: int,
    of_programme_id: int | None,
    actor: User,
    progress: Callable[[int, int], Any] | None = None,
) -> ProgrammeTrial:
    """Try a version on the challenges that were bought in the last days, and keep the result beside it.

    of_programme_id: whose challenges; None: of all of the brand's programmes. Who: who may write or publish the brand's
    programmes. Raises: NotAllowed, DomainError.
    """
    rows = ProgrammeVersion.objects.select_related("programme", "account_type", "funded_account_type")
    version = rows.prefetch_related("phases", "sizes__version").get(pk=version_id)
    _check(version, days, of_programme_id, actor)
    now, hashed = timezone.now(), content_hash(version)
    from_at = now - dt.timedelta(days=days)
    found = _challenges(version, from_at, of_programme_id)
    figures, whole = Figures(), found.count()
    ids = list(found.values_list("pk", flat=True)[:CHALLENGES_MAX])
    if whole > len(ids):
        figures.leave_out(Reason.MOST, whole - len(ids))
    for done, pk in enumerate(ids):
        if progress is not None:
            progress(done, len(ids) + 1)
        if figures.samples >= SAMPLES_MAX:
            figures.leave_out(Reason.MOST, len(ids) - done)
            break
        try:
            figures.add(try_challenge(_read(pk), version))
        except NotTried as problem:
            figures.leave_out(problem.reason)
    return _keep(version, figures, of_programme_id, from_at=from_at, to_at=now, hashed=hashed, actor=actor)


def _challenges(version: ProgrammeVersion, since: dt.datetime, of_programme_id: int | None) -> QuerySet[Challenge]:
    rows = Challenge.objects.filter(brand_id=version.programme.brand_id, bought_at__gte=since).order_by("-pk")
    return rows if of_programme_id is None else rows.filter(version__programme_id=of_programme_id)


def _read(pk: int) -> Challenge:
    rows = Challenge.objects.select_related("version__programme", "coupon")
    return rows.prefetch_related("payouts", "accounts__phase", "accounts__account__server", "accounts__reset").get(
        pk=pk
    )


@transaction.atomic
def _keep(
    version: ProgrammeVersion,
    figures: Figures,
    of_programme_id: int | None,
    *,
    from_at: dt.datetime,
    to_at: dt.datetime,
    hashed: str,
    actor: User,
) -> ProgrammeTrial:
    kept = ProgrammeTrial.objects.create(
        version=version,
        of_programme_id=of_programme_id,
        content_hash=hashed,
        from_at=from_at,
        to_at=to_at,
        figures=figures.to_json(),
        lines=figures.lines,
        made_by=actor,
    )
    audit.record(
        actor=actor,
        action=PropAction.VERSION_TRIED,
        target=version,
        brand_id=version.programme.brand_id,
        after={
            "days": (to_at - from_at).days,
            "of_programme": of_programme_id,
            "challenges": figures.tried,
            "different": figures.different,
        },
    )
    return kept


def _check(version: ProgrammeVersion, days: int, of_programme_id: int | None, actor: User) -> None:
    require(can_try(actor, version))
    if not 1 <= days <= DAYS_MAX:
        raise DomainError(_("Choose between 1 and %(most)s days.") % {"most": DAYS_MAX})
    if of_programme_id is not None:
        brand_id = version.programme.brand_id
        if not Programme.objects.filter(pk=of_programme_id, brand_id=brand_id).exists():
            raise DomainError(_("Choose a programme of the same brand."))
