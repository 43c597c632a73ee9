"""SVG drawings from outside, rebuilt from what a drawing needs: shapes, colours, gradients. Nothing that runs, loads or links.

A page shows them as `<img>` or as a background, where a browser runs no scripts and loads nothing; the rebuilding holds for
whoever opens the address itself (https://www.w3.org/TR/SVG2/conform.html#secure-static-mode).
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from crm.errors import DomainError

BYTES_MAX: Final = 100 * 1024
ELEMENTS_MAX: Final = 2_000
DEPTH_MAX: Final = 50
NAMESPACE: Final = "http://www.w3.org/2000/svg"
ELEMENTS: Final = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath mask title".split()
)
ATTRIBUTES: Final = frozenset(
    "id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform opacity fill fill-opacity fill-rule "
    "stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-dasharray stroke-miterlimit offset stop-color "
    "stop-opacity gradientUnits gradientTransform spreadMethod clip-path clip-rule mask preserveAspectRatio".split()
)
VALUE: Final = re.compile(r"[\w\s.,:;#%()+\-]{0,20000}")
REFERENCE: Final = re.compile(r"url\((?!#[\w-]+\))", re.I)


class UnsafeDrawing(DomainError):
    code = "unsafe_drawing"


def rebuilt(content: bytes) -> tuple[bytes, float]:
    """Return a drawing made of known elements and attributes only, and its width to height. Raises: UnsafeDrawing."""
    if len(content) > BYTES_MAX:
        raise UnsafeDrawing(_("The drawing is larger than 100 kB."))
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise UnsafeDrawing(_("The file isn't a valid SVG drawing.")) from error
    if root.tag != f"{{{NAMESPACE}}}svg":
        raise UnsafeDrawing(_("The file isn't a valid SVG drawing."))
    if sum(1 for _element in root.iter()) > ELEMENTS_MAX:
        raise UnsafeDrawing(_("The drawing has too many elements."))
    register_namespace("", NAMESPACE)
    made = _rebuilt(root)
    return tostring(made, encoding="utf-8"), _ratio(made)


def _rebuilt(element: Element, depth: int = 1) -> Element:
    if depth > DEPTH_MAX:
        raise UnsafeDrawing(_("The drawing's groups are nested too deep."))
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}") if isinstance(element.tag, str) else ""
    made = Element(f"{{{NAMESPACE}}}{name}")
    for attribute, value in element.attrib.items():
        if attribute in ATTRIBUTES and VALUE.fullmatch(value) and not REFERENCE.search(value):
            made.set(attribute, value)
    if name == "title":
        made.text = (element.text or "")[:200]
    for child in element:
        tag = child.tag if isinstance(child.tag, str) else ""
        if not tag.startswith(f"{{{NAMESPACE}}}"):
            continue  # comments, and what drawing programs write for themselves
        if tag.removeprefix(f"{{{NAMESPACE}}}") not in ELEMENTS:
            name = tag.removeprefix(f"{{{NAMESPACE}}}")
            raise UnsafeDrawing(
                _("The drawing contains “%(name)s”. Use shapes, colours and gradients only; convert text to paths.")
                % {"name": name[:40]}
            )
        made.append(_rebuilt(child, depth + 1))
    return made


def _ratio(root: Element) -> float:
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", root.get("viewBox", ""))]
    if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
        raise UnsafeDrawing(_("The drawing has no viewBox."))
    return numbers[2] / numbers[3]
