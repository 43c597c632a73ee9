"""The kinds of steps that the leads app has: e-mails, follow-ups, notices, fields, lists, statuses, routing, other automations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients.choices import SALES_NOT_CHOSEN, SalesStatus, Stage
from clients.custom_fields.values import clean as clean_value
from clients.custom_fields.values import set_custom_values, shown
from clients.followups import NewTask, add_tasks
from clients.models import CustomField, Segment, SegmentMember
from clients.models.segments import SegmentKind
from clients.segments import verbs as segments
from clients.texts.letters import get_letter
from clients.texts.to_many import send_letters
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import Brand, User
from crm.notices.notify import notify
from crm.security.scope import reach_of, staff_of_brand
from crm.texts.catalogue import TextKind, texts_of
from leads import sla
from leads.automations import entering
from leads.automations.actions import (
    ActionKind,
    LeftOut,
    Outcomes,
    Turn,
    filled,
    register,
    unsent,
    whole,
    words_with_variables,
)
from leads.automations.choices import AutomationState, Reason
from leads.choices import LeadsNotice
from leads.models import Automation
from leads.pipeline import change_sales_status

DAYS_MAX: Final = 365
THE_AGENT: Final = gettext_lazy("The client's agent")
VARIABLES: Final = gettext_lazy("Variables: {{ first_name }}, {{ full_name }}, {{ agent }}, {{ brand }}.")
Fields = Mapping[str, forms.Field]


# ── an e-mail ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _letters() -> list[tuple[str, str]]:
    """List the e-mails that need no value which only their own sender knows."""
    return [
        (text.key, f"{text.series}: {text.title}" if text.series else str(text.title))
        for text in texts_of([TextKind.LETTER])
        if not text.own
    ]


def _email_fields(brand: Brand) -> Fields:
    return {"template": forms.ChoiceField(label=gettext_lazy("E-mail"), choices=[("", "–"), *_letters()])}


def _clean_email(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    key = str(options.get("template") or "")
    if not key:
        raise DomainError(_("Choose an e-mail."))
    letter = get_letter(key)
    if letter.own:
        unknown = ", ".join(sorted(variable.name for variable in letter.own))
        raise DomainError(
            _("This e-mail needs values that an automation doesn't know: %(names)s.") % {"names": unknown}
        )
    return {"template": key}


def _email_words(options: Mapping[str, Any]) -> str:
    return _("send the e-mail “%(title)s”") % {"title": get_letter(str(options["template"])).title}


def _send(turns: Sequence[Turn]) -> Outcomes:
    refused = send_letters(
        template=turns[0].options["template"], recipients=[(turn.client, turn.key) for turn in turns]
    )
    return unsent(turns, refused)


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _people(brand: Brand) -> list[tuple[str, str]]:
    staff = User.objects.filter(pk__in=staff_of_brand(brand.pk), is_active=True, kind="staff")
    return [(str(person.pk), str(person)) for person in staff.order_by("first_name", "last_name", "pk")[:300]]


def _clean_person(brand: Brand, given: Any) -> int | None:
    if not given:
        return None
    pk = whole(given, 1, 2**53, _("Choose a person."))
    if not User.objects.filter(pk=pk, is_active=True, kind="staff", pk__in=staff_of_brand(brand.pk)).exists():
        raise DomainError(_("Choose a person who has access to the brand."))
    return pk


def _name(pk: int | None) -> str:
    return str(User.objects.filter(pk=pk).first() or _("unknown")) if pk else str(THE_AGENT)


class Assignees:
    """Finds who a client's follow-up or notice goes to: their agent, else the person named, if they reach the client."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        named = {turn.options["person"] for turn in turns if turn.options.get("person")}
        self.named = {person.pk: person for person in User.objects.filter(pk__in=named, is_active=True)}
        self.books: dict[int, frozenset[int]] = {}

    def of(self, turn: Turn) -> User | None:
        owner = turn.client.owner if turn.client.owner is not None and turn.client.owner.is_active else None
        for person in (owner, self.named.get(turn.options.get("person") or 0)):
            if person is not None and self._reaches(person, turn.client.book_id):
                return person
        return None

    def _reaches(self, person: User, book_id: int) -> bool:
        if person.pk not in self.books:
            self.books[person.pk] = frozenset(reach_of(person).books)
        return book_id in self.books[person.pk]


def _text_fields(label: Any) -> Callable[[Brand], Fields]:
    def fields(brand: Brand) -> Fields:
        return {
            "text": forms.CharField(label=label, max_length=160, help_text=VARIABLES),
            "person": forms.ChoiceField(
                label=gettext_lazy("Without an agent"), choices=[("", "–"), *_people(brand)], required=False
            ),
        }

    return fields


def _task_fields(brand: Brand) -> Fields:
    days = forms.IntegerField(label=gettext_lazy("Due in days"), min_value=0, max_value=DAYS_MAX, initial=1)
    return {**_text_fields(gettext_lazy("Task"))(brand), "days": days}


