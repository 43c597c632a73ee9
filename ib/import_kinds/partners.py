"""Partners of another system, with their place in the tree: parents in the same file in any order, or here already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_email
from clients.import_kinds import readers
from clients.import_kinds.subjects import BY_MAILBOX, BY_NUMBER
from clients.models import Client
from crm.accounts import partner_username
from crm.choices import UserKind
from crm.imports import OPEN_ROWS, Field, RecordKind, Span, Staged, import_kind
from crm.imports.fields import read_moment
from crm.models import ExternalReference, ImportRow, User
from ib import partners, plans
from ib.choices import PartnerState, VersionState
from ib.models import Partner, Plan

# One file is imported in one transaction, so that the whole tree comes in or nothing of it.
PARTNERS_MAX = 5_000
STATES = (PartnerState.ACTIVE, PartnerState.BLOCKED, PartnerState.CLOSED)
CODE_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
SAME_LOGIN = f"""
UPDATE crm_importrow r SET verdict = 'known', object_id = p.id FROM ib_partner p JOIN crm_user u ON u.id = p.user_id
WHERE {OPEN_ROWS} AND r.object_id IS NULL AND p.brand_id = %(brand)s AND u.email = r.match_key
"""  # noqa: S608 - a constant
LOGIN_TAKEN = """
r.object_id IS NULL AND EXISTS (SELECT 1 FROM crm_user u WHERE u.username = %(login)s || r.match_key)
"""
CODE_TAKEN = """
r.object_id IS NULL AND coalesce(r.values ->> 'code', '') <> '' AND (
  EXISTS (SELECT 1 FROM ib_partner p WHERE p.brand_id = %(brand)s AND p.code = r.values ->> 'code')
  OR EXISTS (SELECT 1 FROM ib_referrallink l WHERE l.code = r.values ->> 'code'))
"""
TWICE = """
r.object_id IS NULL AND {value} IS NOT NULL AND EXISTS (SELECT 1 FROM crm_importrow o WHERE o.batch_id = r.batch_id
  AND o.line < r.line AND o.verdict IN ('new', 'known') AND o.object_id IS NULL AND {other} = {value})
"""
BEYOND = """
(SELECT count(*) FROM crm_importrow o WHERE o.batch_id = r.batch_id AND o.verdict IN ('new', 'known') AND o.line <= r.line)
> %(most)s
"""
# Those whose way up ends at a partner without a parent, or with one who is here. What is left over is in a circle, or below one.
NO_WAY_UP = """
r.object_id IS NULL AND coalesce(r.values ->> 'parent', '') <> '' AND r.id NOT IN (
  WITH RECURSIVE placed(id, key) AS (
    SELECT t.id, t.key FROM crm_importrow t WHERE t.batch_id = %(batch)s AND t.verdict IN ('new', 'known')
      AND (t.object_id IS NOT NULL OR coalesce(t.values ->> 'parent', '') = ''
        OR EXISTS (SELECT 1 FROM crm_externalreference x WHERE x.brand_id = %(brand)s AND x.system = %(system)s
          AND x.kind = 'partners' AND x.external_id = t.values ->> 'parent')
        OR EXISTS (SELECT 1 FROM ib_partner p WHERE p.brand_id = %(brand)s AND p.code = lower(t.values ->> 'parent')))
    UNION
    SELECT t.id, t.key FROM crm_importrow t JOIN placed ON placed.key = t.values ->> 'parent' AND placed.key <> ''
    WHERE t.batch_id = %(batch)s AND t.verdict IN ('new', 'known')
  )
  SELECT id FROM placed)
"""
PARENT_NOT_IN_FILE = """
 AND NOT EXISTS (SELECT 1 FROM crm_importrow o WHERE o.batch_id = r.batch_id AND o.key = r.values ->> 'parent'
  AND o.verdict IN ('new', 'known'))
