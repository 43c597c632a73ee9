"""Pages of automations: from a template to an activation by two people, steps in rows, the dry run, and the client's card."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed
from crm.events import ClientRegistered, drain, publish
from crm.models import AuditEvent, Notification
from leads.automations import entering, shipped, verbs
from leads.automations.definition import read_definition
from leads.automations.dry_run import rehearse
from leads.models import Automation, AutomationActivation, AutomationRun
from leads.setup import save_routing_rule
from tests.cast import make_staff
from tests.leads.automations.test_runs import live, register, task, work

pytestmark = pytest.mark.django_db


def test_from_a_template_to_an_activation_by_two_people(cast, browse):
    page = browse(cast.marketing)
    answer = page.post(reverse("automation_new"), {"template": "kyc-24h", "brand": cast.brand.pk})
    row = Automation.objects.get()
    assert answer.headers["Location"] == reverse("automation_edit", args=[row.pk])
    assert "unless “Client verified” follows within 24 hours" in page.get(row.get_absolute_url()).content.decode()
    page.post(reverse("automation_do", args=[row.pk, "activate"]), {"reason": "New texts"})
    row.refresh_from_db()
    assert (row.state, AutomationActivation.objects.get().state) == ("draft", "pending")
    with pytest.raises(NotAllowed):
        approvals.approve(AutomationActivation, AutomationActivation.objects.get().pk, actor=cast.marketing)
    approvals.approve(AutomationActivation, AutomationActivation.objects.get().pk, actor=cast.administrator)
    row.refresh_from_db()
    assert (row.state, row.version.number) == ("active", 1)
    assert AuditEvent.objects.filter(action="leads.automation_activated").count() == 1
    page.post(reverse("automation_do", args=[row.pk, "pause"]), {"reason": "Holiday"})
    row.refresh_from_db()
    assert (row.state, row.pause_reason) == ("paused", "Holiday")


def test_a_page_that_is_behind_the_draft_changes_nothing(cast, browse):
    page = browse(cast.marketing)
    row = shipped.make_from_template(brand_id=cast.brand.pk, template="welcome-series", actor=cast.marketing)
    seen, before = row.draft_mark, row.draft["steps"]
    assert f"remove/?seen={seen}" in page.get(reverse("automation_edit", args=[row.pk])).content.decode()
    remove = reverse("automation_step_do", args=[row.pk, 0, "remove"]) + f"?seen={seen}"
    page.post(remove)
    answer = page.post(remove, follow=True)
    assert "Someone else has changed this draft. Reload the page." in answer.content.decode()
    row.refresh_from_db()
    assert row.draft["steps"] == before[1:]
    step = {"wait": 1, "unit": "days", "template": "clients.learn_welcome_1"}
    late = page.post(reverse("automation_step", args=[row.pk, 0]) + f"?seen={seen}", step)
    assert late.status_code == 422
    assert "Someone else has changed this draft. Reload the page." in late.content.decode()


def test_steps_are_added_changed_moved_and_removed_in_rows(cast, browse):
    page = browse(cast.marketing)
    row = verbs.create_automation(brand_id=cast.brand.pk, name="Mine", actor=cast.marketing)
    add = reverse("automation_step", args=[row.pk, 0])
    empty = page.get(reverse("automation_edit", args=[row.pk])).content.decode()
    assert "Propose an account type" in empty
    assert "ActionKind" not in empty
    wrong = page.post(f"{add}?action=task", {"wait": 1, "unit": "days", "text": "Call {{ nick }}", "days": 2})
    assert wrong.status_code == 422
    assert "There is no variable “nick”" in wrong.content.decode()
    page.post(f"{add}?action=task", {"wait": 1, "unit": "days", "text": "Call {{ first_name }}", "days": 2})
    second = reverse("automation_step", args=[row.pk, 1])
    page.post(f"{second}?action=email", {"wait": 2, "unit": "hours", "template": "clients.learn_welcome_1"})
    row.refresh_from_db()
    assert [(step["action"], step["wait_minutes"]) for step in row.draft["steps"]] == [("task", 1440), ("email", 120)]
    page.post(reverse("automation_step_do", args=[row.pk, 1, "up"]))
    page.post(reverse("automation_step_do", args=[row.pk, 1, "remove"]))
    row.refresh_from_db()
    assert [step["action"] for step in row.draft["steps"]] == ["email"]
    data = {"name": "Mine", "field": "registered_at", "days": 3, "entries_max": 1, "entries_days": 30, "split": 20}
    assert page.post(reverse("automation_edit", args=[row.pk]) + "?kind=date", data).status_code == 302
    row.refresh_from_db()
    assert (row.draft["trigger"], row.draft["split"]) == ({"kind": "date", "field": "registered_at", "days": 3}, 20)


def test_a_dry_run_says_who_would_have_entered_and_writes_nothing(cast, browse):
    Client.objects.update(country="DE")
    for _twice in range(2):
        with transaction.atomic():
            publish(
                ClientRegistered(client_id=cast.client.pk, brand_id=cast.brand.pk, user_id=1),
                occurred_at=timezone.now() - dt.timedelta(days=2),
            )
    row = shipped.make_from_template(brand_id=cast.brand.pk, template="kyc-24h", actor=None)
    result = rehearse(row, read_definition(row.draft, row.brand), cast.marketing)
    assert (result.entered, result.clients, [count for _words, count in result.steps]) == (1, 1, [1, 1, 1])
    assert result.sample == [cast.client]
    assert (
        "Would have entered"
        in browse(cast.marketing).get(reverse("automation_dry_run", args=[row.pk])).content.decode()
    )
    assert not AutomationRun.objects.exists()
    assert not Notification.objects.filter(kind="leads.automation").exists()


def test_runs_are_shown_step_by_step_with_a_fixed_number_of_queries(cast, browse):
    row = live(cast, task("First"), task("Second", wait_minutes=60))
    register(cast.client)
    work()
    page = browse(cast.agent)
    shown = page.get(cast.client.get_absolute_url()).content.decode()
    assert row.get_absolute_url() in shown
    assert "add the follow-up “Second”" in shown
    marketing = browse(cast.marketing)
    marketing.get(row.get_absolute_url())
    with CaptureQueriesContext(connection) as few:
        marketing.get(row.get_absolute_url())
    entering.enter(row, [entering.Arrival(cast.other_client.pk, "again")])
    with CaptureQueriesContext(connection) as more:
        marketing.get(row.get_absolute_url())
    assert len(more) == len(few)


def test_who_may_not_is_refused_and_nothing_is_written(cast, browse):
    row = verbs.create_automation(brand_id=cast.brand.pk, name="Mine", actor=cast.marketing)
    stranger = make_staff("elsewhere@x.example", Role.MARKETING, brand=cast.other_brand)
    before = AuditEvent.objects.count()
    for nobody in (cast.agent, cast.support, stranger):
        with pytest.raises(NotAllowed):
            verbs.activate_automation(automation_id=row.pk, actor=nobody, reason="Why not")
    assert browse(stranger).get(row.get_absolute_url()).status_code == 404
    assert browse(cast.agent).post(reverse("automation_do", args=[row.pk, "archive"])).status_code == 403
    assert AuditEvent.objects.count() == before


def test_every_shipped_template_can_be_activated(cast):
    for code in shipped.SHIPPED:
        row = shipped.make_from_template(brand_id=cast.brand.pk, template=code, actor=None)
        verbs.activate_automation(automation_id=row.pk, actor=None)
    assert Automation.objects.filter(state="active").count() == 5


def test_a_routing_rule_starts_a_sequence_for_its_leads(cast, german_rule, capture, browse):
    rules = browse(cast.administrator)
    answer = rules.post(reverse("automation_new"), {"rule": german_rule.pk})
    row = Automation.objects.get()
    assert answer.headers["Location"] == reverse("automation_edit", args=[row.pk])
    draft = {**row.draft, "steps": [task()]}
    verbs.save_automation(automation_id=row.pk, name=row.name, draft=draft, actor=cast.administrator)
    verbs.activate_automation(automation_id=row.pk, actor=None)
    assert row.get_absolute_url() in rules.get("/lead-rules/").content.decode()
    lead = capture()
    capture(email="other@example.com", phone="", language="fr", country="FR")
    drain()
    assert list(AutomationRun.objects.values_list("client_id", flat=True)) == [lead.client.pk]
    fields = {"brand": german_rule.brand, "desk": german_rule.desk}
    with pytest.raises(DomainError, match="German speakers"):
        save_routing_rule(actor=cast.desk_head, rule=german_rule, name="Speakers of German", **fields)
    german_rule.refresh_from_db()
    assert german_rule.name == "German speakers"
