"""Writes N synthetic canonical chat records (about 850 bytes each) as JSON Lines; always the same.

python tests/bench/make_records.py 1000000 /tmp/records.jsonl
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import orjson

WORDS = (
    *(
        "hello",
        "please",
        "could",
        "you",
        "check",
        "my",
        "order",
        "it",
        "has",
        "not",
        "arrived",
        "yet",
        "thank",
    ),
    *("we", "will", "look", "into", "this", "right", "away", "sorry", "for", "the", "delay", "is", "there"),
    *("anything", "else", "नमस्ते", "मेरा", "ऑर्डर", "ขอบคุณ", "ครับ", "salamat", "po"),
)


def make_record(number: int, chance: random.Random) -> dict[str, Any]:
    """One sound chat record."""
    day = f"2026-{1 + number % 9:02}-{1 + number % 28:02}"
    hour = f"{number % 24:02}"
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(4, 18))) for _ in range(chance.randint(2, 6))]
    record: dict[str, Any] = {
        "interaction_id": f"chat-{number:09}",
        "channel": "chat",
        "started_at": f"{day}T{hour}:10:00+05:30",
        "ended_at": f"{day}T{hour}:50:00+05:30",
        "direction": "inbound",
        "status": "closed",
        "customer_id": f"customer-{number % 50021}",
        "agent_id": f"agent-{number % 97}",
        "team": "north",
        "language": "en",
        "messages": [
            {
                "speaker": "agent" if place % 2 else "customer",
                "text": text,
                "at": f"{day}T{hour}:1{place}:00+05:30",
            }
            for place, text in enumerate(texts)
        ],
        "wait_seconds": number % 300,
        "handle_seconds": chance.randint(30, 900),
    }
    if number % 3 == 0:
        record["satisfaction"] = {"scale": "csat_5", "score": chance.randint(1, 5)}
    return record


def write_records(count: int, path: Path) -> None:
    """Write `count` records to `path`."""
    chance = random.Random(2026)
    with path.open("wb") as file:
        for number in range(count):
            file.write(orjson.dumps(make_record(number, chance), option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    write_records(int(sys.argv[1]), Path(sys.argv[2]))
