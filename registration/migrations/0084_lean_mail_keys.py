from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0090_mail_text_faults"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outgoingmail",
            name="key",
            field=models.CharField(
                help_text="The same mail can't be queued twice.", max_length=200, verbose_name="key"
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="message_id",
            field=models.CharField(editable=False, max_length=200, verbose_name="Message-ID"),
        ),
        migrations.AddConstraint(
            model_name="outgoingmail",
            constraint=models.UniqueConstraint(fields=("key",), name="mail_key_once"),
        ),
        migrations.AddConstraint(
            model_name="outgoingmail",
            constraint=models.UniqueConstraint(fields=("message_id",), name="mail_message_id_once"),
        ),
    ]
