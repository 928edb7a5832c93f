"""Runs a command and measures it: wall time, and the peak memory of all of its processes together (Linux)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """`peak_rss` counts pages that processes share once for each, `peak_pss` once; both in bytes."""

    seconds: float
    peak_rss: int
    peak_pss: int
    exit_code: int


def measure(command: list[str], interval: float = 0.1) -> Measured:
    """Run a command to its end, looking at its processes every `interval` seconds."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rss = pss = 0
    while process.poll() is None:
        now = [_memory_of(pid) for pid in _family(process.pid)]
        rss, pss = max(rss, sum(r for r, _ in now)), max(pss, sum(p for _, p in now))
        time.sleep(interval)
    return Measured(time.perf_counter() - begin, rss, pss, process.returncode)


def bench_carelog(arguments: list[str], records: int, size: int) -> None:
    """Run the installed command on `records` records of `size` bytes; print records/s, MB/s, peak memory and how it ended."""
    carelog = shutil.which("carelog", path=str(Path(sys.executable).parent)) or "carelog"
    found = measure([carelog, *arguments])
    name = " ".join([arguments[0], *(word for word in arguments if word.startswith("--"))])
    print(f"{name}: {records:,} records, {size / 1e6:,.0f} MB, exit {found.exit_code}")
    speed = f"{records / found.seconds:,.0f} records/s, {size / found.seconds / 1e6:.1f} MB/s"
    print(f"  {found.seconds:.1f} s, {speed}")
    print(f"  peak memory {found.peak_pss / 1e6:.0f} MB (sum of RSS {found.peak_rss / 1e6:.0f} MB)")


def _family(pid: int) -> list[int]:
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in path.read_text().split():
                found += _family(int(child))
        except OSError:
            continue
    return found


def _memory_of(pid: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:] if line.endswith("kB")}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)
