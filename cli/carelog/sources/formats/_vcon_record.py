"""The record of a vCon that others wrote: who spoke, when, and what, as far as the container tells."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from carelog.sources.blocks import Fault, ReadOptions
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._vcon_body import body_of, moment_of, text_of_mail, time_of
from carelog.sources.formats._vcon_transcript import find_utterances

NAME = "vcon"
_STATUS = {
    "no-answer": "missed",
    "congestion": "failed",
    "failed": "failed",
    "busy": "failed",
    "hung-up": "abandoned",
    "voicemail-no-message": "voicemail",
}
_SPOKEN = frozenset({"recording", "audio", "video"})
_DIRECTIONS = {
    "in": "inbound",
    "inbound": "inbound",
    "out": "outbound",
    "outbound": "outbound",
    "internal": "internal",
}
_CUSTOMER_ROLES = frozenset({"customer", "caller", "client", "patient", "visitor", "end_user", "contact"})
_AGENT_ROLES = frozenset({"agent", "supervisor", "sme", "operator", "employee", "advisor", "representative"})
_CHANNELS = {
    "phone": "phone", "voice": "phone", "call": "phone", "email": "email", "mail": "email", "chat": "chat",
    "sms": "chat", "messaging": "chat", "webchat": "chat", "in_store": "in_store", "video": "phone",
}  # fmt: skip


@dataclass(slots=True)
class Container:
    """What became of a container: its record, remarks, or why it is refused."""

    record: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    refused: Fault | None = None
    options: ReadOptions = field(default_factory=ReadOptions)

    def warn(self, keyword: str, message: str, pointer: str = "") -> None:
        """Add a remark, once."""
        fault = Fault(keyword, message, pointer)
        if fault not in self.faults:
            self.faults.append(fault)


def list_at(vcon: dict[str, Any], key: str) -> list[Any]:
    found = vcon.get(key)
    return found if isinstance(found, list) else []


def objects_at(vcon: dict[str, Any], key: str) -> list[dict[str, Any]]:
    # Places in a list are references: what is no object still takes its place.
    return [inner if isinstance(inner, dict) else {} for inner in list_at(vcon, key)]


def derive_record(vcon: dict[str, Any], read: Container) -> None:
    """The record of a container that others wrote."""
    parties, dialogs = objects_at(vcon, "parties"), objects_at(vcon, "dialog")
    speakers = _speakers_of(parties, dialogs, read)
    record = read.record
    number = vcon.get("uuid")
    if isinstance(number, str):
        record["interaction_id"] = number
    transcripts = list(_transcripts(vcon))
    record["channel"] = _channel_of(parties, dialogs, bool(transcripts))
    _derive_times(vcon, dialogs, record, read)
    record["direction"] = _direction_of(dialogs, speakers)
    status = _status_of(dialogs)
    if status is not None:
        record["status"] = status
    for role in ("customer", "agent"):
        party = next((p for p, s in zip(parties, speakers, strict=True) if s == role), None)
        if party is not None and (name := _name_of(party)):
            record[f"{role}_id"] = name
    _derive_centre(vcon, dialogs, record)
    messages = [m for d in dialogs if (m := _message_of(d, speakers, read)) is not None]
    messages += [m for a in transcripts for m in _transcript_of(a, parties, dialogs, speakers, read)]
    if messages:
        record["messages"] = messages
    if not record.get("interaction_id"):
        record["interaction_id"] = _stable_id(vcon)
    record["source"] = {"system": "vcon", "format": NAME, "record_id": record["interaction_id"]}
    record["extra"] = {"vcon": vcon}


def _stable_id(vcon: dict[str, Any]) -> str:
    text = json.dumps(vcon, sort_keys=True)
    return "vcon-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


def _speakers_of(parties: list[dict[str, Any]], dialogs: list[dict[str, Any]], read: Container) -> list[str]:
    """The speaker that each party is, by role and type; else whoever began is the customer."""
    found: list[str] = []
    for party in parties:
        role, kind = str(_noted(party, "role")).casefold(), str(party.get("type", "")).casefold()
        by_role = "customer" if role in _CUSTOMER_ROLES else "agent" if role in _AGENT_ROLES else ""
        by_role = by_role or ("agent" if _is_ours(party, read.options) else "")
        found.append(role if role in ("bot", "system") else by_role or ("bot" if kind == "bot" else ""))
    if "" not in found:
        return found
    open_places = [n for n, speaker in enumerate(found) if not speaker]
    first = next((o for d in dialogs if (o := _originator(d)) in open_places), open_places[0])
    for place in open_places:
        if "customer" in found:
            found[place] = "agent"
        elif "agent" in found or place == first:
            found[place] = "customer"
        else:
            found[place] = "agent"
    if "customer" not in found:
        found[first] = "customer"
    if len(open_places) == 1 and len(set(found)) > 1:
        return found  # there is nobody else that it could be
    read.warn(
        "roles_assumed",
        "the vCon does not say who the customer is; whoever began was taken for it "
        "(--agents NAME or --our-domains D say who is ours)",
        "/parties",
    )
    return found


def _is_ours(party: dict[str, Any], options: ReadOptions) -> bool:
    """Whether a party is one of the company's, by what the user said."""
    told = {str(party.get(key, "")).casefold().partition(":")[2] or str(party.get(key, "")).casefold()
            for key in ("name", "mailto", "email", "tel", "sip", "uuid")} - {""}  # fmt: skip
    domains = {name.rpartition("@")[2] for name in told if "@" in name}
    ours = {name.casefold() for name in options.our_domains}
    return bool(told & ({name.casefold() for name in options.agents} | ours) or domains & ours)


