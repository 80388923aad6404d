"""Whole samples by an index of where records are: the same as in pieces, however they are read."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from coco_help import document, put, read, record

from labelconv import jsonstream
from labelconv.format import Wanted
from labelconv.formats.coco import grouped

SQUARE = [10, 20, 40, 20, 40, 60, 10, 60]
PICTURES = [{"id": n, "width": 100, "height": 80, "file_name": f"{n}.jpg"} for n in range(12)]


def mixed(count: int = 150) -> list[Any]:
    choose = random.Random(3)
    made: list[Any] = []
    for n in range(count):
        one: Any = record(id=n, image_id=choose.randrange(11))
        kind = n % 10
        if kind == 1:
            one["segmentation"] = [SQUARE]
        elif kind == 2:
            one |= {"note": "},{ [", "deep": [{"a": {}}, {"b": [1]}]}
        elif kind == 3:
            one["bbox"] = [1, 2, "3", 4]
        elif kind == 4:
            one["image_id"] = 77
        elif kind == 5:
            one["bbox"] = [1, 2, -3, 4]
        elif kind == 6:
            one = {"id": n, "image_id": one["image_id"], "caption": f"text {n}"}
        elif kind == 7 and n % 3:
            one = n
        elif kind == 8:
            one["image_id"] = str(one["image_id"])
        made.append(one)
    return made


@pytest.mark.parametrize("together", [1, 300, 1 << 20])
@pytest.mark.parametrize("window", [200, 1 << 18])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ordered", [True, False])
def test_whole_samples_have_what_their_pieces_have(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ordered: bool,
    indent: int | None,
    window: int,
    together: int,
) -> None:
    monkeypatch.setattr(jsonstream, "WINDOW_BYTES", window)
    monkeypatch.setattr(grouped, "_TOGETHER_BYTES", together)
    records = mixed()
    if ordered:
        records.sort(key=lambda each: int(each["image_id"]) if isinstance(each, dict) else -1)
    whole = {**document(*records), "images": PICTURES}
    path = put(tmp_path, json.dumps(whole, indent=indent))
    for extra in (None, frozenset[str]()):
        apart = read(path, wanted=Wanted(pieces=True, extra=extra))
        together_ = read(path, wanted=Wanted(extra=extra))
        by_key = {sample.key: sample for sample in apart.samples}
        assert [sample.key for sample in together_.samples] == [f"{n}.jpg" for n in range(12)]
        assert {sample.key: sample for sample in together_.samples} == by_key
        assert Counter(together_.problems) == Counter(apart.problems)
        assert together_.report.fields == apart.report.fields
        rejected = together_.report.take_rejected()
        assert Counter(map(str, rejected)) == Counter(map(str, apart.report.take_rejected()))
        for each in rejected:
            index = int(str(each.where.pointer).split("/")[2])
            assert json.loads(each.record) == records[index]


def test_systems_without_positioned_reads_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, {**document(*mixed()), "images": PICTURES})
    before = read(path)
    monkeypatch.delattr(os, "pread", raising=False)
    after = read(path)
    assert after.samples == before.samples
    assert after.problems == before.problems
