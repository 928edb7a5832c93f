"""What WhatsApp itself writes into an exported chat, in the languages of its phones: its own notices, deleted
and edited messages, files that were left out, and the names of its export files.

Only phrases that nobody types are tied to the beginning of a text whoever its author is; a customer may well
write "I added two items" or "you removed my order".
"""

from __future__ import annotations

import re

SELF = frozenset(["You", "Tú", "Você", "Du", "Vous", "Tu", "คุณ", "आप", "તમે", "Ikaw"])
"""What some phones write instead of their owner's name."""

MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
"""Invisible letters that WhatsApp puts before its own words and around names, for a class of letters."""

_MARK = re.compile(f"[{MARKS}]")
NOTICE = re.compile(
    r"(Messages and calls are end-to-end encrypted|"
    r"Messages (you send )?to this (chat|group) (and calls )?are now secured|"
    r"This chat is with (a|the official) business account|"
    r"This business (is now working with other|works with other|uses a secure|is now registered)|"
    r"((Your )?security code with|Your security code|รหัสความปลอดภัยของคุณ|आपका सुरक्षा कोड|"
    r"Tu código de seguridad|"
    r"(O s|S)eu código de segurança|Votre code de sécurité|Il tuo codice di sicurezza|"
    r"Deine Sicherheitsnummer|"
    r"Код безопасности|Код безпеки|Mã bảo mật của bạn|Kode keamanan Anda|.{1,60}とのセキュリティコード)"
    r".{0,90}(changed|cambió|mudou|changé|cambiato|geändert|изменился|змінився|เปลี่ยน|बदल|thay đổi|berubah|"
    r"変更)|"
    r"You.re now an admin\b|Waiting for this message\. |You (un)?blocked this (contact|business)|"
    r"Disappearing messages (were|was) turned|"
    r"ข้อความและการโทร(มี|จะ)?.{0,20}เข้ารหัส|(संदेश|मैसेज|मैसेजेस) और कॉल.{0,20}(एन्क्रिप्ट|एंक्रिप्ट|"
    r"एन्ड-टू|एंड-टू)|"
    r"(સંદેશા|મેસેજ) અને કૉલ.{0,30}(એન્ક્રિપ્ટ|સુરક્ષિત)|Nachrichten und Anrufe sind Ende|"
    r"Los mensajes y las llamadas están cifrados|As mensagens e (as )?(chamadas|ligações) são protegidas|"
    r"Les messages et les appels sont chiffrés|I messaggi e le chiamate sono crittografati|"
    r"Berichten en (oproepen|gesprekken) (zijn|worden) end|Pesan dan panggilan (terenkripsi|dienkripsi)|"
    r"Mesajlar ve aramalar uçtan uca|Сообщения и звонки защищены|Повідомлення й дзвінки захищено|"
    r"(Các t|T)in nhắn và cuộc gọi được mã hóa|الرسائل والمكالمات مشفرة|消息和通话(都)?(进行|经过)端到端加密|"
    r"訊息和通話(都)?(有|經過|經|受)端對端加密|メッセージと通話はエンドツーエンド|메시지(와| 및) (통화|전화)는 (종단간|종단 간))",
    re.IGNORECASE,
)
"""The beginning of what nobody types."""

# A call, and behind it at most how long it took or what to tap; more than that somebody wrote.
_CALL = re.compile(
    r"((Missed|Silenced) (group )?(voice|video) call|(Voice|Video) call(?=,)|สายที่ไม่ได้รับ|मिस्ड (वॉइस|"
    r"वीडियो) कॉल|"
    r"Verpasster (Sprach|Video)anruf|Llamada (de voz )?perdida|Videollamada perdida|"
    r"(Chamada|Ligação) de (voz|vídeo) perdida|Appel (vocal|vidéo) manqué|Chiamata (vocale|video) persa|"
    r"Gemiste (spraak|video)oproep|Panggilan (suara|video) tak terjawab|Cevapsız (sesli|görüntülü) arama|"
    r"Пропущенный (аудио|видео)звонок)"
    r"([,.] ?(\d{1,3} \S{1,12}|Tap to call back|No answer|Answered on other device|Declined|Busy)?)*\.?",
    re.IGNORECASE,
)

