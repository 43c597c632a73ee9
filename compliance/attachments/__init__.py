"""What compliance knows stays with the record it was found about. Nothing is counted: whoever merges may not know of it."""

from clients.merging.attachments import all_stay

all_stay(
    [
        "compliance.AmlAlert.client",
        "compliance.AmlCase.client",
        "compliance.AmlClosedPosition.client",
        "compliance.AmlMonth.client",
        "compliance.AmlMovement.client",
        "compliance.AmlMovement.counterpart",
        "compliance.AmlOppositeTrade.loser",
        "compliance.AmlOppositeTrade.winner",
        "compliance.AmlPending.client",
        "compliance.AmlReferral.client",
        "compliance.AmlTradingDay.client",
        "compliance.ClientKeys.client",
        "compliance.ClosedRelation.client",
        "compliance.Delisting.client",
        "compliance.ErasureProposal.client",
        "compliance.Hit.client",
        "compliance.LegalHold.client",
        "compliance.Restriction.client",
        "compliance.RiskAssessment.client",
        "compliance.RiskOverride.client",
        "compliance.ScreenedParty.client",
        "compliance.Screening.client",
        "compliance.SuspicionReport.client",
        "compliance.VendorCheck.client",
    ]
)
