"""A small brokerage with an object for every page: the demo at its smallest scale, and the people who visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.test import Client as Browser

from clients.choices import Stage
from crm.choices import Role
from crm.models import Brand, User
from ib.models import Partner, PartnerMember
from tests.cast import signed_in

TRADERS = (Stage.FUNDED, Stage.ACTIVE)


class Visitor(Browser):
    """A test browser that keeps no copy of what each template was given, which takes as long as many a refusal."""

    def request(self, **request: Any) -> Any:
        answer: Any = self.handler(self._base_environ(**request))
        answer.request = request
        if answer.cookies:
            self.cookies.update(answer.cookies)
        return answer


@dataclass
class World:
    """Who visits (None: a stranger), and what the table's addresses name."""

    people: dict[str, User | None]
    brand: Brand
    partner: Partner


def whole_world() -> World:
    """The people of the demo that lies in the database already: of each kind who has most traders, else the first."""
    staff = (
        User.objects.filter(kind="staff", is_active=True)
        .alias(book=Count("owned_clients", filter=Q(owned_clients__stage__in=TRADERS)))
        .order_by("-book", "pk")
    )
    firsts = {role.value: staff.filter(groups__name=role.value).first() for role in Role}
    firsts["client"] = User.objects.filter(kind="client", is_active=True).order_by("pk")[0]
    firsts["partner"] = User.objects.filter(partner__isnull=False, is_active=True).order_by("pk")[0]
    for member in PartnerMember.objects.filter(partner__user=firsts["partner"]).select_related("user"):
        firsts[f"partner_{member.role}"] = member.user
    people = {name: user for name, user in firsts.items() if user}  # so small a demo has nobody for some roles
    return World(
        people={**people, "stranger": None},
        brand=Brand.objects.get(code="meridian"),
        partner=Partner.objects.filter(brand__code="meridian").order_by("pk")[0],
    )


def visit(browser: Visitor | None, user: User | None) -> Visitor:
    """Like `still_signed_in`, where an answer's status and content are all that is looked at."""
    if browser is None or user is None or not browser.cookies[settings.SESSION_COOKIE_NAME].value:
        browser = Visitor(raise_request_exception=False)
        if user:
            browser.cookies = signed_in(user).cookies
    return browser


def still_signed_in(browser: Browser | None, user: User | None) -> Browser:
    """The person's browser; signing in anew for every page would take longer than the pages. A stranger has nothing to keep."""
    if browser is None or user is None or not browser.cookies[settings.SESSION_COOKIE_NAME].value:
        browser = signed_in(user) if user else Browser()
        browser.raise_request_exception = False
    return browser
