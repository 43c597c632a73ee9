"""What WeasyPrint leaves open for PDF/UA-1, put right in its objects before they are written.

- What stands in the margins (logo, running title, page numbers) is marked as content, but is in no place of the structure: it
  becomes decoration, as the standard wants it for what repeats on each page.
- Headings of tables are known to their cells by ids, and a document that has ids needs the list of them (ISO 32000-1, 14.7.2).
"""

from __future__ import annotations

from typing import Any


def apply_fixes(_document: Any, pdf: Any) -> None:
    """Repair the structure as `finisher` of `weasyprint.HTML.write_pdf`; `pdf` is its pydyf.PDF."""
    import pydyf

    objects = {item.reference: item for item in pdf.objects if item.number is not None}
    root = objects[pdf.catalog["StructTreeRoot"]]
    reachable, ids = _in_the_tree(root, objects)
    numbers = objects[root["ParentTree"]]["Nums"]
    owners = dict(zip(numbers[::2], numbers[1::2], strict=True))
    for page in objects.values():
        if not isinstance(page, pydyf.Dictionary) or page.get("Type") != "/Page" or "StructParents" not in page:
            continue
        of_page = owners[page["StructParents"]]
        loose = {mark for mark, owner in enumerate(of_page) if owner not in reachable}
        if loose:
            _decorate(objects[page["Contents"]].stream, loose)
            of_page[:] = ["null" if mark in loose else owner for mark, owner in enumerate(of_page)]
    if ids:
        names = pydyf.Array([part for item in sorted(ids) for part in (pydyf.String(item), ids[item])])
        tree = pydyf.Dictionary({"Names": names})
        pdf.add_object(tree)
        root["IDTree"] = tree.reference


def _in_the_tree(root: Any, objects: dict[bytes, Any]) -> tuple[set[bytes], dict[str, bytes]]:
    """Collect the references of all elements that the root leads to, and those with an id by it."""
    references: set[bytes] = set()
    ids: dict[str, bytes] = {}
    waiting = list(root["K"])
    while waiting:
        reference = waiting.pop()
        if not isinstance(reference, bytes) or reference in references or reference not in objects:
            continue  # a mark's number, or what an annotation stands in
        references.add(reference)
        element = objects[reference]
        if "ID" in element:
            ids[element["ID"].string] = reference
        kids = element.get("K", [])
        waiting += kids if isinstance(kids, list) else [kids]
    return references, ids


def _decorate(stream: list[Any], loose: set[int]) -> None:
    """Turn `/Span <</MCID 7>> BDC` into `/Artifact BMC`."""
    for place in range(len(stream) - 1, 1, -1):
        values = stream[place - 1]
        if stream[place] == b"BDC" and isinstance(values, dict) and values.get("MCID") in loose:
            stream[place - 2 : place + 1] = ["/Artifact", b"BMC"]
