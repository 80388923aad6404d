"""GeoJSON in several processes: the same bytes and the same report as in one."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv import jobs, jsonstream
from labelconv.errors import SourceError
from labelconv.io import PIECE_BYTES
from labelconv.jobs import Crew

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

Feature = dict[str, Any]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each stretch of another process, whether it was taken in; windows are small."""
    found: list[bool] = []
    take = Crew.take

    def told(self: Crew, number: int, fits: Any) -> Any:
        state = take(self, number, fits)
        found.append(state is not None)
        return state

    monkeypatch.setattr(Crew, "take", told)
    monkeypatch.setattr(jsonstream, "WINDOW_BYTES", 2_000)
    monkeypatch.setattr(jobs, "LEAST_BYTES", 500)
    return found


def square(x: float, y: float, size: float) -> list[list[float]]:
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]


def feature(number: int, coordinates: Any, kind: str = "Polygon", **more: Any) -> Feature:
    properties = {"class": f"c{number % 3}", "image": f"{number // 9 % 4}.tif"}
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry, **more}


def plain(count: int) -> list[Feature]:
    draw = random.Random(3)
    return [
        feature(n, [square(draw.uniform(3e5, 6e5), draw.uniform(53e5, 57e5), draw.uniform(3, 12))])
        for n in range(count)
    ]


def mixed(count: int = 150) -> list[Feature]:
    """Features of every kind, and broken ones."""
    made = plain(count)
    for n, each in enumerate(made):
        ring = each["geometry"]["coordinates"][0]
        x, y = ring[0]
        if n % 15 == 1:
            each["geometry"] = {"type": "MultiPolygon", "coordinates": [[ring], [square(x, y, 1)]]}
        elif n % 15 == 2:
            each["geometry"] = None
        elif n % 15 == 3:
            del ring[-1]
        elif n % 15 == 4:
            each["geometry"]["coordinates"] = [[[x, y], [x]]]
        elif n % 15 == 5:
            each["properties"]["class"] = None
        elif n % 15 == 6:
            each["note"] = [{"geometry": 1}, {"geometry": 2}]
        elif n % 15 == 7:
            each["geometry"] = {"type": "Point", "coordinates": [x, y, 12.5]}
        elif n % 15 == 8:
            each["properties"]["image"] = ["no name"]
        elif n % 15 == 9:
            each["geometry"]["coordinates"] = [square(x, y, 90_000)]  # edges that bend
        elif n % 15 == 10:
            each["properties"] |= {"height": 3, "text": '},{"geometry":1}'}
    return made


def written(folder: Path, features: list[Any], **how: Any) -> Path:
    crs = {"type": "name", "properties": {"name": "EPSG:32633"}}
    path = folder / "in.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}, **how)
    )
    return path


def converted(source: Path, count: int, **options: Any) -> tuple[bytes, bytes, dict[str, Any]]:
    """The lines, the rejected records and the report."""
    target = source.with_name(f"out-{count}.ndjson")
    report = lc.convert(source, target, to="labelbox", reader_options=options, jobs=count)
    beside = source.with_name(f"out-{count}.ndjson.rejected.ndjson")
    rejected = beside.read_bytes() if beside.exists() else b""
    beside.unlink(missing_ok=True)
    return target.read_bytes(), rejected, report.as_dict()


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("sample_key", ["image", None])
def test_several_processes_write_and_report_what_one_does(
    tmp_path: Path, taken: list[bool], sample_key: str | None, indent: int | None
) -> None:
    source = written(tmp_path, mixed(), indent=indent)
    alone = converted(source, 1, sample_key=sample_key)
    assert taken == []
    for count in (2, 3, 5):
        assert converted(source, count, sample_key=sample_key) == alone
    assert taken == [True] * 7
    _, rejected, report = alone
    assert report["ledger"]["samples"]["read"] == (4 if sample_key else 1)
    assert report["ledger"]["annotations"]["read"] == 140  # ten have no geometry
    assert rejected.count(b"\n") == report["ledger"]["annotations"]["rejected"] > 0
    (moved,) = [each for each in report["problems"] if each["code"] == "L441"]
    accounted = report["ledger"]["annotations"]
    assert moved["message"].split()[0] == str(accounted["read"] - accounted["rejected"])
    (bent,) = [each for each in report["problems"] if each["code"] == "L442"]
    assert " to 10 shapes" in bent["message"]


def test_features_with_ids_of_their_own_are_shared(tmp_path: Path, taken: list[bool]) -> None:
    features = [{**each, "id": f"f{n}"} for n, each in enumerate(plain(120))]
    source = written(tmp_path, features)
    alone = converted(source, 1, sample_key="image")
    assert converted(source, 3, sample_key="image") == alone
    assert taken == [True, True]


