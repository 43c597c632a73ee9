"""Values that no honest file or server sends, for every reader that takes something in."""

TIMES = {
    "year 1": "0001-01-01T00:00:00+14:00",
    "year 9999": "9999-12-31T23:59:59-14:00",
    "no time": "NaN",
    "endless digits": "9" * 5_000,
}
SECONDS = {"year 1": -62_135_596_800, "year 9999": 253_402_300_799, "beyond any year": 10**17, "64 bits": 2**63 - 1}
NUMBERS = {
    "not a number": "NaN",
    "infinite": "Infinity",
    "minus infinite": "-Infinity",
    "signalling": "sNaN",
    "endless digits": "9" * 5_000,
    "endless places": "0." + "1" * 5_000,
    "29 digits": "1234567890123456789.0123456789",
    "huge exponent": "1e99999999",
    "tiny exponent": "1e-99999999",
    "other digits": "²",
    "nul": "1\x002",
}
TEXTS = {"nul": "a\x00b", "lone return": "a\rb", "endless": "x" * 200_000, "bell": "a\ab"}
