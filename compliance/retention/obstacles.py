"""What stands against erasing a client. Apps above add theirs: `obstacle(_("The wallet isn't empty."), has_money)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import Stage
from clients.models import Client
from compliance.aml.choices import CaseState
from compliance.aml.models import AmlCase
from compliance.choices import HitState
from compliance.models import ClosedRelation, Hit, LegalHold, Restriction
from compliance.retention.periods import due_on
from compliance.sar.choices import UNFINISHED
from compliance.sar.models import SuspicionReport
from crm.brand_policies.registry import today
from crm.i18n import formats
from crm.models import SubjectKey
from crm.ui.panels import Label

Test = Callable[[Client], bool]
OBSTACLES: Final[list[tuple[Label, Test]]] = []


def obstacle(text: Label, stands: Test) -> None:
    """Register what stands against an erasure, in a sentence for who proposes one, and how it is found out."""
    OBSTACLES.append((text, stands))


def obstacles_of(client: Client, relation: ClosedRelation | None) -> list[str]:
    """List what stands against erasing a client now; empty: it is possible."""
    if is_erased(client):
        return [_("This client was erased.")]
    if client.stage != Stage.CLOSED or relation is None:
        return [_("The relation hasn't ended. Close the client's record first.")]
    found = []
    due = due_on(relation)
    if due > today(client.brand):
        found.append(_("The records must be kept until %(day)s.") % {"day": formats.day(due)})
    return found + [str(text) for text, stands in OBSTACLES if stands(client)]


def is_erased(client: Client) -> bool:
    """Check whether a client's key was destroyed."""
    return SubjectKey.objects.filter(client_id=client.pk, destroyed_at__isnull=False).exists()


def _is_held(client: Client) -> bool:
    return LegalHold.objects.filter(client=client, lifted_at=None).exists()


def _has_case(client: Client) -> bool:
    return AmlCase.objects.filter(client=client, state=CaseState.OPEN).exists()


def _has_match(client: Client) -> bool:
    return Hit.objects.filter(client=client, state=HitState.OPEN).exists()


def _is_restricted(client: Client) -> bool:
    return Restriction.objects.filter(client=client, lifted_at=None).exists()


def _has_report(client: Client) -> bool:
    return SuspicionReport.objects.filter(client=client, state__in=UNFINISHED).exists()


obstacle(gettext_lazy("There is a legal hold."), _is_held)
obstacle(gettext_lazy("An AML case is open."), _has_case)
obstacle(gettext_lazy("A possible match awaits review."), _has_match)
obstacle(gettext_lazy("A restriction is in force."), _is_restricted)
# Whoever erases is of the MLRO's circle: nobody else reads this.
obstacle(gettext_lazy("A suspicion report isn't finished."), _has_report)
