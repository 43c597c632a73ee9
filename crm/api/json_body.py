"""Bodies that mean one thing only: bounded in size and depth, no duplicate keys, no NUL, no NaN."""

from __future__ import annotations

import json
from typing import Any, Final

from django.http import HttpRequest

from crm.api.problems import ApiProblem

BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 12
KEYS_MAX: Final = 2000


def check_body(request: HttpRequest) -> None:
    """Refuse a JSON body that two programs could read in two ways. Raises: ApiProblem."""
    if request.method not in ("POST", "PUT", "PATCH") or request.content_type != "application/json":
        return
    if len(request.body) > BYTES_MAX:
        raise ApiProblem("too_large", f"A body has at most {BYTES_MAX} bytes.")
    if b"\x00" in request.body or b"\\u0000" in request.body:
        raise ApiProblem("invalid_json", "The body contains a NUL character.")
    _require_shallow(request.body)
    try:
        json.loads(request.body, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except ApiProblem:
        raise
    except (ValueError, RecursionError) as error:
        raise ApiProblem("invalid_json", "The body isn't valid JSON.") from error


def _require_shallow(body: bytes) -> None:
    """Count brackets outside of texts before anything recursive reads them."""
    depth, in_text, is_escaped = 0, False, False
    for byte in body:
        if in_text:
            if is_escaped:
                is_escaped = False
            elif byte == 0x5C:
                is_escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > DEPTH_MAX:
                raise ApiProblem("invalid_json", f"The body is nested deeper than {DEPTH_MAX} levels.")
        elif byte in (0x5D, 0x7D):
            depth -= 1


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(names) <= KEYS_MAX else ["…"]
        raise ApiProblem("invalid_json", f"The body names {', '.join(twice)[:200]} twice.")
    return found


def _no_constant(name: str) -> Any:
    raise ApiProblem("invalid_json", f"{name} isn't a JSON number.")
