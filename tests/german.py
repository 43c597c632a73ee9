"""Reads pages as somebody does who has no English: which texts of a page are not German."""

from __future__ import annotations

import ast
import datetime as dt
import html
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.template import base
from django.test import Client as Browser
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.formats import localize
from django.utils.translation import trans_real

from crm.i18n import catalogues

# What nobody reads, and what is marked as a text in another language.
UNREAD = re.compile(r"<(script|style|svg)\b.*?</\1>|<(\w+)[^>]*\blang=\"en[\w-]*\"[^>]*>.*?</\2>|<!--.*?-->", re.S)
SPOKEN = re.compile(r'\s(?:title|placeholder|aria-label|alt|data-(?:confirm|confirm-label|label|say-[\w-]+))="([^"]+)"')
# A text with words of the first kind and none of the second is English.
ENGLISH = re.compile(
    r"\b(the|and|with|from|this|that|these|its|are|were|has|have|not|for|by|of|to|your|you|who|what|which|when|since|until|before|after"
    r"|only|every|each|without|because|than|where|does|today|yesterday|days?|hours?|minutes?|ago|yes|new)\b",
    re.IGNORECASE,
)
GERMAN = re.compile(
    r"\b(der|die|das|und|mit|von|ist|nicht|für|eine?r?|zu|im|den|dem|des|auf|wird|wurde|oder|bei|nach|aus|vor|seit|bis|durch|über|sind"
    r"|werden|ohne|noch|nur|keine?|als|am|an|um|er|es|sie|zum|zur|einem|einen|(?-i:Minuten?))\b",
    re.IGNORECASE,
)
# Names that are the same in both languages: acts and authorities, time zones, a product's own name.
NAMES = re.compile(
    r"^(ASIC|ESMA|CySEC|FCA|US Department|UN Security|Isle of Man|First Bank of Sand|(America|Europe)/)|^OF$"
)
OWN_NAMES = frozenset(dict(settings.LANGUAGES).values())
ONE_OF_MANY = re.compile(r"\d|^[A-Z]{2,3}$")
NO_PAGES = (
    "logout",
    "export",
    "download",
    "language",
    "/static/",
    "/api/",
    "/live/",
    "/i18n/",
    "/admin/",
    "/django-rq",
    "/l/",
    "/styleguide/",
)


@cache
def frozen() -> tuple[dict[str, str], frozenset[str]]:
    """Map each English text to its German, where they differ; and all German texts."""
    pairs: dict[str, str] = {}
    for app in settings.KEELSON_APPS:
        for message in catalogues.read_catalog(app, "de"):
            ids, texts = (part if isinstance(part, tuple) else (part,) for part in (message.id, message.string))
            pairs |= {source.strip(): text.strip() for source, text in zip(ids, texts, strict=False) if source}
    german = frozenset(pairs.values())
    return {source: text for source, text in pairs.items() if source not in german}, german


