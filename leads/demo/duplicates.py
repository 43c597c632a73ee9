"""People of the demo who came twice: pairs for the queue of possible duplicates, a household, and a merge to undo."""

from __future__ import annotations

from typing import Final

from clients.choices import Stage
from clients.merging.merge import merge_clients, obstacle
from clients.models import Client
from crm.demo import Demo
from crm.models import Brand
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.duplicates import finding
from leads.models import DuplicatePass

PAIRS, HOUSEHOLDS = 4, 2
OTHERS: Final = ("Marlene", "Konrad")


def write_duplicates(demo: Demo) -> None:
    """Have a few leads of each brand come again with another spelling or another person's name, and compare all records."""
    for brand in demo.brands:
        people = list(
            Client.objects.filter(brand=brand, stage=Stage.LEAD, merged_into=None, restrictions=[])
            .exclude(phone="")
            .exclude(first_name="")
            .order_by("-score", "pk")[: PAIRS + HOUSEHOLDS]
        )
        again = [_come_again(brand, person, number) for number, person in enumerate(people)]
        if again and not obstacle(people[0], again[0]):
            merge_clients(
                kept_id=people[0].pk, merged_id=again[0].pk, actor=None, reason="Same person, new e-mail address"
            )
        ids = list(Client.objects.filter(brand=brand).order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(ids), finding.COMPARED_MAX):
            finding.compare(brand, ids[first : first + finding.COMPARED_MAX])
        DuplicatePass.objects.update_or_create(brand=brand, defaults={"after_new": ids[-1] if ids else 0})


def _come_again(brand: Brand, person: Client, number: int) -> Client:
    """Capture a person with the same phone number; the last ones are others of their household."""
    is_other = number >= PAIRS
    first_name = OTHERS[number - PAIRS] if is_other else _respelled(person.first_name)
    return capture_lead(
        brand=brand,
        capture=Capture(
            channel=Channel.LANDING_PAGE,
            first_name=first_name,
            last_name=person.last_name,
            email=f"{brand.code}.again{number}@example.com",
            phone=person.phone,
            country=person.country,
            language=person.language,
            source=person.source,
        ),
    ).client


def _respelled(name: str) -> str:
    """Spell a name as it is often heard on the phone."""
    for heard, written in (("th", "t"), ("c", "k"), ("ph", "f"), ("y", "i"), ("ei", "ai")):
        if heard in name:
            return name.replace(heard, written, 1)
    return f"{name}{name[-1]}"
