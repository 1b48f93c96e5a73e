"""The interface for programs, /api/v1/: its parts come from the apps; here are its errors, its description and its page."""

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthorizationError, HttpError, Throttled, ValidationError
from ninja.renderers import JSONRenderer

from conference.api import router as content
from conference.keeping import kept
from conference.sharing import full_address
from registration.views.api import router as attendees

Schema = dict[str, Any]
TRANSLATED = {"description", "summary"}
PROBLEM = "application/problem+json"


class Renderer(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}


api = NinjaAPI(
    title="KPT",
    version="1",
    description=_(
        "Read-only. The content of the site for everybody, without a key; attendees for other systems of the organisers, "
        "with a token. Hours are ISO 8601 with their offset, keys are the slugs and years of the pages' addresses."
    ),
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
    renderer=Renderer(),
)
api.add_router("", content)
api.add_router("", attendees)


# ---- Problems, RFC 9457


def problem(status: int, detail: str, **headers: str) -> HttpResponse:
    facts = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JsonResponse(
        facts, status=status, content_type=PROBLEM, headers=headers, json_dumps_params={"ensure_ascii": False}
    )


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="KPT"'} if error.status_code == HTTPStatus.UNAUTHORIZED else {}
    return problem(error.status_code, error.message, **headers)


@api.exception_handler(AuthorizationError)
def forbidden(request: HttpRequest, error: AuthorizationError) -> HttpResponse:
    return problem(403, error.message)


@api.exception_handler(Throttled)
def too_often(request: HttpRequest, error: Throttled) -> HttpResponse:
    wait = str(error.wait or 60)
    detail = gettext("Too many requests. Come again in %(seconds)s seconds.") % {"seconds": wait}
    return problem(429, detail, **{"Retry-After": wait})


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, gettext("There is nothing of this name that you may see."))


@api.exception_handler(ValidationError)
def not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Which parameter, and pydantic's words about it."""
    words = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors)
    return problem(422, gettext("This can't be read: %(words)s") % {"words": words})


# ---- The description


@cache
def description() -> Schema:
    """Of the code as it is; plain data, so that nobody's language stays in it."""
    schema: Schema = json.loads(json.dumps(api.get_openapi_schema(path_prefix="")))
    for operation in operations(schema):
        for status, answer in operation["responses"].items():
            if status != "200":
                answer["content"] = {PROBLEM: answer["content"]["application/json"]}
    del schema["components"]["schemas"]["Filters"]  # its fields are parameters
    return schema


def operations(schema: Schema) -> Iterator[Schema]:
    for methods in schema["paths"].values():
        yield from methods.values()


def translated(part: Any) -> Any:
    """With its words in the reader's language."""
    if isinstance(part, list):
        return [translated(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: gettext(one) if name in TRANSLATED and isinstance(one, str) and one else translated(one)
        for name, one in part.items()
    }


def spoken_description() -> Schema:
    schema: Schema = translated(description())
    return schema | {"servers": [{"url": full_address(reverse("api:docs").rstrip("/"))}]}


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(spoken_description(), json_dumps_params={"ensure_ascii": False})


# ---- The page


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Drawn from the description, without a script."""
    schema = spoken_description()
    schemas = schema["components"]["schemas"]
    entries = [
        entry(address, operation) for address, methods in schema["paths"].items() for operation in methods.values()
    ]
    context = {
        "schema": schema,
        "entries": entries,
        "schemas": [shape(name, one) for name, one in sorted(schemas.items())],
    }
    return render(request, "api.html", context)


def entry(address: str, operation: Schema) -> Schema:
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "address": reverse("api:docs").rstrip("/") + address,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "needs_token": "security" in operation,
        "parameters": [parameter(one) for one in operation["parameters"]],
        "answer": kind(answer),
        "answer_name": named(answer),
    }


def parameter(one: Schema) -> Schema:
    return {
        "name": one["name"],
        "kind": kind(one["schema"]),
        "is_required": one["required"],
        "description": one.get("description", ""),
    }


def shape(name: str, schema: Schema) -> Schema:
    fields = [
        {"name": field, "kind": kind(one), "of": named(one), "description": one.get("description", "")}
        for field, one in schema["properties"].items()
    ]
    return {"name": name, "description": schema.get("description", ""), "fields": fields}


def kind(schema: Schema) -> str:
    """In the words of JSON Schema, such as `string (date-time), null`."""
    if "$ref" in schema:
        return name_of(schema)
    if "anyOf" in schema:
        return ", ".join(kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{kind(schema['items'])}]"
    form = f" ({schema['format']})" if "format" in schema else ""
    return f"{schema.get('type', '')}{form}"


def name_of(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def named(schema: Schema) -> str:
    """The schema that it leads to, if any."""
    inner = schema.get("items", schema)
    return name_of(inner) if "$ref" in inner else ""


# ---- Addresses


def answer_head(view: Any) -> Any:
    """Ninja knows no HEAD; the server leaves out the body."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
        response: HttpResponse = view(request, *args, **kwargs)
        request.method = asked
        return response

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # nothing is written, and no cookie is read
    return answer


app_name = "api"
urlpatterns = [
    path("", kept(docs), name="docs"),
    path("openapi.json", kept(openapi), name="openapi"),
]
for address in api.urls[0]:
    if isinstance(address, URLPattern) and address.name != "api-root":
        address.callback = answer_head(address.callback)
        urlpatterns.append(address)
