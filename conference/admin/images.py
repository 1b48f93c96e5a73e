"""A portrait or a logo: the part of it that is shown, and what it shows in words."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from PIL import Image

from conference import photos
from conference.validators import unread_image

# What Pillow says of a picture whose beginning alone is sound.
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


class CropWidget(forms.TextInput):
    """Drawn by js/crop.js; without it nothing is chosen, and what was chosen before stays."""

    template_name = "admin/conference/crop.html"
    source = ""

    class Media:
        js = ["js/crop.js"]

    def __init__(self, image_field, *, is_square):
        super().__init__()
        self.image_field, self.is_square = image_field, is_square

    def _render(self, template_name, context, renderer=None):
        """Of the project: forms look for templates among Django's own alone."""
        return render_to_string(template_name, context)

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        facts = {"source": self.source, "image_field": self.image_field, "is_square": self.is_square}
        return context | {"crop": facts}


class ImageForm(forms.ModelForm):
    image_field = "photo"
    is_square = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if field := self.fields.get(f"{self.image_field}_crop"):
            field.widget = CropWidget(self.image_field, is_square=self.is_square)
            field.show_hidden_initial = False  # whether it has changed is asked of the row
            image = getattr(self.instance, self.image_field)
            field.widget.source = image.url if image else ""

    def clean(self):
        data = super().clean()
        image, crop, words = (f"{self.image_field}{end}" for end in ("", "_crop", "_alt_ind"))
        if isinstance(data.get(image), UploadedFile):
            self.strip(image)
        if image not in data or words not in data:
            return data
        if not data[image]:
            data |= {words: "", f"{self.image_field}_alt_en": ""}
            self.choose_nothing(crop)
        elif not data[words] and {image, words} & set(self.changed_data):
            self.add_error(words, ValidationError(_("Write what the image shows: not everybody sees it.")))
        if image in self.changed_data and crop not in self.changed_data:
            self.choose_nothing(crop)  # that of the earlier image
        return data

    def strip(self, image):
        upload = self.cleaned_data[image]
        try:
            self.cleaned_data[image] = photos.bare(upload)
        except UNREADABLE as error:
            self.add_error(image, unread_image(upload, error))

    def choose_nothing(self, crop):
        """On the row too: Django leaves a column alone that a browser has sent nothing about."""
        self.cleaned_data[crop] = []
        setattr(self.instance, crop, [])


def tile(file):
    """As visitors see it, for a list."""
    if not file:
        return "-"
    copies = photos.variants(file)
    source = copies.fallback(80) if copies else file.url
    words = photos.alternative_text(file)
    return format_html('<img src="{}" alt="{}" style="height:2.5rem;max-width:6rem;object-fit:contain">', source, words)
