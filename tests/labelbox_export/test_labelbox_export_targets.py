"""The way back: exports become other formats, as readers that are not ours see them; and MAL."""

from __future__ import annotations

import configparser
import contextlib
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from labelbox_export_help import FIXTURES, fixture

import labelconv as lc
from labelconv import tracks
from labelconv.convert import convert
from labelconv.model import Checklist, Classification, Sample, Track

TEXTS = str(FIXTURES / "texts" / "input" / "texts")
TALK = str(FIXTURES / "conversation" / "input" / "texts")


def _converted(case: str, target: Path, to: str, **options: Any) -> lc.Report:
    report = convert(
        fixture(case),
        target,
        from_="labelbox-export",
        to=to,
        reader_options=options,
        allow=["loss"],
    )
    assert report.ledger.balanced
    return report


# ------------------------------------------------------------------------------ judges


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pictures_become_coco_that_pycocotools_reads(tmp_path: Path) -> None:
    _converted("pictures", tmp_path / "coco.json", "coco")
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "coco.json"))
    assert [(i["file_name"], i["width"], i["height"]) for i in coco.loadImgs([1, 2, 3])] == [
        ("street-01.jpg", 640, 480),
        ("masks-01.png", 8, 6),
        ("empty-01.jpg", 640, 480),
    ]
    by_name = {
        coco.loadCats(each["category_id"])[0]["name"]: each
        for each in coco.loadAnns(coco.getAnnIds())
        if each["category_id"] is not None
    }
    assert by_name["car"]["bbox"] == [12.0, 40.5, 130.0, 80.0]
    assert by_name["roof"]["segmentation"] == [[1.0, 1.0, 90.5, 1.0, 90.5, 70.0]]
    road = np.zeros((6, 8), np.uint8)
    road[:3, :4] = 1
    sign = np.zeros((6, 8), np.uint8)
    sign[1:3, 1:6] = 1
    assert np.array_equal(coco.annToMask(by_name["road"]), road)
    assert np.array_equal(coco.annToMask(by_name["sky"]), road[::-1, ::-1])
    assert np.array_equal(coco.annToMask(by_name["sign"]), sign)
    assert coco.getAnnIds(imgIds=[3]) == []


def test_pictures_become_yolo_whose_lines_have_the_shares_of_the_picture(tmp_path: Path) -> None:
    report = convert(
        fixture("pictures"),
        tmp_path / "yolo",
        from_="labelbox-export",
        to="yolo",
        writer_options={"task": "detect"},
        allow=["loss"],
    )
    assert report.ledger.balanced
    rows = [
        [float(number) for number in line.split()]
        for line in (tmp_path / "yolo/labels/street-01.txt").read_text().splitlines()
    ]
    # The car: left 12, top 40.5, 130 × 80, in 640 × 480; the roof is the box around it.
    car = [0, (12 + 65) / 640, (40.5 + 40) / 480, 130 / 640, 80 / 480]
    roof = [1, (1 + 44.75) / 640, (1 + 34.5) / 480, 89.5 / 640, 69 / 480]
    assert np.allclose(rows, [car, roof], atol=1e-8)
    assert (tmp_path / "yolo/labels/empty-01.txt").read_text() == ""


def test_pictures_become_voc_that_an_xml_parser_reads(tmp_path: Path) -> None:
    _converted("pictures", tmp_path / "voc", "voc")
    root = ET.parse(tmp_path / "voc/Annotations/street-01.xml").getroot()
    assert root.findtext("filename") == "street-01.jpg"
    assert [root.findtext(f"size/{n}") for n in ("width", "height")] == ["640", "480"]
    boxes = {
        each.findtext("name"): [
            float(each.findtext(f"bndbox/{n}") or "nan") for n in ("xmin", "ymin", "xmax", "ymax")
        ]
        for each in root.iter("object")
    }
    # VOC counts pixels from 1, inclusive.
    assert boxes == {"car": [13, 41.5, 142, 120.5], "roof": [2, 2, 90.5, 70]}


def test_texts_become_docbins_whose_spans_spacy_slices_alike(tmp_path: Path) -> None:
    _converted("texts", tmp_path / "train.spacy", "spacy", texts=TEXTS)
    import spacy
    from spacy.tokens import DocBin

    docs = list(DocBin().from_disk(tmp_path / "train.spacy").get_docs(spacy.blank("en").vocab))
    assert [doc.text for doc in docs] == ["Ada \U0001f600 wrote to Charles in London."] * 2
    spans = docs[0].ents or [s for group in docs[0].spans.values() for s in group]
    assert sorted((span.text, span.label_) for span in spans) == [
        ("Ada", "PER"),
        ("Charles", "PER"),
        ("London", "LOC"),
        ("\U0001f600", "SIGN"),
    ]


