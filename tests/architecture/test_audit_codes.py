"""Audit rows: one declaration per action, which the log, its filter, timelines and the documentation read."""

import ast
import re

from django.apps import apps
from django.conf import settings
from django.utils import translation

from compliance.audit_log.field_labels import FIELD_LABELS
from crm import audit_codes
from crm.audit_codes import AuditCode
from crm.i18n import catalogues
from crm.ui.icons import icon_names

ROOT = settings.BASE_DIR
FILES = [
    path
    for app in settings.KEELSON_APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts and path.name != "audit_codes.py"
]
CLASSES = AuditCode.__subclasses__()
MEMBERS = [member for kind in CLASSES for member in kind]
CODE = re.compile(rf"(?:{'|'.join(settings.KEELSON_APPS)})\.[a-z_]+")
QUOTED = re.compile(rf"[\"'](?:{'|'.join(settings.KEELSON_APPS)})\.")  # how a free text begins
TONES = {"neutral", "success", "info", "warning", "danger"}


def actions_of(tree):
    """Every value that a call or a row of many names as its action."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "action":
            yield node.value
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "action":
                    yield value


def is_free_text(node):
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    texts = [part.values[0] if isinstance(part, ast.JoinedStr) and part.values else part for part in parts]
    return any(isinstance(text, ast.Constant) and CODE.match(str(text.value)) for text in texts)


def test_no_audit_row_is_recorded_with_a_free_string():
    offences = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for text in [path.read_text()]
        if "action" in text and QUOTED.search(text)
        for node in actions_of(ast.parse(text))
        if is_free_text(node)
    ]
    assert not offences, offences
    assert is_free_text(ast.parse("f(action='crm.role_given' if a else b)").body[0].value.keywords[0].value)
    assert is_free_text(ast.parse("f(action=f'crm.grant_{state}')").body[0].value.keywords[0].value)


def test_each_audit_code_is_used():
    text = "\n".join(path.read_text() for path in FILES)
    named = set(re.findall(r"\b(\w+Action)\.([A-Z_]+)\b", text))
    by_state = re.findall(r'\b(\w+Action)\.of\("(\w+)"', text)
    unused = [
        member.value
        for member in MEMBERS
        if (type(member).__name__, member.name) not in named
        and not any(
            kind == type(member).__name__ and member.name.startswith(f"{noun}_".upper()) for kind, noun in by_state
        )
    ]
    assert not unused, unused


def test_each_audit_code_has_label_icon_and_tone():
    assert len(MEMBERS) == len(set(MEMBERS)) > 250
    for member in MEMBERS:
        assert CODE.fullmatch(member) and member.value.partition(".")[2].upper() == member.name
        assert member.icon in icon_names() and member.tone in TONES, member
        label = str(member.label)
        assert label and label[0].isupper() and not label.endswith("."), member
        assert audit_codes.find(member.value) is member and audit_codes.label_of(member.value) == label
    offered = [code for _app, codes in audit_codes.choices() for code, _label in codes]
    assert sorted(offered) == sorted(member.value for member in MEMBERS)
    assert audit_codes.label_of("crm.of_an_older_version") == "Of an older version"


def test_audit_labels_are_german_too():
    """The log is also printed for a regulator and a client, in the reader's language."""
    for kind in CLASSES:
        app = apps.get_containing_app_config(kind.__module__).label
        catalogue = catalogues.read_catalog(app, "de")
        with translation.override("en"):
            missing = [member.value for member in kind if not catalogue.get(str(member.label)).string]
        assert not missing, missing


def test_each_audit_code_is_in_the_documentation():
    """`docs/audit-codes.md` holds exactly these lines, one for each code."""
    lines = [f"| `{member.value}` | {member.label} |" for member in sorted(MEMBERS)]
    written = [line for line in (ROOT / "docs" / "audit-codes.md").read_text().splitlines() if line.startswith("| `")]
    assert written == lines, sorted(set(written) ^ set(lines))


PARTS = {"before", "after", "evidence"}


def fields_in(tree):
    """Every field that a call or a row of many names among what was, what is now and what proves it."""
    for node in ast.walk(tree):
        values = []
        if isinstance(node, ast.keyword) and node.arg in PARTS:
            values = [node.value]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            values = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value in PARTS]
        inner = (each for value in values for each in ast.walk(value) if isinstance(each, ast.Dict))
        yield from (key.value for each in inner for key in each.keys if isinstance(key, ast.Constant))


def test_each_field_of_an_audit_row_has_a_name_in_german():
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for app in settings.KEELSON_APPS
        for message in catalogues.read_catalog(app, "de")
        if message.string
    }
    texts = ((path, path.read_text()) for path in FILES if "demo" not in str(path.relative_to(ROOT)))
    fields = {
        field: path.relative_to(ROOT) for path, text in texts if "audit" in text for field in fields_in(ast.parse(text))
    }
    assert len(fields) > 300
    missing = {
        field: str(path)
        for field, path in fields.items()
        if field not in FIELD_LABELS and field.replace("_", " ").capitalize() not in known
    }
    assert not missing, "name them in compliance/audit_log/field_labels.py"
