"""What a text says to a reader now: the brand's own version in force, else the declared one. No query while nothing changed."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from crm.i18n.languages import base_of
from crm.models import Brand, TextVersion
from crm.texts.catalogue import DeclaredText, Text


@dataclass(frozen=True, slots=True)
class InForce:
    """A published version as it is kept in this process. `text`: None where the built-in text is in force again."""

    pk: int
    number: int
    text: Text | None
    effective_at: dt.datetime
    must_accept: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody reads: in which language, and whose words; without a version the built-in ones."""

    language: str
    text: Text
    version: InForce | None = None


Versions = Mapping[tuple[str, str], tuple[InForce, ...]]
NONE: Final[Versions] = {}


def languages_for(brand: Brand, *preferred: str) -> list[str]:
    """List the languages to look in: the reader's, then the brand's; of each the region's own before the plain one."""
    codes = [code for code in (*preferred, brand.default_language) if code]
    return list(dict.fromkeys(part for code in codes for part in (code, base_of(code))))


def written_for(text: DeclaredText, brand: Brand, *preferred: str, now: dt.datetime | None = None) -> Written:
    """Find what a text says to a reader.

    An e-mail or a notice: each language in turn, the brand's own words in it before the built-in ones. A legal text: the
    brand's own words in any of the languages, before the built-in ones in any. English is always there.
    """
    own = {code: written for code in languages_for(brand, *preferred) if (written := _own(text, brand, code, now))}
    built_in = {
        code: Written(code, text.texts[code]) for code in languages_for(brand, *preferred) if code in text.texts
    }
    if text.kind.is_legal:
        return next(iter([*own.values(), *built_in.values()]), Written("en", text.texts["en"]))
    for code in languages_for(brand, *preferred):
        if code in own or code in built_in:
            return own.get(code) or built_in[code]
    return _own(text, brand, "en", now) or Written("en", text.texts["en"])


def _own(text: DeclaredText, brand: Brand, language: str, now: dt.datetime | None) -> Written | None:
    version = in_force(brand, text.key, language, now)
    return Written(language, version.text, version) if version is not None and version.text is not None else None


def in_force(brand: Brand, key: str, language: str, now: dt.datetime | None = None) -> InForce | None:
    """Find the brand's version that is in force; None where it never had one."""
    moment = now or timezone.now()
    return next((row for row in versions_of(brand, key, language) if row.effective_at <= moment), None)


def versions_of(brand: Brand, key: str, language: str) -> tuple[InForce, ...]:
    """List a brand's versions of a text in one language, that of the latest moment first."""
    if not brand.texts_version:
        return ()
    return _read(brand.pk, brand.texts_version).get((key, language), ())


def languages_with_versions(brand: Brand, key: str) -> set[str]:
    """List the languages in which a brand has published versions of a text."""
    return (
        {language for (name, language) in _read(brand.pk, brand.texts_version) if name == key}
        if brand.texts_version
        else set()
    )


def to_be_accepted(text: DeclaredText, brand: Brand, language: str) -> InForce | None:
    """Find the latest version, up to the one that this reader sees, that clients who agreed before have to accept again."""
    written = written_for(text, brand, language)
    if written.version is None:
        return None
    rows = versions_of(brand, text.key, written.language)
    return next((row for row in rows if row.must_accept and row.effective_at <= written.version.effective_at), None)


def new_mark() -> str:
    """Return a mark of a brand's set of versions, as each publication sets one: the brand's row says which set to read."""
    return secrets.token_urlsafe(9)


@functools.lru_cache(maxsize=256)
def _read(brand_id: int, mark: str) -> Versions:
    """Read all versions of a brand; `mark` is the key under which they are kept, so they are never outdated.

    Words are read only of those that are in force or to come; older ones keep their moment and whether they were to be accepted.
    """
    rows = TextVersion.objects.filter(brand_id=brand_id).order_by("-effective_at", "-pk")
    found: dict[tuple[str, str], list[InForce]] = {}
    now, has_current = timezone.now(), set()
    plain = list(rows.values_list("pk", "key", "language", "number", "is_default", "effective_at", "must_accept"))
    needed = []
    for pk, key, language, _number, is_default, effective_at, _must in plain:
        if (key, language) not in has_current and not is_default:
            needed.append(pk)
        if effective_at <= now:
            has_current.add((key, language))
    words = {
        pk: Text(heading, body)
        for pk, heading, body in TextVersion.objects.filter(pk__in=needed).values_list("pk", "heading", "body")
    }
    for pk, key, language, number, _is_default, effective_at, must_accept in plain:
        found.setdefault((key, language), []).append(InForce(pk, number, words.get(pk), effective_at, must_accept))
    return {name: tuple(versions) for name, versions in found.items()}
