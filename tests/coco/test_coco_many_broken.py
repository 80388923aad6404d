"""A file of 100,000 annotations of which 1,000 are broken in twenty different ways."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from coco_help import put, read

from labelconv import codes
from labelconv.convert import convert
from labelconv.errors import StrictError
from labelconv.format import Wanted
from labelconv.problems import Report

#: What a record can go through is measured by the tests of single ones.
pytestmark = pytest.mark.no_cover

TOTAL, BROKEN = 100_000, 1_000
RING = [[10, 10, 30, 10, 30, 30]]

#: Fields that break a record, the code, and the place inside the record.
WAYS: list[tuple[dict[str, Any], str, str]] = [
    ({"bbox": [1, 2, 3]}, "R101", "/bbox"),
    ({"bbox": [10, 10, -5, 5]}, "M201", "/bbox"),
    ({"bbox": "10,10,5,5"}, "R101", "/bbox"),
    ({"bbox": [1, "x", 3, 4]}, "R101", "/bbox/1"),
    ({"bbox": ["NaN@", 2, 3, 4]}, "R102", "/bbox/0"),
    ({"bbox": [1, 2, 3, "1e400@"]}, "R102", "/bbox/3"),
    ({"bbox": None, "segmentation": []}, "M205", ""),
    ({"image_id": 999_999}, "R103", "/image_id"),
    ({"image_id": None}, "R101", "/image_id"),
    ({"image_id": True}, "R101", "/image_id"),
    ({"category_id": 999}, "R103", "/category_id"),
    ({"category_id": None}, "R103", "/category_id"),
    ({"category_id": [1]}, "R101", "/category_id"),
    ({"segmentation": {"size": [80, 100], "counts": [1, 2]}}, "R110", "/segmentation/counts"),
    ({"segmentation": {"size": [100, 80], "counts": [8000]}}, "R111", "/segmentation/size"),
    ({"segmentation": {"size": [80, 100], "counts": "\u007f"}}, "R110", "/segmentation/counts"),
    ({"segmentation": [[1, 2, "three", 4, 5, 6]]}, "R101", "/segmentation/0/2"),
    ({"segmentation": [*RING, [1, 2, 3, 4]]}, "M205", "/segmentation/1"),
    ({"iscrowd": 5}, "R101", "/iscrowd"),
    ({"keypoints": [1, 2, 2, 3]}, "R115", "/keypoints"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert len(WAYS) == 20
    every = TOTAL // BROKEN
    pieces = []
    for number in range(TOTAL):
        one: dict[str, Any] = {
            "id": number + 1,
            "image_id": number % 500,
            "category_id": 1,
            "bbox": [10, 10, 20, 20],
        }
        if number % 3 == 0:
            one["segmentation"] = RING
        if number % every == 50:
            one |= WAYS[number // every % 20][0]
        pieces.append(json.dumps(one).replace('"NaN@"', "NaN").replace('"1e400@"', "1e400"))
    images = [{"id": n, "width": 100, "height": 80, "file_name": f"{n}.jpg"} for n in range(500)]
    text = (
        f'{{"images":{json.dumps(images)},"annotations":[{",".join(pieces)}],'
        '"categories":[{"id":1,"name":"a","keypoints":["nose"]}]}'
    )
    return put(tmp_path_factory.mktemp("broken"), text)


def expected() -> Counter[tuple[str, str]]:
    every = TOTAL // BROKEN
    return Counter(
        (WAYS[n // every % 20][1], f"/annotations/{n}{WAYS[n // every % 20][2]}")
        for n in range(50, TOTAL, every)
    )


@pytest.mark.parametrize("wanted", [Wanted(pieces=True, extra=frozenset()), Wanted()])
def test_a_thousand_broken_records_are_rejected_each_at_its_place(
    broken: Path, wanted: Wanted
) -> None:
    got = read(broken, wanted=wanted)
    assert len(got.annotations) == TOTAL - BROKEN
    errors = Counter(
        (problem.code, problem.where.pointer)
        for problem in got.report.problems
        if problem.severity == "error"
    )
    assert errors == expected()
    account = got.report.ledger.annotations
    assert (account.read, account.kept, account.rejected) == (TOTAL, TOTAL - BROKEN, BROKEN)
    assert got.report.ledger.balanced


def test_the_rejected_records_lie_verbatim_beside_the_target(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    report = convert(broken, target, from_="coco", to="coco")
    assert report.ledger.annotations.rejected == BROKEN
    assert report.ledger.balanced
    assert len(json.loads(target.read_bytes())["annotations"]) == TOTAL - BROKEN
    lines = (tmp_path / "out.json.rejected.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(lines) == BROKEN
    first = json.loads(lines[0])
    assert first["where"]["pointer"] == "/annotations/50/bbox"
    assert json.loads(first["record"])["bbox"] == [1, 2, 3]
    by_place = {json.loads(line)["where"]["pointer"]: json.loads(line)["record"] for line in lines}
    assert '"id": 451' in by_place["/annotations/450/bbox/0"]
    assert "NaN" in by_place["/annotations/450/bbox/0"]


def test_strict_stops_at_the_first_and_writes_nothing(broken: Path, tmp_path: Path) -> None:
    report = Report(strict=True)
    with pytest.raises(StrictError):
        convert(broken, tmp_path / "out.json", from_="coco", to="coco", report=report)
    errors = [problem for problem in report.problems if problem.severity == "error"]
    assert [(p.code, p.where.pointer) for p in errors] == [
        (codes.RECORD_MALFORMED.id, "/annotations/50/bbox")
    ]
    assert list(tmp_path.iterdir()) == []
