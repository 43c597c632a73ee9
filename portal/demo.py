"""The demo's clients whose logins `make demo` prints: one per brand, verified, with money, trades and two accounts."""

from __future__ import annotations

from django.db.models import Count

from clients.models import Client
from crm.demo import Demo
from crm.models import User


def load(demo: Demo) -> None:
    """Mark a client per brand whose login `make demo` prints."""
    for brand in demo.brands:
        people = Client.objects.filter(
            brand=brand,
            stage="active",
            kyc_level__gte=1,
            restrictions=[],
            user__is_active=True,
            trading_facts__equity__gt=0,
        ).annotate(
            accounts=Count("trading_accounts", distinct=True),
            platforms=Count("trading_accounts__server__kind", distinct=True),
        )
        # Who reads the demo reads English. One has an account on every platform; else two accounts make a transfer possible,
        # and the richest has most to show.
        best = people.order_by("-accounts", "-trading_facts__equity", "pk")
        english = best.filter(user__language="en")
        chosen = english.filter(platforms__gte=4).first() or english.filter(accounts__lte=2).first() or best.first()
        if chosen is not None and chosen.user_id is not None:
            user = User.objects.get(pk=chosen.user_id)
            user.preferences = {**user.preferences, "demo_login": True}
            user.save(update_fields=["preferences"])
