"""`to_sdk` and `from_sdk`: what the SDK serializes means what we write, and comes back."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

import labelconv as lc
from labelconv import codes, registry
from labelconv.errors import LossError, MissingDependencyError, OptionError
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.labelbox.sdk import from_sdk, to_sdk
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Checklist,
    Classification,
    Conversation,
    Document,
    FreeText,
    Image,
    Keyframe,
    Mask,
    Message,
    OnPage,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
    TiledImage,
    TokenGroup,
    TokenSpan,
    Track,
    Video,
)
from labelconv.problems import Report
from labelconv.testing import fitted
from labelconv.testing.comparing import comparable_dataset, difference
from labelconv.testing.strategies import datasets

uuid_1, uuid_2 = (f"7d0f0d1c-8f5b-4a77-9f0e-0c6a1a6f000{n}" for n in (1, 2))
FORMAT = registry.get("labelbox")
HOLDS = {holds.media.__name__: holds for holds in FORMAT.holds(LabelboxWriterOptions())}


def serialized(labels: list[Any]) -> list[dict[str, Any]]:
    from labelbox.data.serialization import NDJsonConverter

    with warnings.catch_warnings():
        # The SDK's own: it puts base64 text into a field of bytes (video masks).
        warnings.filterwarnings("ignore", message="Pydantic serializer", category=UserWarning)
        return list(NDJsonConverter.serialize(labels))


def ours(dataset: Samples, **given: Any) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "ours.ndjson"
        report, options = Report(), LabelboxWriterOptions(**given)
        assert FORMAT.write is not None
        FORMAT.write(fitted(FORMAT, dataset, options, report), target, options, report)
        return [json.loads(line) for line in target.read_text("ascii").splitlines()]


# ------------------------------------------------------------------ what a line means


def meaning(line: dict[str, Any]) -> Any:
    """A line without what may differ: empty lists, spellings of pictures, ranges' order."""
    if "masks" in line:
        frames = {f["index"]: _pixels(f["imBytes"]) for f in line["masks"]["frames"]}
        seen = [(tuple(i["colorRGB"]), i["name"]) for i in line["masks"]["instances"]]
        return (_row(line), "masks", frames, sorted(seen))
    answer = line.get("answer")
    if isinstance(answer, list) and any("frames" in each for each in answer):
        return (_row(line), line["name"], _timed(line, None))
    return _plain(line, top=True)


def _row(line: dict[str, Any]) -> Any:
    return tuple(line["dataRow"].items())


def _pixels(text: str) -> Any:
    picture = np.asarray(Picture.open(io.BytesIO(base64.b64decode(text))))
    return picture.shape, picture.tobytes()


def _plain(value: Any, *, top: bool = False) -> Any:
    if isinstance(value, dict):
        found = {name: _plain(each) for name, each in value.items() if each != []}
        if "png" in value:
            found["png"] = _pixels(value["png"])
        if top and found.get("confidence") == 0 and "answer" not in found:
            del found["confidence"]  # an SDK fault: it takes 0 for none
        return found
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


def _timed(line: dict[str, Any], above: Any) -> Any:
    answer = line["answer"]
    if isinstance(answer, str):
        below = {"classifications": line["classifications"]} if "classifications" in line else {}
        answer = [{"value": answer} | below]
    found = []
    for item in answer if isinstance(answer, list) else [answer]:
        frames = item.get("frames", above)
        nested = sorted(
            (each["name"], _timed(each, frames)) for each in item.get("classifications", ())
        )
        said = item.get("value", item.get("name"))
        found.append((said, sorted((f["start"], f["end"]) for f in frames), nested))
    return sorted(found)


def assert_same(dataset: Samples, **options: Any) -> list[Any]:
    """The labels of a dataset, serialized twice: by us, and by the SDK."""
    labels = to_sdk(dataset, options=options, allow=["loss"])
    found = [meaning(line) for line in serialized(labels)]
    for line in ours(dataset, **options):
        expected = meaning(line)
        assert expected in found
        found.remove(expected)
    assert found == []
    return labels


# ------------------------------------------------------------------ any data


def _speakable(sample: Sample) -> bool:
    """Whether the SDK can say it: answers over time need a global key (an SDK fault)."""
    timed = any(each.ranges for each in sample.classifications)
    return not (timed and sample.key_is_id)


