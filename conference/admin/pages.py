from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from conference import models, views
from conference.admin.publishing import PublishingAdmin


@admin.register(models.Page)
class PageAdmin(PublishingAdmin):
    list_display = ["title", "slug", "menu_order", "state"]
    list_filter = ["is_published"]
    search_fields = ["title_ind", "title_en", "slug", "body_ind", "body_en"]
    ordering = ["menu_order", "slug"]
    prepopulated_fields = {"slug": ["title_ind"]}
    actions_detail = ["preview"]
    words = {
        "publish": _("Publish or schedule…"),
        "published": _("The page is public."),
        "unpublish": _("Take it off the site…"),
        "unpublished": _("The page is a draft again. Nobody but organisers and editors sees it."),
    }
    fieldsets = [
        (None, {"fields": [("title_ind", "title_en"), "slug"]}),
        (_("Text"), {"fields": [("body_ind", "body_en")]}),
        (_("On the site"), {"fields": ["menu_order"]}),
    ]

    def save_model(self, request, obj, form, change):
        """Written first, published by its button."""
        if not change:
            obj.is_published = False
        super().save_model(request, obj, form, change)

    @display(description=_("status"), ordering="is_published", label={"success": "success", "info": "info"})
    def state(self, page):
        words = self.state_in_list(page, self.state_in_words(page)["label"])
        return "success" if page.is_published else "info", words

    def get_view_on_site_url(self, obj=None):
        return super().get_view_on_site_url(obj) if obj and obj.is_published else None

    @action(description=_("Preview"), url_path="preview", permissions=["view"])
    def preview(self, request, object_id):
        return views.written_page(request, models.Page.objects.all(), self.as_preview(object_id), pk=object_id)
