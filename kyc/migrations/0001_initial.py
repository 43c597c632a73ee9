
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
import kyc.models.providers
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
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
            name='CategoryRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Under review'), ('approved', 'Approved'), ('rejected', 'Declined'), ('withdrawn', 'Withdrawn by client')], default='open', max_length=9)),
                ('wanted', models.CharField(choices=[('retail', 'Retail'), ('professional', 'Professional'), ('ecp', 'Eligible counterparty')], default='professional', max_length=12)),
                ('criteria', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('trades', 'Trades of significant size, 10 per quarter on average over the last four quarters'), ('portfolio', 'Financial instruments and cash deposits of more than EUR 500,000'), ('experience', 'At least one year in the financial sector, in a position that requires this knowledge')], max_length=10), size=None)),
                ('figures', models.JSONField(default=dict)),
                ('statement_sealed', models.BinaryField()),
                ('requested_at', models.DateTimeField()),
                ('ip', models.GenericIPAddressField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('answer', models.TextField(blank=True, help_text='Why it was declined, as the client reads it')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='category_requests', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('warning', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.textwording')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='category_request', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('view_category', 'May see client categories, their history and requests'), ('propose_category', "May propose a client's category and decline requests"), ('decide_category', "May approve a client's category as the second person")],
            },
        ),
        migrations.CreateModel(
            name='CategoryProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('category', models.CharField(choices=[('retail', 'Retail'), ('professional', 'Professional'), ('ecp', 'Eligible counterparty')], max_length=12)),
                ('basis', models.CharField(choices=[('request', "On the client's request (Annex II section II)"), ('per_se', 'Per se (Annex II section I)'), ('opt_down', 'Client asked for more protection'), ('review', 'Review: confirmed'), ('correction', 'Criteria no longer met, or a correction'), ('migrated', 'From the earlier system')], max_length=10)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='category_proposals', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='kyc.categoryrequest')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CategoryDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(choices=[('retail', 'Retail'), ('professional', 'Professional'), ('ecp', 'Eligible counterparty')], max_length=12)),
                ('basis', models.CharField(choices=[('request', "On the client's request (Annex II section II)"), ('per_se', 'Per se (Annex II section I)'), ('opt_down', 'Client asked for more protection'), ('review', 'Review: confirmed'), ('correction', 'Criteria no longer met, or a correction'), ('migrated', 'From the earlier system')], max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('decided_at', models.DateTimeField()),
                ('approved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='category_decisions', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.categoryrequest')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ClientReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Due'), ('confirmed', 'Confirmed'), ('requested', 'Documents requested'), ('escalated', 'Escalated'), ('cancelled', 'Cancelled')], default='open', max_length=10)),
                ('risk', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], help_text='When it was opened', max_length=8)),
                ('opened_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='periodic_reviews', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='client_review', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('review_client', 'May do the periodic reviews of clients')],
            },
        ),
        migrations.CreateModel(
            name='Company',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='company', serialize=False, to='clients.client')),
                ('name', models.CharField(max_length=80, verbose_name='company name')),
                ('registration_number', models.CharField(max_length=40, verbose_name='registration number')),
                ('legal_form', models.CharField(max_length=60, verbose_name='legal form')),
                ('country', models.CharField(max_length=2, verbose_name='country of incorporation')),
                ('incorporated_on', models.DateField(blank=True, null=True, verbose_name='incorporated on')),
                ('lei', models.CharField(blank=True, max_length=20, verbose_name='LEI')),
                ('registered_address', models.CharField(max_length=240, verbose_name='registered address')),
                ('trading_address', models.CharField(blank=True, max_length=240, verbose_name='trading address')),
                ('activity', models.CharField(max_length=300, verbose_name='business activity')),
                ('created_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
            ],
            options={
                'permissions': [('manage_company', "May enter a company's details, people and ownership")],
            },
        ),
        migrations.CreateModel(
            name='CompanyPerson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_director', models.BooleanField(default=False, verbose_name='director')),
                ('is_signatory', models.BooleanField(default=False, verbose_name='authorised signatory')),
                ('is_managing_official', models.BooleanField(default=False, verbose_name='senior managing official')),
                ('linked_at', models.DateTimeField()),
                ('left_at', models.DateTimeField(null=True)),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='people', to='kyc.company')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='companies', to='clients.client')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Document',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('passport', 'Passport'), ('id_card', 'Identity card'), ('residence_permit', 'Residence permit'), ('driving_licence', 'Driving licence'), ('proof_of_address', 'Proof of address'), ('selfie', 'Selfie'), ('source_of_funds', 'Source of funds'), ('payslip', 'Payslip'), ('bank_statement', 'Bank statement'), ('tax_assessment', 'Tax assessment'), ('contract', 'Contract'), ('proof_of_payment', 'Proof of payment'), ('register_extract', 'Register extract'), ('articles', 'Articles of association'), ('shareholder_register', 'Shareholder register'), ('board_resolution', 'Board resolution'), ('other', 'Other document')], max_length=20)),
                ('side', models.CharField(choices=[('front', 'Front'), ('back', 'Back')], default='front', max_length=6)),
                ('state', models.CharField(choices=[('uploaded', 'Uploaded'), ('checking', 'Being checked'), ('pending_review', 'Pending review'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('expired', 'Expired'), ('replaced', 'Replaced')], default='uploaded', max_length=16)),
                ('store_key', models.CharField(max_length=80, unique=True)),
                ('file_name', models.CharField(help_text='As the client called it, cleaned', max_length=120)),
                ('content_type', models.CharField(max_length=40)),
                ('size_bytes', models.PositiveIntegerField(help_text='Of the stored file')),
                ('sha256', models.CharField(help_text='Of the file as it was sent', max_length=64)),
                ('stored_sha256', models.CharField(help_text='Of the file as it is kept: cleaned, before encryption', max_length=64)),
                ('page_count', models.PositiveSmallIntegerField(default=1)),
                ('phash', models.BinaryField(help_text='Perceptual hash, 1,024 bits', max_length=128, null=True)),
                ('declared_country', models.CharField(blank=True, help_text='Issuing country as the client chose it, ISO 3166-1 alpha-2', max_length=2)),
                ('traces', models.JSONField(blank=True, default=dict, help_text="What the file's maker left in it: editor, changes")),
                ('phash_bands', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), blank=True, default=list, size=None)),
                ('uploaded_at', models.DateTimeField()),
                ('extracted_sealed', models.BinaryField(help_text="JSON under the client's key", null=True)),
                ('number_fingerprint', models.CharField(blank=True, help_text='Keyed hash of the document number', max_length=64)),
                ('issuing_country', models.CharField(blank=True, max_length=3)),
                ('issued_on', models.DateField(null=True)),
                ('expires_on', models.DateField(null=True)),
                ('checked_at', models.DateTimeField(null=True)),
                ('check_attempts', models.PositiveSmallIntegerField(default=0)),
                ('check_lease_until', models.DateTimeField(null=True)),
                ('flaw', models.CharField(blank=True, help_text='What is named first of why a person decides', max_length=24)),
                ('doubt', models.CharField(blank=True, help_text='The one unclear check, where all others passed', max_length=20)),
                ('client_value', models.DecimalField(decimal_places=2, max_digits=20, null=True)),
                ('urgent_at', models.DateTimeField(help_text='What the queue is ordered by; see `kyc.urgency.order`', null=True)),
                ('quarter_turns', models.PositiveSmallIntegerField(default=0, help_text='How pages are shown; the file stays as it is')),
                ('reviewed_at', models.DateTimeField(help_text='When a person or the policy decided', null=True)),
                ('reason_code', models.CharField(blank=True, choices=[('unreadable', 'Unreadable'), ('cut_off', 'Cut off'), ('expired', 'Expired'), ('wrong_kind', 'Wrong document type'), ('name_differs', 'Name differs'), ('birth_date_differs', 'Date of birth differs'), ('too_old', 'Older than three months'), ('no_address', 'Address is missing or differs'), ('not_a_photo', 'Copy, screenshot or edited picture'), ('duplicate', 'Belongs to another account'), ('underage', 'Underage'), ('other', 'Other reason')], max_length=20)),
                ('reason', models.TextField(blank=True, help_text='Message to client')),
                ('review_note', models.TextField(blank=True, help_text='For colleagues and auditors: why approved despite an issue')),
                ('settled_at', models.DateTimeField(help_text='From then on the decision has its consequences', null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='clients.client')),
                ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='document', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('open_document', 'May open the document itself; every opening is logged'), ('review_document', 'May claim, approve and reject documents'), ('send_document', 'May upload a document for a client')],
            },
        ),
        migrations.CreateModel(
            name='CheckRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='running', max_length=8)),
                ('version', models.CharField(help_text='Of the pipeline', max_length=20)),
                ('engine', models.CharField(blank=True, help_text="What read the text, e.g. 'tesseract 5.5.4 mrz'", max_length=60)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('duration_ms', models.PositiveIntegerField(null=True)),
                ('measures', models.JSONField(default=dict, help_text='Sharpness, brightness and other figures without personal data')),
                ('details_sealed', models.BinaryField(help_text="Found and expected per issue, under the client's key", null=True)),
                ('results', models.JSONField(default=list, help_text="Each check's verdict, reason, confidence and place, without what was read")),
                ('error', models.TextField(blank=True)),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='kyc.document')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CategoryEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('criterion', models.CharField(choices=[('trades', 'Trades of significant size, 10 per quarter on average over the last four quarters'), ('portfolio', 'Financial instruments and cash deposits of more than EUR 500,000'), ('experience', 'At least one year in the financial sector, in a position that requires this knowledge')], max_length=10)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='kyc.categoryrequest')),
                ('document', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.document')),
            ],
            options={
                'ordering': ['criterion', 'id'],
            },
        ),
        migrations.CreateModel(
            name='DocumentRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('passport', 'Passport'), ('id_card', 'Identity card'), ('residence_permit', 'Residence permit'), ('driving_licence', 'Driving licence'), ('proof_of_address', 'Proof of address'), ('selfie', 'Selfie'), ('source_of_funds', 'Source of funds'), ('payslip', 'Payslip'), ('bank_statement', 'Bank statement'), ('tax_assessment', 'Tax assessment'), ('contract', 'Contract'), ('proof_of_payment', 'Proof of payment'), ('register_extract', 'Register extract'), ('articles', 'Articles of association'), ('shareholder_register', 'Shareholder register'), ('board_resolution', 'Board resolution'), ('other', 'Other document')], max_length=20)),
                ('side', models.CharField(blank=True, choices=[('front', 'Front'), ('back', 'Back')], help_text='Empty: whichever it has', max_length=6)),
                ('state', models.CharField(choices=[('open', 'Requested'), ('answered', 'Received'), ('withdrawn', 'Withdrawn'), ('lapsed', 'Not received')], default='open', max_length=10)),
                ('reason_code', models.CharField(blank=True, choices=[('unreadable', 'Unreadable'), ('cut_off', 'Cut off'), ('expired', 'Expired'), ('wrong_kind', 'Wrong document type'), ('name_differs', 'Name differs'), ('birth_date_differs', 'Date of birth differs'), ('too_old', 'Older than three months'), ('no_address', 'Address is missing or differs'), ('not_a_photo', 'Copy, screenshot or edited picture'), ('duplicate', 'Belongs to another account'), ('underage', 'Underage'), ('other', 'Other reason')], help_text='What was wrong with the one under review', max_length=20)),
                ('message', models.TextField(help_text='What the client reads, in their language')),
                ('due_on', models.DateField()),
                ('requested_at', models.DateTimeField()),
                ('reminded_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('answer', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='answered_requests', to='kyc.document')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='document_requests', to='clients.client')),
                ('document', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='kyc.document')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='FieldCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=30)),
                ('reason', models.CharField(choices=[('misread', 'Misread characters'), ('not_read', 'Not read'), ('other_field', 'Read from another field'), ('spelling', 'Other spelling in print than in the zone'), ('cut_off', 'Cut off in the zone')], max_length=16)),
                ('machine_sealed', models.BinaryField(help_text='What the checks had read; empty where they read nothing', null=True)),
                ('value_sealed', models.BinaryField()),
                ('corrected_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('corrected_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('document', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='kyc.document')),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='correction', to='kyc.checkrun')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='IncomingFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('passport', 'Passport'), ('id_card', 'Identity card'), ('residence_permit', 'Residence permit'), ('driving_licence', 'Driving licence'), ('proof_of_address', 'Proof of address'), ('selfie', 'Selfie'), ('source_of_funds', 'Source of funds'), ('payslip', 'Payslip'), ('bank_statement', 'Bank statement'), ('tax_assessment', 'Tax assessment'), ('contract', 'Contract'), ('proof_of_payment', 'Proof of payment'), ('register_extract', 'Register extract'), ('articles', 'Articles of association'), ('shareholder_register', 'Shareholder register'), ('board_resolution', 'Board resolution'), ('other', 'Other document')], max_length=20)),
                ('side', models.CharField(choices=[('front', 'Front'), ('back', 'Back')], default='front', max_length=6)),
                ('country', models.CharField(blank=True, help_text='Issuing country as the client chose it', max_length=2)),
                ('state', models.CharField(choices=[('waiting', 'Checking the file'), ('taken', 'Accepted'), ('refused', 'File not accepted')], default='waiting', max_length=8)),
                ('file_name', models.CharField(max_length=120)),
                ('store_key', models.CharField(blank=True, help_text='Empty once the file was opened', max_length=80)),
                ('size_bytes', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('language', models.CharField(help_text='In which the sender reads a refusal', max_length=10)),
                ('received_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(help_text='A worker has it until then', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True, help_text='Why it was refused, as the sender reads it')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incoming_files', to='clients.client')),
                ('document', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incoming_file', to='kyc.document')),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='IncomingPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('store_key', models.CharField(max_length=80, unique=True)),
                ('file_name', models.CharField(max_length=120)),
                ('size_bytes', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('incoming', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='more_pages', to='kyc.incomingfile')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Issue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('BLUR', 'The picture is blurred'), ('GLARE', 'Glare covers part of the document'), ('TOO_SMALL', 'The picture is too small to read'), ('CROPPED', 'The document is cut off'), ('NO_MRZ', 'No machine-readable zone was found'), ('MRZ_CHECKDIGIT', 'A check digit in the machine-readable zone is wrong'), ('EXPIRED', 'The document has expired'), ('EXPIRES_SOON', 'The document expires soon'), ('NAME_MISMATCH', 'The name differs from the registration'), ('NAME_NEAR', 'The name is almost the one on the registration: compare it'), ('NAME_CUT', 'The name is too long for the machine-readable zone: compare it with the printed one'), ('DOB_MISMATCH', 'The date of birth differs from the registration'), ('NATIONALITY_MISMATCH', 'The nationality differs from the registration'), ('SEX_MISMATCH', 'The sex differs from the registration'), ('PRINT_MISMATCH', "The printed text doesn't match the machine-readable zone"), ('PRINT_NEAR', 'The printed text nearly matches the machine-readable zone: compare it'), ('NOT_READ', "Part of the document couldn't be read: check it manually"), ('NOT_REGISTERED', 'The registration is missing details to compare the document with'), ('NO_EXPIRY', 'No expiry date was found'), ('DATE_INCOMPLETE', "A date on the document is incomplete or doesn't exist"), ('UNKNOWN_STATE', 'No such country or issuer exists'), ('COUNTRY_MISMATCH', "The issuing country isn't the one that the client selected"), ('SPECIMEN', 'The document is a specimen, not a real one'), ('LOW_RESOLUTION', 'The picture is small: compare the name carefully'), ('UNDERAGE', 'The person is underage'), ('DOC_NO_DUPLICATE', 'Another client has a document with this number'), ('IMAGE_DUPLICATE', 'Another client has sent the same picture'), ('POA_TOO_OLD', 'The proof of address is older than three months'), ('POA_NO_DATE', 'No date was found on the proof of address'), ('POA_NAME', "The client's name was not found on the proof of address"), ('POA_ADDRESS', "The client's address was not found on the proof of address"), ('SCREEN_PHOTO', 'The picture shows a screen or a printed copy: it is covered by a fine raster'), ('SCREENSHOT', 'The picture is a screenshot'), ('NO_COLOUR', 'The picture has no colour: it may be a copy'), ('EDITED', 'The file was saved by a program for editing: compare it closely'), ('PDF_CHANGED', 'The PDF was changed after it was made: compare it closely'), ('PARTS_DIFFER', 'Part of the picture was compressed differently: compare it closely'), ('FONTS_DIFFER', 'A word of the PDF is in two fonts: compare it closely'), ('ISSUE_DATE', "The date of issue doesn't fit the other dates"), ('POA_COUNTRY', 'The proof of address names another country'), ('POA_ISSUER', "The issuer wasn't recognised as a bank, utility, telecom provider or authority"), ('UNSUPPORTED_TYPE', "The document isn't the type the client selected"), ('FACE_NOT_FOUND', 'No face was found'), ('OCR_UNAVAILABLE', "The text couldn't be read automatically: check it manually"), ('CHECK_FAILED', 'The automatic checks failed: check everything manually')], max_length=20)),
                ('severity', models.CharField(choices=[('info', 'Note'), ('warning', 'Warning'), ('blocking', 'Problem')], max_length=8)),
                ('score', models.FloatField(help_text='0 to 1: how sure the check is')),
                ('field', models.CharField(blank=True, max_length=30)),
                ('page', models.PositiveSmallIntegerField(default=1)),
                ('box', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), help_text='left, top, width, height', null=True, size=4)),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='issues', to='kyc.document')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='issues', to='kyc.checkrun')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='KycFacts',
            fields=[
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='%(app_label)s_facts', serialize=False, to='clients.client')),
                ('last_document_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['last_document_at'], name='facts_by_last_document')],
            },
        ),
        migrations.CreateModel(
            name='KycProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('adapter', models.CharField(max_length=20)),
                ('base_url', models.CharField(blank=True, max_length=200)),
                ('is_enabled', models.BooleanField(default=True)),
                ('sealed_credentials', models.BinaryField(null=True)),
                ('code', models.SlugField(help_text="Used in the webhook's address", max_length=20, unique=True)),
                ('last_checked_at', models.DateTimeField(null=True)),
                ('last_check_error', models.CharField(blank=True, max_length=300)),
                ('last_webhook_at', models.DateTimeField(null=True)),
                ('failing_since', models.DateTimeField(help_text='Since when no call was answered; empty while it answers', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why it is failing', max_length=300)),
                ('refused_on', models.DateField(help_text='The day that refused_count counts', null=True)),
                ('refused_count', models.PositiveIntegerField(default=0, help_text='Webhooks refused on that day, kept or not')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('level_name', models.CharField(help_text="The provider's name of what it checks", max_length=100)),
                ('webhook_algorithms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=kyc.models.providers.default_algorithms, size=None)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='KycProviderProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('code', models.SlugField(max_length=20)),
                ('name', models.CharField(max_length=60)),
                ('adapter', models.CharField(max_length=20)),
                ('base_url', models.CharField(blank=True, max_length=200)),
                ('is_enabled', models.BooleanField(default=True)),
                ('sealed_credentials', models.BinaryField(null=True)),
                ('keys_changed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('level_name', models.CharField(max_length=100)),
                ('webhook_algorithms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=kyc.models.providers.default_algorithms, size=None)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='crm.brand')),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='kyc.kycprovider')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='LevelProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('levels', models.JSONField(help_text='From 0 on: name, what it requires, what it allows; see kyc/levels/ladder.py')),
                ('effective_on', models.DateField()),
                ('based_on', models.PositiveBigIntegerField(default=0)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='level_proposals', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='LevelReached',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.PositiveSmallIntegerField()),
                ('reached_at', models.DateTimeField()),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='kyc_levels', to='clients.client')),
                ('document', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.document')),
            ],
            options={
                'ordering': ['client_id', 'level'],
            },
        ),
        migrations.CreateModel(
            name='LevelTable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('levels', models.JSONField(help_text='From 0 on: name, what it requires, what it allows; see kyc/levels/ladder.py')),
                ('effective_on', models.DateField()),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='level_tables', to='crm.brand')),
                ('set_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ProviderCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(help_text='What the provider knows the client by', max_length=40, unique=True)),
                ('applicant_id', models.CharField(blank=True, max_length=80)),
                ('level_name', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('starting', 'Starting'), ('unknown', 'Outcome unknown'), ('open', 'Waiting for the client'), ('in_review', 'Being checked by the provider'), ('on_hold', 'On hold at the provider'), ('retry', 'To be repeated by the client'), ('passed', 'Passed'), ('refused', 'Refused'), ('failed', 'Not started'), ('cancelled', 'Cancelled')], default='starting', max_length=10)),
                ('labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, help_text="The provider's reasons", size=None)),
                ('flaw', models.CharField(blank=True, choices=[('BLUR', 'The picture is blurred'), ('GLARE', 'Glare covers part of the document'), ('TOO_SMALL', 'The picture is too small to read'), ('CROPPED', 'The document is cut off'), ('NO_MRZ', 'No machine-readable zone was found'), ('MRZ_CHECKDIGIT', 'A check digit in the machine-readable zone is wrong'), ('EXPIRED', 'The document has expired'), ('EXPIRES_SOON', 'The document expires soon'), ('NAME_MISMATCH', 'The name differs from the registration'), ('NAME_NEAR', 'The name is almost the one on the registration: compare it'), ('NAME_CUT', 'The name is too long for the machine-readable zone: compare it with the printed one'), ('DOB_MISMATCH', 'The date of birth differs from the registration'), ('NATIONALITY_MISMATCH', 'The nationality differs from the registration'), ('SEX_MISMATCH', 'The sex differs from the registration'), ('PRINT_MISMATCH', "The printed text doesn't match the machine-readable zone"), ('PRINT_NEAR', 'The printed text nearly matches the machine-readable zone: compare it'), ('NOT_READ', "Part of the document couldn't be read: check it manually"), ('NOT_REGISTERED', 'The registration is missing details to compare the document with'), ('NO_EXPIRY', 'No expiry date was found'), ('DATE_INCOMPLETE', "A date on the document is incomplete or doesn't exist"), ('UNKNOWN_STATE', 'No such country or issuer exists'), ('COUNTRY_MISMATCH', "The issuing country isn't the one that the client selected"), ('SPECIMEN', 'The document is a specimen, not a real one'), ('LOW_RESOLUTION', 'The picture is small: compare the name carefully'), ('UNDERAGE', 'The person is underage'), ('DOC_NO_DUPLICATE', 'Another client has a document with this number'), ('IMAGE_DUPLICATE', 'Another client has sent the same picture'), ('POA_TOO_OLD', 'The proof of address is older than three months'), ('POA_NO_DATE', 'No date was found on the proof of address'), ('POA_NAME', "The client's name was not found on the proof of address"), ('POA_ADDRESS', "The client's address was not found on the proof of address"), ('SCREEN_PHOTO', 'The picture shows a screen or a printed copy: it is covered by a fine raster'), ('SCREENSHOT', 'The picture is a screenshot'), ('NO_COLOUR', 'The picture has no colour: it may be a copy'), ('EDITED', 'The file was saved by a program for editing: compare it closely'), ('PDF_CHANGED', 'The PDF was changed after it was made: compare it closely'), ('PARTS_DIFFER', 'Part of the picture was compressed differently: compare it closely'), ('FONTS_DIFFER', 'A word of the PDF is in two fonts: compare it closely'), ('ISSUE_DATE', "The date of issue doesn't fit the other dates"), ('POA_COUNTRY', 'The proof of address names another country'), ('POA_ISSUER', "The issuer wasn't recognised as a bank, utility, telecom provider or authority"), ('UNSUPPORTED_TYPE', "The document isn't the type the client selected"), ('FACE_NOT_FOUND', 'No face was found'), ('OCR_UNAVAILABLE', "The text couldn't be read automatically: check it manually"), ('CHECK_FAILED', 'The automatic checks failed: check everything manually')], help_text='Our name of the first', max_length=20)),
                ('message', models.TextField(blank=True, help_text='Message to client')),
                ('attempt', models.PositiveSmallIntegerField(default=0, help_text='The provider counts from 0')),
                ('results', models.JSONField(default=list, help_text="Each check's verdict, reason and labels, without personal data")),
                ('result_sealed', models.BinaryField(help_text="The provider's answer under the client's key", null=True)),
                ('result_sha256', models.CharField(blank=True, max_length=64)),
                ('has_pictures', models.BooleanField(default=False, help_text='All pictures of the result are in our own store')),
                ('problem', models.CharField(blank=True, help_text='Why the last call brought nothing', max_length=300)),
                ('started_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField(help_text='When the look-up began whose answer is applied', null=True)),
                ('look_due_at', models.DateTimeField(null=True)),
                ('look_attempts', models.PositiveSmallIntegerField(default=0)),
                ('reviewed_at', models.DateTimeField(help_text='When the provider decided', null=True)),
                ('deleted_at', models.DateTimeField(help_text="When the provider was made to delete the client's data", null=True)),
                ('delete_due_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='provider_checks', to='clients.client')),
                ('provider', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='kyc.kycprovider')),
                ('started_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ProviderMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('body_sealed', models.BinaryField(help_text="Under the instance's key: it may name a person before we know whose it is")),
                ('body_sha256', models.CharField(max_length=64)),
                ('message_id', models.CharField(blank=True, help_text="The service's id of the message, or the digest of its body", max_length=80)),
                ('signed_at', models.DateTimeField(null=True)),
                ('algorithm', models.CharField(blank=True, max_length=40)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('verdict', models.CharField(choices=[('unjudged', 'Not judged yet'), ('accepted', 'Accepted'), ('no_signature', 'No signature'), ('wrong_algorithm', 'Algorithm not allowed'), ('wrong_signature', 'Wrong signature'), ('too_old', 'Not signed recently'), ('malformed', 'Unreadable')], default='unjudged', max_length=16)),
                ('event_type', models.CharField(blank=True, max_length=60)),
                ('subject_id', models.CharField(blank=True, help_text="The service's id of what it is about", max_length=120)),
                ('reference', models.CharField(blank=True, help_text='Ours, as the service knows it', max_length=80)),
                ('correlation_id', models.CharField(blank=True, max_length=80)),
                ('state', models.CharField(choices=[('received', 'Received'), ('waiting', 'Waiting'), ('done', 'Processed'), ('unmatched', 'Unmatched'), ('refused', 'Refused')], default='received', max_length=10)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the same message was received again')),
                ('due_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('processed_at', models.DateTimeField(null=True)),
                ('check_at_provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='kyc.providercheck')),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='kyc.kycprovider')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ProviderPicture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image_id', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('passport', 'Passport'), ('id_card', 'Identity card'), ('residence_permit', 'Residence permit'), ('driving_licence', 'Driving licence'), ('proof_of_address', 'Proof of address'), ('selfie', 'Selfie'), ('source_of_funds', 'Source of funds'), ('payslip', 'Payslip'), ('bank_statement', 'Bank statement'), ('tax_assessment', 'Tax assessment'), ('contract', 'Contract'), ('proof_of_payment', 'Proof of payment'), ('register_extract', 'Register extract'), ('articles', 'Articles of association'), ('shareholder_register', 'Shareholder register'), ('board_resolution', 'Board resolution'), ('other', 'Other document')], max_length=20)),
                ('side', models.CharField(choices=[('front', 'Front'), ('back', 'Back')], default='front', max_length=6)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('issued_on', models.DateField(help_text='As the provider read it', null=True)),
                ('expires_on', models.DateField(null=True)),
                ('check_at_provider', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pictures', to='kyc.providercheck')),
                ('document', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='provider_picture', to='kyc.document')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Questionnaire',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('appropriateness', 'Appropriateness test'), ('source_of_funds', 'Source of funds and wealth'), ('tax', 'Tax self-certification'), ('pep', 'PEP declaration'), ('other', 'Other questionnaire')], max_length=16)),
                ('name', models.CharField(help_text='For colleagues', max_length=80)),
                ('created_at', models.DateTimeField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='questionnaires', to='crm.brand')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['brand_id', 'name', 'id'],
                'permissions': [('manage_questionnaires', 'May write questionnaires and propose and approve their versions'), ('view_answers', 'May read what clients answered; every reading is logged'), ('request_answers', 'May ask a client for a questionnaire'), ('decide_edd', 'May decide enhanced due diligence reviews')],
            },
        ),
        migrations.CreateModel(
            name='AnswersRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_withdrawn', models.BooleanField(default=False)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('questionnaire', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.questionnaire')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AnswersDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answers_sealed', models.BinaryField()),
                ('changed_at', models.DateTimeField()),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('questionnaire', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.questionnaire')),
            ],
        ),
        migrations.CreateModel(
            name='QuestionnaireDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.JSONField()),
                ('revision', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('questionnaire', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='kyc.questionnaire')),
            ],
        ),
        migrations.CreateModel(
            name='QuestionnaireProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('content', models.JSONField(default=dict)),
                ('is_retired', models.BooleanField(default=False)),
                ('asks_again', models.BooleanField(default=False, help_text='Answers to earlier versions no longer count')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('questionnaire', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='kyc.questionnaire')),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='QuestionnaireVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.JSONField(default=dict)),
                ('is_retired', models.BooleanField(default=False)),
                ('asks_again', models.BooleanField(default=False)),
                ('published_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('approved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('published_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('questionnaire', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='kyc.questionnaire')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SecondLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('agreed', 'Agreed'), ('disagreed', 'Disagreed')], default='open', max_length=10)),
                ('opened_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('opinion', models.CharField(blank=True, choices=[('approve', 'I would approve it'), ('reject', 'I would reject it')], max_length=8)),
                ('reason_code', models.CharField(blank=True, choices=[('unreadable', 'Unreadable'), ('cut_off', 'Cut off'), ('expired', 'Expired'), ('wrong_kind', 'Wrong document type'), ('name_differs', 'Name differs'), ('birth_date_differs', 'Date of birth differs'), ('too_old', 'Older than three months'), ('no_address', 'Address is missing or differs'), ('not_a_photo', 'Copy, screenshot or edited picture'), ('duplicate', 'Belongs to another account'), ('underage', 'Underage'), ('other', 'Other reason')], max_length=20)),
                ('note', models.TextField(blank=True)),
                ('first_opinion', models.CharField(blank=True, choices=[('approve', 'I would approve it'), ('reject', 'I would reject it')], max_length=8)),
                ('first_note', models.TextField(blank=True)),
                ('asked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_look', to='kyc.document')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_look', to='crm.workitem')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Shareholding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity_name', models.CharField(blank=True, max_length=80)),
                ('entity_number', models.CharField(blank=True, max_length=40)),
                ('entity_country', models.CharField(blank=True, max_length=2)),
                ('share', models.DecimalField(decimal_places=2, max_digits=5, verbose_name='share in per cent')),
                ('depth', models.PositiveSmallIntegerField(default=1)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shareholdings', to='kyc.company')),
                ('parent', models.ForeignKey(help_text='The entity held; None: the company', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holders', to='kyc.shareholding')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='shareholdings', to='kyc.companyperson')),
            ],
            options={
                'ordering': ['depth', '-share', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_at', models.DateTimeField()),
                ('language', models.CharField(max_length=10)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('answers_sealed', models.BinaryField()),
                ('score', models.IntegerField()),
                ('score_max', models.IntegerField()),
                ('outcome', models.CharField(max_length=31)),
                ('needs_acknowledgement', models.BooleanField(default=False)),
                ('cooling_off_until', models.DateTimeField(null=True)),
                ('leverage_max', models.PositiveIntegerField(null=True)),
                ('account_kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), blank=True, default=list, size=None)),
                ('valid_until', models.DateTimeField(help_text='Empty: until something asks for it again', null=True)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='clients.client')),
                ('given_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('questionnaire', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='kyc.questionnaire')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='kyc.questionnaireversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='EnhancedReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Under review'), ('cleared', 'Cleared'), ('declined', 'Declined')], default='open', max_length=8)),
                ('decided_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='enhanced_review', to='crm.workitem')),
                ('submission', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='kyc.submission')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='UploadDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('passport', 'Passport'), ('id_card', 'Identity card'), ('residence_permit', 'Residence permit'), ('driving_licence', 'Driving licence'), ('proof_of_address', 'Proof of address'), ('selfie', 'Selfie'), ('source_of_funds', 'Source of funds'), ('payslip', 'Payslip'), ('bank_statement', 'Bank statement'), ('tax_assessment', 'Tax assessment'), ('contract', 'Contract'), ('proof_of_payment', 'Proof of payment'), ('register_extract', 'Register extract'), ('articles', 'Articles of association'), ('shareholder_register', 'Shareholder register'), ('board_resolution', 'Board resolution'), ('other', 'Other document')], max_length=20)),
                ('country', models.CharField(blank=True, help_text='Issuing country, ISO 3166-1 alpha-2', max_length=2)),
                ('state', models.CharField(choices=[('open', 'In progress'), ('sent', 'Sent'), ('discarded', 'Discarded'), ('expired', 'Expired')], default='open', max_length=9)),
                ('opened_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='upload_drafts', to='clients.client')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UploadHandover',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret_hash', models.BinaryField(help_text='SHA-256 of the secret in the QR code', max_length=32, unique=True)),
                ('device_hash', models.BinaryField(help_text="SHA-256 of the secret in the phone's cookie", max_length=32, null=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text="Of the code; once a phone has opened it, of the phone's page")),
                ('opened_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('draft', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handovers', to='kyc.uploaddraft')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='UploadPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('front', 'Front'), ('back', 'Back')], default='front', max_length=6)),
                ('position', models.PositiveSmallIntegerField()),
                ('file_name', models.CharField(max_length=120)),
                ('size_bytes', models.PositiveIntegerField(help_text='As announced; more is never taken')),
                ('received_bytes', models.PositiveIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, help_text='As announced by the sender; of the content once whole', max_length=64)),
                ('content_type', models.CharField(blank=True, help_text='By its first bytes, once whole', max_length=40)),
                ('store_key', models.CharField(blank=True, help_text='Empty while it lies in chunks', max_length=80)),
                ('is_from_phone', models.BooleanField(default=False, help_text='Sent by the phone that the draft was handed to')),
                ('added_at', models.DateTimeField()),
                ('draft', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pages', to='kyc.uploaddraft')),
            ],
            options={
                'ordering': ['side', 'position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='UploadChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('offset', models.PositiveIntegerField()),
                ('size_bytes', models.PositiveIntegerField()),
                ('store_key', models.CharField(max_length=80, unique=True)),
                ('page', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='kyc.uploadpage')),
            ],
            options={
                'ordering': ['offset'],
            },
        ),
        migrations.CreateModel(
            name='VerdictPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('rules', models.JSONField(help_text='As `kyc.verdicts.rules.Rules` writes them')),
                ('effective_on', models.DateField()),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=300)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verdict_policies', to='crm.brand')),
                ('set_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MachineDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('approve', 'Approve'), ('ask', 'Ask the client'), ('queue', 'Review manually')], max_length=8)),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), default=list, help_text='What is wrong, the worst first', size=None)),
                ('risk', models.CharField(choices=[('unrated', 'Not rated'), ('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], help_text="The client's rating at that moment", max_length=8)),
                ('digest', models.CharField(help_text='SHA-256 of the check results', max_length=64)),
                ('version', models.CharField(help_text='Of the pipeline', max_length=20)),
                ('decided_at', models.DateTimeField()),
                ('draw', models.PositiveSmallIntegerField(help_text="Of 10,000, by a keyed hash of the document's id", null=True)),
                ('is_sampled', models.BooleanField(default=False, help_text='An officer looks too, without knowing the verdict')),
                ('overturned_at', models.DateTimeField(null=True)),
                ('overturn_reason', models.TextField(blank=True)),
                ('withdrawn_at', models.DateTimeField(help_text='When the KYC provider revised the result behind it', null=True)),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='crm.brand')),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='machine_decision', to='kyc.document')),
                ('overturned_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='machine_decision', to='kyc.checkrun')),
                ('check_at_provider', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.providercheck')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='kyc.verdictpolicy')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='document',
            name='decided_by_policy',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kyc.verdictpolicy'),
        ),
        migrations.CreateModel(
            name='VerdictPolicyProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Awaiting second approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='pending', max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.CharField(blank=True, max_length=300)),
                ('rules', models.JSONField()),
                ('effective_on', models.DateField()),
                ('brand', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verdict_policy_proposals', to='crm.brand')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='WarningAcknowledgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('acknowledged_at', models.DateTimeField()),
                ('language', models.CharField(max_length=10)),
                ('sha256', models.CharField(help_text='Of the warning as it was shown, in UTF-8', max_length=64)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('acknowledged_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submission', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='acknowledgement', to='kyc.submission')),
            ],
        ),
        migrations.AddIndex(
            model_name='categoryrequest',
            index=models.Index(fields=['client', '-id'], name='category_requests_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='categoryrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('client',), name='one_open_category_request_per_client'),
        ),
        migrations.AddConstraint(
            model_name='categoryrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='decided_category_request_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='categoryrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('answer', ''), _negated=True), _connector='OR'), name='declined_category_request_has_an_answer'),
        ),
        migrations.AddConstraint(
            model_name='categoryrequest',
            constraint=models.CheckConstraint(condition=models.Q(('criteria__len__gte', 2)), name='category_request_claims_two_criteria'),
        ),
        migrations.AddIndex(
            model_name='categoryproposal',
            index=models.Index(fields=['client', '-id'], name='category_proposals_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='category_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='category_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='category_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='category_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='category_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='categoryproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('client',), name='one_open_category_proposal_per_client'),
        ),
        migrations.AddIndex(
            model_name='categorydecision',
            index=models.Index(fields=['client', '-id'], name='category_decisions_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='categorydecision',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='category_decision_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='categorydecision',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('decided_by')), _negated=True), _connector='OR'), name='category_decision_is_approved_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='categorydecision',
            constraint=models.CheckConstraint(condition=models.Q(('category', 'retail'), ('basis', 'migrated'), ('approved_by__isnull', False), models.Q(('basis', 'opt_down'), ('category', 'professional')), _connector='OR'), name='category_with_less_protection_has_a_second_person'),
        ),
        migrations.AddConstraint(
            model_name='categorydecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'request'), _negated=True), ('request__isnull', False), _connector='OR'), name='category_on_request_has_its_request'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='categorydecision',
            trigger=pgtrigger.compiler.Trigger(name='category_decision_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'category_decision is append-only: write a new row instead';", hash='9df015c4e8a19e4c032f61593e9df8b4f7ec6b2c', operation='UPDATE OR DELETE', pgid='pgtrigger_category_decision_no_change_cc6bb', table='kyc_categorydecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='categorydecision',
            trigger=pgtrigger.compiler.Trigger(name='category_decision_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'category_decision is append-only: write a new row instead';", hash='a330ecc0a5e5b70e480ac44505b42d0e56c3c8aa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_category_decision_no_truncate_12ef0', table='kyc_categorydecision', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='clientreview',
            index=models.Index(fields=['client', '-id'], name='client_reviews_by_client'),
        ),
        migrations.AddIndex(
            model_name='clientreview',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['opened_at'], name='client_reviews_open'),
        ),
        migrations.AddConstraint(
            model_name='clientreview',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('client',), name='one_open_review_per_client'),
        ),
        migrations.AddConstraint(
            model_name='clientreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state__in', ['open', 'cancelled'])), models.Q(models.Q(('state__in', ['open', 'cancelled']), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_review_has_a_reviewer'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('registration_number', ''), _negated=True)), name='company_has_a_name_and_a_number'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='company_has_a_country'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.CheckConstraint(condition=models.Q(('lei', ''), ('lei__regex', '^[0-9A-Z]{18}[0-9]{2}$'), _connector='OR'), name='lei_has_its_form'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.UniqueConstraint(models.F('brand'), models.F('country'), django.db.models.functions.text.Upper('registration_number'), name='one_company_per_number_and_country'),
        ),
        migrations.AddConstraint(
            model_name='companyperson',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('company', 'person'), name='a_person_is_linked_once'),
        ),
        migrations.AddConstraint(
            model_name='companyperson',
            constraint=models.CheckConstraint(condition=models.Q(('person', models.F('company')), _negated=True), name='a_company_is_not_its_own_person'),
        ),
        migrations.AddIndex(
            model_name='checkrun',
            index=models.Index(fields=['document', '-id'], name='runs_by_document'),
        ),
        migrations.AddConstraint(
            model_name='checkrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='finished_run_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='checkrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('document',), name='one_running_check_per_document'),
        ),
        migrations.AddConstraint(
            model_name='categoryevidence',
            constraint=models.UniqueConstraint(fields=('request', 'criterion', 'document'), name='a_document_is_evidence_once_per_criterion'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='categoryevidence',
            trigger=pgtrigger.compiler.Trigger(name='category_evidence_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'category_evidence is append-only: write a new row instead';", hash='8546c5d506cf2b926e3db4663b51f255249a992a', operation='UPDATE OR DELETE', pgid='pgtrigger_category_evidence_no_change_db10a', table='kyc_categoryevidence', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='categoryevidence',
            trigger=pgtrigger.compiler.Trigger(name='category_evidence_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'category_evidence is append-only: write a new row instead';", hash='6a08f8c5f6b9a1fe04f5be659da4c363d3f3d5b1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_category_evidence_no_truncate_04e51', table='kyc_categoryevidence', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='documentrequest',
            index=models.Index(fields=['client', '-id'], name='document_requests_of_a_client'),
        ),
        migrations.AddIndex(
            model_name='documentrequest',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['document'], name='document_requests_open'),
        ),
        migrations.AddIndex(
            model_name='documentrequest',
            index=models.Index(condition=models.Q(('answer__isnull', False)), fields=['answer'], name='document_requests_answered'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('client', 'kind', 'side'), name='a_document_is_requested_once'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.CheckConstraint(condition=models.Q(('message', ''), _negated=True), name='document_request_says_why'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('document__isnull', True), ('reason_code', '')), models.Q(('document__isnull', False), models.Q(('reason_code', ''), _negated=True)), _connector='OR'), name='document_request_of_a_review_has_its_reason'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='ended_document_request_says_when'),
        ),
        migrations.AddConstraint(
            model_name='documentrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer__isnull', False), ('state', 'answered')), models.Q(models.Q(('state', 'answered'), _negated=True), ('answer__isnull', True)), _connector='OR'), name='answered_document_request_has_a_document'),
        ),
        migrations.AddIndex(
            model_name='fieldcorrection',
            index=models.Index(fields=['document', 'id'], name='corrections_of_a_document'),
        ),
        migrations.AddIndex(
            model_name='fieldcorrection',
            index=models.Index(fields=['brand', 'corrected_at'], name='corrections_by_day'),
        ),
        migrations.AddConstraint(
            model_name='fieldcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('field', ''), _negated=True), name='correction_names_its_field'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fieldcorrection',
            trigger=pgtrigger.compiler.Trigger(name='field_correction_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'field_correction is append-only: write a new row instead';", hash='92e5d6b6f2a66c5ef7403b4fd0729239b0074c7b', operation='UPDATE OR DELETE', pgid='pgtrigger_field_correction_no_change_6bc0c', table='kyc_fieldcorrection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='fieldcorrection',
            trigger=pgtrigger.compiler.Trigger(name='field_correction_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'field_correction is append-only: write a new row instead';", hash='016342f3d599a68d7f1b1d806b0da4f6eb6723ac', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_field_correction_no_truncate_c9d16', table='kyc_fieldcorrection', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='incomingfile',
            index=models.Index(fields=['client', '-received_at'], name='incoming_files_by_client'),
        ),
        migrations.AddIndex(
            model_name='incomingfile',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['received_at'], name='incoming_files_waiting'),
        ),
        migrations.AddIndex(
            model_name='incomingfile',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='incoming_files_finished'),
        ),
        migrations.AddConstraint(
            model_name='incomingfile',
            constraint=models.UniqueConstraint(condition=models.Q(('store_key', ''), _negated=True), fields=('store_key',), name='incoming_file_has_its_own_key'),
        ),
        migrations.AddConstraint(
            model_name='incomingfile',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('client', 'sha256'), name='a_client_has_a_file_opened_once'),
        ),
        migrations.AddConstraint(
            model_name='incomingfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'waiting'), models.Q(('store_key', ''), _negated=True)), models.Q(models.Q(('state', 'waiting'), _negated=True), ('finished_at__isnull', False), ('store_key', '')), _connector='OR'), name='only_a_waiting_file_has_content'),
        ),
        migrations.AddConstraint(
            model_name='incomingfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('document__isnull', False), ('state', 'taken')), models.Q(models.Q(('state', 'taken'), _negated=True), ('document__isnull', True)), _connector='OR'), name='taken_file_is_a_document'),
        ),
        migrations.AddConstraint(
            model_name='incomingfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='refused_file_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='incomingpage',
            constraint=models.UniqueConstraint(fields=('incoming', 'number'), name='incoming_pages_are_in_order'),
        ),
        migrations.AddConstraint(
            model_name='incomingpage',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 2)), name='first_page_is_the_incoming_file'),
        ),
        migrations.AddConstraint(
            model_name='issue',
            constraint=models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 1)), name='issue_score_is_a_fraction'),
        ),
        migrations.AddConstraint(
            model_name='issue',
            constraint=models.UniqueConstraint(fields=('run', 'code', 'field'), name='a_run_names_an_issue_once_per_field'),
        ),
        migrations.AddConstraint(
            model_name='kycprovider',
            constraint=models.UniqueConstraint(condition=models.Q(('is_enabled', True)), fields=('brand',), name='a_brand_uses_one_kyc_provider'),
        ),
        migrations.AddConstraint(
            model_name='kycprovider',
            constraint=models.CheckConstraint(condition=models.Q(('level_name', ''), _negated=True), name='kyc_provider_has_a_level'),
        ),
        migrations.AddConstraint(
            model_name='kycprovider',
            constraint=models.CheckConstraint(condition=models.Q(('webhook_algorithms', []), _negated=True), name='kyc_provider_allows_an_algorithm'),
        ),
        migrations.AddIndex(
            model_name='kycproviderproposal',
            index=models.Index(fields=['brand', '-id'], name='kyc_provider_proposals'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='kyc_provider_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='kyc_provider_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='kyc_provider_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='kyc_provider_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='kyc_provider_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_kyc_provider_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='kycproviderproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), ('sealed_credentials__isnull', True), _connector='OR'), name='kyc_provider_proposal_keeps_no_keys'),
        ),
        migrations.AddIndex(
            model_name='levelproposal',
            index=models.Index(fields=['brand', '-id'], name='level_proposals_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='level_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='level_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='level_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='level_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='level_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_level_proposal_per_brand'),
        ),
        migrations.AddConstraint(
            model_name='levelproposal',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(models.Func('levels', function='jsonb_typeof', output_field=models.TextField()), models.Value('array')), django.db.models.lookups.Range(django.db.models.functions.comparison.Coalesce(models.Func('levels', function='jsonb_array_length', output_field=models.IntegerField()), 0), (2, 6))), name='level_proposal_has_levels'),
        ),
        migrations.AddConstraint(
            model_name='levelreached',
            constraint=models.UniqueConstraint(fields=('client', 'level'), name='a_client_reaches_a_level_once'),
        ),
        migrations.AddConstraint(
            model_name='levelreached',
            constraint=models.CheckConstraint(condition=models.Q(('level__gte', 1), ('level__lte', 5)), name='kyc_level_is_from_one_to_five'),
        ),
        migrations.AddIndex(
            model_name='leveltable',
            index=models.Index(fields=['brand', '-id'], name='level_tables_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='leveltable',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='level_table_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='leveltable',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(models.Func('levels', function='jsonb_typeof', output_field=models.TextField()), models.Value('array')), django.db.models.lookups.Range(django.db.models.functions.comparison.Coalesce(models.Func('levels', function='jsonb_array_length', output_field=models.IntegerField()), 0), (2, 6))), name='level_table_has_levels'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='leveltable',
            trigger=pgtrigger.compiler.Trigger(name='level_table_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'level_table is append-only: write a new row instead';", hash='a85cc271d877922e12712227ccb5286daee10a80', operation='UPDATE OR DELETE', pgid='pgtrigger_level_table_no_change_bf504', table='kyc_leveltable', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='leveltable',
            trigger=pgtrigger.compiler.Trigger(name='level_table_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'level_table is append-only: write a new row instead';", hash='692a8f5f49c5da592945b30f2d188cb25d377edf', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_level_table_no_truncate_8e702', table='kyc_leveltable', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='providercheck',
            index=models.Index(fields=['client', '-id'], name='provider_checks_by_client'),
        ),
        migrations.AddIndex(
            model_name='providercheck',
            index=models.Index(fields=['provider', 'applicant_id'], name='provider_checks_by_applicant'),
        ),
        migrations.AddIndex(
            model_name='providercheck',
            index=models.Index(condition=models.Q(('look_due_at__isnull', False)), fields=['look_due_at', 'id'], name='provider_checks_due'),
        ),
        migrations.AddConstraint(
            model_name='providercheck',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('starting', 'unknown', 'open', 'in_review', 'on_hold', 'retry'))), fields=('client',), name='one_open_provider_check_per_client'),
        ),
        migrations.AddConstraint(
            model_name='providercheck',
            constraint=models.UniqueConstraint(condition=models.Q(('applicant_id', ''), _negated=True), fields=('provider', 'applicant_id'), name='an_applicant_has_one_check'),
        ),
        migrations.AddConstraint(
            model_name='providercheck',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('retry', 'passed', 'refused')), _negated=True), models.Q(('result_sealed__isnull', False), models.Q(('result_sha256', ''), _negated=True)), _connector='OR'), name='provider_result_has_its_evidence'),
        ),
        migrations.AddConstraint(
            model_name='providercheck',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'retry'), _negated=True), models.Q(('message', ''), _negated=True), _connector='OR'), name='repeated_check_says_what_to_do'),
        ),
        migrations.AddIndex(
            model_name='providermessage',
            index=models.Index(fields=['connection', '-id'], name='kyc_messages_by_provider'),
        ),
        migrations.AddIndex(
            model_name='providermessage',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at', 'id'], name='kyc_messages_due'),
        ),
        migrations.AddConstraint(
            model_name='providermessage',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'accepted')), fields=('connection', 'message_id'), name='a_kyc_message_is_accepted_once'),
        ),
        migrations.AddConstraint(
            model_name='providermessage',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'accepted'), ('state__in', ['received', 'refused']), _connector='OR'), name='only_an_accepted_kyc_message_is_acted_on'),
        ),
        migrations.AddConstraint(
            model_name='providerpicture',
            constraint=models.UniqueConstraint(fields=('check_at_provider', 'image_id'), name='a_picture_is_fetched_once'),
        ),
        migrations.AddConstraint(
            model_name='providerpicture',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('document__isnull', False), ('problem', '')), models.Q(('document__isnull', True), models.Q(('problem', ''), _negated=True)), _connector='OR'), name='picture_is_a_document_or_says_why_not'),
        ),
        migrations.AddConstraint(
            model_name='questionnaire',
            constraint=models.UniqueConstraint(fields=('brand', 'name'), name='questionnaire_name_is_unique_at_its_brand'),
        ),
        migrations.AddConstraint(
            model_name='questionnaire',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='questionnaire_has_a_name'),
        ),
        migrations.AddIndex(
            model_name='answersrequest',
            index=models.Index(fields=['client', 'questionnaire', '-id'], name='answers_requested'),
        ),
        migrations.AddConstraint(
            model_name='answersrequest',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='answers_request_has_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='answersrequest',
            trigger=pgtrigger.compiler.Trigger(name='answers_request_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'answers_request is append-only: write a new row instead';", hash='ef390cc96d7f1d0040e9e74954882cdd97b190b8', operation='UPDATE OR DELETE', pgid='pgtrigger_answers_request_no_change_7462a', table='kyc_answersrequest', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='answersrequest',
            trigger=pgtrigger.compiler.Trigger(name='answers_request_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'answers_request is append-only: write a new row instead';", hash='0b96ad5f95425e8236d6cc3a57db1c6484ea2055', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_answers_request_no_truncate_d3b14', table='kyc_answersrequest', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='answersdraft',
            constraint=models.UniqueConstraint(fields=('client', 'questionnaire'), name='one_draft_of_answers_per_questionnaire'),
        ),
        migrations.AddIndex(
            model_name='questionnaireproposal',
            index=models.Index(fields=['questionnaire', '-id'], name='questionnaire_proposals'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='questionnaire_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='questionnaire_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='questionnaire_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='questionnaire_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='questionnaire_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('questionnaire',), name='one_open_proposal_per_questionnaire'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireversion',
            constraint=models.UniqueConstraint(fields=('questionnaire', 'number'), name='questionnaire_versions_count_up'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireversion',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='questionnaire_version_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireversion',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('published_by')), _negated=True), _connector='OR'), name='questionnaire_version_is_approved_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='questionnaireversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('content', {}), ('is_retired', True)), models.Q(('is_retired', False), models.Q(('content', {}), _negated=True)), _connector='OR'), name='retired_questionnaire_version_asks_nothing'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireversion',
            trigger=pgtrigger.compiler.Trigger(name='questionnaire_version_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'questionnaire_version is append-only: write a new row instead';", hash='29f512b1bfcf975ac912292d679e299724ff1c9f', operation='UPDATE OR DELETE', pgid='pgtrigger_questionnaire_version_no_change_79c7b', table='kyc_questionnaireversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireversion',
            trigger=pgtrigger.compiler.Trigger(name='questionnaire_version_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'questionnaire_version is append-only: write a new row instead';", hash='b4f6439483699963f80da5c2728a9add8167520a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_questionnaire_version_no_truncate_74843', table='kyc_questionnaireversion', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='secondlook',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['opened_at', 'id'], name='second_looks_open'),
        ),
        migrations.AddIndex(
            model_name='secondlook',
            index=models.Index(condition=models.Q(('decided_at__isnull', False)), fields=['decided_at'], name='second_looks_decided'),
        ),
        migrations.AddConstraint(
            model_name='secondlook',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='second_look_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='secondlook',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'disagreed'), _negated=True), models.Q(models.Q(('note', ''), _negated=True), models.Q(models.Q(('reason_code', ''), _negated=True), ('opinion', 'approve'), _connector='OR')), _connector='OR'), name='disagreement_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='secondlook',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asked_by__isnull', True), ('first_note', ''), ('first_opinion', '')), models.Q(('asked_by__isnull', False), models.Q(('first_opinion', ''), _negated=True), models.Q(('first_note', ''), _negated=True)), _connector='OR'), name='who_asks_a_second_reader_has_an_opinion'),
        ),
        migrations.AddConstraint(
            model_name='secondlook',
            constraint=models.CheckConstraint(condition=models.Q(('asked_by__isnull', True), ('decided_by__isnull', True), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='second_reader_is_another_person'),
        ),
        migrations.AddConstraint(
            model_name='shareholding',
            constraint=models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 100)), name='share_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='shareholding',
            constraint=models.CheckConstraint(condition=models.Q(('depth__gte', 1), ('depth__lte', 5)), name='ownership_chain_is_bounded'),
        ),
        migrations.AddConstraint(
            model_name='shareholding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('depth', 1), ('parent__isnull', True)), models.Q(('depth__gt', 1), ('parent__isnull', False)), _connector='OR'), name='only_the_first_shares_are_of_the_company'),
        ),
        migrations.AddConstraint(
            model_name='shareholding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('entity_name', ''), ('person__isnull', False)), models.Q(('person__isnull', True), models.Q(('entity_name', ''), _negated=True)), _connector='OR'), name='a_share_is_held_by_a_person_or_an_entity'),
        ),
        migrations.AddConstraint(
            model_name='shareholding',
            constraint=models.UniqueConstraint(condition=models.Q(('person__isnull', False)), fields=('company', 'parent', 'person'), name='a_person_holds_a_share_once'),
        ),
        migrations.AddIndex(
            model_name='submission',
            index=models.Index(fields=['client', 'questionnaire', '-id'], name='submissions_of_a_client'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gt', models.F('given_at')), _connector='OR'), name='submission_is_valid_after_it_was_given'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.CheckConstraint(condition=models.Q(('leverage_max__isnull', True), ('leverage_max__gte', 1), _connector='OR'), name='submission_leverage_is_positive'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='submission',
            trigger=pgtrigger.compiler.Trigger(name='submission_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.ip IS NOT DISTINCT FROM NULL AND to_jsonb(NEW) - ARRAY['ip'] = to_jsonb(OLD) - ARRAY['ip'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = OLD.client_id AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'submission is append-only: write a new row instead';", hash='ed463134c06a88cd055c2dacfe8090cc3cbc0776', operation='UPDATE OR DELETE', pgid='pgtrigger_submission_no_change_c49a8', table='kyc_submission', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='submission',
            trigger=pgtrigger.compiler.Trigger(name='submission_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'submission is append-only: write a new row instead';", hash='7570978f3737d5321c672639d3c5cb5a04ae9cc7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_submission_no_truncate_46e90', table='kyc_submission', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='enhancedreview',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['id'], name='open_enhanced_reviews'),
        ),
        migrations.AddConstraint(
            model_name='enhancedreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='enhanced_review_is_decided_by_a_person'),
        ),
        migrations.AddIndex(
            model_name='uploaddraft',
            index=models.Index(fields=['client', '-id'], name='upload_drafts_by_client'),
        ),
        migrations.AddConstraint(
            model_name='uploaddraft',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('client', 'kind'), name='one_open_upload_per_client_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='uploaddraft',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='finished_upload_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='uploaddraft',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('opened_at'))), name='upload_expires_after_it_began'),
        ),
        migrations.AddConstraint(
            model_name='uploadhandover',
            constraint=models.UniqueConstraint(condition=models.Q(('finished_at__isnull', True), ('revoked_at__isnull', True)), fields=('draft',), name='one_live_handover_per_upload'),
        ),
        migrations.AddConstraint(
            model_name='uploadhandover',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('device_hash__isnull', True), ('opened_at__isnull', True)), models.Q(('device_hash__isnull', False), ('opened_at__isnull', False)), _connector='OR'), name='opened_handover_is_bound_to_a_phone'),
        ),
        migrations.AddConstraint(
            model_name='uploadhandover',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at__isnull', True), models.Q(('opened_at__isnull', False), ('revoked_at__isnull', True)), _connector='OR'), name='finished_handover_was_opened'),
        ),
        migrations.AddConstraint(
            model_name='uploadhandover',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='handover_expires_after_it_began'),
        ),
        migrations.AddConstraint(
            model_name='uploadpage',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('draft', 'side', 'position'), name='upload_pages_are_in_order'),
        ),
        migrations.AddConstraint(
            model_name='uploadpage',
            constraint=models.UniqueConstraint(condition=models.Q(('store_key', ''), _negated=True), fields=('store_key',), name='upload_page_has_its_own_key'),
        ),
        migrations.AddConstraint(
            model_name='uploadpage',
            constraint=models.CheckConstraint(condition=models.Q(('received_bytes__lte', models.F('size_bytes')), ('size_bytes__gt', 0)), name='upload_page_keeps_to_its_size'),
        ),
        migrations.AddConstraint(
            model_name='uploadpage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('content_type', ''), ('store_key', '')), models.Q(models.Q(('store_key', ''), _negated=True), models.Q(('content_type', ''), _negated=True), models.Q(('sha256', ''), _negated=True), ('received_bytes', models.F('size_bytes'))), _connector='OR'), name='whole_upload_page_has_all_its_bytes'),
        ),
        migrations.AddConstraint(
            model_name='uploadchunk',
            constraint=models.UniqueConstraint(fields=('page', 'offset'), name='a_chunk_has_its_own_place'),
        ),
        migrations.AddConstraint(
            model_name='uploadchunk',
            constraint=models.CheckConstraint(condition=models.Q(('size_bytes__gt', 0)), name='upload_chunk_has_content'),
        ),
        migrations.AddIndex(
            model_name='verdictpolicy',
            index=models.Index(fields=['brand', '-effective_on', '-number'], name='verdict_policies_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicy',
            constraint=models.UniqueConstraint(fields=('brand', 'number'), name='verdict_policy_has_its_number'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='verdict_policy_has_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdictpolicy',
            trigger=pgtrigger.compiler.Trigger(name='verdict_policy_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'verdict_policy is append-only: write a new row instead';", hash='db6582aec64e3f605017b81e7cbcf6dfaeca73ff', operation='UPDATE OR DELETE', pgid='pgtrigger_verdict_policy_no_change_16652', table='kyc_verdictpolicy', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdictpolicy',
            trigger=pgtrigger.compiler.Trigger(name='verdict_policy_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'verdict_policy is append-only: write a new row instead';", hash='d4174701b77a6075a80ba88b04dc10d2dee6861e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_verdict_policy_no_truncate_9678d', table='kyc_verdictpolicy', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='machinedecision',
            index=models.Index(fields=['brand', 'decided_at'], name='machine_decisions_by_day'),
        ),
        migrations.AddConstraint(
            model_name='machinedecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'approve'), _negated=True), models.Q(('risk', 'high'), _negated=True), _connector='OR'), name='a_machine_never_approves_high_risk'),
        ),
        migrations.AddConstraint(
            model_name='machinedecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('draw__isnull', False), ('draw__lt', 10000), ('outcome', 'approve')), models.Q(models.Q(('outcome', 'approve'), _negated=True), ('draw__isnull', True), ('is_sampled', False)), _connector='OR'), name='machine_approvals_are_drawn'),
        ),
        migrations.AddConstraint(
            model_name='machinedecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('overturn_reason', ''), ('overturned_at__isnull', True), ('overturned_by__isnull', True)), models.Q(('outcome', 'approve'), ('overturned_at__isnull', False), ('overturned_by__isnull', False), models.Q(('overturn_reason', ''), _negated=True)), _connector='OR'), name='overturned_approval_says_who_when_and_why'),
        ),
        migrations.AddConstraint(
            model_name='machinedecision',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_at__isnull', True), models.Q(('check_at_provider__isnull', False), ('outcome', 'approve')), _connector='OR'), name='only_a_providers_approval_is_withdrawn'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['client', '-id'], name='documents_by_client'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('state__in', ['uploaded', 'checking', 'pending_review'])), fields=['uploaded_at', 'id'], name='documents_waiting'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('state__in', ['uploaded', 'checking', 'pending_review'])), fields=['urgent_at', 'id'], name='documents_by_urgency'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('state', 'pending_review')), fields=['flaw', 'urgent_at', 'id'], name='documents_by_flaw'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('state', 'pending_review'), models.Q(('doubt', ''), _negated=True)), fields=['doubt', 'urgent_at'], name='documents_in_doubt'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('state', 'approved')), fields=['expires_on'], name='documents_expiring'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('number_fingerprint', ''), _negated=True), fields=['number_fingerprint'], name='documents_by_number'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['sha256'], name='documents_by_hash'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['reviewed_by', '-reviewed_at'], name='documents_by_reviewer'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['uploaded_at'], name='documents_by_upload'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(condition=models.Q(('reviewed_at__isnull', False)), fields=['reviewed_at'], name='documents_by_decision'),
        ),
        migrations.AddIndex(
            model_name='document',
            index=django.contrib.postgres.indexes.GinIndex(fields=['phash_bands'], name='documents_by_phash'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'replaced'), _negated=True), fields=('client', 'sha256'), name='a_client_sends_a_file_once'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['uploaded', 'checking', 'pending_review']), models.Q(('kind', 'other'), _negated=True)), fields=('client', 'kind', 'side'), name='one_open_document_per_client_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'rejected']), _negated=True), models.Q(('reviewed_at__isnull', False), models.Q(models.Q(('decided_by_policy__isnull', True), ('reviewed_by__isnull', False)), models.Q(('decided_by_policy__isnull', False), ('reviewed_by__isnull', True)), _connector='OR')), _connector='OR'), name='decided_document_has_a_reviewer_or_a_policy'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by_policy__isnull', True), models.Q(('reviewed_by__isnull', True), ('settled_at__isnull', False)), _connector='OR'), name='a_policy_decides_alone_and_finally'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(('reviewed_by__isnull', True), ('uploaded_by__isnull', True), models.Q(('reviewed_by', models.F('uploaded_by')), _negated=True), _connector='OR'), name='reviewer_is_not_the_uploader'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(models.Q(('reason_code', ''), _negated=True), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='rejected_document_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending_review'), _negated=True), ('work__isnull', False), _connector='OR'), name='pending_document_is_a_work_item'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(('settled_at__isnull', True), models.Q(('state__in', ['uploaded', 'checking', 'pending_review']), _negated=True), _connector='OR'), name='settled_document_is_decided'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'checking'), _negated=True), ('check_lease_until__isnull', False), _connector='OR'), name='document_being_checked_has_a_lease'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(('page_count__gt', 0), ('size_bytes__gt', 0)), name='document_has_content'),
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(('quarter_turns__lte', 3)), name='document_is_turned_by_quarters'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='document',
            trigger=pgtrigger.compiler.Trigger(name='high_risk_is_approved_by_a_person', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.state = 'approved' AND NEW.decided_by_policy_id IS NOT NULL\n   AND (TG_OP = 'INSERT' OR OLD.state <> 'approved')\n   AND EXISTS (SELECT 1 FROM clients_client WHERE id = NEW.client_id AND risk_rating = 'high') THEN\n  RAISE EXCEPTION 'a document of a high-risk client is approved by a person' USING ERRCODE = 'check_violation';\nEND IF;\nRETURN NEW;\n", hash='49d74d333d429b421ce6b417ab832bbfa5928c6a', operation='INSERT OR UPDATE', pgid='pgtrigger_high_risk_is_approved_by_a_person_051cd', table='kyc_document', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='verdictpolicyproposal',
            index=models.Index(fields=['brand', '-id'], name='verdict_proposals_of_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='verdict_policy_proposal_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='verdict_policy_proposal_is_decided_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('requested_by')), ('decided_by__isnull', False)), _connector='OR'), name='verdict_policy_proposal_is_withdrawn_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('decision_note', ''), _negated=True), _connector='OR'), name='verdict_policy_proposal_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='verdict_policy_proposal_is_decided_by_a_person'),
        ),
        migrations.AddConstraint(
            model_name='verdictpolicyproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('brand',), name='one_open_verdict_policy_per_brand'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='warningacknowledgement',
            trigger=pgtrigger.compiler.Trigger(name='warning_acknowledgement_no_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND NEW.ip IS NOT DISTINCT FROM NULL AND to_jsonb(NEW) - ARRAY['ip'] = to_jsonb(OLD) - ARRAY['ip'] AND EXISTS (SELECT FROM crm_subjectkey k WHERE k.client_id = (SELECT s.client_id FROM kyc_submission s WHERE s.id = OLD.submission_id) AND k.wrapped IS NULL) THEN RETURN NEW; END IF; RAISE EXCEPTION 'warning_acknowledgement is append-only: write a new row instead';", hash='8aaaf511603e94296777fb6243907a2a92664e8c', operation='UPDATE OR DELETE', pgid='pgtrigger_warning_acknowledgement_no_change_ad5db', table='kyc_warningacknowledgement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='warningacknowledgement',
            trigger=pgtrigger.compiler.Trigger(name='warning_acknowledgement_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'warning_acknowledgement is append-only: write a new row instead';", hash='e9bfe7151d9b9583e007a6479b6e0fcb3647b8c5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_warning_acknowledgement_no_truncate_f575c', table='kyc_warningacknowledgement', when='BEFORE')),
        ),
    ]
