"""What a text may hold: each problem is named with what to do, and nothing passes that would reach a client wrong."""

import pytest

from crm.texts.catalogue import TEXTS, Text, TextKind, find_text
from crm.texts.checks import problems_of, tidied

pytestmark = pytest.mark.django_db


def said(cast, key, heading="Hello", body="Hello {{ first_name }}"):
    return [
        (problem.field, problem.message) for problem in problems_of(find_text(key), Text(heading, body), cast.brand)
    ]


@pytest.mark.parametrize(
    ("heading", "body", "field", "words"),
    [
        ("Hello", "{{ frist_name }}", "body", "no variable “frist_name” in this text. Did you mean “first_name”?"),
        ("{{ First_Name }}", "x", "heading", "Did you mean “first_name”?"),
        ("Hello", "{{ qqqq }}", "body", "Choose one from the list"),
        ("Hello", "Hello {{ first_name", "body", "“{{ first_name” isn't a variable"),
        ("Hello", "Hello first_name }}", "body", "“}}” isn't a variable"),
        ("Hello", "{{ first name }}", "body", "isn't a variable"),
        ("Hello", "{{ first_name|upper }}", "body", "isn't a variable"),
        ("Hello", "{% if x %}", "body", "isn't a variable"),
        ("Hello", "{{{{ first_name }}}}", "body", "isn't a variable"),
        ("Hello\nBcc: x@y.example", "x", "heading", "without line breaks"),
        ("Hello\rBcc: x@y.example", "x", "heading", "without line breaks"),
        ("", "x", "heading", "Enter a text"),
        ("Hello", "", "body", "Enter a text"),
        ("x" * 161, "x", "heading", "At most 160 characters: it is 1 character too long"),
        ("Hello", "x" * 20_002, "body", "it is 2 characters too long"),
        ("Hello", "one\ntwo\x07", "body", "Line 2 has an invisible control character (U+0007)"),
        ("Hello", "a\x00b", "body", "U+0000"),
        ("Hello", "pay \u202etxt.exe", "body", "U+202E"),
        ("Hello", "[Open]({{ portal_url }}", "body", "write a button as"),
        ("Hello", "[]({{ portal_url }})", "body", "write a button as"),
        ("Hello", "[Open](javascript:alert(1))", "body", "must lead to"),
        ("Hello", "[Open](http://x.example/)", "body", "must lead to"),
        ("Hello", "[Open]({{ first_name }})", "body", "must lead to"),
    ],
)
def test_a_problem_is_named_at_its_field(cast, heading, body, field, words):
    found = said(cast, "kyc.verified", heading, body)
    assert any(place == field and words in message for place, message in found), found


@pytest.mark.parametrize(
    "body",
    [
        "Hello {{first_name}}, {{  brand }}",
        "[Open]({{ portal_url }})",
        "[Open](https://www.meridian.example/help?a=1)",
        "<script>alert(1)</script> & <b>bold</b>",
        "one { two } 100 % {x}",
        "tab\tand\nlines",
        "Ünïcödé 漢字 عربي 🎉",
        "x" * 20_000,
    ],
)
def test_what_is_fine_passes(cast, body):
    assert said(cast, "kyc.verified", "Hello", body) == []


def test_a_secret_link_may_not_be_left_out(cast):
    found = said(cast, "leads.registration_link", "Hello", "Without a link, until {{ expires }}")
    assert found == [("body", "The text must contain {{ link }}: Personal registration link.")]
    assert said(cast, "leads.registration_link", "Hello", "[Go]({{ link }})") == []


def test_a_blank_email_keeps_what_its_sender_wrote(cast):
    assert len(said(cast, "clients.free_text", "Hello", "Hello")) == 2


def test_the_percentage_needs_a_figure(cast):
    cast.brand.loss_percentage = None
    assert "no percentage" in said(cast, "crm.risk_warning", "", "{{ percent }}% lose")[0][1]
    cast.brand.loss_percentage = 71
    assert said(cast, "crm.risk_warning", "", "{{ percent }}% lose") == []


def test_a_risk_warning_has_no_heading(cast):
    assert said(cast, "crm.risk_warning", "Heading", "x")[0][0] == "heading"


def test_line_ends_of_any_system_are_one(cast):
    assert tidied("  Hello ", "a\r\nb\rc\n\n") == Text("Hello", "a\nb\nc")


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_declared_text_passes_its_own_checks(cast, key):
    declared = TEXTS[key]
    cast.brand.loss_percentage = 71
    for language, text in declared.texts.items():
        if text.body or declared.kind is not TextKind.NOTICE:
            assert problems_of(declared, tidied(text.heading, text.body), cast.brand) == [], language
