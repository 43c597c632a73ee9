"""Forms of the builder: a new questionnaire, its settings, sections, questions and outcomes, one field per language and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.declared.choices import AMOUNTS, CODES
from clients.vocabulary import CLIENT
from crm.i18n.languages import language_name
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.conditions import ConditionField
from kyc.questionnaires.choices import CHOICE_TYPES, AskedAt, QuestionnaireKind, QuestionType
from kyc.questionnaires.content import (
    CHARS_MAX,
    CHOICES_MAX,
    DAYS_MAX,
    LEVERAGE_MAX,
    LINE_MAX,
    MONTHS_MAX,
    QUESTIONS_MAX,
    SCORE_MAX,
    TEXT_MAX,
    Content,
)
from kyc.questionnaires.declarations import facts_for
from kyc.questionnaires.publishing import account_kinds
from kyc.questionnaires.vocabulary import of_questions

Data = dict[str, Any]
MORE_CHOICES: Final = 3


class NewForm(forms.Form):
    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    kind = forms.ChoiceField(label=_("Kind"), choices=QuestionnaireKind.choices)
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("For colleagues"))
    from_library = forms.BooleanField(
        label=_("Start from the shipped questionnaire of this kind"), required=False, initial=True
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = self.fields["brand"]
        assert isinstance(brand, forms.ModelChoiceField)
        brand.queryset = Brand.objects.filter(pk__in=reach_of(user).whole_brands, archived_at=None)


class WordsForm(forms.Form):
    """A form over a part of the content; its texts have a field per language, called `text_de`."""

    lines: tuple[tuple[str, Any], ...] = ()  # name and label of one-line texts
    texts: tuple[tuple[str, Any], ...] = ()  # and of longer ones

    def __init__(self, *args: Any, part: Data, languages: Sequence[str], **kwargs: Any) -> None:
        self.part, self.languages = part, list(languages)
        kwargs["initial"] = {**self.initial_of(part), **kwargs.pop("initial", {})}
        super().__init__(*args, **kwargs)
        own = self.fields
        self.fields = type(own)()
        for names, is_long in ((self.lines, False), (self.texts, True)):
            for name, label in names:
                for language in self.languages:
                    self.fields[f"{name}_{language}"] = _words_field(label, language, is_long=is_long)
        self.fields.update(own)

    def initial_of(self, part: Data) -> Data:
        words = {
            f"{name}_{language}": text
            for name, _label in (*self.lines, *self.texts)
            for language, text in (part.get(name) or {}).items()
        }
        return {**words, **{name: part[name] for name in self.base_fields if name in part}}

    def words(self, name: str) -> dict[str, str]:
        """Collect a text; languages that the brand no longer has keep theirs."""
        kept = {code: text for code, text in (self.part.get(name) or {}).items() if code not in self.languages}
        given = {language: self.cleaned_data[f"{name}_{language}"].strip() for language in self.languages}
        return {**kept, **{language: text for language, text in given.items() if text}}

    def all_words(self) -> dict[str, dict[str, str]]:
        return {name: self.words(name) for name, _label in (*self.lines, *self.texts)}

    def text_rows(self) -> list[list[Any]]:
        """List the texts' fields, one row per text with its languages beside each other."""
        return [[self[f"{name}_{code}"] for code in self.languages] for name, _label in (*self.lines, *self.texts)]

    def other_fields(self) -> list[Any]:
        names = {field.name for row in self.text_rows() for field in row}
        return [field for field in self if field.name not in names]


def _words_field(label: Any, language: str, *, is_long: bool) -> forms.CharField:
    widget = forms.Textarea({"rows": 4, "lang": language}) if is_long else forms.TextInput({"lang": language})
    name = f"{label} ({language_name(language)})"
    return forms.CharField(label=name, max_length=TEXT_MAX if is_long else LINE_MAX, required=False, widget=widget)


