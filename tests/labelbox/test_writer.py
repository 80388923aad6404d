"""What the writer makes: uuids, relations, the cap, files, composites; and what it refuses."""

from __future__ import annotations

import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from PIL import Image as Picture

from labelconv import masks, testing
from labelconv.accounting import accounted
from labelconv.errors import OptionError
from labelconv.fit import fit
from labelconv.formats.labelbox import FORMAT
from labelconv.formats.labelbox.check import check
from labelconv.formats.labelbox.writer import LabelboxWriterOptions as Options
from labelconv.formats.labelbox.writer import write
from labelconv.formats.labelbox.writer_cap import FEATURE_CAP
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Value,
)
from labelconv.problems import Report

BOX = Box(1.0, 2.0, 4.0, 6.0)
RING = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0)
KEPT = "ABCDEF00-0000-4000-8000-00000000000A"


def box(id: str, category: str = "car", **more: Any) -> Annotation:
    return Annotation(id, category, more.pop("value", BOX), **more)


def run(
    folder: Path, *samples: Sample, options: Options | None = None, name: str = "out.ndjson"
) -> tuple[list[dict[str, Any]], Report]:
    """The lines of all files, and the report, after fitting; the ledger balances."""
    report = Report()
    options = options or Options()
    target = folder / name
    given = accounted(Samples(samples), report)
    write(fit(given, FORMAT, options, report), target, options, report)
    for _, account in report.ledger.rows():
        assert account.balanced
        assert min(msgspec.to_builtins(account).values()) >= 0
    files = sorted(target.glob("*.ndjson")) if target.is_dir() else [target]
    return [json.loads(text) for file in files for text in file.read_text().splitlines()], report