def _clean_task(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    message = _("Enter a number of days from 0 to %(most)s.") % {"most": formats.number(DAYS_MAX)}
    return {**_clean_notice(brand, options), "days": whole(options.get("days", 0), 0, DAYS_MAX, message)}


def _task_words(options: Mapping[str, Any]) -> str:
    days = ngettext("%(count)s day", "%(count)s days", options["days"]) % {"count": formats.number(options["days"])}
    return _("add the follow-up “%(title)s”, due in %(days)s") % {"title": options["text"], "days": days}


def _add_tasks(turns: Sequence[Turn]) -> Outcomes:
    assignees, now, tasks, outcomes = Assignees(turns), timezone.now(), [], {}
    for turn in turns:
        person = assignees.of(turn)
        if person is None:
            outcomes[turn.run.pk] = LeftOut(Reason.NO_ASSIGNEE)
            continue
        due_at = now + dt.timedelta(days=turn.options["days"], hours=0 if turn.options["days"] else 1)
        tasks.append(NewTask(turn.client, person, filled(turn.options["text"], turn.client), due_at))
    add_tasks(tasks)
    return outcomes


def _clean_notice(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": words_with_variables(options.get("text")), "person": _clean_person(brand, options.get("person"))}


def _notice_words(options: Mapping[str, Any]) -> str:
    return _("notify the agent: “%(text)s”") % {"text": options["text"]}


def _notify(turns: Sequence[Turn]) -> Outcomes:
    assignees, outcomes = Assignees(turns), {}
    for turn in turns:
        person = assignees.of(turn)
        if person is None:
            outcomes[turn.run.pk] = LeftOut(Reason.NO_ASSIGNEE)
            continue
        notify(
            [person.pk],
            kind=LeadsNotice.AUTOMATION,
            title=filled(turn.options["text"], turn.client),
            body=str(turn.client),
            url=turn.client.get_absolute_url(),
            dedupe_key=f"leads.{turn.key}",
        )
    return outcomes


# ── custom fields, lists, statuses ───────────────────────────────────────────────────────────────────────────────────


def _field_fields(brand: Brand) -> Fields:
    rows = CustomField.objects.filter(brand=brand, archived_at=None).order_by("position", "pk")
    return {
        "field": forms.ChoiceField(
            label=gettext_lazy("Custom field"), choices=[("", "–"), *((str(row.pk), row.label) for row in rows)]
        ),
        "value": forms.CharField(
            label=gettext_lazy("Value"),
            max_length=200,
            required=False,
            help_text=gettext_lazy(
                "A date as YYYY-MM-DD, several choices separated by commas. Empty: delete the value."
            ),
        ),
    }


def _field_of(pk: Any, brand: Brand | None = None) -> CustomField:
    rows = CustomField.objects.filter(archived_at=None, **({"brand": brand} if brand else {}))
    number = whole(pk, 1, 2**53, _("Choose a custom field."))
    field = rows.select_related("brand").prefetch_related("choices").filter(pk=number).first()
    if field is None:
        raise DomainError(_("This custom field was archived. Choose another one."))
    return field


def _clean_field(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    field, value = _field_of(options.get("field"), brand), str(options.get("value") or "").strip()
    clean_value(field, value)
    return {"field": field.pk, "value": value}


def _field_words(options: Mapping[str, Any]) -> str:
    field = _field_of(options["field"])
    value = shown(field, clean_value(field, options["value"]))
    text = _("set “%(field)s” to “%(value)s”") if value else _("delete the value of “%(field)s”")
    return text % {"field": field.label, "value": value}


def _set_field(turns: Sequence[Turn]) -> Outcomes:
    outcomes = {}
    for turn in turns:
        values = {turn.options["field"]: turn.options["value"]}
        if not set_custom_values(client_id=turn.client.pk, actor=None, values=values):
            outcomes[turn.run.pk] = LeftOut(Reason.ALREADY)
    return outcomes


def _list_fields(brand: Brand) -> Fields:
    rows = Segment.objects.filter(brand=brand, kind=SegmentKind.LIST, archived_at=None).order_by("name")
    return {
        "segment": forms.ChoiceField(
            label=gettext_lazy("List"), choices=[("", "–"), *((str(row.pk), row.name) for row in rows)]
        ),
        "how": forms.ChoiceField(
            label=gettext_lazy("What to do"),
            choices=[("add", gettext_lazy("Add to the list")), ("remove", gettext_lazy("Take off the list"))],
        ),
    }


def _clean_list(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    pk = whole(options.get("segment"), 1, 2**53, _("Choose a list."))
    if not Segment.objects.filter(pk=pk, brand=brand, kind=SegmentKind.LIST, archived_at=None).exists():
        raise DomainError(_("Choose a list of the brand that isn't archived."))
    return {"segment": pk, "how": "remove" if options.get("how") == "remove" else "add"}


def _list_words(options: Mapping[str, Any]) -> str:
    text = _("take the client off the list “%(list)s”") if options["how"] == "remove" else ""
    text = text or _("add the client to the list “%(list)s”")
    return text % {"list": Segment.objects.filter(pk=options["segment"]).first() or _("unknown")}


def _change_list(turns: Sequence[Turn]) -> Outcomes:
    pk, is_adding = turns[0].options["segment"], turns[0].options["how"] == "add"
    ids = [turn.client.pk for turn in turns]
    rows = SegmentMember.objects.filter(segment_id=pk, left_at=None, client_id__in=ids)
    there = set(rows.values_list("client_id", flat=True))
    change = segments.add_members if is_adding else segments.remove_members
    change(segment_id=pk, client_ids=ids, actor=None)
    return {turn.run.pk: LeftOut(Reason.ALREADY) for turn in turns if (turn.client.pk in there) == is_adding}


def _statuses() -> list[tuple[str, Any]]:
    return [(status.value, status.label) for status in SalesStatus if status not in SALES_NOT_CHOSEN]


def _status_fields(brand: Brand) -> Fields:
    return {"status": forms.ChoiceField(label=gettext_lazy("Sales status"), choices=_statuses())}


def _clean_status(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    if options.get("status") not in dict(_statuses()):
        raise DomainError(_("Choose a sales status."))
    return {"status": str(options["status"])}


def _status_words(options: Mapping[str, Any]) -> str:
    return _("move the lead to “%(status)s”") % {"status": SalesStatus(options["status"]).label}


def _move(turns: Sequence[Turn]) -> Outcomes:
    outcomes = {}
    for turn in turns:
        to = SalesStatus(turn.options["status"])
        if turn.client.sales_status == to:
            outcomes[turn.run.pk] = LeftOut(Reason.ALREADY)
        elif turn.client.stage != Stage.LEAD or not turn.client.can_move_to(to, "sales_status"):
            outcomes[turn.run.pk] = LeftOut(Reason.NOT_POSSIBLE)
        else:
            change_sales_status(client_id=turn.client.pk, to=to, actor=None)
    return outcomes


# ── routing, other automations ───────────────────────────────────────────────────────────────────────────────────────


def _nothing(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _reroute(turns: Sequence[Turn]) -> Outcomes:
    return {
        turn.run.pk: LeftOut(Reason.NOT_POSSIBLE) for turn in turns if not sla.route_again(client_id=turn.client.pk)
    }


def _start_fields(brand: Brand) -> Fields:
    rows = Automation.objects.filter(brand=brand).exclude(state=AutomationState.ARCHIVED).order_by("name")
    return {
        "automation": forms.ChoiceField(
            label=gettext_lazy("Automation"), choices=[("", "–"), *((str(row.pk), row.name) for row in rows)]
        )
    }


def _clean_start(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    pk = whole(options.get("automation"), 1, 2**53, _("Choose an automation."))
    if not Automation.objects.filter(pk=pk, brand=brand).exclude(state=AutomationState.ARCHIVED).exists():
        raise DomainError(_("Choose an automation of the brand that isn't archived."))
    return {"automation": pk}


def _start_words(options: Mapping[str, Any]) -> str:
    name = Automation.objects.filter(pk=options["automation"]).first() or _("unknown")
    return _("start the automation “%(name)s”") % {"name": name}


def _start(turns: Sequence[Turn]) -> Outcomes:
    other = Automation.objects.select_related("version", "brand").get(pk=turns[0].options["automation"])
    if other.state != AutomationState.ACTIVE:
        raise DomainError(_("The automation “%(name)s” isn't active.") % {"name": other})
    arrivals = [entering.Arrival(turn.client.pk, turn.key, turn.run.event_id) for turn in turns]
    entered = entering.enter(other, arrivals, watches=False)
    return {turn.run.pk: LeftOut(Reason.LIMIT) for turn in turns if turn.client.pk not in entered}


register(
    ActionKind("email", gettext_lazy("Send an e-mail"), "mail", _email_fields, _clean_email, _email_words, _send, True),
    ActionKind(
        "task", gettext_lazy("Add a follow-up"), "list-checks", _task_fields, _clean_task, _task_words, _add_tasks
    ),
    ActionKind(
        "notice",
        gettext_lazy("Notify the agent"),
        "bell",
        _text_fields(gettext_lazy("Text")),
        _clean_notice,
        _notice_words,
        _notify,
    ),
    ActionKind(
        "field", gettext_lazy("Set a custom field"), "square-pen", _field_fields, _clean_field, _field_words, _set_field
    ),
    ActionKind("list", gettext_lazy("Change a list"), "tags", _list_fields, _clean_list, _list_words, _change_list),
    ActionKind(
        "status", gettext_lazy("Change the sales status"), "kanban", _status_fields, _clean_status, _status_words, _move
    ),
    ActionKind(
        "reroute",
        gettext_lazy("Route the lead again"),
        "route",
        lambda brand: {},
        _nothing,
        lambda options: _("route the lead again"),
        _reroute,
    ),
    ActionKind(
        "start", gettext_lazy("Start another automation"), "workflow", _start_fields, _clean_start, _start_words, _start
    ),
)
