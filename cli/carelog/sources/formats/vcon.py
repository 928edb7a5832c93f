"""vCon, versions 0.0.1 to 0.4.0: one container is one interaction. https://datatracker.ietf.org/wg/vcon/

A signed container is read without checking the signature (a warning says so); an encrypted one, and one that
calls an extension critical which is not known here, are put aside. A container that carelog wrote gives back
the record that it was made of. What has no home in the record stays under `extra.vcon`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats._documents import find_keys, is_canonical, read_documents
from carelog.sources.formats._vcon_body import body_of
from carelog.sources.formats._vcon_record import (
    NAME,
    Container,
    derive_record,
    list_at,
    objects_at,
)
from carelog.sources.formats.jsonlines import read_jsonlines
from carelog.sources.pieces import parse_json
from carelog.sources.vcons import PURPOSE, to_vcon

KNOWN_EXTENSIONS = frozenset({"cc", "CC", "contact_center", "interaction", "meta", "appended", "amended"})
_RENAMED = {
    "mimetype": "mediatype",
    "transfer-target": "transfer_target",
    "target-dialog": "target_dialog",
    "appended": "amended",
    "must_support": "critical",
    "alg": "content_hash_algorithm",
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
# A long payload hides what comes behind it.
_SIGNED = re.compile(rb'\s*\{\s*"payload"\s*:\s*"eyJ')
_COMPACT = re.compile(rb"\s*(eyJ[\w-]{4,})\.")
_COMPACT_PARTS = {
    3: ("protected", "payload", "signature"),
    5: ("protected", "encrypted_key", "iv", "ciphertext", "tag"),
}
_PAGES = ("vcons", "data")
_MARKS = frozenset({"parties", "dialog", "analysis", "attachments"})


def detect_vcon(head: bytes, name: str) -> str | None:
    """Whether JSON holds vCons: by its keys, those of a signed or encrypted one included; or it is one of these
    in the compact form.
    """
    if _is_compact(head):
        return "it begins as a signed or encrypted vCon in the compact form does"
    keys = find_keys(head)
    top = keys[""]
    if is_canonical(keys):
        return None
    if "vcon" in top and ("uuid" in top or top & _MARKS):
        return "it has the keys vcon and " + ("uuid" if "uuid" in top else min(top & _MARKS))
    if {"parties", "dialog"} <= top:
        return "it has the keys parties and dialog"
    if _SIGNED.match(head):
        return "it has the key of a signed vCon (payload)"
    if keys.get("vcon", set()) & {"uuid", "ciphertext", "payload", *_MARKS}:
        return "its key vcon holds a container"
    if "payload" in top and ("signatures" in top or {"protected", "signature"} <= top):
        return "it has the keys of a signed vCon (payload, signatures)"
    if any("parties" in keys.get(page, set()) and keys[page] & {"vcon", "dialog"} for page in _PAGES):
        return "it lists vCons"
    if "ciphertext" in top and top & {"recipients", "protected", "iv", "unprotected"}:
        return "it has the keys of an encrypted vCon (ciphertext)"
    return None


def read_vcon(opened: Any, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The containers of an input (one, one a line, or an array) as chunks."""
    if _is_compact(opened.head):
        return (replace(part, format=NAME) for part in read_jsonlines(opened, options))
    return read_documents(opened, options, NAME, frozenset())


def parse_vcons(chunk: Chunk) -> Block:
    """The containers of a chunk as records."""
    block = Block(chunk.file, chunk.format)
    for index, offset, raw in _pieces(chunk):
        if not raw.strip():
            block.blank_lines += 1
            continue
        line = chunk.first_line + index
        value, fault = parse_json(_expanded(raw), chunk.options.max_line_bytes)
        if fault is not None:
            put_aside(block, line, offset, raw, chunk.faults.get(index, fault))
            continue
        for place, one in enumerate(_containers(value)):
            shown = raw if one is value else json.dumps(one).encode()
            _add(block, read_container(one, chunk.options), line + place, offset, shown, chunk.options)
    return block


def _is_compact(head: bytes) -> bool:
    """Whether it begins with the header of a JOSE object, dots between its parts."""
    found = _COMPACT.match(head)
    header = _payload_of(found[1].decode("ascii", "replace")) if found else None
    return isinstance(header, dict) and "alg" in header


