
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from crm.db.migration_operations import sql_files
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('crm', '0001_initial'),
        ('clients', '0001_initial'),
        ('clients', '0002_sql'),
        ('crm', '0002_sql'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PortalLogin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email_verified_at', models.DateTimeField(null=True)),
                ('registered_at', models.DateTimeField(auto_now_add=True)),
                ('registered_ip', models.GenericIPAddressField(null=True)),
                ('referral_code', models.CharField(blank=True, max_length=40)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='portal_login', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_given', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('ip', models.GenericIPAddressField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='clients.client')),
                ('text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.textwording')),
            ],
            options={
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['client', '-at', '-id'], name='consents_by_client')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.ip IS NOT DISTINCT FROM NULL AND to_jsonb(NEW) - ARRAY['ip'] = to_jsonb(OLD) - ARRAY['ip'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = OLD.client_id AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'consent is append-only: write a new row instead';", hash='150b7016496ec13036d7d591a0dd5cfec0b392ab', operation='UPDATE OR DELETE', pgid='pgtrigger_consent_no_change_12eb4', table='portal_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'consent is append-only: write a new row instead';", hash='f92ae3a571198b505ace2d66b569ddd7934eeb3b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_no_truncate_bc88b', table='portal_consent', when='BEFORE')),
        ),
        *sql_files("portal", "erasure"),
    ]
