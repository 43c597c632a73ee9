"""Where a client is: their level, what it allows, and what is missing for the next one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from clients import proofs
from clients.models import Client
from kyc.levels.ladder import Group, Level, allowance_of, group_label, is_company, ladder_of


@dataclass(frozen=True, slots=True)
class Need:
    """One requirement of the next level. step: the portal page where the client gets it; empty where they wait for us."""

    label: str
    is_met: bool
    step: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A client's level, the highest there is, and the next one with what it needs."""

    level: Level
    top: int
    next_level: Level | None
    needs: tuple[Need, ...] = ()

    @property
    def next_step(self) -> Need | None:
        """What the client can do now."""
        return next((need for need in self.needs if not need.is_met and need.step), None)

    @property
    def missing(self) -> list[Need]:
        return [need for need in self.needs if not need.is_met]


def standing_of(client: Client) -> Standing:
    """Describe where a client is; one query, none at the highest level. The client's brand is loaded."""
    ladder, level = ladder_of(client.brand), allowance_of(client)
    above = next((other for other in ladder if other.number > level.number), None)
    needs = _needs(client, above) if above else ()
    return Standing(level, ladder[-1].number, above, needs)


def _needs(client: Client, level: Level) -> tuple[Need, ...]:
    have = proved_by(client)
    return tuple(_need(group, have) for group in level.groups_for(is_company=is_company(client)))


def _need(group: Group, have: frozenset[str]) -> Need:
    step = next((proofs.PROOFS[code].step for code in group if code in proofs.PROOFS), "")
    return Need(group_label(group), not have.isdisjoint(group), step)


def proved_by(client: Client) -> frozenset[str]:
    """Read the codes of what a client has proved."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT proof FROM ({proofs.all_sql()}) p WHERE client_id = %s", [client.pk])  # noqa: S608
        return frozenset(code for (code,) in cursor.fetchall())
