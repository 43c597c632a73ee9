"""The step that adds a tag to a client, or takes it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.custom_fields import tagging
from clients.models import CustomChoice
from crm.models import Brand
from leads.automations.actions import ActionKind, LeftOut, Outcomes, Turn, register
from leads.automations.choices import Reason

OFFERED_MAX = 300


def _fields(brand: Brand) -> Mapping[str, forms.Field]:
    tags = tagging.tags_seen_by(None, brand_id=brand.pk)[:OFFERED_MAX]
    return {
        "tag": forms.ChoiceField(
            label=gettext_lazy("Which tag"),
            choices=[("", "–"), *((str(row.pk), tagging.label_of(row)) for row in tags)],
            help_text=gettext_lazy("Tags are the choices of custom fields that take several choices."),
        ),
        "how": forms.ChoiceField(
            label=gettext_lazy("What to do"),
            choices=[("add", gettext_lazy("Add the tag")), ("remove", gettext_lazy("Take the tag off"))],
        ),
    }


def _clean(brand: Brand, options: Mapping[str, Any]) -> dict[str, Any]:
    tag = tagging.find_tag(None, options.get("tag"), brand_id=brand.pk)
    return {"tag": tag.pk, "how": "remove" if options.get("how") == "remove" else "add"}


def _words(options: Mapping[str, Any]) -> str:
    tag = CustomChoice.objects.select_related("field").filter(pk=options["tag"]).first()
    text = _("take off the tag “%(tag)s”") if options["how"] == "remove" else _("add the tag “%(tag)s”")
    return text % {"tag": tagging.label_of(tag) if tag else _("unknown")}


def _tag(turns: Sequence[Turn]) -> Outcomes:
    """All turns of a batch are at the same step, with the same options. Raises: DomainError once the tag is archived."""
    options, ids = turns[0].options, [turn.client.pk for turn in turns]
    is_adding = options["how"] == "add"
    changed = set(tagging.tag_clients(client_ids=ids, tag_id=options["tag"], actor=None, is_adding=is_adding))
    return {turn.run.pk: LeftOut(Reason.ALREADY) for turn in turns if turn.client.pk not in changed}


register(ActionKind("tag", gettext_lazy("Change a tag"), "tags", _fields, _clean, _words, _tag))
