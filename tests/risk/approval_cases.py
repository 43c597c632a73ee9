from compliance.models import Restriction
from crm.choices import Role
from risk.abuse import scoring
from risk.abuse.measures import propose_measure
from risk.abuse.queue import decide_episode
from risk.dealing.routing import current_of, propose_routing
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case
from tests.risk.abuse.test_episodes import hedged_accounts


@approval_case("abuse-measure")
def abuse_measure(cast, _use) -> Case:
    hedged_accounts(cast)
    (episode,) = scoring.score_next()[1]
    decide_episode(
        episode_id=episode.pk,
        actor=cast.finance,
        outcome="confirmed",
        reason="Same hands",
        handling="review_withdrawals",
    )
    asked = propose_measure(
        episode_id=episode.pk,
        client_id=cast.client.pk,
        kind="withdrawals",
        actor=cast.finance,
        reason="Both accounts are checked first",
    )
    return Case(
        asked,
        cast.finance,
        make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand),
        Restriction.objects.filter(client=cast.client, kind="no_withdrawal", lifted_at=None).count,
        "abuse_measure_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("client-routing")
def client_routing(cast, _use) -> Case:
    asked = propose_routing(client_id=cast.client.pk, book="a", actor=cast.finance, reason="Wins on news")
    return Case(
        asked,
        cast.finance,
        make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand),
        lambda: len(current_of([cast.client.pk])),
        "client_routing_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )
