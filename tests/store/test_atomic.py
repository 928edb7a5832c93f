"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carelog.errors import UnwritableOutput, UsageProblem
from carelog.store.atomic import Outputs, check_outputs, write_whole


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_output_appears_when_the_block_ends(tmp_path: Path) -> None:
    with write_whole(tmp_path / "a") as file:
        file.write(b"whole")
        assert "a" not in names_in(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert names_in(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_after_a_failure_all_is_as_it_was(tmp_path: Path, kind: type[BaseException]) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(kind), Outputs() as outputs:
        outputs.open(tmp_path / "a").write(b"new")
        outputs.open(tmp_path / "b").write(b"new")
        raise kind
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_several_outputs_appear_together(tmp_path: Path) -> None:
    with Outputs() as outputs:
        files = [outputs.open(tmp_path / name) for name in "ab"]
        for file in files:
            file.write(b"x" * 3_000_000)
        assert not {"a", "b"} & set(names_in(tmp_path))
    assert names_in(tmp_path) == ["a", "b"]
    assert (tmp_path / "b").stat().st_size == 3_000_000


def test_a_draft_is_hidden_and_lies_beside_its_target(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.open(tmp_path / "a.jsonl")
        (name,) = names_in(tmp_path)
    assert name.startswith(".a.jsonl.")


@pytest.mark.parametrize("target", ["no/such/a", "folder", "file/a"])
def test_what_cannot_be_written_is_said_before_anything_is(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableOutput), Outputs() as outputs:
        outputs.open(tmp_path / "good").write(b"x")
        outputs.open(tmp_path / target)
    assert names_in(tmp_path) == ["file", "folder"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everything")
def test_a_write_protected_output_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(UnwritableOutput), Outputs() as outputs:
        outputs.open(tmp_path / "a")


def test_a_pipe_or_device_is_written_to_directly() -> None:
    with Outputs() as outputs:
        outputs.open("/dev/null").write(b"x")
    assert not Path("/dev/null").is_file()


def test_an_output_may_not_be_an_input_nor_stand_twice(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.touch()
    link.symlink_to(path)
    check_outputs([path, None, "-", tmp_path / "b"], [None, tmp_path / "c"])
    for outputs, inputs in (([path], [path]), ([link], [path]), ([path, link], []), (["-", "-"], [])):
        with pytest.raises(UsageProblem):
            check_outputs(outputs, inputs)
