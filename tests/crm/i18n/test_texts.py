"""Translations are extracted, merged and compiled without gettext's programs."""

import gettext
import io

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.core.management.base import CommandError

from crm.i18n import catalogues
from crm.texts.catalogue import TEXTS

PAGE = """{% translate "Hello" %} <c-card title="{% translate 'Inside <b>' %}">
  {% blocktranslate count n=total with name=user %}{{ name }} has {{ n }} lead{% plural %}{{ name }} has {{ n }} leads{% endblocktranslate %}
  {% translate "May" context "month" %} {{ _("Filter text")|upper }} {# {% translate "Not this" %} #}
</c-card>"""
CODE = """
label = gettext_lazy("From " "code")
both = ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
name = pgettext("verb", "Lead")
"""


@pytest.fixture
def house(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.KEELSON_APPS = ["crm", "leads"]
    for folder in ("crm", "leads", "templates/leads", "templates/account"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "templates/leads/list.html").write_text(PAGE)
    (tmp_path / "leads/tables.py").write_text(CODE)
    (tmp_path / "templates/account/login.html").write_text("{% translate 'Sign in' %}")
    return tmp_path


def ids(app: str) -> set:
    return {(m.id if isinstance(m.id, str) else m.id[0], m.context) for m in catalogues.template_catalog(app) if m.id}


def test_texts_come_from_templates_and_code_of_their_app(house):
    assert ids("leads") == {
        ("Hello", None),
        ("Inside <b>", None),
        ("%(name)s has %(n)s lead", None),
        ("May", "month"),
        ("Filter text", None),
        ("From code", None),
        ("%(n)s day", None),
        ("Lead", "verb"),
    }
    assert ids("crm") == {("Sign in", None)}


def test_extracting_keeps_translations_and_drops_texts_that_are_gone(house):
    call_command("compile_locale", "leads", extract=True, stdout=io.StringIO())
    path = catalogues.po_path("leads", "de")
    path.write_text(path.read_text().replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "Hallo"'))
    (house / "leads/tables.py").write_text('x = _("New text")')
    call_command("compile_locale", "leads", extract=True, stdout=io.StringIO())
    text = path.read_text()
    assert 'msgstr "Hallo"' in text and "New text" in text and "From code" not in text
    with path.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Hello") == "Hallo"
    before = path.read_bytes(), path.with_suffix(".mo").read_bytes()
    call_command("compile_locale", "leads", extract=True, stdout=io.StringIO())
    assert before == (path.read_bytes(), path.with_suffix(".mo").read_bytes()), "running it again changes nothing"


def test_the_check_names_what_is_missing(house):
    with pytest.raises(CommandError, match="not extracted: 'Sign in'"):
        call_command("compile_locale", "crm", check=True)
    call_command("compile_locale", "crm", extract=True, stdout=io.StringIO())
    with pytest.raises(CommandError, match="without a translation: 'Sign in'"):
        call_command("compile_locale", "crm", check=True)
    path = catalogues.po_path("crm", "de")
    path.write_text(path.read_text().replace('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "Anmelden"'))
    with pytest.raises(CommandError, match="not compiled"):
        call_command("compile_locale", "crm", check=True)
    call_command("compile_locale", "crm", stdout=io.StringIO())
    call_command("compile_locale", "crm", check=True)


def test_placeholders_survive_translation():
    """A translation that loses or invents a placeholder breaks the page that uses it."""
    import re

    wrong = []
    for app in project.KEELSON_APPS:
        for language in catalogues.LANGUAGES:
            for message in catalogues.read_catalog(app, language):
                if not message.id or not message.string or isinstance(message.id, tuple):
                    continue
                if set(re.findall(r"%\(\w+\)s", message.id)) != set(re.findall(r"%\(\w+\)s", str(message.string))):
                    wrong.append(message.id)
    assert not wrong


@pytest.mark.parametrize("app", project.KEELSON_APPS)
def test_what_people_outside_the_house_read_is_complete_in_every_language(app):
    """A new text is read with `manage.py compile_locale --extract`, translated in the .po file, and compiled again."""
    for language in catalogues.LANGUAGES:
        known = catalogues.read_catalog(app, language)
        for message in catalogues.template_catalog(app):
            if message.id and catalogues.is_public(message):
                words = message.id if isinstance(message.id, str) else message.id[0]
                found = known.get(words, message.context)
                assert found and all(found.string if isinstance(found.string, tuple) else (found.string,)), words
        path = catalogues.po_path(app, language)
        assert not path.exists() or path.with_suffix(".mo").read_bytes() == catalogues.compiled(app, language), (
            "not compiled"
        )


def test_a_text_has_one_translation_however_many_apps_use_it():
    """Django merges all catalogues into one: of two translations one loses. Two meanings of a word need a context."""
    for language in catalogues.LANGUAGES:
        found: dict[tuple, set] = {}
        for app in project.KEELSON_APPS:
            for message in catalogues.read_catalog(app, language):
                if message.id and isinstance(message.id, str) and message.string:
                    found.setdefault((message.id, message.context), set()).add(message.string)
        assert not {words: said for words, said in found.items() if len(said) > 1}


def test_every_letter_to_a_client_is_written_in_every_language():
    assert TEXTS
    assert not {key for key, text in TEXTS.items() if not {"en", *catalogues.LANGUAGES} <= set(text.texts)}
