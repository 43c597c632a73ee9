"""What a document of each type needs: its sides, what must be on each picture, how many pages, and who issues it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from clients.countries import country_choices, country_name
from clients.models import Client
from kyc.choices import COMPANY_KINDS, IDENTITY_KINDS, MEANS_KINDS, TWO_SIDED_KINDS, DocumentKind, Side

Text = str | Promise
# Doc 9303 knows Kosovo by a code of its own, which ISO 3166-1 doesn't list.
KOSOVO: Final = "XK"
# States without a national identity card; a passport card, a state's or a health card is none. Sources:
# Denmark, United Kingdom: https://en.wikipedia.org/wiki/National_identity_cards_in_the_European_Economic_Area (Norway and Iceland,
# which older versions name, have issued cards since); Australia: https://en.wikipedia.org/wiki/Identity_documents_of_Australia;
# Canada (its citizenship card ended in 2012), United States:
# https://en.wikipedia.org/wiki/List_of_national_identity_card_policies_by_country; New Zealand: known in the trade, no source read.
# Microstates that issue none are left out: offering a card too many costs nothing, refusing one that exists costs a client.
WITHOUT_IDENTITY_CARD: Final = frozenset({"AU", "CA", "DK", "GB", "NZ", "US"})


@dataclass(frozen=True)
class SidePlan:
    """One side, or a whole document without sides. drawing: which outline shows it (`portal/uploads/_drawing.html`)."""

    side: Side
    label: Text
    hint: Text
    drawing: str
    pages_max: int = 1


@dataclass(frozen=True)
class Plan:
    """What a type needs. is_photo: pictures must be sharp and whole; has_country: the client says who issued it."""

    kind: DocumentKind
    sides: tuple[SidePlan, ...]
    is_photo: bool = True
    has_country: bool = False

    def of_side(self, side: str) -> SidePlan | None:
        return next((plan for plan in self.sides if plan.side == side), None)


CARD_FRONT = _("The side with the photo. Lay the card on a dark, plain surface and fill the frame with it.")
PLANS: Final[dict[str, Plan]] = {
    plan.kind: plan
    for plan in (
        Plan(
            DocumentKind.PASSPORT,
            (
                SidePlan(
                    Side.FRONT,
                    _("Photo page"),
                    _(
                        "Open the passport at the page with the photo. The two lines of characters and < at the bottom must be "
                        "visible."
                    ),
                    "passport",
                ),
            ),
            has_country=True,
        ),
        Plan(
            DocumentKind.ID_CARD,
            (
                SidePlan(Side.FRONT, Side.FRONT.label, CARD_FRONT, "card"),
                SidePlan(
                    Side.BACK,
                    Side.BACK.label,
                    _("The other side, with the three lines of characters and < at the bottom."),
                    "card_back",
                ),
            ),
            has_country=True,
        ),
        Plan(
            DocumentKind.RESIDENCE_PERMIT,
            (
                SidePlan(Side.FRONT, Side.FRONT.label, CARD_FRONT, "card"),
                SidePlan(
                    Side.BACK,
                    Side.BACK.label,
                    _("The other side, with the three lines of characters and < at the bottom."),
                    "card_back",
                ),
            ),
            has_country=True,
        ),
        Plan(
            DocumentKind.DRIVING_LICENCE,
            (
                SidePlan(Side.FRONT, Side.FRONT.label, CARD_FRONT, "card"),
                SidePlan(
                    Side.BACK,
                    Side.BACK.label,
                    _("The other side, with the table of vehicle categories."),
                    "licence_back",
                ),
            ),
            has_country=True,
        ),
        Plan(
            DocumentKind.PROOF_OF_ADDRESS,
            (
                SidePlan(
                    Side.FRONT,
                    _("Pages"),
                    _(
                        "A utility bill, bank statement or official letter from the last three months. Add every page; your "
                        "name, your address and the date must be visible."
                    ),
                    "letter",
                    pages_max=8,
                ),
            ),
        ),
        Plan(
            DocumentKind.SELFIE,
            (
                SidePlan(
                    Side.FRONT,
                    _("Picture"),
                    _(
                        "Look straight into the camera in daylight, without glasses or a hat. Only you should be in the picture."
                    ),
                    "selfie",
                ),
            ),
        ),
        Plan(
            DocumentKind.SOURCE_OF_FUNDS,
            (
                SidePlan(
                    Side.FRONT,
                    _("Pages"),
                    _(
                        "For example payslips, a tax assessment, a contract of sale or a bank statement. Add every page."
                    ),
                    "letter",
                    pages_max=15,
                ),
            ),
            is_photo=False,
        ),
        *(
            Plan(
                kind,
                (
                    SidePlan(
                        Side.FRONT, _("Pages"), _("The complete document, every page in order."), "letter", pages_max=20
                    ),
                ),
                is_photo=False,
            )
            for kind in (*COMPANY_KINDS, *MEANS_KINDS[1:], DocumentKind.OTHER)
        ),
    )
}


def plan_of(kind: str) -> Plan:
    """Return what a document of this type needs."""
    return PLANS[DocumentKind(kind)]


def is_issued(kind: str, country: str) -> bool:
    """Tell whether a country issues documents of this type."""
    return kind != DocumentKind.ID_CARD or country not in WITHOUT_IDENTITY_CARD


def is_country(code: str) -> bool:
    """Tell whether documents can be issued by a country of this code."""
    return code == KOSOVO or code in countries.countries


def countries_for(client: Client) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """List (code, name) of the countries that probably issued a client's document, and then all of them."""
    likely = dict.fromkeys(code for code in (client.nationality, str(client.country or "")) if is_country(code))
    names = country_choices()
    if KOSOVO not in dict(names):
        names = sorted([*names, (KOSOVO, country_name(KOSOVO))], key=lambda choice: choice[1])
    return [(code, country_name(code)) for code in likely], names


def identity_kinds_in(codes: Iterable[str]) -> tuple[DocumentKind, ...]:
    """Choose those of some proofs that identify a person, in the order in which they are offered."""
    asked = set(codes)
    return tuple(kind for kind in IDENTITY_KINDS if kind in asked)


def has_two_sides(kind: str) -> bool:
    """Tell whether a type has a back that counts."""
    return kind in TWO_SIDED_KINDS
