"""Help in the app: a short text for each page in each language, written as small Markdown files in `crm/help_texts/`.

A text begins with a head: `pages:` has the names of the addresses it is about, `for:` its audience (staff by default),
`words:` more words it is found under. Other languages share the head of the English file, and may add `words:` of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.urls import NoReverseMatch, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.choices import UserKind
from crm.ui import menu, panels

if TYPE_CHECKING:
    from crm.models import User

FOLDER: Final = Path(__file__).resolve().parent.parent / "help_texts"
LANGUAGES: Final = ("en", "de")
# What is shown where no text names the page and none names the menu entry above it.
FIRST: Final = {UserKind.STAFF: "home", UserKind.CLIENT: "portal-home", UserKind.PARTNER: "partner-home"}
BOLD, KEY, LINK = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"`(.+?)`"), re.compile(r"\[(.+?)\]\(([\w:]+)\)")


@dataclass(frozen=True)
class Text:
    """One topic in one language."""

    title: str
    source: str

    @property
    def lead(self) -> str:
        """The first paragraph as plain text, for lists of topics."""
        return re.sub(r"[*`]|\]\([\w:]+\)|\[", "", " ".join(self.source.split("\n\n", 1)[0].split()))

    def html_for(self, user: User) -> SafeString:
        """Write the text with links to the pages that the reader may open; others are named without a link."""
        return SafeString(
            "".join(_blocks(LINK.sub(lambda match: match[0] if _opens(user, match[2]) else match[1], self.source)))
        )


@dataclass(frozen=True)
class Topic:
    """What the help says about some pages. `pages` are names of addresses; the first is the page itself."""

    slug: str
    audience: UserKind
    pages: tuple[str, ...] = ()
    words: str = ""
    texts: dict[str, Text] = field(default_factory=dict)

    @property
    def text(self) -> Text:
        """In the reader's language, else in English."""
        return self.texts.get((get_language() or "en")[:2]) or self.texts["en"]

    @property
    def url(self) -> str:
        return reverse("help_topic", args=[self.slug])

    def page_url_for(self, user: User) -> str:
        """Find the address of the page it is about; "" where that needs a record, or is not the reader's."""
        try:
            return reverse(self.pages[0]) if self.pages and _opens(user, self.pages[0]) else ""
        except NoReverseMatch:
            return ""


def _opens(user: User, page: str) -> bool:
    """Check whether the reader has the right that the menu asks for a page; a page of no menu is everybody's."""
    entries = [entry for entry in panels.registry.of(panels.MenuEntry) if entry.url_name == page]
    return not entries or any(panels.allows(entry.permission, user) for entry in entries)


@cache
def topics() -> dict[str, Topic]:
    """Read all texts, once per process."""
    return {path.stem: _read(path) for path in sorted((FOLDER / "en").glob("*.md"))}


def _read(path: Path) -> Topic:
    head, source = path.read_text(encoding="utf-8").split("\n\n", 1)
    facts = dict(line.split(":", 1) for line in head.splitlines())
    words, texts = facts.get("words", "").strip(), {"en": _text(source)}
    for language in LANGUAGES[1:]:
        other = FOLDER / language / path.name
        if other.exists():
            more, _hash, source = other.read_text(encoding="utf-8").partition("# ")
            words += more.replace("words:", "").rstrip()
            texts[language] = _text(source)
    audience = UserKind(facts.get("for", UserKind.STAFF).strip())
    return Topic(path.stem, audience, tuple(facts.get("pages", "").split()), words, texts)


def _text(source: str) -> Text:
    title, rest = source.strip().split("\n", 1)
    return Text(title.removeprefix("# "), rest.strip())


def _blocks(source: str) -> Iterator[str]:
    """Write paragraphs, lists and headings as HTML; everything else is plain text."""
    for block in re.split(r"\n\s*\n", source):
        if block.startswith("- "):
            yield f"<ul>{''.join(f'<li>{_inline(line)}</li>' for line in block[2:].split(f'{chr(10)}- '))}</ul>"
        elif block.startswith("## "):
            yield f"<h3>{_inline(block[3:])}</h3>"
        else:
            yield f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    text = escape(" ".join(text.split()))
    text = BOLD.sub(r"<strong>\1</strong>", text)
    text = KEY.sub(r"<kbd>\1</kbd>", text)
    return LINK.sub(lambda match: f'<a href="{escape(reverse(match[2]))}">{match[1]}</a>', text)


# ---------------------------------------------------------------- reads: what this person gets to see


@cache
def _by_page() -> dict[tuple[str, str], Topic]:
    return {(topic.audience.value, page): topic for topic in topics().values() for page in topic.pages}


@cache
def _menu_addresses(audience: str) -> dict[str, str]:
    entries = [entry for entry in panels.registry.of(panels.MenuEntry) if entry.audience == audience]
    return {address: entry.url_name for entry in entries for address in (entry.url, *entry.also)}


def topic_for(user: User, view_name: str, path: str) -> Topic:
    """Find the help of a page: its own, else that of the menu entry it lies under, else how the app begins."""
    known, audience = _by_page(), UserKind(user.kind)
    topic = known.get((audience.value, view_name))
    if topic is None:
        addresses = _menu_addresses(audience.value)
        topic = known.get((audience.value, addresses.get(menu.active_address(addresses, path), "")))
    return topic or topics()[FIRST[audience]]


def topics_for(user: User) -> list[Topic]:
    """List the topics of this person's own pages, by title; one about no page of the menu is everybody's."""
    audience = UserKind(user.kind)
    entries = [entry for entry in panels.registry.of(panels.MenuEntry) if entry.audience == audience.value]
    in_menu = {entry.url_name for entry in entries}
    mine = {entry.url_name for entry in entries if panels.allows(entry.permission, user)}
    shown = [
        topic
        for topic in topics().values()
        if topic.audience == audience and (mine & set(topic.pages) or not in_menu & set(topic.pages))
    ]
    return sorted(shown, key=lambda topic: topic.text.title.casefold())


def search(user: User, query: str) -> list[Topic]:
    """Find the topics that contain every word; those with all of them in the title or key words come first."""
    terms = query.casefold().split()
    hits = []
    for topic in topics_for(user):
        head = f"{topic.text.title} {topic.words}".casefold()
        if all(term in head or term in topic.text.source.casefold() for term in terms):
            hits.append((not all(term in head for term in terms), topic))
    return [topic for _is_body, topic in sorted(hits, key=lambda hit: hit[0])]
