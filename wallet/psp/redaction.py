"""Requests to a PSP and its answers, made fit to be stored and shown: no key, no card, no whole account number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

KEPT_MAX = 4_000
VALUE_MAX = 240
DEPTH_MAX = 8
ITEMS_MAX = 60
GONE = "•••"
# By what a field is called: never kept, or only its last four signs.
SECRET_NAMES = re.compile(
    r"secret|token|viewlink|claim|passw|signature|hmac|authori[sz]ation|api_?key|application_?key|client_?key|session_?data|cvc|cvv|"
    r"\bpin\b|birth|documentcontent|content$",
    re.IGNORECASE,
)
ACCOUNT_NAMES = re.compile(
    r"iban|account_?number|card_?number|^number$|\[number\]|ownerAccount|routing|destination$", re.I
)
# By what a text looks like, wherever it occurs.
EMAIL = re.compile(r"\b([\w.+-])[\w.+-]*(@[\w-]+(?:\.[\w-]+)+)")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b")
IBAN_MIN = 15  # Norway's; our own references begin like one now and then, and are shorter
CARD = re.compile(r"\b(?:\d[ -]?){12,18}\d\b")


def redact(content: Any, *, secrets: Iterable[str] = ()) -> str:
    """Return a body as redacted text: JSON, a form, or how many bytes it was. `secrets`: values that must not be in it."""
    if content in (None, b"", ""):
        return ""
    read = _read(content)
    text = json.dumps(_clean(read), ensure_ascii=False, indent=1) if read is not None else f"{_size(content)} bytes"
    for secret in sorted((value for value in secrets if len(value) >= 6), key=len, reverse=True):
        text = text.replace(secret, GONE).replace(json.dumps(secret, ensure_ascii=False)[1:-1], GONE)
    return text if len(text) <= KEPT_MAX else text[: KEPT_MAX - 1] + "…"


def _read(content: Any) -> Any:
    """Parse a body into its parts; None where it has none that we know."""
    if isinstance(content, Mapping | list):
        return content
    try:
        text = content.decode() if isinstance(content, bytes) else str(content)
    except UnicodeDecodeError:
        return None
    try:
        parsed = json.loads(text)
        return parsed if isinstance(parsed, dict | list) else None
    except RecursionError:
        return None
    except ValueError:
        pairs = parse_qsl(text) if "=" in text and "\n" not in text and len(text) < 100_000 else []
        return dict(pairs) or None


def _size(content: Any) -> int:
    return len(content if isinstance(content, bytes) else str(content).encode())


def _clean(value: Any, name: str = "", depth: int = 0) -> Any:
    if depth > DEPTH_MAX:
        return "…"
    if name and SECRET_NAMES.search(name) and value not in (None, "", [], {}):
        return GONE
    if isinstance(value, Mapping):
        return {str(key): _clean(inner, str(key), depth + 1) for key, inner in list(value.items())[:ITEMS_MAX]}
    if isinstance(value, list | tuple):
        return [_clean(inner, name, depth + 1) for inner in list(value)[:ITEMS_MAX]]
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, int) and not isinstance(value, bool) and ACCOUNT_NAMES.search(name):
        return _tail(str(value))
    return value if isinstance(value, int | float | bool) or value is None else _text(str(value), name)


def _text(value: str, name: str) -> str:
    if ACCOUNT_NAMES.search(name) and len(value) > 4:
        return _tail(value)
    value = value if len(value) <= VALUE_MAX else f"{value[:VALUE_MAX]}… ({len(value)})"
    value = EMAIL.sub(r"\1•••\2", value)
    value = IBAN.sub(lambda match: _tail(match[0]) if len(match[0].replace(" ", "")) >= IBAN_MIN else match[0], value)
    return CARD.sub(lambda match: _tail(match[0]) if _is_card(match[0]) else match[0], value)


def _is_card(text: str) -> bool:
    """Check a number by Luhn: a PSP's own numbers may be as long as a card's."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _tail(value: str) -> str:
    return f"{GONE}{value.strip()[-4:]}"
