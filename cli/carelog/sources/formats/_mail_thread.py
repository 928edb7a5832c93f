"""A thread of mails to one interaction: who is the customer, who answered, when, and who began.

Whose address it is, `--our-domains` says; without it, what mailboxes themselves show (whose mail was
delivered here, who sent from here). Where even that is missing, the first sender is taken for the customer
and whoever answers from another domain for the agent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from carelog.sources.formats._mail import Mail
from carelog.sources.formats._mail_index import looks_like_answer

NAME = "email"
_LONGEST_ID = 250
_CHAT_LABELS = frozenset(("Chat", "Chats"))
_DRAFT_LABELS = frozenset(
    (
        "draft", "drafts", "entwurf", "entwürfe", "brouillons", "borradores", "rascunhos", "bozze",
        "concepten", "ฉบับร่าง", "จดหมายร่าง", "ड्राफ़्ट", "ड्राफ्ट", "ડ્રાફ્ટ", "mga draft", "下書き",
        "草稿", "임시보관함",
    )
)  # fmt: skip
_FORM = re.compile(
    r"(no-?reply|do-?not-?reply|mailer|forms?|submissions?|notifications?|wordpress|website)[^@]*@"
)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ours:
    """The company's mail domains and single addresses, all in lower case; guessed, or as the user said."""

    domains: frozenset[str]
    addresses: frozenset[str] = frozenset()
    is_guess: bool = False

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str) or not address:
            return False
        domain = address.rpartition("@")[2]
        return address in self.addresses or any(
            domain == ours or domain.endswith("." + ours) for ours in self.domains
        )

    def __bool__(self) -> bool:
        return bool(self.domains or self.addresses)


@dataclass(frozen=True, slots=True)
class Placed:
    """A mail and where it stood; `note` is what its mailbox says beside it (flags, the separator's line)."""

    mail: Mail
    file: str
    line: int
    offset: int
    note: dict[str, Any]


def sort_mails(mails: Sequence[Placed]) -> list[Placed]:
    """The mails in order of time; those without one where their mailbox has them, at the end."""
    return sorted(mails, key=lambda m: m.mail.at if m.mail.at and m.mail.at.tzinfo else _LAST)


def is_draft(placed: Placed) -> bool:
    """Whether the mail was never sent: a label, a flag of its mailbox or a header of its mailer says so."""
    flags = placed.note.get("flags", "")
    marks = {
        name.lower(): str(value) for name, value in placed.mail.others.items() if name[:2] in ("X-", "x-")
    }
    is_marked = "x-mozilla-draft-info" in marks or marks.get("x-unsent", "").strip() == "1"
    is_marked = is_marked or "mail-draft" in marks.get("x-uniform-type-identifier", "")
    return is_marked or "D" in flags or any(label.lower() in _DRAFT_LABELS for label in placed.mail.labels)


def find_id(mails: Sequence[Mail], part: int = 0) -> str:
    """The thread's id: Gmail's, else that of its first mail, which answers name even where it is missing; for
    a further `part` of a thread that was cut, with its number.
    """
    threads = sorted({mail.thread for mail in mails if mail.thread})
    first = mails[0]
    found = f"gmail-{threads[0]}" if threads else (first.references or [first.message_id])[0]
    return found[:_LONGEST_ID] + (f"#{part + 1}" if part else "")


def to_interaction(placed: Sequence[Placed], ours: Ours, part: int = 0) -> dict[str, Any]:
    """The canonical record of a thread (or part of one); `placed` is in order of time and not empty."""
    mails = [p.mail for p in placed]
    authors = [find_author(mail, ours) for mail in mails]
    if ours.is_guess and authors[0][1] in ours and all(a in ours for _, a in mails[0].recipients):
        # Inside one domain a guess tells nobody from the other: as if nothing were known.
        ours = Ours(frozenset())
    speakers = _find_speakers(mails, authors, ours)
    first = next((n for n, speaker in enumerate(speakers) if speaker != "system"), 0)
    labels = list(dict.fromkeys(label for mail in mails for label in mail.labels))
    value: dict[str, Any] = {
        "interaction_id": find_id(mails, part),
        # Gmail keeps its chats among the mails.
        "channel": "chat" if _CHAT_LABELS.intersection(labels) else "email",
        "started_at": next((mail.at_text for mail in mails if mail.at_text), None),
        **_sides(mails, authors, speakers, first, ours),
        "subject": next((mail.subject for mail in mails if mail.subject), None),
        "tags": labels,
        "messages": [_to_message(m, s) for m, s in zip(mails, speakers, strict=True)],
        "first_response_seconds": _first_response(mails, speakers),
        "source": _to_source(placed[0], mails),
        "extra": {"mails": [to_extra(p) for p in placed]},
    }
    return {name: inner for name, inner in value.items() if inner not in (None, "", [])}


def find_author(mail: Mail, ours: Ours) -> tuple[str, str]:
    """Who wrote it: the sender; behind a form or a group that sends in the company's name, or the form of a
    service that sends in its own, whom to answer.
    """
    outsiders = [pair for pair in mail.reply_to if pair[1] not in ours]
    if not outsiders or not mail.recipients or any(a not in ours for _, a in mail.recipients):
        return mail.sender
    asked, sender = outsiders[0], mail.sender[1]
    is_elsewhere = asked[1].rpartition("@")[2] != sender.rpartition("@")[2]
    is_mass = any(name.lower() in ("list-unsubscribe", "list-id") for name in mail.others)
    is_form = _FORM.match(sender) is not None and is_elsewhere and not is_mass
    return asked if sender in ours or is_form else mail.sender