def test_maps_become_geojson_that_shapely_reads(tmp_path: Path) -> None:
    _converted("maps", tmp_path / "maps.geojson", "geojson")
    from shapely import from_wkb
    from shapely.geometry import shape

    found = json.loads((tmp_path / "maps.geojson").read_text())
    shapes = {f["properties"]["class"]: shape(f["geometry"]) for f in found["features"]}
    assert shapes["house"].bounds == (-99.21, 19.4, -99.2, 19.41)
    assert shapes["field"].area == pytest.approx(0.5 * 0.02 * 0.02)
    assert list(shapes["road"].coords) == [(-99.21, 19.405), (-99.20, 19.401)]
    assert (shapes["well"].x, shapes["well"].y) == (-99.2065, 19.4002)
    from pyogrio.raw import read as read_features

    about, _, geometries, fields = read_features(tmp_path / "maps.geojson")
    column = list(about["fields"]).index("class")
    gdal = dict(zip(fields[column], map(from_wkb, geometries), strict=True))
    assert {name: gdal[name].equals(shape) for name, shape in shapes.items()} == dict.fromkeys(
        shapes, True
    )


@pytest.mark.filterwarnings("ignore")  # motmetrics uses what pandas will do away with
def test_videos_become_mot_with_the_objects_on_their_way_between_key_frames(
    tmp_path: Path,
) -> None:
    _converted("videos", tmp_path / "mot", "mot")
    rows = [
        [float(number) for number in line.split(",")[:6]]
        for line in (tmp_path / "mot/drive.mp4/gt/gt.txt").read_text().splitlines()
    ]
    # Left goes from 10 at frame 7 to 40 at 13; then out of sight until 18. MOT counts from 1.
    walk = [[f, 1, 10 + 5 * (f - 7) + 1, 11, 30, 20] for f in range(7, 14)]
    assert rows == [*walk, [18, 1, 61, 11, 30, 20], [19, 1, 65, 11, 30, 20]]
    import motmetrics

    read = motmetrics.io.loadtxt(tmp_path / "mot/drive.mp4/gt/gt.txt", fmt="mot16")
    # motmetrics counts pixels from 0.
    corners = [[frame, id, x - 1, y - 1, w, h] for frame, id, x, y, w, h in rows]
    assert read.reset_index()[["FrameId", "Id", "X", "Y", "Width", "Height"]].values.tolist() == (
        corners
    )
    settings = configparser.ConfigParser()
    settings.read(tmp_path / "mot/drive.mp4/seqinfo.ini")
    assert dict(settings["Sequence"])["seqlength"] == "30"
    assert dict(settings["Sequence"])["imwidth"] == "200"


# ------------------------------------------------------------------------------ export → MAL

#: Cases with the options of both readers and of the writer, as far as they are not usual.
BACK: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("pictures", {}, {}, {}),
    ("all-labels", {"label": "all", "project": "Street"}, {}, {}),
    ("model-run", {"model_run": "v1"}, {}, {}),
    ("videos", {}, {"media": "video"}, {"tolerance": 0}),
    ("texts", {"texts": TEXTS}, {"texts": TEXTS}, {}),
    ("conversation", {"texts": TALK}, {"texts": TALK, "media": "conversation"}, {}),
    (
        "chats",  # whose text is not at hand: offsets go along as they are
        {"source_offsets": "codepoint"},
        {"media": "conversation", "offset_unit": "codepoint"},
        {"offset_unit": "codepoint"},
    ),
    ("series", {"group": "axial"}, {"media": "video"}, {"tolerance": 0}),
    ("documents", {}, {"media": "document"}, {}),
    ("sounds", {}, {"media": "audio", "ontology": "{ontology}"}, {}),
    ("v1-all", {"label": "all"}, {}, {}),
]
NOISE = {
    "tools": [],
    "classifications": [
        {
            "type": "checklist",
            "name": "noise",
            "instructions": "noise",
            "scope": "index",
            "options": [{"label": "hum", "value": "hum", "options": []}],
        }
    ],
}


