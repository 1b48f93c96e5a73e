"""The records that other servers judge our mail by, asked of a DNS server on a local port."""

import base64
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from dnslib import MX, PTR, QTYPE, RCODE, RR, TXT, A
from dnslib.server import DNSLogger, DNSServer

from kpt import embedded
from registration import dnsrecords

DATA = {"A": A, "PTR": PTR}


class Zone:
    """`zone.put("example.org", "TXT", "v=spf1 ~all")`; a name in `broken` is answered with a server's failure."""

    def __init__(self):
        self.rows, self.broken, self.asked = [], set(), []

    def put(self, name, kind, *values):
        self.rows = [row for row in self.rows if row[:2] != (name, kind)]
        self.rows += [(name, kind, value) for value in values]

    def resolve(self, request, handler):
        reply, name = request.reply(), str(request.q.qname).rstrip(".").lower()
        kind = QTYPE[request.q.qtype]
        self.asked.append((name, kind))
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        if not any(row[0] == name for row in self.rows):
            reply.header.rcode = RCODE.NXDOMAIN
        for owner, its_kind, value in self.rows:
            if (owner, its_kind) == (name, kind):
                reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=data_of(kind, value)))
        return reply


def data_of(kind, value):
    if kind == "TXT":
        return TXT([value[start : start + 250].encode() for start in range(0, len(value), 250)])
    if kind == "MX":
        preference, host = value.split()
        return MX(host, int(preference))
    return DATA[kind](value)


def key(bits=2048):
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY = key()


@pytest.fixture(scope="module")
def server():
    zone, port = Zone(), embedded.free_port()
    server = DNSServer(zone, address="127.0.0.1", port=port, logger=DNSLogger("-request,-reply,-truncated,-error"))
    server.start_thread()
    yield zone, port
    server.stop()
    server.server.server_close()


@pytest.fixture
def zone(server, settings):
    """All is well: a server of our own, mail.example.org."""
    zone, _port = server
    zone.rows, zone.broken, zone.asked = [], set(), []
    settings.DEFAULT_FROM_EMAIL = "KPT <kpt@example.org>"
    settings.EMAIL_HOST = "mail.example.org"
    zone.put("example.org", "TXT", "v=spf1 mx ~all", "something-else=1")
    zone.put("example.org", "MX", "10 mail.example.org")
    zone.put("mail.example.org", "A", "192.0.2.10")
    zone.put("10.2.0.192.in-addr.arpa", "PTR", "mail.example.org")
    zone.put("kpt2027._domainkey.example.org", "TXT", f"v=DKIM1; k=rsa; p={KEY}")
    zone.put("_dmarc.example.org", "TXT", "v=DMARC1; p=quarantine; rua=mailto:kpt@example.org")
    return zone


@pytest.fixture
def found(zone, server):
    """What is wrong, by kind of record."""

    def look(relay="mail.example.org", selectors=("kpt2027",), domain="example.org"):
        names = dnsrecords.Names(dnsrecords.resolver_at(f"127.0.0.1:{server[1]}"))
        rows = dnsrecords.check(domain, relay=relay, selectors=list(selectors), reports_to=f"kpt@{domain}", names=names)
        return {row.kind.split()[0]: row for row in rows}

    return look


def wrong(found):
    return {kind: row.problems for kind, row in found.items() if row.problems}


def test_all_is_well(found):
    result = found()
    assert list(result) == ["SPF", "DKIM", "DMARC", "MX", "PTR"]
    assert wrong(result) == {}
    assert result["DKIM"].notes == []


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no SPF record"),
        (["v=spf1 mx ~all", "v=spf1 a ~all"], "two or more SPF records"),
        (["v=spf1 mx +all"], "the whole world"),
        (["v=spf1 mx all"], "the whole world"),
        (["v=spf1 mx"], "has no end"),
        (["v=spf1 ip4:198.51.100.1 -all"], "does not allow our mail server mail.example.org: add a:mail.example.org"),
        (["v=spf10 mx ~all"], "no SPF record"),
        (["v=spf1 mx " + " ".join(f"include:s{n}.example.net" for n in range(10)) + " ~all"], "look up 11 names"),
    ],
)
def test_what_is_wrong_with_spf(records, words, zone, found):
    zone.put("example.org", "TXT", *records)
    [problem] = found()["SPF"].problems
    assert words in problem


@pytest.mark.parametrize(
    "record",
    ["v=spf1 a:mail.example.org -all", "v=spf1 ip4:192.0.2.0/24 ~all", "v=spf1 include:other.example.org ~all"],
)
def test_spf_may_allow_our_server_in_many_ways(record, zone, found):
    zone.put("example.org", "TXT", record)
    zone.put("other.example.org", "TXT", "v=spf1 ip4:192.0.2.10 ~all")
    assert found()["SPF"].problems == []


def test_spf_that_leads_back_to_itself_is_an_end_too(zone, found):
    zone.put("example.org", "TXT", "v=spf1 include:example.org include:other.example.org ~all")
    zone.put("other.example.org", "TXT", "v=spf1 include:example.org ~all")
    assert "does not allow" in found()["SPF"].problems[0]


