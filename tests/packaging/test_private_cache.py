"""The private cache: kept between runs, never shared with others, and it does not grow."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from carelog import resources
from carelog.resources import cached_bytes, is_cached, read_cached


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "carelog"


def never() -> bytes:
    raise AssertionError("made although it lies in the cache")


def age(file: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(file, (then, then))


def test_made_once(folder: Path) -> None:
    assert cached_bytes("one", lambda: b"x") == b"x"
    assert (is_cached("one"), read_cached("one"), cached_bytes("one", never)) == (True, b"x", b"x")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_there(folder: Path) -> None:
    assert (is_cached("one"), read_cached("one")) == (False, None)


def test_a_folder_that_others_can_write_to_is_passed_over(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "one").write_bytes(b"not mine")
    assert read_cached("one") is None
    assert cached_bytes("one", lambda: b"mine") == b"mine"
    assert (folder / "one").read_bytes() == b"not mine"


def test_only_the_files_used_last_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "KEPT_FILES", 3)
    for place, key in enumerate("abc"):
        cached_bytes(key, key.encode)
        age(folder / key, 100 - place)
    read_cached("a")
    cached_bytes("d", lambda: b"d")
    assert sorted(f.name for f in folder.iterdir()) == ["a", "c", "d"]


def test_no_more_bytes_stay_than_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "KEPT_BYTES", 25)
    for place, key in enumerate("abc"):
        cached_bytes(key, lambda: bytes(10))
        age(folder / key, 100 - place)
    assert sorted(f.name for f in folder.iterdir()) == ["b", "c"]
    assert cached_bytes("large", lambda: bytes(99)) == bytes(99)
    assert [f.name for f in folder.iterdir()] == ["large"]


def test_what_an_ended_run_left_goes_but_not_what_another_writes(folder: Path) -> None:
    cached_bytes("a", lambda: b"a")
    for name, seconds in (("draft-old", 9999), ("draft-new", 1)):
        (folder / name).write_bytes(b"half")
        age(folder / name, seconds)
    cached_bytes("b", lambda: b"b")
    assert sorted(f.name for f in folder.iterdir()) == ["a", "b", "draft-new"]