class SettingsForm(WordsForm):
    lines = (("title", _("Title")),)
    texts = (("intro", _("Introduction")),)
    asked_at = forms.ChoiceField(label=_("Asked"), choices=AskedAt.choices)
    over = forms.DecimalField(
        label=_("Deposits above"),
        min_value=0,
        max_digits=14,
        decimal_places=2,
        required=False,
        help_text=_("In the brand's base currency, together with earlier deposits."),
    )
    renew_months = forms.IntegerField(
        label=_("Answers count for (months)"), min_value=0, max_value=MONTHS_MAX, help_text=_("0: without an end.")
    )
    retake_days = forms.IntegerField(
        label=_("May be answered again after (days)"),
        min_value=0,
        max_value=DAYS_MAX,
        help_text=_("On the client's own initiative. 0: never."),
    )
    audience = ConditionField(CLIENT, label=_("Who is asked"))

    def initial_of(self, part: Data) -> Data:
        settings = part.get("settings", {})
        initial = {"renew_months": 0, "retake_days": 0, "asked_at": AskedAt.REQUEST.value}
        return {**super().initial_of(part), **initial, **{k: v for k, v in settings.items() if v is not None}}

    def changed(self) -> Data:
        cleaned = self.cleaned_data
        over: Decimal | None = cleaned["over"]
        return {
            **self.part,
            **self.all_words(),
            "settings": {
                "asked_at": cleaned["asked_at"],
                "over": str(over) if over else None,
                "renew_months": cleaned["renew_months"],
                "retake_days": cleaned["retake_days"],
                "audience": stored_condition(cleaned["audience"]),
            },
        }


