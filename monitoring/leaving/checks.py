"""What must be gone before somebody is offboarded. Each check is a query; its own result is shown, kept and printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermission

from clients import followups
from clients.chat.choices import ChatState
from clients.chat.policies import READS as CHATS
from clients.choices import Stage
from clients.models import AgentPhone, Chat, Client, Task
from clients.telephony.setup import remove_phone
from crm.accounts.sessions import open_sessions
from crm.choices import ApprovalState, WorkState
from crm.files.jobs import drop_results
from crm.models import AccessLink, Book, GrantRequest, Job, User, WorkItem

MANAGES_STAFF = "crm.manage_staff"


@dataclass(frozen=True)
class Check:
    """One thing of a leaver. `count`: how many are left; `url_name`, `query`: the page where they are handed over.

    `permission` opens that page. `clear(agent, actor)` does it here instead, and returns how many were done.
    """

    slug: str
    label: str | Promise
    count: Callable[[User], int]
    url_name: str = ""
    query: str = ""
    permission: str = ""
    clear: Callable[[User, User], int] | None = None
    clear_label: str | Promise = ""

    @property
    def is_cleared_here(self) -> bool:
        return self.clear is not None

    def link(self, agent: User) -> str:
        """Return the address of the page where what is left is handed over."""
        if not self.url_name:
            return ""
        args = [agent.pk] if self.url_name == "staff_member" else []
        return reverse(self.url_name, args=args) + (self.query % {"agent": agent.pk} if self.query else "")


@dataclass(frozen=True)
class Result:
    """What a check found for one person."""

    check: Check
    left: int


def results_of(agent: User) -> list[Result]:
    """Run all checks on a person, one query or two each."""
    return [Result(check, check.count(agent)) for check in CHECKS]


def _people(agent: User) -> QuerySet[Client]:
    return Client.objects.filter(owner=agent).exclude(stage=Stage.CLOSED).order_by()


def _links(agent: User) -> int:
    unused = AccessLink.objects.filter(user=agent, used_at__isnull=True, revoked_at__isnull=True)
    return unused.filter(expires_at__gt=timezone.now()).count()


def _rights(agent: User) -> int:
    grants = UserObjectPermission.objects.filter(user=agent).count()
    waiting = GrantRequest.objects.filter(user=agent, state=ApprovalState.PENDING).count()
    return grants + waiting + int(User.groups.through.objects.filter(user=agent).count()) + agent.is_superuser


def _hand_over_tasks(agent: User, actor: User) -> int:
    return followups.hand_over_tasks(from_id=agent.pk, actor=actor)


CHECKS: tuple[Check, ...] = (
    Check("access", _("Active account"), lambda agent: int(agent.is_active), "staff_member", "", MANAGES_STAFF),
    Check(
        "sessions",
        _("Open sessions"),
        lambda agent: len(open_sessions(agent, current_key=None)),
        "staff_member",
        "",
        MANAGES_STAFF,
    ),
    Check("links", _("Unused invitation and password links"), _links, "staff_member", "", MANAGES_STAFF),
    Check("rights", _("Roles, access and open requests for them"), _rights, "staff_member", "", MANAGES_STAFF),
    Check(
        "clients",
        _("Clients"),
        lambda agent: _people(agent).exclude(stage=Stage.LEAD).count(),
        "clients",
        "?owner=%(agent)s",
        "clients.move_client",
    ),
    Check(
        "leads",
        _("Leads"),
        lambda agent: _people(agent).filter(stage=Stage.LEAD).count(),
        "leads",
        "?owner=%(agent)s",
        "leads.assign_lead",
    ),
    Check(
        "books",
        _("Books"),
        lambda agent: Book.objects.filter(owner=agent, archived_at__isnull=True).count(),
        "books",
        "",
        "crm.manage_company",
    ),
    Check(
        "tasks",
        _("Open tasks"),
        lambda agent: Task.objects.filter(assignee=agent, done_at__isnull=True).count(),
        "clients",
        "?owner=%(agent)s",
        "clients.move_client",
        _hand_over_tasks,
        _("Hand over to the clients' owners"),
    ),
    Check(
        "chats",
        _("Open chats"),
        lambda agent: Chat.objects.filter(agent=agent, state=ChatState.OPEN).count(),
        "chats",
        "",
        CHATS,
    ),
    Check(
        "work",
        _("Work items assigned or claimed"),
        lambda agent: WorkItem.objects.filter(Q(assigned_to=agent) | Q(claimed_by=agent), state=WorkState.OPEN).count(),
        "work_statistics",
        "",
        "crm.manage_work",
    ),
    Check(
        "exports",
        _("Saved exports"),
        lambda agent: Job.objects.filter(owner=agent).exclude(result_path="").count(),
        "",
        clear=lambda agent, _actor: drop_results(owner_id=agent.pk),
        clear_label=_("Delete files"),
    ),
    Check(
        "phones",
        _("Phone numbers that ring the agent"),
        lambda agent: AgentPhone.objects.filter(user=agent).count(),
        "",
        clear=lambda agent, actor: remove_phone(user_id=agent.pk, actor=actor),
        clear_label=_("Remove number"),
    ),
)
