"""What relations join: the constraints of edge tools, judged by the SDK, and compared."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

import labelconv as lc
from labelconv.cli import cli
from labelconv.labelbox.needed import lacking, needed_ontology
from labelconv.model import Annotation, Box, Image, Point, Polyline, Relation, Sample, Samples
from labelconv.problems import Report

BOX = Box(1, 2, 9, 8)
CAR, LANE = Annotation("1", "car", BOX), Annotation("2", "lane", Polyline((0, 0, 9, 9)))
TIP = Annotation("3", "tip", Point(1, 1))


def written(path: Path, *relations: Relation, key: str = "a") -> Path:
    lc.write(Samples([Sample(key, Image(), (CAR, LANE, TIP), (), relations)]), path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    relations = (Relation("r", "on", "1", "2"), Relation("s", "near", "1", "3", directed=False))
    return written(tmp_path / "data.native.ndjson", *relations)


@pytest.fixture
def constrained(data: Path) -> dict[str, Any]:
    return needed_ontology([data], constraints=True)


def tool(ontology: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in ontology["tools"] if each["name"] == name)
    return found


def named(ontology: dict[str, Any], edge: str) -> list[tuple[str, str]]:
    """The constraints of an edge by the names of the tools."""
    names = {each["featureSchemaId"]: each["name"] for each in ontology["tools"]}
    pairs = tool(ontology, edge)["definition"]["constraints"]
    return [(names[source], names[target]) for source, target in pairs]


def test_relations_may_join_any_features_unless_asked_for_and_that_is_noted(data: Path) -> None:
    report = Report()
    found = needed_ontology([data], report=report)
    assert all("definition" not in each for each in found["tools"])
    assert {each["featureSchemaId"] for each in found["tools"]} == {None}
    assert [problem.code for problem in report.problems] == ["O310", "O310"]
    assert "'on' may join any features; the data has 'car' to 'lane'" in report.problems[0].message


def test_constraints_list_the_pairs_that_the_data_joins_both_ways_without_a_direction(
    constrained: dict[str, Any],
) -> None:
    assert named(constrained, "on") == [("car", "lane")]
    assert named(constrained, "near") == [("car", "tip"), ("tip", "car")]
    assert tool(constrained, "on")["featureSchemaId"] is None


def test_ids_stand_for_those_of_the_server_and_are_the_same_each_time(
    data: Path, constrained: dict[str, Any]
) -> None:
    ids = [tool(constrained, name)[key] for name in ("car", "lane", "tip")
           for key in ("featureSchemaId", "schemaNodeId")]  # fmt: skip
    assert len({UUID(id) for id in ids}) == 6
    assert needed_ontology([data], constraints=True) == constrained


def test_pairs_of_several_sources_are_merged(tmp_path: Path, data: Path) -> None:
    other = written(tmp_path / "o.native.ndjson", Relation("r", "on", "3", "2"))
    found = needed_ontology([data, other], constraints=True)
    assert named(found, "on") == [("car", "lane"), ("tip", "lane")]


# ------------------------------------------------------------------------- the SDK


def sdk() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import labelbox

        return labelbox


def test_the_sdk_makes_the_same_of_the_same_pairs(constrained: dict[str, Any]) -> None:
    sdk()
    from labelbox.schema.ontology import OntologyBuilder
    from labelbox.schema.tool_building.relationship_tool import RelationshipTool

    builder = OntologyBuilder.from_dict(copy.deepcopy(constrained))
    ends = {each.name: each for each in builder.tools}
    for place, edge in enumerate(builder.tools):
        if edge.tool.value == "edge":
            relation = RelationshipTool(edge.name, color=edge.color)
            joined = named(constrained, edge.name)
            relation.set_constraints([(ends[one], ends[two]) for one, two in joined])
            builder.tools[place] = relation
    assert json.loads(json.dumps(builder.asdict())) == constrained


def test_the_builder_of_the_sdk_drops_constraints_and_the_client_sends_them(
    constrained: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    labelbox = sdk()
    plain = copy.deepcopy(constrained)
    for each in plain["tools"]:
        each.pop("definition", None)
    builder = labelbox.OntologyBuilder.from_dict(copy.deepcopy(constrained))
    assert builder.asdict() == plain
    sent: list[Any] = []

    def execute(self: Any, query: str, params: Any) -> Any:
        sent.append(json.loads(params["data"]["normalized"]))
        raise InterruptedError

    monkeypatch.setattr(labelbox.Client, "execute", execute)
    client = labelbox.Client(api_key="none")
    with pytest.raises(InterruptedError):
        client.create_ontology("name", constrained)
    assert sent == [constrained]


# ------------------------------------------------------------------------- lines


def test_lines_fit_the_ontology_and_other_pairs_do_not(
    tmp_path: Path, data: Path, constrained: dict[str, Any]
) -> None:
    project = tmp_path / "o.json"
    project.write_text(json.dumps(constrained))
    target = tmp_path / "mal.ndjson"
    assert lc.convert(data, target, to="labelbox", ontology=project).errors == 0
    assert lc.check(target, ontology=project).problems == []
    other = written(tmp_path / "o.native.ndjson", Relation("r", "on", "2", "1"))
    report = lc.convert(other, target, to="labelbox", ontology=project)
    assert report.counts == {"O307": 1}
    assert report.problems[0].message.endswith("; it joins 'car' to 'lane'")


def test_ids_that_stand_for_others_are_not_written_into_lines(
    tmp_path: Path, data: Path, constrained: dict[str, Any]
) -> None:
    project = tmp_path / "o.json"
    project.write_text(json.dumps(constrained))
    target = tmp_path / "mal.ndjson"
    options = {"names": "schemaId"}
    report = lc.convert(data, target, to="labelbox", ontology=project, writer_options=options)
    assert target.read_bytes() == b""
    assert report.counts == {"O301": 3, "M204": 2}


# ------------------------------------------------------------------------- what a project lacks


def project(ontology: dict[str, Any], *pairs: tuple[str, str]) -> dict[str, Any]:
    """The ontology as a server gives it, where `on` joins these pairs."""
    given = copy.deepcopy(ontology)
    for number, each in enumerate(given["tools"]):
        each["featureSchemaId"] = f"c{number:024d}"
        each.pop("definition", None)
    listed = [[tool(given, name)["featureSchemaId"] for name in pair] for pair in pairs]
    tool(given, "on")["definition"] = {"constraints": listed} if pairs else {"constraints": None}
    return given


@pytest.mark.parametrize(
    ("pairs", "lacks", "surplus"),
    [
        ((), 0, []),
        ([("car", "lane")], 0, []),
        ([("lane", "car")], 1, ["0"]),
        ([("tip", "lane"), ("car", "lane"), ("lane", "car")], 0, ["0", "2"]),
    ],
)
def test_pairs_that_a_project_does_not_join_are_lacking_and_others_are_not_used(
    constrained: dict[str, Any], pairs: list[tuple[str, str]], lacks: int, surplus: list[str]
) -> None:
    report = Report()
    left = lacking(constrained, project(constrained, *pairs), "p.json", report)
    place = "/tools/3/definition/constraints"
    found = [(problem.code, problem.where.pointer) for problem in report.problems]
    assert found == [("O307", place)] * lacks
    assert [each.pointer for each in left] == [f"{place}/{number}" for number in surplus]


def test_of_two_tools_of_one_name_the_needed_kind_counts(constrained: dict[str, Any]) -> None:
    given = project(constrained)
    given["tools"] = [{"tool": "line", "name": "car"}, *given["tools"]]
    report = Report()
    left = lacking(constrained, given, "p.json", report)
    assert (report.counts, [each.pointer for each in left]) == ({}, ["/tools/0"])
    given["tools"].append(given["tools"].pop(0))
    left = lacking(constrained, given, "p.json", report)
    assert (report.counts, [each.pointer for each in left]) == ({}, ["/tools/5"])


def test_the_command_constrains_when_asked_and_always_compares(
    tmp_path: Path, data: Path, constrained: dict[str, Any]
) -> None:
    run, out = CliRunner(), tmp_path / "o.json"
    asked = ["ontology", str(data), "--constraints"]
    first = run.invoke(cli, asked, standalone_mode=False)
    assert json.loads(first.stdout) == constrained
    assert "O310" not in first.stderr
    plain = run.invoke(cli, asked[:2], standalone_mode=False)
    assert json.loads(plain.stdout) == needed_ontology([data])
    assert "O310 edge-unconstrained: 2×" in plain.stderr
    out.write_text(json.dumps(project(constrained, ("lane", "car"))))
    compared = run.invoke(cli, ["ontology", str(data), "--diff", str(out)], standalone_mode=False)
    assert compared.return_value == 1
    assert "O307 relation-not-allowed: 1×" in compared.stderr
    assert "relation 'on' from 'lane' to 'car'" in compared.stderr
    assert "O310" not in compared.stderr