def _find_speakers(mails: Sequence[Mail], authors: Sequence[tuple[str, str]], ours: Ours) -> list[str]:
    silent = [_is_system(mail, author, ours) for mail, author in zip(mails, authors, strict=True)]
    first = next((a[1] for a, s in zip(authors, silent, strict=True) if not s), "")
    speakers = []
    for (_, address), is_silent in zip(authors, silent, strict=True):
        is_agent = address in ours if ours else not _same_side(address, first, authors)
        speakers.append("system" if is_silent else "agent" if is_agent else "customer")
    return speakers


def _is_system(mail: Mail, author: tuple[str, str], ours: Ours) -> bool:
    # A form or a group of the company marks its mails as automatic although a customer wrote them.
    is_passed_on = author != mail.sender or (mail.list_domain and f"x@{mail.list_domain}" in ours)
    return mail.is_automatic and not is_passed_on


def _same_side(address: str, other: str, authors: Sequence[tuple[str, str]]) -> bool:
    """Whether an author is of the first one's party: the same person, or, where others wrote, a colleague."""
    if address == other:
        return True
    domains = {author.rpartition("@")[2] for _, author in authors}
    domain = address.rpartition("@")[2]
    return len(domains) > 1 and domain == other.rpartition("@")[2] and domain not in FREE_MAIL


def _sides(
    mails: Sequence[Mail], authors: Sequence[tuple[str, str]], speakers: Sequence[str], first: int, ours: Ours
) -> dict[str, Any]:
    """Direction, initiative, customer, agent and mailbox."""
    opening = mails[first]
    is_ours = speakers[first] == "agent" or (speakers[first] == "system" and authors[first][1] in ours)
    outsiders = [a for _, a in opening.recipients if a not in ours]
    is_internal = is_ours and bool(opening.recipients) and not outsiders
    direction = "internal" if is_internal else "outbound" if is_ours else "inbound"
    is_silent = speakers[first] == "system"
    initiative: str | None = "reactive" if direction == "inbound" and not is_silent else None
    is_answer = bool(opening.references) or looks_like_answer(opening.subject)
    if direction == "outbound" and speakers[first] == "agent" and not is_answer:
        initiative = "proactive"
    customer = "" if is_silent else authors[first][1] or authors[first][0]
    if direction == "outbound":
        customer = outsiders[0] if outsiders else ""
    agents = (a[1] for a, speaker in zip(authors, speakers, strict=True) if speaker == "agent")
    mailboxes = opening.delivered_to or [a for _, a in opening.recipients if a in ours or not ours]
    return {
        "direction": direction,
        "initiative": initiative,
        "customer_id": customer[:_LONGEST_ID],
        "customer_kind": "internal" if is_internal else "external" if ours and customer else None,
        "agent_id": next(agents, "")[:_LONGEST_ID],
        "queue": mailboxes[0][:_LONGEST_ID] if mailboxes and direction == "inbound" else None,
    }


def _to_message(mail: Mail, speaker: str) -> dict[str, Any]:
    message = {"speaker": speaker, "text": mail.text, "message_id": mail.message_id[:_LONGEST_ID]}
    return {**message, "at": mail.at_text} if mail.at_text else message


def _first_response(mails: Sequence[Mail], speakers: Sequence[str]) -> float | None:
    """Seconds from the customer's first mail to the first one after it that an agent wrote."""
    asked: datetime | None = None
    for mail, speaker in zip(mails, speakers, strict=True):
        if mail.at is None or mail.at.tzinfo is None:
            continue
        if speaker == "customer" and asked is None:
            asked = mail.at
        elif speaker == "agent" and asked is not None:
            return max(0.0, (mail.at - asked).total_seconds())
    return None


def _to_source(first: Placed, mails: Sequence[Mail]) -> dict[str, Any]:
    threads = sorted({mail.thread for mail in mails if mail.thread})
    source = {"format": NAME, "file": first.file, "line": first.line, "record_id": find_id(mails)}
    return {**source, "system": "gmail", "record_id": threads[0]} if threads else source


def to_extra(placed: Placed) -> dict[str, Any]:
    """What has no field: all headers, the parts that are no text, the place in the mailbox."""
    extra: dict[str, Any] = {"headers": placed.mail.others}
    if placed.mail.parts:
        extra["parts"] = placed.mail.parts
    return {**extra, "file": placed.file, "line": placed.line, **placed.note}


FREE_MAIL = frozenset(
    [
        "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.in", "yahoo.co.th", "yahoo.co.uk",
        "ymail.com", "rocketmail.com", "hotmail.com", "hotmail.co.th", "hotmail.co.uk", "outlook.com",
        "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "aol.com", "gmx.de", "gmx.net", "web.de",
        "t-online.de", "mail.com", "mail.ru", "yandex.ru", "yandex.com", "proton.me", "protonmail.com",
        "rediffmail.com", "qq.com", "163.com", "126.com", "naver.com", "hanmail.net", "daum.net",
        "zoho.com", "fastmail.com",
    ]
)  # fmt: skip
"""Domains where neighbours are strangers to each other."""
