"""Whose client somebody is decides who earns: it stays with the accounts that earn it."""

from clients.merging.attachments import all_stay

all_stay(
    [
        "ib.Accrual.client",
        "ib.Attribution.client",
        "ib.AttributionProposal.client",
        "ib.ChallengeSale.client",
        "ib.ClientClaim.client",
        "ib.ClientForfeit.client",
        "ib.ClientRebate.client",
        "ib.Partner.client",
        "ib.PartnerPlan.client",
        "ib.PostbackDelivery.client",
        "ib.PostbackReport.client",
        "ib.RatioProposal.client",
        "ib.ReferralVerdict.client",
        "ib.Replay.client",
        "ib.ReplayLine.client",
        "ib.RevenueMonth.client",
        "ib.ReversedPart.client",
    ]
)
