"""Rules made ready lie in the private cache, and match from there as when they were new."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from carelog.classification import prepared
from carelog.classification.compiled import are_patterns_ready, prepare_patterns
from carelog.classification.matching import compile_expressions, scan, to_expressions
from carelog.classification.normal import to_normal_form
from carelog.classification.prepared import cache_key, prepare_rules
from carelog.classification.rulebook import Rule
from carelog.errors import UsageProblem

RULES = (
    Rule(
        "en.test.one",
        "activity.order",
        phrases=("not .. work", "late", "ab* .. cd* now"),
        not_before=("never", "at no"),
    ),
    Rule("en.test.two", "activity.order", pattern=r"ref[0-9]{2,4}", not_after=("later",)),
)
TEXTS = pa.array(["it is not going to work. never late", "late, ref123 later", "ref4567 abc x cde now", ""])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_from_the_cache_they_match_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    form = to_normal_form(TEXTS)
    expressions = to_expressions(RULES)
    new = scan(compile_expressions(expressions), expressions, form)
    first = prepare_rules(RULES)
    monkeypatch.setattr(prepared, "to_expressions", None)
    kept = prepare_rules(RULES)
    # The pattern ends after two, three and four digits.
    assert (new.rules.tolist(), new.segments.tolist()) == ([0, 0, 0, 1, 1, 1], [0, 1, 2, 2, 2, 2])
    for expressions, database in (first, kept):
        found = scan(database, expressions, form)
        for name in ("rules", "starts", "ends", "segments", "gapped"):
            assert np.array_equal(getattr(found, name), getattr(new, name))


@pytest.mark.parametrize("kept", [0, 10, 5000, -3000])
def test_a_file_that_is_half_there_is_made_anew(kept: int, tmp_path: Path) -> None:
    prepare_rules(RULES)
    file = tmp_path / "carelog" / cache_key(RULES)
    whole = file.read_bytes()
    file.write_bytes(whole[:kept])
    expressions, database = prepare_rules(RULES)
    assert len(scan(database, expressions, to_normal_form(TEXTS)).rules) == 6
    assert file.read_bytes() == whole


def test_no_rules_match_nothing() -> None:
    expressions, database = prepare_rules(())
    assert len(scan(database, expressions, to_normal_form(TEXTS)).rules) == 0


def test_other_words_lie_under_another_key() -> None:
    other = (RULES[0], Rule("en.test.two", "activity.order", pattern="ref"))
    assert cache_key(RULES) != cache_key(other)


def test_a_pattern_that_cannot_be_compiled_is_told() -> None:
    with pytest.raises(UsageProblem, match="cannot be compiled"):
        prepare_rules((Rule("en.test.bad", "activity.order", pattern="a(?=b)"),))


def test_rulebooks_are_ready_once_they_were_prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = type("Book", (), {"rules": RULES})
    monkeypatch.setattr("carelog.classification.compiled.load_rulebook", cache(lambda own: small))
    assert not are_patterns_ready()
    prepare_patterns()
    assert are_patterns_ready()
    (tmp_path / "carelog" / cache_key(RULES)).unlink()
    assert not are_patterns_ready()
