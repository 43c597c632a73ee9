"""Logs hold no row of the database, no search and no token of a link."""

import io
import json
import logging

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from crm.project import logs
from tests.cast import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["json", "plain"])
def output(request):
    """Whatever is logged, as our own handler writes it."""
    import logging.config

    written = io.StringIO()
    chosen = logs.configure("INFO", as_json=request.param)["formatters"]["line"]
    maker = logging.config.DictConfigurator({"version": 1})
    handler = logging.StreamHandler(written)
    handler.setFormatter(maker.configure_formatter(chosen))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield written.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


def fail(sql, *values):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except Exception:
        logging.getLogger("keelson.test").exception("it failed")


def test_a_row_that_the_database_quotes_is_not_logged(output, cast):
    fail("INSERT INTO crm_lastingkey SELECT purpose, 'c01x00t47\nsecond line' FROM crm_lastingkey")
    fail("INSERT INTO crm_brand (code, name) VALUES ('x', 'C01X00T47')")
    fail("SELECT 'C01X00T47'::int")
    text = output()
    assert text.count("it failed") == 3
    assert "duplicate key value" in text or "IntegrityError" in text
    assert "C01X00T47" not in text and "destination-mark" not in text and "second line" not in text


def test_an_error_of_the_database_is_still_named(output):
    fail("INSERT INTO crm_lastingkey SELECT purpose, wrapped FROM crm_lastingkey")
    assert "crm_lastingkey_pkey" in output()
    assert IntegrityError.__name__ in output()


def test_requests_are_logged_without_searches_and_tokens(output, cast):
    Browser().get("/accounts/password/choose/12:very-secret-token/", {"q": "Greta Garbo"})
    signed_in(cast.administrator).get("/palette/", {"q": "C01X00T47"})
    text = output()
    assert "/accounts/password/choose/<token>/?q" in text
    assert "/palette/?q" in text
    assert not [word for word in ("very-secret-token", "Garbo", "C01X00T47") if word in text]


def test_a_links_address_that_was_cut_or_changed_is_logged_without_its_token(output):
    for path in ("/accounts/password/choose/12:very-secret-token", "/accounts/password/choose/12:very-secret-token/)/"):
        Browser().get(path)
    assert "/accounts/password/choose/<token>" in output()
    assert "very-secret-token" not in output()


def test_scrubbing_keeps_what_comes_after_the_row():
    text = (
        "duplicate key\nDETAIL:  Key (email)=(a@b.c) exists.\nmore of it\nHINT:  Look.\n\nDuring handling of the above"
    )
    assert logs.without_rows(text) == "duplicate key\nDETAIL: …\nHINT:  Look.\n\nDuring handling of the above"
    assert json.dumps(logs.without_rows("nothing to hide")) == '"nothing to hide"'
