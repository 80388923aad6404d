"""Answers of another form than the project's questions take are respelled if nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from labelbox_project_help import converted, question, told, tool

from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keyframe,
    Radio,
    Sample,
    Track,
    Video,
)

IMAGE = Image(40, 30)
BOX = Box(2.0, 3.0, 12.0, 9.0)
ASKED = [
    question("radio", "weather", "dry", "wet", scope="global"),
    question("checklist", "tags", "city", "night", scope="global"),
    question("text", "note", scope="global"),
]


@pytest.mark.parametrize(
    ("name", "answer", "written"),
    [
        ("tags", Radio("city"), [{"name": "city"}]),
        ("weather", Checklist((Radio("wet"),)), {"name": "wet"}),
        ("tags", Checklist((Radio("city"),)), [{"name": "city"}]),
        ("weather", Radio("dry"), {"name": "dry"}),
    ],
)
def test_one_tick_and_one_choice_are_written_as_the_question_asks(
    tmp_path: Path, name: str, answer: Radio | Checklist, written: Any
) -> None:
    asked = Classification(name, answer)
    box = [tool("rectangle", "box", *ASKED)]
    sample = Sample("a", IMAGE, (Annotation("1", "box", BOX, (asked,)),), (asked,))
    lines, report = converted(tmp_path, sample, tools=box, asked=ASKED)
    assert (lines[0]["classifications"][0]["answer"], lines[1]["answer"]) == (written, written)
    changed = isinstance(written, list) != isinstance(answer, Checklist)
    assert told(report) == ({"L413": 2} if changed else {})
    for account in (report.ledger.annotations, report.ledger.classifications):
        assert (account.read, account.changed, account.kept) == (1, changed, not changed)


def test_answers_below_options_and_texts_and_on_keyframes_are_respelled(tmp_path: Path) -> None:
    below = question("checklist", "how", "rain")
    wet = {**question("radio", "weather", "wet"), "scope": "global"}
    wet["options"][0]["options"] = [below]
    note = {**question("text", "note", ""), "scope": "global"}
    note["options"][0]["options"] = [below]
    rain = (Classification("how", Radio("rain")),)
    sample = Sample(
        "a",
        IMAGE,
        (),
        (
            Classification("weather", Radio("wet", rain)),
            Classification("note", FreeText("x", rain)),
        ),
    )
    lines, report = converted(tmp_path, sample, asked=[wet, note])
    assert told(report) == {"L413": 2}
    assert report.ledger.classifications.changed == 2
    assert lines[0]["answer"]["classifications"] == [{"name": "how", "answer": [{"name": "rain"}]}]
    assert lines[1]["classifications"] == [{"name": "how", "answer": [{"name": "rain"}]}]
    track = Track(((Keyframe(0, BOX, rain), Keyframe(4, BOX)),))
    video = Sample("a", Video(40, 30), (Annotation("1", "box", track),))
    lines, report = converted(tmp_path, video, tools=[tool("rectangle", "box", below)])
    first = lines[0]["segments"][0]["keyframes"][0]
    assert first["classifications"] == [{"name": "how", "answer": [{"name": "rain"}]}]
    assert report.ledger.annotations.changed == 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("weather", Checklist((Radio("wet"), Radio("dry")))),
        ("weather", FreeText("wet")),
        ("note", Radio("wet")),
        ("tags", FreeText("city")),
    ],
)
def test_other_answers_of_another_kind_are_rejected_though_losses_are_allowed(
    tmp_path: Path, name: str, answer: Any
) -> None:
    asked = (Classification(name, answer), Classification("note" if name != "note" else "tags",
             FreeText("x") if name != "note" else Radio("city")))  # fmt: skip
    lines, report = converted(tmp_path, Sample("a", IMAGE, (), asked), asked=ASKED, allow=["loss"])
    assert len(lines) == 1
    assert [each.code for each in report.problems if each.severity == "error"] == ["O303"]
    assert report.ledger.classifications.rejected == 1
