from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registration", "0040_ends_of_data")]

    operations = [
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["email_key"], name="participant_by_email_key"),
        ),
    ]
