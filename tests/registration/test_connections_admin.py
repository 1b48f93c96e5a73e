import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from registration import webhooks
from registration.models import AuditEntry, WebhookDelivery, WebhookEndpoint
from tests.factories import RegistrationFactory, UserFactory
from tests.registration.test_webhooks import listening

pytestmark = pytest.mark.django_db

FORM = {
    "name": "CRM",
    "url": "https://hooks.example.org/in",
    "events": ["registration.confirmed", "registration.cancelled"],
    "scope": "all",
    "is_active": "on",
}


def page(view, *args):
    return reverse(f"admin:registration_webhook{view}", args=args)


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(UserFactory(organiser=True))


@pytest.fixture
def organiser(signed_in_client):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


def test_made_with_a_secret_that_is_shown_once(owner, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(page("endpoint_add"), FORM)
    endpoint = WebhookEndpoint.objects.get()
    secret = webhooks.secret(endpoint)
    html = response.content.decode()
    assert secret in html
    assert Webhook(secret)
    assert "no-store" in response["Cache-Control"]
    assert not [name for name in response.cookies if name == "messages"]
    assert endpoint.events == FORM["events"]
    assert endpoint.created_by is not None
    assert cache.get(webhooks.LISTENING) is True
    assert secret not in owner.get(page("endpoint_change", endpoint.pk)).content.decode()
    assert AuditEntry.objects.filter(action="added", object_type="registration.webhookendpoint").exists()


def test_new_secret_ends_the_earlier_one(owner):
    endpoint = listening()
    earlier = webhooks.secret(endpoint)
    assert owner.get(page("endpoint_renew", endpoint.pk)).status_code == 200
    endpoint.refresh_from_db()
    assert webhooks.secret(endpoint) == earlier
    html = owner.post(page("endpoint_renew", endpoint.pk)).content.decode()
    endpoint.refresh_from_db()
    assert webhooks.secret(endpoint) != earlier
    assert webhooks.secret(endpoint) in html


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost:8000/admin/"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/latest"}, "url"),
        ({"url": "https://user:secret@hooks.example.org/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["registration.everything"]}, "events"),
        ({"scope": "edition"}, "edition"),
        ({"scope": "webinars"}, "webinars"),
    ],
    ids=str,
)
def test_form_refuses_what_would_not_do(change, field, owner):
    response = owner.post(page("endpoint_add"), FORM | change)
    assert field in response.context["adminform"].form.errors
    assert not WebhookEndpoint.objects.exists()


def test_switched_on_again_it_begins_anew(owner):
    endpoint = listening(is_active=False, failures=12, switched_off_at=timezone.now())
    assert "switched off by itself" in owner.get("/en" + page("endpoint_changelist")).content.decode()
    owner.post(page("endpoint_change", endpoint.pk), FORM)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.failures, endpoint.switched_off_at) == (True, 0, None)


def test_desk_tells_of_an_endpoint_that_switched_itself_off(owner, organiser):
    words = "“CRM” gets nothing any more"
    assert words not in owner.get("/en/admin/").content.decode()
    listening(is_active=False, switched_off_at=timezone.now())
    for client in (owner, organiser):
        assert words in client.get("/en/admin/").content.decode()


def test_button_for_a_test_and_its_answer_in_the_log(owner):
    endpoint = listening()
    assert owner.get(page("endpoint_test", endpoint.pk)).status_code == 200
    assert not WebhookDelivery.objects.exists()
    response = owner.post(page("endpoint_test", endpoint.pk))
    delivery = WebhookDelivery.objects.get()
    assert (delivery.event, delivery.registration_code) == ("test", "")
    assert response["Location"] == page("delivery_change", delivery.pk)
    assert delivery.facts == {
        "type": "test",
        "timestamp": timezone.localtime(delivery.at).isoformat(),
        "data": {"registration_code": "", "webinar": "", "edition": None},
    }


def test_log_shows_what_was_sent_and_the_answer_and_sends_again(owner):
    listening()
    row = RegistrationFactory()
    facts = {"status": "given_up", "attempts": 11, "body": '{"a":"<b>"}', "response": "<script>alert(1)</script>"}
    WebhookDelivery.objects.update(**facts, response_status=500, error=webhooks.REFUSED)
    delivery = WebhookDelivery.objects.get()
    html = owner.get("/en" + page("delivery_change", delivery.pk)).content.decode()
    for words in ("{&quot;a&quot;:&quot;&lt;b&gt;&quot;}", "&lt;script&gt;alert(1)", "500", "The answer was no 2xx."):
        assert words in html
    assert "<script>alert(1)" not in html
    assert owner.get(page("delivery_again", delivery.pk)).status_code == 200
    assert owner.post(page("delivery_again", delivery.pk)).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("waiting", 0)
    for words, number in ((row.code.lower(), 1), (str(delivery.event_id), 1), ("NOBODY", 0), ("x" * 36, 0)):
        found = owner.get(page("delivery_changelist"), {"q": words}).context["cl"].result_count
        assert found == number


def test_organisers_look_and_change_nothing(organiser):
    endpoint = listening()
    RegistrationFactory()
    delivery = WebhookDelivery.objects.get()
    for view in ("endpoint_changelist", "delivery_changelist"):
        assert organiser.get(page(view)).status_code == 200
    for view, row in (
        *(("endpoint_change", endpoint), ("endpoint_test", endpoint), ("endpoint_renew", endpoint)),
        ("delivery_again", delivery),
    ):
        assert organiser.post(page(view, row.pk)).status_code == 403
    assert organiser.post(page("endpoint_add"), FORM).status_code == 403
    assert WebhookEndpoint.objects.get().secret_version == 1


def test_log_costs_the_same_for_one_and_three(owner):
    def queries():
        with CaptureQueriesContext(connection) as found:
            owner.get(page("delivery_changelist"))
        return len(found)

    listening()
    RegistrationFactory()
    queries()
    one = queries()
    RegistrationFactory.create_batch(2)
    assert queries() == one
