"""xBD: damage as an answer, a folder as a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import codes, registry
from labelconv.errors import SourceError
from labelconv.formats.xbd import DAMAGES
from labelconv.io import Source
from labelconv.model import Image, Radio

FIXTURES = Path(__file__).parents[1] / "fixtures" / "xbd"
LABELS = FIXTURES / "post-disaster" / "input" / "guatemala-volcano_00000003_post_disaster.json"


def test_damage_answers_the_question_that_the_ontology_has() -> None:
    dataset = lc.read(LABELS, options={"question": "state"})
    (sample,) = list(dataset)
    assert sample.media == Image(1024, 1024)
    (asked,) = sample.annotations[0].classifications
    assert (asked.name, asked.answer) == ("state", Radio("destroyed"))
    assert sample.annotations[1].classifications == ()  # from before the disaster
    (question,) = dataset.ontology.categories[0].questions
    assert tuple(option.name for option in question.options) == DAMAGES


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        list(lc.read(tmp_path, "xbd"))


def test_a_file_is_recognised_by_its_two_lists(tmp_path: Path) -> None:
    sniff = registry.get("xbd").sniff
    assert sniff is not None
    assert sniff(Source(LABELS).peek()).certainty == 3
    assert sniff(Source(tmp_path).peek()).certainty == 0
    (tmp_path / "a.json").write_text('{"features":[]}')
    assert sniff(Source(tmp_path / "a.json").peek()).certainty == 0


@pytest.mark.parametrize("width", [0, -5, True, "1024", None])
def test_what_cannot_be_the_width_of_a_picture_is_not_taken_for_it(
    width: Any, tmp_path: Path
) -> None:
    label = json.loads(LABELS.read_bytes())
    label["metadata"]["width"] = width
    path = tmp_path / "a.json"
    path.write_text(json.dumps(label))
    (sample,) = lc.read(path, "xbd")
    assert sample.media == Image()
    assert len(sample.annotations) > 0


def test_holes_in_a_picture_too_large_to_be_drawn_are_filled_and_told(tmp_path: Path) -> None:
    label = json.loads(LABELS.read_bytes())
    label["metadata"] |= {"width": 12_345_678_901, "height": 1024}
    ring = "POLYGON ((0 0, 90 0, 90 90, 0 90, 0 0), (10 10, 20 10, 20 20, 10 20, 10 10))"
    label["features"]["xy"] = [{"properties": {}, "wkt": ring}]
    path, target = tmp_path / "a.json", tmp_path / "out.ndjson"
    path.write_text(json.dumps(label))
    report = lc.convert(path, target, from_="xbd", to="labelbox", allow=["loss"])
    assert report.counts[codes.HOLES_FILLED.id] == 1
    assert report.ledger.balanced
    (line,) = map(json.loads, target.read_bytes().splitlines())
    assert len(line["polygon"]) in (4, 5)
