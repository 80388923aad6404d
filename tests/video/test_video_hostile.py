"""Files about videos, and CVAT's about pictures, that are wrong on purpose: none ends the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError, SourceError
from labelconv.model import (
    Annotation,
    Box,
    Image,
    Keyframe,
    Keypoint,
    Keypoints,
    Media,
    Sample,
    Samples,
    Track,
    Video,
)
from labelconv.problems import Report

MASK = '<mask label="a" left="0" top="0" width="{}" height="{}" rle="{}"/>'
LONG = "9" * 5000  # more digits than `int` takes


def pictures(folder: Path, inside: str, size: str = "100", head: str = "", id: str = "0") -> Path:
    image = f'<image id="{id}" name="a.png" width="{size}" height="{size}">{inside}</image>'
    (folder / "a.xml").write_text(f"<annotations>{head}{image}</annotations>")
    return folder / "a.xml"


def video(folder: Path, inside: str, meta: str = "") -> Path:
    head = f"<meta><task><name>n</name><mode>interpolation</mode>{meta}</task></meta>"
    track = f'<track id="0" label="car">{inside}</track>'
    (folder / "a.xml").write_text(f"<annotations>{head}{track}</annotations>")
    return folder / "a.xml"


def read(path: Path, format: str, **options: Any) -> tuple[list[Sample], Report]:
    dataset = lc.read(path, format, options=options)
    return list(dataset), dataset.report


@pytest.mark.parametrize(
    ("inside", "size", "code"),
    [
        # The sum of these is 1 in 64 bits; they once wrote beyond the memory of the process.
        (MASK.format(1, 1, ",".join([str(1 << 62)] * 4 + ["1"])), "100", "R110"),
        (MASK.format(1, 1, LONG), "100", "R110"),
        (MASK.format("1e300", 1, "0,1"), "100", "R110"),
        (MASK.format(1, 1, "0,1"), "1000000000", "R111"),
        ('<ellipse label="a" cx="1" cy="1" rx="1.7e308" ry="1e308"/>', "100", "R102"),
        ('<box label="a" xtl="-1e308" ytl="0" xbr="1e308" ybr="1" rotation="3"/>', "100", "R102"),
        ('<box label="a" xtl="0" ytl="0" xbr="1" ybr="1"><attribute/></box>', "9", "R101"),
        ('<points label="a" points="1,2;3,1e300"/>', "100", "R102"),
    ],
    ids=[
        "runs of 64 bits",
        "digits",
        "wide",
        "a large picture",
        "ellipse",
        "box",
        "no name",
        "points",
    ],
)
def test_a_shape_of_cvat_with_numbers_that_cannot_be_meant_is_rejected_alone(
    tmp_path: Path, inside: str, size: str, code: str
) -> None:
    good = '<box label="a" xtl="0" ytl="0" xbr="1" ybr="1"/>'
    (sample,), report = read(pictures(tmp_path, inside + good, size), "cvat-image")
    assert [annotation.value for annotation in sample.annotations] == [Box(0, 0, 1, 1)]
    assert (report.ledger.annotations.rejected, report.counts) == (1, {code: 1})


def test_an_ellipse_as_large_as_a_world_has_a_polygon(tmp_path: Path) -> None:
    large = '<ellipse label="a" cx="1" cy="1" rx="1e20" ry="1"/>'
    (sample,), _ = read(pictures(tmp_path, large), "cvat-image")
    value: Any = sample.annotations[0].value
    assert len(value.parts[0][0]) == 2 * 720


def test_a_mask_on_a_video_of_impossible_size_is_rejected_alone(tmp_path: Path) -> None:
    size = "<original_size><width>999999999</width><height>999999999</height></original_size>"
    rows = '<mask frame="0" left="0" top="0" width="1" height="1" rle="0,1"/>'
    (sample,), report = read(video(tmp_path, rows, size), "cvat-video")
    assert sample.annotations == ()
    assert report.counts == {"R111": 1}


def test_a_tag_without_a_label_is_rejected_alone(tmp_path: Path) -> None:
    (sample,), report = read(pictures(tmp_path, '<tag/><tag label="b"/>'), "cvat-image")
    assert [asked.name for asked in sample.classifications] == ["b"]
    ledger = report.ledger.classifications
    assert (ledger.read, ledger.rejected, report.counts) == (2, 1, {"R101": 1})


@pytest.mark.parametrize("format", ["cvat-image", "cvat-video"])
@pytest.mark.parametrize(
    "text", ["<annotation/>", "<annotations>" + "<a>" * 5000 + "</a>" * 5000 + "</annotations>"]
)
def test_xml_of_another_root_or_nested_without_end_is_refused(
    tmp_path: Path, format: str, text: str
) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(SourceError, match=r"a\.xml"):
        read(tmp_path / "a.xml", format)


@pytest.mark.parametrize("svg", ["&lt;circle " * 50_000, f'&lt;circle data-node-id="{LONG}"&gt;'])
def test_a_drawing_of_a_skeleton_that_never_ends_is_passed_over(tmp_path: Path, svg: str) -> None:
    head = (
        f"<meta><task><labels><label><name>s</name><type>skeleton</type><svg>{svg}</svg></label>"
        "<label><name>p</name><parent>s</parent></label></labels></task></meta>"
    )
    dataset = lc.read(pictures(tmp_path, "", head=head), "cvat-image")
    (category,) = dataset.ontology.categories
    assert (category.keypoints, category.skeleton) == (("p",), ())


def test_numbers_of_too_many_digits_are_as_if_nobody_had_said_them(tmp_path: Path) -> None:
    box = '<box frame="0" outside="0" keyframe="1" xtl="0" ytl="0" xbr="9" ybr="9"/>'
    meta = f"<size>{LONG}</size><start_frame>{LONG}</start_frame>"
    (sample,), _ = read(video(tmp_path, box, meta), "cvat-video")
    assert (sample.media, len(sample.annotations)) == (Video(), 1)
    lc.convert(pictures(tmp_path, "", id=LONG), tmp_path / "b.xml", to="cvat-image")
    assert '<image id="0"' in (tmp_path / "b.xml").read_text()


@pytest.mark.parametrize(
    "options",
    [{"fps": text} for text in ("1:1e400", "1:1e999999999", "nan:nan", "-5:-30", "0:0", "5:0")]
    + [{"start": 10**30}, {"stride": 2**21}, {"fps": "1:" + LONG}, {"fps": "0.0001:1000"}],
)
@pytest.mark.parametrize("format", ["mot", "cvat-video", "kitti-tracking"])
def test_rules_for_frames_that_no_video_has_are_refused_at_once(
    tmp_path: Path, format: str, options: dict[str, Any]
) -> None:
    (tmp_path / "a.txt").write_text("1,1,1,1,5,5\n")
    with pytest.raises(OptionError):
        read(tmp_path / "a.txt", format, **options)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1,1,1,1,5,5,1,nan,1", "R102"),
        ("1,1,1,1,5,5,nan,1,1", "R102"),
        ("1,1,1,1,5,5,1,1,inf", "R102"),
        ("1,1,1,1,5,5,1,1e300,1", "R101"),
    ],
)
@pytest.mark.parametrize("others", ["", "x\n"], ids=["a regular file", "an irregular one"])
def test_a_row_of_mot_with_a_column_that_is_no_number_is_rejected_alone(
    tmp_path: Path, row: str, code: str, others: str
) -> None:
    (tmp_path / "gt.txt").write_text(f"{row}\n2,2,1,1,5,5,1,1,1\n{others}")
    (sample,), report = read(tmp_path / "gt.txt", "mot", rows="gt")
    assert [annotation.id for annotation in sample.annotations] == ["2"]
    assert (code, 1) in [(each.code, each.where.line) for each in report.problems]
    assert report.ledger.annotations.rejected == 1 + (others != "")


def test_a_class_of_mot_that_is_no_whole_number_is_not_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,1,1,5,5,1,2.5,1\n1,2,1,1,5,5,1,2.0,1\n")
    (sample,), _ = read(tmp_path / "gt.txt", "mot", rows="gt")
    assert [each.category for each in sample.annotations] == ["class 2.5", "person_on_vehicle"]


# ------------------------------------------------------------------ skeletons that CVAT cannot tell

P, Q = Keypoint("p", 1.0, 2.0), Keypoint("q", 3.0, 4.0)
SECOND = Keypoint("p", 5.0, 6.0, False)
WHOLE, NONE = Keypoints((P, Q)), Keypoints(())


def there_and_back(
    folder: Path, media: Media, format: str, *values: Keypoints | Track
) -> tuple[list[Any], Report]:
    annotations = tuple(Annotation(str(n), "s", value) for n, value in enumerate(values))
    lc.write(Samples([Sample("a", media, annotations)]), folder / "a.ndjson", "native")
    target = folder / "b.xml"
    report = lc.convert(folder / "a.ndjson", target, to=format, allow={"loss"})
    assert report.ledger.balanced
    return [each.value for sample in lc.read(target, format) for each in sample.annotations], report


def test_points_of_one_name_are_all_in_cvats_pictures_and_skeletons_without_any_are_lost(
    tmp_path: Path,
) -> None:
    image = Image(100.0, 80.0)
    found, report = there_and_back(
        tmp_path, image, "cvat-image", Keypoints((P, SECOND, Q)), NONE, WHOLE
    )
    assert sorted(found[0].points, key=lambda point: point.x) == [P, Q, SECOND]
    assert found[1:] == [WHOLE]
    assert (report.ledger.annotations.lost, report.counts) == (1, {"L401": 1})


def test_a_video_of_cvat_tells_what_of_skeletons_it_cannot_say(tmp_path: Path) -> None:
    def track(*shapes: Keypoints) -> Track:
        return Track((tuple(Keyframe(5 * n, shape) for n, shape in enumerate(shapes)),))

    twice, hidden, never = Keypoints((P, Q, SECOND)), track(WHOLE, NONE, WHOLE), track(NONE, NONE)
    whole = track(WHOLE, WHOLE)
    found, report = there_and_back(
        tmp_path, Video(100.0, 80.0, 20), "cvat-video", track(twice, twice), hidden, never, whole
    )
    seen = [[[k.frame for k in segment] for segment in each.segments] for each in found]
    assert seen == [[[0, 5]], [[0, 4], [10]], [[0, 5]]]
    assert {k.shape for each in found for segment in each.segments for k in segment} == {WHOLE}
    assert report.ledger.annotations.lost == 3
    assert report.counts == {"L418": 2, "L401": 1}