EVENT = re.compile(
    rf"[{MARKS}]*(You|.{{1,80}}?) (created (this )?(group|community)|changed (the (subject|group|settings)|"
    rf"this group|"
    r"to \+|their phone number)|turned (on|off) |(was|were) added|joined |left$|removed |added |"
    r"updated the message timer|pinned a message|started a (voice|video) call|"
    r"hat .{0,60}(Betreff|Gruppe|Beschreibung)|cambió (el|la) (asunto|nombre|descripción|ícono)|"
    r"creó el grupo|"
    r"(mudou|alterou) (o|a) (nome|assunto|descrição|imagem)|criou (o|este) grupo|a (changé|modifié|créé) (le|"
    r"l|la)|"
    r"ha (cambiato|modificato|creato) (l|il|la)|heeft (het onderwerp|de groep)|เปลี่ยน(ชื่อ|หัวข้อ|คำอธิบาย)|"
    r"ने .{0,60}(बदल|बनाया))",
)
"""What stands before a colon where it is no author: `Ana changed the subject to "a: b"`."""

_DELETED = re.compile(
    r"(This message was deleted|You deleted this message|ข้อความนี้ถูกลบ|(คุณ)?(ได้)?ลบข้อความนี้|यह (मैसेज|"
    r"संदेश) (मिटाया|डिलीट|हटा)|"
    r"आपने (यह|इस) (मैसेज|संदेश)|આ (મેસેજ|સંદેશો?) (ડિલીટ|કાઢી)|Diese Nachricht wurde gelöscht|"
    r"Du hast diese Nachricht gelöscht|"
    r"(Se eliminó|Eliminaste) este mensaje|Este mensaje fue eliminado|Mensagem apagada|"
    r"Esta mensagem foi apagada|"
    r"(Você apagou|Apagou|Apagaste) esta mensagem|Ce message a été supprimé|Vous avez supprimé ce message|"
    r"Questo messaggio è stato eliminato|Hai eliminato questo messaggio|Dit bericht is verwijderd|(Je|"
    r"U) hebt dit bericht verwijderd|"
    r"Pesan ini telah dihapus|Anda (telah )?menghapus pesan ini|Bu mesaj silindi|Bu mesajı sildiniz|"
    r"Данное сообщение удалено|"
    r"Вы удалили данное сообщение|Tin nhắn này đã bị xóa|Bạn đã xo?[áóa]+ tin nhắn này|"
    r"Ви видалили це повідомлення|Це повідомлення було видалено|تم حذف هذه الرسالة|"
    r"حذفت هذه الرسالة|"
    r"此消息已(被)?删除|您(已)?删除了?此消息|此訊息已(被)?刪除|(你|您)已刪除此訊息|このメッセージは削除されました|このメッセージを削除しました|"
    r"삭제된 메시지입니다|이 메시지(는|를) 삭제|(Na-delete|Binura).{0,12} (ang )?mensaheng ito)",
    re.IGNORECASE,
)
_YOURS = re.compile(
    r"(You|คุณ(ได้)?ลบ|आपने|Du hast|Eliminaste|Você|Apagaste|Vous|Hai|Je hebt|U hebt|Anda|Вы|Ви|Bạn|您|你|"
    r"このメッセージを)"
)
_DAY_OF_FILE = re.compile(
    r"\b(?:IMG|VID|AUD|PTT|STK|DOC|GIF)-((?:19|20)\d{6})-WA\d|"
    r"\d-(?:PHOTO|VIDEO|AUDIO|STICKER|GIF)-((?:19|20)\d\d-\d\d-\d\d)-\d"
)
_FILE = re.compile(
    r"(<Media omitted>|<[^<>\n=/]{3,60}>|([^\n]{1,160} )?<[^<>\n:：]{2,30} ?[:：][^<>\n]+\.\w{2,5} ?>|"
    r"([^\n]{1,80} )?(image|video|audio|sticker|GIF|document|contact card|video note|"
    r"view once .{1,20}) omitted|"
    r".{1,80} (omitid[oa]s?|ocultad[oa]s?|weggelassen|weggelaten|absente?s?|omis(es?)?|manquants?|"
    r"omess[oiae]|"
    r"non inclus[oiae]|tidak disertakan|dahil edilmedi|отсутствует|пропущен[аоы]?|відсутн[єяі]|не додано|생략됨|"
    r"छोड़ा गया|छोड़ी गई)|(.{1,80} )?(ละเว้น(เอกสาร| ?GIF)|ไม่รวม.{2,20})|"
    r"ไม่มี(รูปภาพ|ไฟล์เสียง|สติกเกอร์|วิดีโอ)|วิดีโอถูกลบ|บัตรรายชื่อที่ละเว้น|"
    r"(.{1,80} )?(đã )?bỏ (qua )?(hình ảnh|video|"
    r"sticker|ảnh GIF|tệp âm thanh|thẻ liên lạc|tài liệu)|.{1,80}(已忽略|已省略|已略去|は含まれていません|を省略)|已略去.{1,8}|"
    r"[^\n]{1,160}\.\w{0,5} \([^()\n]{3,40}\))[.\u200e]*",
    re.IGNORECASE,
)
_EDITED = re.compile(
    rf"\s?[{MARKS}]*<[^<>\n]{{0,50}}(edited|edit[óao]|editad[oa]|bearbeitet|modifié|modificato|bewerkt|"
    rf"diedit|düzenlendi|"
    r"изменен|chỉnh sửa|تعديل|แก้ไข|संपादित|एडिट|એડિટ|编辑|編輯|編集|수정|na-edit|in-edit)[^<>\n]{0,40}>\s*$",
    re.IGNORECASE,
)
_WRITTEN = re.compile(
    r"(POLL|UMFRAGE|ENCUESTA|ENQUETE|SONDAGE|SONDAGGIO|Location|Standort|Ubicación|Localização|Localisation|"
    r"ตำแหน่ง|स्थान|"
    r"Live location)\b",
    re.IGNORECASE,
)
# A place that somebody shared ends with its address.
_PLACE = re.compile(r"https?://\S+$")
_MOST_OF_PLACEHOLDER = 30
_CHAT = r"(?:chat|conversa|discussion|conversation|chatt|czat|чат|sembang|โพย)"
_TITLES = (
    re.compile(
        rf"(?:WhatsApp[ _-]?(?:{_CHAT}|чат|チャット)|(?:{_CHAT}|Historia czatu|Đoạn chat) (?:de |do |d['’]|"
        rf"con )?WhatsApp|"
        r"(?:การ)?แชท ?WhatsApp|WhatsApp चैट|دردشة واتساب)(?: (?:with|mit|avec|con|com|met|med|dengan|z|với|"
        r"กับ|مع|c контактом|с контактом) | -+ )"
        r"(.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(.+?) (?:के साथ WhatsApp चैट|સાથેની WhatsApp ચૅટ|ile WhatsApp (?:Sohbeti|Yazışması)|"
        r"님과(?:의)? (?:WhatsApp )?대화)"
    ),
    re.compile(r"[与與和] ?(.+?) ?的 ?WhatsApp ?(?:聊天记录|聊天|對話|对话)"),
    re.compile(r"(.+?)との(?:WhatsApp)?(?:チャット|トーク)"),
)
_NAME_END = re.compile(r"(?: ?\(\d+\))?\.(?:txt|zip)(?:\.(?:gz|zst))?$", re.IGNORECASE)