@pytest.mark.parametrize("media", sorted(HOLDS))
@given(data=st.data())
def test_the_sdk_serializes_what_we_write_and_it_comes_back(
    media: str, data: st.DataObject
) -> None:
    drawn = data.draw(datasets(HOLDS[media]))
    dataset = Samples([each for each in drawn if _speakable(each)], drawn.ontology)
    labels = assert_same(dataset, offset_unit="codepoint")
    options = LabelboxWriterOptions(offset_unit="codepoint")
    whole = fitted(FORMAT, dataset, options, Report())
    kind = HOLDS[media].read_as
    reading = {"offset_unit": "codepoint"} | ({"media": kind} if kind else {})
    back = from_sdk(labels, options=reading)
    assert back.report.errors == 0, back.report.problems
    one, other = (comparable_dataset(each, FORMAT, options) for each in (whole, back))
    assert difference(one, other, 1e-6) is None


# ------------------------------------------------------------------ each kind

NESTED = Classification(
    "colour", Radio("red", (Classification("shade", FreeText("dark")),), confidence=0.5)
)
SIMPLE = Classification("colour", Radio("red"))
SPAN = Annotation("e", "PER", TextSpan(2, 5), (NESTED,), 0.75)
RUNS = Mask((4, 5), (3, 5, 12))

