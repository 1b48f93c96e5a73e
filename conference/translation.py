from modeltranslation.translator import TranslationOptions, register

from conference import models, versions


@register(models.Edition)
class EditionTranslation(TranslationOptions):
    fields = ("name", "theme", "place", "summary")
    required_languages = {"id": ("name",)}


@register(models.Organisation)
class OrganisationTranslation(TranslationOptions):
    fields = ("name", "about", "logo_alt")
    required_languages = {"id": ("name",)}


@register(models.Webinar)
class WebinarTranslation(TranslationOptions):
    fields = ("title", "summary", "description")
    required_languages = {"id": ("title",)}


@register(models.AgendaItem)
class AgendaItemTranslation(TranslationOptions):
    fields = ("title", "note")
    required_languages = {"id": ("title",)}


@register(models.Speaker)
class SpeakerTranslation(TranslationOptions):
    fields = ("position", "bio", "photo_alt")


@register(models.Material)
class MaterialTranslation(TranslationOptions):
    fields = ("title",)


@register(models.Page)
class PageTranslation(TranslationOptions):
    fields = ("title", "body")
    required_languages = {"id": ("title",)}


versions.track()