def codes_of(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


OPTIONS = [
    Options(),
    Options(masks="composite"),
    Options(lines=1),
    Options(lines=3, masks="composite"),
    Options(uuid=False),
    Options(parts="mask"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(dataset=testing.datasets(FORMAT.holds_of(Image, Options())))
def test_what_fits_comes_back_whatever_the_options(
    options: Options, dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


@given(dataset=testing.everything())
def test_whatever_is_written_passes_the_check(
    dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("check")
    lines, _ = run(folder, *dataset)
    report = Report()
    check(str(folder / "out.ndjson"), report)
    wrong = [problem for problem in report.problems if problem.severity == "error"]
    if not lines:
        assert [problem.code for problem in wrong] == ["S514"]
    else:
        assert wrong == []


# ------------------------------------------------------------------------------------- uuids


def test_a_uuid_is_kept_in_the_usual_spelling_and_any_other_id_gives_one(tmp_path: Path) -> None:
    braced = "{" + KEPT.replace("A}", "B").replace("00A", "00C") + "}"
    sample = Sample("a", Image(), (box(KEPT), box(braced), box("7")))
    lines, _ = run(tmp_path, sample)
    again, _ = run(tmp_path, sample, name="again.ndjson")
    assert lines == again
    uuids = [line["uuid"] for line in lines]
    assert uuids[:2] == [KEPT.lower(), KEPT.lower().replace("00a", "00c")]
    assert uuids[2][14] == "5"


def test_no_uuid_occurs_twice_in_a_file(tmp_path: Path) -> None:
    one = Sample("a", Image(), (box(KEPT), box(KEPT.lower()), box("1"), box("1")))
    two = Sample("b", Image(), (box(KEPT), box("1")))
    lines, _ = run(tmp_path, one, two)
    assert len({line["uuid"] for line in lines}) == len(lines) == 6


def test_annotations_relations_and_answers_of_one_id_have_different_uuids(tmp_path: Path) -> None:
    sample = Sample(
        "a",
        Image(),
        (box("x"), box("relation:x"), box("answer:x")),
        (Classification("x", FreeText("t")),),
        (Relation("x", "r", "x", "answer:x"),),
    )
    lines, report = run(tmp_path, sample)
    assert len({line["uuid"] for line in lines}) == 5
    assert report.ledger.relations.kept == 1


@pytest.mark.parametrize("uuids", [True, False])
def test_ends_of_relations_have_uuids_even_where_none_are_asked_for(
    tmp_path: Path, uuids: bool
) -> None:
    sample = Sample(
        "a", Image(), (box("1"), box("2"), box("3")), (), (Relation("r", "on", "3", "1", False),)
    )
    lines, _ = run(tmp_path, sample, options=Options(uuid=uuids))
    assert [("uuid" in line) for line in lines] == [True, uuids, True, uuids]
    assert lines[3]["relationship"] == {
        "source": lines[2]["uuid"],
        "target": lines[0]["uuid"],
        "type": "bidirectional",
    }


def test_a_relation_points_at_the_first_part_of_an_object_that_was_split(tmp_path: Path) -> None:
    parts = Polygon(((RING,), (tuple(n + 9 for n in RING),)))
    sample = Sample(
        "a", Image(), (box("1", value=parts), box("2")), (), (Relation("r", "on", "1", "2"),)
    )
    lines, report = run(tmp_path, sample)
    assert ["uuid" in line for line in lines] == [True] * 4
    assert lines[3]["relationship"]["source"] == lines[0]["uuid"]
    assert report.ledger.relations.changed == 1


# ------------------------------------------------------------------------------------- the cap


def many(count: int, start: int = 0, category: str = "cell") -> tuple[Annotation, ...]:
    return tuple(box(str(n), category) for n in range(start, start + count))


def counted(lines: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((line["dataRow"]["globalKey"], line["name"]) for line in lines)


def test_at_most_5000_lines_of_a_feature_are_written_for_a_data_row(tmp_path: Path) -> None:
    crowded = Sample("a", Image(), many(FEATURE_CAP + 2) + many(3, 10_000, "car"))
    lines, report = run(tmp_path, crowded, Sample("b", Image(), many(3)))
    assert counted(lines) == {("a", "cell"): 5_000, ("a", "car"): 3, ("b", "cell"): 3}
    assert report.counts == {"L410": 2}
    assert [each.where.annotation for each in report.problems] == ["5000", "5001"]
    assert report.ledger.annotations.lost == 2


def test_the_cap_counts_pieces_that_come_between_others(tmp_path: Path) -> None:
    samples = []
    for start in range(0, 6_000, 500):
        samples += [
            Sample("a", Image(), many(500, start)),
            Sample("b", Image(), many(400, start)),
            Sample("c", Image(), many(2, start)),
        ]
    lines, report = run(tmp_path, *samples)
    assert counted(lines) == {("a", "cell"): 5_000, ("b", "cell"): 4_800, ("c", "cell"): 24}
    assert report.counts["L410"] == 1_000


def test_a_relation_to_what_the_cap_left_out_is_rejected(tmp_path: Path) -> None:
    sample = Sample("a", Image(), many(FEATURE_CAP + 1), (), (Relation("r", "on", "5000", "1"),))
    lines, report = run(tmp_path, sample)
    assert all("relationship" not in line for line in lines)
    assert report.counts == {"L410": 1, "M204": 1}


def test_answers_and_relations_count_for_the_cap_too(tmp_path: Path) -> None:
    sample = Sample(
        "a",
        Image(),
        many(FEATURE_CAP),
        (Classification("cell", FreeText("t")),),
        (Relation("r", "cell", "0", "1"),),
    )
    lines, report = run(tmp_path, sample)
    assert len(lines) == FEATURE_CAP
    assert report.ledger.classifications.lost == report.ledger.relations.lost == 1


# ------------------------------------------------------------------------------------- files


def test_files_are_split_on_data_row_borders_and_a_large_row_has_one_of_its_own(
    tmp_path: Path,
) -> None:
    counts = {"a": 2, "b": 2, "c": 1, "d": 7, "e": 1, "f": 3}
    samples = [Sample(key, Image(), many(count)) for key, count in counts.items()]
    lines, _ = run(tmp_path, *samples, options=Options(lines=4))
    files = sorted((tmp_path / "out.ndjson").iterdir())
    assert [file.name for file in files] == [f"part-{n:05d}.ndjson" for n in range(1, 5)]
    assert [len(file.read_text().splitlines()) for file in files] == [4, 1, 7, 4]
    assert len(lines) == 16


@pytest.mark.parametrize("count", [0, -1])
def test_files_of_no_lines_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(OptionError, match="1 or more"):
        run(tmp_path, Sample("a", Image(), many(1)), options=Options(lines=count))


def squares(*corners: int) -> list[Mask]:
    made = []
    for corner in corners:
        pixels = np.zeros((6, 8), dtype=np.uint8)
        pixels[corner : corner + 3, corner : corner + 3] = 1
        made.append(masks.from_array(pixels))
    return made


def test_composites_have_each_colour_at_its_pixels_and_the_size_of_the_media(
    tmp_path: Path,
) -> None:
    drawn = [*squares(0, 3, 1), masks.from_array(np.zeros((6, 8)))]
    annotations = tuple(box(str(n), value=mask) for n, mask in enumerate(drawn))
    sample = Sample("a/б", Image(8, 6), annotations)
    lines, report = run(tmp_path, sample, options=Options(masks="composite"))
    assert report.problems == []
    named = [line["mask"].get("instanceURI") for line in lines]
    assert named[0] == named[1] != named[2], "the third covers the others"
    assert named[3] is None, "a mask without pixels has no colour in a picture"
    for line, mask in zip(lines[:3], drawn[:3], strict=True):
        with Picture.open(tmp_path / "out.ndjson" / line["mask"]["instanceURI"]) as picture:
            assert (picture.mode, picture.size) == ("RGB", (8, 6))
            same = (np.asarray(picture) == line["mask"]["colorRGB"]).all(axis=2)
        assert masks.from_array(same) == mask
    assert {path.name for path in (tmp_path / "out.ndjson").iterdir()} == {
        "annotations.ndjson",
        "masks",
    }


def test_the_address_of_composites_is_what_was_asked_for_in_ascii(tmp_path: Path) -> None:
    sample = Sample("a", Image(8, 6), (box("1", value=squares(0)[0]),))
    url = "https://host/мои"
    lines, _ = run(tmp_path, sample, options=Options(masks="composite", mask_url=url))
    assert lines[0]["mask"]["instanceURI"].startswith(f"{url}/")
    assert (tmp_path / "out.ndjson" / "annotations.ndjson").read_bytes().isascii()


def test_a_grey_mask_is_an_8_bit_picture_of_0_and_1(tmp_path: Path) -> None:
    import base64

    (mask,) = squares(2)
    lines, _ = run(tmp_path, Sample("a", Image(8, 6), (box("1", value=mask),)))
    with Picture.open(io.BytesIO(base64.b64decode(lines[0]["mask"]["png"]))) as picture:
        assert picture.mode == "L"
        assert np.asarray(picture).tolist() == masks.to_array(mask).tolist()


# ------------------------------------------------------------------------------------- text


def test_lines_are_ascii_whatever_the_names_and_none_is_blank(tmp_path: Path) -> None:
    odd = 'a\u2028b\u2029c\x85\x00\x1f"\\\U0001f600\n\r'
    below = (Classification(odd, FreeText(odd)),)
    sample = Sample(
        odd,
        Image(),
        (box(odd, odd, classifications=(Classification(odd, Radio(odd, below)),)), box("2")),
        (Classification(odd, Checklist((Radio(odd),))),),
        (Relation(odd, odd, odd, "2"),),
    )
    lines, _ = run(tmp_path, sample)
    data = (tmp_path / "out.ndjson").read_bytes()
    assert data.isascii()
    assert data.count(b"\n") == len(lines) == 4
    assert lines[0]["classifications"][0]["answer"]["classifications"] == [
        {"name": odd, "answer": odd}
    ]
    assert lines[2]["answer"] == [{"name": odd}]


def test_answers_have_the_forms_of_the_reference(tmp_path: Path) -> None:
    sample = Sample(
        "a",
        Image(),
        (),
        (
            Classification("weather", Radio("sunny", (), 0.5)),
            Classification("tags", Checklist((Radio("city"),))),
            Classification("said", FreeText("t", (Classification("in", Radio("en")),), 0.25)),
        ),
    )
    lines, _ = run(tmp_path, sample, options=Options(uuid=False))
    row = {"dataRow": {"globalKey": "a"}}
    assert lines == [
        row | {"name": "weather", "answer": {"name": "sunny", "confidence": 0.5}},
        row | {"name": "tags", "answer": [{"name": "city"}]},
        row
        | {
            "name": "said",
            "answer": "t",
            "classifications": [{"name": "in", "answer": {"name": "en"}}],
            "confidence": 0.25,
        },
    ]


def test_a_data_row_id_is_written_as_one_and_an_equal_key_is_not_mixed_up(tmp_path: Path) -> None:
    by_id = Sample("a", Image(), many(1), key_is_id=True)
    lines, _ = run(tmp_path, by_id, Sample("a", Image(), many(1, 5)), by_id)
    assert [list(line["dataRow"]) for line in lines] == [["id"], ["globalKey"], ["id"]]


# ------------------------------------------------------------------------------------- refusals

NAN, INF = float("nan"), float("inf")
UNWRITABLE: list[tuple[Value, str]] = [
    (Box(NAN, 0, 1, 1), "R102"),
    (Box(0, -INF, 1, 1), "R102"),
    (Box(0, 0, 1, INF), "R102"),
    (Box(5, 0, 1, 1), "M201"),
    (Point(1, NAN), "R102"),
    (Polygon((((0.0, 0.0, 1.0, INF, 2.0, 2.0),),)), "R102"),
    (Polygon((((0.0, 0.0, 1.0, 1.0),),)), "M205"),
    (Polyline((0.0, 0.0)), "M205"),
    (Polyline((0.0, 0.0, 1.0)), "M205"),
    (Mask((2, 2), (4,)), "R111"),
]


@pytest.mark.parametrize(("value", "code"), UNWRITABLE, ids=str)
def test_what_cannot_be_written_is_rejected_alone(tmp_path: Path, value: Value, code: str) -> None:
    sample = Sample("a", Image(8, 6), (box("1"), box("2", value=value), box("3")))
    lines, report = run(tmp_path, sample)
    assert len(lines) == 2
    assert b"null" not in (tmp_path / "out.ndjson").read_bytes()
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.where.sample, rejected.where.annotation) == (code, "a", "2")
    assert json.loads(rejected.record)["dataRow"] == {"globalKey": "a"}
    assert (report.ledger.annotations.kept, report.ledger.annotations.rejected) == (2, 1)


@pytest.mark.parametrize("name", ["", "half \ud800 pair"], ids=ascii)
def test_names_that_no_json_has_are_rejected_wherever_they_are(tmp_path: Path, name: str) -> None:
    asked = Classification("q", Radio(name))
    sample = Sample(
        "a",
        Image(),
        (box("1"), box("2", name), box("3", classifications=(asked,))),
        (asked, Classification("fine", FreeText("t"))),
        (Relation("r", name, "1", "1"), Relation("s", "on", "1", "3")),
    )
    lines, report = run(tmp_path, sample)
    assert [line.get("answer") for line in lines] == [None, "t"]
    assert [each.code for each in report.take_rejected()] == ["R101"] * 4 + ["M204"]


@pytest.mark.parametrize("key", ["", "\udfff"], ids=ascii)
def test_a_sample_without_a_usable_key_is_rejected_with_all_it_says(
    tmp_path: Path, key: str
) -> None:
    sample = Sample(
        key,
        Image(),
        (box("1"), box("2")),
        (Classification("q", FreeText("t")),),
        (Relation("r", "on", "1", "2"),),
    )
    lines, report = run(tmp_path, sample)
    assert lines == []
    ledger = report.ledger
    assert ledger.annotations.rejected == 2
    assert ledger.classifications.rejected == ledger.relations.rejected == 1


def test_an_object_of_several_lines_is_rejected_once(tmp_path: Path) -> None:
    bad = Polygon(((RING,), ((0.0, 0.0, NAN, 1.0, 2.0, 2.0),), ((1.0, NAN, 0.0, 1.0, 2.0, 2.0),)))
    lines, report = run(tmp_path, Sample("a", Image(), (box("1", value=bad), box("2"))))
    assert len(lines) == 2
    account = report.ledger.annotations
    assert (account.read, account.kept, account.changed, account.rejected) == (2, 1, 0, 1)
    assert len(report.take_rejected()) == 2


def test_points_of_a_skeleton_that_are_refused_do_not_upset_the_ledger(tmp_path: Path) -> None:
    points = Keypoints((Keypoint("a", NAN, 1.0), Keypoint("b", 1.0, 1.0)))
    lines, report = run(tmp_path, Sample("a", Image(), (box("1", value=points),)))
    assert [line["name"] for line in lines] == ["car b"]
    assert report.ledger.annotations.rejected == 1


@pytest.mark.parametrize("confidence", [1.0001, -0.5, NAN, INF])
def test_a_confidence_that_labelbox_refuses_is_left_out_as_a_loss(
    tmp_path: Path, confidence: float
) -> None:
    asked = (Classification("q", Radio("o", (), confidence)),)
    sample = Sample(
        "a",
        Image(),
        (box("1", confidence=confidence), box("2", classifications=asked), box("3", confidence=1)),
        asked,
    )
    lines, report = run(tmp_path, sample)
    assert [line.get("confidence") for line in lines] == [None, None, 1, None]
    assert codes_of(report) == ["L405"] * 3
    assert report.ledger.annotations.lost == 2
    assert report.ledger.classifications.lost == 1


def test_a_checklist_without_a_tick_is_left_out_as_a_loss(tmp_path: Path) -> None:
    empty = Classification("q", Checklist(()))
    nested = Classification("outer", Radio("o", (empty,)))
    sample = Sample("a", Image(), (box("1", classifications=(nested, empty)),), (empty,))
    lines, report = run(tmp_path, sample)
    assert [line.get("classifications") for line in lines] == [
        [{"name": "outer", "answer": {"name": "o", "classifications": []}}]
    ]
    assert codes_of(report) == ["L418"] * 3
    assert (report.ledger.annotations.lost, report.ledger.classifications.lost) == (1, 1)


def test_a_question_is_answered_once(tmp_path: Path) -> None:
    twice = tuple(Classification("q", FreeText(text)) for text in "ab")
    lines, report = run(tmp_path, Sample("a", Image(), (), twice))
    assert [line["answer"] for line in lines] == ["a"]
    assert codes_of(report) == ["R104"]


def test_the_same_data_in_other_pieces_gives_the_same_lines(tmp_path: Path) -> None:
    whole = Sample("a", Image(), many(7))
    pieces = [Sample("a", Image(), whole.annotations[n:m]) for n, m in pairwise((0, 2, 3, 7))]
    assert run(tmp_path, whole)[0] == run(tmp_path, *pieces, name="pieces.ndjson")[0]
