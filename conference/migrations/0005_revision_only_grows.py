from django.db import migrations

# Whoever saves a row in the admin writes back the revision that she read, perhaps before a tick raised it. The next
# change would then reuse a number that calendars have seen, and they would keep their old copy.
TABLES = ["webinar", "agendaitem"]

FUNCTION = """
CREATE FUNCTION conference_keep_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision = OLD.revision;
    NEW.revised_at = OLD.revised_at;
    RETURN NEW;
END $$;
"""


def create(table):
    return f"""
CREATE TRIGGER conference_keep_revision BEFORE UPDATE ON conference_{table}
    FOR EACH ROW WHEN (NEW.revision < OLD.revision) EXECUTE FUNCTION conference_keep_revision();
"""


def drop(table):
    return f"DROP TRIGGER conference_keep_revision ON conference_{table};"


class Migration(migrations.Migration):
    dependencies = [("conference", "0004_sign_up")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION conference_keep_revision();"),
        *[migrations.RunSQL(create(table), drop(table)) for table in TABLES],
    ]
