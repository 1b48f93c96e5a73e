"""Whether other servers believe mail of our domain: its DNS records, what they should say, and what is wrong, in words.

SPF (RFC 7208) names who may send, DKIM (6376) signs, DMARC (7489) says what to do with the rest. MX is where answers and
returned mail arrive, PTR the name of a mail server of one's own.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
import dns.reversename
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

# What an SPF record may make others look up.
SPF_LOOKUPS = 10
LOOKING_UP = ("include", "a", "mx", "ptr", "exists", "redirect")
WEAK_KEY, GOOD_KEY = 1024, 2048
TIMEOUT = 5

# By the end of the relay's name: what its customers put into SPF, and the selectors it signs with.
PROVIDERS = {
    "amazonaws.com": ("include:amazonses.com", ()),
    "brevo.com": ("include:spf.brevo.com", ("brevo1", "brevo2", "mail")),
    "gmail.com": ("include:_spf.google.com", ("google",)),
    "google.com": ("include:_spf.google.com", ("google",)),
    "mailersend.net": ("include:_spf.mailersend.net", ("mlsend2", "mlsend")),
    "mailgun.org": ("include:mailgun.org", ("mx", "k1", "pic", "mailo", "smtp")),
    "mailjet.com": ("include:spf.mailjet.com", ("mailjet",)),
    "mailtrap.io": ("", ("rwmt1", "rwmt2")),
    "mandrillapp.com": ("include:spf.mandrillapp.com", ("mte1", "mte2", "mandrill")),
    "office365.com": ("include:spf.protection.outlook.com", ("selector1", "selector2")),
    "postmarkapp.com": ("include:spf.mtasv.net", ("pm",)),
    "sendgrid.net": ("include:sendgrid.net", ("s1", "s2")),
}
AS_IT_IS = "as it is"
NO_ANSWER = "No DNS server answered: try again, this is not yet a verdict."
# RFC 8058: only then do mail programs show their own button.
COVERED = (
    "Which headers are signed stands in each mail and not in the DNS, so this can't be seen from here: "
    "see that List-Unsubscribe and List-Unsubscribe-Post are among them (docs/deliverability.md)."
)
USUAL_SELECTORS = ("default", "mail", "dkim", "s1", "k1")


@dataclass
class Finding:
    """One kind of record."""

    kind: str
    name: str  # where it stands
    wanted: str  # what to set
    found: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Names:
    """The DNS, asked once for each name. `unsure` holds what no server answered: that is not the same as nothing there."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self.resolver = resolver
        self.known: dict[tuple[str, str], list[str]] = {}
        self.unsure: set[str] = set()

    def get(self, name: str, kind: str) -> list[str]:
        if (name, kind) not in self.known:
            self.known[name, kind] = self.ask(name, kind)
        return self.known[name, kind]

    def ask(self, name: str, kind: str) -> list[str]:
        try:
            answer = self.resolver.resolve(name, kind, lifetime=TIMEOUT)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:
            self.unsure.add(name)
            return []
        if kind == "TXT":
            return [b"".join(row.strings).decode(errors="replace") for row in answer]
        if kind == "MX":
            return [f"{row.preference} {row.exchange.to_text().rstrip('.').lower() or '.'}" for row in answer]
        return [row.to_text().rstrip(".").lower() for row in answer]

    def addresses(self, host: str) -> list[str]:
        return [*self.get(host, "A"), *self.get(host, "AAAA")]


def resolver_at(server: str | None = None) -> dns.resolver.Resolver:
    """The machine's own, or `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`."""
    if not server:
        return dns.resolver.Resolver()
    parts = urlsplit(f"//{server}")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [parts.hostname or ""], parts.port or 53
    return resolver


def provider_of(relay: str) -> tuple[str, tuple[str, ...]]:
    """What a known provider asks for; ("", ()) for a server of one's own."""
    return next((facts for end, facts in PROVIDERS.items() if relay == end or relay.endswith(f".{end}")), ("", ()))


def check(domain: str, *, relay: str, selectors: list[str], reports_to: str, names: Names) -> list[Finding]:
    found = [
        spf(domain, relay=relay, names=names),
        dkim(
            domain,
            selectors=selectors or [*provider_of(relay)[1], *USUAL_SELECTORS],
            is_guess=not selectors,
            names=names,
        ),
        dmarc(domain, reports_to=reports_to, names=names),
        mx(domain, relay=relay, names=names),
    ]
    if is_own(domain, relay):
        found.append(ptr(relay, names=names))
    for finding in found:
        if finding.problems and not finding.found and unsure_of(finding, names):
            finding.problems, finding.notes, finding.wanted = [NO_ANSWER], [], AS_IT_IS
    return found


def unsure_of(finding: Finding, names: Names) -> bool:
    return any(name == finding.name or name.endswith(f".{finding.name}") for name in names.unsure)


