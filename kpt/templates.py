import re

from django.template import Origin
from django.template.loaders import filesystem

INDENTATION = re.compile(r"^[ \t]+|\n(?=\s*\n)", re.MULTILINE)
# The end of a line that holds nothing but tags which print nothing.
SILENT = re.compile(
    r"^((?:\{%\s*(?:block|elif|else|empty|endblock|endfor|endif|endkeep|endwith|extends|for|get_current_language"
    r"|if|keep|load|regroup|url \S+ as|with)\b[^%\n]*%\}|\{#.*?#\})+)[ \t]*\n",
    re.MULTILINE,
)


class Loader(filesystem.Loader):
    """Leaves out what only those who write templates look at. It is on every first visit, and some 4 % of a page."""

    def get_contents(self, origin: Origin) -> str:
        text: str = super().get_contents(origin)
        if not origin.name.endswith(".html") or "<pre" in text:
            return text
        return SILENT.sub(r"\1", INDENTATION.sub("", text))
