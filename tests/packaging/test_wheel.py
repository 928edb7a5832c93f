"""What users install is the wheel: it is built, installed apart from the tree, and does the whole job."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel (a build in a copy of the tree would be cleaner and takes as long again)."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--quiet",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return next(folder.glob("carelog-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `python -m carelog…` is the wheel's, not the tree's."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return {**os.environ, "PYTHONPATH": str(target)}


def run(environment: dict[str, str], *arguments: str, where: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from carelog.app import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=where,
        text=True,
        capture_output=True,
        timeout=300,
    )


def test_the_wheel_carries_all_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (
        ("schemas", "carelog/schemas"),
        ("sample_logs", "carelog/sample_logs"),
        ("cli/carelog", "carelog"),
    ):
        files = subprocess.run(
            ["git", "ls-files", folder], cwd=ROOT, text=True, capture_output=True, check=True
        ).stdout.split()
        missing = {
            f for f in files if f"{inside}/{Path(f).relative_to(folder)}" not in names and (ROOT / f).exists()
        }
        assert missing == set()


def test_the_wheel_is_what_runs(installed: dict[str, str], tmp_path: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import carelog; print(carelog.__file__)"],
        env=installed,
        cwd=tmp_path,
        text=True,
        capture_output=True,
    )
    assert where.stdout.startswith(installed["PYTHONPATH"])


def test_the_whole_job_runs_from_the_wheel(installed: dict[str, str], tmp_path: Path) -> None:
    samples = Path(installed["PYTHONPATH"]) / "carelog" / "sample_logs"
    assert run(installed, "validate", str(samples / "valid"), where=tmp_path).returncode == 0
    assert run(installed, "validate", str(samples), where=tmp_path).returncode == 1
    labelled = run(installed, "classify", str(samples / "valid"), "-o", "labelled.parquet", where=tmp_path)
    assert labelled.returncode == 0, labelled.stderr
    report = run(
        installed, "summarize", "labelled.parquet", "-o", "report.html", "-o", "report.json", where=tmp_path
    )
    assert report.returncode == 0, report.stderr
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")[:500]


@pytest.mark.slow
def test_the_command_line_tests_hold_for_the_wheel(installed: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/commands/test_validate.py", "tests/commands/test_classify.py"],
        env=installed, cwd=ROOT, text=True, capture_output=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
