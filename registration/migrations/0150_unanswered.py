from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0140_figures_and_lists"),
    ]

    operations = [
        migrations.AlterField(
            model_name="keptcount",
            name="age_group",
            field=models.CharField(
                blank=True,
                choices=[
                    ("under_18", "Under 18"),
                    ("18_24", "18 to 24"),
                    ("25_34", "25 to 34"),
                    ("35_44", "35 to 44"),
                    ("45_54", "45 to 54"),
                    ("55_plus", "55 or over"),
                    ("undisclosed", "Rather not say"),
                ],
                max_length=12,
                verbose_name="age group",
            ),
        ),
        migrations.AlterField(
            model_name="keptcount",
            name="difficulty",
            field=models.CharField(
                choices=[
                    ("yes", "A lot of difficulty or more in at least one domain"),
                    ("no", "Less"),
                    ("refused", "Rather not say"),
                    ("unknown", "Not answered"),
                ],
                max_length=8,
                verbose_name="difficulty",
            ),
        ),
        migrations.AlterField(
            model_name="keptcount",
            name="gender",
            field=models.CharField(
                blank=True,
                choices=[("female", "Woman"), ("male", "Man"), ("other", "Other"), ("undisclosed", "Rather not say")],
                max_length=12,
                verbose_name="gender",
            ),
        ),
        migrations.AlterField(
            model_name="participant",
            name="age_group",
            field=models.CharField(
                blank=True,
                choices=[
                    ("under_18", "Under 18"),
                    ("18_24", "18 to 24"),
                    ("25_34", "25 to 34"),
                    ("35_44", "35 to 44"),
                    ("45_54", "45 to 54"),
                    ("55_plus", "55 or over"),
                    ("undisclosed", "Rather not say"),
                ],
                max_length=12,
                verbose_name="age group",
            ),
        ),
        migrations.AlterField(
            model_name="participant",
            name="gender",
            field=models.CharField(
                blank=True,
                choices=[("female", "Woman"), ("male", "Man"), ("other", "Other"), ("undisclosed", "Rather not say")],
                max_length=12,
                verbose_name="gender",
            ),
        ),
    ]
