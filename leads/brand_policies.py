"""What a brand sets about leads."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.messages.addresses import Addresses
from crm.brand_policies import Choice, Count, Policy, PolicyArea, Switch, declare
from leads.embedding import origins  # noqa: F401  it declares the sites that may show forms


class WithoutShifts(models.TextChoices):
    """What it means that an agent has no shifts."""

    ALWAYS = "always", _("Always on duty")
    NEVER = "never", _("Not on duty until shifts are entered")


class RoutedBy(models.TextChoices):
    """Which of a lead's two scores the rules of routing compare."""

    POINTS = "points", _("Score by points")
    LEARNED = "learned", _("Learned score")


SCORE_THAT_ROUTES = declare(
    Policy(
        "lead_score_that_routes",
        PolicyArea.LEADS,
        _("Routing rules compare the"),
        Choice(dict(RoutedBy.choices)),
        RoutedBy.POINTS.value,
        _("Both go from 0 to 100. The points count until a learned score exists."),
        needs_four_eyes=False,
    )
)
WITHOUT_SHIFTS = declare(
    Policy(
        "lead_agents_without_shifts",
        PolicyArea.LEADS,
        _("Agents without shifts are"),
        Choice(dict(WithoutShifts.choices)),
        WithoutShifts.ALWAYS.value,
        _("For the routing of leads. Absences count either way."),
        needs_four_eyes=False,
    )
)


def _weight(name: str, label: Promise, default: int) -> Policy[int]:
    return declare(
        Policy(
            f"dedupe_weight_{name}",
            PolicyArea.LEADS,
            label,
            Count(0, 20, _("points")),
            default,
            _("For recognising a person who enquires again. The same e-mail address is always one person."),
            needs_four_eyes=False,
        )
    )


DEDUPE_PHONE = _weight("phone", _("Points for the same phone number"), 3)
DEDUPE_FIRST_NAME = _weight("first_name", _("Points for the same first name"), 1)
DEDUPE_LAST_NAME = _weight("last_name", _("Points for the same last name"), 1)
DEDUPE_COUNTRY = _weight("country", _("Points for the same country"), 1)
DEDUPE_DEVICE = _weight("device", _("Points for the same device"), 2)
DEDUPE_BIRTH_DATE = _weight("birth_date", _("Points for the same date of birth"), 3)
DUPLICATES_LISTED_FROM = declare(
    Policy(
        "duplicates_listed_from",
        PolicyArea.LEADS,
        _("Points from which two records are listed as possible duplicates"),
        Count(1, 60, _("points")),
        4,
        _("Staff decide whether the records are merged. A household is listed, but not as one person."),
        needs_four_eyes=False,
    )
)
DEDUPE_THRESHOLD = declare(
    Policy(
        "dedupe_threshold",
        PolicyArea.LEADS,
        _("Points from which two are one person"),
        Count(1, 60, _("points")),
        4,
        _("Without the same e-mail address, the first name must be the same too: a household shares a phone."),
        needs_four_eyes=False,
    )
)
LEAD_ADDRESSES = declare(
    Policy(
        "lead_addresses",
        PolicyArea.LEADS,
        _("Addresses whose e-mails create leads"),
        Addresses(),
        [],
        _(
            "An unknown sender whom the mail server has proved, and who writes there, becomes a lead with this e-mail. "
            "Others wait under unassigned e-mails."
        ),
        needs_four_eyes=False,
    )
)
LEADERBOARD_FOR_AGENTS = declare(
    Policy(
        "leaderboard_for_agents",
        PolicyArea.LEADS,
        _("Agents see their desk’s leaderboard"),
        Switch(),
        False,
        _("On their home: the agents of the desk by FTDs of the month, with registrations and calls."),
        needs_four_eyes=False,
    )
)
AUTOMATIONS_NEED_APPROVAL = declare(
    Policy(
        "automations_need_approval",
        PolicyArea.LEADS,
        _("Second approval for automations"),
        Switch(),
        True,
        _("Someone else with the right to make automations approves each version before it runs."),
    )
)
AUTOMATION_FAILURES_MAX = declare(
    Policy(
        "automation_failures_max",
        PolicyArea.LEADS,
        _("Failures in a row after which an automation is paused"),
        Count(1, 1_000, _("failures")),
        10,
        _("Staff who may make automations are notified of the reason."),
        needs_four_eyes=False,
    )
)
AUTOMATION_HOUR_FROM = declare(
    Policy(
        "automation_hour_from",
        PolicyArea.LEADS,
        _("Automations write to clients from"),
        Count(0, 23, _("o'clock")),
        8,
        _("By the clock where the client lives; what falls into the night waits for the morning."),
        needs_four_eyes=False,
    )
)
AUTOMATION_HOUR_UNTIL = declare(
    Policy(
        "automation_hour_until",
        PolicyArea.LEADS,
        _("Automations write to clients until"),
        Count(1, 24, _("o'clock")),
        21,
        needs_four_eyes=False,
    )
)
