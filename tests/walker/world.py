"""A small brokerage with an object for every page: the demo at its smallest scale, and the people who visit."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client as Browser

from crm import demo
from crm.choices import Role
from crm.models import User
from tests.cast import signed_in


@dataclass
class World:
    demo: demo.Demo
    people: dict[str, User | None] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)


def build_world() -> World:
    context = demo.Demo(rng=random.Random(7), now=dt.datetime.now(dt.UTC), progress=lambda *_: None, scale=0.02)
    demo.load(context)
    world = World(context)
    world.people = {
        role.value: people[0] for role, people in ((role, context.by_role.get(role.value)) for role in Role) if people
    }
    world.people["client"] = User.objects.filter(kind="client", is_active=True).order_by("pk").first()
    world.people["partner"] = User.objects.filter(kind="partner", is_active=True).order_by("pk").first()
    world.people["stranger"] = None
    return world


def still_signed_in(browser: Browser | None, user: User | None) -> Browser:
    """The person's browser; signing in anew for every page would take longer than the pages. A stranger has nothing to keep."""
    if browser is None or user is None or not browser.cookies[settings.SESSION_COOKIE_NAME].value:
        browser = signed_in(user) if user else Browser()
        browser.raise_request_exception = False
    return browser
