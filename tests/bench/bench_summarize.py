"""How long a summary of many labelled interactions takes, to all formats, and how much memory: not run by
pytest.

python tests/bench/bench_summarize.py [ROWS]

Prints rows per second, seconds and the peak memory of the process. The target is 1,000,000 rows under 20 s
and 1 GB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAKER = Path(__file__).parents[1] / "summary" / "labelled_maker.py"
ENDINGS = ("html", "md", "json", "csv", "txt", "xlsx")


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "labelled.parquet"
        # Made by another process: a child begins with the peak memory of the process that it was forked from.
        subprocess.run([sys.executable, str(MAKER), str(rows), str(file)], check=True)
        outputs = [part for e in ENDINGS for part in ("-o", f"{folder}/report.{e}")]
        period = ["--from", "2026-07", "--to", "2026-12", "--compare", "previous"]
        program = str(Path(sys.executable).with_name("carelog"))
        begun = time.perf_counter()
        running = subprocess.Popen([program, "summarize", str(file), *period, *outputs, "-q"])
        _, status, usage = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - begun
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            sys.exit(running.returncode)
        sizes = ", ".join(f"{e} {Path(folder, f'report.{e}').stat().st_size / 1e6:.1f} MB" for e in ENDINGS)
    busy = usage.ru_utime + usage.ru_stime
    print(f"summarize {rows:,} rows: {seconds:.1f} s ({busy:.1f} s of CPU), {rows / seconds:,.0f} rows/s")
    print(f"peak memory {usage.ru_maxrss / 1024:.0f} MB; {sizes}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