def _noted(holder: dict[str, Any], key: str) -> Any:
    """A value at its place, or under `meta`, where it stood before there was an extension for it."""
    meta = holder.get("meta")
    return holder.get(key) or (meta.get(key) if isinstance(meta, dict) else None) or ""


def _originator(dialog: dict[str, Any]) -> int | None:
    found = dialog.get("originator")
    if isinstance(found, int):
        return found
    return next(iter(_parties_of(dialog)), None)


def _parties_of(dialog: dict[str, Any]) -> list[int]:
    """The places of a dialog's parties, in order, channels flattened."""
    found = dialog.get("parties")
    stack, flat = [found], []
    while stack:
        item = stack.pop(0)
        if isinstance(item, list):
            stack = [*item[:1000], *stack]
        elif isinstance(item, int) and not isinstance(item, bool):
            flat.append(item)
    return flat


def _is_call_first(dialogs: list[dict[str, Any]]) -> bool:
    """Whether a recording stands among the texts that began no later than these: a call with a note."""
    times = {kind: [m for d in dialogs if d.get("type") == kind and (m := moment_of(d.get("start")))]
             for kind in ("recording", "text")}  # fmt: skip
    return bool(times["recording"] and times["text"] and min(times["recording"]) <= min(times["text"]))


def _channel_of(parties: list[dict[str, Any]], dialogs: list[dict[str, Any]], has_transcript: bool) -> str:
    for dialog in dialogs:
        kind = str(dialog.get("interaction_type", "")).casefold().replace("-", "_")
        if kind in _CHANNELS:
            return _CHANNELS[kind]
    texts = [d for d in dialogs if _is_text(d)]
    if texts and _is_call_first(dialogs):
        return "phone"
    is_spoken = has_transcript and not any(d.get("body") or d.get("url") for d in texts)
    if not texts or is_spoken:
        return "phone"
    if any(str(d.get("mediatype", "")).startswith(("message/", "multipart/")) for d in texts):
        return "email"
    has_mail = sum("mailto" in p for p in parties) >= 2 and not any("tel" in p for p in parties)
    return "email" if has_mail and not any(d.get("application") for d in texts) else "chat"


