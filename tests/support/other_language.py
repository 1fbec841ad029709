"""A language in which every message is the English one in «», and what a page shows beside it."""

import re
from html.parser import HTMLParser

from django.utils.translation.trans_real import CONTEXT_SEPARATOR, DjangoTranslation

#: Any language that Django knows.
CODE = "eo"
#: Elements whose text is no message: code, keys, what was sent.
CODES = {"script", "style", "code", "kbd", "pre", "svg"}
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
SHOWN = {"aria-label", "title", "placeholder", "alt"}


class Quoted(DjangoTranslation):
    def __init__(self) -> None:
        super().__init__(CODE)

    def gettext(self, message: str) -> str:
        return f"«{message.rpartition(CONTEXT_SEPARATOR)[2]}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


class Visible(HTMLParser):
    """Collects the text and the shown attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._code = 0
        #: Whether the element has a language of its own, or none.
        self._other = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in CODES
        self._other = tag != "html" and bool({"lang", "translate"} & dict(attrs).keys())
        self.texts += [f"\n{value}\n" for name, value in attrs if name in SHOWN]

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in CODES
        self._other = False

    def handle_data(self, data: str) -> None:
        if not self._code and not self._other:
            self.texts.append(data)


def untranslated(page: str) -> list[str]:
    """Return the words of the page that are in no message."""
    parser = Visible()
    parser.feed(page)
    text = UUID.sub("", "".join(parser.texts))
    while "«" in text:
        text, before = re.sub("«[^«»]*»", "\n", text), text
        assert text != before
    return re.findall("[A-Za-z]{2,}", text)
