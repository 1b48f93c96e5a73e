import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


def about(model, words):
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="mails",
        to=f"registration.{model}",
        verbose_name=words,
    )


def index(*fields, name, condition):
    return migrations.AddIndex("outgoingmail", models.Index(fields=fields, name=name, condition=condition))


class Migration(migrations.Migration):
    dependencies = [("registration", "0110_roles_and_audit")]

    operations = [
        migrations.AddField(
            model_name="outgoingmail",
            name="deaths",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False, verbose_name="workers lost"
            ),
        ),
        index("registration", name="mail_by_registration", condition=Q(registration__isnull=False)),
        index("not_after", name="mail_stranger", condition=Q(kind="unknown_account")),
        index("not_after", name="mail_live_code", condition=Q(kind="code") & ~Q(context={})),
        migrations.RemoveIndex("outgoingmail", "mail_claimed"),
        index("claimed_at", name="mail_claimed", condition=Q(claimed_at__isnull=False)),
        migrations.AlterField("outgoingmail", "registration", about("registration", "registration")),
        migrations.AlterField("outgoingmail", "announcement", about("announcement", "announcement")),
    ]