def _expanded(raw: bytes) -> bytes:
    """The JSON form of a container in the compact form; anything else as it is."""
    if not _is_compact(raw):
        return raw
    parts = raw.decode("ascii", "replace").strip().split(".")
    names = _COMPACT_PARTS.get(len(parts))
    return raw if names is None else json.dumps(dict(zip(names, parts, strict=True))).encode()


def _containers(value: Any) -> list[Any]:
    """The containers of a page that lists them, or the one that it is."""
    for key in _PAGES:
        found = value.get(key) if isinstance(value, dict) and not _MARKS & set(value) else None
        if isinstance(found, list):
            return found
    return [value]


def _pieces(chunk: Chunk) -> Iterator[tuple[int, int, bytes]]:
    if chunk.spans is not None:
        for index, (start, end) in enumerate(chunk.spans):
            yield index, chunk.first_offset + start, chunk.data[start:end]
        return
    offset = chunk.first_offset
    for index, raw in enumerate(chunk.data.split(b"\n")):
        if raw or offset < chunk.first_offset + len(chunk.data):
            yield index, offset, raw
        offset += len(raw) + 1


def _add(block: Block, read: Container, line: int, offset: int, raw: bytes, options: ReadOptions) -> None:
    if read.refused is not None:
        put_aside(block, line, offset, raw, read.refused, read.record)
        return
    number = read.record.get("interaction_id")
    interaction_id = number if isinstance(number, str) else None
    block.findings += [
        Finding(block.file, line, f.pointer, f.keyword, f.message, "warning", offset, interaction_id)
        for f in read.faults
    ]
    source = read.record.get("source")
    if isinstance(source, dict) and "file" not in source:
        source.update(file=block.file, line=line)
    add_record(block, read.record, line, offset, raw, options.zone)


def read_container(value: Any, options: ReadOptions | None = None) -> Container:
    """One container in any of its forms. `options` say whose people are the agents, and the local zone."""
    read = Container(options=options or ReadOptions())
    if isinstance(value, dict) and "ciphertext" in value:
        read.refused = Fault("encrypted", "the vCon is encrypted: decrypt it first")
        return read
    if isinstance(value, dict) and isinstance(value.get("vcon"), dict):
        value = value["vcon"]
    if isinstance(value, dict) and "payload" in value and ("signatures" in value or "signature" in value):
        value = _payload_of(value["payload"])
        read.warn("signature_unverified", "the vCon is signed; the signature was not checked")
    if not isinstance(value, dict) or not (_MARKS & set(value) or "vcon" in value):
        read.refused = Fault("not_vcon", "this is no vCon: it has none of its keys")
        return read
    vcon = _renamed(value)
    unknown = [n for n in list_at(vcon, "critical") if str(n) not in KNOWN_EXTENSIONS]
    if unknown:
        named = ", ".join(str(n) for n in unknown[:3] if _PLAIN_NAME.fullmatch(str(n)))
        told = f"the vCon needs an extension that is not known here{named and f': {named}'}"
        read.refused = Fault("unknown_critical", told, "/critical")
        return read
    own = _own_record(vcon)
    if own is None:
        derive_record(vcon, read)
    else:
        read.record = own
    return read


def _payload_of(payload: Any) -> Any:
    """The value inside a signed container; None if it cannot be read."""
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None


def _renamed(value: Any) -> Any:
    """A container with the names that 0.4.0 gives to things."""
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, inner in value.items():
        name = _RENAMED.get(key, key)
        name = key if name != key and name in value else name
        # What stands in a body belongs to whoever wrote it.
        found[name] = inner if key == "body" else _renamed(inner)
    return found


def _own_record(vcon: dict[str, Any]) -> dict[str, Any] | None:
    """The record that carelog attached; what others changed in the container since stays under `extra`."""
    for place, attachment in enumerate(objects_at(vcon, "attachments")):
        if attachment.get("purpose") != PURPOSE:
            continue
        record = body_of(attachment)
        if not isinstance(record, dict) or not isinstance(record.get("interaction_id"), str):
            continue
        record = dict(record)
        if not _is_unchanged(record, vcon):
            rest = [a for n, a in enumerate(list_at(vcon, "attachments")) if n != place]
            record["extra"] = {**(record.get("extra") or {}), "vcon": {**vcon, "attachments": rest}}
        return record
    return None


def _is_unchanged(record: dict[str, Any], vcon: dict[str, Any]) -> bool:
    try:
        return to_vcon(record) == vcon
    except (KeyError, TypeError, AttributeError):
        return False
