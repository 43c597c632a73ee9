"""Documents of people who don't exist, to try the room's upload, the checks and the review on: each says SPECIMEN.

`passport` draws the data page of a TD3 passport after Doc 9303 (125 × 88 mm at 254 dpi), `id_card` and `residence_permit` the two
sides of a TD1 card, `utility_bill` a PDF with a text layer; `camera` spoils them. Tests, the demo, the benchmark and the smoke run
share them. The issuing state is Utopia (UTO), ICAO's own code for specimens.
"""

from kyc.names import folded
from kyc.specimens.bills import UtilityBill, utility_bill
from kyc.specimens.camera import (
    blurred,
    copied,
    jpeg,
    landscape,
    of_screen,
    pasted_over,
    photographed,
    saved,
    seen_askew,
    turned,
    with_glare,
)
from kyc.specimens.travel import (
    ENGLISH,
    SMALL,
    UTOPIA,
    Holder,
    Style,
    driving_licence,
    id_card,
    mrz_lines,
    passport,
    residence_permit,
    small_passport,
    visa,
)

__all__ = [
    "ENGLISH",
    "SMALL",
    "UTOPIA",
    "Holder",
    "Style",
    "UtilityBill",
    "blurred",
    "copied",
    "driving_licence",
    "folded",
    "id_card",
    "jpeg",
    "landscape",
    "mrz_lines",
    "of_screen",
    "passport",
    "pasted_over",
    "photographed",
    "residence_permit",
    "saved",
    "seen_askew",
    "small_passport",
    "turned",
    "utility_bill",
    "visa",
    "with_glare",
]
