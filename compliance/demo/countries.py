"""The FATF's lists as of 19 June 2026: data for the demo. Load the current ones yourself; they change three times a year."""

import datetime as dt

SOURCE = "FATF, June 2026"
SINCE = dt.date(2026, 6, 19)
BLACK = ("KP", "IR", "MM")
GREY = (
    "AO",
    "BO",
    "BA",
    "BG",
    "CM",
    "CI",
    "CD",
    "HT",
    "IQ",
    "KE",
    "KW",
    "LA",
    "LB",
    "MC",
    "NP",
    "PG",
    "SS",
    "SY",
    "VE",
    "VN",
    "VG",
    "YE",
)