"""


@import_kind
class PartnerKind(RecordKind):
    """Introducing brokers."""

    code: ClassVar[str] = "partners"
    label = gettext_lazy("Partners")
    effect = gettext_lazy(
        "Each becomes a partner with a sign-in without a password, a referral link, their place in the tree and the named"
        " plan. No e-mails are sent."
    )
    order = 5
    batch_rows = PARTNERS_MAX
    fields = (
        Field(
            "external_id",
            gettext_lazy("Number in the other system"),
            names="id partnerid ibid affiliateid accountid recordid",
            longest=120,
        ),
        Field("name", gettext_lazy("Name"), names="partnername fullname company firma", longest=120, is_required=True),
        Field(
            "email",
            gettext_lazy("E-mail"),
            readers.read_email,
            "mail emailaddress email1 emailadresse",
            longest=254,
            is_required=True,
        ),
        Field(
            "parent",
            gettext_lazy("Parent partner"),
            names="parentid parentib upline uplineid masterib sponsor referredby",
            longest=120,
            help=gettext_lazy("The parent's number in the other system, or code here; in this file in any order"),
        ),
        Field(
            "code",
            gettext_lazy("Partner code"),
            names="referralcode ref refcode linkcode slug",
            longest=24,
            help=gettext_lazy("Becomes the code of the first referral link; without one a code is made"),
        ),
        Field("plan", gettext_lazy("Commission plan"), names="planname commissionplan level scheme", longest=80),
        Field("currency", gettext_lazy("Payout currency"), names="payoutcurrency ccy waehrung", longest=5),
        Field(
            "state",
            gettext_lazy("Status"),
            names="status partnerstatus",
            choices=[(state.value, state.label) for state in STATES],
            help=gettext_lazy("Without one the partner is active"),
        ),
        Field(
            "joined_at",
            gettext_lazy("Partner since"),
            read_moment,
            "since partnersince registered registrationdate regdate createdat created createdate createddate",
            is_date=True,
        ),
        Field(
            "manager",
            gettext_lazy("Responsible IB manager"),
            readers.read_email,
            "owneremail manageremail accountmanager",
            longest=254,
            help=gettext_lazy("E-mail address of a member of staff here"),
        ),
        Field(
            "client",
            gettext_lazy("Own client record"),
            names="clientid customerid",
            longest=254,
            help=gettext_lazy("Number in the other system, or e-mail address; gets the payouts"),
        ),
    )

    @classmethod
    def record_url(cls, object_id: int) -> str:
        return f"/ib/partners/{object_id}/"

    @cached_property
    def plans(self) -> dict[str, int]:
        rows = Plan.objects.filter(brand_id=self.batch.brand_id, versions__state=VersionState.ACTIVE).distinct()
        return {name.lower(): pk for pk, name in rows.values_list("pk", "name")}

    @cached_property
    def managers(self) -> dict[str, User]:
        people = User.objects.filter(kind=UserKind.STAFF, is_active=True, brand_id=self.batch.brand_id)
        return {person.email: person for person in people}

    def check_row(self, row: Staged) -> None:
        values, brand = row.values, self.batch.brand
        if values.get("plan") and values["plan"].lower() not in self.plans:
            row.refuse("plan", _("The brand has no active commission plan “%(name)s”") % {"name": values["plan"]})
        values["currency"] = values.get("currency", brand.base_currency).upper()
        if not brand.offers_currency(values["currency"]):
            row.refuse(
                "currency", _("%(brand)s doesn't offer %(currency)s") % {"brand": brand, "currency": values["currency"]}
            )
        if values.get("code"):
            values["code"] = values["code"].lower()
            if not set(values["code"]) <= CODE_CHARS:
                row.refuse("code", _("A code has only a to z, digits, hyphens and underscores"))
        if values.get("parent") and values["parent"] in (values.get("external_id"), values.get("code")):
            row.refuse("parent", _("A partner can't be their own parent"))
        if values.get("joined_at", "") > timezone.now().isoformat():
            row.refuse("joined_at", _("The date is in the future"))
        if values.get("manager") and values["manager"] not in self.managers:
            row.warn("manager", _("No member of staff has the address %(email)s") % {"email": values["manager"]})
        if "@" in values.get("client", ""):
            values["mailbox"] = canonical_email(values["client"])

    def key_of(self, values: Mapping[str, Any]) -> str:
        return str(values.get("external_id") or values.get("code", ""))

    def match_key_of(self, values: Mapping[str, Any]) -> str:
        return str(values.get("email", ""))

    def judge(self, span: Span) -> None:
        span.run(SAME_LOGIN)
        span.refuse(
            LOGIN_TAKEN,
            "email",
            _("There's already a partner login with this address"),
            login=partner_username(brand=self.batch.brand, email=""),
        )
        span.refuse(CODE_TAKEN, "code", _("Another partner has this code"))
        code = {"value": "nullif(r.values ->> 'code', '')", "other": "o.values ->> 'code'"}
        span.refuse(TWICE.format(**code), "code", _("An earlier row has the same code"))
        self._judge_clients(span)
        span.refuse(
            BEYOND,
            "",
            _("A file may have at most %(most)s partners. Import the upper levels in a file of their own first.")
            % {"most": f"{PARTNERS_MAX:,}"},
            most=PARTNERS_MAX,
        )
        absent = _("No partner with this number or code, in the file or here; or that row is refused")
        while span.refuse(NO_WAY_UP + PARENT_NOT_IN_FILE, "parent", absent):
            pass  # whoever is below a refused row is refused, too
        span.refuse(NO_WAY_UP, "parent", _("This partner and those above form a circle"))

    def _judge_clients(self, span: Span) -> None:
        span.run(BY_NUMBER, kinds=["clients", "leads"])
        span.run(BY_MAILBOX)
        span.refuse(
            "r.object_id IS NULL AND coalesce(r.values ->> 'client', '') <> '' AND r.subject_id IS NULL",
            "client",
            _("No client with this number or e-mail address. Import clients first."),
        )
        span.refuse(
            "r.object_id IS NULL AND EXISTS (SELECT 1 FROM ib_partner p WHERE p.client_id = r.subject_id)",
            "client",
            _("This client is already a partner."),
        )
        subject = {"value": "r.subject_id", "other": "o.subject_id"}
        span.refuse(TWICE.format(**subject), "client", _("An earlier row has the same client"))

    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        known = self._known_parents(rows)
        made: dict[int, int] = {}
        for row in _parents_first(rows):
            parent = row.values.get("parent", "").lower()
            partner = self._register(row, known[parent] if parent else None)
            made[row.pk] = partner.pk
            known.update({name.lower(): partner.pk for name in (row.key, partner.code) if name})
        return made

    def _known_parents(self, rows: list[ImportRow]) -> dict[str, int]:
        """Find parents who are here already, by their code, and by their number, which goes before the code."""
        named = {row.values.get("parent", "") for row in rows} - {""}
        codes = Partner.objects.filter(brand_id=self.batch.brand_id, code__in=[name.lower() for name in named])
        known = dict(codes.values_list("code", "pk"))
        references = ExternalReference.objects.filter(
            brand_id=self.batch.brand_id, system=self.batch.system, kind=self.code, external_id__in=named
        )
        numbers = {number.lower(): pk for number, pk in references.values_list("external_id", "object_id")}
        in_file = {row.key.lower(): row.object_id for row in ImportRow.objects.filter(batch=self.batch, key__in=named)}
        return {**known, **numbers, **{key: pk for key, pk in in_file.items() if pk is not None}}

    def _register(self, row: ImportRow, parent_id: int | None) -> Partner:
        values, actor, brand = row.values, self.batch.owner, self.batch.brand
        given = values.get("joined_at")
        details = partners.PartnerDetails(
            name=values["name"],
            email=values["email"],
            currency=values["currency"],
            code=values.get("code", ""),
            parent_id=parent_id,
            client=Client.objects.get(pk=row.subject_id) if row.subject_id else None,
            manager=self.managers.get(values.get("manager", "")),
        )
        partner = partners.register_partner(
            brand=brand, details=details, actor=actor, at=dt.datetime.fromisoformat(given) if given else None
        )
        reason = _("Imported from %(system)s") % {"system": self.batch.system}
        if values.get("plan"):
            plans.assign_plan(
                partner_id=partner.pk, plan_id=self.plans[values["plan"].lower()], actor=actor, reason=reason
            )
        state = PartnerState(values.get("state", PartnerState.ACTIVE))
        if state != PartnerState.ACTIVE:
            partners.change_state(partner_id=partner.pk, to=state, actor=actor, reason=reason)
        return partner


def _parents_first(rows: list[ImportRow]) -> Iterator[ImportRow]:
    """Yield the rows so that a parent who is in the file comes before whoever is below them. There are no circles any more."""
    waiting = {row.key or f"line {row.line}": row for row in rows}
    while waiting:
        ready = [key for key, row in waiting.items() if row.values.get("parent", "") not in waiting]
        assert ready, "judged rows have no circle"
        for key in ready:
            yield waiting.pop(key)
