"""JSON in every wrapping in which systems deliver it: lines, arrays, pages, objects without anything between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.goldens import read_files

from carelog.sources.formats._json_keys import find_keys, find_list, first_keys


def ticket(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "requester_id": 7,
        "submitter_id": 7,
        "created_at": "2026-09-14T02:00:00Z",
        "description": f"the lamp {number} is dark",
        **more,
    }


def read(tmp_path: Path, text: str, **options: Any) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Record ids, rejects and findings of a text."""
    path = tmp_path / "tickets"
    path.write_text(text, encoding="utf-8")
    found = read_files(path, **options)
    assert found.formats == {"zendesk"}
    return [value["source"]["record_id"] for value in found.values], found.rejects, found.findings


THREE = [ticket(n) for n in (1, 2, 3)]
PAGE = {"tickets": THREE, "users": [{"id": 7, "name": "Ana"}], "next_page": None, "count": 3}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(THREE), id="array"),
        pytest.param("\n".join(map(json.dumps, THREE)), id="lines"),
        pytest.param("".join(map(json.dumps, THREE)), id="nothing between"),
        pytest.param(json.dumps(THREE[0]) + json.dumps(THREE[1]) + "\n" + json.dumps(THREE[2]), id="both"),
        pytest.param("\n".join(json.dumps(t, indent=2) for t in THREE), id="printed one after another"),
        pytest.param(json.dumps(PAGE), id="page"),
        pytest.param(json.dumps(PAGE, indent=1), id="page over lines"),
        pytest.param(
            json.dumps({**PAGE, "tickets": THREE[:2]}) + json.dumps({"tickets": THREE[2:]}), id="pages"
        ),
        pytest.param(json.dumps({"tickets": {str(t["id"]): t for t in THREE}}), id="by their ids"),
        pytest.param(json.dumps([{"tickets": THREE[:1]}, {"tickets": THREE[1:]}]), id="array of pages"),
    ],
)
def test_every_wrapping_gives_the_same_records(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == (["1", "2", "3"], [], [])


def test_broken_record_of_a_page_costs_only_itself(tmp_path: Path) -> None:
    text = json.dumps(PAGE, indent=1).replace('"the lamp 2 is dark"', '"the "lamp" 2 is dark')
    ids, rejects, findings = read(tmp_path, text)
    assert (ids, rejects, findings) == (["1", "3"], ["not_json"], [("warning", "page_cut")])


def test_record_of_a_page_is_put_aside_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({**PAGE, "tickets": [THREE[0], 5, {"id": 9}]}), encoding="utf-8")
    found = read_files(path)
    assert (len(found.values), found.rejects) == (1, ["not_object", "not_a_ticket"])


def test_comments_and_commas_of_documentation_are_left_out_with_a_remark(tmp_path: Path) -> None:
    text = '[{"id": 1, "requester_id": 7, // who asks\n "submitter_id": 7, "subject": "a // b",},]'
    ids, rejects, findings = read(tmp_path, text)
    assert (ids, rejects, findings) == (["1"], [], [("warning", "json_mended")])


def test_key_that_a_vendor_writes_twice_is_a_remark(tmp_path: Path) -> None:
    text = json.dumps(THREE[0])[:-1] + ', "id": 8}'
    assert read(tmp_path, text) == (["8"], [], [("warning", "duplicate_key")])


def test_keys_are_found_by_their_path() -> None:
    head = b'{"meta": {"a": [1]}, "data": {"payload": [{"id": 1, "x": {"y": 2}}, {"z": 3'
    assert find_keys(head) == {
        "": {"meta", "data"},
        "meta": {"a"},
        "data": {"payload"},
        "data.payload": {"id", "x"},
        "data.payload.x": {"y"},
    }
    assert first_keys(head, ("calls", "data.payload")) == ({"id", "x"}, "data.payload")
    assert first_keys(head, ()) == ({"meta", "data"}, None)
    start = find_list(head, ("data.payload",))
    assert start is not None and head[start : start + 8] == b'[{"id": '
    assert find_list(head, ("payload",)) is None