KINDS: dict[str, tuple[Sample, set[str]]] = {
    "pictures": (
        Sample(
            "image",
            Image(5.0, 4.0),
            (
                Annotation("a", "car", Box(0.5, 1, 3, 4), (NESTED,), 0.25),
                Annotation("b", "roof", Polygon((((0.0, 0.0, 4.0, 0.0, 4.0, 4.0),),))),
                Annotation("c", "lane", Polyline((0.0, 0.0, 3.0, 3.0)), (), 0.0),
                Annotation("d", "tip", Point(1.5, 2.5)),
                Annotation("e", "road", RUNS),
            ),
            (
                Classification("weather", Checklist((Radio("sun"), Radio("wind", (NESTED,))))),
                Classification("note", FreeText("é😀", (NESTED,))),
            ),
            (Relation("r", "above", "a", "b"), Relation("s", "near", "c", "d", directed=False)),
        ),
        {"Rectangle", "Polygon", "Line", "Point", "Mask", "Checklist", "Text", "Relationship"},
    ),
    "videos": (
        Sample(
            "video",
            Video(5.0, 4.0, 40),
            (
                Annotation(
                    "a",
                    "car",
                    Track(
                        (
                            (
                                Keyframe(0, Box(0, 0, 1, 1), (SIMPLE,)),
                                Keyframe(9, Box(1, 1, 3, 3)),
                            ),
                            (Keyframe(10, Box(1, 1, 2, 2)),),
                        )
                    ),
                ),
                Annotation("b", "car", Track(((Keyframe(3, Box(0, 0, 4, 4)),),))),
                Annotation("c", "tip", Track(((Keyframe(3, Point(1, 1)),),))),
                Annotation("d", "lane", Track(((Keyframe(3, Polyline((0.0, 0.0, 1.0, 1.0))),),))),
                Annotation("e", "road", Track(((Keyframe(2, RUNS), Keyframe(3, RUNS)),))),
            ),
            (
                Classification("scene", Radio("in", (SIMPLE,)), ((6, 13), (17, 19))),
                Classification("mood", Radio("calm"), ((0, 5), (8, 9))),
                Classification("mood", Radio("wild"), ((5, 8),)),
                Classification("tags", Checklist((Radio("a"), Radio("b"))), ((0, 3),)),
                Classification("caption", FreeText("hello"), ((0, 5),)),
                Classification("global", FreeText("yes")),
            ),
        ),
        {"VideoObjectAnnotation", "VideoClassificationAnnotation", "VideoMaskAnnotation"},
    ),
    "texts": (
        Sample("text", Text("a😀bcdef"), (SPAN, Annotation("f", "X", TextSpan(0, 1)))),
        {"TextEntity"},
    ),
    "conversations": (
        Sample(
            "talk",
            Conversation((Message("m1", "hello"), Message("m2", "ho"))),
            (Annotation("e", "PER", TextSpan(0, 4, "m1")),),
            (Classification("tone", Radio("polite"), message="m2"),),
        ),
        {"ConversationEntity"},
    ),
    "documents": (
        Sample(
            "page",
            Document(),
            (
                Annotation("a", "figure", OnPage(4, Box(200.7, 50, 400.7, 200.8))),
                Annotation("b", "title", TokenSpan((TokenGroup(1, "g", ("t1", "t2")),))),
            ),
            (),
            (Relation("r", "below", "a", "b"),),
        ),
        {"DocumentRectangle", "DocumentEntity", "Relationship"},
    ),
    "maps": (
        Sample("map", TiledImage(), (Annotation("a", "house", Box(-99.2, 19.3, -99.1, 19.4)),)),
        {"Rectangle"},
    ),
    "sounds": (
        Sample(
            "sound",
            Audio(5_000),
            (),
            (
                Classification("speaker", Radio("agent"), ((200, 1600),)),
                Classification("words", FreeText("Hello"), ((1600, 2000),)),
                Classification("words", FreeText("Bye"), ((2500, 3000),)),
                Classification("overall", Radio("good")),
            ),
        ),
        {"TemporalClassificationText", "TemporalClassificationQuestion"},
    ),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_serialized_as_we_write_it_and_has_its_type(kind: str) -> None:
    sample, types = KINDS[kind]
    assert_same(Samples((sample,)))
    assert_same(Samples([_by_id(sample)]))
    found = {
        type(each).__name__
        for label in to_sdk(Samples((sample,)))
        for annotation in label.annotations
        for each in (annotation, getattr(annotation, "value", None))
    }
    assert types <= found


def _by_id(sample: Sample) -> Sample:
    """The sample by its id, without the answers that the SDK cannot write so."""
    import msgspec

    plain = tuple(each for each in sample.classifications if not each.ranges)
    return msgspec.structs.replace(sample, key_is_id=True, classifications=plain)


def test_labels_are_taken_by_the_sdks_own_check_of_imports() -> None:
    from labelbox.schema.annotation_import import MALPredictionImport

    labels = [label for sample, _ in KINDS.values() for label in to_sdk(Samples((sample,)))]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Pydantic serializer", category=UserWarning)
        data = MALPredictionImport._get_ndjson_from_objects(labels, "annotations")
    assert data.count(b"\n") + 1 == 30


def test_objects_of_one_name_in_a_video_have_labels_of_their_own() -> None:
    """The SDK makes one track of all that a label says of a name."""
    sample, _ = KINDS["videos"]
    names = [
        {each.name for each in label.annotations if hasattr(each, "keyframe")}
        for label in to_sdk(Samples((sample,)))
    ]
    assert names == [{"car"}, {"car", "tip", "lane"}]


def test_answers_below_texts_that_overlap_stay_with_their_text() -> None:
    """The SDK would give them to both texts, in one label."""
    note = Classification("note", FreeText("loud"), ((1000, 1200),))
    words = (
        Classification("words", FreeText("Hello", (note,)), ((900, 2000),)),
        Classification("words", FreeText("Bye"), ((1000, 3000),)),
    )
    labels = to_sdk(Samples([Sample("sound", Audio(5_000), (), words)]))
    assert len(labels) == 2
    said = {
        item["value"]: "classifications" in item
        for line in serialized(labels)
        for item in line["answer"]
    }
    assert said == {"Hello": True, "Bye": False}
    (back,) = from_sdk(labels, options={"media": "audio"})
    assert set(back.classifications) == set(words)


def test_what_answers_over_time_cannot_say_is_told() -> None:
    deep = Classification("who", FreeText("Ann"), ((1000, 1100),))
    notes = (
        Classification("note", FreeText("x", (deep,)), ((1000, 1200),)),
        Classification("note", FreeText("y"), ((1100, 1300),)),
    )
    hello = Classification("words", FreeText("Hello", notes, confidence=0.5), ((900, 2000),))
    report = Report()
    labels = to_sdk(
        Samples([Sample("sound", Audio(5_000), (), (hello,))]), allow=["loss"], report=report
    )
    assert len(labels) == 1
    assert report.counts == {codes.CONFIDENCE_DROPPED.id: 1, codes.DETAIL_DROPPED.id: 1}


def test_an_answer_that_holds_all_the_time_can_stand_below_one_that_does_not() -> None:
    note = Classification("note", FreeText("loud"))
    mood = (
        Classification("mood", Radio("a", (note,)), ((0, 2),)),
        Classification("mood", Radio("b"), ((2, 4),)),
    )
    assert_same(Samples([Sample("video", Video(), (), mood)]))


def test_uuids_are_those_of_our_lines() -> None:
    sample, _ = KINDS["pictures"]
    dataset = Samples((sample,))
    found = {line["uuid"] for line in serialized(to_sdk(dataset))}
    assert found == {line["uuid"] for line in ours(dataset)}


def test_schema_ids_are_given_where_they_are_asked_for(tmp_path: Path) -> None:
    id = "ckseed0000000000000000001"
    ontology = tmp_path / "ontology.json"
    tool = {"tool": "rectangle", "name": "car", "featureSchemaId": id}
    ontology.write_text(json.dumps({"tools": [tool], "classifications": []}))
    sample = Sample("k", Image(), (Annotation("a", "car", Box(0, 0, 1, 1)),))
    (label,) = to_sdk(Samples((sample,)), options={"names": "schemaId", "ontology": str(ontology)})
    assert (label.annotations[0].name, label.annotations[0].feature_schema_id) == (None, id)
    (back,) = from_sdk([label], options={"ontology": str(ontology)})
    assert back.annotations[0].category == "car"


def test_what_cannot_be_said_is_refused_unless_it_is_allowed() -> None:
    timed = (
        Classification("mood", Radio("a"), ((0, 2),)),
        Classification("mood", Radio("b"), ((2, 4),)),
    )
    sample = Sample("id", Video(), (), timed, key_is_id=True)
    report = Report()
    with pytest.raises(LossError) as raised:
        to_sdk(Samples((sample,)), report=report)
    assert raised.value.report.counts == {codes.CLASSIFICATION_DROPPED.id: 1}
    assert to_sdk(Samples((sample,)), allow=["classification-dropped"]) == []
    assert report.ledger.balanced


def test_datasets_that_are_read_are_accounted_for(tmp_path: Path) -> None:
    source = tmp_path / "coco.json"
    source.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}],
                "categories": [{"id": 3, "name": "car"}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]},
                    {"id": 2, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, 4]},
                ],
            }
        )
    )
    report = Report()
    (label,) = lc.labelbox.to_sdk(lc.read(source, "coco"), report=report)
    value = label.annotations[0].value
    assert (value.start.x, value.start.y, value.end.x, value.end.y) == (1, 2, 4, 6)
    assert (report.ledger.annotations.read, report.ledger.annotations.rejected) == (2, 1)
    assert report.ledger.balanced


