"""Lists that stay quick among a million rows, and rows that the rules own: organisers look at them, but don't edit them."""

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, ChangeList
from django.core.exceptions import FieldError
from django.core.paginator import Paginator
from django.db import DataError
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline

# An address that nobody got from a page: no such column, a value that is none, a number beyond all numbers.
ABSURD = (DataError, DisallowedModelAdminLookup, FieldError, IncorrectLookupParameters, OverflowError, ValueError)


def pk_of(text):
    """The key that an address or a form gives; 0, which no row has, when it is none."""
    return int(text) if str(text).isdecimal() and len(str(text)) < 19 else 0


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


class SortedChangeList(ChangeList):
    """Django offers `sortable_by` alone, but sorts by any column that an address names."""

    def get_ordering(self, request, queryset):
        names = self.list_display if self.sortable_by is None else self.sortable_by
        offered = {str(place) for place, name in enumerate(self.list_display) if name in names}
        wished = self.params.get(ORDER_VAR, "").split(".")
        if not {place.removeprefix("-") for place in wished} <= offered:
            self.params.pop(ORDER_VAR, None)
        return super().get_ordering(request, queryset)


class ListAdmin(ModelAdmin):
    compressed_fields = False
    list_filter_sheet = False
    list_per_page = 50
    paginator = LongListPaginator
    # Counting a large table twice for each page of a list is not worth the second number, nor once for each filter.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Deeds that may be done to all that a filter finds, even where nobody has counted them: they count themselves.
    acts_on_all = ()
    # Django lets a reader filter a list by any column in its address, and so guess what no page shows her.
    secret_fields = ()

    def get_changelist(self, request, **kwargs):
        return SortedChangeList

    def lookup_allowed(self, lookup, value, request=None):
        return lookup.partition("__")[0] not in self.secret_fields and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request, extra_context=None):
        if self.is_too_much(request):
            words = _("More rows match than are counted. Filter the list first, or choose rows on its pages.")
            self.message_user(request, words, messages.WARNING)
            return redirect(request.get_full_path())
        try:
            response = super().changelist_view(request, extra_context)
        except ABSURD:
            if request.method != "GET":
                raise
            return self.without_filters(request)
        is_absurd = response.status_code == 302 and response["Location"].endswith(f"?{ERROR_FLAG}=1")
        return self.without_filters(request) if is_absurd else response

    def is_too_much(self, request):
        is_across = request.method == "POST" and request.POST.get("select_across") == "1"
        if not is_across or request.POST.get("action") in self.acts_on_all:
            return False
        try:
            return self.get_changelist_instance(request).paginator.has_more
        except ABSURD:
            return False  # and nothing is done to it

    def without_filters(self, request):
        self.message_user(request, _("The list can't be filtered like that: it is shown whole."), messages.WARNING)
        return redirect(request.path)


class ReadOnlyAdmin(ListAdmin):
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