@cache
def of_demo() -> tuple[str, ...]:
    """List what people of the demo and its servers wrote: notes, reasons, names. They aren't the product's texts."""
    root = Path(settings.BASE_DIR)
    files = [
        *root.glob("*/demo/**/*.py"),
        *root.glob("*/demo*.py"),
        *root.glob("*/*/demo.py"),
        *root.glob("sandbox/**/*.py"),
        *root.glob("*/migrations/*.py"),
    ]
    texts = (
        node.value.strip()
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return tuple({text for text in texts if len(text) >= 4})


class Reader:
    """Opens pages in German and notes each text that a page shows and that is not German.

    `follows` are the beginnings of the addresses it goes on to; `per_shape` is how many pages of one kind it opens.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, follows: tuple[str, ...] = ("/",), per_shape: int = 2
    ) -> None:
        self.follows, self.per_shape = follows, per_shape
        self.asked: set[str] = set()
        self.english: dict[str, str] = {}
        self.opened: dict[str, int] = {}
        self.headings: dict[str, str] = {}
        self.shapes: Counter[str] = Counter()
        self.unformatted: dict[str, str] = {}
        self._watch_dates(monkeypatch)
        for name in ("gettext", "pgettext", "ngettext"):
            monkeypatch.setattr(translation._trans, name, self._listening(name), raising=False)  # type: ignore[attr-defined]

    def _watch_dates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note each date that a template writes without a filter: in Django's format, not in the page's."""

        def write(value, *args, **kwargs):
            if isinstance(value, dt.date | dt.time):
                self.unformatted.setdefault(self.address, str(value))
            return localize(value, *args, **kwargs)

        self.address = ""
        monkeypatch.setattr(base, "localize", write)

    def _listening(self, name: str):
        real = getattr(trans_real, name)

        def look_up(*words):
            text = real(*words)
            source = words[1] if name == "pgettext" else words[0]
            if text == (words[1] if name == "ngettext" and words[2] != 1 else source):
                key = (
                    f"{words[0]}\x04{words[1]}" if name == "pgettext" else (source, 1) if name == "ngettext" else source
                )
                # The name of a language in its own words has no translation.
                is_known = source in OWN_NAMES or trans_real.catalog()._catalog.get(key) is not None
                if translation.get_language() == "de" and not is_known:
                    self.asked.add(str(source))
            return text

        return look_up

    def read(self, browser: Browser, starts: Iterator[str] | tuple[str, ...], *, most: int = 45) -> None:
        """Open the first pages, whatever their kind, then what they link to."""
        browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
        todo, seen = [*starts], set()
        first = set(todo)
        while todo and len(seen) < most:
            address = todo.pop(0).partition("#")[0]
            shape = shape_of(address)
            if address in seen or shape is None or (self.shapes[shape] >= self.per_shape and address not in first):
                continue
            seen.add(address)
            self.shapes[shape] += 1
            self.asked.clear()
            self.address = address
            answer = browser.get(address, headers={"accept-language": "de"})
            if answer.status_code == 403:  # a link to what another role opens
                self.shapes[shape] -= 1
                continue
            self.opened[address] = answer.status_code
            if answer.status_code in (301, 302):
                todo.append(answer["Location"])
            elif not answer.streaming and "html" in answer.get("Content-Type", ""):
                page = answer.content.decode()
                self._note(address, page)
                todo += [
                    link for link in re.findall(r'(?:href|hx-get)="(/[^"]*)"', page) if link.startswith(self.follows)
                ]

    def _note(self, address: str, page: str) -> None:
        heading = re.search(r"<h1\b[^>]*>(.*?)</h1>", page, re.S)
        self.headings[address] = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", heading[1])).split()) if heading else ""
        read = UNREAD.sub(" ", page)
        texts = [" ".join(html.unescape(text).split()) for text in (*SPOKEN.findall(read), *re.split(r"<[^>]+>", read))]
        shown = "\n".join(texts)
        for source in self.asked:
            pattern = ".+?".join(re.escape(part) for part in re.split(r"%(?:\(\w+\))?[sd]", source))
            if re.search(rf"(?<!\w){pattern}(?!\w)", shown):
                self.english.setdefault(source, address)
        for text in {text.removesuffix(" · Keelson") for text in texts}:
            if is_english(text):
                self.english.setdefault(text[:200], address)


@cache
def shape_of(address: str) -> str | None:
    """Name the kind of page: its view, and what its address says in words. A number or a country's code is one of many."""
    if any(part in address for part in NO_PAGES) and not address.startswith("/b/"):
        return None
    try:
        match = resolve(address.partition("?")[0])
    except Resolver404:
        return None
    named = sorted(f"{key}={value}" for key, value in match.kwargs.items() if not ONE_OF_MANY.search(str(value)))
    return " ".join([match.view_name or match._func_path, *named])


@cache
def is_english(text: str) -> bool:
    """Check for a text that has another one in German, or that reads as English, unless somebody of the demo wrote it."""
    english, german = frozen()
    if text in german or text in OWN_NAMES or NAMES.match(text):
        return False
    if text in english:
        return text not in of_demo()
    if not ENGLISH.search(text) or GERMAN.search(text):
        return False
    return not any(" " in part and len(part) > 8 and part in text for part in of_demo())
