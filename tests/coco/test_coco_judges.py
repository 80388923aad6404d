"""pycocotools reads what is written, and agrees on areas, boxes and pixels."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from coco_help import lvis_rewritten, read, rewritten, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labelconv import masks, testing
from labelconv.format import Holds
from labelconv.formats.coco import holds
from labelconv.formats.coco.writer import CocoWriterOptions
from labelconv.model import Box, Mask, Polygon, Samples

#: pycocotools' own arrays and numpy 2 disagree about a keyword; that is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STREET = Path(__file__).parents[1] / "fixtures" / "coco" / "street" / "input" / "instances.json"


def judge(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def agrees(path: Path) -> int:
    """Compare every annotation of a file with what pycocotools makes of it; how many."""
    coco = judge(path)
    ours = {annotation.id: annotation for annotation in read(path).annotations}
    for id, theirs in coco.anns.items():
        value = ours[str(id)].value
        if isinstance(value, Mask):
            rle = coco.annToRLE(theirs)
            assert theirs["area"] == pytest.approx(float(coco_mask.area(rle)), abs=1e-6)
            assert theirs["bbox"] == pytest.approx(coco_mask.toBbox(rle).tolist(), abs=1e-6)
            assert np.array_equal(coco.annToMask(theirs), masks.to_array(value))
        elif isinstance(value, Polygon):
            image = coco.imgs[theirs["image_id"]]
            own = masks.from_polygon(value, image["height"], image["width"])
            assert np.array_equal(coco.annToMask(theirs), masks.to_array(own))
    assert len(ours) == len(coco.anns)
    return len(ours)


def test_pycocotools_agrees_on_a_ground_truth_that_came_through(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    rewritten(STREET, target)
    assert agrees(target) == 25


def test_pycocotools_agrees_on_polygons_that_became_masks(tmp_path: Path) -> None:
    got = read(STREET, {"shape": "mask"})
    target = tmp_path / "out.json"
    write(Samples(got.samples, got.dataset.ontology), target)
    assert agrees(target) == 25
    assert all(isinstance(annotation.value, Mask) for annotation in got.annotations)


def test_pycocotools_agrees_on_real_lvis(tmp_path: Path) -> None:
    _, target = lvis_rewritten(tmp_path)
    assert agrees(target) == 977


def _sized() -> Holds:
    held = holds(CocoWriterOptions())[0]
    return msgspec.structs.replace(held, values=frozenset({Mask}), questions=0)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_pycocotools_agrees_on_any_mask(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.datasets(_sized()))
    target = tmp_path_factory.mktemp("judge") / "out.json"
    write(Samples(list(dataset), dataset.ontology), target)
    coco = judge(target)
    for theirs in coco.anns.values():
        rle = theirs["segmentation"]
        assert theirs["area"] == float(coco_mask.area(rle))
        assert theirs["bbox"] == coco_mask.toBbox(rle).tolist()
    values = [annotation.value for sample in dataset for annotation in sample.annotations]
    assert len(coco.anns) == len(values)
    for value, theirs in zip(values, coco.dataset["annotations"], strict=True):
        assert isinstance(value, Mask)
        size = theirs["segmentation"]["size"]
        text = theirs["segmentation"]["counts"].encode()
        raw = coco_mask.frPyObjects(
            {"size": list(value.size), "counts": list(value.runs)}, *value.size
        )
        assert (size, text) == (raw["size"], raw["counts"])


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_pycocotools_takes_results_and_finds_them_perfect(kind: str, tmp_path: Path) -> None:
    got = read(STREET, {"shape": "box" if kind == "bbox" else "mask", "crowd": "skip"})
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    dataset = Samples(got.samples, got.dataset.ontology)
    write(dataset, truth)
    write(dataset, results, {"task": "results", "score": 0.9})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = judge(truth)
        found = coco.loadRes(str(results))
        evaluation: Any = COCOeval(coco, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert len(found.anns) == 24
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_pycocotools_takes_keypoint_results(tmp_path: Path) -> None:
    folder = STREET.parents[2] / "results-keypoints" / "input"
    got = read(folder / "results.json", {"categories": str(folder / "ground-truth.json")})
    results = tmp_path / "results.json"
    write(Samples(got.samples, got.dataset.ontology), results, {"task": "results"})
    with contextlib.redirect_stdout(io.StringIO()):
        found = judge(folder / "ground-truth.json").loadRes(str(results))
    (annotation,) = found.anns.values()
    assert annotation["keypoints"] == [36, 181, 2, 0, 0, 0, 35, 166, 2]


def test_areas_and_boxes_of_boxes_are_their_own(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    rewritten(STREET, target)
    for annotation in json.loads(target.read_bytes())["annotations"]:
        if annotation["segmentation"] == []:
            _, _, width, height = annotation["bbox"]
            assert annotation["area"] == pytest.approx(width * height, abs=1e-6)
    boxes = [a.value for a in read(target).annotations if isinstance(a.value, Box)]
    assert len(boxes) == 14