# ------------------------------------------------------------------ the SDK's own objects


def test_values_that_change_over_frames_are_all_read_though_the_sdk_would_write_one() -> None:
    from labelbox.types import Checklist as Ticks
    from labelbox.types import ClassificationAnswer, Label, VideoClassificationAnnotation
    from labelbox.types import Radio as Choice

    def at(frame: int, value: Any, name: str) -> Any:
        return VideoClassificationAnnotation(name=name, value=value, frame=frame)

    a, b = (Choice(answer=ClassificationAnswer(name=name)) for name in "ab")
    both = Ticks(answer=[ClassificationAnswer(name=name) for name in "ab"])
    annotations = [*(at(n, a, "mood") for n in (1, 2, 3, 7)), *(at(n, b, "mood") for n in (4, 5))]
    label = Label(data={"global_key": "k"}, annotations=[*annotations, at(9, both, "tags")])
    (sample,) = from_sdk([label])
    assert sample.media == Video()
    assert {(each.name, each.answer, each.ranges) for each in sample.classifications} == {
        ("mood", Radio("a"), ((0, 3), (6, 7))),
        ("mood", Radio("b"), ((3, 5),)),
        ("tags", Checklist((Radio("a"), Radio("b"))), ((8, 9),)),
    }


def test_frames_that_are_no_keyframes_only_hold_segments_together() -> None:
    from labelbox.types import Label, VideoObjectAnnotation
    from labelbox.types import Point as Position

    def at(frame: int, keyframe: bool) -> Any:
        place = Position(x=frame, y=0)
        return VideoObjectAnnotation(name="tip", value=place, frame=frame, keyframe=keyframe)

    frames = [at(5, True), at(1, True), at(2, False), at(3, True), at(6, False)]
    (sample,) = from_sdk([Label(data={"uid": "row"}, annotations=frames)])
    (annotation,) = sample.annotations
    assert (sample.key, sample.key_is_id) == ("row", True)
    assert annotation.value == Track(
        (
            (Keyframe(0, Point(1, 0)), Keyframe(2, Point(3, 0))),
            (Keyframe(4, Point(5, 0)),),
        )
    )


def test_labels_of_one_data_row_become_one_sample() -> None:
    from labelbox.types import Label, ObjectAnnotation, Rectangle

    def label(key: str, name: str) -> Any:
        box = ObjectAnnotation(name=name, value=Rectangle.from_xyhw(1, 2, 3, 4))
        return Label(data={"global_key": key}, annotations=[box])

    found = list(from_sdk([label("a", "x"), label("b", "y"), label("a", "z")]))
    assert [(each.key, [a.category for a in each.annotations]) for each in found] == [
        ("a", ["x", "z"]),
        ("b", ["y"]),
    ]
    assert found[0].annotations[0].value == Box(1, 2, 5, 5)


