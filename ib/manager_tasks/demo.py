"""The demo's tasks about partners."""

from __future__ import annotations

import datetime as dt

from crm.brand_policies.registry import today
from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand
from ib.manager_tasks.partner_tasks import add_tasks
from ib.models import Partner

TASKS = ((0, "Agree on the webinar's date", 2), (1, "Ask for the new invoice address", 5))


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Set the manager two tasks."""
    manager = demo.by_role[Role.IB_MANAGER][0]
    for number, title, days in TASKS:
        add_tasks(
            partner_ids=[partners[number].pk],
            title=title,
            due_on=today(brand) + dt.timedelta(days=days),
            assignee_id=manager.pk,
            actor=manager,
        )