def test_a_known_provider_is_named_in_the_record_to_set(zone, found):
    finding = found(relay="smtp.mailgun.org")["SPF"]
    assert finding.wanted == "v=spf1 include:mailgun.org mx ~all"
    assert "add include:mailgun.org" in finding.problems[0]
    zone.put("example.org", "TXT", finding.wanted)
    assert found(relay="smtp.mailgun.org")["SPF"].problems == []
    assert "PTR" not in found(relay="smtp.mailgun.org"), "its servers are its own affair"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "No key is at kpt2027._domainkey.example.org"),
        ("v=DKIM1; k=rsa; p=", "withdrawn"),
        (f"v=DKIM1; p={KEY[:-9]}", "a letter is missing"),
        (f"v=DKIM1; p={KEY[:40]}*{KEY[40:]}", "a letter is missing"),
    ],
)
def test_what_is_wrong_with_dkim(record, words, zone, found):
    zone.put("kpt2027._domainkey.example.org", "TXT", *([record] if record else []))
    [problem] = found()["DKIM"].problems
    assert words in problem


def test_a_short_key_is_good_enough_and_a_longer_one_better(zone, found):
    zone.put("kpt2027._domainkey.example.org", "TXT", f"p={key(1024)}")
    assert (found()["DKIM"].problems, found()["DKIM"].notes) == ([], ["The key has 1024 bits. 2048 are better."])


def test_a_key_of_the_newer_kind_has_no_such_size(zone, found):
    public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    zone.put("kpt2027._domainkey.example.org", "TXT", f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}")
    assert found()["DKIM"].problems == []


def test_without_a_selector_the_usual_ones_are_tried(zone, found):
    zone.put("pm._domainkey.example.org", "TXT", f"k=rsa; p={KEY}")
    assert found(relay="smtp.postmarkapp.com", selectors=())["DKIM"].name == "pm._domainkey.example.org"
    zone.put("pm._domainkey.example.org", "TXT")
    finding = found(relay="smtp.postmarkapp.com", selectors=())["DKIM"]
    assert "and 5 other usual names" in finding.problems[0]
    assert finding.notes == ["If your provider names another selector, say so: --selector NAME."]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no DMARC record"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "two or more"),
        (["v=DMARC1; rua=mailto:kpt@example.org"], "lacks p=none"),
        (["v=DMARC1; p=maybe"], "lacks p=none"),
    ],
)
def test_what_is_wrong_with_dmarc(records, words, zone, found):
    zone.put("_dmarc.example.org", "TXT", *records)
    [problem] = found()["DMARC"].problems
    assert words in problem


@pytest.mark.parametrize(
    ("domain", "whole"), [("kpt.example.org", "example.org"), ("kpt.example.or.id", "example.or.id")]
)
def test_the_policy_of_the_whole_domain_holds_for_its_parts(domain, whole, zone, found):
    zone.put(f"_dmarc.{whole}", "TXT", "v=DMARC1; p=none")
    finding = found(domain=domain)["DMARC"]
    assert (finding.name, finding.problems) == (f"_dmarc.{whole}", [])
    assert [note.split()[0] for note in finding.notes] == ["p=none", "Without"]


def test_what_is_wrong_with_mx(zone, found):
    zone.put("example.org", "MX", "20 mail.example.org", "10 gone.example.org")
    assert found()["MX"].problems == ["The server gone.example.org has no address: mail to us does not arrive there."]
    zone.put("example.org", "MX", "0 .")
    assert "takes no mail at all" in found()["MX"].problems[0]
    zone.put("example.org", "MX")
    assert "Nobody takes mail" in found()["MX"].problems[0]


def test_what_is_wrong_with_ptr(zone, found):
    zone.put("10.2.0.192.in-addr.arpa", "PTR", "host-10.example.net")
    assert "that name leads elsewhere" in found()["PTR"].problems[0]
    zone.put("10.2.0.192.in-addr.arpa", "PTR")
    assert "sets it to mail.example.org" in found()["PTR"].problems[0]


def test_no_answer_is_no_verdict(zone, found):
    zone.broken = {"example.org", "_dmarc.example.org", "kpt2027._domainkey.example.org", "mail.example.org"}
    result = found()
    assert list(wrong(result).values()) == [[dnsrecords.NO_ANSWER]] * 5
    assert {row.wanted for row in result.values()} == {"as it is"}, "nothing is proposed in place of what may be there"


def test_a_server_whose_name_gets_no_answer_is_not_called_wrong(zone, found):
    zone.broken = {"mail.example.org"}
    assert wrong(found()) == {"PTR": [dnsrecords.NO_ANSWER]}


# ---- The command


def run(server, **options):
    out = StringIO()
    try:
        call_command("check_dns", resolver=f"127.0.0.1:{server[1]}", stdout=out, **options)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_that_all_is_well(zone, server):
    code, words = run(server, selector=["kpt2027"])
    assert code == 0
    assert words.startswith("Mail from example.org by way of mail.example.org\n")
    assert words.endswith("\nAll is well.\n")
    assert words.count("  good\n") == 5
    assert "WRONG" not in words
    assert words.count("see that List-Unsubscribe and List-Unsubscribe-Post are among them") == 1


def test_the_command_fills_in_the_records_to_set(zone, server):
    zone.rows = []
    code, words = run(server, relay="smtp.mailgun.org")
    assert code == 1
    assert "  set    v=spf1 include:mailgun.org ~all\n" in words
    assert "  name   _dmarc.example.org\n" in words
    assert "  set    v=DMARC1; p=none; rua=mailto:kpt@example.org\n" in words
    assert words.count("WRONG") == 4
    assert "4 to mend." in words


def test_the_command_looks_at_another_domain(zone, server):
    code, words = run(server, domain="Example.COM.")
    assert code == 1
    assert "rua=mailto:postmaster@example.com" in words


def test_the_command_asks_for_a_domain(zone, server, settings):
    settings.DEFAULT_FROM_EMAIL = "kpt@localhost"
    with pytest.raises(CommandError, match="--domain"):
        run(server)
