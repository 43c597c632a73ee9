"""What every page of a kind has around it is named for people who don't see it; tables have no nameless columns."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
EMPTY_HEADER = re.compile(r"<th\b[^>]*>\s*</th>")


def test_no_column_is_without_a_name():
    nameless = [str(path) for path in TEMPLATES if EMPTY_HEADER.search(path.read_text(encoding="utf-8"))]
    assert not nameless, nameless


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "page"), [("administrator", "/home/"), ("client_user", "/portal/")])
def test_bell_and_account_say_what_is_seen_of_them(cast, browse, who, page):
    """The visible words of a control are part of its name: the unread count at the bell, the person at the account."""
    user = getattr(cast, who)
    text = browse(user).get(page).content.decode()
    bell = re.search(r'<(button|a)\b[^>]*class="k-top-btn"[^>]*title="Notifications"[^>]*>(.*?)</\1>', text, re.S)
    assert bell is not None and "aria-label" not in bell[0].partition(">")[0]
    assert '<span class="visually-hidden">Notifications</span>' in bell[2]
    assert f'aria-label="Your account: {user}"' in text
    assert re.search(r'<span class="k-avatar [^"]*" aria-hidden="true">', text)


@pytest.mark.django_db
def test_the_ribbon_of_a_demo_stands_in_a_landmark(cast, browse, settings):
    settings.DEMO = True
    text = browse(cast.administrator).get("/home/").content.decode()
    assert re.search(r'<aside class="k-demo-ribbon" aria-label="Demo">', text)
