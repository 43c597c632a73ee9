"""The result of an action is shown where the person looks for it: as a message, or in the form."""

from __future__ import annotations

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.test import RequestFactory

from crm.errors import DomainError, NotAllowed, Refusal, WrongState, outcome_of
from crm.ui.actions import run_action


class ReasonForm(forms.Form):
    reason = forms.CharField()


@pytest.fixture
def request_() -> HttpRequest:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def messages_of(request: HttpRequest) -> list[tuple[str, str]]:
    return [(message.level_tag, message.message) for message in get_messages(request)]


def refuses(error: Exception) -> None:
    raise error


def test_a_verb_that_was_done_is_a_success_with_its_result_even_where_that_is_nothing(request_: HttpRequest) -> None:
    done = run_action(request_, lambda: [7], lambda rows: f"{len(rows)} found")
    assert done and done.result == [7]
    form = ReasonForm({"reason": "Because"})
    done_too = run_action(request_, lambda: {}.get(form.cleaned_data["reason"]), "Saved.", form=form)
    assert done_too and done_too.result is None and not form.errors
    assert messages_of(request_) == [("success", "1 found"), ("success", "Saved.")]


def test_a_refusal_is_a_message_of_a_button_and_stands_in_a_form(request_: HttpRequest) -> None:
    assert not run_action(request_, lambda: refuses(WrongState("Too late.")), "Saved.")
    form = ReasonForm({"reason": "Because"})
    assert not run_action(request_, lambda: refuses(DomainError("Not now.")), "Saved.", form=form)
    assert form.non_field_errors() == ["Not now."]
    assert messages_of(request_) == [("error", "Too late.")]


def test_nothing_is_run_with_a_form_that_is_wrong(request_: HttpRequest) -> None:
    form, ran = ReasonForm({"reason": ""}), []
    assert not run_action(request_, lambda: ran.append(1), "Saved.", form=form)
    assert not ran and list(form.errors) == ["reason"] and messages_of(request_) == []


def test_who_may_not_gets_a_403_unless_the_page_says_why(request_: HttpRequest) -> None:
    form = ReasonForm({"reason": "Because"})
    for place in (None, form):
        with pytest.raises(NotAllowed):
            run_action(request_, lambda: refuses(NotAllowed("You asked.")), "Saved.", form=place)
    assert not form.errors and messages_of(request_) == []
    for place in (None, form):
        refused = run_action(
            request_, lambda: refuses(NotAllowed("You asked.")), "Saved.", form=place, show_forbidden=True
        )
        assert not refused
    assert form.non_field_errors() == ["You asked."] and messages_of(request_) == [("error", "You asked.")]


def test_what_is_no_refusal_goes_on(request_: HttpRequest) -> None:
    with pytest.raises(ZeroDivisionError):
        run_action(request_, lambda: 1 // 0, "Saved.", form=ReasonForm({"reason": "Because"}), show_forbidden=True)
    assert messages_of(request_) == []


def test_without_a_message_success_is_silent(request_: HttpRequest) -> None:
    assert run_action(request_, lambda: 7) and messages_of(request_) == []


def test_a_refusal_is_shown_at_the_field_it_names(request_: HttpRequest) -> None:
    form = ReasonForm({"reason": "Because"})
    assert not run_action(request_, lambda: refuses(DomainError("Too short.")), form=form, field="reason")
    assert form.errors == {"reason": ["Too short."]}

    def place(error: DomainError) -> str | None:
        return "reason" if error.code == "too_long" else None

    form = ReasonForm({"reason": "Because"})
    assert not run_action(request_, lambda: refuses(DomainError("Too long.", code="too_long")), form=form, field=place)
    form_too = ReasonForm({"reason": "Because"})
    assert not run_action(request_, lambda: refuses(DomainError("Not now.")), form=form_too, field=place)
    assert form.errors == {"reason": ["Too long."]} and form_too.non_field_errors() == ["Not now."]


def test_each_reason_of_a_refusal_gets_its_own_line(request_: HttpRequest) -> None:
    class TwoReasons(DomainError):
        def __init__(self) -> None:
            super().__init__("Too much. Too late.")
            self.reasons = ["Too much.", "Too late."]

    form = ReasonForm({"reason": "Because"})
    assert not run_action(request_, lambda: refuses(TwoReasons()), form=form)
    assert form.non_field_errors() == ["Too much.", "Too late."]


def test_an_unshown_refusal_is_returned_for_the_page_to_answer(request_: HttpRequest) -> None:
    form = ReasonForm({"reason": "Because"})
    refused = run_action(request_, lambda: refuses(WrongState("Ask first.")), form=form, unshown=WrongState)
    assert isinstance(refused, Refusal) and refused.message == "Ask first."
    assert not form.errors and messages_of(request_) == []
    with pytest.raises(NotAllowed):
        run_action(request_, lambda: refuses(NotAllowed("You asked.")), form=form, unshown=WrongState)


def test_an_outcome_is_the_result_or_the_refusal_that_was_expected() -> None:
    done = outcome_of(lambda: 7)
    assert done and done.result == 7 and done.message == ""
    refused = outcome_of(lambda: refuses(WrongState("Too late.")), only=WrongState)
    assert not refused and refused.result is None and refused.message == "Too late."
    with pytest.raises(NotAllowed):
        outcome_of(lambda: refuses(NotAllowed("Not you.")), only=WrongState)
