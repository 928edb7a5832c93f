"""The options that join answers to surveys, the same in every command that reads exports into records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from carelog.commands.file_type import FILE
from carelog.commands.notices import Notices
from carelog.errors import UsageProblem
from carelog.sources.blocks import ReadOptions
from carelog.sources.surveys import Surveys, load_surveys

Command = TypeVar("Command", bound=Callable[..., Any])


def survey_options(command: Command) -> Command:
    """--surveys, --on, --survey-score."""
    for decorate in reversed(
        (
            click.option(
                "--surveys", metavar="F", type=FILE, multiple=True,
                help="Answers to a survey (CSV of Qualtrics, SurveyMonkey or others) to join; needs --on.",
            ),
            click.option(
                "--on", "survey_key", metavar="KEY",
                help="What joins an answer to its interaction: FIELD=COLUMN, or one name for both.",
            ),
            click.option(
                "--survey-score", "survey_scores", metavar="COLUMN=SCALE", multiple=True,
                help="Where a survey's score is and its scale: csat_5, nps_10, ces_7, thumbs, percent.",
            ),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


def to_surveys(
    paths: tuple[str, ...], key: str | None, scores: tuple[str, ...], options: ReadOptions, notices: Notices
) -> Surveys | None:
    """The answers to join, or None; what there is of them is said. UsageProblem if half is missing."""
    if not paths:
        if key is not None or scores:
            raise UsageProblem("--on and --survey-score go with --surveys", "name the survey: --surveys F")
        return None
    if key is None:
        raise UsageProblem("--surveys needs --on KEY", "such as --on interaction_id=ticket_id")
    surveys = load_surveys(paths, key, scores, options)
    text = f"{len(surveys.answers):,} answers to surveys by {key}, {surveys.scored:,} with a score"
    if surveys.unkeyed:
        text += f", {surveys.unkeyed:,} left out without a key"
    notices.note(text, answers=len(surveys.answers), scored=surveys.scored, unkeyed=surveys.unkeyed)
    if surveys.answers and not surveys.scored:
        notices.warn("no column of the surveys looks like a score; say it with --survey-score COLUMN=SCALE")
    return surveys


def tell_joined(surveys: Surveys | None, key: str | None, joined: int, notices: Notices) -> None:
    """Say how many records got an answer; where none did, that the key may be another one."""
    if surveys is None or not surveys.answers:
        return
    if joined:
        notices.note(f"{joined:,} records got an answer", joined=joined)
    else:
        notices.warn(f"no record got an answer by {key}: write --on FIELD=COLUMN, the record's field first")
