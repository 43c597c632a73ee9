"""The vendor's data: a small list of invented people and firms, and how alike a query and one of them are."""

import unicodedata
from difflib import SequenceMatcher
from typing import Any


def _entity(entity_id: str, schema: str, dataset: str, topics: str, **properties: list[str]) -> dict[str, Any]:
    return {
        "id": entity_id,
        "caption": properties["name"][0],
        "schema": schema,
        "properties": {**properties, "topics": [topics]},
        "datasets": [dataset],
        "referents": [],
        "target": True,
        "first_seen": "2024-01-10T00:00:00",
        "last_seen": "2026-11-01T00:00:00",
        "last_change": "2026-10-01T00:00:00",
    }


def first_entities() -> list[dict[str, Any]]:
    """Make the list that the sandbox begins with."""
    return [
        _entity(
            "SBX-victor-orlov",
            "Person",
            "sbx_sanctions",
            "sanction",
            name=["Victor Orlov", "Виктор Орлов"],
            alias=["Viktor Orloff"],
            birthDate=["1968-05-14"],
            nationality=["ru"],
            gender=["male"],
        ),
        _entity(
            "SBX-amina-haddad",
            "Person",
            "sbx_peps",
            "role.pep",
            name=["Amina Haddad"],
            birthDate=["1975"],
            country=["tn"],
            position=["Deputy minister of trade"],
        ),
        _entity(
            "SBX-northwind-shipping",
            "Company",
            "sbx_sanctions",
            "sanction",
            name=["Northwind Shipping Limited"],
            jurisdiction=["cy"],
            registrationNumber=["HE 331122"],
        ),
    ]


def scored(query: dict[str, Any], entity: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Score an entity for a query, and explain each feature as yente does."""
    mine, theirs = query["properties"], entity["properties"]
    best, pair = 0.0, ("", "")
    for name in mine.get("name", []):
        for listed in [*theirs["name"], *theirs.get("alias", [])]:
            likeness = SequenceMatcher(None, _plain(name), _plain(listed)).ratio()
            if likeness > best:
                best, pair = likeness, (name, listed)
    explained = {"name_match": _feature(best, *pair, "Names compared word by word")}
    score = best
    births, listed_births = mine.get("birthDate", []), theirs.get("birthDate", [])
    if births and listed_births:
        fits = any(born.startswith(known) or known.startswith(born) for born in births for known in listed_births)
        score += 0.0 if fits else -0.25
        explained["dob_match" if fits else "dob_day_disjoint"] = _feature(
            1.0 if fits else -0.25, ", ".join(births), ", ".join(listed_births), "Dates of birth compared"
        )
    places = {code for key in ("nationality", "country", "jurisdiction") for code in theirs.get(key, [])}
    if mine.get("country") and places:
        fits = bool(places & set(mine["country"]))
        score += 0.0 if fits else -0.05
        name = "country_match" if fits else "country_mismatch"
        explained[name] = _feature(
            1.0 if fits else -0.05, ", ".join(mine["country"]), ", ".join(sorted(places)), "Countries compared"
        )
    return round(max(0.0, min(1.0, score)), 4), explained


def is_same_kind(query: dict[str, Any], entity: dict[str, Any]) -> bool:
    """Tell whether a query's schema may be this entity: LegalEntity is people and firms."""
    return query["schema"] == "LegalEntity" or bool((query["schema"] == "Person") == (entity["schema"] == "Person"))


def _feature(score: float, mine: str, theirs: str, detail: str) -> dict[str, Any]:
    return {"score": round(score, 4), "query": mine, "candidate": theirs, "detail": detail}


def _plain(name: str) -> str:
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    return " ".join(sorted(bare.lower().replace("-", " ").split()))
