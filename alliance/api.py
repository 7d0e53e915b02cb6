"""The API's router, paging and what all its views share."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    """Cursor paging: stable under inserts; at most 200 rows a page."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "id"