def is_own(domain: str, relay: str) -> bool:
    """A mail server that we look after; a provider's is its own affair."""
    return provider_of(relay) == ("", ()) and (relay == domain or relay.endswith(f".{organisational(domain)}"))


def organisational(domain: str) -> str:
    """kpt.example.org belongs to example.org, kpt.example.or.id to example.or.id."""
    labels = domain.split(".")
    has_kind = len(labels[-1]) == 2 and len(labels) > 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if has_kind else labels[-2:])


# ---- SPF


def spf(domain: str, *, relay: str, names: Names) -> Finding:
    term = provider_of(relay)[0] or (f"a:{relay}" if relay else "mx")
    finding = Finding("SPF (TXT)", domain, f"v=spf1 {term} ~all")
    records = [text for text in names.get(domain, "TXT") if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    finding.found = records
    if not records:
        finding.problems.append("There is no SPF record: other servers can't tell our mail from a forger's.")
    elif len(records) > 1:
        finding.problems.append("There are two or more SPF records. That counts as none: join them into one.")
    else:
        judge_spf(records[0], finding, term=term, relay=relay, names=names)
    return finding


def judge_spf(record: str, finding: Finding, *, term: str, relay: str, names: Names) -> None:
    terms = record.lower().split()[1:]
    finding.wanted = with_term(record, term) if term not in terms else record
    allows = allowed(finding.name, terms, relay=relay, term=term, names=names)
    if not allows and relay not in names.unsure:
        finding.problems.append(f"The record does not allow our mail server {relay}: add {term}.")
    if allows and term not in terms:
        finding.wanted = record
    lookups = count_lookups(finding.name, terms, names=names, seen=set())
    if lookups > SPF_LOOKUPS:
        finding.problems.append(
            f"The record makes others look up {lookups} names; at {SPF_LOOKUPS} they give up. Take out what you don't use."
        )
    ending = next((t for t in terms if t.lstrip("+-~?") == "all"), "")
    if ending in {"all", "+all"}:
        finding.problems.append("The record ends in +all: it lets the whole world send in our name. Write ~all.")
    elif not ending and not any(t.startswith("redirect=") for t in terms):
        finding.problems.append("The record has no end: add ~all, which says that nobody else sends in our name.")
    if any(t.lstrip("+-~?").split(":")[0] == "ptr" for t in terms):
        finding.notes.append("The word ptr is outdated and slow. Take it out.")


def with_term(record: str, term: str) -> str:
    words = record.split()
    return " ".join([words[0], term, *words[1:]])


def allowed(domain: str, terms: list[str], *, relay: str, term: str, names: Names) -> bool:
    """By the provider's own word, or because the relay's addresses are among those that the record allows."""
    if term in (t.lstrip("+") for t in terms):
        return True
    if provider_of(relay)[0]:
        return term in nested(domain, terms, names=names, depth=0)
    hosts = names.addresses(relay) if relay else []
    nets = list(networks(domain, terms, names=names, depth=0))
    return bool(hosts) and all(any(ipaddress.ip_address(host) in net for net in nets) for host in hosts)


def nested(domain: str, terms: list[str], *, names: Names, depth: int) -> Iterator[str]:
    """The record's terms and those of the records that it names."""
    yield from (term.lstrip("+") for term in terms)
    for other in others(terms) if depth < SPF_LOOKUPS else ():
        yield from nested(other, terms_at(other, names), names=names, depth=depth + 1)


def others(terms: list[str]) -> list[str]:
    found = (re.fullmatch(r"\+?(?:include:|redirect=)(\S+)", term) for term in terms)
    return [match[1] for match in found if match and "%" not in match[1]]


def terms_at(domain: str, names: Names) -> list[str]:
    records = [text for text in names.get(domain, "TXT") if text.lower().startswith("v=spf1")]
    return records[0].lower().split()[1:] if records else []


def networks(
    domain: str, terms: list[str], *, names: Names, depth: int
) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for term in terms:
        kind, _colon, value = term.lstrip("+").partition(":")
        if kind in {"ip4", "ip6"}:
            yield from network(value)
        elif kind == "a":
            yield from (net for host in names.addresses(value or domain) for net in network(host))
        elif kind == "mx":
            hosts = [row.split()[1] for row in names.get(value or domain, "MX")]
            yield from (net for host in hosts for address in names.addresses(host) for net in network(address))
    for other in others(terms) if depth < SPF_LOOKUPS else ():
        yield from networks(other, terms_at(other, names), names=names, depth=depth + 1)


def network(written: str) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        yield ipaddress.ip_network(written, strict=False)
    except ValueError:
        return


def count_lookups(domain: str, terms: list[str], *, names: Names, seen: set[str]) -> int:
    """As others count, those of the named records included; a record that names itself is counted once."""
    own = sum(re.split(r"[:=/]", term.lstrip("+-~?"))[0] in LOOKING_UP for term in terms)
    fresh = [other for other in others(terms) if other not in seen]
    seen.update(fresh)
    return own + sum(count_lookups(other, terms_at(other, names), names=names, seen=seen) for other in fresh)


# ---- DKIM


def dkim(domain: str, *, selectors: list[str], is_guess: bool, names: Names) -> Finding:
    places = [f"{selector}._domainkey.{domain}" for selector in dict.fromkeys(selectors)]
    keys = {place: text for place in places for text in names.get(place, "TXT") if "p=" in text}
    finding = Finding("DKIM (TXT or CNAME)", places[0], "what your mail provider shows under DKIM", list(keys.values()))
    if not keys:
        where = " or ".join(places) if len(places) < 4 else f"{places[0]} and {len(places) - 1} other usual names"
        finding.problems.append(
            f"No key is at {where}: our mail is not signed for this domain, or nobody can check it."
        )
        if is_guess:
            finding.notes.append("If your provider names another selector, say so: --selector NAME.")
        return finding
    finding.name, record = next(iter(keys.items()))
    finding.wanted = AS_IT_IS
    judge_key(record, finding)
    return finding


def judge_key(record: str, finding: Finding) -> None:
    tags = tags_of(record)
    if not tags.get("p"):
        finding.problems.append("The key is empty: it was withdrawn. Have the provider make a new one.")
        return
    if tags.get("k", "rsa") == "rsa":
        size = rsa_size(tags["p"])
        if size == 0:
            finding.problems.append("The key is broken: a letter is missing. Copy it again, in one piece.")
        elif size < WEAK_KEY:
            finding.problems.append(f"The key has {size} bits; below {WEAK_KEY} it is ignored.")
        elif size < GOOD_KEY:
            finding.notes.append(f"The key has {size} bits. {GOOD_KEY} are better.")
    if "y" in tags.get("t", "").split(":"):
        finding.notes.append("The key is marked as a test (t=y): some servers ignore it. Take that out.")


def tags_of(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): re.sub(r"\s", "", value) for name, _equals, value in pairs if name.strip()}


