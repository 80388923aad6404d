"""Each way in which a MAL line can misfit its project is found by `labelconv check --ontology`.

One table: what is wrong, the lines, the code, the pointer and, where there is one, the suggestion.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

import labelconv as lc


def schema_id(number: int) -> str:
    return f"f{number:024d}"


def node_id(number: int) -> str:
    return f"n{number:024d}"


def ids(number: int) -> dict[str, str]:
    return {"featureSchemaId": schema_id(number), "schemaNodeId": node_id(number)}


def option(number: int, label: str, *asked: dict[str, Any]) -> dict[str, Any]:
    slug = label.lower().replace(" ", "_")
    return {"label": label, "value": slug, "options": list(asked), **ids(number)}


def question(number: int, kind: str, text: str, *options: dict[str, Any], **more: Any) -> Any:
    made = {"type": kind, "name": text, "instructions": text, "options": list(options)}
    return {**made, **ids(number), **more}


def tool(number: int, kind: str, name: str, *asked: dict[str, Any], **more: Any) -> Any:
    return {"tool": kind, "name": name, "classifications": list(asked), **ids(number), **more}


SHADE = question(12, "text", "shade")
COLOUR = question(
    11,
    "radio",
    "colour",
    option(13, "Dark Red", SHADE),
    option(14, "Blue"),
    {**option(18, "Mauve"), "archived": True},
)
PARTS = question(15, "checklist", "parts", option(16, "door"), option(17, "wheel"))
ONTOLOGY = {
    "tools": [
        tool(1, "rectangle", "car", COLOUR, PARTS),
        tool(2, "polygon", "roof"),
        tool(3, "line", "lane"),
        tool(4, "named-entity", "person"),
        tool(5, "raster-segmentation", "road"),
        tool(6, "edge", "on", definition={"constraints": [[schema_id(1), schema_id(3)]]}),
        tool(7, "polygon", "van", archived=1),
        # Of one name and one kind, once it was archived and made anew; the server says 0 and 1.
        tool(8, "rectangle", "sign", archived=1),
        tool(9, "rectangle", "sign", archived=0),
    ],
    "classifications": [
        question(21, "radio", "weather", option(22, "Sunny"), option(23, "Wet"), scope="global"),
        question(24, "checklist", "tags", option(25, "city"), option(26, "night"), scope="global"),
        question(27, "text", "comment", scope="global"),
        question(28, "radio", "scene", option(29, "indoor"), option(30, "outdoor"), scope="index"),
        question(31, "dropdown", "region", option(32, "north"), scope="global"),
        question(33, "radio", "stars", {**option(34, "x"), "label": 5, "value": 5}, scope="global"),
        question(35, "text", "remark", scope="global", archived=1),
    ],
}
BOX = {"top": 1, "left": 2, "height": 3, "width": 4}
RING = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 7}]
RANGES = [{"start": 1, "end": 5}]
CAR, LANE = (str(UUID(int=number)) for number in (1, 2))
ENDS = [
    {"uuid": CAR, "dataRow": {"globalKey": "a"}, "name": "car", "bbox": BOX},
    {"uuid": LANE, "dataRow": {"globalKey": "a"}, "name": "lane", "line": RING},
]


class Misfit(msgspec.Struct):
    """A line, and how it is found."""

    line: dict[str, Any]
    code: str
    pointer: str
    hint: str = ""


def misfit(
    code: str, pointer: str, hint: str = "", *, name: str | None = None, **line: Any
) -> Misfit:
    named = {} if name is None else {"name": name}
    return Misfit({"dataRow": {"globalKey": "a"}, **named, **line}, code, pointer, hint)


def answered(name: str, answer: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "answer": answer, **more}


def below(*answers: dict[str, Any]) -> dict[str, Any]:
    return {"name": "car", "bbox": BOX, "classifications": list(answers)}


def joining(source: str, target: str) -> dict[str, Any]:
    return {"source": source, "target": target, "type": "unidirectional"}


def from_question(code: str, name: str, hint: str) -> Misfit:
    relation = {"sourceOntologyName": name, "target": LANE, "type": "unidirectional"}
    return misfit(code, "/relationship/sourceOntologyName", hint, name="on", relationship=relation)


def masks(name: str) -> dict[str, Any]:
    picture = {"index": 1, "instanceURI": "https://example.org/1.png"}
    instance = {"colorRGB": [1, 2, 3], "name": name}
    return {"frames": [picture], "instances": [instance]}


NESTED = "/classifications/0"
MISFITS = {
    # names
    "a misspelt tool": misfit("O301", "/name", "did you mean 'car'?", name="cra", bbox=BOX),
    "another letter case": misfit("O301", "/name", "did you mean 'car'?", name="Car", bbox=BOX),
    "blanks at the ends": misfit("O301", "/name", "did you mean 'car'?", name=" car ", bbox=BOX),
    "an unknown tool": misfit("O301", "/name", "it has 'car', 'roof'", name="zebra", bbox=BOX),
    "an unknown option that is a number": misfit(
        "O302", "/answer/name", "it has '5'", **answered("stars", {"name": "4"})
    ),
    "a misspelt question": misfit(
        "O301", "/name", "did you mean 'weather'?", **answered("wether", {"name": "Sunny"})
    ),
    "a misspelt question below a tool": misfit(
        "O301", f"{NESTED}/name", "did you mean 'colour'?", **below(answered("color", "x"))
    ),
    "a misspelt colour of a video's masks": misfit(
        "O301", "/masks/instances/0/name", "did you mean 'road'?", masks=masks("raod")
    ),
    "a misspelt relation": misfit(
        "O301", "/name", "did you mean 'on'?", name="onn", relationship=joining(CAR, LANE)
    ),
    # options
    "a missing option": misfit(
        "O302", "/answer/name", "it has 'Sunny', 'Wet'", **answered("weather", {"name": "Foggy"})
    ),
    "a misspelt option": misfit(
        "O302",
        "/answer/1/name",
        "did you mean 'night'?",
        **answered("tags", [{"name": "city"}, {"name": "nigt"}]),
    ),
    "an option of another question": misfit(
        "O302", "/answer/name", "it is one of 'scene'", **answered("weather", {"name": "indoor"})
    ),
    "an option's value instead of its label": misfit(
        "O305", "/answer/name", "label 'Sunny'", **answered("weather", {"name": "sunny"})
    ),
    "an option's value below a tool": misfit(
        "O305",
        f"{NESTED}/answer/name",
        "label 'Dark Red'",
        **below(answered("colour", {"name": "dark_red"})),
    ),
    # kinds
    "a polygon for a box tool": misfit(
        "O303", "/name", "a rectangle tool", name="car", polygon=RING
    ),
    "a box for a polygon tool": misfit("O303", "/name", "a polygon tool", name="roof", bbox=BOX),
    "an entity for a box tool": misfit(
        "O303", "/name", "a rectangle tool", name="car", location={"start": 1, "end": 2}
    ),
    "a track of points for a box tool": misfit(
        "O303",
        "/name",
        "a rectangle tool",
        name="car",
        segments=[{"keyframes": [{"frame": 1, "point": RING[0]}]}],
    ),
    "a box tool for a video's masks": misfit(
        "O303", "/masks/instances/0/name", "a rectangle tool", masks=masks("car")
    ),
    "a box for a question": misfit("O303", "/name", "a radio question", name="weather", bbox=BOX),
    "an answer to a tool": misfit("O303", "/name", "a rectangle tool", **answered("car", "x")),
    "a text for a radio": misfit("O303", "/name", "a radio question", **answered("weather", "Wet")),
    "several answers to a radio": misfit(
        "O303",
        "/name",
        "a radio question",
        **answered("weather", [{"name": "Wet"}, {"name": "Sunny"}]),
    ),
    "one choice for a checklist": misfit(
        "O303", "/name", "a checklist question", **answered("tags", {"name": "city"})
    ),
    "a choice for a text": misfit(
        "O303", "/name", "a text question", **answered("comment", {"name": "x"})
    ),
    "a text below a tool for a checklist": misfit(
        "O303", f"{NESTED}/name", "a checklist question", **below(answered("parts", "door"))
    ),
    "an answer to a question that cannot be imported": misfit(
        "O303", "/name", "a dropdown question", **answered("region", {"name": "north"})
    ),
    "a relation by a tool for objects": misfit(
        "O303", "/name", "a rectangle tool", name="car", relationship=joining(CAR, LANE)
    ),
    # places
    "a question below the wrong option": misfit(
        "O304",
        f"{NESTED}/answer/classifications/0/name",
        "it belongs under 'Dark Red' of 'colour'",
        **below(answered("colour", {"name": "Blue", "classifications": [answered("shade", "x")]})),
    ),
    "a question below a tool instead of an option": misfit(
        "O304",
        f"{NESTED}/name",
        "it belongs under 'Dark Red' of 'colour'",
        **below(answered("shade", "x")),
    ),
    "a question below the wrong tool": misfit(
        "O304",
        f"{NESTED}/name",
        "it belongs under 'car'",
        name="roof",
        polygon=RING,
        classifications=[answered("colour", {"name": "Blue"})],
    ),
    "a question of the whole data row below a tool": misfit(
        "O304", f"{NESTED}/name", "at the top", **below(answered("comment", "x"))
    ),
    "a tool's question on a line of its own": misfit(
        "O304", "/name", "it belongs under 'car'", **answered("colour", {"name": "Blue"})
    ),
    "an option's question on a line of its own": misfit(
        "O304", "/name", "it belongs under 'Dark Red' of 'colour'", **answered("shade", "x")
    ),
    "an unknown option on a keyframe": misfit(
        "O302",
        f"/segments/0/keyframes/0{NESTED}/answer/0/name",
        "did you mean 'door'?",
        name="car",
        segments=[
            {
                "keyframes": [
                    {
                        "frame": 1,
                        "bbox": BOX,
                        "classifications": [answered("parts", [{"name": "dor"}])],
                    }
                ]
            }
        ],
    ),
    # scope
    "frames of a global question": misfit(
        "O306", "/name", "scope global", **answered("weather", {"name": "Wet"}, frames=RANGES)
    ),
    "a message of a global question": misfit(
        "O306", "/name", "scope global", **answered("comment", "x", messageId="m1")
    ),
    "a global answer to a question about frames": misfit(
        "O306", "/name", "scope index", **answered("scene", {"name": "indoor"})
    ),
    # ids
    "an unknown schemaId": misfit("O301", "/schemaId", schemaId=schema_id(99), bbox=BOX),
    "the schemaId of another tool": misfit(
        "O301",
        "/schemaId",
        "it is not the schemaId of 'car'",
        name="car",
        schemaId=schema_id(2),
        bbox=BOX,
    ),
    "a schemaNodeId": misfit(
        "O301",
        "/schemaId",
        f"the schemaNodeId of 'car', whose featureSchemaId is '{schema_id(1)}'",
        schemaId=node_id(1),
        bbox=BOX,
    ),
    "a schemaNodeId of an option": misfit(
        "O302",
        "/answer/schemaId",
        f"the schemaNodeId of 'Wet', whose featureSchemaId is '{schema_id(23)}'",
        **answered("weather", {"schemaId": node_id(23)}),
    ),
    # what is archived
    "a tool that is archived": misfit(
        "O301", "/name", "it is archived in the project", name="van", polygon=RING
    ),
    "a question that is archived": misfit(
        "O301", "/name", "it is archived in the project", **answered("remark", "x")
    ),
    "an option that is archived": misfit(
        "O302",
        f"{NESTED}/answer/name",
        "it is archived in the project",
        **below(answered("colour", {"name": "Mauve"})),
    ),
    "the schemaId of a tool that is archived": misfit(
        "O301", "/schemaId", "it is archived in the project", schemaId=schema_id(8), bbox=BOX
    ),
    "the schemaId of an option that is archived": misfit(
        "O302",
        f"{NESTED}/answer/schemaId",
        "it is archived in the project",
        **below(answered("colour", {"schemaId": schema_id(18)})),
    ),
    # relations
    "a relation between the wrong ends": misfit(
        "O307",
        "/relationship",
        "it joins 'car' to 'lane'",
        name="on",
        relationship=joining(LANE, CAR),
    ),
    "a relation from an unknown question": from_question("O301", "wether", "'weather'?"),
    "a relation from a tool instead of a question": from_question("O303", "car", "rectangle tool"),
    "a relation from a question about frames": from_question("O306", "scene", "scope index"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(ONTOLOGY))
    return path


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("given", MISFITS.values(), ids=list(MISFITS))
def test_a_misfit_is_found_with_line_pointer_and_suggestion(
    tmp_path: Path, project: Path, given: Misfit
) -> None:
    lines = write(tmp_path / "mal.ndjson", *ENDS, given.line)
    report = lc.check(lines, ontology=project)
    (problem,) = report.problems
    where = problem.where
    assert (problem.code, where.line, where.pointer) == (given.code, 3, given.pointer)
    assert (where.path, where.sample) == (str(lines), "a")
    assert given.hint in problem.message


def test_features_made_anew_and_options_of_numbers_fit(tmp_path: Path, project: Path) -> None:
    row = {"dataRow": {"globalKey": "a"}}
    by_name = {**row, "uuid": str(UUID(int=3)), "name": "sign", "bbox": BOX}
    by_id = {**row, "uuid": str(UUID(int=4)), "schemaId": schema_id(9), "bbox": BOX}
    stars = {**row, "uuid": str(UUID(int=5)), **answered("stars", {"name": "5"})}
    lines = write(tmp_path / "mal.ndjson", by_name, by_id, stars)
    assert lc.check(lines, ontology=project).problems == []


def test_the_ends_alone_have_no_problem_and_all_codes_of_misfits_occur(
    tmp_path: Path, project: Path
) -> None:
    assert lc.check(write(tmp_path / "mal.ndjson", *ENDS), ontology=project).problems == []
    assert {each.code for each in MISFITS.values()} == {f"O30{n}" for n in range(1, 8)}


def test_the_command_finds_all_of_them_in_one_run(tmp_path: Path, project: Path) -> None:
    # Answers to one question stand on data rows of their own; relations need that of their ends.
    rows = [
        each.line if "relationship" in each.line else {**each.line, "dataRow": {"globalKey": name}}
        for name, each in MISFITS.items()
    ]
    write(tmp_path / "mal.ndjson", *ENDS, *rows)
    command = [sys.executable, "-m", "labelconv", "check", "mal.ndjson", "--ontology"]
    command += ["ontology.json", "--report", "report.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    problems = json.loads((tmp_path / "report.json").read_bytes())["problems"]
    found = [(each["where"]["line"], each["code"], each["where"]["pointer"]) for each in problems]
    assert found == [(n, each.code, each.pointer) for n, each in enumerate(MISFITS.values(), 3)]
    assert f"{len(MISFITS)} errors" in done.stderr + done.stdout
