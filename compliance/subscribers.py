"""What compliance does when something happened: screen whoever was verified, notify the officers, rate again."""

import datetime as dt

from clients.models import Client
from compliance import holds
from compliance.aml.follow_up import note_answer, note_document
from compliance.choices import ComplianceNotice, RestrictionCause, ScreeningTrigger
from compliance.models import Restriction, Screening
from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note_all
from compliance.rescreening import screen_version
from compliance.risk_rating.rating import assess, rate_countries_again, rate_soon
from compliance.screening import screen_client, screen_if_possible, screen_listed_number
from crm.events import (
    ClientCategoryChanged,
    ClientProfileChanged,
    ClientRegistered,
    ClientScreened,
    ClientVerified,
    CompanyChanged,
    CompanyPersonLinked,
    CountryRulesChanged,
    DocumentChecked,
    DocumentReviewed,
    DocumentUploaded,
    Event,
    KycLevelLost,
    OwnershipChanged,
    QuestionnaireAnswered,
    RestrictionPlaced,
    VerificationCurrent,
    VerificationOverdue,
    WatchlistLoaded,
    WithdrawalRequested,
    subscribe,
)
from crm.i18n.localized_text import Phrase, joined, label_of, phrase
from crm.models import Brand
from crm.notices.notify import notify, people_with

COMPARED_FIELDS = {"first_name", "last_name", "date_of_birth", "nationality", "country"}


@subscribe(ClientVerified)
def screen_the_verified(event: ClientVerified) -> None:
    """Screen a client who was verified. Without a list in force this fails, is retried and ends with the failed deliveries."""
    assert event.client_id is not None
    screen_client(client_id=event.client_id, trigger=ScreeningTrigger.VERIFIED)


@subscribe(ClientRegistered)
def screen_the_registered(event: ClientRegistered) -> None:
    """Screen whoever registered, if a list is in force; a client without a name waits for the profile, and for every night."""
    assert event.client_id is not None
    screen_if_possible(event.client_id, ScreeningTrigger.REGISTERED)


@subscribe(ClientProfileChanged)
def screen_the_changed(event: ClientProfileChanged) -> None:
    """Screen a client again whose name, birth or country changed: they may be somebody else by it."""
    assert event.client_id is not None
    if COMPARED_FIELDS & set(event.fields):
        screen_if_possible(event.client_id, ScreeningTrigger.PROFILE)


@subscribe(CompanyChanged)
def screen_the_changed_company(event: CompanyChanged) -> None:
    """Screen a company again whose details changed."""
    assert event.client_id is not None
    screen_if_possible(event.client_id, ScreeningTrigger.PROFILE)


@subscribe(CompanyPersonLinked)
def screen_the_linked(event: CompanyPersonLinked) -> None:
    """Screen a person who was linked to a company, or whose details changed."""
    assert event.client_id is not None
    screen_client(client_id=event.client_id, trigger=ScreeningTrigger.COMPANY)


@subscribe(OwnershipChanged)
def screen_the_owners(event: OwnershipChanged) -> None:
    """Screen the companies between a client and its beneficial owners; those that no longer hold a share are left out."""
    assert event.client_id is not None
    owners = [
        Named(name=name, country=country, is_company=True)
        for name, country in zip(event.companies, event.countries, strict=True)
    ]
    note_all(client_id=event.client_id, role=PartyRole.OWNER, named=owners)


@subscribe(DocumentChecked, DocumentReviewed, QuestionnaireAnswered, WithdrawalRequested)
def screen_the_numbered(event: Event) -> None:
    """Screen a client again whose document, tax number or crypto address is on a list: the payout waits for the decision."""
    assert event.client_id is not None
    screen_listed_number(event.client_id)


@subscribe(WatchlistLoaded)
def screen_against_the_new_version(event: WatchlistLoaded) -> None:
    """Screen all clients against what a new version of a list added or changed, and end the matches of what it removed."""
    screen_version(event.version_id)


@subscribe(ClientScreened)
def rate_and_tell(event: ClientScreened) -> None:
    """Rate a client again after a screening, and notify those who decide on new matches."""
    assert event.client_id is not None
    assess(client_id=event.client_id)
    if not event.hits:
        return
    client = Client.objects.get(pk=event.client_id)
    screening = Screening.objects.select_related("party").get(pk=event.screening_id)
    body: Phrase = phrase("The account is frozen until you decide.")
    if screening.party:
        body = joined([screening.party, phrase("What it concerns is on hold until you decide.")])
    notify(
        people_with("compliance.decide_hit", brand_id=event.brand_id),
        kind=ComplianceNotice.POSSIBLE_MATCH,
        title=phrase("Possible watchlist match: %(client)s") % {"client": client},
        body=body,
        url=f"/compliance/clients/{client.pk}/",
        dedupe_key=f"compliance.possible_match:{event.screening_id}",
    )


@subscribe(ClientProfileChanged, ClientCategoryChanged, DocumentReviewed, KycLevelLost, QuestionnaireAnswered)
def rate_the_changed(event: Event) -> None:
    """Have a client rated again after a change of what the risk model may look at. Amounts and trades count every night."""
    assert event.client_id is not None
    rate_soon(client_id=event.client_id, brand_id=event.brand_id)


@subscribe(QuestionnaireAnswered)
def answer_the_case(event: QuestionnaireAnswered) -> None:
    """Write an answer into the AML case that asked for it."""
    assert event.client_id is not None
    note_answer(client_id=event.client_id, submission_id=event.submission_id)


@subscribe(DocumentUploaded)
def bring_the_document_to_its_case(event: DocumentUploaded) -> None:
    """Write a document that an AML case asked for into the case."""
    assert event.client_id is not None
    note_document(client_id=event.client_id)


@subscribe(CountryRulesChanged)
def rate_the_countries_again(event: CountryRulesChanged) -> None:
    """Have the brand's clients from these countries rated again once the new rules hold: their risk band may be another."""
    assert event.brand_id is not None
    rate_countries_again(
        brand=Brand.objects.get(pk=event.brand_id),
        countries=event.countries,
        effective_on=dt.date.fromisoformat(event.effective_on),
        rule_id=event.rule_id,
    )


@subscribe(RestrictionPlaced)
def tell_the_owner(event: RestrictionPlaced) -> None:
    """Notify the agent that their client was restricted by hand, without the reason; of a watchlist match they learn nothing."""
    restriction = Restriction.objects.select_related("client").get(pk=event.restriction_id)
    client = restriction.client
    if restriction.cause != RestrictionCause.MANUAL or not client.owner_id:
        return
    notify(
        [client.owner_id],
        kind=ComplianceNotice.RESTRICTED,
        title=phrase("%(client)s is restricted: %(kind)s") % {"client": client, "kind": label_of(restriction, "kind")},
        url=client.get_absolute_url(),
        dedupe_key=f"compliance.restricted:{restriction.pk}",
    )


@subscribe(VerificationOverdue)
def restrict_the_overdue(event: VerificationOverdue) -> None:
    """Block what the brand's policy says while a client's verification is overdue."""
    assert event.client_id is not None
    holds.place_overdue(client_id=event.client_id, cause=event.cause, kinds=event.restrictions)


@subscribe(VerificationCurrent)
def release_the_renewed(event: VerificationCurrent) -> None:
    """Lift what was blocked while a client's verification was overdue."""
    assert event.client_id is not None
    holds.lift_overdue(client_id=event.client_id, cause=event.cause)
