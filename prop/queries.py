"""Reads of programmes and challenges; every one takes the user."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from clients.models import Client
from clients.queries import clients_visible_to
from crm.db.prepared import ByKey
from crm.models import User
from crm.security.scope import reach_of
from prop.choices import VersionState
from prop.models import (
    AccountGrowth,
    AccountMerge,
    Appeal,
    Breach,
    Certificate,
    Challenge,
    ChallengePause,
    ChallengePayout,
    JudgementCorrection,
    PhaseAccount,
    Programme,
    ProgrammeTrial,
    ProgrammeVersion,
    StyleEnding,
)

OWN: Final = ByKey(lambda: Challenge.objects.select_related("version__programme", "size"), "client__user_id", "pk")
ACCOUNTS: Final = ByKey(
    lambda: PhaseAccount.objects.select_related(
        "phase", "account__server", "breach", "certificate", "style_ending"
    ).order_by("-pk"),
    "challenge_id",
)


def programmes_visible_to(user: User) -> QuerySet[Programme]:
    """List the programmes of the brands that a member of staff reaches as a whole."""
    if not user or not user.is_authenticated or not user.is_team:
        return Programme.objects.none()
    return Programme.objects.filter(brand_id__in=reach_of(user).whole_brands)


def trials_visible_to(user: User) -> QuerySet[ProgrammeTrial]:
    """List the what-ifs of programmes that a person sees."""
    return ProgrammeTrial.objects.filter(version__programme__in=programmes_visible_to(user).order_by().values("pk"))


def challenges_visible_to(user: User) -> QuerySet[Challenge]:
    """List the challenges of clients in reach; a client sees their own."""
    if not user or not user.is_authenticated:
        return Challenge.objects.none()
    if not user.is_team:
        return Challenge.objects.filter(client__user=user)
    return Challenge.objects.filter(client__in=clients_visible_to(user).order_by().values("pk"))


def own_challenge(user: User, challenge_id: int) -> Challenge | None:
    """Find a challenge of a client's own, with its version, programme and size."""
    return OWN.find(client__user_id=user.pk, pk=challenge_id)


def accounts_of(challenge: Challenge) -> list[PhaseAccount]:
    """List the accounts of a challenge that a person sees, the newest first, with what their page shows of them."""
    rows = ACCOUNTS.all(challenge_id=challenge.pk)
    for row in rows:
        row.challenge = challenge
    return rows


def breaches_visible_to(user: User) -> QuerySet[Breach]:
    """List the breaches of challenges that a person sees, with what their evidence names."""
    seen = Breach.objects.filter(judged_account__challenge__in=challenges_visible_to(user).order_by().values("pk"))
    return seen.select_related(
        "judged_account__challenge__client__brand",
        "judged_account__challenge__version__programme",
        "judged_account__phase__version__programme",
        "judged_account__phase__version__account_type",
        "judged_account__phase__version__funded_account_type",
        "judged_account__account__server",
    )


def endings_visible_to(user: User) -> QuerySet[StyleEnding]:
    """List the endings for a forbidden style of challenges that a person sees, with what their evidence names."""
    seen = StyleEnding.objects.filter(phase_account__challenge__in=challenges_visible_to(user).order_by().values("pk"))
    return seen.select_related(
        "phase_account__challenge__client__brand",
        "phase_account__challenge__version__programme",
        "phase_account__phase__version__programme",
        "phase_account__phase__version__account_type",
        "phase_account__phase__version__funded_account_type",
        "phase_account__account__server",
    )


def payouts_visible_to(user: User) -> QuerySet[ChallengePayout]:
    """List the payouts of challenges that a person sees."""
    return ChallengePayout.objects.filter(challenge__in=challenges_visible_to(user).order_by().values("pk"))


def pauses_visible_to(user: User) -> QuerySet[ChallengePause]:
    """List the pauses of challenges that a person sees."""
    return ChallengePause.objects.filter(challenge__in=challenges_visible_to(user).order_by().values("pk"))


def growths_visible_to(user: User) -> QuerySet[AccountGrowth]:
    """List the steps of scaling of challenges that a person sees."""
    seen = challenges_visible_to(user).order_by().values("pk")
    return AccountGrowth.objects.filter(phase_account__challenge__in=seen, merge=None)


def merges_visible_to(user: User) -> QuerySet[AccountMerge]:
    """List the merges of accounts of challenges that a person sees."""
    return AccountMerge.objects.filter(kept__challenge__in=challenges_visible_to(user).order_by().values("pk"))


def corrections_visible_to(user: User) -> QuerySet[JudgementCorrection]:
    """List the corrections of challenges that a person sees."""
    seen = challenges_visible_to(user).order_by().values("pk")
    return JudgementCorrection.objects.filter(phase_account__challenge__in=seen)


def appeals_visible_to(user: User) -> QuerySet[Appeal]:
    """List the appeals about challenges that a person sees."""
    return Appeal.objects.filter(phase_account__challenge__in=challenges_visible_to(user).order_by().values("pk"))


def certificates_visible_to(user: User) -> QuerySet[Certificate]:
    """List the certificates of challenges that a person sees."""
    seen = challenges_visible_to(user).order_by().values("pk")
    return Certificate.objects.filter(phase_account__challenge__in=seen)


def account_types_sold(client: Client) -> set[int]:
    """Return the account types of programmes that were ever on sale: their accounts are bought, not opened for free."""
    versions = ProgrammeVersion.objects.filter(programme__brand_id=client.brand_id).exclude(state=VersionState.DRAFT)
    return {pk for pair in versions.values_list("account_type_id", "funded_account_type_id") for pk in pair}


def is_on_sale(brand_id: int) -> bool:
    """Check whether a brand sells challenges now."""
    return ProgrammeVersion.objects.filter(programme__brand_id=brand_id, state=VersionState.PUBLISHED).exists()


def on_sale(client: Client) -> QuerySet[ProgrammeVersion]:
    """List the versions that a client's brand sells, in the currencies that it offers."""
    rows = ProgrammeVersion.objects.filter(programme__brand_id=client.brand_id, state=VersionState.PUBLISHED)
    return rows.select_related("programme").prefetch_related("phases", "sizes").order_by("programme__name", "pk")
