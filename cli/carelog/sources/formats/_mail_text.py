"""The plain text of mails: lines wrapped for sending are joined, what is quoted without a mark gets one."""

from __future__ import annotations

import re

_FROM = "from|von|de|da|van|จาก|差出人|发件人|寄件者|보낸 사람|mula kay|प्रेषक|મોકલનાર"
_MORE = (
    "sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|para|asunto|inviato|oggetto"
    "|verzonden|aan|onderwerp|ส่งเมื่อ|วันที่|ถึง|เรื่อง|送信日時|宛先|件名|发送时间|收件人|主题|petsa|kay|paksa"
)
_HEADER_BLOCK = re.compile(
    rf"^[ \t]*\*?(?:{_FROM})\s?:\*?[ \t][^\n]*\n(?:[ \t]*\*?(?:{_MORE})\s?:\*?[ \t][^\n]*\n){{2,5}}",
    re.IGNORECASE | re.MULTILINE,
)
_RULE = re.compile(
    r"^-{2,}[ \t]*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|ข้อความเดิม"
    r"|ข้อความต้นฉบับ|original na mensahe|मूल संदेश|મૂળ સંદેશ)[ \t]*-{2,}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(
    r"^(?:(?:on|am|le|el|em|noong|sa|เมื่อ) [^\n]{5,200}(?:\n[^\n]{1,100})?"
    r"(?:wrote|schrieb[^\n]{0,80}|a écrit|escribió|escreveu|ha scritto|sumulat|เขียนว่า)"
    r"|[^\n]{5,160}(?:ने लिखा|એ લખ્યું)) ?:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def unflow(text: str, delete_space: bool) -> str:
    """Text in `format=flowed` (RFC 3676) with its paragraphs on one line each; `delete_space` is DelSp."""
    paragraphs: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        bare = line[depth:].removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        shown = bare[:-1] if flows and delete_space else bare
        if open_depth == depth and bare != "-- ":
            paragraphs[-1].append(shown)
        else:
            paragraphs.append([">" * depth + " " + shown if depth else shown])
        open_depth = depth if flows else None
    lines = map("".join, paragraphs)
    return "\n".join(line if line == "-- " else line.rstrip() for line in lines)


def mark_history(text: str) -> str:
    """The text with `> ` before the lines of a mail that is repeated below it without such a mark, as Outlook
    and some telephones do.
    """
    found = [place for place in (_RULE.search(text), _HEADER_BLOCK.search(text)) if place is not None]
    start = min((place.start() for place in found), default=0)
    if not start:
        said = _SAID.search(text)
        if said is not None and not re.search(r"^[ \t]*>", text[said.end() :], re.MULTILINE):
            start = said.start()
    if not text[:start].strip():
        # Nothing of its own stands before: a forwarded mail, which is all that it says.
        return text
    lines = text[start:].split("\n")
    return text[:start] + "\n".join(line if line.startswith(">") else f"> {line}".rstrip() for line in lines)
