"""Changes to a draft's content, as plain data: add, replace, remove and move its parts. `content.read` checks the result."""

from __future__ import annotations

import copy
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.errors import NotFound

Data = dict[str, Any]
PREFIX: Final = {"section": "s", "question": "q", "outcome": "o"}


def put(data: Data, kind: str, part: Data, *, section_id: str = "") -> tuple[Data, str]:
    """Replace the part with this id, or add it where it has none. Returns the changed content and the part's id.

    section_id: where a question belongs; one that moves to another section goes to its end.
    """
    changed = copy.deepcopy(data)
    part_id = part.get("id") or _free_id(changed, PREFIX[kind])
    new = {**part, "id": part_id}
    home = _home(changed, kind, part_id)
    target = _list(changed, kind, section_id) if section_id or home is None else home
    if home is target and home is not None:
        index = next(n for n, item in enumerate(home) if item["id"] == part_id)
        old = home[index]
        # A section's form doesn't send its questions.
        home[index] = {**({"questions": old.get("questions", [])} if kind == "section" else {}), **new}
        return changed, part_id
    if home is not None:
        home[:] = [item for item in home if item["id"] != part_id]
    if kind == "outcome" and target:
        target.insert(len(target) - 1, new)  # the last outcome is the one for everybody else
    else:
        target.append(new)
    return changed, part_id


def remove(data: Data, kind: str, part_id: str) -> Data:
    """Take a part away. Raises: NotFound."""
    changed = copy.deepcopy(data)
    home = _home(changed, kind, part_id)
    if home is None:
        raise NotFound(_("This part no longer exists. Reload the page."))
    home[:] = [item for item in home if item["id"] != part_id]
    return changed


def move(data: Data, kind: str, part_id: str, *, up: bool) -> Data:
    """Move a part one place; a question at the edge of its section goes into the next one. Raises: NotFound."""
    changed = copy.deepcopy(data)
    home = _home(changed, kind, part_id)
    if home is None:
        raise NotFound(_("This part no longer exists. Reload the page."))
    index = next(n for n, item in enumerate(home) if item["id"] == part_id)
    other = index + (-1 if up else 1)
    if 0 <= other < len(home):
        home[index], home[other] = home[other], home[index]
    elif kind == "question":
        sections = changed["sections"]
        at = next(n for n, section in enumerate(sections) if section.get("questions") is home)
        beside = at + (-1 if up else 1)
        if 0 <= beside < len(sections):
            questions = sections[beside].setdefault("questions", [])
            questions.insert(len(questions) if up else 0, home.pop(index))
    return changed


def part_of(data: Data, kind: str, part_id: str) -> Data:
    """Find a part. Raises: NotFound."""
    home = _home(data, kind, part_id)
    if home is None:
        raise NotFound(_("This part no longer exists. Reload the page."))
    found: Data = next(item for item in home if item["id"] == part_id)
    return found


def section_of(data: Data, question_id: str) -> str:
    """Find the section that a question is in; "" for none."""
    for section in data.get("sections", []):
        if any(question["id"] == question_id for question in section.get("questions", [])):
            return str(section["id"])
    return ""


def _home(data: Data, kind: str, part_id: str) -> list[Data] | None:
    """Find the list that holds a part."""
    if kind == "question":
        lists = [section.setdefault("questions", []) for section in data.setdefault("sections", [])]
    else:
        lists = [data.setdefault(f"{kind}s", [])]
    return next((items for items in lists if any(item.get("id") == part_id for item in items)), None)


def _list(data: Data, kind: str, section_id: str) -> list[Data]:
    if kind != "question":
        parts: list[Data] = data.setdefault(f"{kind}s", [])
        return parts
    for section in data.setdefault("sections", []):
        if section["id"] == section_id:
            questions: list[Data] = section.setdefault("questions", [])
            return questions
    raise NotFound(_("This part no longer exists. Reload the page."))


def _free_id(data: Data, prefix: str) -> str:
    """Count on, and never again the id of a part that was removed: a client's draft may hold an answer to it."""
    taken = [item["id"] for kind in PREFIX for item in _all(data, kind)]
    numbers = [int(name[1:]) for name in taken if name[1:].isdigit()]
    data["last_number"] = max([*numbers, int(data.get("last_number", 0))]) + 1
    return f"{prefix}{data['last_number']}"


def _all(data: Data, kind: str) -> list[Data]:
    if kind == "question":
        return [question for section in data.get("sections", []) for question in section.get("questions", [])]
    parts: list[Data] = data.get(f"{kind}s", [])
    return parts
