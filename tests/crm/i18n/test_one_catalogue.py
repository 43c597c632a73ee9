"""A language's texts lie in one dictionary, and say what Django's own chain of them says."""

import pytest
from django.utils import translation
from django.utils.translation import gettext, ngettext, trans_real

from crm.i18n.one_catalogue import OneCatalogue

DJANGOS = OneCatalogue.__mro__[1]


@pytest.mark.parametrize("language", ["de", "en-gb", "en-us"])
def test_one_dictionary_has_all_texts_of_a_language(language):
    merged, chain = OneCatalogue(language), DJANGOS(language)
    assert len(merged._catalog._catalogs) == 1 and merged._fallback is None
    for key in {*chain._catalog.keys(), "A text that no catalogue has"}:
        if isinstance(key, str):
            assert merged.gettext(key) == chain.gettext(key)
        elif isinstance(key[0], str):
            assert [merged.ngettext(key[0], key[0], n) for n in (0, 1, 2)] == [
                chain.ngettext(key[0], key[0], n) for n in (0, 1, 2)
            ]


def test_rules_of_plurals_that_differ_stay_apart():
    polish = OneCatalogue("pl")
    assert polish.gettext("January") == "Styczeń" and polish.gettext("A text that no catalogue has").startswith(
        "A text"
    )
    forms = [polish.ngettext("%(num)d month", "%(num)d months", n) for n in (1, 2, 5)]
    assert len(set(forms)) == 3


def test_running_processes_use_it():
    assert trans_real.DjangoTranslation is OneCatalogue
    with translation.override("de"):
        assert isinstance(trans_real._active.value, OneCatalogue) and gettext("Client") == "Kunde"
        assert ngettext("%(n)s day", "%(n)s days", 2) % {"n": 2} == "2 Tage"
