"""Links and forms of every role's menu pages, and of what those load: none leads where its reader may not go.

A link is opened once per role and name of its address, and a menu's entry leads to a page of its name. The links of the
pages behind, and every form that is sent by POST, are held against the permission table.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, deque
from collections.abc import Mapping
from html import unescape
from typing import Any

from django.urls import Resolver404, resolve

from crm.choices import UserKind
from crm.models import User
from crm.ui import menu
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import Visitor

LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)"')
FORM = re.compile(r'(?:<form method="post"[^>]* action|hx-post)="(/[^"#]*)"')
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.S)
TAG = re.compile(r"<[^>]+>")
HOMES = {"staff": "/home/", "client": "/portal/", "partner": "/partners/"}
# What belongs to a page, and differs with its address: a card of a cockpit, a tab, a dashboard, a topic of the help.
PARTS = frozenset({"tile", "client_tab", "reports_dashboard", "help_topic"})
DEPTH = 1


@functools.cache
def name_of(address: str) -> str:
    try:
        return resolve(address.partition("?")[0]).view_name
    except Resolver404:
        return ""


def menu_of(user: User) -> list[menu.MenuLink]:
    """List the entries of a person's menu."""
    return menu.links_for(user, UserKind(user.kind).value)


def starts_of(user: User) -> list[str]:
    """List where the person's walk begins: at home, and with each entry of the menu."""
    return [HOMES[UserKind(user.kind).value], *(link.url for link in menu_of(user))]


def follow(who: str, user: User, browser: Visitor, opened_before: Mapping[str, Any], wrong: list[str]) -> int:
    """Read the pages of one person, from the menu on. `opened_before`: answers to this person that need not be asked for again."""
    todo = deque((address, "the menu", 0) for address in starts_of(user))
    opened, names = set(), Counter()
    titles = {link.url: link.entry.label for link in menu_of(user) if user.is_team}
    titles.pop("/home/", None)  # which greets the person
    while todo:
        address, source, depth = todo.popleft()
        name = name_of(address)
        if not name or address in opened or (depth and names[name] and name not in PARTS):
            continue
        opened.add(address)
        names[name] += 1
        answer = opened_before.get(address) or browser.get(address, follow=True)
        if answer.status_code >= 400:
            wrong.append(f"{who}: {address} answers {answer.status_code}, from {source}")
        if answer.streaming or depth > DEPTH:
            continue
        page = answer.content.decode(errors="replace")
        heading = HEADING.search(page) if address in titles else None
        title = unescape(TAG.sub("", heading[1])).strip() if heading else ""
        if address in titles and title.partition(" · ")[0] != titles[address]:
            wrong.append(f"{who}: {titles[address]} opens {title!r}")
        ways = {unescape(found) for found in FORM.findall(page) + (LINK.findall(page) if depth == DEPTH else [])}
        for way in {name_of(found) for found in ways}:
            rule = TABLE.get(way) if way not in PARTS else None
            if rule and rule.allows is not PUBLIC and who not in rule.allows | rule.elsewhere:
                wrong.append(f"{who}: a way to {way}, on {address}")
        if depth < DEPTH:
            todo += [(unescape(found), address, depth + 1) for found in LINK.findall(page)]
        elif depth == DEPTH:
            todo += [(found, address, depth + 1) for found in ways if name_of(found) in PARTS]
    return len(opened)
