"""Bytes to text under the charset names of the real world: aliases, wrong labels, no label at all.

What a label says is believed unless the bytes contradict it; whatever was mended or guessed comes with a
remark (a Fault that becomes a warning), and no byte is ever dropped in silence.
"""

from __future__ import annotations

import codecs
import re

from carelog.sources.blocks import Fault

_ALIASES = {
    # Browsers and mailers read the first as the second, and so do those who write them.
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso8859-1": "cp1252",
    "windows-874": "cp874", "x-windows-874": "cp874", "ms874": "cp874", "tis-620": "cp874", "tis620": "cp874",
    "iso-8859-11": "cp874", "cp-874": "cp874",
    "windows-31j": "cp932", "x-sjis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "ms-kanji": "cp932",
    "iso-2022-jp": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp", "ks-c-5601-1987": "cp949", "ksc5601": "cp949", "ks-c-5601": "cp949",
    "euc-kr": "cp949", "x-windows-949": "cp949", "windows-949": "cp949",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb-2312-80": "gb18030", "euc-cn": "gb18030",
    "cp936": "gb18030", "big5": "cp950", "x-big5": "cp950",
    "iso-8859-8-i": "iso8859_8", "iso-8859-8-e": "iso8859_8", "iso-8859-6-i": "iso8859_6",
    "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8", "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "cp-1252": "cp1252", "ansi": "cp1252",
}  # fmt: skip
_UNKNOWN = frozenset(
    {"", "unknown-8bit", "x-unknown", "unknown", "x-user-defined", "default", "binary", "8bit"}
)
# Under these labels anything may stand: they are what mailers write when nobody told them.
_CARELESS = frozenset({"cp1252", "ascii"})
_HIGH = re.compile(rb"[\x80-\xff]+")
_THAI = re.compile(rb"[\xa1-\xda\xdf-\xfb\x85\x91-\x97\xa0]")
_CYRILLIC = re.compile(rb"[\xc0-\xff\xa8\xb8\xa3\xb3]")
_OFTEN_THAI = re.compile(
    rb"[\xa1\xa2\xa4\xa7\xaa\xab\xb4\xb5\xb7\xb9-\xbb\xbe\xbf\xc1-\xc3\xc5\xc7\xca\xcb\xcd\xd0-\xd9]|"
    rb"[\xe0-\xe4\xe6\xe8\xe9]"
)
# A vowel that is written first without a consonant behind it, a sign above or below without one before it.
_NOT_THAI = re.compile(
    rb"[\xe0-\xe4](?![\xa1-\xce\xe0]|\Z)|(?<![\xa1-\xce\xd1-\xda\xe7-\xee])[\xd1\xd4-\xda\xe7-\xee]"
)
# What the first two bytes of Indic and Thai letters look like when UTF-8 was taken for Windows-1252.
_MOJIBAKE = re.compile("à[¤¥¦§ª«¬¸¹º]|Ã[ ©¨¡³±¶¼¤]|â€[™œ\x9d˜“”¦]")
_LONG_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HOLES = {0xDC00 + byte: byte for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


def decode_text(raw: bytes, declared: str | None) -> tuple[str, Fault | None]:
    """The text of `raw`, and a remark where the declared charset (None or "": none) was not simply right.

    Never raises. Keywords: `charset_guessed`, `charset_mended`, `mojibake_mended`, `bytes_replaced`.
    """
    codec = find_codec(declared)
    if raw.isascii() and codec not in ("iso2022_jp_ext", "utf-7", "hz", "utf-16", "utf-32"):
        is_escaped = codec is None and b"\x1b$" in raw
        return _strictly(raw, "iso2022_jp_ext" if is_escaped else "ascii") or "", None
    if codec is None:
        return _guess(raw, declared)
    if codec in _CARELESS:
        text, name = _contradicted(raw)
        if text is not None:
            return text, _mended(codec, name)
    if codec.startswith("utf") or not _is_surely_utf8(raw):
        text = _strictly(raw, codec)
    else:
        return raw.decode("utf-8"), _mended(codec, "UTF-8")
    if text is None:
        return _mend(raw, codec)
    return _repair(text) if codec == "utf-8" else (text, None)


def find_codec(declared: str | None) -> str | None:
    """Python's name of a declared charset; None where there is none or nobody knows it."""
    name = (declared or "").strip().strip("\"'").lower().replace("_", "-")
    if name in _UNKNOWN:
        return None
    name = _ALIASES.get(name, name)
    try:
        # A codec that is no charset (rot13, hex) would raise on bytes.
        known = codecs.lookup(name)
        return known.name if known._is_text_encoding else None
    except (LookupError, ValueError):
        return None


def _strictly(raw: bytes, codec: str) -> str | None:
    try:
        if codec == "cp1252":
            # Five bytes have no letter in it; as everywhere else they are taken for control characters.
            return raw.decode(codec, "surrogateescape").translate(_HOLES)
        return raw.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _contradicted(raw: bytes) -> tuple[str | None, str]:
    """The text where the bytes show that a careless label is wrong, and what they are instead."""
    text = _strictly(raw, "utf-8")
    if text is not None:
        return text, "UTF-8"
    codec, name = guess_codec(raw)
    return (_strictly(raw, codec), name) if codec else (None, "")


def guess_codec(raw: bytes) -> tuple[str, str]:
    """The charset that bytes show which are not UTF-8, and its name; empty where nothing speaks clearly
    against one of Western Europe, in which letters that are not ASCII stand alone between others.
    """
    if looks_japanese(raw):
        return "cp932", "Japanese (Shift_JIS)"
    if looks_thai(raw):
        return "cp874", "Thai (cp874)"
    runs = _HIGH.findall(raw)
    high = sum(map(len, runs))
    if high < 8 or high < 3 * len(runs):
        return "", ""
    leads = b"".join(run[::2] for run in runs)
    is_paired = all(len(run) % 2 == 0 for run in runs) and all(0xA1 <= byte <= 0xF7 for byte in leads)
    if is_paired and _strictly(raw, "gb18030") is not None:
        korean = sum(0xB0 <= byte <= 0xC8 for byte in leads) >= 0.95 * len(leads)
        return ("cp949", "Korean (EUC-KR)") if korean else ("gb18030", "Chinese (GB18030)")
    letters = len(_CYRILLIC.findall(raw))
    if letters < 0.95 * high:
        return "", ""
    # In one of the two Russian charsets the small letters stand where the capitals of the other do.
    small = sum(byte >= 0xE0 for run in runs for byte in run)
    return ("cp1251", "Cyrillic (Windows-1251)") if 2 * small > high else ("koi8_r", "Cyrillic (KOI8-R)")


def looks_thai(raw: bytes) -> bool:
    """Whether bytes that are not ASCII look like Thai in one of its 8-bit charsets: they stand in long runs,
    nearly all of them on Thai letters, and vowels and tones stand at consonants.
    """
    runs = _HIGH.findall(raw)
    high = sum(map(len, runs))
    if high < 2 * len(runs) or high < 2 or len(_THAI.findall(raw)) < 0.97 * high:
        return False
    # Of Chinese or Korean taken for Thai, hardly a third are letters that are frequent in Thai.
    return len(_NOT_THAI.findall(raw)) <= 0.04 * high and len(_OFTEN_THAI.findall(raw)) >= 0.6 * high


def looks_japanese(raw: bytes) -> bool:
    """Whether bytes that are not ASCII look like Japanese in Shift_JIS: hardly any text is without kana."""
    text = raw.decode("cp932", "replace")
    foreign = [c for c in text if c > "\x7f"]
    kana = sum("\u3041" <= c <= "\u30fe" for c in foreign)
    return kana >= 3 and kana >= 0.2 * len(foreign) and foreign.count("\ufffd") <= 0.01 * len(foreign) + 1


def _is_surely_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8 and by no chance only look like it: four letters of three bytes or more do not
    come about in another charset.
    """
    return len(_LONG_UTF8.findall(raw)) >= 4 and _strictly(raw, "utf-8") is not None


def _guess(raw: bytes, declared: str | None) -> tuple[str, Fault | None]:
    text, name = _contradicted(raw)
    if text is None:
        text, name = _strictly(raw, "cp1252") or "", "Windows-1252"
    if name == "UTF-8" and not declared:
        return text, None
    why = "an unknown charset is declared" if declared else "no charset is declared"
    return text, Fault("charset_guessed", f"{why}; the text was read as {name}")


def _mended(codec: str, name: str) -> Fault:
    return Fault("charset_mended", f"the text is declared as {codec} but was read as {name}, which it is")


def _mend(raw: bytes, codec: str) -> tuple[str, Fault]:
    """The text of bytes that are not what their label says."""
    text, name = _contradicted(raw)
    if text is not None:
        return text, _mended(codec, name)
    text = raw.decode(codec, "replace") if codec != "utf-8" or _mostly_utf8(raw) else ""
    if text:
        count = text.count("\ufffd")
        return text, Fault(
            "bytes_replaced", f"{count} bytes or characters are not {codec} and were replaced by �"
        )
    return _strictly(raw, "cp1252") or "", _mended(codec, "Windows-1252")


def _mostly_utf8(raw: bytes) -> bool:
    # One letter cut in half among many sound ones is damage; hardly any sound one is another charset.
    text = raw.decode("utf-8", "replace")
    sound = sum(ord(c) > 127 for c in text) - text.count("\ufffd")
    return sound >= text.count("\ufffd")


def _repair(text: str) -> tuple[str, Fault | None]:
    """Undo UTF-8 that was taken for Windows-1252 and written as UTF-8 again, where it is clearly that."""
    if len(_MOJIBAKE.findall(text)) < 2:
        return text, None
    try:
        mended = b"".join(_back(c) for c in text).decode("utf-8")
    except (UnicodeError, ValueError):
        return text, None
    if len(mended) >= len(text) or any("\x80" <= c < "\xa0" for c in mended):
        return text, None
    return mended, Fault("mojibake_mended", "the text was encoded as UTF-8 twice; that was undone")


def _back(character: str) -> bytes:
    return character.encode("latin-1") if "\x80" <= character < "\xa0" else character.encode("cp1252")