def stored_condition(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Keep a condition; None for the one that always holds."""
    return None if not data or data.get("all") == [] else data


class SectionForm(WordsForm):
    lines = (("title", _("Title")),)
    texts = (("text", _("Introduction")),)

    def changed(self) -> Data:
        return {key: value for key, value in {**self.part, **self.all_words()}.items() if key != "questions"}


class QuestionForm(WordsForm):
    """A question of the type that `part` says; only the fields of that type are there."""

    lines = (("text", _("Question")), ("help", _("Help text")))
    is_required = forms.BooleanField(label=_("Must be answered"), required=False, initial=True)
    minimum = forms.DecimalField(label=_("At least"), max_digits=16, decimal_places=4, required=False)
    maximum = forms.DecimalField(label=_("At most"), max_digits=16, decimal_places=4, required=False)
    chars_max = forms.IntegerField(label=_("Characters at most"), min_value=1, max_value=CHARS_MAX, initial=300)

    def __init__(self, *args: Any, content: Content, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.part["type"]
        earlier = content.before(self.part["id"]) if self.part.get("id") else list(content.questions())
        if earlier:
            self.fields["when"] = ConditionField(of_questions(earlier), label=_("Asked only if"))
            self.initial["when"] = self.part.get("when")
        if kind not in (QuestionType.NUMBER, QuestionType.MONEY):
            del self.fields["minimum"], self.fields["maximum"]
        if kind != QuestionType.TEXT:
            del self.fields["chars_max"]
        facts = facts_for(kind)
        if facts:
            self.fields["declares"] = forms.ChoiceField(
                label=_("Declares"),
                choices=[("", _("Nothing")), *facts],
                required=False,
                help_text=self._declares_help(),
            )
            self.initial["declares"] = self.part.get("declares", "")
        self.has_choices = kind in CHOICE_TYPES
        self.choice_rows = self._choice_fields() if self.has_choices else []

    def _declares_help(self) -> Any:
        if self.part["type"] in CHOICE_TYPES and not self.part.get("declares"):
            return _("Compliance compares it with payments. Save, then enter what each answer stands for.")
        return _("Compliance compares it with payments. It's kept beside the sealed answers.")

    def _meaning_field(self, number: int, choice: Data) -> str:
        """Add the field for what an answer declares; "" where the question declares nothing."""
        fact = self.part.get("declares", "")
        if not fact:
            return ""
        if fact in AMOUNTS:
            name = f"choice-{number}-up_to"
            self.fields[name] = forms.DecimalField(
                label=_now("Up to (base currency)"),
                min_value=0,
                max_digits=14,
                decimal_places=2,
                required=False,
                help_text=_now("Empty: no upper limit."),
            )
            self.initial[name] = choice.get("up_to")
            return name
        name = f"choice-{number}-stands_for"
        self.fields[name] = forms.ChoiceField(
            label=_now("Stands for"), choices=[("", _now("Choose")), *CODES[fact].choices], required=False
        )
        self.initial[name] = choice.get("stands_for", "")
        return name

    def _choice_fields(self) -> list[dict[str, Any]]:
        """Add fields for the answers to choose from: those there are, and some more."""
        choices = self.part.get("choices", [])
        rows = []
        for number in range(min(len(choices) + MORE_CHOICES, CHOICES_MAX)):
            choice = choices[number] if number < len(choices) else {}
            names = []
            for language in self.languages:
                name = f"choice-{number}-{language}"
                label = _now("Answer %(number)s (%(language)s)") % {
                    "number": number + 1,
                    "language": language_name(language),
                }
                self.fields[name] = forms.CharField(
                    label=label, max_length=LINE_MAX, required=False, widget=forms.TextInput({"lang": language})
                )
                self.initial[name] = (choice.get("text") or {}).get(language, "")
                names.append(name)
            score = f"choice-{number}-score"
            self.fields[score] = forms.IntegerField(
                label=_now("Score"), min_value=-SCORE_MAX, max_value=SCORE_MAX, required=False
            )
            self.initial[score] = choice.get("score", 0)
            meaning = self._meaning_field(number, choice)
            rows.append({"id": choice.get("id", ""), "names": names, "score": score, "meaning": meaning, "old": choice})
        return rows

    def choice_fields(self) -> list[dict[str, Any]]:
        return [
            {
                "texts": [self[name] for name in row["names"]],
                "score": self[row["score"]],
                "meaning": self[row["meaning"]] if row["meaning"] else None,
            }
            for row in self.choice_rows
        ]

    def other_fields(self) -> list[Any]:
        hidden = {name for row in self.choice_rows for name in (*row["names"], row["score"], row["meaning"])}
        return [field for field in super().other_fields() if field.name not in hidden]

    def changed(self) -> Data:
        cleaned = self.cleaned_data
        part = {**self.part, **self.all_words(), "is_required": cleaned["is_required"]}
        if "when" in self.fields:
            part["when"] = stored_condition(cleaned["when"])
        for name in ("minimum", "maximum"):
            if name in self.fields:
                part[name] = None if cleaned[name] is None else str(cleaned[name])
        if "chars_max" in self.fields:
            part["chars_max"] = cleaned["chars_max"]
        if "declares" in self.fields:
            part["declares"] = cleaned["declares"]
        if self.has_choices:
            part["choices"] = self._choices(cleaned.get("declares", ""))
        return part

    def _meaning(self, row: Data, fact: str) -> Data:
        """Read what an answer declares, where the question still declares the same."""
        name = row["meaning"]
        if not name or fact != self.part.get("declares"):
            return {}
        value = self.cleaned_data[name]
        return {name.rpartition("-")[2]: str(value) if isinstance(value, Decimal) else value or ""}

    def _choices(self, fact: str) -> list[Data]:
        """Collect the answers; an empty row is one that was taken away."""
        taken = {int(row["id"][1:]) for row in self.choice_rows if row["id"][1:].isdigit()}
        free = max(taken, default=0)
        choices = []
        for row in self.choice_rows:
            given = {
                code: self.cleaned_data[name].strip() for code, name in zip(self.languages, row["names"], strict=True)
            }
            if not any(given.values()):
                continue
            if not row["id"]:
                free += 1
            kept = {code: text for code, text in (row["old"].get("text") or {}).items() if code not in self.languages}
            choices.append(
                {
                    "id": row["id"] or f"c{free}",
                    "text": {**kept, **{code: text for code, text in given.items() if text}},
                    "score": self.cleaned_data[row["score"]] or 0,
                    **self._meaning(row, fact),
                }
            )
        return choices


class OutcomeForm(WordsForm):
    lines = (("title", _("Title")),)
    texts = (("warning", _("Warning")),)
    from_score = forms.IntegerField(
        label=_("From a score of"),
        required=False,
        min_value=-SCORE_MAX * QUESTIONS_MAX,
        max_value=SCORE_MAX * QUESTIONS_MAX,
        help_text=_("Empty: the score doesn't matter."),
    )
    cooling_off_days = forms.IntegerField(
        label=_("Cooling-off (days)"),
        min_value=0,
        max_value=DAYS_MAX,
        initial=0,
        help_text=_("Until the client may open a trading account."),
    )
    leverage_max = forms.IntegerField(
        label=_("Highest leverage (1:n)"),
        required=False,
        min_value=1,
        max_value=LEVERAGE_MAX,
        help_text=_("Empty: as the account type and the regulator allow."),
    )
    account_kinds = forms.MultipleChoiceField(
        label=_("Accounts that may be opened"), required=False, help_text=_("None chosen: all.")
    )
    is_enhanced = forms.BooleanField(label=_("Enhanced due diligence by compliance"), required=False)

    def __init__(self, *args: Any, content: Content, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["account_kinds"]
        assert isinstance(kinds, forms.MultipleChoiceField)
        kinds.choices = account_kinds()
        vocabulary = of_questions(content.questions(), with_score=True)
        self.fields["when"] = ConditionField(vocabulary, label=_("Only if"))
        self.initial["when"] = self.part.get("when")

    def changed(self) -> Data:
        cleaned = self.cleaned_data
        names = ("from_score", "cooling_off_days", "leverage_max", "account_kinds", "is_enhanced")
        return {
            **self.part,
            **self.all_words(),
            **{name: cleaned[name] for name in names},
            "when": stored_condition(cleaned["when"]),
        }
