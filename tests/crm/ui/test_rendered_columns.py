"""What a column only renders is exported as it reads on screen."""

from types import SimpleNamespace

from django.utils.html import format_html

from crm.ui.columns import Column


class Person:
    def __str__(self):
        return "Greta Garbo"


def test_a_rendered_record_is_exported_as_it_reads_on_screen():
    row = SimpleNamespace(client=Person(), level=3)
    masked = Column("client", "Client", render=lambda row, table: format_html("<b>{}</b>", "G. & G."))
    assert masked.plain(row, None) == "G. & G."
    assert Column("age", "Days", render=lambda row, table: format_html("<i>{}</i>", 4)).plain(row, None) == "4"
    assert Column("nothing", "", render=lambda row, table: None).plain(row, None) is None


def test_figures_and_named_values_are_exported_as_such():
    row = SimpleNamespace(client=Person(), level=3)
    assert Column("level", "Level", render=lambda row, table: "three").plain(row, None) == 3
    assert Column("who", "Who", value="client", render=lambda row, table: "x").plain(row, None) == "Greta Garbo"
