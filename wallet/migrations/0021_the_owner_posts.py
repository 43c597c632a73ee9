"""The ledger's functions write as the owner of its tables; the role of the running processes has no right to.

The search path is fixed, so that nobody's own table can stand in for one of ours.
"""

from django.db import migrations

AS_OWNER = """
ALTER FUNCTION ledger_post SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION ledger_post_pair SECURITY DEFINER SET search_path = public, pg_temp;
"""
AS_CALLER = """
ALTER FUNCTION ledger_post SECURITY INVOKER RESET search_path;
ALTER FUNCTION ledger_post_pair SECURITY INVOKER RESET search_path;
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0020_bank_wires"), ("crm", "0005_what_only_the_owner_may")]
    operations = [migrations.RunSQL(AS_OWNER, AS_CALLER)]
