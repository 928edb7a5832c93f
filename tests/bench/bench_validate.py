"""How fast `carelog validate` is, and how much memory it takes.

python tests/bench/bench_validate.py [RECORDS [JOBS]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from make_records import write_records
from measure import bench_carelog


def main(count: int, jobs: int) -> None:
    """Make `count` records and validate them, without and with a copy of the accepted ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write_records(count, path)
        for extra in ([], ["--accepted", str(path.with_name("accepted.parquet"))]):
            arguments = ["validate", str(path), "--jobs", str(jobs), *extra]
            bench_carelog(arguments, count, path.stat().st_size)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
