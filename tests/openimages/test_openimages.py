"""Open Images: boxes, labels, masks and relationships from CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import masks
from labelconv.errors import OptionError, SourceError
from labelconv.model import Annotation, Box, Checklist, Classification, Image, Radio, Sample
from labelconv.problems import Report

FIXTURES = Path(__file__).parents[1] / "fixtures" / "openimages"
BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def sizes(folder: Path, *lines: str) -> str:
    return str(put(folder / "sizes.csv", *(lines or ("1,640,480", "2,100,200"))))


def read(path: Path, **options: str) -> tuple[list[Sample], Report]:
    dataset = lc.read(path, "openimages", options=options)
    return list(dataset), dataset.report


def test_fractions_become_pixels_of_the_pictures_size(tmp_path: Path) -> None:
    path = put(tmp_path / "b.csv", BOXES, "1,xclick,/m/1,1,0.25,0.75,0.125,0.5,0,0,0,0,0")
    samples, report = read(path, sizes=sizes(tmp_path))
    assert samples[0].media == Image(640, 480)
    assert samples[0].annotations == (Annotation("2", "/m/1", Box(160, 60, 480, 240)),)
    assert report.counts == {"R113": 1}


@pytest.mark.parametrize(
    "label", [b"/m/\xff", b'"' + b"9" * 200_000 + b'"'], ids=["no UTF-8", "a cell too long"]
)
def test_a_line_that_cannot_be_read_as_text_is_rejected_alone(tmp_path: Path, label: bytes) -> None:
    row = "1,xclick,{},1,0.25,0.75,0.125,0.5,0,0,0,0,0"
    path = put(tmp_path / "b.csv", BOXES, row.format("NAME"), row.format("/m/1"))
    path.write_bytes(path.read_bytes().replace(b"NAME", label))
    (sample,), report = read(path, sizes=sizes(tmp_path))
    assert [annotation.category for annotation in sample.annotations] == ["/m/1"]
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.where.line) == ("R101", 2)
    assert label in rejected.record
    assert report.ledger.annotations.rejected == 1


def test_a_picture_without_a_size_is_rejected_and_never_0_by_0(tmp_path: Path) -> None:
    row = "3,xclick,/m/1,1,0.25,0.75,0.125,0.5,0,0,0,0,0"
    path = put(tmp_path / "b.csv", BOXES, row, row.replace("3,", "1,", 1))
    samples, report = read(path, sizes=sizes(tmp_path))
    assert [sample.key for sample in samples] == ["1"]
    (rejected,) = report.take_rejected()
    assert rejected.code == "R122"
    assert rejected.record == row.encode()
    account = report.ledger.samples
    assert (account.read, account.rejected) == (2, 1)


def test_sizes_come_from_the_headers_of_the_pictures(tmp_path: Path) -> None:
    from PIL import Image as Pictures

    (tmp_path / "train").mkdir()
    Pictures.new("L", (64, 48)).save(tmp_path / "train" / "1.jpg")
    path = put(tmp_path / "b.csv", BOXES, "1,xclick,/m/1,1,0,1,0,1,0,0,0,0,0")
    (sample,) = lc.read(path, "openimages", media=tmp_path / "train")
    assert sample.annotations[0].value == Box(0, 0, 64, 48)


def test_flags_that_are_set_are_ticks_and_unknown_ones_are_counted(tmp_path: Path) -> None:
    path = put(tmp_path / "b.csv", BOXES, "1,xclick,/m/1,1,0,1,0,1,1,0,1,-1,0")
    samples, report = read(path, sizes=sizes(tmp_path))
    ticked = Checklist((Radio("IsOccluded"), Radio("IsGroupOf")))
    assert samples[0].annotations[0].classifications == (Classification("attributes", ticked),)
    assert report.fields == {
        "openimages:IsDepiction (unknown)": 1,
        "openimages:Source (of boxes)": 1,
    }


def test_names_of_classes_come_from_the_option_or_from_the_file_beside(tmp_path: Path) -> None:
    path = put(tmp_path / "b.csv", BOXES, "1,xclick,/m/1,1,0,1,0,1,0,0,0,0,0")
    size = sizes(tmp_path)
    put(tmp_path / "class-descriptions-boxable.csv", '/m/1,"Wood, oak"')
    given = put(tmp_path / "mine.txt", "LabelName,DisplayName", "/m/1,Tree")
    beside, report = read(path, sizes=size)
    assert beside[0].annotations[0].category == "Wood, oak"
    assert report.counts == {}
    assert read(path, sizes=size, classes=str(given))[0][0].annotations[0].category == "Tree"
    with pytest.raises(SourceError):
        read(path, classes=str(tmp_path / "none.csv"))


def test_rows_of_a_picture_are_joined_wherever_in_the_file_they_stand(tmp_path: Path) -> None:
    rows = [f"{image},x,/m/{image},1,0,1,0,1,0,0,0,0,0" for image in "121221"]
    path = put(tmp_path / "b.csv", BOXES, *rows)
    samples, report = read(path, sizes=sizes(tmp_path))
    assert [(s.key, [a.id for a in s.annotations]) for s in samples] == [
        ("1", ["2", "4", "7"]),
        ("2", ["3", "5", "6"]),
    ]
    assert report.ledger.annotations.read == 6


def test_a_folder_joins_boxes_masks_labels_and_relationships_of_a_picture() -> None:
    place = FIXTURES / "folder" / "input"
    samples, report = read(
        place / "data", sizes=str(place / "sizes.csv"), masks=str(place / "masks")
    )
    one, two = samples
    assert [a.category for a in one.annotations] == ["Table", "Airplane", "Airplane", "Fruit"]
    assert [(r.category, r.source, r.target) for r in one.relations] == [("on", "r2a", "2")]
    assert one.annotations[0].classifications == (Classification("is", Radio("Wood, oak")),)
    labels = Checklist((Radio("Fruit", confidence=0.75),))
    assert two.classifications == (Classification("labels", labels),)
    assert report.fields["openimages:labels that are verified to be absent"] == 1
    assert report.ledger.annotations.read == 5  # one of the masks is missing


def test_a_mask_has_the_pixels_of_its_png_and_a_smaller_one_is_scaled_and_told() -> None:
    place = FIXTURES / "folder" / "input"
    samples, report = read(
        place / "data", sizes=str(place / "sizes.csv"), masks=str(place / "masks")
    )
    exact: Any = samples[0].annotations[1].value
    assert masks.bounds(exact) == Box(2, 1, 5, 3)
    scaled: Any = samples[0].annotations[2].value
    assert (scaled.size, masks.bounds(scaled)) == ((4, 8), Box(2, 0, 4, 2))
    assert report.counts["R133"] == 1
    assert report.counts["R112"] == 1


@pytest.mark.parametrize(
    ("row", "code", "pointer"),
    [
        ("1,x,/m/1,1,0.5,0.25,0,1", "M201", "/XMin"),
        ("1,x,/m/1,1,0,1.5,0,1", "R101", "/XMin"),
        ("1,x,/m/1,1,0,x,0,1", "R101", "/XMax"),
        ("1,x,/m/1,1,0,nan,0,1", "R102", "/XMax"),
        ("1,x,,1,0,1,0,1", "R101", "/LabelName"),
        ("1,x", "R101", "/XMin"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_alone_with_its_column(
    row: str, code: str, pointer: str, tmp_path: Path
) -> None:
    path = put(tmp_path / "b.csv", BOXES, row, "1,x,/m/1,1,0,1,0,1,0,0,0,0,0")
    samples, report = read(path, sizes=sizes(tmp_path))
    assert len(samples[0].annotations) == 1
    (rejected,) = report.take_rejected()
    assert (rejected.code, rejected.where.line, rejected.where.pointer) == (code, 2, pointer)
    assert rejected.record == row.encode()


def test_a_fraction_a_little_beyond_the_picture_is_kept_and_told(tmp_path: Path) -> None:
    path = put(tmp_path / "b.csv", BOXES, "1,x,/m/1,1,0,1.005,0,1,0,0,0,0,0")
    samples, report = read(path, sizes=sizes(tmp_path))
    assert samples[0].annotations[0].value == Box(0, 0, pytest.approx(643.2), 480)
    assert report.counts["M203"] == 1


def test_other_files_and_folders_are_refused_with_what_was_found(tmp_path: Path) -> None:
    path = put(tmp_path / "other.csv", "a,b", "1,2")
    for place in (path, tmp_path):
        with pytest.raises(SourceError):
            read(place)
    path = put(tmp_path / "b.csv", BOXES)
    with pytest.raises(OptionError):
        read(path, masks=str(tmp_path / "none"))
    assert read(path)[0] == []


def test_the_format_is_found_by_its_columns_and_can_only_be_read(tmp_path: Path) -> None:
    path = put(tmp_path / "in" / "b.csv", BOXES)
    for place in (path, tmp_path / "in"):
        assert "openimages" in lc.read(place).report.evidence[0]
    with pytest.raises(OptionError):
        lc.write([], tmp_path / "o.csv", "openimages")


def test_boxes_become_labelbox_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "b.csv", BOXES, "1,x,/m/1,1,0.25,0.75,0.125,0.5,0,0,0,0,0")
    report = lc.convert(
        path,
        tmp_path / "o.ndjson",
        from_="openimages",
        to="labelbox",
        reader_options={"sizes": sizes(tmp_path)},
    )
    assert report.ledger.annotations.kept == 1
    line = (tmp_path / "o.ndjson").read_text(encoding="utf-8")
    assert '"bbox":{"top":60.0,"left":160.0,"height":180.0,"width":320.0}' in line


def test_cells_beyond_the_columns_are_counted_and_a_row_of_no_picture_is_rejected(
    tmp_path: Path,
) -> None:
    row = "xclick,/m/1,1,0.25,0.75,0.125,0.5,0,0,0,0,0"
    path = put(tmp_path / "b.csv", BOXES, f"1,{row},7,8", "", f",{row}")
    samples, report = read(path, sizes=sizes(tmp_path))
    assert [sample.key for sample in samples] == ["1"]
    assert report.fields["openimages:cells beyond the columns (of boxes)"] == 1
    (rejected,) = report.take_rejected()
    assert rejected.record == f",{row}".encode()
    account = report.ledger.annotations
    assert (account.read, account.rejected) == (2, 1)