def _derive_times(
    vcon: dict[str, Any], dialogs: list[dict[str, Any]], record: dict[str, Any], read: Container
) -> None:
    times = [t for d in dialogs if (t := time_of(d.get("start"))) is not None]
    starts = [(m, t) for t in times if (m := moment_of(t)) is not None]
    if starts:
        record["started_at"] = min(starts, key=lambda pair: pair[0].timestamp())[1]
    elif times and (read.options.zone is not None or moment_of(vcon.get("created_at")) is None):
        record["started_at"] = min(times)
    elif vcon.get("created_at") is not None:
        record["started_at"] = time_of(vcon["created_at"]) or vcon["created_at"]
        read.warn(
            "start_assumed",
            "no dialog says when it began; the vCon's own time was taken"
            + (" (--tz ZONE says the zone of the times without an offset)" if times else ""),
            "/created_at",
        )
    elif read.options.start is not None:
        record["started_at"] = read.options.start
    else:
        message = "neither a dialog nor created_at says when it began; say it with --start TIME"
        read.refused = Fault("no_start", message, "/created_at")
    ends = [
        m + timedelta(seconds=_length(d) or 0)
        for d in dialogs
        if (m := moment_of(d.get("start"))) is not None
        and (_length(d) is not None or d.get("type") == "text")
    ]
    if ends:
        record["ended_at"] = max(ends, key=datetime.timestamp).isoformat().replace("+00:00", "Z")
    talks = [length for d in dialogs if str(d.get("type")) in _SPOKEN and (length := _length(d)) is not None]
    if talks and record["channel"] == "phone":
        total = sum(talks)
        record["talk_seconds"] = int(total) if float(total).is_integer() else round(total, 6)


def _length(dialog: dict[str, Any]) -> float | None:
    found = dialog.get("duration")
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    return found if is_number and 0 <= found < 1e9 else None  # type: ignore[operator]


def _direction_of(dialogs: list[dict[str, Any]], speakers: list[str]) -> str:
    told = next((str(t).casefold() for d in dialogs if (t := _noted(d, "direction"))), "")
    if told in _DIRECTIONS:
        return _DIRECTIONS[told]
    first = next((o for d in dialogs if (o := _originator(d)) is not None), -1)
    if not 0 <= first < len(speakers):
        return "unknown"
    return {"customer": "inbound", "agent": "outbound"}.get(speakers[first], "unknown")


def _status_of(dialogs: list[dict[str, Any]]) -> str | None:
    if any(d.get("type") in (*_SPOKEN, "recording-set") or _is_text(d) for d in dialogs):
        return "completed"
    said = [_noted(d, "disposition") for d in dialogs if d.get("type") == "incomplete"]
    return _STATUS.get(re.sub(r"[\s_]+", "-", str(said[-1]).strip().lower())) if said else None


def _is_text(dialog: dict[str, Any]) -> bool:
    is_bare = not dialog.get("type") and str(dialog.get("mediatype", "")).startswith("text/")
    return dialog.get("type") == "text" or is_bare


def _name_of(party: dict[str, Any]) -> str | None:
    for key in ("mailto", "email", "tel", "uuid", "sip", "did", "name"):
        text = party.get(key)
        if isinstance(text, str) and text.strip():
            return text.strip().removeprefix("mailto:").removeprefix("tel:")
    return None


def _derive_centre(vcon: dict[str, Any], dialogs: list[dict[str, Any]], record: dict[str, Any]) -> None:
    if isinstance(vcon.get("subject"), str):
        record["subject"] = vcon["subject"]
    for dialog in dialogs:
        if isinstance(dialog.get("campaign"), str) and dialog["campaign"].strip():
            record.setdefault("campaign", dialog["campaign"])
        skills = dialog.get("skill")
        skill = skills[0] if isinstance(skills, list) and skills else skills
        if isinstance(skill, str) and skill.strip():
            record.setdefault("queue", skill)


