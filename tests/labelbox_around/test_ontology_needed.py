"""`labelconv ontology`: what the data needs, judged by the SDK, and what a project lacks for it."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import labelconv as lc
from labelconv import codes
from labelconv.cli import cli
from labelconv.errors import SourceError
from labelconv.labelbox.needed import lacking, needed_ontology, read_normalized
from labelconv.labelbox.ontology import color_of
from labelconv.model import (
    Annotation,
    Audio,
    Box,
    Checklist,
    Classification,
    Document,
    FreeText,
    Image,
    Keyframe,
    Keypoint,
    Keypoints,
    Mask,
    OnPage,
    OrientedBox,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
    Track,
    Video,
)
from labelconv.problems import Report

SQUARE = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0)
NESTED = Classification(
    "weather",
    Radio("wet", (Classification("how", Checklist((Radio("rain"), Radio("fog")))),), 0.5),
)
DRY = Classification("weather", Radio("dry"))
RICH = Samples(
    [
        Sample(
            "1.jpg",
            Image(64, 48),
            (
                Annotation("1", "box", Box(1.5, 2.25, 20, 30), (DRY,)),
                Annotation("2", "turned box", OrientedBox(30, 20, 20, 10, 30)),
                Annotation("3", "polygon", Polygon(((SQUARE,),))),
                Annotation("4", "mask", Mask((48, 64), (50, 10, 38, 10, 2964))),
                Annotation("5", "skeleton", Keypoints((Keypoint("nose", 5, 6),))),
                Annotation("6", "line", Polyline((0, 0, 10, 10, 20, 5))),
                Annotation("7", "point", Point(3.5, 4.5)),
                Annotation("8", "ﬁlé 😀", Box(0, 0, 64, 48), (NESTED,)),
                Annotation("9", "box", Box(3, 3, 9, 9), (NESTED,)),
            ),
            (NESTED, Classification("note", FreeText("dusk"))),
            (Relation("r1", "near", "1", "3"),),
        ),
        Sample("a.txt", Text("Ann"), (Annotation("1", "person", TextSpan(0, 3)),)),
        Sample("a.pdf", Document(), (Annotation("1", "table", OnPage(0, Box(0, 0, 9, 9))),)),
        Sample(
            "a.mp4",
            Video(64, 48),
            (Annotation("1", "jelly", Track(((Keyframe(0, Box(0, 0, 9, 9)),),))),),
            (Classification("scene", Radio("indoor"), ((0, 9),)),),
        ),
        Sample("a.wav", Audio(), (), (Classification("speaker", Radio("Ann"), ((0, 9),)),)),
    ]
)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "rich.native.ndjson"
    lc.write(RICH, path)
    return path


@pytest.fixture(scope="module")
def needed(rich: Path) -> dict[str, Any]:
    return needed_ontology([rich])


def test_each_name_has_the_tool_that_draws_it(needed: dict[str, Any]) -> None:
    tools = {tool["name"]: tool["tool"] for tool in needed["tools"]}
    assert tools == {
        "box": "rectangle",
        "turned box": "polygon",
        "polygon": "polygon",
        "mask": "raster-segmentation",
        "skeleton nose": "point",
        "line": "line",
        "point": "point",
        "ﬁlé 😀": "rectangle",
        "person": "named-entity",
        "table": "rectangle",
        "jelly": "rectangle",
        "near": "edge",
    }


def test_questions_have_the_options_seen_below_their_options_and_their_scope(
    needed: dict[str, Any],
) -> None:
    box = next(tool for tool in needed["tools"] if tool["name"] == "box")
    (weather,) = box["classifications"]
    assert [option["label"] for option in weather["options"]] == ["dry", "wet"]
    (how,) = weather["options"][1]["options"]
    assert (how["type"], [each["label"] for each in how["options"]]) == (
        "checklist",
        ["rain", "fog"],
    )
    asked = {each["name"]: (each["type"], each["scope"]) for each in needed["classifications"]}
    assert asked == {
        "weather": ("radio", "global"),
        "note": ("text", "global"),
        "scene": ("radio", "index"),
        "speaker": ("radio", "index"),
    }


def test_the_sdk_reads_the_ontology_and_gives_it_back(needed: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from labelbox.schema.ontology import OntologyBuilder

    assert OntologyBuilder.from_dict(copy.deepcopy(needed)).asdict() == needed


def test_lines_written_against_the_ontology_fit_it(rich: Path, tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(needed_ontology([rich])))
    lines = tmp_path / "mal.ndjson"
    report = lc.convert(rich, lines, to="labelbox", ontology=path, allow=["loss"])
    assert report.errors == 0
    assert lc.check(lines, ontology=path).errors == 0


def test_colours_belong_to_names_and_sources_are_merged(rich: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.native.ndjson"
    lc.write(Samples([Sample("z", Image(9, 9), (Annotation("1", "dog", Box(0, 0, 1, 1)),))]), other)
    one, both = needed_ontology([other]), needed_ontology([rich, other])
    assert both["tools"][-2] == one["tools"][0]
    assert one["tools"][0]["color"] == color_of("dog")
    assert color_of("dog") != color_of("box")


def test_a_name_that_is_drawn_in_several_ways_has_the_commonest_tool_and_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "d.native.ndjson"
    shapes = (Box(0, 0, 1, 1), Polygon(((SQUARE,),)), Polygon(((SQUARE,),)))
    annotations = tuple(Annotation(str(n), "car", shape) for n, shape in enumerate(shapes))
    lc.write(Samples([Sample("z", Image(64, 48), annotations)]), path)
    report = Report()
    found = needed_ontology([path], report=report)
    assert [tool["tool"] for tool in found["tools"]] == ["polygon"]
    assert report.counts == {codes.TOOL_AMBIGUOUS.id: 1}


def _tool(ontology: dict[str, Any], name: str) -> Any:
    return next(tool for tool in ontology["tools"] if tool["name"] == name)


def _changed(needed: dict[str, Any], change: str) -> dict[str, Any]:
    given = copy.deepcopy(needed)
    box = _tool(given, "box")["classifications"]
    if change == "tool misspelt":
        _tool(given, "line")["name"] = "Line"
    elif change == "tool missing":
        given["tools"].remove(_tool(given, "near"))
    elif change == "tool of another kind":
        _tool(given, "mask")["tool"] = "polygon"
    elif change == "question misspelt":
        given["classifications"][0]["instructions"] = "wether"
    elif change == "question of another kind":
        given["classifications"][0]["type"] = "checklist"
    elif change == "question of another scope":
        given["classifications"][0]["scope"] = "index"
    elif change == "option missing":
        del box[0]["options"][0]
    elif change == "nested question missing":
        box[0]["options"][1]["options"] = []
    elif change == "nested question elsewhere":
        box[0]["options"][0]["options"] = box[0]["options"][1]["options"]
        box[0]["options"][1]["options"] = []
    elif change == "question of a tool missing":
        del box[0]
    return given


@pytest.mark.parametrize(
    ("change", "code", "pointer", "hint", "surplus"),
    [
        ("nothing", None, "", "", []),
        ("tool misspelt", codes.FEATURE_UNKNOWN, "/tools", "'Line'", ["/tools/5"]),
        ("tool missing", codes.FEATURE_UNKNOWN, "/tools", "", []),
        ("tool of another kind", codes.KIND_WRONG, "/tools/3/tool", "", []),
        (
            "question misspelt",
            codes.FEATURE_UNKNOWN,
            "/classifications",
            "'wether'",
            ["/classifications/0"],
        ),
        ("question of another kind", codes.KIND_WRONG, "/classifications/0/type", "", []),
        ("question of another scope", codes.SCOPE_WRONG, "/classifications/0/scope", "", []),
        (
            "option missing",
            codes.OPTION_UNKNOWN,
            "/tools/0/classifications/0/options",
            "",
            [],
        ),
        (
            "nested question missing",
            codes.NESTING_WRONG,
            "/tools/0/classifications/0/options/1/options",
            "",
            [],
        ),
        (
            "nested question elsewhere",
            codes.NESTING_WRONG,
            "/tools/0/classifications/0/options/1/options",
            "",
            ["/tools/0/classifications/0/options/0/options/0"],
        ),
        ("question of a tool missing", codes.NESTING_WRONG, "/tools/0/classifications", "", []),
    ],
)
def test_what_a_project_lacks_is_told_with_its_place_and_the_nearest_name(
    needed: dict[str, Any], change: str, code: Any, pointer: str, hint: str, surplus: list[str]
) -> None:
    report = Report()
    left = lacking(needed, _changed(needed, change), "project.json", report)
    found = [(problem.code, problem.where.pointer) for problem in report.problems]
    assert found == ([] if code is None else [(code.id, pointer)])
    assert all(hint in problem.message for problem in report.problems)
    assert [each.pointer for each in left] == surplus


def test_masks_of_older_projects_are_masks_and_surplus_of_all_kinds_is_listed(
    needed: dict[str, Any],
) -> None:
    given = copy.deepcopy(needed)
    _tool(given, "mask")["tool"] = "superpixel"
    given["tools"].append({"tool": "polygon", "name": "tree"})
    given["classifications"][0]["options"].append({"label": "snow", "value": "snow"})
    report = Report()
    left = lacking(needed, given, "p", report)
    assert report.counts == {}
    assert [each.pointer for each in left] == [
        f"/tools/{len(needed['tools'])}",
        "/classifications/0/options/1",
    ]


def test_what_is_archived_in_a_project_is_lacking_and_no_surplus(needed: dict[str, Any]) -> None:
    given = copy.deepcopy(needed)
    first = {"tool": "rectangle", "name": "box", "archived": 1, "classifications": []}
    given["tools"] = [first, *({**tool, "archived": 0} for tool in given["tools"])]
    assert lacking(needed, given, "p", Report()) == []
    place = given["tools"].index(_tool(given, "line"))
    given["tools"][place]["archived"] = 1
    question = given["classifications"][0]
    question["options"][0]["archived"] = True
    given["classifications"].append({**given["classifications"].pop(), "archived": True})
    report = Report()
    assert lacking(needed, given, "p", report) == []
    assert [(problem.code, problem.where.pointer) for problem in report.problems] == [
        (codes.FEATURE_UNKNOWN.id, "/tools"),
        (codes.OPTION_UNKNOWN.id, "/classifications/0/options"),
        (codes.FEATURE_UNKNOWN.id, "/classifications"),
    ]
    assert all("archived there" in problem.message for problem in report.problems)


def test_options_of_numbers_are_those_of_their_digits(needed: dict[str, Any]) -> None:
    given, wanted = copy.deepcopy(needed), copy.deepcopy(needed)
    for ontology, label in ((wanted, "5"), (given, 5)):
        ontology["classifications"][0]["options"][0] |= {"label": label, "value": label}
    report = Report()
    assert lacking(wanted, given, "p", report) == []
    assert report.counts == {}


def test_a_byte_order_mark_before_an_ontology_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_bytes(b'\xef\xbb\xbf{"tools": []}')
    assert read_normalized(tmp_path / "o.json") == {"tools": []}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tools": 1}', b'{"tools": [{"name": "x"}]}'])
def test_a_file_that_is_no_ontology_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "o.json").write_bytes(data)
    with pytest.raises(SourceError, match="expected"):
        read_normalized(tmp_path / "o.json")


def test_the_command_writes_compares_and_never_overwrites_its_source(
    rich: Path, tmp_path: Path
) -> None:
    run = CliRunner()
    out = tmp_path / "o.json"
    first = run.invoke(cli, ["ontology", str(rich)], standalone_mode=False)
    assert json.loads(first.stdout)["tools"][0]["name"] == "box"
    second = run.invoke(cli, ["ontology", str(rich), "--out", str(out)], standalone_mode=False)
    assert (second.return_value, second.stdout) == (0, "")
    assert json.loads(out.read_bytes()) == json.loads(first.stdout)
    arguments = ["ontology", str(rich), "--diff", str(out)]
    assert run.invoke(cli, arguments, standalone_mode=False).return_value == 0
    out.write_text(out.read_text().replace('"line"', '"lines"'))
    third = run.invoke(cli, arguments, standalone_mode=False)
    assert third.return_value == 1
    assert "did you mean 'lines'?" in third.stderr
    refused = run.invoke(cli, ["ontology", str(rich), "--out", str(rich)], standalone_mode=False)
    assert isinstance(refused.exception, lc.errors.TargetError)
