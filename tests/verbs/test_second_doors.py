"""Behind a page stands the verb: called past the page by somebody without the right, it refuses before it writes anything.

Called by somebody with it, what it does is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404

from crm.errors import DomainError, NotAllowed, NotFound
from crm.models import Brand, User
from leads import setup
from leads.models import Campaign
from tests.verbs.calls import arguments, function_of, noting_statements, one, writes_of
from tests.verbs.code import verbs
from tests.verbs.doors import DOORS, EXCEPTIONS, UNRECORDED, Door

ASKED = sorted(name for name, verb in verbs().items() if verb.takes_actor)


def test_the_tables_name_no_verb_that_is_gone():
    assert not sorted({*DOORS, *EXCEPTIONS, *UNRECORDED} - set(ASKED))
    assert not sorted(set(DOORS) & set(EXCEPTIONS))


def outcome(call: Callable[[], Any]) -> tuple[str, list[str]]:
    """What came of a call, in words, and what it wrote until then; undone."""
    point = transaction.savepoint()
    with noting_statements() as said:
        try:
            came = f"done: {call()!r}"[:60]
        except (NotAllowed, NotFound, ObjectDoesNotExist, Http404) as error:
            came = f"refused: {error}"
        except DomainError as error:
            came = f"not possible: {error}"
        except Exception as error:
            came = f"broken: {error!r}"
    transaction.savepoint_rollback(point)
    return came, writes_of(said)


@pytest.mark.parametrize("name", [name for name in ASKED if name not in EXCEPTIONS])
def test_who_may_is_in_the_trail_and_who_may_not_is_refused_before_anything_is_written(
    name: str, anew: dict[str, User]
):
    door, verb = DOORS.get(name, Door()), function_of(name)
    given = arguments(name, door.given(), door.where)
    may = door.by(given) if door.by else anew["insider"]
    theirs, writes = outcome(lambda: verb(actor=may, **given))
    if theirs.startswith("done") and writes and name not in UNRECORDED:
        assert any("crm_auditevent" in sql for sql in writes), f"{theirs}: not in the trail"
    for who in {"newcomer", "outsider", "trader"} - set(door.open_to):
        came, written = outcome(lambda who=who: verb(actor=anew[who], **given))
        if door.finds_nothing:
            assert came in ("done: None", "done: 0", "done: False"), f"{who}: {came}"
            continue
        assert came.startswith("refused"), f"{who}: {came}"
        assert not written, f"{who} was refused only after: {written}"
        assert came != theirs, f"{who} is refused as somebody would be who may: {came}"


def test_what_is_set_up_for_a_brand_can_not_be_moved_into_ones_own(anew: dict[str, User]):
    campaign, theirs = one(Campaign), Brand.objects.exclude(pk=one(Brand).pk)[0]
    came, written = outcome(lambda: setup.save_campaign(actor=anew["outsider"], campaign=campaign, brand=theirs))
    assert came == "refused: You don't have access to this brand."
    assert not written


@pytest.mark.parametrize(
    "name", ["crm.staff.people.invite_staff", "leads.sources.create_source", "trading.risk.margin.set_policy"]
)
def test_a_brand_out_of_reach_is_refused_like_a_lacking_right(name: str, anew: dict[str, User]):
    with pytest.raises(NotAllowed, match="access"):
        function_of(name)(actor=anew["outsider"], **arguments(name))
