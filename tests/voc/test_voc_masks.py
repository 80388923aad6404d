"""Palette PNGs: read as indices or by a label map, written so that others read the same."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from pycocotools import mask as coco
from voc_help import VOC, Result, box, document, laid_out, read

import labelconv as lc
from labelconv import masks
from labelconv.errors import SourceError
from labelconv.formats.voc.palette import CLASSES, VOID, colour_of
from labelconv.model import Annotation, Box, Image, Mask, Polygon, Sample, Samples
from labelconv.problems import Report

PALETTE = [value for index in range(256) for value in colour_of(index)]
AEROPLANE, PERSON, CAT = (CLASSES.index(name) for name in ("aeroplane", "person", "cat"))

#: 6 × 4: object 1 at the left, object 2 at the right, a void column between them.
OBJECTS = np.array([[1, 1, 255, 2, 2, 0]] * 3 + [[0] * 6], dtype=np.uint8)
NAMED = np.where(OBJECTS == 1, PERSON, np.where(OBJECTS == 2, CAT, OBJECTS)).astype(np.uint8)


def png(values: np.ndarray[Any, Any], palette: list[int] | None = PALETTE) -> bytes:
    picture = Pictures.fromarray(values)
    if palette is not None:
        picture.putpalette(palette)
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def coloured(values: np.ndarray[Any, Any]) -> bytes:
    return png(np.array(PALETTE, dtype=np.uint8).reshape(256, 3)[values], None)


def mask_of(pixels: np.ndarray[Any, Any]) -> Mask:
    """By pycocotools, from the pixels."""
    encoded = coco.encode(np.asfortranarray(pixels.astype(np.uint8)))
    return masks.from_text(encoded["size"], encoded["counts"])


XML = document(box("person", 1, 1, 3, 3), box("cat", 3, 1, 6, 3), filename="1.jpg", size=(6, 4))


def kit(folder: Path, **files: str | bytes) -> Path:
    places = {
        "xml": "Annotations/1.xml",
        "objects": "SegmentationObject/1.png",
        "classes": "SegmentationClass/1.png",
        "labels": "labelmap.txt",
    }
    return laid_out(folder, {places[name]: content for name, content in files.items()})


def shapes(result: Result) -> list[tuple[str, Any]]:
    return [(each.category, each.value) for each in result.annotations]


@pytest.mark.parametrize("paint", [png, coloured], ids=["indices", "colours"])
def test_objects_get_the_pixels_of_their_number_as_pycocotools_encodes_them(
    paint: Any, tmp_path: Path
) -> None:
    result = read(kit(tmp_path, xml=XML, objects=paint(OBJECTS), classes=paint(NAMED)))
    assert shapes(result) == [("person", mask_of(OBJECTS == 1)), ("cat", mask_of(OBJECTS == 2))]
    for annotation, number in zip(result.annotations, (1, 2), strict=True):
        assert isinstance(annotation.value, Mask)
        encoded = coco.encode(np.asfortranarray((number == OBJECTS).astype(np.uint8)))
        assert masks.to_text(annotation.value).encode() == encoded["counts"]
        assert masks.area(annotation.value) == coco.area(encoded)
    assert result.annotations[1].extra["voc:bndbox"] == [3, 1, 6, 3]


def test_indices_count_even_where_the_palette_is_of_another_kind(tmp_path: Path) -> None:
    grey = [value for index in range(256) for value in (index, index, index)]
    for palette in (grey, None):
        place = tmp_path / str(palette is None)
        files = {"objects": png(OBJECTS, palette), "classes": png(NAMED, palette)}
        assert [name for name, _ in shapes(read(kit(place, xml=XML, **files)))] == ["person", "cat"]


def test_masks_without_an_xml_file_are_named_by_their_class(tmp_path: Path) -> None:
    result = read(kit(tmp_path, objects=png(OBJECTS), classes=png(NAMED)))
    assert result.one.key == "1"
    assert result.one.media == Image(6, 4)
    assert [each.id for each in result.annotations] == ["segment 1", "segment 2"]
    assert [name for name, _ in shapes(result)] == ["person", "cat"]


def test_classes_alone_are_one_mask_each(tmp_path: Path) -> None:
    result = read(kit(tmp_path, classes=png(NAMED)))
    assert sorted(shapes(result), key=lambda pair: pair[0]) == [
        ("cat", mask_of(NAMED == CAT)),
        ("person", mask_of(NAMED == PERSON)),
    ]


def test_objects_alone_take_their_class_from_the_xml_file_or_are_rejected(tmp_path: Path) -> None:
    assert len(read(kit(tmp_path, xml=XML, objects=png(OBJECTS))).annotations) == 2
    three = OBJECTS.copy()
    three[3, 5] = 3
    result = read(kit(tmp_path, xml=XML, objects=png(three)))
    assert len(result.annotations) == 2
    assert result.codes() == ["R113", "R101"]


def test_a_mask_of_another_class_than_its_object_stands_beside_it(tmp_path: Path) -> None:
    other = np.where(NAMED == CAT, AEROPLANE, NAMED).astype(np.uint8)
    result = read(kit(tmp_path, xml=XML, objects=png(OBJECTS), classes=png(other)))
    assert shapes(result) == [
        ("person", mask_of(OBJECTS == 1)),
        ("cat", Box(3, 1, 6, 3)),
        ("aeroplane", mask_of(OBJECTS == 2)),
    ]


def test_masks_can_be_left_unread(tmp_path: Path) -> None:
    place = kit(tmp_path, xml=XML, objects=png(OBJECTS), classes=b"no PNG at all")
    assert [type(v) for _, v in shapes(read(place, masks="skip"))] == [Box, Box]


LABELS = (
    "# label:color_rgb:parts:actions\ncat:10,20,30::\nbackground:0,0,0::\nmy: dog:1,2,3:a,b:c\n"
)


def test_a_label_map_names_colours_whatever_their_index(tmp_path: Path) -> None:
    values = np.array([[0, 1, 2, 255]], dtype=np.uint8)
    palette = [0, 0, 0, 1, 2, 3, 10, 20, 30]
    result = read(kit(tmp_path / "p", classes=png(values, palette), labels=LABELS))
    assert sorted(name for name, _ in shapes(result)) == ["cat", "my: dog"]
    assert ("my: dog", mask_of(values == 1)) in shapes(result)
    colours = np.array([[(10, 20, 30), (224, 224, 192), (1, 2, 3), (9, 9, 9)]], dtype=np.uint8)
    result = read(kit(tmp_path / "c", classes=png(colours, None), labels=LABELS))
    assert sorted(name for name, _ in shapes(result)) == ["cat", "my: dog"]
    assert result.codes() == ["R103"]
    assert "#090909" in result.words("R103")[0]


def test_grey_indices_follow_the_order_of_the_label_map(tmp_path: Path) -> None:
    result = read(kit(tmp_path, classes=png(np.array([[0, 1, 2]], np.uint8), None), labels=LABELS))
    assert shapes(result) == [
        ("cat", Mask((1, 3), (0, 1, 2))),
        ("my: dog", Mask((1, 3), (2, 1))),
    ]


def test_a_label_map_that_is_none_is_an_error_with_its_line(tmp_path: Path) -> None:
    place = kit(tmp_path, classes=png(NAMED), labels="background:0,0,0::\ncat 1 2 3\n")
    with pytest.raises(SourceError, match=r"labelmap\.txt:2"):
        read(place)


def test_pngs_that_do_not_fit_are_rejected_and_the_boxes_stay(tmp_path: Path) -> None:
    small = OBJECTS[:2]
    cases = {
        "size": ({"objects": png(small), "classes": png(NAMED[:2])}, ["R111", "R111"]),
        "pair": ({"objects": png(OBJECTS), "classes": png(NAMED[:2])}, ["R111"]),
        "broken": ({"objects": png(OBJECTS)[:60]}, ["R101"]),
        "no class": ({"objects": png(OBJECTS), "classes": png(NAMED * 0)}, ["R101", "R101"]),
        "unknown": ({"classes": png(np.full_like(NAMED, 77))}, ["R103"]),
    }
    for name, (files, codes) in cases.items():
        result = read(kit(tmp_path / name, xml=XML, **files))
        assert [type(value) for _, value in shapes(result)] == [Box, Box], name
        assert result.codes()[1:] == codes, name


def test_the_devkits_palette_has_these_colours() -> None:
    assert [colour_of(index) for index in (0, 1, 2, 15, 20, VOID)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (192, 128, 128),
        (0, 64, 128),
        (224, 224, 192),
    ]


# ------------------------------------------------------------------------------------ writing


def square(x: int, y: int, size: int, name: str, id: str) -> Annotation:
    pixels = np.zeros((20, 30), np.uint8)
    pixels[y : y + size, x : x + size] = 1
    return Annotation(id, name, masks.from_array(pixels))


def written(folder: Path, annotations: list[Annotation], **options: Any) -> tuple[Path, Report]:
    dataset = Samples([Sample("a/1.jpg", Image(30, 20), tuple(annotations))])
    given = {"masks": "png", **options}
    report = lc.write(dataset, folder / "kit", "voc", options=given, allow=["loss"])
    assert report.ledger.balanced
    return folder / "kit", report


def test_written_pngs_have_the_devkits_palette_and_numbers_of_the_objects_of_the_xml(
    tmp_path: Path,
) -> None:
    given = [
        square(0, 0, 5, "dog", "1"),
        Annotation("2", "cat", Box(1, 1, 9, 9)),
        square(10, 10, 4, "cat", "3"),
    ]
    place, report = written(tmp_path, given)
    with Pictures.open(place / "SegmentationObject" / "a" / "1.png") as picture:
        assert (picture.mode, picture.size, picture.getpalette()) == ("P", (30, 20), PALETTE)
        objects = np.asarray(picture)
    with Pictures.open(place / "SegmentationClass" / "a" / "1.png") as picture:
        classes = np.asarray(picture)
    assert {int(n): int((objects == n).sum()) for n in (1, 3)} == {1: 25, 3: 16}
    assert np.array_equal(classes, np.where(objects == 1, 2, np.where(objects == 3, 1, 0)))
    assert (place / "labelmap.txt").read_text().splitlines()[1:] == [
        "background:0,0,0::",
        "cat:128,0,0::",
        "dog:0,128,0::",
    ]
    assert (place / "ImageSets" / "Segmentation" / "trainval.txt").read_text() == "a/1\n"
    assert "<segmented>1</segmented>" in (place / "Annotations" / "a" / "1.xml").read_text()
    assert report.ledger.annotations.kept == 3
    assert [(e.category, e.value) for e in read(place).annotations] == [
        (e.category, e.value) for e in given
    ]


def test_where_masks_overlap_the_smaller_one_is_seen_and_the_loss_is_measured(
    tmp_path: Path,
) -> None:
    given = [square(0, 0, 2, "a", "1"), square(0, 0, 10, "b", "2"), square(0, 0, 2, "c", "3")]
    place, report = written(tmp_path, given)
    found = {each.category: each.value for each in read(place).annotations}
    assert found["a"] == Box(0, 0, 2, 2)
    assert (masks.area(found["b"]), masks.area(found["c"])) == (96, 4)
    assert report.counts["L402"] == 2
    assert report.measures["L402"].worst == pytest.approx(0.96)
    assert (report.ledger.annotations.kept, report.ledger.annotations.lost) == (1, 2)


def test_masks_without_pixels_or_of_another_size_are_told_as_lost(tmp_path: Path) -> None:
    given = [
        Annotation("1", "a", Mask((20, 30), (600,))),
        Annotation("2", "a", Mask((2, 2), (0, 4))),
        square(3, 3, 2, "a", "3"),
    ]
    place, report = written(tmp_path, given)
    assert [type(each.value) for each in read(place).annotations] == [Box, Mask]
    assert (report.counts["L401"], report.counts["L402"]) == (1, 1)
    assert report.ledger.annotations.lost == 2


def test_objects_beyond_the_254th_have_no_number_and_become_boxes(tmp_path: Path) -> None:
    given = [Annotation(str(n), "a", Box(0, 0, 1, 1)) for n in range(253)]
    given += [square(0, 0, 2, "a", "x"), square(5, 5, 2, "a", "y")]
    place, report = written(tmp_path, given)
    assert [type(each.value) for each in read(place).annotations[253:]] == [Mask, Box]
    assert report.counts["L402"] == 1


def test_polygons_are_painted_and_without_pngs_masks_become_boxes(tmp_path: Path) -> None:
    ring = (0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0)
    given = [Annotation("1", "a", Polygon(((ring,),)))]
    place, report = written(tmp_path, given)
    assert shapes(read(place)) == [("a", square(0, 0, 10, "a", "1").value)]
    assert report.ledger.annotations.changed == 1
    (tmp_path / "none").mkdir()
    place, report = written(tmp_path / "none", [square(0, 0, 3, "a", "1")], masks="none")
    assert shapes(read(place)) == [("a", Box(0, 0, 3, 3))]
    assert not (place / "SegmentationObject").exists()
    assert VOC.holds(VOC.writer_options())[0].values == frozenset({Box})