def find_title(name: str) -> str:
    """Whom the chat is with, as the file's (or its folder's or archive's) name says; empty if it does not."""
    for part in reversed(name.replace("\\", "/").split("/")):
        bare = _NAME_END.sub("", part)
        found = next((match for pattern in _TITLES if (match := pattern.search(bare))), None)
        if found is not None:
            return re.sub(r" ?\(\d+\)$", "", found[1]).strip()
    return ""


def without_marks(text: str) -> str:
    """A text without the invisible letters that WhatsApp puts into it."""
    return text if text.isascii() else _MARK.sub("", text)


def day_of_file(text: str) -> str:
    """The day (eight digits) on which a file was sent, as the name that WhatsApp gave it says; else empty."""
    found = _DAY_OF_FILE.search(text)
    return re.sub(r"\D", "", found[1] or found[2]) if found is not None else ""


def take_edited(text: str) -> tuple[str, str]:
    """A text without the mark that says it was edited, and that mark (empty if there is none)."""
    found = _EDITED.search(text, max(0, len(text) - 200)) if text.rstrip().endswith(">") else None
    return (text, "") if found is None else (text[: found.start()], found[0].strip())


def note_of(text: str) -> str:
    """`deleted`, or `media` for a file that was left out or named; else empty. `text` is without marks."""
    first = without_marks(text.split("\n", 1)[0]).rstrip()
    if _DELETED.match(first) and len(text) < 120:
        return "deleted"
    return "media" if _FILE.fullmatch(first) else ""


def is_of_owner(deleted: str) -> bool:
    """Whether the phone's owner deleted a message: then its words speak to them."""
    return _YOURS.match(without_marks(deleted)) is not None


def is_notice(text: str, is_marked: bool) -> bool:
    """Whether WhatsApp wrote what stands under somebody's name; `is_marked`: with its own invisible mark."""
    if NOTICE.match(text) or _CALL.fullmatch(without_marks(text)):
        return True
    if not is_marked or "\n" in text or note_of(text) or _WRITTEN.match(text) or _PLACE.search(text):
        return False
    return len(text) > _MOST_OF_PLACEHOLDER or EVENT.match(text) is not None
