import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models.functions import Left, Trim

OF_ONE_MAIL = [
    (r"\s+", " "),
    (r"https?://\S+", "…"),
    (r"<?[^\s<>@]+@[^\s<>@]+>?", "…"),
    (r"\m[0-9]{1,3}(\.[0-9]{1,3}){3}\M", "…"),
    (r"\m(?=[[:alpha:]]*[0-9])[[:alnum:]]{6,}([._-][[:alnum:]]+)*\M", "…"),
]


def reason():
    words = models.F("error")
    for pattern, instead in OF_ONE_MAIL:
        words = models.Func(
            words, models.Value(pattern), models.Value(instead), models.Value("g"), function="regexp_replace"
        )
    return Trim(Left(words, 150))


def index(*fields, name, condition=None, **facts):
    return migrations.AddIndex("outgoingmail", models.Index(*fields, name=name, condition=condition, **facts))


def to_key():
    pattern, instead = models.Value(r"\+[^@]*@"), models.Value("@")
    key = models.Func(models.F("to"), pattern, instead, function="regexp_replace", output_field=models.CharField())
    return django.contrib.postgres.indexes.OpClass(key, name="text_pattern_ops")


class Migration(migrations.Migration):
    dependencies = [("registration", "0096_announcements")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("fast", "Codes"),
                            ("mail", "All other mail"),
                            ("beat", "The clock that wakes them"),
                        ],
                        max_length=4,
                        verbose_name="work",
                    ),
                ),
                ("worker", models.CharField(max_length=100, verbose_name="process")),
                ("seen_at", models.DateTimeField(verbose_name="last seen at")),
            ],
            options={
                "verbose_name": "sign of life",
                "verbose_name_plural": "signs of life",
                "constraints": [models.UniqueConstraint(fields=("role", "worker"), name="heartbeat_once")],
            },
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="reason",
            field=models.GeneratedField(
                db_persist=True,
                expression=reason(),
                output_field=models.CharField(max_length=150),
                verbose_name="reason",
            ),
        ),
        index(fields=["sent_at"], condition=models.Q(sent_at__isnull=False), name="mail_by_sent_at"),
        index(fields=["-created_at", "-id"], name="mail_log"),
        index(fields=["kind", "-created_at", "-id"], name="mail_log_kind"),
        index(fields=["status", "-created_at", "-id"], condition=~models.Q(status="SENT"), name="mail_log_status"),
        index(to_key(), name="mail_to"),
        index(
            fields=["reason", "status", "claimed_at"],
            condition=models.Q(status__in=["FAILED", "BOUNCED", "RETRY"]),
            name="mail_reason",
        ),
    ]
