"""Where labels are pointed at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from carelog.classification.classifier import compile_classifier, measure_batch
from carelog.classification.classify import classify_batch
from carelog.classification.compiled import RulebookFile, load_classifier
from carelog.classification.labelling import read_scores
from carelog.classification.model import load_model
from carelog.classification.places import point
from carelog.classification.pointing import POINTED, TEXT_SHAPE, text_columns
from carelog.classification.rulebook import load_packaged, merge_rulebooks
from carelog.columns import to_record_batch

TALKS = {
    "en": (
        ("c", "hello, nice weather today isn't it"),
        ("a", "lovely indeed, and what brings you here?"),
        ("c", "you charged me twice for the same month and nobody answers my mails, that is a disgrace"),
        ("a", "i am sorry, i will return the second charge today"),
        ("c", "ok bye"),
    ),
    "hi": (
        ("c", "नमस्ते जी, मौसम बड़ा अच्छा है"),
        ("a", "जी सही कहा, बताइए"),
        ("c", "तीसरी बार बिल गलत आया है, बहुत घटिया सर्विस है आपकी, शिकायत लिखिए"),
        ("a", "माफ़ी चाहते हैं, बिल ठीक करवा देते हैं"),
        ("c", "चलिए नमस्ते"),
    ),
    "tl": (
        ("c", "hello po good morning, kain na"),
        ("a", "hehe kakatapos lang po, ano po ang atin?"),
        ("c", "pangatlong beses na mali ang bill nyo, ang pangit ng serbisyo, irereklamo ko na kayo"),
        ("a", "pasensya na po, ipapaayos ko po ang bill"),
        ("c", "sige po ingat"),
    ),
}


def talk(lines: tuple[tuple[str, str], ...], **more: Any) -> dict[str, Any]:
    names = {"c": "customer", "a": "agent"}
    messages = [{"speaker": names[who], "text": text} for who, text in lines]
    head = {"interaction_id": "x", "channel": "chat", "started_at": "2026-01-01T00:00:00Z"}
    return {**head, "messages": messages, **more}


def scores_of(record: dict[str, Any], label: str) -> np.ndarray:
    classifier = load_classifier()
    batch = to_record_batch([record])
    given = np.zeros((1, len(POINTED)), bool)
    given[0, POINTED.index(label)] = True
    measured = measure_batch(batch, classifier, read_scores(batch))
    segments = np.arange(len(record["messages"]))
    found = point(measured, classifier, given)
    return found.look_up(segments, np.full(len(segments), POINTED.index(label)))


@pytest.mark.parametrize("language", TALKS)
def test_the_message_that_complains_shows_the_complaint_best(language: str) -> None:
    assert int(scores_of(talk(TALKS[language]), "activity.complaint").argmax()) == 2


def test_scores_do_not_depend_on_what_else_is_in_the_batch() -> None:
    records = [talk(lines, interaction_id=language) for language, lines in TALKS.items()]
    whole = classify_batch(to_record_batch(records), load_classifier()).column("evidence")
    alone = [classify_batch(to_record_batch([r]), load_classifier()).column("evidence") for r in records]
    assert pa.concat_arrays(alone).equals(whole)


def test_the_name_of_a_queue_is_no_place() -> None:
    record = talk((("c", "it is about my membership, what now"),), queue="Retention and cancellation")
    (row,) = classify_batch(to_record_batch([record]), load_classifier()).column("evidence").to_pylist()
    activities = [e for e in row if e["label"].startswith("activity.") and e["rule"] == "model.votes"]
    assert not [e for e in activities if e["field"] == "queue"]


def test_a_rule_of_ones_own_is_shown_wherever_it_matches() -> None:
    book = (
        '[rulebook]\nname = "own"\nversion = "1"\n[[rule]]\nid = "own.fish"\nlabel = "activity.complaint"\nweight = 3\n'
        'phrases = ["fish of the day"]\nmatch = ["the fish of the day", "fish of the day?", "our fish of the day"]\nno_match = ["no fish"]\n'
    )
    classifier = load_classifier((RulebookFile("own.toml", book.encode()),))
    record = talk((("a", "good morning, fish of the day"), *TALKS["en"]))
    (row,) = classify_batch(to_record_batch([record]), classifier).column("evidence").to_pylist()
    assert [e["message"] for e in row if e["rule"] == "own.fish"] == [0]


def test_weights_follow_their_signal_into_another_rulebook() -> None:
    model, whole = load_model(), merge_rulebooks(load_packaged())
    fewer = compile_classifier(replace(whole, rules=whole.rules[10:40]), model)
    every = compile_classifier(whole, model)
    assert set(fewer.signals) < set(every.signals)
    places = {name: at for at, name in enumerate(text_columns(every.signals))}
    for at, name in enumerate(text_columns(fewer.signals)):
        assert np.array_equal(fewer.pointer.weights[at], every.pointer.weights[places[name]])
    assert text_columns(())[1:] == TEXT_SHAPE
