"""What people are notified of: every kind of notification has one code, one label and its readers, declared once per app.

`notify` takes a member; the settings page, e-mails and their summaries read its label, group and readers from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.choices import EmailChannel, UserKind

if TYPE_CHECKING:
    from crm.models import User

_KINDS: dict[str, NotificationKind] = {}


class NoticeGroup(StrEnum):
    """The sections of the settings page, in their order."""

    SALES = "sales", _("Sales")
    CLIENTS = "clients", _("Clients")
    COMPLIANCE = "compliance", _("Compliance")
    MONEY = "money", _("Money")
    TRADING = "trading", _("Trading")
    PARTNERS = "partners", _("Partners")
    ACCOUNT = "account", _("Account")
    SYSTEM = "system", _("System and security")

    label: Promise

    def __new__(cls, code: str, label: Promise) -> Self:
        member = str.__new__(cls, code)
        member._value_, member.label = code, label
        return member


@dataclass(frozen=True)
class Readers:
    """Who can get a kind: kinds of people, and for staff the right they need."""

    kinds: frozenset[UserKind]
    permission: str = ""

    def __or__(self, other: Readers) -> Readers:
        return Readers(self.kinds | other.kinds, self.permission or other.permission)


def staff(permission: str = "") -> Readers:
    """Describe staff with a right; without one, every member of staff."""
    return Readers(frozenset({UserKind.STAFF}), permission)


CLIENTS = Readers(frozenset({UserKind.CLIENT}))
PARTNERS = Readers(frozenset({UserKind.PARTNER}))


class NotificationKind(StrEnum):
    """Base of the apps' kinds: `NAME = "app.name", _("Label"), NoticeGroup.MONEY, staff("app.right")`.

    Then, where they differ from the default: what is e-mailed unless the person chose otherwise, and whether the bell can't
    be switched off (security and four eyes: somebody else waits for the reader). The code is stored, so it never changes.
    """

    label: Promise
    group: NoticeGroup
    readers: Readers
    email: EmailChannel
    is_mandatory: bool

    def __new__(
        cls,
        code: str,
        label: Promise,
        group: NoticeGroup,
        readers: Readers,
        email: EmailChannel = EmailChannel.OFF,
        is_mandatory: bool = False,
    ) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.group, member.readers = label, group, readers
        member.email, member.is_mandatory = email, is_mandatory
        return member

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for member in cls:
            if member.value in _KINDS:
                raise TypeError(f"two kinds of notifications are called {member.value!r}")
            _KINDS[member.value] = member

    def may_reach(self, user: User) -> bool:
        """Check whether this person can get this kind, by who they are and by their rights."""
        if UserKind(user.kind) not in self.readers.kinds:
            return False
        return not (user.is_team and self.readers.permission) or user.has_perm(self.readers.permission)


MANDATORY = True


def find(code: str) -> NotificationKind | None:
    """Find the member of a stored code; None for one that only an older version knew."""
    return _KINDS.get(code)


def kinds_for(user: User) -> list[NotificationKind]:
    """List what this person can be notified of, in the order of the groups."""
    order = list(NoticeGroup)
    mine = [kind for kind in _KINDS.values() if kind.may_reach(user)]
    return sorted(mine, key=lambda kind: order.index(kind.group))


class CrmNotice(NotificationKind):
    """Kinds of the ground floor."""

    FAILED_ATTEMPTS = (
        "crm.failed_attempts",
        _("Failed sign-in attempts on your account"),
        NoticeGroup.SYSTEM,
        staff() | CLIENTS | PARTNERS,
        EmailChannel.OFF,  # has an e-mail of its own, which nobody can switch off
        MANDATORY,
    )
    EVENT = ("crm.event", _("Events that an administrator subscribed you to"), NoticeGroup.SYSTEM, staff())
    GRANT_REQUESTED = (
        "staff.grant_requested",
        _("Access requests awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_staff"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    API_SCOPES_REQUESTED = (
        "crm.api_scopes_requested",
        _("Powerful API scopes awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_api"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    POLICY_PROPOSED = (
        "crm.policy_proposed",
        _("Policy changes awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff(),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    TEXT_PROPOSED = (
        "crm.text_proposed",
        _("Texts awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.edit_texts"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PROPOSAL_DECIDED = (
        "crm.proposal_decided",
        _("Decisions on your proposals"),
        NoticeGroup.SYSTEM,
        staff(),
        EmailChannel.OFF,
        MANDATORY,
    )
    WEBHOOK_DATA_PROPOSED = (
        "crm.webhook_data_proposed",
        _("Personal data for webhooks awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_events"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    WEBHOOK_DISABLED = (
        "crm.webhook_disabled",
        _("Webhooks disabled after failures"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_events"),
        EmailChannel.AT_ONCE,
    )
    WORK_PROPOSED = (
        "crm.work_proposed",
        _("Decisions on work awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff(),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    WORK_ASSIGNED = ("crm.work_assigned", _("Work assigned to you or claimed from you"), NoticeGroup.SYSTEM, staff())
    MAIL_FAILED = "mail.failed", _("E-mails that couldn't be sent"), NoticeGroup.SYSTEM, staff("crm.manage_events")
    STORAGE_SHORT = (
        "crm.storage_short",
        _("Storage running out"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_events"),
        EmailChannel.AT_ONCE,
    )
    ORPHANS_KEPT = (
        "crm.orphans_kept",
        _("Stored files without a record"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_events"),
        EmailChannel.DAILY,
    )