def test_a_mask_of_a_colour_is_read_with_its_pixels() -> None:
    from labelbox.types import Label, MaskData, ObjectAnnotation
    from labelbox.types import Mask as Picked

    colours = np.array([[0, 1], [2, 1]], dtype=np.uint8)
    mask = Picked(mask=MaskData.from_2D_arr(colours), color=(1, 1, 1))
    (sample,) = from_sdk(
        [Label(data={"global_key": "k"}, annotations=[ObjectAnnotation(name="road", value=mask)])]
    )
    assert sample.annotations[0].value == Mask((2, 2), (2, 2))


def test_what_the_sdk_cannot_serialize_is_rejected_alone() -> None:
    from labelbox.types import Label, ObjectAnnotation, VideoObjectAnnotation
    from labelbox.types import Point as Position
    from labelbox.types import Polygon as Outline

    ring = [Position(x=0, y=0), Position(x=1, y=0), Position(x=1, y=1)]
    bad = VideoObjectAnnotation(name="x", value=Outline(points=ring), frame=1, keyframe=True)
    good = ObjectAnnotation(name="tip", value=Position(x=1, y=2))
    back = from_sdk([Label(data={"global_key": "k"}, annotations=[bad, good])])
    assert back.report.errors == 1
    assert back.report.problems[0].where.path is None
    assert back.report.problems[0].where.sample == "k"
    assert back.report.ledger.annotations.rejected == 1


def test_labels_by_an_external_id_are_refused() -> None:
    from labelbox.types import Label

    with pytest.raises(OptionError, match="my-file"):
        from_sdk([Label(data={"external_id": "my-file"}, annotations=[])])


def test_options_that_make_folders_are_refused() -> None:
    with pytest.raises(OptionError, match="one file"):
        to_sdk(Samples(()), options={"lines": 5})


def test_without_the_sdk_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "labelbox.types", None)
    with pytest.raises(MissingDependencyError, match=r"labelconv\[labelbox\]"):
        to_sdk(Samples(()))


def test_importing_labelconv_does_not_import_the_sdk() -> None:
    import subprocess
    import sys

    code = (
        "import sys, labelconv as lc; lc.labelbox.to_sdk; "
        "print([name for name in ('labelbox', 'numpy', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------ faults of the SDK


def test_the_faults_of_the_sdk_that_the_docs_list_are_still_there() -> None:
    from labelbox import types as sdk

    def lines(*annotations: Any) -> list[dict[str, Any]]:
        return serialized([sdk.Label(data={"global_key": "k"}, annotations=list(annotations))])

    def choice(name: str) -> Any:
        return sdk.Radio(answer=sdk.ClassificationAnswer(name=name))

    def at(frame: int, name: str) -> Any:
        value = choice(name)
        return sdk.VideoClassificationAnnotation(name="mood", value=value, frame=frame)

    (changing,) = lines(at(1, "a"), at(2, "b"))
    assert (changing["answer"], changing["frames"]) == ({"name": "a"}, [{"end": 2, "start": 1}])

    def box(frame: int, uuid: str) -> Any:
        value, extra = sdk.Rectangle.from_xyhw(0, 0, 1, 1), {"uuid": uuid}
        return sdk.VideoObjectAnnotation(
            name="car", value=value, frame=frame, keyframe=True, extra=extra
        )

    assert len(lines(box(1, uuid_1), box(2, uuid_2))) == 1
    (unsure,) = lines(sdk.ObjectAnnotation(name="x", value=sdk.Point(x=0, y=0), confidence=0.0))
    assert "confidence" not in unsure
    below = sdk.ClassificationAnnotation(feature_schema_id="c" * 25, value=choice("b"))
    above = sdk.ClassificationAnswer(name="a", classifications=[below])
    (nested,) = lines(sdk.ClassificationAnnotation(name="q", value=sdk.Radio(answer=above)))
    assert "schema_id" in nested["answer"]["classifications"][0]
    frames = [sdk.MaskFrame(index=1, im_bytes=b"png")]
    instances = [sdk.MaskInstance(color_rgb=(1, 1, 1), name="m")]
    masks = sdk.VideoMaskAnnotation(frames=frames, instances=instances)
    (first,) = lines(masks)
    with pytest.raises(TypeError):
        lines(masks)  # the picture has become text
    made = sdk.MaskFrame(index=1, im_bytes=b"png")
    (second,) = lines(sdk.VideoMaskAnnotation(frames=[made], instances=instances))
    assert first["masks"] == second["masks"]
    assert first["uuid"] != second["uuid"]
    (sample,) = from_sdk(to_sdk(Samples((KINDS["videos"][0],))))
    labels = to_sdk(Samples((KINDS["videos"][0],)))
    serialized(labels)
    (again,) = from_sdk(labels)
    assert [each.value for each in again.annotations] == [e.value for e in sample.annotations]
