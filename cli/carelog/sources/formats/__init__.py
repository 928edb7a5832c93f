"""Every format that can be read, in one dict. A new format is a new file here and a line in FORMATS.

A format is a few plain functions:

`detect(head, name) -> str | None`
    Why an input is of this format ("its lines hold ticket ids and comments"), or None. `head` is the
    beginning of the input, decompressed, as UTF-8 without a byte order mark, at most 64 KB; `name` is the
    file's name as the user gave it (`-` for standard input). It must not raise, whatever `head` is.

`read(opened, options) -> Iterator[Block | Chunk]`
    The records of one input, in order. `opened.stream` gives the decompressed bytes as they stand,
    `opened.utf8()` the same as UTF-8 text; read forward, and never hold more than a few records. A Block's
    `values` are canonical records, already mapped (with `source`, and under `extra` what has no home); with
    them go line, byte offset and raw text. A part that cannot become a record is a Reject in the block, a
    remark (an unknown zone, a mended charset) a Finding with severity `warning`. If the stream ends early
    because the file is damaged, `opened.trouble` says so: the caller reports it, and a reader that was in
    the middle of a record rejects that (`cut_off`).

`parse(chunk) -> Block` (optional)
    If reading is cheap and mapping is not, `read` yields Chunks (bytes cut between records) and `parse`
    turns one into a Block in another process. It must be a function at the top of a module.

`read_together(inputs, options) -> Iterator[Block | Chunk]` (optional)
    For formats whose interactions are spread over files (mails of one thread, legs of a call): gets all
    inputs of the format at once, as an iterator of opened ones, each valid until the next is asked for.
    Then `read` is not called.

`options` (ReadOptions) is what the user said: time zone, own mail domains, the longest record; add a field
there when a format needs to know more. Ids must be the same from run to run.

`is_general` marks the structures that many systems share: they are asked only when no other format claims
the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from carelog.sources.blocks import Block, Chunk, ReadOptions
from carelog.sources.formats._mapping import load_preset, preset_names
from carelog.sources.formats.amazon_connect import (
    detect_connect,
    parse_connect,
    read_connect,
    read_connects,
)
from carelog.sources.formats.asterisk import detect_asterisk, parse_asterisk, read_asterisk, read_asterisks
from carelog.sources.formats.chatwoot import (
    detect_chatwoot,
    parse_chatwoot,
    read_chatwoot,
    read_chatwoots,
)
from carelog.sources.formats.cucm import detect_cucm, parse_cucm, read_cucm, read_cucms
from carelog.sources.formats.delimited import parse_table, read_csv, read_tsv
from carelog.sources.formats.email import detect_email, parse_emails, read_email, read_emails
from carelog.sources.formats.genesys import detect_genesys, parse_genesys, read_genesys, read_genesys_together
from carelog.sources.formats.google_ccai import detect_google_ccai, parse_google_ccai, read_google_ccai
from carelog.sources.formats.intercom import detect_intercom, parse_intercom, read_intercom
from carelog.sources.formats.json_array import read_json
from carelog.sources.formats.jsonlines import read_jsonlines
from carelog.sources.formats.line_account import detect_line_account, read_line_account, read_line_accounts
from carelog.sources.formats.line_chat import detect_line_chat, read_line_chat
from carelog.sources.formats.loyverse import detect_loyverse, parse_loyverse, read_loyverse, read_loyverses
from carelog.sources.formats.mapped import detect_never, detect_preset, parse_mapped, read_mapped
from carelog.sources.formats.messenger import detect_messenger, read_messenger, read_messenger_together
from carelog.sources.formats.parquet import parse_batch, read_parquet
from carelog.sources.formats.poslog import detect_poslog, parse_poslog, read_poslog
from carelog.sources.formats.salesforce import (
    detect_salesforce,
    parse_salesforce,
    read_salesforce,
    read_salesforces,
)
from carelog.sources.formats.shopify import detect_shopify, parse_shopify, read_shopify, read_shopifys
from carelog.sources.formats.slack import detect_slack, read_slack, read_slack_together
from carelog.sources.formats.square import detect_square, parse_square, read_square, read_squares
from carelog.sources.formats.survey import detect_qualtrics, detect_surveymonkey, read_survey
from carelog.sources.formats.telegram import detect_telegram, read_telegram
from carelog.sources.formats.threecx import parse_3cx, read_3cx
from carelog.sources.formats.transcripts import detect_srt, detect_webvtt, read_srt, read_webvtt
from carelog.sources.formats.twilio import detect_twilio, parse_twilio, read_twilio, read_twilios
from carelog.sources.formats.vcon import detect_vcon, parse_vcons, read_vcon
from carelog.sources.formats.whatsapp import detect_whatsapp, read_whatsapp
from carelog.sources.formats.zendesk import detect_zendesk, parse_zendesk, read_zendesk, read_zendesks
from carelog.sources.formats.zendesk_chat import detect_zendesk_chat, parse_zendesk_chat, read_zendesk_chat
from carelog.sources.pieces import parse_chunk_of_json
from carelog.sources.streams import Opened
from carelog.sources.structure import detect_structure


@dataclass(frozen=True, slots=True)
class Format:
    """One format, as the module's text describes; `title` is how help and messages call it."""

    title: str
    detect: Callable[[bytes, str], str | None]
    read: Callable[[Opened, ReadOptions], Iterator[Block | Chunk]]
    parse: Callable[[Chunk], Block] | None = None
    read_together: Callable[[Iterator[Opened], ReadOptions], Iterator[Block | Chunk]] | None = None
    is_general: bool = False


def _has_structure(structure: str, head: bytes, name: str) -> str | None:
    found = detect_structure(head, name)
    return found[1] if found is not None and found[0] == structure else None


def _general(
    name: str,
    title: str,
    read: Callable[[Opened, ReadOptions], Iterator[Block | Chunk]],
    parse: Callable[[Chunk], Block],
) -> Format:
    return Format(title, partial(_has_structure, name), read, parse, is_general=True)


def _presets() -> dict[str, Format]:
    return {
        name: Format(
            load_preset(name).title, partial(detect_preset, name), partial(read_mapped, name), parse_mapped
        )
        for name in preset_names()
    }


FORMATS: dict[str, Format] = {
    "email": Format(
        "Email: .eml, Maildir, mbox, Takeout", detect_email, read_email, parse_emails, read_emails
    ),
    "zendesk": Format(
        "Zendesk tickets, JSON or CSV", detect_zendesk, read_zendesk, parse_zendesk, read_zendesks
    ),
    "intercom": Format("Intercom conversations, JSON", detect_intercom, read_intercom, parse_intercom),
    "chatwoot": Format(
        "Chatwoot conversations, JSON", detect_chatwoot, read_chatwoot, parse_chatwoot, read_chatwoots
    ),
    "whatsapp": Format("WhatsApp chat export, .txt", detect_whatsapp, read_whatsapp),
    "asterisk_cdr": Format(
        "Asterisk and FreePBX call records", detect_asterisk, read_asterisk, parse_asterisk, read_asterisks
    ),
    "vcon": Format("vCon, 0.0.1 to 0.4.0", detect_vcon, read_vcon, parse_vcons),
    "qualtrics": Format("Qualtrics answers, CSV or TSV", detect_qualtrics, partial(read_survey, "qualtrics")),
    "surveymonkey": Format(
        "SurveyMonkey answers, CSV", detect_surveymonkey, partial(read_survey, "surveymonkey")
    ),
    **_presets(),
    "3cx": Format(load_preset("3cx").title, partial(detect_preset, "3cx"), read_3cx, parse_3cx),
    "salesforce_case": Format(
        load_preset("salesforce_case").title,
        detect_salesforce,
        read_salesforce,
        parse_salesforce,
        read_salesforces,
    ),
    "mapping": Format(
        "Tables and JSON of any system, read with --mapping F",
        detect_never,
        partial(read_mapped, "mapping"),
        parse_mapped,
    ),
    "amazon_connect": Format(
        "Amazon Connect records, Contact Lens", detect_connect, read_connect, parse_connect, read_connects
    ),
    "genesys_cloud": Format(
        "Genesys Cloud conversations, JSON",
        detect_genesys,
        read_genesys,
        parse_genesys,
        read_genesys_together,
    ),
    "twilio": Format(
        "Twilio calls and messages, JSON or CSV", detect_twilio, read_twilio, parse_twilio, read_twilios
    ),
    "cucm_cdr": Format("Cisco CUCM call detail records", detect_cucm, read_cucm, parse_cucm, read_cucms),
    "square": Format("Square receipts, CSV", detect_square, read_square, parse_square, read_squares),
    "shopify": Format("Shopify orders, CSV", detect_shopify, read_shopify, parse_shopify, read_shopifys),
    "loyverse": Format(
        "Loyverse receipts, CSV", detect_loyverse, read_loyverse, parse_loyverse, read_loyverses
    ),
    "poslog": Format("ARTS POSLog receipts, XML", detect_poslog, read_poslog, parse_poslog),
    "line_account": Format(
        "LINE Official Account chats, CSV", detect_line_account, read_line_account, None, read_line_accounts
    ),
    "line_chat": Format("LINE app chat export, .txt", detect_line_chat, read_line_chat),
    "webvtt": Format("Call transcripts, WebVTT", detect_webvtt, read_webvtt),
    "srt": Format("Call transcripts, SRT", detect_srt, read_srt),
    "google_ccai": Format(
        "Google CCAI or Speech-to-Text transcripts, JSON",
        detect_google_ccai,
        read_google_ccai,
        parse_google_ccai,
    ),
    "zendesk_chat": Format("Zendesk Chat, JSON", detect_zendesk_chat, read_zendesk_chat, parse_zendesk_chat),
    "telegram": Format("Telegram Desktop export, JSON", detect_telegram, read_telegram),
    "messenger": Format(
        "Messenger or Instagram export, JSON", detect_messenger, read_messenger, None, read_messenger_together
    ),
    "slack": Format(
        "Slack export, folder or zip", detect_slack, read_slack, read_together=read_slack_together
    ),
    "jsonl": _general("jsonl", "JSON Lines, canonical records", read_jsonlines, parse_chunk_of_json),
    "json": _general("json", "JSON array, canonical records", read_json, parse_chunk_of_json),
    "csv": _general("csv", "CSV, canonical records", read_csv, parse_table),
    "tsv": _general("tsv", "TSV, canonical records", read_tsv, parse_table),
    "parquet": _general("parquet", "Parquet, canonical records", read_parquet, parse_batch),
}
"""Name (the choices of `--from`, and `source.format` of the records) to format."""


def detect_formats(head: bytes, name: str) -> dict[str, str]:
    """The formats that claim an input, each with its reason; the general ones only where no other does."""
    for general in (False, True):
        claims = {
            key: reason
            for key, item in FORMATS.items()
            if item.is_general is general and (reason := item.detect(head, name)) is not None
        }
        if claims:
            return claims
    return {}
