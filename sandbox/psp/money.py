"""Minor units and their written form. Amounts are integers throughout; a report writes them in major units."""

EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "BHD": 3,
    "KWD": 3,
    "JOD": 3,
    "TND": 3,
    "USDT": 6,
    "USDC": 6,
    "BTC": 8,
    "ETH": 8,
}
DEFAULT_EXPONENT = 2


def exponent(currency: str) -> int:
    """Decimal places of a currency's minor unit."""
    return EXPONENTS.get(currency, DEFAULT_EXPONENT)


def major(amount_minor: int, currency: str) -> str:
    """`-12345, EUR` → `-123.45`; exact, no float on the way."""
    places = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(places + 1, "0")
    return f"{sign}{digits}" if places == 0 else f"{sign}{digits[:-places]}.{digits[-places:]}"


def share(amount_minor: int, basis_points: int) -> int:
    """Compute a share in basis points, rounded half up to a whole minor unit."""
    return (amount_minor * basis_points + 5_000) // 10_000
