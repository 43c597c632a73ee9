"""From which countries a client signed in, by the address, day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Max, Min, Sum

from clients.models import Client, SignInCountry
from crm.geo import country_of

COUNTRIES_MAX: Final = 20


def note_country(client_id: int, address: str | None, at: dt.datetime) -> None:
    """Count a sign-in for its country and day (UTC), in the caller's transaction; an address of no known country is left out."""
    country = country_of(address)
    if not country:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO clients_signincountry AS s (client_id, country, day, first_at, times) VALUES (%s, %s, %s, %s, 1)"
            " ON CONFLICT (client_id, day, country) DO UPDATE"
            " SET first_at = least(s.first_at, excluded.first_at), times = s.times + 1",
            [client_id, country, at.astimezone(dt.UTC).date(), at],
        )


def countries_of(client: Client) -> list[Any]:
    """List the countries a client signed in from, the latest first: country, first and last day, days and sign-ins. One query."""
    rows = SignInCountry.objects.filter(client=client).values("country")
    counted = rows.annotate(first=Min("day"), last=Max("day"), days=Count("pk"), sign_ins=Sum("times"))
    return list(counted.order_by("-last", "country")[:COUNTRIES_MAX])
