"""Staff who read German meet no English: every page of the menu for each role, and the pages that those lead to."""

import ast
import re

import pytest
from django.conf import settings
from django.utils import translation

from clients.models import MailThread
from compliance.audit_log.field_labels import FIELD_LABELS
from compliance.models import ListEntry, ListVersion, WatchlistSource
from compliance.sentences import field_name
from crm.choices import Role
from crm.models import AuditEvent, User
from crm.security.audit.record import bodies_of
from crm.ui.menu import links_for
from ib.models import AutomaticPayout, CommissionDispute
from kyc.models import Document
from leads.models import Automation
from prop.models import NewsRelease
from tests.cast import signed_in
from tests.german import Reader, frozen
from tests.walker.world import whole_world
from wallet.models import PaymentMethod, Psp, WithdrawalCheck

pytestmark = pytest.mark.django_db
# The role that sees most opens first; the others open their home and what only they see.
ORDER = sorted(Role, key=lambda role: role is not Role.ADMINISTRATOR)
# Reasons that the system writes into text columns are in the company's language, whoever reads them (docs/ui.md).
COMPANY_LANGUAGE = (
    "CFDs are complex instruments",  # the standard risk warning that a new brand starts with
    "Company entry: fee, transfer or interest",
    "No matching deposit found.",
    "No report covers this day.",
    "Payments without a known owner:",
    "Days without a report or statement:",
    "Days without a client money calculation:",
    "Days with a client money shortfall:",
    "arrived instead of",
    " Measured: ",  # a draft of a suspicion report
    "INTERPOL-UN Security Council Special Notice web link",  # a list's own remark
    "paid by “",
)
# In the language of the document's reader, not of the page's.
OF_DOCUMENTS = ("Statement of account",)
# What a condition's editor keeps in the text area that it replaces.
CONDITION = '{"all": ['
# A questionnaire is previewed in the language that one chooses there.
PREVIEW = re.compile(r"^/kyc/questionnaires/\d+/preview/")
# What people type as they read it: values of a scoring rule, a list's name, a key.
# A client is offered questionnaires in their own language.
CODES = frozenset({"own", "The brokerage · Internal", "d", "Knowledge and experience"})


def test_every_staff_page_is_german(monkeypatch, demo_world):
    people = whole_world().people
    User.objects.filter(kind="staff").update(language="de")
    reader, links = Reader(monkeypatch, per_shape=1), {}
    for role in ORDER:
        user = people.get(role.value)
        if user:
            links |= {link.url: link.entry.label for link in links_for(user)}
            new = [url for url in links if url not in reader.opened]
            reader.read(signed_in(user), ("/home/", *new), most=400)
    assert not reader.unformatted
    wrong = {address: status for address, status in reader.opened.items() if status >= 400}
    assert not wrong
    assert len(reader.opened) > 350
    written = [*written_in_company_language()]
    assert len(written) > 10
    allowed = (*COMPANY_LANGUAGE, *OF_DOCUMENTS, CONDITION)
    names = {
        *CODES,
        *MailThread.objects.values_list("subject", flat=True),
        *PaymentMethod.objects.values_list("label", flat=True),
        *Psp.objects.values_list("name", flat=True),
        *(text for row in WatchlistSource.objects.values_list("name", "publisher") for text in row),
        *ListEntry.objects.values_list("primary_name", flat=True),
        *map(str, ListVersion.objects.select_related("source")),  # late by an hour in a demo that old
        *Document.objects.values_list("reason", flat=True),  # as it was sent to the client, in their language
        *WithdrawalCheck.objects.values_list("reason", flat=True),  # as written when the request was checked
        *AutomaticPayout.objects.values_list("refusal", flat=True),  # as written when it was tried
        *Automation.objects.values_list("name", flat=True),
        *NewsRelease.objects.values_list("title", flat=True),  # as it was entered
        *(text for row in CommissionDispute.objects.values_list("reason", "answer") for text in row),
        *(body.get("reason") for body in audit_bodies()),  # as it was recorded
    }
    english = sorted(
        f"{address}: {text}"
        for text, address in reader.english.items()
        if text not in names
        and not any(part in text for part in allowed)
        and not PREVIEW.search(address)
        and not any(pattern.fullmatch(text) for pattern in written)
    )
    assert not english, "\n".join(english)
    with translation.override("de"):
        named = {url: (str(label), reader.headings.get(url)) for url, label in links.items() if url != "/home/"}
    # Where a menu's address leads on to another one, that page is named for what it shows: a brand, a month.
    assert not {url: pair for url, pair in named.items() if pair[1] and not pair[1].startswith(pair[0])}


def written_in_company_language():
    """What modules write into rows with `localize`: patterns of their phrases, which say the same whoever reads the row."""
    texts = (path.read_text() for app in settings.KEELSON_APPS for path in (settings.BASE_DIR / app).rglob("*.py"))
    for tree in (ast.parse(text) for text in texts if "localize(" in text):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "phrase":
                parts = re.split(r"%\(\w+\)s", getattr(call.args[0], "value", ""))
                yield re.compile(".+?".join(re.escape(part) for part in parts))


def audit_bodies():
    return bodies_of(AuditEvent.objects.order_by("pk")[:20_000])


def names_in(values):
    """Every name of a field, however deep. What has a digit or a capital is a value."""
    if isinstance(values, dict):
        yield from (name for name in values if re.fullmatch("[a-z_]+", name))
    if isinstance(values, dict | list):
        for inner in values.values() if isinstance(values, dict) else values:
            yield from names_in(inner)


def test_every_field_in_the_audit_log_has_a_german_name(demo_world):
    english, german = frozen()
    fields = {
        name for body in audit_bodies() for part in ("before", "after", "evidence") for name in names_in(body.get(part))
    }
    with translation.override("de"):
        labels = {name: field_name(name) for name in fields if name not in FIELD_LABELS}
    wrong = sorted(name for name, label in labels.items() if label in english or label not in german)
    assert not wrong, "\n".join(wrong)
