from modeltranslation.translator import TranslationOptions, register

from registration import models


@register(models.Announcement)
class AnnouncementTranslation(TranslationOptions):
    fields = ("subject", "body")
    required_languages = {"id": ("subject", "body")}
