"""Is there a face where one must be? Finding one says nothing about whose it is: that stays with the officer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from kyc.choices import IssueCode
from kyc.examination.sheet import Box, Result, Sheet, passed, unsure

WIDTH_PX = 900
FACE_MIN_PX = 60
CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml")


def check(sheet: Sheet) -> Iterator[Result]:
    """Look for a face where the kind of document has one, and note where it is."""
    for number, page in enumerate(sheet.pages[:2], start=1):
        is_turned = sheet.zone is not None and not sheet.zone.is_upright
        box = find_face(page, is_turned=is_turned or (sheet.printed is not None and sheet.printed.is_turned))
        if box is not None:
            sheet.measures["face"] = [round(side, 4) for side in box]
            yield passed(score=0.7, page=number, box=box)
            return
    yield unsure(IssueCode.FACE_NOT_FOUND, 0.7)


def find_face(page: np.ndarray, *, is_turned: bool = False) -> Box | None:
    """Find the largest face, in fractions of the page; None where there is none.

    On a page known to be turned the other directions are tried, too; a face found there counts as the whole page.
    """
    height, width = page.shape[:2]
    grey = cv2.cvtColor(cv2.resize(page, (WIDTH_PX, round(height * WIDTH_PX / width))), cv2.COLOR_RGB2GRAY)
    quarters = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180) if is_turned else ()
    for quarter in (None, *quarters):
        turned = grey if quarter is None else cv2.rotate(grey, quarter)
        for name in CASCADES:
            faces = _cascade(name).detectMultiScale(turned, 1.1, 5, minSize=(FACE_MIN_PX, FACE_MIN_PX))
            if len(faces):
                left, top, box_width, box_height = max(faces, key=lambda face: face[2] * face[3])
                if quarter is not None:
                    return (0.0, 0.0, 1.0, 1.0)  # somewhere on a page that lies on its side
                rows, columns = turned.shape
                return (float(left / columns), float(top / rows), float(box_width / columns), float(box_height / rows))
    return None


@cache
def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
