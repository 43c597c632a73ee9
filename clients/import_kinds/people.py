"""Clients of another system, as registered clients: recognised by number, e-mail address, or phone and name. Nothing is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import F, Value
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_email
from clients.choices import Gate, Stage, TimelineKind
from clients.countries import country_name
from clients.country_rules.rules import decide
from clients.identifiers import learn_many
from clients.identifiers.sources import now_of
from clients.import_kinds import readers
from clients.import_kinds.custom_columns import CustomColumns, as_columns, open_fields
from clients.import_kinds.updates import Comparison, update_clients
from clients.models import Client, TimelineEntry
from clients.timeline import entry_texts
from crm.choices import EXISTING_ROWS, ImportVerdict, UserKind
from crm.db.bulk import copy_models
from crm.events import ClientImported, publish_set
from crm.i18n.localized_text import phrase
from crm.imports import OPEN_ROWS, Difference, Field, RecordKind, Span, Staged, import_kind
from crm.imports.fields import read_date, read_moment, read_yes_no
from crm.models import Actor, Book, DataImport, ImportRow

# The same mailbox at the brand is the same person; an open record goes before a closed one.
SAME_MAILBOX = f"""
UPDATE crm_importrow r SET verdict = 'known', object_id = m.client_id FROM (
  SELECT DISTINCT ON (r.id) r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id FROM crm_importrow r
  JOIN clients_client c ON c.brand_id = %(brand)s AND c.email_canonical = r.match_key AND c.email <> ''
  WHERE {OPEN_ROWS} AND r.object_id IS NULL AND r.match_key <> '' ORDER BY r.id, (c.stage = 'closed'), c.id
) m WHERE m.row_id = r.id
"""  # noqa: S608 - a constant
# Families share a phone: it takes the name, too.
SAME_PHONE_AND_NAME = f"""
UPDATE crm_importrow r SET verdict = 'known', object_id = m.client_id FROM (
  SELECT DISTINCT ON (r.id) r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id FROM crm_importrow r
  JOIN clients_client c ON c.brand_id = %(brand)s AND c.phone = r.values ->> 'phone' AND c.phone <> ''
    AND lower(c.first_name) = lower(coalesce(r.values ->> 'first_name', ''))
    AND lower(c.last_name) = lower(coalesce(r.values ->> 'last_name', ''))
  WHERE {OPEN_ROWS} AND r.object_id IS NULL ORDER BY r.id, (c.stage = 'closed'), c.id
) m WHERE m.row_id = r.id
"""  # noqa: S608 - a constant
SAME_PHONE = f"""
UPDATE crm_importrow r SET warnings = r.warnings || jsonb_build_array(jsonb_build_object(
  'column', 'phone', 'message', format(%(message)s::text, m.client_id))) FROM (
  SELECT DISTINCT ON (r.id) r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id FROM crm_importrow r
  JOIN clients_client c ON c.brand_id = %(brand)s AND c.phone = r.values ->> 'phone' AND c.phone <> ''
  WHERE {OPEN_ROWS} AND r.object_id IS NULL AND NOT r.warnings @> '[{{"column": "phone"}}]' ORDER BY r.id, c.id
) m WHERE m.row_id = r.id
"""  # noqa: S608 - a constant
COUNTRIES = f"SELECT DISTINCT coalesce(r.values ->> 'country', '') FROM crm_importrow r WHERE {OPEN_ROWS}"  # noqa: S608
TAKEN = (ImportVerdict.NEW, *EXISTING_ROWS)
PLAIN = ("first_name", "last_name", "email", "phone", "country", "nationality", "address_line", "city", "postal_code")


def publish_imported(batch: DataImport, client_ids: list[int]) -> None:
    """Publish that these people came in with an import: one event each, without reading them."""
    rows = Client.objects.filter(pk__in=client_ids).order_by("pk")
    publish_set(
        ClientImported,
        rows.values("brand_id", "stage", client_id=F("pk"), import_id=Value(batch.pk)),
        actor=batch.owner,
    )


@import_kind
class ClientKind(RecordKind):
    """People who are clients elsewhere."""

    code: ClassVar[str] = "clients"
    label = gettext_lazy("Clients")
    effect = gettext_lazy(
        "Each becomes a registered client in the agent's or the named book, else in the brand's pool. No e-mails are sent."
    )
    order = 10
    compares = True
    is_lead: ClassVar[bool] = False
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "external_id",
            gettext_lazy("Number in the other system"),
            names="id clientid customerid userid accountid contactid recordid traderid uid kundennummer",
            longest=120,
        ),
        Field("first_name", gettext_lazy("First name"), names="first givenname forename vorname fname", longest=80),
        Field("last_name", gettext_lazy("Last name"), names="last surname familyname nachname lname", longest=80),
        Field(
            "full_name", gettext_lazy("Full name"), names="name clientname customername contactname kunde", longest=160
        ),
        Field(
            "email", gettext_lazy("E-mail"), readers.read_email, "mail emailaddress email1 emailadresse", longest=254
        ),
        Field(
            "phone",
            gettext_lazy("Phone"),
            names="phonenumber mobile mobilephone telephone tel cell phone1 telefon handy",
        ),
        Field(
            "country",
            gettext_lazy("Country"),
            readers.read_country,
            "countrycode countryname mailingcountry residence land",
        ),
        Field(
            "language",
            gettext_lazy("Language"),
            readers.read_language,
            "lang locale preferredlanguage sprache",
            longest=8,
        ),
        Field(
            "date_of_birth",
            gettext_lazy("Date of birth"),
            read_date,
            "dob birthdate birthday geburtsdatum",
            is_date=True,
        ),
        Field("nationality", gettext_lazy("Nationality"), readers.read_country, "citizenship"),
        Field(
            "address_line",
            gettext_lazy("Address"),
            names="street address1 addressline1 mailingstreet strasse",
            longest=160,
        ),
        Field("city", gettext_lazy("City"), names="town mailingcity ort stadt", longest=80),
        Field(
            "postal_code", gettext_lazy("Postal code"), names="zip zipcode postcode mailingpostalcode plz", longest=20
        ),
        Field(
            "registered_at",
            gettext_lazy("Registered on"),
            read_moment,
            "registered registrationdate regdate createdat created createdate createddate creationdate",
            is_date=True,
        ),
        Field(
            "marketing_consent", gettext_lazy("Marketing consent"), read_yes_no, "optin consent newsletter emailoptin"
        ),
        Field(
            "agent",
            gettext_lazy("Agent"),
            readers.read_email,
            names="owneremail agentemail salesagent accountmanager",
            longest=254,
            help=gettext_lazy("E-mail address of the agent here, whose book the client goes into"),
        ),
        Field(
            "book",
            gettext_lazy("Book"),
            names="book",
            help=gettext_lazy("For clients without an agent; without a book they go into the brand's pool"),
        ),
    )

    @classmethod
    def record_url(cls, object_id: int) -> str:
        return f"/clients/{object_id}/"

    @classmethod
    def fields_of(cls, brand_id: int, user: Actor) -> Sequence[Field]:
        """List the kind's own fields and the brand's custom fields."""
        return [*cls.fields, *as_columns(open_fields(brand_id, user, is_lead=cls.is_lead))]

    @cached_property
    def custom(self) -> CustomColumns:
        fields = open_fields(self.batch.brand_id, self.batch.owner, is_lead=self.is_lead)
        return CustomColumns(fields, self.batch.mapping.get("fields", {}))

    def recheck(self, span: Span) -> None:
        if self.custom.mapped:
            rows = ImportRow.objects.filter(batch=self.batch, verdict__in=TAKEN, line__range=(span.first, span.last))
            self.custom.refuse_unfit(span, rows)

    def differences(self, rows: Sequence[ImportRow]) -> dict[int, list[Difference]]:
        comparison = Comparison(self.batch, self.all_fields, self.custom, rows)
        return {row.pk: comparison.of(row) for row in rows}

    def update(self, rows: Sequence[ImportRow], *, fills_only: bool) -> dict[int, set[str]]:
        comparison = Comparison(self.batch, self.all_fields, self.custom, rows, locks=True)
        return update_clients(comparison, rows, fills_only=fills_only)

    @cached_property
    def books(self) -> dict[str, Book]:
        books = Book.objects.filter(brand=self.batch.brand, archived_at=None).order_by("-pk")
        return {book.name.lower(): book for book in books}

    @cached_property
    def books_of_agents(self) -> dict[str, Book]:
        books = Book.objects.filter(
            brand=self.batch.brand, archived_at=None, is_pool=False, owner__is_active=True, owner__kind=UserKind.STAFF
        )
        return {book.owner.email: book for book in books.select_related("owner").order_by("-pk") if book.owner}

    @cached_property
    def pool(self) -> Book:
        pools = Book.objects.filter(brand=self.batch.brand, archived_at=None, is_pool=True)
        return (
            pools.order_by("desk_id").first()
            or Book.objects.get_or_create(
                brand=self.batch.brand, name=f"{self.batch.brand.name} pool", defaults={"is_pool": True}
            )[0]
        )

    def check_row(self, row: Staged) -> None:
        readers.settle_name(row)
        readers.settle_phone(row)
        values = row.values
        if not (values.get("external_id") or values.get("email") or values.get("phone")):
            row.refuse("", _("Needs a number, an e-mail address or a phone number"))
        born = values.get("date_of_birth", "")
        if born and not "1900-01-01" <= born <= self.today:
            row.refuse("date_of_birth", _("%(day)s can't be a date of birth") % {"day": born})
        if values.get("registered_at", "")[:10] > self.today:
            row.refuse("registered_at", _("The date is in the future"))
        if values.get("agent") and values["agent"] not in self.books_of_agents:
            row.warn("agent", _("%(email)s is no agent with a book here") % {"email": values["agent"]})
        if values.get("book") and values["book"].lower() not in self.books:
            row.refuse("book", _("The brand has no book “%(name)s”") % {"name": values["book"]})

    @cached_property
    def today(self) -> str:
        return timezone.now().date().isoformat()

    def match_key_of(self, values: Mapping[str, Any]) -> str:
        if values.get("email"):
            return canonical_email(values["email"])
        names = [str(values.get(name, "")).lower() for name in ("phone", "first_name", "last_name")]
        return "|".join(names) if all(names) else ""

    def judge(self, span: Span) -> None:
        span.run(SAME_MAILBOX)
        span.run(SAME_PHONE_AND_NAME)
        span.run(SAME_PHONE, message=_("Same phone number as client %s, with another name"))
        self.refuse_countries(span, Gate.REGISTRATION, _("%(brand)s doesn't accept clients from %(country)s."))

    def refuse_countries(self, span: Span, gate: Gate, reason: str) -> None:
        """Refuse new people from countries that the brand doesn't accept at a gate."""
        for country in span.values(COUNTRIES):
            if country and not decide(self.batch.brand, country, gate):
                span.refuse(
                    "r.object_id IS NULL AND r.values ->> 'country' = %(country)s",
                    "country",
                    reason % {"brand": self.batch.brand, "country": country_name(country)},
                    country=country,
                )

    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        now = timezone.now()
        clients = [self._client(row.values, now) for row in rows]
        copy_models(clients)
        history = Client.history.model
        copy_models(
            [
                history(
                    history_date=now,
                    history_type="+",
                    history_user_id=self.batch.owner_id,
                    **{field.attname: getattr(client, field.attname) for field in history.tracked_fields},
                )
                for client in clients
            ]
        )
        title = phrase("Imported from %(system)s") % {"system": self.batch.system}
        copy_models(
            [
                TimelineEntry(
                    client_id=client.pk,
                    kind=TimelineKind.STAGE,
                    actor_id=self.batch.owner_id,
                    at=now,
                    dedupe_key=f"data-import:{self.batch.pk}",
                    **entry_texts(title=title, body="", data={"import": self.batch.pk}),
                )
                for client in clients
            ]
        )
        learn_many(seen for client in clients for seen in now_of(client))
        publish_imported(self.batch, [client.pk for client in clients])
        made = {row.pk: client.pk for row, client in zip(rows, clients, strict=True)}
        self.custom.write_new((row, made[row.pk]) for row in rows)
        return made

    def _client(self, values: Mapping[str, Any], now: dt.datetime) -> Client:
        book = self.books_of_agents.get(values.get("agent", "")) or self.books.get(values.get("book", "").lower())
        book = book or self.pool
        registered_at = dt.datetime.fromisoformat(values["registered_at"]) if values.get("registered_at") else now
        born = values.get("date_of_birth")
        return Client(
            brand_id=self.batch.brand_id,
            book_id=book.pk,
            owner_id=book.owner_id,
            stage=Stage.REGISTERED,
            language=values.get("language") or self.batch.brand.default_language,
            date_of_birth=dt.date.fromisoformat(born) if born else None,
            marketing_consent=values.get("marketing_consent", False),
            created_at=min(registered_at, now),
            registered_at=min(registered_at, now),
            **{name: values.get(name, "") for name in PLAIN},
        )
