from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registration", "0093_reminders"), ("registration", "0100_mail_seen")]

    operations = [
        migrations.AlterField(
            model_name="bouncereport",
            name="source",
            field=models.CharField(
                choices=[("webhook", "Provider's notice"), ("mail", "Returned mail"), ("refusal", "Refused at once")],
                max_length=8,
                verbose_name="source",
            ),
        ),
        migrations.AddIndex(
            model_name="bouncereport",
            index=models.Index(fields=["email", "at"], name="bounce_by_email"),
        ),
    ]
