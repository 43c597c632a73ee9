"""The language of what people read: no words that sound translated, and German for every text."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from crm.i18n import catalogues

ROOT = Path(settings.BASE_DIR)
APPS = settings.KEELSON_APPS

# What we don't write, and what we write instead.
NOT_WRITTEN = {
    "told, tell": (r"\b(told|tells?|telling)\b", "notified, report"),
    "say, says": (r"\b(says?|said|saying)\b", "report, enter, state"),
    "by itself": (r"\bby (itself|themselves)\b", "automatically"),
    "anew": (r"\banew\b", "again"),
    "wish": (r"\bwish(es|ed)?\b", "request"),
    "ways to pay": (r"\bways? to pay\b", "payment methods"),
    "way in, way out": (r"\bways? (in|out)\b", "payment method"),
    "letter": (r"(?<!two-)(?<!dead[- ])\bletters?\b(?! (and|or|,) ?digits?)", "e-mail, template"),
    "papers": (r"\bpapers?\b", "documents"),
    "the house": (r"\b(the|our) house\b", "the broker, the company"),
    "what came of it": (r"\bwhat (came|became|becomes?) of\b", "result"),
    "what happened": (r"\bwhat happened\b", "activity, history"),
    "came by, came in": (r"\b(came|comes?|coming) (by|in|again)\b", "source, received, repeat"),
    "where they came from": (r"\bwhere (they|it|he|she) (came|comes?) from\b", "acquisition, source"),
    "particulars": (r"\bparticulars\b", "details, personal details"),
    "who looked": (r"\b(who|nobody) (has )?looked\b", "access log"),
    "looks": (r"\b(looks?|looked|looking) (at|into|again|for itself)\b", "views, review, refresh"),
    "give up": (r"\b(gives?|gave|given) up\b", "cancel, abandon"),
    "take over": (r"\b(take[ns]?|took|taking) over\b", "claim, import"),
    "take in": (r"\b(take[ns]?|took|taking) in\b", "receive, import"),
    "stands": (r"\b(stands?|stood)\b(?!-| out| for| still)", "is, appears"),
    "held against": (r"\bheld against\b", "compared with"),
    "belongs into": (r"\bbelongs? into\b", "goes in"),
    "of another client": (r"\bof another client\b", "wrong client"),
    "nobody": (r"\bnobody(['’]s)?\b", "no one by name: no agent, no matches, unassigned"),
    "whoever": (r"\bwho(so)?ever\b", "the person who"),
    "how often": (r"^how often\b", "velocity, frequency"),
    "who paid in": (r"\bwho paid in\b", "payer"),
    "paid in": (r"^paid in$", "deposited, payout currency"),
    "whose destination": (r"\bwhose destination\b", "payout account owner"),
    "in and out": (r"^in and out\b", "rapid in-and-out"),
    "telephone": (r"\btelephones?\b", "phone"),
    "mailbox": (r"\bmailbox(es)?\b", "e-mail address"),
    "at once": (r"\bat once\b", "immediately, at a time"),
    "in words": (r"\bin (its|their|your|a few) words\b|\bin words\b", "comment, explain"),
    "is known": (r"\bis known by\b", "is identified by"),
    "all the same": (r"\ball the same\b", "anyway"),
    "is no": (
        r"\b(is|are) no (valid |real )?(country|number|date|amount|address|currency|language)\b",
        "isn't a valid",
    ),
    "holds no more": (r"\bholds? no more\b|\bno more holds\b", "no longer applies"),
    "reach": (r"\byou (don['’]t |do not )?reach\b", "have access to"),
    "yes of a person": (r"\b(first|second|other) yes\b", "approval"),
    "likeness": (r"\blikeness\b", "score"),
}
PATTERNS = {word: re.compile(pattern, re.IGNORECASE) for word, (pattern, _instead) in NOT_WRITTEN.items()}

# Where a word of the table is the right one: (word, part of the text) and why.
ALLOWED = {
    ("how often", "how often the platform has changed it"): "explains a count",
    ("letter", "lower case letters"): "of the alphabet",
    ("letter", "lower-case letters"): "of the alphabet",
    ("letter", "latin letters"): "of the alphabet",
    ("letter", "use two letters"): "of the alphabet",
    ("letter", "official letter"): "an authority's, in print",
    ("looks", "we're looking into it"): "an investigation under way",
    ("mailbox", "demo mailbox"): "the demo's page of sent e-mails",
    ("mailbox", "the demo's mailbox"): "the demo's page of sent e-mails",
    ("say, says", "closing says"): "a line of a report does",
    ("say, says", "the footer says"): "a line of a report does",
    ("take over", "another may take over"): "a process does",
    ("take over", "takes over"): "a payment method does when a PSP is down",
    ("what happened", "describe what happened"): "asks for an account of an event",
    ("where they came from", "to where they came from"): "the payer's account",
    ("where they came from", "to where it came from"): "the payer's account",
}

# In documents a protocol may "say" something and a letter may be one of the alphabet; on pages and in messages neither is.
ONLY_IN_TEXTS = {"say, says", "letter"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")

FENCE = re.compile(r"^( *)```.*?^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`|https?://\S+|\]\([^)]*\)")


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """List (app, text) of all catalogues; `compile_locale --check` proves that they hold what code and templates say."""
    return tuple(
        (app, text)
        for app in APPS
        for message in catalogues.read_catalog(app, "de")
        if message.id
        for text in (message.id if isinstance(message.id, tuple) else (message.id,))
    )


@cache
def prose() -> tuple[tuple[str, str], ...]:
    """List (file, line) of the documents, without code."""
    pages = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return tuple(
        (str(page.relative_to(ROOT)), line)
        for page in pages
        for line in CODE.sub("", FENCE.sub("", page.read_text())).splitlines()
    )


@cache
def command_texts() -> tuple[tuple[str, str], ...]:
    """List (command, text) of what commands print: help, results, errors."""
    return tuple(
        (path.stem, text)
        for app in APPS
        for path in sorted((ROOT / app / "management" / "commands").glob("*.py"))
        for text in _texts_in(ast.parse(path.read_text()))
    )


@cache
def error_texts() -> tuple[tuple[str, str], ...]:
    """List (file, text) of errors that no catalogue holds: of platforms, PSPs, files and the API, as logs and pages show them."""
    return tuple(
        (str(path.relative_to(ROOT)), text)
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if not {"demo", "migrations"} & set(path.parts)
        for source in [path.read_text()]
        if "raise" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        for text in _texts_in(node)
    )


def _texts_in(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a piece of code, without its docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if is_text and id(node) not in docstrings:
            yield node.value


SOURCES = [texts, prose, command_texts, error_texts]


def _is_allowed(word: str, text: str) -> bool:
    return any(part in text.lower() for about, part in ALLOWED if about == word)


def findings(source: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """Map each word of the table to the texts that have it."""
    found: dict[str, list[str]] = {}
    for place, text in source:
        for word, pattern in PATTERNS.items():
            is_meant = word not in ONLY_IN_TEXTS or source is not prose()
            if is_meant and pattern.search(PLACEHOLDER.sub("", text)) and not _is_allowed(word, text):
                found.setdefault(word, []).append(f"{place}: {text[:160]}")
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_no_words_that_sound_translated(source):
    found = findings(source())
    assert not found, "\n".join(
        f"{word!r}; write: {NOT_WRITTEN[word][1]}\n  " + "\n  ".join(lines) for word, lines in found.items()
    )


def test_exceptions_are_still_needed():
    written = "\n".join(text.lower() for source in SOURCES for _place, text in source())
    assert not [part for _word, part in ALLOWED if part not in written]


def test_every_text_has_german():
    missing = {app: lines for app in APPS if (lines := catalogues.untranslated(app, "de", only_public=False))}
    assert not missing
