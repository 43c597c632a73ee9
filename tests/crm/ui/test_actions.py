"""The result of an action is shown where the person looks for it: as a message, or in the form."""

from __future__ import annotations

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.test import RequestFactory

from crm.errors import DomainError, NotAllowed, WrongState
from crm.ui.actions import run_action


class Why(forms.Form):
    reason = forms.CharField()


@pytest.fixture
def request_() -> HttpRequest:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def told(request: HttpRequest) -> list[tuple[str, str]]:
    return [(one.level_tag, one.message) for one in get_messages(request)]


def refuses(error: Exception) -> None:
    raise error


def test_a_verb_that_was_done_is_a_success_with_its_result_even_where_that_is_nothing(request_: HttpRequest) -> None:
    done = run_action(request_, lambda: [7], lambda found: f"{len(found)} found")
    assert done and done.result == [7]
    form = Why({"reason": "Because"})
    done_too = run_action(request_, lambda: {}.get(form.cleaned_data["reason"]), "Saved.", form=form)
    assert done_too and done_too.result is None and not form.errors
    assert told(request_) == [("success", "1 found"), ("success", "Saved.")]


def test_a_refusal_is_a_message_of_a_button_and_stands_in_a_form(request_: HttpRequest) -> None:
    assert run_action(request_, lambda: refuses(WrongState("Too late.")), "Saved.") is None
    form = Why({"reason": "Because"})
    assert run_action(request_, lambda: refuses(DomainError("Not now.")), "Saved.", form=form) is None
    assert form.non_field_errors() == ["Not now."]
    assert told(request_) == [("error", "Too late.")]


def test_nothing_is_run_with_a_form_that_is_wrong(request_: HttpRequest) -> None:
    form, ran = Why({"reason": ""}), []
    assert run_action(request_, lambda: ran.append(1), "Saved.", form=form) is None
    assert not ran and list(form.errors) == ["reason"] and told(request_) == []


def test_who_may_not_gets_a_403_unless_the_page_says_why(request_: HttpRequest) -> None:
    form = Why({"reason": "Because"})
    for one in (None, form):
        with pytest.raises(NotAllowed):
            run_action(request_, lambda: refuses(NotAllowed("You asked.")), "Saved.", form=one)
    assert not form.errors and told(request_) == []
    for one in (None, form):
        refused = run_action(
            request_, lambda: refuses(NotAllowed("You asked.")), "Saved.", form=one, show_forbidden=True
        )
        assert refused is None
    assert form.non_field_errors() == ["You asked."] and told(request_) == [("error", "You asked.")]


def test_what_is_no_refusal_goes_on(request_: HttpRequest) -> None:
    with pytest.raises(ZeroDivisionError):
        run_action(request_, lambda: 1 // 0, "Saved.", form=Why({"reason": "Because"}), show_forbidden=True)
    assert told(request_) == []
