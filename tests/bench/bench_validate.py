"""How fast `carelog validate` is, and how much memory it takes.

python tests/bench/bench_validate.py [RECORDS [JOBS]]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from make_records import write_records
from measure import measure


def main(count: int, jobs: int) -> None:
    """Make `count` records, validate them, print records/s, MB/s and peak memory."""
    carelog = shutil.which("carelog", path=str(Path(sys.executable).parent)) or "carelog"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write_records(count, path)
        size = path.stat().st_size
        for extra in ([], ["--accepted", str(path.with_name("accepted.parquet"))]):
            found = measure([carelog, "validate", str(path), "--jobs", str(jobs), *extra])
            name = " ".join(["validate", *(word for word in extra if word.startswith("--"))])
            speed = f"{count / found.seconds:,.0f} records/s, {size / found.seconds / 1e6:.0f} MB/s"
            print(f"{name}: {count:,} records, {size / 1e6:,.0f} MB, jobs {jobs}, exit {found.exit_code}")
            print(f"  {found.seconds:.1f} s, {speed}")
            print(f"  peak memory {found.peak_pss / 1e6:.0f} MB (sum of RSS {found.peak_rss / 1e6:.0f} MB)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
