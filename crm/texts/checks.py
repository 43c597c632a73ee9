"""What a text may hold. Every problem is named at once, with what to do; nothing is cut or repaired silently."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import Brand
from crm.texts.catalogue import PLACEHOLDER, DeclaredText, Text, names_in
from crm.texts.risk_warning import PERCENT, RISK_WARNING

BRACES: Final = re.compile(r"{{[^{}\n]{0,40}}?}?|}}|{[%#][^\n]{0,40}|{{")
BUTTON: Final = re.compile(r"^\[([^\]\n]*)\]\(([^\n]*)\)$")
BUTTON_START: Final = re.compile(r"^\s*\[[^\]\n]*\]\s*\(")
ADDRESS: Final = re.compile(r"https://[^\s{}()]{1,300}", re.ASCII)
# Characters that turn the direction of what follows: they make a text read otherwise than it is.
TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """field: heading or body."""

    field: str
    message: str


def tidied(heading: str, body: str) -> Text:
    """Write line ends as one character and leave out what surrounds the words."""
    return Text(heading.replace("\r\n", "\n").strip(), body.replace("\r\n", "\n").replace("\r", "\n").strip())


def problems_of(declared: DeclaredText, text: Text, brand: Brand) -> list[Problem]:
    """List what is wrong with a text that somebody wants to use as this one."""
    found = [*_sizes(declared, text)]
    for field, words in (("heading", text.heading), ("body", text.body)):
        found += [Problem(field, message) for message in _characters(words, is_line=field == "heading")]
        found += [Problem(field, message) for message in _variables(declared, words)]
    found += [Problem("body", message) for message in (*_buttons(declared, text.body), *_missing(declared, text))]
    if declared is RISK_WARNING and brand.loss_percentage is None and PERCENT in names_in(text):
        found.append(
            Problem("body", _("The brand has no percentage of losing accounts. Enter it in the brand's details first."))
        )
    return found


def _sizes(declared: DeclaredText, text: Text) -> list[Problem]:
    kind, found = declared.kind, []
    if kind.heading_max and not text.heading:
        found.append(Problem("heading", _("Enter a text.")))
    if not text.body and declared.has_body:
        found.append(Problem("body", _("Enter a text.")))
    for field, words, most in (("heading", text.heading, kind.heading_max), ("body", text.body, kind.body_max)):
        if len(words) > most:
            message = ngettext(
                "At most %(most)s characters: it is %(over)s character too long.",
                "At most %(most)s characters: it is %(over)s characters too long.",
                len(words) - most,
            )
            found.append(Problem(field, message % {"most": most, "over": len(words) - most}))
    return found


def _characters(words: str, *, is_line: bool) -> list[str]:
    found = []
    if is_line and ("\n" in words or "\r" in words):
        found.append(_("Write it on one line, without line breaks."))
    strange = next(
        (char for char in words if (char not in "\n\r\t" and unicodedata.category(char) == "Cc") or char in TURNING),
        None,
    )
    if strange is not None:
        line = words[: words.index(strange)].count("\n") + 1
        values = {"code": f"U+{ord(strange):04X}", "line": line}
        found.append(
            _("Line %(line)s has an invisible control character (%(code)s). Delete it or type the line again.") % values
        )
    return found


def _variables(declared: DeclaredText, words: str) -> list[str]:
    found = []
    for name in dict.fromkeys(PLACEHOLDER.findall(words)):
        if name not in declared.names:
            found.append(_unknown(declared, name))
    rest = PLACEHOLDER.sub("", words)
    for match in list(BRACES.finditer(rest))[:3]:
        found.append(
            _("“%(piece)s” isn't a variable. Write two braces on each side, such as {{ first_name }}, or no braces.")
            % {"piece": match[0][:SHOWN]}
        )
    return found


def _unknown(declared: DeclaredText, name: str) -> str:
    near = difflib.get_close_matches(name.lower(), sorted(declared.names), n=1, cutoff=0.5)
    values = {"name": name[:SHOWN], "near": near[0] if near else ""}
    if near:
        return _("There is no variable “%(name)s” in this text. Did you mean “%(near)s”?") % values
    return _("There is no variable “%(name)s” in this text. Choose one from the list.") % values


def _buttons(declared: DeclaredText, body: str) -> list[str]:
    links = {variable.name for variable in declared.variables if variable.is_link}
    found = []
    for line in body.split("\n"):
        if not BUTTON_START.match(line):
            continue
        button = BUTTON.match(line.strip())
        if button is None or not button[1].strip():
            found.append(
                _("“%(piece)s”: write a button as [Label]({{ portal_url }}), alone on its line.")
                % {"piece": line.strip()[:SHOWN]}
            )
            continue
        variable = PLACEHOLDER.fullmatch(button[2].strip())
        if not (variable[1] in links if variable else ADDRESS.fullmatch(button[2].strip())):
            found.append(
                _("The button “%(label)s” must lead to a link variable or to an address that starts with https://.")
                % {"label": button[1][:SHOWN]}
            )
    return found


def _missing(declared: DeclaredText, text: Text) -> list[str]:
    if not text.heading and not text.body:
        return []
    used = names_in(text)
    return [
        _("The text must contain {{ %(name)s }}: %(description)s.")
        % {"name": variable.name, "description": str(variable.description)}
        for variable in declared.variables
        if variable.must_appear and variable.name not in used
    ]
