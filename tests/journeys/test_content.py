"""What an organiser does by hand with content: an image's part, an order, a checklist."""

from io import BytesIO

import pytest
from django.urls import reverse
from PIL import Image

from conference.models import Speaker
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def change(row):
    return reverse(f"admin:conference_{row._meta.model_name}_change", args=[row.pk])


def photo():
    buffer = BytesIO()
    Image.new("RGB", (600, 400), "#8E2B1F").save(buffer, "PNG")
    return {"name": "a.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


def test_the_part_of_a_portrait_is_chosen_on_a_phone(new_page, sign_in_page):
    page = new_page(viewport={"width": 360, "height": 800})
    sign_in_page(page, factories.UserFactory(organiser=True))
    speaker = factories.SpeakerFactory()
    page.goto(change(speaker))
    field, window = page.locator("#id_photo_crop"), page.locator(".crop-window")
    page.set_input_files("#id_photo", photo())
    window.wait_for()
    assert field.input_value() == ""
    page.locator("[data-size=width]").fill("500")
    assert field.input_value() == "333,250,333,500"
    window.scroll_into_view_if_needed()
    box = window.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 500, middle[1] - 500, steps=4)
    page.mouse.up()
    assert field.input_value().startswith("66")
    assert field.input_value().split(",")[1] == "0"
    window.press("ArrowDown")
    assert field.input_value().split(",")[1] == "10"
    page.fill("#id_photo_alt_ind", "Potret")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("[name=_continue]").click()
    page.wait_for_url("**/change/**")
    page.locator(".crop-window").wait_for()
    assert Speaker.objects.get(pk=speaker.pk).photo_crop[1:] == [10, 333, 500]
    assert page.locator("#id_photo_crop").input_value().split(",")[1:] == ["10", "333", "500"]


def test_speakers_are_put_in_order_by_dragging_and_by_numbers(new_page, sign_in_page):
    webinar = factories.WebinarFactory(draft=True)
    rows = [factories.AppearanceFactory(webinar=webinar, order=n) for n in range(3)]
    page = new_page(viewport={"width": 1280, "height": 900})
    sign_in_page(page, factories.UserFactory(organiser=True))
    page.goto(f"{change(webinar)}#appearances")
    handles = page.locator("#appearances-group tbody.original [x-sort\\:handle]")
    handles.nth(2).wait_for()
    first, last = handles.nth(0).bounding_box(), handles.nth(2).bounding_box()
    page.mouse.move(first["x"] + 15, first["y"] + 15)
    page.mouse.down()
    page.mouse.move(last["x"] + 15, last["y"] + 10, steps=10)
    page.mouse.move(last["x"] + 15, last["y"] + 40, steps=10)
    page.wait_for_timeout(200)
    page.mouse.up()
    page.locator("[name=_continue]").click()
    page.wait_for_load_state("networkidle")
    assert list(webinar.appearances.order_by("order").values_list("pk", flat=True)) == [rows[n].pk for n in (1, 2, 0)]
    page.goto(f"{change(webinar)}#appearances")
    page.fill("#id_appearances-2-order", "0")
    page.fill("#id_appearances-0-order", "7")
    page.locator("[name=_continue]").click()
    page.wait_for_load_state("networkidle")
    assert list(webinar.appearances.order_by("order").values_list("pk", flat=True)) == [rows[n].pk for n in (0, 2, 1)]


def test_a_gap_leads_to_its_tab(new_page, sign_in_page):
    webinar = factories.WebinarFactory(draft=True)
    page = new_page(viewport={"width": 360, "height": 800})
    sign_in_page(page, factories.UserFactory(organiser=True))
    page.goto(change(webinar))
    assert not page.locator("#appearances-group").is_visible()
    page.locator(".gaps a[href='#appearances']").first.click()
    page.locator("#appearances-group").wait_for()
    page.locator(".gaps a[href='#general']").first.click()
    page.locator("#id_title_ind").wait_for()
