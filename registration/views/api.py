"""Attendees for other systems of the organisers, by a token in the header."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.http import base36_to_int
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.cache import never_cache
from ninja import Field, Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import AuthorizationError, HttpError, Throttled
from ninja.security import HttpBearer
from pydantic import AfterValidator, AwareDatetime

from conference.apischemas import Moment, Problem
from conference.models import Webinar
from registration import limits, readings, tokens
from registration.accounts import network_of
from registration.models import ApiToken
from registration.readings import MOST_ROWS, USUAL_ROWS, Wanted

router = Router(tags=["attendees"])
PROBLEMS = dict.fromkeys((401, 403, 404, 422, 429), Problem)
A_MINUTE, AN_HOUR = 60, 3600
Status = Literal["CONFIRMED", "WAITLISTED", "CANCELLED", "PENDING"]


class Token(HttpBearer):
    """In the header alone: an address stands in logs and histories."""

    def __call__(self, request: HttpRequest) -> ApiToken:
        scheme, _blank, text = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, text.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        now = timezone.now()
        found = tokens.find(token)
        if found is None:
            if not limits.may_offer_token(str(network_of(request)), now=now):
                raise Throttled(AN_HOUR)
            raise HttpError(401, gettext("Send a token that is good, in the header “Authorization: Bearer kpt_…”."))
        if words := tokens.fault(found, now=now):
            raise HttpError(401, words)
        if not limits.may_read(found.pk, now=now):
            raise Throttled(A_MINUTE - now.second)
        tokens.note_use(found, now=now)
        return found


class Attendee(Schema):
    # The columns of the attendee list, in its order.
    registration_code: str = Field(description=_("The key of the registration: the same in files and webhooks."))
    webinar: str = Field(description=_("Slug of the webinar."))
    name: str
    email: str = Field(description=_("Empty for somebody in another person's care."))
    phone: str = Field(description=_("E.164, or empty."))
    gender: str = Field(description=_("female, male, other, undisclosed, or empty for no answer."))
    age_group: str = Field(description=_("under_18 to 55_plus, undisclosed, or empty for no answer."))
    province: str = Field(description=_("Its name."))
    regency: str = Field(description=_("Its name, or empty."))
    organisation: str
    organisation_kind: str
    status: Status = Field(
        description=_("CONFIRMED, WAITLISTED, CANCELLED, or PENDING for a seat that is offered to her.")
    )
    registered_at: str = Field(
        description=_("When she signed up, ISO 8601 with offset."), json_schema_extra={"format": "date-time"}
    )
    attended_minutes: int | None = Field(description=_("Minutes in the webinar; null while nothing is known."))


class Attendees(Schema):
    attendees: list[Attendee]
    next_cursor: str | None = Field(description=_("For the next page; null after the last one."))
    as_of: Moment = Field(
        description=_(
            "Two minutes before this page was read. That of the first page is the changed_since of your next round."
        )
    )


def in_utc(moment: datetime) -> datetime:
    """The database knows no offset beyond sixteen hours, and nobody a moment outside of the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such moment") from None


class Filters(Schema):
    status: Status | None = Field(None, description=_("Only registrations of this status."))
    changed_since: Annotated[AwareDatetime, AfterValidator(in_utc)] | None = Field(
        None, description=_("Only what has changed since then, ISO 8601 with offset.")
    )
    cursor: str = Field("", pattern=r"^[0-9a-z]{0,12}$", description=_("The next_cursor of the page before."))
    limit: int = Field(USUAL_ROWS, ge=1, le=MOST_ROWS, description=_("Rows on a page."))

    @property
    def wanted(self) -> Wanted:
        after = base36_to_int(self.cursor) if self.cursor else 0
        return Wanted(self.status or "", self.changed_since, after, self.limit)


@router.get(
    "webinars/{slug:slug}/attendees",
    auth=Token(),
    response={200: Attendees, **PROBLEMS},
    url_name="attendees",
    summary=_("Who is registered for a webinar, page by page"),
    description=_(
        "In the order of sign-up. Whoever has restricted the use of her data, has not proven her address or has had her "
        "data deleted is not in it. Each page that is read is recorded."
    ),
)
@decorate_view(never_cache)
def attendees(request: HttpRequest, slug: str, filters: Query[Filters]) -> dict[str, Any]:
    refuse_others(request, Filters.model_fields)
    now, webinar = timezone.now(), webinar_of(request, slug)
    page = readings.page(token_of(request), webinar, filters.wanted, now=now)
    return {"attendees": page.attendees, "next_cursor": page.next_cursor, "as_of": page.as_of}


@router.get(
    "webinars/{slug:slug}/attendees/{code}",
    auth=Token(),
    response={200: Attendee, **PROBLEMS},
    url_name="attendee",
    summary=_("One registration, by its code: whom a webhook was about"),
)
@decorate_view(never_cache)
def attendee(request: HttpRequest, slug: str, code: str) -> readings.Line:
    refuse_others(request, ())
    found = readings.one(token_of(request), webinar_of(request, slug), code, now=timezone.now())
    if found is None:
        raise Http404
    return found


def token_of(request: HttpRequest) -> ApiToken:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # ninja's


def webinar_of(request: HttpRequest, slug: str) -> Webinar:
    """What is no concern of the token's is not there while nobody sees it, and else refused."""
    token, now = token_of(request), timezone.now()
    webinar = Webinar.objects.filter(slug=slug).first()
    if webinar is not None and not token.covers(webinar):
        if limits.may_note_refusal(token.pk, now=now):
            readings.refuse(token, webinar, now=now)
        if webinar.status != Webinar.Status.DRAFT:
            raise AuthorizationError(message=gettext("This token does not cover this webinar."))
        webinar = None
    if webinar is None:
        raise Http404
    return webinar


def refuse_others(request: HttpRequest, names: Any) -> None:
    """A filter that is misspelt would give more than was asked for."""
    if others := sorted(set(request.GET) - set(names)):
        words = gettext("There is no parameter “%(name)s” here.") % {"name": others[0][:50]}
        raise HttpError(422, words)
