"""What people see when something is wrong: in words, in their language, with nothing of the machinery."""

import re

import pytest
from django.db import OperationalError
from django.test import Client

from crm.errors import WrongState
from crm.pages import home


def test_what_is_not_there_is_said(browse, cast):
    answer = browse(cast.agent).get("/nowhere/")
    assert answer.status_code == 404 and "Page not found" in answer.content.decode()


def test_what_is_not_allowed_is_said(browse, cast):
    answer = browse(cast.agent).get("/events/")
    assert answer.status_code == 403 and "your role doesn't include this page" in answer.content.decode()


def test_an_outdated_form_says_so(cast):
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/language/", {"language": "de"})
    assert answer.status_code == 403 and "This page has expired" in answer.content.decode()


def test_errors_speak_the_readers_language(client, db):
    answer = client.get("/nowhere/", headers={"accept-language": "de"})
    assert "Seite nicht gefunden" in answer.content.decode()


@pytest.fixture
def broken(browse, cast, monkeypatch):
    """`broken(error)` opens the home page while its tiles raise that error."""

    def visit(error: Exception):
        def fail(*args):
            raise error

        monkeypatch.setattr(home.panels, "tiles_for", fail)
        browser = browse(cast.agent)
        browser.raise_request_exception = False
        return browser.get("/home/")

    return visit


def test_an_error_of_ours_gives_a_reference_and_no_details(broken):
    answer = broken(RuntimeError("secret path /srv/x"))
    page = answer.content.decode()
    assert answer.status_code == 500 and "secret path" not in page
    assert re.search(r"Reference: [0-9a-f]{8}-[0-9a-f-]{27}", page)


def test_a_database_that_is_away_is_a_matter_of_minutes(broken):
    answer = broken(OperationalError("connection refused"))
    assert answer.status_code == 503 and answer["Retry-After"] and "Back in a moment" in answer.content.decode()


def test_a_refusal_of_the_business_is_a_page_with_its_reason(broken):
    answer = broken(WrongState("This withdrawal was paid already."))
    assert answer.status_code == 409 and "This withdrawal was paid already." in answer.content.decode()
