from django.db import migrations

# Whatever changes the content, the admin or plain SQL, tells every web process at its commit: kept pages are drawn anew.
TABLES = [
    "edition",
    "organisation",
    "partnership",
    "webinar",
    "webinar_hosts",
    "agendaitem",
    "speaker",
    "appearance",
    "material",
    "page",
]

FUNCTION = """
CREATE FUNCTION conference_content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kpt_content', '');
    RETURN NULL;
END $$;
"""


def create(table):
    return f"""
CREATE TRIGGER conference_content_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON conference_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION conference_content_changed();
"""


def drop(table):
    return f"DROP TRIGGER conference_content_changed ON conference_{table};"


class Migration(migrations.Migration):
    dependencies = [("conference", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION conference_content_changed();"),
        *[migrations.RunSQL(create(table), drop(table)) for table in TABLES],
    ]
