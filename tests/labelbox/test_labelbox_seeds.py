"""The payloads that the user gave: read, and written back equal in meaning.

They are the video and document samples of Labelbox's own pages of 2022; only ids are made up, since
the pages build them when they run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labelbox_media_help import payload, put, samples_of

from labelconv.convert import convert
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    Document,
    Keyframe,
    OnPage,
    Radio,
    Track,
    Video,
)
from labelconv.problems import Report

IDS = {
    name: f"ckseed{number:019d}"
    for number, name in enumerate(
        (
            "radio_classification",
            "radio_option_1",
            "radio_option_2",
            "checklist_classification",
            "checklist_option_1",
            "checklist_option_2",
            "jellyfish",
        )
    )
}
ROW = {"dataRow": {"id": "ckseedrow"}}
RADIO = ROW | {
    "schemaId": IDS["radio_classification"],
    "uuid": "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0001",
    "answer": [
        {
            "schemaId": IDS["radio_option_1"],
            "frames": [{"start": 7, "end": 13}, {"start": 19, "end": 20}],
        },
        {"schemaId": IDS["radio_option_2"], "frames": [{"start": 14, "end": 18}]},
    ],
}
CHECKLIST = ROW | {
    "schemaId": IDS["checklist_classification"],
    "uuid": "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0002",
    "answer": [
        {
            "schemaId": IDS["checklist_option_1"],
            "frames": [{"start": 7, "end": 13}, {"start": 18, "end": 19}],
        },
        {"schemaId": IDS["checklist_option_2"], "frames": [{"start": 1, "end": 18}]},
    ],
}
JELLYFISH = ROW | {
    "uuid": "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0003",
    "schemaId": IDS["jellyfish"],
    "segments": [
        {
            "keyframes": [
                {"frame": 1, "bbox": {"top": 80, "left": 80, "height": 80, "width": 80}},
                {"frame": 20, "bbox": {"top": 125, "left": 125, "height": 200, "width": 300}},
            ]
        },
        {
            "keyframes": [
                {"frame": 27, "bbox": {"top": 80, "left": 50, "height": 80, "width": 50}},
            ]
        },
    ],
}
DOCUMENT = {
    "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
    "name": "box",
    "dataRow": {"id": "ckseedpdf"},
    "bbox": {"top": 50.0, "left": 200.7, "height": 150.8, "width": 200.0},
    "unit": "POINTS",
    "page": 4,
}


def ontology(folder: Path) -> str:
    def question(kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "name": f"{kind}_classification",
            "instructions": f"{kind}_classification",
            "scope": "index",
            "featureSchemaId": IDS[f"{kind}_classification"],
            "options": [
                {
                    "label": f"{kind}_option_{number}",
                    "value": f"{kind}_option_{number}",
                    "featureSchemaId": IDS[f"{kind}_option_{number}"],
                }
                for number in (1, 2)
            ],
        }

    tool = {"tool": "rectangle", "name": "jellyfish", "featureSchemaId": IDS["jellyfish"]}
    path = folder / "ontology.json"
    path.write_text(
        json.dumps({"tools": [tool], "classifications": [question("radio"), question("checklist")]})
    )
    return str(path)


def back(folder: Path, *lines: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """The lines read, and written again by schemaId where the ontology is given."""
    target = folder / "back.ndjson"
    writing = options | ({"names": "schemaId"} if options else {})
    convert(
        put(folder, *lines),
        target,
        from_="labelbox",
        to="labelbox",
        reader_options=options,
        writer_options=writing,
    )
    return [json.loads(line) for line in target.read_text("ascii").splitlines()]


def in_frames(line: dict[str, Any]) -> dict[int, set[str]]:
    """The options that hold in each frame on the wire."""
    held: dict[int, set[str]] = {}
    for item in line["answer"]:
        for each in item["frames"]:
            for frame in range(each["start"], each["end"] + 1):
                held.setdefault(frame, set()).add(item["schemaId"])
    return held


def test_a_radio_that_changes_and_a_checklist_over_frames_are_read_with_all_their_ranges(
    tmp_path: Path,
) -> None:
    report = Report()
    (sample,) = samples_of(put(tmp_path, RADIO, CHECKLIST), report, ontology=ontology(tmp_path))
    assert (sample.key, sample.key_is_id, sample.media) == ("ckseedrow", True, Video())
    assert sample.classifications == (
        Classification("radio_classification", Radio("radio_option_1"), ((6, 13), (18, 20))),
        Classification("radio_classification", Radio("radio_option_2"), ((13, 18),)),
        Classification(
            "checklist_classification",
            Checklist((Radio("checklist_option_1"),)),
            ((6, 13), (17, 19)),
        ),
        Classification(
            "checklist_classification", Checklist((Radio("checklist_option_2"),)), ((0, 18),)
        ),
    )
    assert report.problems == []


def test_without_the_ontology_options_at_the_same_time_are_a_checklist(tmp_path: Path) -> None:
    report = Report()
    (sample,) = samples_of(put(tmp_path, RADIO, CHECKLIST), report)
    assert [type(each.answer) for each in sample.classifications] == [
        *(Radio, Radio),
        *(Checklist, Checklist),
    ]
    assert report.counts == {"R132": 1}


def test_both_are_written_back_with_the_same_options_in_every_frame(tmp_path: Path) -> None:
    radio, checklist = back(tmp_path, RADIO, CHECKLIST, ontology=ontology(tmp_path))
    assert in_frames(radio) == in_frames(RADIO)
    assert in_frames(checklist) == in_frames(CHECKLIST)
    assert radio["answer"] == RADIO["answer"]
    assert checklist["answer"] == CHECKLIST["answer"]
    assert radio["schemaId"] == RADIO["schemaId"]
    assert radio["dataRow"] == ROW["dataRow"]


def test_the_jellyfish_is_one_track_of_two_segments_there_and_back(tmp_path: Path) -> None:
    path = put(tmp_path, JELLYFISH)
    (sample,) = samples_of(path, ontology=ontology(tmp_path))
    first = (Keyframe(0, Box(80, 80, 160, 160)), Keyframe(19, Box(125, 125, 425, 325)))
    track = Track((first, (Keyframe(26, Box(50, 80, 100, 160)),)))
    assert sample.annotations == (Annotation(JELLYFISH["uuid"], "jellyfish", track),)
    assert back(tmp_path, JELLYFISH, ontology=ontology(tmp_path)) == [JELLYFISH]


def test_the_box_on_page_four_is_there_and_back_the_same(tmp_path: Path) -> None:
    (sample,) = samples_of(put(tmp_path, DOCUMENT))
    assert sample.media == Document()
    (annotation,) = sample.annotations
    box = Box(200.7, 50.0, 200.7 + 200.0, 50.0 + 150.8)
    assert annotation == Annotation(DOCUMENT["uuid"], "box", OnPage(4, box))
    (line,) = back(tmp_path, DOCUMENT)
    assert payload(line) == payload(DOCUMENT)
    assert line["uuid"] == DOCUMENT["uuid"]
