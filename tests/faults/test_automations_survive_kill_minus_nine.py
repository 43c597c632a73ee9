"""A worker dies before any statement or commit of a batch of steps: each step of each run is done exactly once."""

import pytest
from django.db import transaction

from clients.models import Message, Task, TimelineEntry
from crm.due import sweep
from crm.due.kinds import KINDS
from leads.automations.entering import STEP_DUE, Arrival, enter
from leads.models import AutomationRun, AutomationRunStep
from tests.brand_policies import set_policies
from tests.cast import make_client
from tests.faults.killing import Rounds
from tests.leads.automations.test_runs import WELCOME, live, task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_death_before_any_statement_or_commit_loses_no_step_and_does_none_twice(cast):
    set_policies(cast.brand, automation_hour_from=0, automation_hour_until=24)
    automation = live(cast, WELCOME, task(), entries_max=50, entries_days=366)
    people = [
        make_client(email=f"k{place}@x.example", brand=cast.brand, book=cast.book, login=False) for place in range(2)
    ]
    rounds, kinds = Rounds(), [KINDS[STEP_DUE]]
    for step in range(1, 60):
        entered = enter_committed(automation, people, step)
        assert len(entered) == 2
        killed = rounds.killed_at(step, "steps", lambda: sweep(kinds=kinds))
        sweep(kinds=kinds)
        assert set(AutomationRun.objects.values_list("state", flat=True)) == {"finished"}, f"killed at step {step}"
        done = 2 * step
        assert (Message.objects.count(), Task.objects.count()) == (done, done), f"killed at step {step}"
        assert AutomationRunStep.objects.filter(state="done").count() == 2 * done
        assert TimelineEntry.objects.filter(dedupe_key__startswith="task:").count() == done
        if not killed:
            return
    pytest.fail("a batch has more statements than expected")


def enter_committed(automation, people, step):
    with transaction.atomic():
        return enter(automation, [Arrival(person.pk, f"round:{step}") for person in people])
