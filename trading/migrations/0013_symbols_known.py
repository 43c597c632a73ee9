"""Symbols that were mapped before keep what they count as: a symbol of the house each, and an alias that says so."""

from django.db import migrations
from django.db.models import F
from django.utils import timezone

CLASS_OF_GROUP = {
    "fx_majors": "fx_major", "fx_minors": "fx_minor", "metals": "commodity", "indices": "index_other", "energies": "commodity",
    "crypto": "crypto", "shares": "share", "other": "share",
}
ESMA_MAJORS = {"USD", "EUR", "JPY", "GBP", "CAD", "CHF"}
INDEX_MAJORS = {"US500", "US30", "US100", "DE40", "UK100", "FR40", "EU50", "JP225", "AUS200"}


def class_of(name, group):
    if group in ("fx_majors", "fx_minors"):
        return "fx_major" if {name[:3], name[3:6]} <= ESMA_MAJORS else "fx_minor"
    if name.startswith("XAU"):
        return "gold"
    return "index_major" if name in INDEX_MAJORS else CLASS_OF_GROUP[group]


def forwards(apps, schema_editor):
    info_model, house_model = apps.get_model("trading", "SymbolInfo"), apps.get_model("trading", "HouseSymbol")
    alias_model = apps.get_model("trading", "SymbolAlias")
    known = info_model.objects.exclude(symbol_group="").exclude(canonical="").order_by("pk")
    houses, aliases, now = {}, [], timezone.now()
    for info in known:
        if info.canonical not in houses:
            houses[info.canonical] = house_model.objects.create(
                name=info.canonical, symbol_group=info.symbol_group, contract_size=info.contract_size, digits=info.digits,
                instrument_class=class_of(info.canonical, info.symbol_group),
            )
        same = info.name == info.canonical
        aliases.append(
            alias_model(
                info=info, symbol=houses[info.canonical], state="by_rule" if same else "confirmed", since=info.read_at,
                rule="exact" if same else "kept", contract_size=info.contract_size, digits=info.digits, decided_at=now,
            )
        )
    alias_model.objects.bulk_create(aliases, batch_size=500)
    info_model.objects.update(first_seen_at=F("read_at"))


class Migration(migrations.Migration):
    dependencies = [("trading", "0012_symbols_and_steps")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
