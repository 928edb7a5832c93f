"""`make bench`: every benchmark, one after the other. CARELOG_BENCH_RECORDS says how many records (default 100,000)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RECORDS = os.environ.get("CARELOG_BENCH_RECORDS", "100000")


def main() -> None:
    """Run them in processes of their own, so that none warms another up."""
    for name, arguments in (
        ("bench_validate.py", [RECORDS]),
        ("bench_classify.py", [RECORDS]),
        ("bench_summarize.py", []),
        ("bench_sources.py", []),
    ):
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / name), *arguments], cwd=HERE, check=True)


if __name__ == "__main__":
    main()
