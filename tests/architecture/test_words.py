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

# Texts in which a word of the table is the right one: (word, text without case) and why.
ALLOWED: dict[tuple[str, str], str] = {}

# How many are left, by word. A number may only fall; a word that isn't here is not written any more.
# In documents a protocol may "say" something and a letter may be one of the alphabet; on pages and in messages neither is.
ONLY_IN_TEXTS = {"say, says", "letter"}
LEFT_IN_TEXTS: dict[str, int] = {
    "how often": 1,
    "letter": 6,
    "looks": 1,
    "mailbox": 2,
    "say, says": 2,
    "take over": 2,
    "told, tell": 4,
    "what happened": 1,
    "where they came from": 3,
    "wish": 1,
}
LEFT_IN_DOCS: dict[str, int] = {}
LEFT_IN_HELP: dict[str, int] = {}
# Texts without German, by app. A number may only fall; an app that isn't here has German for all its texts.
LEFT_WITHOUT_GERMAN: dict[str, int] = {}

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
    pages = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return tuple(
        (page.name, line) for page in pages for line in CODE.sub("", FENCE.sub("", page.read_text())).splitlines()
    )


@cache
def command_help() -> tuple[tuple[str, str], ...]:
    """List (command, text) of what `manage.py help` prints: the command's help and its arguments'."""
    return tuple(
        (path.stem, text)
        for app in APPS
        for path in sorted((ROOT / app / "management" / "commands").glob("*.py"))
        for text in _help_texts(ast.parse(path.read_text()))
    )


def _help_texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        named = isinstance(node, ast.keyword) and node.arg == "help"
        named |= isinstance(node, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id == "help" for name in node.targets
        )
        if named and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def findings(source: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """Map each word of the table to the texts that have it."""
    found: dict[str, list[str]] = {}
    for place, text in source:
        for word, pattern in PATTERNS.items():
            is_meant = word not in ONLY_IN_TEXTS or source is not prose()
            if is_meant and pattern.search(text) and (word, text.lower()) not in ALLOWED:
                found.setdefault(word, []).append(f"{place}: {text[:160]}")
    return found


@pytest.mark.parametrize(
    ("source", "left"),
    [(texts, LEFT_IN_TEXTS), (prose, LEFT_IN_DOCS), (command_help, LEFT_IN_HELP)],
    ids=["texts", "docs", "help"],
)
def test_no_words_that_sound_translated(source, left):
    found = findings(source())
    more = {word: lines for word, lines in found.items() if len(lines) > left.get(word, 0)}
    assert not more, "\n".join(
        f"{word!r} {len(lines)} times, at most {left.get(word, 0)}; write: {NOT_WRITTEN[word][1]}\n  "
        + "\n  ".join(lines)
        for word, lines in more.items()
    )


def test_exceptions_are_still_needed():
    written = {text.lower() for source in (texts, prose, command_help) for _place, text in source()}
    assert not [text for _word, text in ALLOWED if text not in written]
    assert all(ALLOWED.values()), "an exception without a reason"


def test_every_text_has_german():
    missing = {app: catalogues.untranslated(app, "de", only_public=False) for app in APPS}
    more = {app: lines for app, lines in missing.items() if len(lines) > LEFT_WITHOUT_GERMAN.get(app, 0)}
    assert not more, more
