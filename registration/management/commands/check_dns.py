import sys
from email.utils import parseaddr

import dns.exception
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registration import dnsrecords


class Command(BaseCommand):
    help = (
        "Says which DNS records let other servers believe our mail, what is there now, and what is wrong with it. "
        "docs/deliverability.md explains them. Ends with 1 when something is wrong."
    )

    def add_arguments(self, parser):
        parser.add_argument("--domain", help="instead of the one in DEFAULT_FROM_EMAIL")
        parser.add_argument("--relay", help="the mail server, instead of the one in EMAIL_URL")
        parser.add_argument(
            "--selector",
            action="append",
            default=[],
            help="the name of a DKIM key, as the provider shows it; repeatable",
        )
        parser.add_argument("--resolver", help="the DNS server to ask, such as 192.0.2.1 or 127.0.0.1:5353")

    def handle(self, *args, domain, relay, selector, resolver, **options):
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        domain = (domain or sender.rpartition("@")[2]).lower().rstrip(".")
        relay = (relay or settings.EMAIL_HOST).lower().rstrip(".")
        if "." not in domain:
            raise CommandError("Set DEFAULT_FROM_EMAIL, or name the domain: --domain example.org.")
        try:
            names = dnsrecords.Names(dnsrecords.resolver_at(resolver))
        except (dns.exception.DNSException, ValueError) as error:
            raise CommandError(f"There is no DNS server to ask: {error}") from error
        reports_to = sender if sender.endswith(f"@{domain}") else f"postmaster@{domain}"
        found = dnsrecords.check(domain, relay=relay, selectors=selector, reports_to=reports_to, names=names)
        self.stdout.write(f"Mail from {domain} by way of {relay}")
        for finding in found:
            self.tell(finding)
        if wrong := sum(len(finding.problems) for finding in found):
            self.stdout.write(f"\n{wrong} to mend. A change takes up to a day to be seen everywhere.")
            sys.exit(1)
        self.stdout.write("\nAll is well.")

    def tell(self, finding):
        self.stdout.write(f"\n{finding.kind}")
        self.stdout.write(f"  name   {finding.name}")
        is_known = dnsrecords.NO_ANSWER not in finding.problems
        for record in finding.found or (["nothing"] if is_known else []):
            self.stdout.write(f"  found  {record}")
        if finding.wanted != dnsrecords.AS_IT_IS and finding.wanted not in finding.found:
            self.stdout.write(f"  set    {finding.wanted}")
        for problem in finding.problems:
            self.stdout.write(f"  WRONG  {problem}")
        for note in finding.notes:
            self.stdout.write(f"  note   {note}")
        if finding.kind.startswith("DKIM"):
            self.stdout.write(f"  note   {dnsrecords.COVERED}")
        if not finding.problems:
            self.stdout.write("  good")