def test_an_id_of_two_stretches_is_told_and_renamed(tmp_path: Path, taken: list[bool]) -> None:
    features = [{**each, "id": n % 70} for n, each in enumerate(plain(120))]
    source = written(tmp_path, features)
    alone = converted(source, 1)
    assert converted(source, 2) == alone
    assert alone[2]["counts"]["R105"] == 50
    assert taken == [False]


def test_places_and_ids_that_are_mixed_are_for_one_process(
    tmp_path: Path, taken: list[bool]
) -> None:
    features = [{**each, "id": n} if n > 100 else each for n, each in enumerate(plain(120))]
    source = written(tmp_path, features)
    assert converted(source, 2) == converted(source, 1)
    assert taken == [False]


def test_two_names_of_one_key_in_two_stretches_collide_as_in_one(
    tmp_path: Path, taken: list[bool]
) -> None:
    features = plain(120)
    for n, each in enumerate(features):
        each["properties"]["image"] = "a/x.tif" if n < 60 else "b/x.tif"
    source = written(tmp_path, features)
    said = []
    for count in (1, 2):
        target = tmp_path / f"out-{count}.ndjson"
        options = {"sample_key": "image"}
        report = lc.convert(
            source, target, to="labelbox", reader_options=options, key="{stem}", jobs=count
        )
        said.append((target.read_bytes(), report.as_dict()))
    assert said[0] == said[1]
    assert said[0][1]["ledger"]["annotations"]["rejected"] == 60
    assert taken == [False]


# ------------------------------------------------------------------------------ lines


def lined(folder: Path, features: list[Any], end: str = "\n") -> Path:
    """Two pieces of lines or more (`io.lines`); None is a blank line."""
    path = folder / "in.geojsonl"
    texts = ["" if each is None else json.dumps(each) for each in features]
    path.write_bytes(end.join(texts).encode() + end.encode())
    assert path.stat().st_size > 2 * PIECE_BYTES
    return path


@pytest.mark.parametrize("how", ["line feeds", "carriage returns", "mark"])
@pytest.mark.parametrize("sample_key", ["image", None])
def test_several_processes_write_and_report_of_lines_what_one_does(
    tmp_path: Path, taken: list[bool], sample_key: str | None, how: str
) -> None:
    features: list[Any] = mixed(2_700)
    features[100:100] = [None, {"type": "Feature", "geometry": 5}, "no feature", None]
    features[2_600:2_600] = [None, {"type": "Feature"}, None, [1]]
    source = lined(tmp_path, features, "\r\n" if how == "carriage returns" else "\n")
    if how == "mark":
        source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
    asked = {"sample_key": sample_key, "source_crs": "EPSG:32633"}
    alone = converted(source, 1, **asked)
    assert taken == []
    for count in (2, 3):
        assert converted(source, count, **asked) == alone
    assert taken == [True] * 3
    lines, rejected, report = alone
    accounted = report["ledger"]["annotations"]
    assert report["ledger"]["balanced"]
    assert rejected.count(b"\n") == accounted["rejected"] > 150
    assert lines.count(b"\n") > accounted["read"] - accounted["rejected"]  # parts are lines
    assert report["fields_left_out"]["geojson:note (of features)"] == 180
    places = {json.loads(each)["where"].get("line") for each in rejected.splitlines()}
    assert {102, 103, 2_604} <= places


def test_features_of_lines_are_called_by_their_line_in_any_process(
    tmp_path: Path, taken: list[bool]
) -> None:
    features: list[Any] = plain(2_700)
    features[2_000:2_000] = [None, None]
    source = lined(tmp_path, features)
    named = []
    for count in (1, 3):
        target = tmp_path / f"out-{count}.ndjson"
        options = {"source_crs": "EPSG:32633"}
        lc.convert(source, target, to="labelbox", reader_options=options, jobs=count)
        named.append(target.read_bytes())
    assert named[0] == named[1]
    assert taken == [True, True]
    ids = [each.id for sample in lc.read(source, options=options) for each in sample.annotations]
    assert ids == [str(n) for n in range(2_702) if n not in (2_000, 2_001)]


def test_an_id_of_lines_of_two_stretches_is_told_and_renamed(
    tmp_path: Path, taken: list[bool]
) -> None:
    features = [{**each, "id": n % 2_600} for n, each in enumerate(plain(2_700))]
    source = lined(tmp_path, features)
    asked = {"source_crs": "EPSG:32633"}
    alone = converted(source, 1, **asked)
    assert converted(source, 2, **asked) == alone
    assert alone[2]["counts"]["R105"] == 100
    assert taken == [False]


@pytest.mark.parametrize("cut", [0.4, 0.97])
def test_a_file_that_is_cut_off_is_refused_with_the_same_words(
    tmp_path: Path, taken: list[bool], cut: float
) -> None:
    source = written(tmp_path, plain(120))
    text = source.read_text()
    source.write_text(text[: int(len(text) * cut)])
    said = []
    for count in (1, 3):
        with pytest.raises(SourceError) as caught:
            converted(source, count)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.geojson"]
