"""Rows that the rules own: organisers look at them and act on them, but don't edit them."""

from django.core.paginator import Paginator
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, TabularInline


class LongListPaginator(Paginator):
    """Counts no further than anybody leafs: the rest is found by a search or a filter."""

    COUNTED = 10_000
    template_name = "admin/registration/long_list.html"

    @cached_property
    def count(self):
        return min(self.found, self.COUNTED)

    @property
    def has_more(self):
        return self.found > self.COUNTED

    @cached_property
    def found(self):
        return self.object_list.order_by()[: self.COUNTED + 1].count()


class ReadOnlyAdmin(ModelAdmin):
    compressed_fields = False
    list_filter_sheet = False
    list_per_page = 50
    # Counting a large table twice for each page of a list is not worth the second number.
    show_full_result_count = False
    # Django lets a reader filter a list by any column in its address, and so guess what no page shows her.
    secret_fields = ()

    def lookup_allowed(self, lookup, value, request=None):
        is_secret = lookup.split("__")[0] in self.secret_fields
        return not is_secret and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(TabularInline):
    extra = 0
    hide_title = True
    tab = True
    per_page = 20
    can_delete = False

    def has_add_permission(self, request, obj):
        return False

    def has_change_permission(self, request, obj=None):
        return False
