"""Publishing a version by four eyes: from then on it is on sale and never changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.errors import WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from prop.audit_codes import PropAction
from prop.choices import PropNotice, VersionState
from prop.models import ProgrammeVersion, PublishProposal
from prop.programmes.drafts import end_sale, locked
from prop.programmes.files import read_terms, write_terms
from prop.sentences import about_payouts, name_of, rules_of


@transaction.atomic
def propose_publication(*, version_id: int, actor: User, reason: str) -> PublishProposal:
    """Ask a second person to put a draft on sale. Who: `prop.write_programme` at the brand.

    Raises: NotAllowed, WrongState where it is no draft or is proposed already, DomainError without a reason.
    """
    version = locked(version_id)
    if version.state != VersionState.DRAFT:
        raise WrongState(_("Only a draft can be published."))
    return approvals.propose(PublishProposal(version=version, reason=reason.strip()), actor=actor)


class PublishApproval(approvals.ApprovalKind[PublishProposal]):
    """The version is on sale from the approval on, and the one before it ends then."""

    model = PublishProposal
    code = "programme-publication"
    label = gettext_lazy("Publication of a programme")
    asks, decides = "prop.write_programme", "prop.publish_programme"
    proposed, approved = PropAction.PUBLICATION_PROPOSED, PropAction.PUBLICATION_APPROVED
    rejected, withdrawn = PropAction.PUBLICATION_REJECTED, PropAction.PUBLICATION_WITHDRAWN
    notice = PropNotice.PUBLICATION_PROPOSED
    brand_path = "version__programme__brand_id"
    related = ("version__programme__brand",)
    one_open = ("version",)
    done = gettext_lazy("Programme published. Clients can buy it now.")

    def lock(self, pk: int) -> PublishProposal:
        version = locked(PublishProposal.objects.values_list("version_id", flat=True).get(pk=pk))
        item = super().lock(pk)
        item.version = version
        return item

    def apply(self, item: PublishProposal, actor: User, **given: Any) -> None:
        version = item.version
        read_terms(write_terms(version).encode(), brand_id=version.programme.brand_id)
        for other in ProgrammeVersion.objects.filter(programme=version.programme, state=VersionState.PUBLISHED):
            end_sale(other)
        version.move_to(VersionState.PUBLISHED)
        version.published_at = timezone.now()
        version.save(update_fields=["state", "published_at"])

    def title(self, item: PublishProposal) -> LocalizedText:
        return phrase("Publication of %(programme)s, version %(number)s") % {
            "programme": item.version.programme.name,
            "number": item.version.number,
        }

    def url(self, item: PublishProposal) -> str:
        return item.version.programme.get_absolute_url()

    def target(self, item: PublishProposal) -> ProgrammeVersion:
        return item.version

    def changes(self, item: PublishProposal) -> Sequence[Change]:
        version = item.version
        prices = [
            f"{formats.money(size.balance, version.currency)}: {formats.money(size.fee, version.currency)}"
            for size in version.sizes.all()
        ]
        return [
            Change(_("Fees"), " · ".join(prices)),
            *(Change(name_of(phase), " ".join(rules_of(phase))) for phase in version.phases.all()),
            Change(_("Payouts"), " ".join(about_payouts(version))),
        ]

    def after(self, item: PublishProposal) -> dict[str, Any]:
        return {"version": item.version.number, "terms": write_terms(item.version)}
