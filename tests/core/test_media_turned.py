"""Pictures that EXIF turns are told once, whichever format asked for their sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image as Pictures

import labelconv as lc
from labelconv import registry
from labelconv.model import Annotation, Box, Image, Sample, Samples
from labelconv.reading import ReadDataset

SHOWN = Image(20, 40)
BOX = Box(2, 4, 10, 12)


def turned(path: Path, orientation: int = 6) -> None:
    """A JPEG that is stored 40 × 20 and shown 20 × 40."""
    exif = Pictures.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Pictures.new("RGB", (40, 20)).save(path, exif=exif)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures that are turned by a quarter, and one upside down, whose size stays."""
    folder = tmp_path / "pictures"
    for name, orientation in (("1.jpg", 6), ("2.jpg", 8), ("3.jpg", 3)):
        turned(folder / name, orientation)
    return folder


def told(dataset: ReadDataset) -> list[str]:
    """The sentences about turned pictures after an iteration."""
    assert [sample.media for sample in dataset] == [SHOWN, SHOWN, Image(40, 20)]
    return [each.message for each in dataset.report.problems if each.code == "R125"]


def may_lack_sizes() -> list[str]:
    """The formats that can be written and read where no size is known."""
    names = []
    for format in registry.all_formats():
        held = format.holds_of(Image, format.writer_options()) if format.write else None
        if format.read and held is not None and Box in held.values and not held.needs_size:
            names.append(format.name)
    return names


@pytest.mark.parametrize("name", may_lack_sizes())
def test_pictures_that_a_format_gives_no_sizes_are_told_once(
    name: str, pictures: Path, tmp_path: Path
) -> None:
    boxes = (Annotation("a", "cat", BOX),)
    samples = [Sample(f"{number}.jpg", Image(), boxes) for number in (1, 2, 3)]
    lc.write(Samples(samples), tmp_path / "labels", name)
    (sentence,) = told(lc.read(tmp_path / "labels", name, media=pictures))
    assert sentence.startswith("2 ")


VOC = {
    f"Annotations/{number}.xml": f"<annotation><filename>{number}.jpg</filename></annotation>"
    for number in (1, 2, 3)
}
#: Files of a source beside the pictures, by format: those that have to know sizes, or find them.
BESIDE = {
    "yolo": {
        "data.yaml": "path: .\ntrain: images/train\nnames: [cat]\n",
        **{f"labels/train/{number}.txt": "0 0.5 0.5 0.2 0.2\n" for number in (1, 2, 3)},
    },
    "dota": {f"labelTxt/{number}.txt": "2 4 10 4 10 12 2 12 cat 0\n" for number in (1, 2, 3)},
    "voc": VOC,
    "ultralytics-ndjson": {
        "labels.ndjson": '{"type": "dataset", "task": "detect", "class_names": {"0": "cat"}}\n'
        + "".join(f'{{"type": "image", "file": "{number}.jpg"}}\n' for number in (1, 2, 3))
    },
    "xview": {
        "labels.geojson": json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {
                            "bounds_imcoords": "2,4,10,12",
                            "type_id": 73,
                            "image_id": f"{number}.jpg",
                        },
                        "geometry": None,
                    }
                    for number in (1, 2, 3)
                ],
            }
        )
    },
    "spacenet": {
        "labels.csv": "ImageId,BuildingId,PolygonWKT_Pix,Confidence\n"
        + "".join(f'{number}.jpg,0,"POLYGON ((2 4, 10 4, 10 12, 2 4))",1\n' for number in (1, 2, 3))
    },
}
#: Where pictures lie that a format finds without being told of a folder.
LIE_BESIDE = {"yolo": "images/train", "voc": "JPEGImages"}


def put(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", BESIDE)
def test_pictures_that_a_reader_looks_up_itself_are_told_once(
    name: str, pictures: Path, tmp_path: Path
) -> None:
    source = put(tmp_path / "source", BESIDE[name])
    given: dict[str, Path] = {"media": pictures}
    if name in LIE_BESIDE:
        place = source / LIE_BESIDE[name]
        place.parent.mkdir(exist_ok=True)
        pictures.rename(place)
        given = {}
    one = source / next(iter(BESIDE[name]))
    (sentence,) = told(lc.read(one if one.parent == source else source, name, **given))
    assert sentence.startswith("2 ")


def test_nothing_is_told_where_exif_is_ignored_or_a_table_says_the_sizes(
    pictures: Path, tmp_path: Path
) -> None:
    table = tmp_path / "sizes.csv"
    table.write_text("1.jpg,7,9\n2.jpg,7,9\n3.jpg,7,9\n", encoding="utf-8")
    source = put(tmp_path / "kit", VOC)
    for options, size in (
        ({"exif": "ignore"}, Image(40, 20)),
        ({"sizes": str(table)}, Image(7, 9)),
    ):
        dataset = lc.read(source, "voc", media=pictures, options=options)
        assert [sample.media for sample in dataset] == [size] * 3
        assert "R125" not in dataset.report.counts


def test_files_of_a_glob_are_told_together(pictures: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "kit", VOC)
    dataset = lc.read(source / "Annotations" / "*.xml", "voc", media=pictures)
    (sentence,) = told(dataset)
    assert sentence.startswith("2 ")


def test_each_iteration_is_told_and_a_look_at_the_ontology_in_between_takes_nothing_away(
    pictures: Path, tmp_path: Path
) -> None:
    dataset = lc.read(put(tmp_path / "kit", VOC), "voc", media=pictures)
    samples = iter(dataset)
    next(samples)
    assert not dataset.ontology.categories
    list(samples)
    first, second = told(dataset)  # the second iteration
    assert first == second
    assert first.startswith("2 ")


def test_coco_does_not_miss_sizes_that_the_pictures_have(pictures: Path, tmp_path: Path) -> None:
    source = tmp_path / "coco.json"
    names = ("1.jpg", "3.jpg", "lost.jpg")
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    source.write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    dataset = lc.read(source, "coco", media=pictures)
    assert [sample.media for sample in dataset] == [SHOWN, Image(40, 20), Image()]
    (missed,) = [each.message for each in dataset.report.problems if each.code == "R116"]
    assert "1 picture" in missed
