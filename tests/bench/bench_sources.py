"""How fast each format is read: copies of a fixture, MB/s of one core, and records/s.

python tests/bench/bench_sources.py [MEGABYTES [NAME...]]

A case is a fixture and what makes its copies differ: the pieces of its bytes that become others in each copy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from carelog.sources.blocks import ReadOptions
from carelog.sources.reading import identify, read_blocks

FIXTURES = Path(__file__).parents[1] / "sources"


@dataclass(frozen=True, slots=True)
class Case:
    """`path` under tests/sources; every occurrence of one of `varying` gets the copy's number behind it.

    `first_lines` lines at the beginning (a header) are not repeated; the copies stand between `before` and
    `after`, with `between` between them.
    """

    path: str
    varying: tuple[bytes, ...] = ()
    first_lines: int = 0
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    suffix: str = ""


CASES = {
    "email (mbox)": Case("email/thread.mbox", (b"<a1", b"<b2", b"<c3", b"<a4"), between=b"\n"),
    "zendesk": Case("zendesk/export.ndjson", (b'"id": 50',)),
    "intercom": Case("intercom/export.ndjson", (b'"id": 90', b'"id": "90')),
    "chatwoot": Case("chatwoot/conversations.ndjson", (b'"id": 17', b'"id": 18')),
    "asterisk_cdr": Case("asterisk/Master.csv", (b'"1789',)),
    "amazon_connect": Case("amazon_connect/contacts.json", (b"-4000-8000-",)),
    "genesys_cloud": Case("genesys/events.ndjson", (b"conv-",)),
    "twilio": Case("twilio/calls.json", (b"CA0",), between=b"\n"),
    "cucm_cdr": Case("cucm/cdr_Cluster1_01_202609140000_1", (b"1,1,1",), first_lines=2),
    "square": Case("square/transactions.csv", (b",T-",), first_lines=1),
    "shopify": Case("shopify/orders.csv", (b"#10",), first_lines=1),
    "loyverse": Case("loyverse/receipts_mdy.csv", (b",4-",), first_lines=1),
    "vcon": Case("vcon/chat_0_4_0.vcon", (b"-0000-8000-8000-",), between=b"\n"),
    "freshdesk": Case("mapped/freshdesk.csv", (b"\n10",), first_lines=1),
    "hubspot_calls": Case("mapped/hubspot_calls.csv", (b",Call with",), first_lines=1),
    "salesforce_task": Case("mapped/salesforce_task.csv", (b"00T5g",), first_lines=1),
    "3cx": Case("mapped/3cx.csv", (b"+6681234",), first_lines=4),
    "qualtrics": Case("survey/qualtrics.csv", (b",R_",), first_lines=4),
    "surveymonkey": Case("survey/surveymonkey.csv", (b"1180",), first_lines=2),
    "whatsapp": Case("whatsapp/WhatsApp Chat with Priya Nair.txt"),
    "line_account": Case("line_account/20260909_20260916_nok.csv", first_lines=4),
    "line_chat": Case("line_chat/english.txt", first_lines=3),
    "webvtt": Case("transcripts/rolling.vtt", first_lines=2, between=b"\n", suffix="_2026-09-14T09-12.vtt"),
    "srt": Case("transcripts/20260914_091205 call.srt", between=b"\n", suffix="_2026-09-14T09-12.srt"),
    "google_ccai": Case("google_ccai/absolute.json", (b"Good morning",), between=b"\n"),
    "zendesk_chat": Case("zendesk_chat/chats.json", (b"2609.1",), between=b"\n"),
    "slack": Case("slack/help-desk/2026-09-15.json", between=b"\n"),
    "telegram": Case("telegram/result.json", between=b"\n"),
    "messenger": Case("messenger/encrypted.json", between=b"\n"),
    "poslog": Case("poslog/day.xml", (b"<SequenceNumber>",), first_lines=2),
}


def make_file(case: Case, size: int, folder: Path) -> Path:
    """A file of about `size` bytes."""
    raw = (FIXTURES / case.path).read_bytes()
    lines = raw.splitlines(keepends=True)
    head, body = b"".join(lines[: case.first_lines]), b"".join(lines[case.first_lines :])
    copies = []
    for number in range(max(1, size // len(raw))):
        copy = body
        for piece in case.varying:
            copy = copy.replace(piece, piece + b"%d" % number)
        copies.append(copy)
    path = folder / f"copies{case.suffix or Path(case.path).suffix}"
    path.write_bytes(head + case.before + case.between.join(copies) + case.after)
    return path


def measure_case(name: str, case: Case, size: int) -> str:
    """One line for the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_file(case, size, Path(folder))
        begin = time.process_time()
        with identify([str(path)]) as inputs:
            format_name = inputs.known[0].format
            count = sum(len(block.values) for block in read_blocks(inputs, ReadOptions(zone="Asia/Kolkata")))
        seconds = time.process_time() - begin
        length = path.stat().st_size
    speed = f"{length / seconds / 1e6:6.1f} MB/s {count / seconds:9,.0f} records/s"
    return f"{name:24} {speed}  ({format_name}, {length / 1e6:.1f} MB, {count:,} records)"


if __name__ == "__main__":
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    for chosen in sys.argv[2:] or CASES:
        print(measure_case(chosen, CASES[chosen], round(megabytes * 1e6)))
