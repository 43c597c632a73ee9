"""Translations without gettext's programs: texts are read from code and templates, merged into .po files and compiled.

Each app has its own catalogue, `<app>/locale/<language>/LC_MESSAGES/django.po`, of its code and of `templates/<app>/`; the
ground floor's is `locale/` and takes all templates that belong to no other app.
"""

from __future__ import annotations

import ast
import re
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

from crm.i18n.languages import base_of

# Which arguments of a call are (context, message, plural).
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "phrase": (None, 0, None),
    "ngettext": (None, 0, 1),
    "pgettext": (0, 1, None),
    "npgettext": (0, 1, 2),
}
LITERAL = r"""(?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")
# The source is English, in whichever of its regions.
LANGUAGES = [code for code, _name in settings.LANGUAGES if base_of(code) != "en"]


@dataclass(frozen=True)
class SourceText:
    """A text in a source file."""

    message: str | tuple[str, str]
    context: str | None
    path: str


def _folders(app: str) -> tuple[str, ...]:
    """List an app's folders below `templates/`."""
    return (app, *getattr(apps.get_app_config(app), "more_templates", ()))


@cache
def _public() -> tuple[str, ...]:
    """List how the paths begin of what clients, partners and strangers read: every app declares its own."""
    return tuple(path for config in apps.get_app_configs() for path in getattr(config, "public_texts", ()))


def home_of(app: str) -> Path:
    """Return the folder of an app's catalogues."""
    base = Path(settings.BASE_DIR)
    return base / "locale" if app == "crm" else base / app / "locale"


def sources_of(app: str) -> Iterator[Path]:
    """List the app's Python files and its templates."""
    base = Path(settings.BASE_DIR)
    yield from sorted(path for path in (base / app).rglob("*.py") if "migrations" not in path.parts)
    templates = base / "templates"
    others = {folder for name in settings.KEELSON_APPS if name != app for folder in _folders(name)}
    folders = [templates] if app == "crm" else [templates / folder for folder in _folders(app)]
    for folder in folders:
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt")]):
            if app != "crm" or path.relative_to(templates).parts[0] not in others:
                yield path


def texts_of(path: Path) -> Iterator[SourceText]:
    """Yield the translatable texts of a Python file or a template."""
    name = str(path.relative_to(settings.BASE_DIR))
    source = path.read_text(encoding="utf-8")
    yield from (_python_texts if path.suffix == ".py" else _template_texts)(source, name)


def _python_texts(source: str, name: str) -> Iterator[SourceText]:
    """Read the syntax tree: a tokenizer misses calls within f-strings, and those by another name (`gettext as said`)."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = {
        alias.asname: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.asname
    }
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        called = imported.get(called, called).removesuffix("_lazy").removesuffix("_noop")
        if called in CALLS:
            texts = [part.value if isinstance(part, ast.Constant) else None for part in node.args]
            context, message, plural = (None if at is None else dict(enumerate(texts)).get(at) for at in CALLS[called])
            if isinstance(message, str) and (context is None or isinstance(context, str)):
                yield SourceText((message, str(plural)) if plural else message, context, name)


def _template_texts(source: str, name: str) -> Iterator[SourceText]:
    for call, arguments in CALL.findall(templatize(source)):
        values = [literal_eval(part) for part in re.findall(LITERAL, arguments)]
        context = values.pop(0) if call in ("pgettext", "npgettext") else None
        plural = call in ("ngettext", "npgettext")
        yield SourceText((values[0], values[1]) if plural else values[0], context, name)


def template_catalog(app: str) -> Catalog:
    """Collect all texts of an app, with the files they come from."""
    catalog = Catalog(project="Keelson", charset="utf-8", fuzzy=False)
    for path in sources_of(app):
        for text in texts_of(path):
            singular = text.message[0] if isinstance(text.message, tuple) else text.message
            if singular.strip():
                catalog.add(text.message, locations=[(text.path, 0)], context=text.context)
    return catalog


def po_path(app: str, language: str) -> Path:
    """Return the path of an app's catalogue in a language."""
    return home_of(app) / language / "LC_MESSAGES" / "django.po"


def read_catalog(app: str, language: str) -> Catalog:
    """Read an app's catalogue in a language; empty where there is none yet."""
    path = po_path(app, language)
    if not path.exists():
        return Catalog(locale=language, project="Keelson", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(app: str, language: str) -> Catalog:
    """Update the catalogue to the texts of now: new ones empty, translations kept, texts that are gone dropped."""
    old, fresh = read_catalog(app, language), template_catalog(app)
    catalog = Catalog(locale=language, project="Keelson", charset="utf-8", fuzzy=False)
    for message in fresh:
        if message.id:
            known = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
            text = (
                known.string
                if known and not known.fuzzy and isinstance(known.id, str) == isinstance(message.id, str)
                else None
            )
            catalog.add(message.id, text, locations=message.locations, context=message.context)
    return catalog


def write_catalog(app: str, language: str, catalog: Catalog) -> None:
    """Write a catalogue without dates and line numbers, so that it changes only with its texts."""
    path = po_path(app, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    write_po(out, catalog, sort_output=True, omit_header=False, include_lineno=False, width=110)
    text = re.sub(
        r'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Report-Msgid).*\n', "", out.getvalue().decode(), flags=re.M
    )
    path.write_text(re.sub(r"\A(#[^\n]*\n)+", f"# Keelson in {language}: {app}.\n", text), encoding="utf-8")


def compiled(app: str, language: str) -> bytes:
    """Compile a catalogue to the bytes of its .mo, the same for the same texts."""
    out = BytesIO()
    catalog = read_catalog(app, language)
    # The .po states no dates and Babel would fill in now: the same texts must give the same bytes, also tomorrow.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(out, catalog)
    return out.getvalue()


def is_public(message: Message) -> bool:
    """Check whether clients, partners or strangers read this text."""
    places = [place.removeprefix("templates/") for place, _line in message.locations]
    return any(place.startswith(_public()) for place in places)


def untranslated(app: str, language: str, *, only_public: bool = True) -> list[str]:
    """List texts without a translation; by default only those that clients, partners and the public read."""
    missing = []
    for message in read_catalog(app, language):
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(strings) and (not only_public or is_public(message)):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing
