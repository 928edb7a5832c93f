"""Canonical records as vCons, the conversation containers of the IETF (draft-ietf-vcon-vcon-core-03, 0.4.0).

The record itself goes along as an attachment of purpose `interaction`, so that reading gives back exactly
what was written; the rest of the vCon tells other programs who spoke, when, and what.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

VERSION = "0.4.0"
PURPOSE = "interaction"
EXTENSION = "cc"
"""The contact centre extension (draft-ietf-vcon-cc-extension): roles of parties, campaign, skill."""
_ROLES = ("customer", "agent", "bot", "system")
_DISPOSITIONS = {"missed": "no-answer", "abandoned": "hung-up", "failed": "failed"}


def to_vcon(record: dict[str, Any]) -> dict[str, Any]:
    """A canonical record as an unsigned vCon. The same record gives the same vCon, its uuid included."""
    parties, places = _to_parties(record)
    vcon: dict[str, Any] = {
        "vcon": VERSION,
        "uuid": _to_uuid(record),
        "extensions": [EXTENSION],
        # When the conversation began: the time of writing would make equal outputs differ.
        "created_at": record["started_at"],
    }
    if record.get("subject"):
        vcon["subject"] = record["subject"]
    vcon["parties"] = parties
    vcon["dialog"] = _to_dialogs(record, places)
    vcon["attachments"] = [_to_attachment(record)]
    return vcon


def _to_uuid(record: dict[str, Any]) -> str:
    """A version 8 UUID from what makes a record unique: its source and its number."""
    source = record.get("source") or {}
    name = "\0".join((str(source.get("system", "")), record["interaction_id"], record["started_at"]))
    raw = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def _to_parties(record: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The parties, and the place of each speaker among them; customer and agent are always there."""
    speakers = {message["speaker"] for message in record.get("messages") or []}
    parties: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    for role in _ROLES:
        if role in speakers or role in ("customer", "agent"):
            places[role] = len(parties)
            parties.append(_to_party(role, record.get(f"{role}_id")))
    return parties, places


def _to_party(role: str, number: str | None) -> dict[str, Any]:
    party: dict[str, Any] = {"role": role}
    if role in ("bot", "system"):
        party["type"] = "bot"
    if number is None:
        return party
    is_number = number.lstrip("+").replace(" ", "").replace("-", "").isdigit() and number.startswith("+")
    party["mailto" if "@" in number else "tel" if is_number else "name"] = number
    return party


def _to_dialogs(record: dict[str, Any], places: dict[str, int]) -> list[dict[str, Any]]:
    """One text dialog a message; without messages, one that says that there was a contact."""
    dialogs = [_to_text_dialog(record, message, places) for message in record.get("messages") or []]
    if dialogs:
        return dialogs
    first = "agent" if record.get("direction") == "outbound" else "customer"
    second = "customer" if first == "agent" else "agent"
    dialog: dict[str, Any] = {"start": record["started_at"], "parties": [places[first], places[second]]}
    disposition = _DISPOSITIONS.get(record.get("status", ""))
    if disposition is not None:
        return [{"type": "incomplete", **dialog, "disposition": disposition, **_centre(record)}]
    dialog = {"type": "recording" if record["channel"] == "phone" else "text", **dialog}
    if "talk_seconds" in record:
        dialog["duration"] = record["talk_seconds"]
    return [dialog | _centre(record)]


def _to_text_dialog(
    record: dict[str, Any], message: dict[str, Any], places: dict[str, int]
) -> dict[str, Any]:
    speaker = message["speaker"]
    other = "agent" if speaker == "customer" else "customer"
    dialog = {
        "type": "text",
        "start": message.get("at", record["started_at"]),
        "parties": [places[speaker], places[other]],
        "mediatype": "text/plain",
        "body": message["text"],
        "encoding": "none",
    }
    if "message_id" in message:
        dialog["message_id"] = message["message_id"]
    return dialog | _centre(record)


def _centre(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "interaction_id": record["interaction_id"],
        "interaction_type": record["channel"],
    }
    if record.get("campaign"):
        found["campaign"] = record["campaign"]
    if record.get("queue"):
        found["skill"] = [record["queue"]]
    return found


def _to_attachment(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "purpose": PURPOSE,
        "start": record["started_at"],
        "party": 0,
        "dialog": 0,
        "mediatype": "application/json",
        "encoding": "json",
        "body": record,
    }
