"""A small rulebook and a model that knows nothing, so that what rules do can be foretold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from carelog.classification import compiled, rulebook
from carelog.classification.model import OUTPUTS, empty_model

SMALL = """
[rulebook]
name = "carelog-en"
version = "1"
language = "en"

[[rule]]
id = "en.lampcare.repeat"
label = "activity.complaint"
speaker = "customer"
phrases = ["third time", "again and again"]
not_before = ["not"]
match = ["This is the third time it broke.", "It fails again and again!"]
no_match = ["It is not the third time."]

[[rule]]
id = "en.lampdesk.refund"
label = "activity.return"
phrases = ["refund*", "money back"]
match = ["I want a refund.", "Give me my money back"]
no_match = ["A fund for the roof"]

[[rule]]
id = "en.lampdesk.hello"
label = "stage.greeting"
speaker = "agent"
place = "opening"
phrases = ["hello", "good morning"]
match = ["Hello there", "Good morning to you"]
no_match = ["Othello is on at eight"]

[[rule]]
id = "en.lampmood.perfect"
label = "satisfaction.satisfied"
speaker = "customer"
phrases = ["perfect", "great help"]
match = ["Perfect!", "That was a great help"]
no_match = ["Thanks, bye"]

[[rule]]
id = "en.lampmood.shame"
label = "satisfaction.dissatisfied"
speaker = "customer"
phrases = ["what a shame"]
match = ["What a shame!", "So late, what a shame"]
no_match = ["Shameless plug"]
"""
_STARTS = {"activity": -1.0, "stage": -1.0, "main": 0.0, "orientation": 0.0}


def _bias(output: str) -> float:
    if output in ("orientation.none", "satisfaction.unknown", "outcome.unknown", "touchpoint.none"):
        return 1.0
    return _STARTS.get(output.partition(".")[0], -1.0)


@pytest.fixture
def small_rulebooks(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """carelog with SMALL as its only rulebook, and a model whose every weight is 0."""
    folder = tmp_path_factory.mktemp("small")
    file = folder / "en.toml"
    file.write_text(SMALL, "utf-8")
    blank = replace(empty_model(), bias=np.array([_bias(o) for o in OUTPUTS], np.float32))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(rulebook, "rulebook_files", lambda: [file])
    monkeypatch.setattr(compiled, "load_model", lambda: blank)
    _forget()
    yield file
    _forget()


def _forget() -> None:
    for remembered in (compiled.load_classifier, compiled.load_rulebook):
        getattr(remembered, "cache_clear", lambda: None)()
