"""Makes the modules of the summary's tests importable, and a real headless Chromium where there is one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "summary"))

from command_line import run
from labelled_maker import make_labelled

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="session")
def labelled_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("year") / "labelled.parquet"
    pq.write_table(make_labelled(6000, 11, agents=40), path)
    return path


@pytest.fixture(scope="session")
def page(labelled_year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "report.html"
    result = run(
        "summarize", labelled_year, "--from", "2026-07", "--to", "2026-12", "--compare", "previous",
        "--top", "complaints", "-o", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return out


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[object]:
    """A browser with an empty profile that cannot leave this machine: names of hosts lead nowhere."""
    webdriver = pytest.importorskip("selenium.webdriver")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def axe() -> str:
    """The source of axe-core, whose place is in CARELOG_AXE (the folder of the package or the file)."""
    place = os.environ.get("CARELOG_AXE")
    if not place:
        pytest.skip("CARELOG_AXE does not say where axe-core (npm) is")
    path = Path(place)
    return (path / "axe.min.js" if path.is_dir() else path).read_text("utf-8")
