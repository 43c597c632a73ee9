"""Letters as text: what is filled in, what stays hidden, and how a paragraph becomes a button."""

import datetime as dt

import pytest

from clients.mail import send_mail_to
from clients.mail_format import paragraphs, plain_text
from clients.models import Client
from clients.texts.letters import COMMON, RISK, get_letter, letter
from crm.errors import DomainError
from crm.texts.catalogue import TEXTS, Text, Variable, fill, names_in, without_addresses

BUTTON = "[Open it]({{ link }})"


@pytest.fixture
def made():
    """Registers letters for one test."""
    keys = []

    def make(key: str, **fields):
        keys.append(key)
        return letter(key, **{"title": "Test", "texts": {"en": Text("Hi", "Hello")}, **fields})

    yield make
    for key in keys:
        TEXTS.pop(key, None)


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Hello {{ name }}", {"name": "Anna"}, "Hello Anna"),
        ("Hello {{name}}, {{  name  }}", {"name": "Anna"}, "Hello Anna, Anna"),
        ("Hello {{ name }}", {}, "Hello {{ name }}"),
        ("Hello { name }", {"name": "Anna"}, "Hello { name }"),
        ("{{ amount }}", {"amount": 0}, "0"),
        ("{{ one }}", {"one": "{{ two }}", "two": "never"}, "{{ two }}"),
    ],
)
def test_what_is_filled_in(text, values, filled):
    assert fill(text, values) == filled


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Hello\n\n[Open it](https://x.example/t0k3n)\n\nBye", "Hello\n\n[Open it]\n\nBye"),
        ("[A](x)\n[B](y)", "[A]\n[B]"),
        ("see [this](x) here", "see [this](x) here"),
        ("  [A](x)  ", "[A]"),
    ],
)
def test_where_a_button_led_is_not_kept(body, kept):
    assert without_addresses(body) == kept


def test_paragraphs_are_lines_or_a_button():
    assert paragraphs("One\ntwo\n\n \n[Open it](https://x.example/)\n\nthree") == [
        {"lines": ["One", "two"]},
        {"label": "Open it", "url": "https://x.example/"},
        {"lines": ["three"]},
    ]
    assert paragraphs("[Open it](no url)")[0] == {"lines": ["[Open it](no url)"]}


def test_the_text_part_writes_the_address_out():
    assert plain_text("Hello\n\n[Open it](https://x.example/)") == "Hello\n\nOpen it:\nhttps://x.example/\n"


def test_a_letter_needs_english(made):
    with pytest.raises(ValueError, match="has no English"):
        made("tests.german", texts={"de": Text("Hallo", "Hallo")})


@pytest.mark.parametrize("text", [Text("{{ nick }}", "Hello"), Text("Hi", "{{ nick }}")])
def test_unknown_fields_are_named_in_subject_and_body(made, text):
    with pytest.raises(ValueError, match=r"tests\.bad \(de\) has unknown variables: nick"):
        made("tests.bad", texts={"en": Text("Hi", "Hello"), "de": text})


def test_own_and_common_variables_are_known(made):
    link = Variable("link", "Link", "https://x.example/", is_secret=True, is_link=True)
    texts = {"en": Text("{{ sum }}", BUTTON)}
    found = made("tests.good", variables=(Variable("sum", "Sum", "1"), link), texts=texts)
    assert found.names == {*(variable.name for variable in (*COMMON, RISK)), "sum", "link"} and found.secrets == [
        "link"
    ]
    assert get_letter("tests.good") is found


def test_a_text_without_its_secret_is_not_declared(made):
    with pytest.raises(ValueError, match="lacks: link"):
        made("tests.bad", variables=(Variable("link", "Link", "https://x.example/", is_secret=True),))


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_text_says_the_same_in_german(key):
    """What one language tells the client, the other tells, too."""
    own = {variable.name for variable in TEXTS[key].own}
    used = {language: names_in(text) & own for language, text in TEXTS[key].texts.items()}
    assert used["de"] == used["en"]


@pytest.mark.django_db
def test_days_are_written_as_the_client_reads_them(cast, made):
    said = Text("{{ day }}", "{{ day }}")
    made("tests.day", variables=(Variable("day", "Day", "1"),), texts={"en": said, "de": said})
    day = dt.date(2026, 3, 5)
    german = send_mail_to(client_id=cast.client.pk, template="tests.day", context={"day": day})
    Client.objects.filter(pk=cast.client.pk).update(language="en")
    english = send_mail_to(client_id=cast.client.pk, template="tests.day", context={"day": day})
    assert german is not None and english is not None
    assert (german.subject, english.subject) == ("05.03.2026", "Mar 5, 2026")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "called"), [({}, "Clara"), ({"first_name": ""}, "Weber"), ({"first_name": "", "last_name": ""}, "")]
)
def test_a_client_is_called_by_what_is_known(cast, made, fields, called):
    made("tests.name", texts={"en": Text("{{ first_name }}|{{ agent }}", "x")})
    Client.objects.filter(pk=cast.client.pk).update(**fields)
    message = send_mail_to(client_id=cast.client.pk, template="tests.name")
    assert message is not None and message.subject == f"{called}|Alice Tester"


@pytest.mark.django_db
def test_a_client_of_nobody_hears_from_the_brand(cast, made):
    made("tests.owner", texts={"en": Text("{{ agent }}", "x")})
    Client.objects.filter(pk=cast.client.pk).update(owner=None, book=cast.pool)
    message = send_mail_to(client_id=cast.client.pk, template="tests.owner")
    assert message is not None and message.subject == "Meridian Markets"


@pytest.mark.django_db
@pytest.mark.parametrize(("length", "kept"), [(200, 200), (201, 200)])
def test_a_subject_is_cut_at_200_letters(cast, made, length, kept):
    made("tests.long", variables=(Variable("words", "Words", "w"),), texts={"en": Text("{{ words }}", "x")})
    message = send_mail_to(client_id=cast.client.pk, template="tests.long", context={"words": "w" * length})
    assert message is not None and len(message.subject) == kept


@pytest.mark.django_db
def test_a_secret_that_is_missing_is_named(cast, made):
    made("tests.secret", variables=(Variable("link", "Link", "x", is_secret=True),), texts={"en": Text("Hi", BUTTON)})
    with pytest.raises(DomainError, match="link"):
        send_mail_to(client_id=cast.client.pk, template="tests.secret")
