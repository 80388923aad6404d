"""The ontology of the data that all formats are tried on: the SDK takes it, lines fit it."""

from __future__ import annotations

import copy
import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.labelbox.needed import needed_ontology
from labelconv.model import Dataset

RICH_DATA = Path(__file__).parents[1] / "laws" / "rich_data.py"


def rich() -> list[tuple[str, Dataset]]:
    """The data of each kind of media."""
    spec = importlib.util.spec_from_file_location("rich_data_of_laws", RICH_DATA)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(media.__name__, dataset) for media, dataset in module.RICH.items()]


@pytest.fixture(params=rich(), ids=lambda each: str(each[0]))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param[0]}.native.ndjson"
    lc.write(request.param[1], path)
    return path


def test_the_sdk_reads_the_ontology_and_gives_it_back(source: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from labelbox.schema.ontology import OntologyBuilder

    needed = needed_ontology([source])
    assert OntologyBuilder.from_dict(copy.deepcopy(needed)).asdict() == needed
    if source.name.startswith("Image"):
        kinds = {tool["tool"] for tool in needed["tools"]}
        assert kinds == {"rectangle", "polygon", "raster-segmentation", "line", "point", "edge"}
        assert {each["type"] for each in needed["classifications"]} == {"radio", "text"}


@pytest.mark.parametrize("constraints", [False, True])
def test_lines_written_against_the_ontology_have_no_finding(
    source: Path, tmp_path: Path, constraints: bool
) -> None:
    project, lines = tmp_path / "ontology.json", tmp_path / "mal.ndjson"
    needed = needed_ontology([source], constraints=constraints)
    project.write_text(json.dumps(needed))
    report = lc.convert(source, lines, to="labelbox", ontology=project, allow=["loss"])
    assert report.errors == 0
    assert lc.check(lines, ontology=project).problems == []
    written: Any = [json.loads(line) for line in lines.read_text().splitlines()]
    used = {line["name"] for line in written}
    asked = {each["name"] for each in needed["classifications"]}
    assert used == {tool["name"] for tool in needed["tools"]} | asked
