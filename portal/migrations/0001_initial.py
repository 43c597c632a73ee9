import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clients', '0001_initial'),
        ('crm', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('terms', 'Terms of business'), ('privacy', 'Privacy notice'), ('risk', 'Risk disclosure'), ('marketing', 'News and offers')], max_length=12)),
                ('language', models.CharField(max_length=8)),
                ('version', models.CharField(max_length=20)),
                ('label', models.TextField(help_text='What stands beside the tick box')),
                ('body', models.TextField(blank=True, help_text='The document behind it; empty where the label says it all')),
                ('published_at', models.DateTimeField()),
                ('brand', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consent_texts', to='crm.brand')),
            ],
            options={
                'ordering': ['-published_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_given', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('ip', models.GenericIPAddressField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='clients.client')),
                ('text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.consenttext')),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
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
        migrations.AddIndex(
            model_name='consenttext',
            index=models.Index(fields=['brand', 'language', 'kind', '-published_at'], name='consent_texts_current'),
        ),
        migrations.AddConstraint(
            model_name='consenttext',
            constraint=models.UniqueConstraint(fields=('brand', 'kind', 'language', 'version'), name='one_wording_per_consent_language_and_version'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consenttext',
            trigger=pgtrigger.compiler.Trigger(name='consent_text_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'consent_text is append-only: write a new row instead';", hash='d53197c7bbb7e92750b6c8a923c004f32082c85c', operation='UPDATE OR DELETE', pgid='pgtrigger_consent_text_no_change_86e9d', table='portal_consenttext', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consenttext',
            trigger=pgtrigger.compiler.Trigger(name='consent_text_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'consent_text is append-only: write a new row instead';", hash='30c4f2ccabd5867608d21a19249c2ec388a03796', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_text_no_truncate_e5797', table='portal_consenttext', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['client', '-at', '-id'], name='consents_by_client'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'consent is append-only: write a new row instead';", hash='73e1c99656a3a520f3480d36f119961ac3c34559', operation='UPDATE OR DELETE', pgid='pgtrigger_consent_no_change_12eb4', table='portal_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='consent_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'consent is append-only: write a new row instead';", hash='f92ae3a571198b505ace2d66b569ddd7934eeb3b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_consent_no_truncate_bc88b', table='portal_consent', when='BEFORE')),
        ),
    ]