def rsa_size(written: str) -> int:
    try:
        key = load_der_public_key(base64.b64decode(written, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return 0
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


# ---- DMARC


def dmarc(domain: str, *, reports_to: str, names: Names) -> Finding:
    places = list(dict.fromkeys([f"_dmarc.{domain}", f"_dmarc.{organisational(domain)}"]))
    finding = Finding("DMARC (TXT)", places[0], f"v=DMARC1; p=none; rua=mailto:{reports_to}")
    for place in places:
        records = [text for text in names.get(place, "TXT") if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if records:
            finding.name, finding.found, finding.wanted = place, records, AS_IT_IS
            judge_dmarc(records, finding)
            return finding
    finding.problems.append("There is no DMARC record. Large providers refuse mail to many without one.")
    return finding


def judge_dmarc(records: list[str], finding: Finding) -> None:
    if len(records) > 1:
        finding.problems.append("There are two or more DMARC records. That counts as none: keep one.")
        return
    tags = tags_of(records[0])
    if tags.get("p", "").lower() not in {"none", "quarantine", "reject"}:
        finding.problems.append("The record lacks p=none, p=quarantine or p=reject, and so counts as none.")
    elif tags["p"].lower() == "none":
        finding.notes.append("p=none only watches. When the reports look good for some weeks, write p=quarantine.")
    if "rua" not in tags:
        finding.notes.append("Without rua=mailto:... nobody tells you who sends in our name.")


# ---- MX and PTR


def mx(domain: str, *, relay: str, names: Names) -> Finding:
    finding = Finding("MX", domain, "10 and the server that takes mail for this domain")
    finding.found = sorted(names.get(domain, "MX"), key=lambda row: int(row.split()[0]))
    hosts = [row.split()[1] for row in finding.found]
    if not finding.found:
        finding.problems.append(
            "Nobody takes mail for this domain: answers and returned mail are lost, and some refuse ours."
        )
    elif hosts == ["."]:
        finding.problems.append(
            "The domain says that it takes no mail at all (a null MX): answers to our mail are lost."
        )
    else:
        finding.wanted = AS_IT_IS
        for host in hosts:
            if not names.addresses(host) and host not in names.unsure:
                finding.problems.append(f"The server {host} has no address: mail to us does not arrive there.")
    return finding


def ptr(relay: str, *, names: Names) -> Finding:
    """Large providers refuse a server whose address has no name, or one that does not lead back."""
    finding = Finding("PTR", relay, relay)
    hosts = names.addresses(relay)
    if not hosts:
        finding.problems.append(f"The mail server {relay} has no address.")
    for host in hosts:
        finding.name = host
        called = names.get(dns.reversename.from_address(host).to_text(omit_final_dot=True), "PTR")
        finding.found += called
        if not called:
            finding.problems.append(f"The address {host} has no name. Whoever rents it to you sets it to {relay}.")
        elif not any(host in names.addresses(name) for name in called):
            finding.problems.append(f"The address {host} is called {called[0]}, and that name leads elsewhere.")
    return finding
