"""The page as a file: its size, its policy, its logo and sections, and that nothing points outside."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command_line import labelled, run, write_lines
from labelled_maker import make_labelled

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def write_page(file: Path, out: Path, *more: object) -> str:
    result = run("summarize", file, "-o", out, *more)
    assert result.exit_code == 0, result.stderr
    return out.read_text("utf-8")


def test_a_year_of_200_agents_stays_under_3_megabytes(tmp_path: Path) -> None:
    pq.write_table(make_labelled(40_000, 2, agents=200), tmp_path / "year.parquet")
    write_page(tmp_path / "year.parquet", tmp_path / "out.html")
    assert (tmp_path / "out.html").stat().st_size < 3_000_000


def test_the_policy_allows_this_style_and_script_and_nothing_else(page: Path) -> None:
    text = page.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; ")
    assert "unsafe" not in allowed
    for name in ("style", "script"):
        content = re.search(rf"<{name}[^>]*>(.*?)</{name}>", text, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in allowed


def test_nothing_in_the_page_points_outside(page: Path) -> None:
    text = page.read_text("utf-8")
    addresses = re.findall(r"""(?:\b(?:src|href|action)\s*=|\burl\()\s*["']?([^"')\s>]+)""", text)
    assert addresses
    assert all(a.startswith(("#", "data:image/")) for a in addresses)


def test_there_are_nine_sections_and_each_can_be_left_out(labelled_year: Path, tmp_path: Path) -> None:
    names = [
        "headline",
        "care_service",
        "stages",
        "satisfaction",
        "complaints",
        "journey",
        "style",
        "quality",
        "definitions",
    ]
    whole = write_page(labelled_year, tmp_path / "whole.html")
    assert re.findall(r'<section id="(\w+)"', whole) == names
    few = write_page(labelled_year, tmp_path / "few.html", "--sections", "quality,journey")
    assert re.findall(r'<section id="(\w+)"', few) == ["quality", "journey"]


def test_the_headline_tells_care_from_service_with_change_interval_and_cases(page: Path) -> None:
    text = re.sub(r"<[^>]+>", " ", page.read_text("utf-8").split('id="care_service"')[0].split("<main")[1])
    assert re.search(r"Care share\s+\d+\.\d%\s+[+−]?\d+\.\d pp\s+\d+\.\d–\d+\.\d% · [\d,]+ of [\d,]+", text)
    assert re.search(r"went (up|down) from .* \(.*; n [\d,]+ and [\d,]+\)", text)
    assert re.search(r"Rejected\s+unknown", text)


def test_definitions_name_every_metric_the_rulebook_and_the_settings(page: Path) -> None:
    text = page.read_text("utf-8").split('id="definitions"')[1]
    for words in ("care_share", "wilson", "service_level.formula", "summary.min_group", "0123456789abcdef"):
        assert words in text or words.capitalize() in text


def test_a_logo_stands_inside_the_page(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    (tmp_path / "c.toml").write_text(f"report.logo = '{tmp_path / 'logo.png'}'\n")
    file = write_lines(tmp_path / "a.jsonl", [labelled(i) for i in range(9)])
    text = write_page(file, tmp_path / "out.html", "--config", tmp_path / "c.toml")
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in text


@pytest.mark.parametrize("content", [b"GIF89a", b"", None])
def test_a_logo_that_is_no_image_is_exit_2(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    (tmp_path / "c.toml").write_text(f"report.logo = '{tmp_path / 'logo.png'}'\n")
    file = write_lines(tmp_path / "a.jsonl", [labelled(1)])
    result = run("summarize", file, "-o", tmp_path / "out.html", "--config", tmp_path / "c.toml")
    assert result.exit_code == 2
    assert "report.logo" in result.stderr
    assert not (tmp_path / "out.html").exists()


def test_a_single_interaction_without_anything_known_makes_a_page(tmp_path: Path) -> None:
    bare = labelled(1, orientation=None, care_share=None, activities=[], assessable=False, initiative=None)
    text = write_page(write_lines(tmp_path / "a.jsonl", [bare]), tmp_path / "out.html")
    assert "no cases" in text
    assert "NaN" not in text.split("<script")[0]
    assert ">None<" not in text
