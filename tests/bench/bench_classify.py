"""How fast classification is: MB of text per second and core with all languages loaded, and that time grows with the text.

python tests/bench/bench_classify.py [RECORDS [JOBS]]

The peer is pyarrow's RE2 with a single rule's phrases as one alternation over the same column: what a rule costs where
every rule is a pass of its own.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from make_records import write_records
from measure import measure

from carelog.classification.classify import classify_batch
from carelog.classification.compiled import load_classifier
from carelog.classification.patterns import to_patterns
from carelog.columns import to_record_batch

SAMPLES = Path(__file__).parents[2] / "cli" / "training" / "records"


def text_batch() -> tuple[pa.RecordBatch, int]:
    """The training records as a batch (every language, every channel), and how many bytes of text they hold."""
    sys.path.insert(0, str(SAMPLES.parent))
    from compact import load_records

    records, _ = load_records(SAMPLES)
    size = sum(len(m["text"].encode()) for r in records for m in r.get("messages", []))
    return to_record_batch(records), size


def bench_core() -> None:
    """One core, records as they are: short messages, evidence for every label."""
    classifier = load_classifier()
    batch, size = text_batch()
    classify_batch(batch, classifier)
    begin = time.process_time()
    for _ in range(3):
        classify_batch(batch, classifier)
    spent = (time.process_time() - begin) / 3
    rule = max(classifier.rules, key=lambda r: len(r.phrases))
    pattern = "|".join(p.replace("\\x", "\\x") for p in to_patterns(rule.phrases)[:50])
    texts = batch.column("messages").flatten().field("text")
    begin = time.process_time()
    pc.match_substring_regex(texts.cast(pa.binary()), pattern)
    peer = time.process_time() - begin
    rules = len(classifier.rules)
    print(
        f"classify, one core: {size / spent / 1e6:.1f} MB of text/s, {batch.num_rows / spent:,.0f} records/s ({rules} rules, all languages)"
    )
    print(
        f"  peer, RE2 with 50 phrases of one rule: {size / peer / 1e6:.1f} MB/s; all {rules} rules in the time of {spent / peer:.1f} such passes"
    )


def bench_long_texts() -> None:
    """Messages of 1, 2 and 4 MB: the time per byte stays."""
    classifier = load_classifier()
    for megabytes in (1, 2, 4):
        text = ("my order is late again and nobody answers the phone. मेरा पैसा वापस करो। " * 12_000)[
            : megabytes * 700_000
        ]
        record = {
            "interaction_id": "x",
            "channel": "chat",
            "started_at": "2026-01-01T00:00:00Z",
            "messages": [{"speaker": "customer", "text": text}],
        }
        batch = to_record_batch([record])
        begin = time.process_time()
        classify_batch(batch, classifier)
        spent = time.process_time() - begin
        size = len(text.encode()) / 1e6
        print(f"classify, one message of {size:.1f} MB: {spent:.2f} s, {size / spent:.1f} MB/s")


def bench_command(count: int, jobs: int) -> None:
    """The command on a file of `count` records: records/s, MB/s and peak memory."""
    carelog = shutil.which("carelog", path=str(Path(sys.executable).parent)) or "carelog"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write_records(count, path)
        size = path.stat().st_size
        found = measure(
            [carelog, "classify", str(path), "-o", f"{folder}/labelled.parquet", "--jobs", str(jobs)]
        )
        print(f"classify: {count:,} records, {size / 1e6:,.0f} MB, jobs {jobs}, exit {found.exit_code}")
        print(
            f"  {found.seconds:.1f} s, {count / found.seconds:,.0f} records/s, {size / found.seconds / 1e6:.1f} MB/s"
        )
        print(f"  peak memory {found.peak_pss / 1e6:.0f} MB (sum of RSS {found.peak_rss / 1e6:.0f} MB)")


if __name__ == "__main__":
    bench_core()
    bench_long_texts()
    bench_command(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2
    )
