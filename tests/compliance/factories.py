"""Lists for tests: small ones written here, and the real ones of `compliance/data`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from compliance import hits
from compliance.models import Hit, ListVersion
from compliance.watchlists import import_watchlist
from crm import approvals
from crm.models import WorkProposal

DATA = Path(settings.BASE_DIR) / "compliance" / "data"
HERE = Path(__file__).parent / "data"
UN_PERSON = """
<INDIVIDUAL><DATAID>{id}</DATAID><FIRST_NAME>{first}</FIRST_NAME><SECOND_NAME>{second}</SECOND_NAME>
<UN_LIST_TYPE>Test</UN_LIST_TYPE><LISTED_ON>2020-01-02</LISTED_ON>
<NATIONALITY><VALUE>{country}</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>{weak}</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>{born}</DATE></INDIVIDUAL_DATE_OF_BIRTH>
{more}</INDIVIDUAL>"""
PASSPORT = """<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>{number}</NUMBER>
<ISSUING_COUNTRY>{issuer}</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>"""


def un_file(folder: Path, *people: dict[str, str], name: str = "list.xml") -> Path:
    """A list of the Security Council's shape with the given people."""
    body = "".join(
        UN_PERSON.format(
            **{
                "id": str(100 + number),
                "second": "",
                "weak": "",
                "born": "1970-03-04",
                "country": "Germany",
                "more": "",
                **person,
            }
        )
        for number, person in enumerate(people)
    )
    path = folder / name
    path.write_text(
        f'<?xml version="1.0"?><CONSOLIDATED_LIST dateGenerated="2026-02-01T00:00:00Z"><INDIVIDUALS>{body}</INDIVIDUALS>'
        "<ENTITIES></ENTITIES></CONSOLIDATED_LIST>",
        encoding="utf-8",
    )
    return path


def load(folder: Path, *people: dict[str, str]) -> ListVersion:
    return import_watchlist(source="un", path=un_file(folder, *people), actor=None, may_shrink=True)


BORN = dt.date(1970, 3, 4)


def confirm_match(hit: Hit, cast, reason: str = "Passport number agrees") -> None:
    """A true match, by two people: the officer proposes and the MLRO approves."""
    hits.confirm_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason=reason)
    approvals.approve(WorkProposal, WorkProposal.objects.get(item=hit.work_id, state="pending").pk, actor=cast.mlro)
    hit.refresh_from_db()
