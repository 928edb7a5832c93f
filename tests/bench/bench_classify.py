"""How fast classification is: MB of text per second and core with all languages loaded, and that time grows with the text.

python tests/bench/bench_classify.py [RECORDS [JOBS]]

The peers are what must be done at the least: the scan of the same text for all phrases by plain hyperscan, with nothing made of
what it finds; and Python's `re` with fifty phrases of one rule, what a rule costs where each is a pass of its own.
"""

from __future__ import annotations

import os

# As the command does: one thread for sums.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from make_records import write_records
from measure import bench_carelog
from stages import print_shares, stages_timed

from carelog.classification.classifier import Classifier
from carelog.classification.classify import classify_batch
from carelog.classification.compiled import load_classifier
from carelog.classification.normal import to_normal_form
from carelog.classification.patterns import to_patterns
from carelog.classification.segments import to_segments
from carelog.columns import to_record_batch
from carelog.labels import LANGUAGES

SAMPLES = Path(__file__).parents[2] / "cli" / "training" / "records"


def training_records() -> list[dict[str, Any]]:
    """The training records: every language, every channel, hardly a text twice."""
    sys.path.insert(0, str(SAMPLES.parent))
    from compact import load_records

    return load_records(SAMPLES)[0]


def long_mails(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mails of some kilobytes, of messages that stand near each other in the training records, so of one language."""
    chance = random.Random(2026)
    texts = [m["text"] for r in records for m in r.get("messages", [])]
    mails = []
    for number in range(300):
        near = chance.randrange(len(texts) - 60)
        bodies = [
            "\n".join(chance.choices(texts[near : near + 60], k=chance.randint(3, 25))) for _ in range(3)
        ]
        messages = [
            {"speaker": s, "text": t} for s, t in zip(("customer", "agent", "customer"), bodies, strict=True)
        ]
        head = {"interaction_id": str(number), "channel": "email", "started_at": "2026-01-01T00:00:00Z"}
        mails.append({**head, "messages": messages})
    return mails


def text_size(records: list[dict[str, Any]]) -> int:
    """How many bytes of text their messages hold."""
    return sum(len(m["text"].encode()) for r in records for m in r.get("messages", []))


def bench_languages(records: list[dict[str, Any]]) -> None:
    """One core, the records of one language after the other, as a company's log has them; all languages are loaded."""
    classifier = load_classifier()
    for language in LANGUAGES:
        own = [r for r in records if r["interaction_id"].startswith(f"{language}-")]
        batch, size = to_record_batch(own), text_size(own)
        classify_batch(batch, classifier)
        best = min(_seconds(batch, classifier) for _ in range(5))
        print(
            f"classify, one core, {language}: {size / best / 1e6:.1f} MB of text/s, {len(own) / best:,.0f} records/s"
        )


def _seconds(batch: pa.RecordBatch, classifier: Classifier) -> float:
    begin = time.process_time()
    classify_batch(batch, classifier)
    return time.process_time() - begin


def bench_core(title: str, records: list[dict[str, Any]]) -> None:
    """One core: MB of text/s, the shares of the stages, and the peers."""
    classifier = load_classifier()
    batch = to_record_batch(records)
    size = text_size(records)
    classify_batch(batch, classifier)
    best, shares = float("inf"), Counter[str]()
    for _ in range(5):
        with stages_timed() as spent:
            took = _seconds(batch, classifier)
        if took < best:
            best, shares = took, spent
    print(
        f"classify, one core, {title} ({size / len(records):,.0f} bytes of text each): {size / best / 1e6:.1f} MB of text/s,"
        f" {batch.num_rows / best:,.0f} records/s ({len(classifier.rules)} rules, all languages)"
    )
    print_shares(shares, best, size)
    _print_peers(classifier, batch, size, best)


def _print_peers(classifier: Classifier, batch: pa.RecordBatch, size: int, spent: float) -> None:
    form = to_normal_form(to_segments(batch).texts)
    _, database = classifier.prepared
    begin = time.process_time()
    database.scan(form.data)
    plain = time.process_time() - begin
    rule = max(classifier.rules, key=lambda r: len(r.phrases))
    pattern = re.compile("|".join(to_patterns(rule.phrases)[:50]).encode())
    begin = time.process_time()
    sum(1 for _ in pattern.finditer(form.data))
    one = time.process_time() - begin
    print(
        f"  peer, hyperscan alone: {size / plain / 1e6:.1f} MB/s; all of classification takes {spent / plain:.1f} times as long"
    )
    print(
        f"  peer, re with 50 phrases of one rule: {size / one / 1e6:.1f} MB/s;"
        f" all {len(classifier.rules)} rules take {spent / one:.2f} times as long"
    )


LONG_TEXTS = {
    "sentences": "my order is late again and nobody answers the phone. मेरा पैसा वापस करो। ",
    "one letter": "a",
    "one Thai letter": "ก",
    "marks from right to left": "\u202e\u200f",
    "words of phrases with gaps": "hindi po not ko na wala never ang no ",
    "no separators": "अबकतमन",
}
"""What messages of many megabytes are made of."""


def bench_long_texts() -> None:
    """Messages of 1, 2 and 4 MB, and one interaction of ten thousand messages: the time per byte stays."""
    for name, part in LONG_TEXTS.items():
        size = len(part.encode())
        texts = [[part * (megabytes * 1_000_000 // size)] for megabytes in (1, 2, 4)]
        speeds = " ".join(
            f"{mb} MB {_speed(own):5.1f} MB/s" for mb, own in zip((1, 2, 4), texts, strict=True)
        )
        print(f"classify, one message, {name:<26} {speeds}")
    sentence = LONG_TEXTS["sentences"]
    speeds = " ".join(f"{n:,} {_speed([sentence] * n):5.1f} MB/s" for n in (2_500, 5_000, 10_000))
    print(f"classify, one interaction, so many messages {speeds}")


def _speed(texts: list[str]) -> float:
    """MB/s for one interaction with these messages."""
    messages = [{"speaker": "agent" if n % 2 else "customer", "text": text} for n, text in enumerate(texts)]
    head = {"interaction_id": "x", "channel": "chat", "started_at": "2026-01-01T00:00:00Z"}
    batch = to_record_batch([{**head, "messages": messages}])
    classifier = load_classifier()
    begin = time.process_time()
    classify_batch(batch, classifier)
    return sum(len(t.encode()) for t in texts) / (time.process_time() - begin) / 1e6


def bench_command(count: int, jobs: int) -> None:
    """The command on a file of `count` records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write_records(count, path)
        arguments = ["classify", str(path), "-o", f"{folder}/labelled.parquet", "--jobs", str(jobs)]
        bench_carelog(arguments, count, path.stat().st_size)


if __name__ == "__main__":
    own = training_records()
    bench_languages(own)
    bench_core("training records", own)
    bench_core("long mails", long_mails(own))
    bench_long_texts()
    bench_command(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2
    )
