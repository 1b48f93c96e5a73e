"""Rows that the rules own: organisers look at them and act on them, but don't edit them."""

from unfold.admin import ModelAdmin, TabularInline


class ReadOnlyAdmin(ModelAdmin):
    compressed_fields = False
    list_filter_sheet = False
    list_per_page = 50
    # Counting a large table twice for each page of a list is not worth the second number.
    show_full_result_count = False

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
