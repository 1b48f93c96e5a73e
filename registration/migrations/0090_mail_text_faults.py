from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0103_bounces"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailtext",
            name="broken_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="not usable since"),
        ),
        migrations.AddField(
            model_name="mailtext",
            name="fault",
            field=models.TextField(blank=True, editable=False, verbose_name="what is wrong with it"),
        ),
    ]
