"""The plain text of mails: lines wrapped for sending are joined, what is quoted without a mark gets one."""

from __future__ import annotations

import re

_FROM = (
    "from|von|de|da|van|od|от|från|fra|lähettäjä|จาก|差出人|发件人|寄件者|寄件人|보낸 ?사람|dari|từ|kimden|feladó|"
    "mula kay|प्रेषक|મોકલનાર"
)
_ABOUT = (
    "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|тема|ämne|emne|aihe|เรื่อง|ชื่อเรื่อง|"
    "หัวข้อ|件名|主题|主旨|"
    "제목|perihal|subjek|chủ đề|konu|tárgy|paksa|विषय|વિષય"
)
_MORE = (
    f"{_ABOUT}|sent|date|to|cc|reply-to|importance|gesendet|datum|an|kopie|envoyé|à|enviado(?: el)?|"
    f"enviada em|fecha|data|"
    "para|inviato|a|verzonden|aan|wysłano|do|dw|отправлено|дата|кому|копия|skickat|till|sendt|til|lähetetty|"
    "vastaanottaja|"
    "ส่ง|ส่งเมื่อ|วันที่|วันที่ส่ง|ถึง|สำเนา|送信日時|日付|日時|宛先|发送时间|日期|时间|收件人|抄送|寄件日期|傳送時間|收件者|副本|보낸 ?날짜|날짜|"
    "받는 ?사람|참조|tanggal|dikirim|kepada|đã gửi|ngày|tới|đến|tarih|gönderildi|kime|petsa|kay|दिनांक|प्रति"
)
_HEADER_BLOCK = re.compile(
    rf"^[ \t]*\*?(?:{_FROM})\s?[:：]\*?[ \t]*\S[^\n]*\n(?:[ \t]*\*?(?:{_MORE})\s?[:：]\*?[ \t]*[^\n]*(?:\n|"
    rf"\Z)){{2,6}}",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(rf"^[ \t]*\*?(?:{_ABOUT})\s?[:：]", re.IGNORECASE | re.MULTILINE)
_RULE = re.compile(
    r"^(?:[-_]{2,}[ \t]*(?:original (?:message|appointment)|forwarded message|ursprüngliche nachricht|"
    r"weitergeleitete nachricht|message d'origine|message (?:original|transféré)|mensaje (?:original|"
    r"reenviado)|"
    r"mensagem (?:original|encaminhada)|messaggio (?:originale|inoltrato)|oorspronkelijk bericht|"
    r"ursprungligt meddelande|"
    r"oryginalna wiadomość|исходное сообщение|пересылаемое сообщение|原始邮件|原始郵件|元のメッセージ|원본 메(?:시지|일)|"
    r"pesan asli|orijinal mesaj|ข้อความเดิม|ข้อความต้นฉบับ|original na mensahe|मूल संदेश|"
    r"મૂળ સંદેશ)[ \t]*[-_]{2,}|"
    r"begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message réexpédié :|"
    r"inicio del mensaje reenviado:|##- [^\n]{5,80} -##)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# A line that ends with a colon, and the one above it, where the first is wrapped.
_COLON = re.compile(r"^[ \t]*([^\s>][^\n]{3,250}?)[ \t]?[:：][ \t]*$", re.MULTILINE)
_WROTE = re.compile(
    r"wrote$|schrieb\b|a écrit$|escribió$|escreveu$|ha scritto$|schreef\b|skrev\b|napisał(\(a\)|a)?$|"
    r"kirjoitti\b|írta$|"
    r"napsal(\(a\)|a)?$|написал(а|\(а\))?$|пишет$|写道$|寫道$|작성$|đã viết$|menulis$|yazdı$|sumulat|เขียนว่า$|"
    r"ने लिखा$|એ લખ્યું$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[<(\[][^<>()\[\]\s]{1,200}@[^<>()\[\]\s]{1,200}[>)\]]")


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
    places = [found.start() for found in (_RULE.search(text), _find_headers(text)) if found is not None]
    start = min(filter(None, [*places, _find_attribution(text)]), default=0)
    if not text[:start].strip():
        # Nothing of its own stands before: a forwarded mail, which is all that it says.
        return text
    lines = text[start:].split("\n")
    return text[:start] + "\n".join(line if line.startswith(">") else f"> {line}".rstrip() for line in lines)


def _find_headers(text: str) -> re.Match[str] | None:
    """The first block of headers of a mail that is repeated; where a journey goes from and to is none."""
    return next(
        (found for found in _HEADER_BLOCK.finditer(text) if "@" in found[0] or _NAMED.search(found[0])), None
    )


def _find_attribution(text: str) -> int:
    """Where the line begins that says who wrote what follows, and when; 0 if there is none, or if what
    follows is marked already.
    """
    for found in _COLON.finditer(text):
        above = text.rfind("\n", 0, max(0, found.start() - 1)) + 1
        for start in (found.start(), above):
            told = text[start : found.end(1)].replace("\n", " ")
            is_said = _WROTE.search(told) or (_ADDRESS.search(told) and re.search(r"\d[:.]\d\d", told))
            when = r"\d" if start == found.start() else r"\b(?:19|20)\d\d\b|\d[:.]\d\d"
            if is_said and re.search(when, told) and text[:start].strip():
                is_marked = re.search(r"^[ \t]*>", text[found.end() :], re.MULTILINE)
                return 0 if is_marked else start
    return 0
