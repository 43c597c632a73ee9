from dataclasses import dataclass

from ib import plans
from ib.models import Partner, PlanVersion
from tests.cast import Cast
from tests.ib import factories
from tests.peopled import kept
from trading.models import TradingAccount


@dataclass
class Network:
    """Grand master → master → sub; the sub referred `cast.client`, whose account it is."""

    top: Partner
    master: Partner
    sub: Partner
    version: PlanVersion
    account: TradingAccount


def make_network(cast: Cast) -> Network:
    factories.load_rates()
    top = factories.make_partner(cast.brand)
    master = factories.make_partner(cast.brand, parent=top)
    sub = factories.make_partner(cast.brand, parent=master)
    version = factories.make_version(cast.brand, cast.ib_manager, cast.finance)
    for partner in (top, master, sub):
        plans.assign_plan(partner_id=partner.pk, plan_id=version.plan_id, actor=None, at=factories.LONG_AGO)
    factories.refer(cast.client, sub)
    return Network(top, master, sub, version, factories.make_account(cast.client))


network = kept(make_network)
