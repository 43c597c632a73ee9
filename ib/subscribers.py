"""What partners' bookkeeping does when something happened elsewhere."""

from crm.events import ClientRegistered, DealsSynced, subscribe
from ib.attribution import attribute_registration


@subscribe(ClientRegistered)
def attribute_to_the_partner(event: ClientRegistered) -> None:
    if event.referral_code and event.client_id is not None:
        attribute_registration(client_id=event.client_id, code=event.referral_code)


@subscribe(DealsSynced)
def accrue_commissions(event: DealsSynced) -> None:
    from ib import engine

    engine.run_for_deals(deal_ids=list(event.deal_ids))
