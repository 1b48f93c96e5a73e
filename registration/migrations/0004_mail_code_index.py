from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0003_groups"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(condition=models.Q(("kind", "code")), fields=["to", "created_at"], name="mail_code"),
        ),
    ]