@pytest.mark.parametrize(("case", "given", "back", "wanted"), BACK, ids=[b[0] for b in BACK])
def test_an_export_comes_back_from_mal_as_it_was_read(
    case: str,
    given: dict[str, Any],
    back: dict[str, Any],
    wanted: dict[str, Any],
    tmp_path: Path,
) -> None:
    ontology = tmp_path / "noise.json"
    ontology.write_text(json.dumps(NOISE))
    back = {name: str(ontology) if v == "{ontology}" else v for name, v in back.items()}
    mal = tmp_path / "mal.ndjson"
    report = convert(
        fixture(case),
        mal,
        from_="labelbox-export",
        to="labelbox",
        reader_options=given,
        writer_options=wanted,
        allow=["loss"],
    )
    assert report.ledger.balanced
    assert report.ledger.annotations.lost == report.ledger.classifications.lost == 0
    assert lc.check(mal).problems == []
    before = _meant(lc.read(fixture(case), "labelbox-export", options=given))
    assert _meant(lc.read(mal, "labelbox", options=back)) == before
    assert before


@pytest.mark.parametrize(
    ("layer", "options"), [(0, {"media": "tiled"}), (1, {"media": "tiled", "crs": "pixel"})]
)
def test_layers_come_back_from_mal_degrees_and_pixels_apart(
    layer: int, options: dict[str, Any], tmp_path: Path
) -> None:
    export, mal = tmp_path / "one.ndjson", tmp_path / "mal.ndjson"
    export.write_bytes(fixture("maps").read_bytes().splitlines(keepends=True)[layer])
    convert(export, mal, to="labelbox", reader_options={"media": "tiled"})
    before = _meant(lc.read(export, options={"media": "tiled"}))
    assert _meant(lc.read(mal, "labelbox", options=options)) == before


def test_labels_move_to_another_project_with_names_and_keys_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text(
        "name,global_key\nstreet-01.jpg,new/street.jpg\nmasks-01.png,new/masks.png\n"
        "empty-01.jpg,new/empty.jpg\n"
    )
    mal = tmp_path / "mal.ndjson"
    convert(
        fixture("pictures"),
        mal,
        to="labelbox",
        keys=tmp_path / "keys.csv",
        rename={"car": "vehicle", "*": "*"},
        allow=["loss"],
    )
    lines = [json.loads(line) for line in mal.read_text().splitlines()]
    assert {line["dataRow"]["globalKey"] for line in lines} == {"new/street.jpg", "new/masks.png"}
    names = {line["name"] for line in lines if "relationship" not in line}
    assert "vehicle" in names
    assert "car" not in names


def test_keys_can_be_the_ids_of_data_rows(tmp_path: Path) -> None:
    mal = tmp_path / "mal.ndjson"
    convert(fixture("pictures"), mal, to="labelbox", reader_options={"key": "id"}, allow=["loss"])
    rows = {tuple(json.loads(line)["dataRow"].items()) for line in mal.read_text().splitlines()}
    assert rows == {(("id", "ckrow-street-01"),), (("id", "ckrow-masks-01"),)}


def _meant(samples: Any) -> list[Any]:
    """What samples say, without ids, fields beside and sizes, which MAL has no place for."""
    found = []
    for sample in samples:
        if sample.annotations or sample.classifications:
            order = {annotation.id: n for n, annotation in enumerate(sample.annotations)}
            found.append(
                (
                    sample.key,
                    type(sample.media),
                    [_plain(a) for a in sample.annotations],
                    sorted(map(repr, map(_ranged, sample.classifications))),
                    [
                        (r.category, order[r.source], order[r.target], r.directed)
                        for r in sample.relations
                    ],
                )
            )
    return found


def _plain(annotation: Any) -> Any:
    """An annotation alone; tracks with a keyframe in each frame, however few say the same."""
    value = annotation.value
    if isinstance(value, Track):
        value = tracks.expand(value)
    return msgspec.structs.replace(annotation, id="", extra={}, value=value)


def _ranged(given: Classification) -> Classification:
    """A radio and a checklist of one tick that have ranges are one in MAL without an ontology."""
    if given.ranges and isinstance(given.answer, Checklist) and len(given.answer.options) == 1:
        return msgspec.structs.replace(given, answer=given.answer.options[0])
    return given


def test_samples_without_labels_are_no_lines_but_are_read(tmp_path: Path) -> None:
    samples: list[Sample] = list(lc.read(fixture("pictures"), "labelbox-export"))
    assert [sample.key for sample in samples] == ["street-01.jpg", "masks-01.png", "empty-01.jpg"]
