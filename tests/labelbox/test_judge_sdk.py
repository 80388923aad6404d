"""The read models of the labelbox SDK accept every line that we write, and keep every key of it.

They share no code with ours. Needs the dependency group `judges`.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import testing
from labelconv.convert import convert
from labelconv.formats.labelbox import FORMAT
from labelconv.formats.labelbox.writer import LabelboxWriterOptions as Options
from labelconv.formats.labelbox.writer import write
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Mask,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Report

with warnings.catch_warnings():
    # Importing the SDK warns about its own dependencies; using it must not warn.
    warnings.simplefilter("ignore")
    from labelbox.data.serialization.ndjson.label import AnnotationType
    from labelbox.schema.annotation_import import AnnotationImport
    from pydantic import TypeAdapter, ValidationError

    JUDGE: Any = TypeAdapter(AnnotationType)

DATA = Path(__file__).parents[3] / "shared" / "data"
COCO_IDS = [n for n in range(1, 91) if n not in {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}]


def judge(line: dict[str, Any]) -> list[str]:
    """The pointers of what the SDK would drop of a line. Raises what it raises."""
    model = JUDGE.validate_python(line)
    kept = json.loads(json.dumps(model.model_dump(by_alias=True, exclude_none=True), default=str))
    return list(_dropped(line, kept, ""))


def _dropped(given: object, kept: object, place: str) -> Iterator[str]:
    if isinstance(given, dict):
        for name, value in given.items():
            if not isinstance(kept, dict) or name not in kept:
                yield f"{place}/{name}"
            else:
                yield from _dropped(value, kept[name], f"{place}/{name}")
    elif isinstance(given, list):
        if not isinstance(kept, list) or len(kept) != len(given):
            yield place
        else:
            for number, value in enumerate(given):
                yield from _dropped(value, kept[number], f"{place}/{number}")


def judge_all(*files: Path) -> int:
    lines = [json.loads(text) for file in files for text in file.read_text().splitlines()]
    for line in lines:
        assert judge(line) == [], line
    AnnotationImport._validate_data_rows(lines)
    return len(lines)


def rich() -> Samples:
    deep = Classification("depth 3", Checklist((Radio("x"), Radio("y"))))
    for depth in (2, 1):
        deep = Classification(f"depth {depth}", Radio("o", (deep,)))
    asked = (
        deep,
        Classification("note", FreeText("parked", (), 0.5)),
        Classification("parts", Checklist((Radio("door", (), 0.25), Radio("wheel")))),
    )
    ring = (1.0, 1.0, 9.5, 1.0, 9.5, 7.0)
    values = [
        Box(12.0, 40.5, 142.0, 120.5),
        Polygon(((ring,),)),
        Polygon(((ring,), (tuple(n + 20 for n in ring),))),
        Polyline((0.0, 5.0, 30.0, 8.0)),
        Point(14.2, 3.0),
        Mask((2, 3), (2, 1, 1, 2)),
    ]
    annotations = [
        Annotation(str(n), "машина\u2028", value, asked, 0.75) for n, value in enumerate(values)
    ]
    annotations += [Annotation(f"plain {n}", f"kind {n}", value) for n, value in enumerate(values)]
    answers = (
        Classification("weather", Radio("sunny", (deep,), 0.5)),
        Classification("tags", Checklist((Radio("city"), Radio("night")))),
        Classification("comment", FreeText("free\ntext", (deep,))),
    )
    relations = (Relation("r", "follows", "0", "3"), Relation("s", "beside", "2", "5", False))
    return Samples(
        [
            Sample("a", Image(), tuple(annotations), answers, relations),
            Sample("ck0", Image(), tuple(annotations), answers, relations, key_is_id=True),
        ]
    )


@pytest.mark.parametrize("options", [Options(), Options(masks="composite")], ids=str)
def test_the_sdk_keeps_every_key_of_every_kind_of_line(tmp_path: Path, options: Options) -> None:
    target = tmp_path / "out.ndjson"
    write(testing.fitted(FORMAT, rich(), options, Report()), target, options, Report())
    files = sorted(target.glob("*.ndjson")) if target.is_dir() else [target]
    assert judge_all(*files) == 2 * (13 + 1 + 3 + 2)


@given(dataset=testing.datasets(FORMAT.holds_of(Image, Options())))
def test_the_sdk_keeps_every_key_of_any_dataset(
    dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("judge") / "out.ndjson"
    write(testing.fitted(FORMAT, dataset, Options(), Report()), target, Options(), Report())
    judge_all(target)


#: What the SDK's models do not know though its own writer makes it: answers over time as lists.
_IN_TIME = re.compile(r"(/classifications/\d+)?(/answer/\d+)+/(frames|classifications)(/.*)?")
MEDIA = [holds.media for holds in FORMAT.holds(Options())]


@pytest.mark.parametrize("media", MEDIA)
@given(data=st.data())
def test_the_sdk_accepts_every_line_of_every_kind_of_media(
    media: type[Any], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    holds = FORMAT.holds_of(media, Options())
    assert holds is not None
    target = tmp_path_factory.mktemp("judge") / "out.ndjson"
    dataset = data.draw(testing.datasets(holds))
    write(testing.fitted(FORMAT, dataset, Options(), Report()), target, Options(), Report())
    for line in map(json.loads, target.read_text().splitlines()):
        AnnotationImport._validate_data_rows([line])
        in_time = isinstance(line.get("answer"), list) and "frames" in line["answer"][0]
        for dropped in judge(line):
            assert in_time, (dropped, line)
            assert _IN_TIME.fullmatch(dropped), (dropped, line)


def test_the_sdk_takes_tracks_masks_tokens_and_relations_for_what_they_are() -> None:
    box = {"bbox": {"top": 1, "left": 2, "height": 3, "width": 4}}
    row = {"uuid": "7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f0001", "dataRow": {"globalKey": "k"}}
    named = row | {"name": "n"}
    end = {"target": row["uuid"], "type": "unidirectional", "readonly": True}
    kinds = {
        "NDSegments": named | {"segments": [{"keyframes": [{"frame": 1} | box]}]},
        "NDVideoMasks": row
        | {
            "masks": {
                "frames": [{"index": 1, "imBytes": "aGk="}],
                "instances": [{"colorRGB": [1, 2, 3], "name": "n"}],
            }
        },
        "NDTextEntity": named | {"location": {"start": 1, "end": 2}},
        "NDConversationEntity": named | {"location": {"start": 1, "end": 2}, "messageId": "4"},
        "NDDocumentRectangle": named | box | {"page": 0, "unit": "POINTS"},
        "NDDocumentEntity": named
        | {"textSelections": [{"groupId": "g", "tokenIds": ["t"], "page": 1}]},
        "NDRelationship": named | {"relationship": {"sourceOntologyName": "q"} | end},
        "NDRadio": named | {"answer": {"name": "a"}, "frames": [{"start": 1, "end": 2}]},
        "NDVideoText": {
            "dataRow": row["dataRow"],
            "name": "n",
            "answer": [{"value": "t", "frames": [{"start": 1, "end": 2}]}],
        },
    }
    for kind, line in kinds.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # readonly is beta, says the SDK
            assert type(JUDGE.validate_python(line)).__name__ == kind
            assert judge(line) == []


def test_the_judge_refuses_what_is_wrong_and_sees_what_would_be_dropped() -> None:
    line = {"dataRow": {"globalKey": "a"}, "name": "car", "bbox": {"top": 1, "left": 2}}
    with pytest.raises(ValidationError):
        judge(line)
    line["bbox"] = {"top": 1, "left": 2, "height": 3, "width": 4}
    assert judge(line) == []
    assert judge(line | {"colour": "red"}) == ["/colour"]
    with pytest.raises(ValueError, match="only one of"):
        AnnotationImport._validate_data_rows([line | {"dataRow": {"id": "b", "globalKey": "a"}}])


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
def test_the_sdk_accepts_real_lvis_and_coco_results(tmp_path: Path) -> None:
    categories = tmp_path / "categories.json"
    listed = [{"id": id, "name": f"class {id}"} for id in COCO_IDS]
    categories.write_text(json.dumps({"categories": listed}))
    lvis = tmp_path / "lvis.ndjson"
    convert(DATA / "lvis" / "lvis_val_100.json", lvis, from_="coco", to="labelbox")
    assert judge_all(lvis) == 1_135
    for kind in ("bbox", "segm"):
        target = tmp_path / f"{kind}.ndjson"
        source = DATA / "coco-results" / f"instances_val2014_fake{kind}100_results.json"
        options = {"categories": str(categories)}
        convert(source, target, from_="coco", to="labelbox", reader_options=options)
        assert judge_all(target) == 734