def _message_of(dialog: dict[str, Any], speakers: list[str], read: Container) -> dict[str, Any] | None:
    """The message in a text dialog; its body then leaves the container's copy, which stays under `extra`."""
    if not _is_text(dialog):
        return None
    body = text = body_of(dialog)
    if isinstance(text, dict):
        text = next((text[k] for k in ("text", "body", "message") if isinstance(text.get(k), str)), None)
    if not isinstance(text, str):
        if dialog.get("url"):
            read.warn(
                "text_elsewhere", "a text of the vCon stands at a URL, which is not followed", "/dialog"
            )
        return None
    mediatype = str(dialog.get("mediatype", ""))
    if mediatype.startswith(("multipart/", "message/")):
        text = text_of_mail(text, mediatype) or text
    elif "html" in mediatype:
        text = html_to_text(text)
    elif text is body:
        dialog.pop("body", None)
    place = _originator(dialog)
    speaker = speakers[place] if place is not None and 0 <= place < len(speakers) else "customer"
    message = {"speaker": speaker, "text": text}
    at = time_of(dialog.get("start"))
    if at is not None and (read.options.zone is not None or moment_of(at) is not None):
        message["at"] = at
    if isinstance(dialog.get("message_id"), str) and dialog["message_id"].strip():
        message["message_id"] = dialog["message_id"]
    return message


def _transcripts(vcon: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The analyses (or, in some extensions, attachments) that hold words: of each dialog the one that tells
    most voices and turns apart, since several tools may have listened to it.
    """
    best: dict[str, tuple[tuple[bool, int], dict[str, Any]]] = {}
    for holder in (*objects_at(vcon, "analysis"), *objects_at(vcon, "attachments")):
        kind = str(holder.get("type") or holder.get("purpose") or "").casefold()
        if "transcript" not in kind and not kind.startswith("diari"):
            continue
        utterances = find_utterances(body_of(holder))
        worth = len({said.speaker for said in utterances}) > 1, len(utterances)
        place = json.dumps(holder.get("dialog"))
        if utterances and (place not in best or worth > best[place][0]):
            best[place] = worth, holder
    yield from (holder for _, holder in best.values())


def _transcript_of(
    analysis: dict[str, Any],
    parties: list[dict[str, Any]],
    dialogs: list[dict[str, Any]],
    speakers: list[str],
    read: Container,
) -> Iterator[dict[str, Any]]:
    """What was said, of an analysis that is a transcript."""
    place = analysis.get("dialog")
    place = place[0] if isinstance(place, list) and place else place
    dialog = dialogs[place] if isinstance(place, int) and 0 <= place < len(dialogs) else {}
    begin = moment_of(dialog.get("start"))
    labels = {name: s for p, s in zip(parties, speakers, strict=True) if (name := _label_of(p))}
    order = (
        ["agent", "customer"] if _direction_of([dialog], speakers) != "outbound" else ["customer", "agent"]
    )
    voices: dict[str, str] = {}
    utterances = find_utterances(body_of(analysis))
    if len({said.speaker for said in utterances}) == 1 and len(speakers) > 1:
        # One voice for several people: whose words these are is not told.
        utterances = [said._replace(speaker="") for said in utterances]
        read.warn("speakers_unknown", "the transcript does not tell its voices apart", "/analysis")
    for said in utterances:
        label = said.speaker.casefold()
        is_party = said.party is not None and 0 <= said.party < len(speakers) and bool(label)
        known = speakers[said.party] if is_party and said.party is not None else None
        speaker = (
            known or labels.get(label) or (label if label in ("customer", "agent", "bot", "system") else None)
        )
        if speaker is None:
            if said.speaker:
                read.warn(
                    "speakers_assumed",
                    "the transcript numbers its voices; the first was taken for who answered the call",
                    "/analysis",
                )
            speaker = voices.setdefault(label, order[min(len(voices), 1)] if label else "customer")
        message = {"speaker": speaker, "text": said.text}
        if said.at:
            message["at"] = said.at
        elif begin is not None and said.start is not None and 0 <= said.start < 1e7:
            message["at"] = (begin + timedelta(seconds=said.start)).isoformat().replace("+00:00", "Z")
        yield message


def _label_of(party: dict[str, Any]) -> str:
    name = party.get("name")
    return name.casefold() if isinstance(name, str) else ""
