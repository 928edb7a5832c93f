"""HTML as mails and help desks hold it, to plain text: paragraphs to lines, lists to dashes, quotes to `>`.

A small tokenizer instead of a parser: mail HTML is broken in every way, the text must come out all the same,
and the time must be linear whatever the input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

_TOKEN = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][\w:-]*+)([^<>]*+)>|<[!?/][^<>]*+>", re.DOTALL)
_BLOCKS = frozenset(
    [
        "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "tr", "pre", "address",
        "section", "article", "header", "footer", "form", "dl", "dt", "dd", "center", "figure", "fieldset",
        "hr", "blockquote",
    ]
)  # fmt: skip
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre", "blockquote"])
_UNSEEN = frozenset(["script", "style", "head", "title", "template", "noscript", "svg", "object"])
_VOID = frozenset(["br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base", "source"])
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
# From here on a mailer repeats the mail that is answered.
_HISTORY = re.compile(
    r"id\s*=\s*[\"']?(?:divRplyFwdMsg|appendonsend|mail-editor-reference-message)", re.IGNORECASE
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_MOST_QUOTES = 20
_SPACE = re.compile(r"[ \t\r\n\f]+")


@dataclass(slots=True)
class _Page:
    """The text so far: finished `lines`, the `open` one, how deep in quotes, and which tag hides what."""

    lines: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    quotes: int = 0
    is_history: bool = False
    preformatted: int = 0
    hidden_by: str = ""
    hidden_depth: int = 0
    endless: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        if self.preformatted:
            first, *more = text.replace("\r\n", "\n").split("\n")
            self.open.append(first)
            for line in more:
                self.end_line()
                self.open.append(line)
        else:
            self.open.append(_SPACE.sub(" ", text))

    def end_line(self, is_needed: bool = True) -> None:
        text = "".join(self.open)
        text = text.rstrip() if self.preformatted else re.sub(r" {2,}", " ", text).strip(" ")
        self.open.clear()
        if text or is_needed:
            depth = self.quotes + self.is_history
            self.lines.append((">" * depth + " " + text).rstrip() if depth else text)

    def end_paragraph(self) -> None:
        self.end_line(is_needed=False)
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(">" * (self.quotes + self.is_history))

    def drop_bare_quotes(self) -> None:
        while self.lines and self.lines[-1] and not self.lines[-1].strip("> "):
            self.lines.pop()


def html_to_text(html: str) -> str:
    """The text of an HTML document or fragment; quoted mails come out as lines that begin with `>`."""
    page = _Page()
    place = 0
    while (found := _TOKEN.search(html, place)) is not None:
        if found.start() > place and not page.hidden_by:
            page.add(_plain(html[place : found.start()]))
        place = found.end()
        if found[2] is None:
            continue
        name, is_end = found[2].lower(), bool(found[1])
        if page.hidden_by:
            _count_hidden(page, name, is_end)
        elif is_end:
            _end(page, name)
        else:
            place = _begin(page, name, found[3], html, place)
    if place < len(html) and not page.hidden_by:
        page.add(_plain(html[place:]))
    page.end_line(is_needed=False)
    page.drop_bare_quotes()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(page.lines)).strip("\n ")


def _plain(html: str) -> str:
    return unescape(html).replace("\xa0", " ")


def _count_hidden(page: _Page, name: str, is_end: bool) -> None:
    if name == page.hidden_by:
        page.hidden_depth += -1 if is_end else 1
        if page.hidden_depth == 0:
            page.hidden_by = ""


def _begin(page: _Page, name: str, attributes: str, html: str, place: int) -> int:
    """Go into a tag; returns where to read on."""
    if name in _UNSEEN:
        return _skip_unseen(page, name, html, place)
    if attributes and _HIDDEN.search(attributes) and name not in _VOID:
        page.hidden_by, page.hidden_depth = name, 1
        return place
    if name == "br":
        page.end_line()
    elif name == "img":
        alt = _ALT.search(attributes)
        page.add(unescape(alt[1] or alt[2] or "") if alt else "")
    elif name == "li":
        page.end_line(is_needed=False)
        page.open.append("- ")
    elif name in ("td", "th"):
        page.open.append(" ")
    elif name in _BLOCKS:
        if name in _PARAGRAPHS:
            page.end_paragraph()
        else:
            page.end_line(is_needed=False)
        page.quotes = min(page.quotes + (name == "blockquote"), _MOST_QUOTES)
        page.preformatted += name == "pre"
    if not page.is_history and attributes and _HISTORY.search(attributes):
        page.end_line(is_needed=False)
        page.is_history = True
    return place


def _skip_unseen(page: _Page, name: str, html: str, place: int) -> int:
    # Each name is looked for in vain only once, or many open tags would cost the square of their number.
    found = None
    if name not in page.endless:
        found = re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE).search(html, place)
    if found is not None:
        return found.end()
    page.endless.add(name)
    return len(html) if name in ("script", "style") else place


def _end(page: _Page, name: str) -> None:
    if name == "li":
        page.end_line(is_needed=False)
    elif name in _PARAGRAPHS:
        page.end_line(is_needed=False)
        if name == "blockquote":
            page.quotes = max(0, page.quotes - 1)
            page.drop_bare_quotes()
        page.preformatted = max(0, page.preformatted - (name == "pre"))
        page.end_paragraph()
    elif name in _BLOCKS:
        page.end_line(is_needed=False)


def loses_something(html: str) -> bool:
    """Whether HTML says more than its text does: links, pictures, classes."""
    return re.search(r"<[a-zA-Z][^<>]{0,2000}=", html) is not None
