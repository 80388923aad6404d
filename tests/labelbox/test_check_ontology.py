"""The check finds what does not fit the project's ontology."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import pytest

from labelconv.formats.labelbox.check import check
from labelconv.formats.labelbox.ontology import (
    Ontology,
    feature_id,
    hint,
    option_id,
    question_id,
    read_ontology,
)
from labelconv.problems import Problem, Report

BOX = {"top": 40.5, "left": 12, "height": 80, "width": 130}
RING = [{"x": 1, "y": 1}, {"x": 9.5, "y": 1}, {"x": 9.5, "y": 7}]
FRAMES = [{"start": 1, "end": 5}]
A, B = (str(UUID(int=n)) for n in (10, 11))


def schema_id(number: int) -> str:
    return f"c{number:024d}"


def question(kind: str, name: str, *options: Any, number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "instructions": name,
        "featureSchemaId": schema_id(number) if number else None,
        "options": list(options),
        **more,
    }


def option(label: str, *questions: Any, value: str = "", number: int = 0) -> dict[str, Any]:
    return {
        "label": label,
        "value": value or label.lower(),
        "featureSchemaId": schema_id(number) if number else None,
        "options": list(questions),
    }


def tool(kind: str, name: str, *questions: Any, number: int, **more: Any) -> dict[str, Any]:
    return {
        "tool": kind,
        "name": name,
        "featureSchemaId": schema_id(number),
        "classifications": list(questions),
        **more,
    }


SHADE = question("text", "shade", number=22)
COLOUR = question(
    "radio",
    "colour",
    option("Red", SHADE, number=23),
    option("Blue", number=24),
    number=21,
)
PARTS = question("checklist", "parts", option("door"), option("wheel"))
DOCUMENT = {
    "tools": [
        tool("rectangle", "car", COLOUR, PARTS, number=1),
        tool("polygon", "roof", number=2),
        tool("line", "lane", number=3),
        tool("point", "tip", number=4),
        tool("raster-segmentation", "road", number=5),
        tool("superpixel", "sky", number=6),
        tool("named-entity", "PER", number=7),
        tool("edge", "follows", number=8),
        tool(
            "edge",
            "on",
            number=9,
            definition={"constraints": [[schema_id(1), schema_id(3)]]},
        ),
        tool("message-ranking", "order", number=10),
    ],
    "classifications": [
        question("radio", "weather", option("Sunny"), option("Rainy"), scope="global", number=31),
        question("checklist", "tags", option("city"), option("night"), scope="global"),
        question("text", "comment", scope="global"),
        question("radio", "scene", option("indoor"), option("outdoor"), scope="index"),
        question("text", "caption", scope="index"),
        {**question("text", "slug", scope="global"), "instructions": "What is it?"},
    ],
}
ONTOLOGY = read_ontology(json.dumps(DOCUMENT).encode())


def line(name: str, **payload: Any) -> dict[str, Any]:
    return {"dataRow": {"globalKey": "gk-1"}, "name": name, **payload}


def problems(*lines: dict[str, Any], ontology: Ontology = ONTOLOGY) -> list[Problem]:
    data = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    report = Report()
    check(io.BytesIO(data), report, ontology=ontology)
    return report.problems


def found(*lines: dict[str, Any], ontology: Ontology = ONTOLOGY) -> list[tuple[str, Any, Any]]:
    return [
        (each.code, each.where.line, each.where.pointer)
        for each in problems(*lines, ontology=ontology)
    ]


def nested(*classifications: Any) -> dict[str, Any]:
    return line("car", bbox=BOX, classifications=list(classifications))


def ranking(form: str = "message-ranking") -> dict[str, Any]:
    info = {"messageId": "m", "modelConfigName": "n"}
    data = {"parentMessageId": "p", "rankedMessages": [{**info, "order": 1}]}
    if form != "message-ranking":
        data = {"parentMessageId": "p", "selectedMessages": [info]}
    return {"format": form, "data": data}


GOOD = {
    "box": line("car", bbox=BOX),
    "polygon": line("roof", polygon=RING),
    "line": line("lane", line=RING),
    "point": line("tip", point=RING[0]),
    "mask": line("road", mask={"instanceURI": "a", "colorRGB": [1, 2, 3]}),
    "mask of a legacy tool": line("sky", mask={"instanceURI": "a", "colorRGB": [1, 2, 3]}),
    "entity": line("PER", location={"start": 1, "end": 2}),
    "track": line("car", segments=[{"keyframes": [{"frame": 1, "bbox": BOX}]}]),
    "ranking": line("order", messageEvaluationTask=ranking()),
    "radio": line("weather", answer={"name": "Sunny"}),
    "checklist": line("tags", answer=[{"name": "city"}]),
    "text": line("comment", answer="a"),
    "text by its instructions": line("What is it?", answer="a"),
    "text by its name": line("slug", answer="a"),
    "frame radio": line("scene", answer={"name": "indoor"}, frames=FRAMES),
    "radio as a list in time": line("scene", answer=[{"name": "indoor", "frames": FRAMES}]),
    "text in time": line("caption", answer=[{"value": "a", "frames": FRAMES}]),
    "message radio": line("scene", answer={"name": "indoor"}, messageId="1"),
    "nested": nested(
        {
            "name": "colour",
            "answer": {"name": "Red", "classifications": [{"name": "shade", "answer": "dark"}]},
        },
        {"name": "parts", "answers": [{"name": "door"}]},
    ),
    "nested beside the answer": nested(
        {
            "name": "colour",
            "answer": {"name": "Red"},
            "classifications": [{"name": "shade", "answer": "a"}],
        }
    ),
    "nested checklist as an object": nested({"name": "parts", "answer": {"name": "door"}}),
    "schemaIds": {
        "dataRow": {"id": "a"},
        "schemaId": schema_id(1),
        "bbox": BOX,
        "classifications": [
            {"schemaId": schema_id(21), "answer": {"schemaId": schema_id(24)}},
        ],
    },
    "name and schemaId of one feature": line("car", schemaId=schema_id(1), bbox=BOX),
}

KEYFRAME = {"frame": 1, "bbox": BOX}
MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown tool": (line("bus", bbox=BOX), "O301", "/name"),
    "tool in another case": (line("Car", bbox=BOX), "O301", "/name"),
    "unknown question": (line("mood", answer="a"), "O301", "/name"),
    "unknown schemaId": (
        {"dataRow": {"id": "a"}, "schemaId": schema_id(99), "bbox": BOX},
        "O301",
        "/schemaId",
    ),
    "name and schemaId of two features": (
        line("car", schemaId=schema_id(2), bbox=BOX),
        "O301",
        "/schemaId",
    ),
    "polygon for a box tool": (line("car", polygon=RING), "O303", "/name"),
    "box for a polygon tool": (line("roof", bbox=BOX), "O303", "/name"),
    "entity for a box tool": (line("car", location={"start": 1, "end": 2}), "O303", "/name"),
    "points of a track for a box tool": (
        line("car", segments=[{"keyframes": [{"frame": 1, "point": RING[0]}]}]),
        "O303",
        "/name",
    ),
    "selection for a ranking tool": (
        line("order", messageEvaluationTask=ranking("message-multi-selection")),
        "O303",
        "/name",
    ),
    "box for a question": (line("weather", bbox=BOX), "O303", "/name"),
    "answer to a tool": (line("car", answer="a"), "O303", "/name"),
    "text for a radio": (line("weather", answer="Sunny"), "O303", "/name"),
    "list for a radio": (line("weather", answer=[{"name": "Sunny"}]), "O303", "/name"),
    "object for a checklist": (line("tags", answer={"name": "city"}), "O303", "/name"),
    "object for a text": (line("comment", answer={"name": "a"}), "O303", "/name"),
    "unknown option": (line("weather", answer={"name": "Foggy"}), "O302", "/answer/name"),
    "unknown option in a list": (
        line("tags", answer=[{"name": "city"}, {"name": "City"}]),
        "O302",
        "/answer/1/name",
    ),
    "unknown option in answers": (line("tags", answers=[{"name": "x"}]), "O302", "/answers/0/name"),
    "option by its value": (line("weather", answer={"name": "sunny"}), "O305", "/answer/name"),
    "unknown nested question": (
        nested({"name": "size", "answer": "a"}),
        "O301",
        "/classifications/0/name",
    ),
    "nested question at the wrong place": (
        nested({"name": "shade", "answer": "a"}),
        "O304",
        "/classifications/0/name",
    ),
    "nested question under the wrong option": (
        nested(
            {
                "name": "colour",
                "answer": {"name": "Blue", "classifications": [{"name": "shade", "answer": "a"}]},
            }
        ),
        "O304",
        "/classifications/0/answer/classifications/0/name",
    ),
    "nested question on a tool without any": (
        line("roof", polygon=RING, classifications=[{"name": "parts", "answers": [{"name": "a"}]}]),
        "O304",
        "/classifications/0/name",
    ),
    "nested unknown option": (
        nested({"name": "parts", "answers": [{"name": "door"}, {"name": "roof"}]}),
        "O302",
        "/classifications/0/answers/1/name",
    ),
    "nested kind": (nested({"name": "parts", "answer": "door"}), "O303", "/classifications/0/name"),
    "nested answer of a keyframe": (
        line(
            "car",
            segments=[
                {
                    "keyframes": [
                        {**KEYFRAME, "classifications": [{"name": "x", "answer": "a"}]},
                    ]
                }
            ],
        ),
        "O301",
        "/segments/0/keyframes/0/classifications/0/name",
    ),
    "top question as a nested one": (
        nested({"name": "comment", "answer": "a"}),
        "O304",
        "/classifications/0/name",
    ),
    "frames on a global question": (
        line("weather", answer={"name": "Sunny"}, frames=FRAMES),
        "O306",
        "/name",
    ),
    "message on a global question": (line("comment", answer="a", messageId="1"), "O306", "/name"),
    "global answer to an index question": (
        line("scene", answer={"name": "indoor"}),
        "O306",
        "/name",
    ),
    "unknown colour of video masks": (
        {
            "dataRow": {"id": "a"},
            "masks": {
                "frames": [{"index": 1, "instanceURI": "a"}],
                "instances": [{"colorRGB": [1, 2, 3], "name": "sea"}],
            },
        },
        "O301",
        "/masks/instances/0/name",
    ),
    "box tool in video masks": (
        {
            "dataRow": {"id": "a"},
            "masks": {
                "frames": [{"index": 1, "instanceURI": "a"}],
                "instances": [{"colorRGB": [1, 2, 3], "name": "car"}],
            },
        },
        "O303",
        "/masks/instances/0/name",
    ),
    "relation from an unknown question": (
        line(
            "follows",
            relationship={"sourceOntologyName": "x", "target": B, "type": "bidirectional"},
        ),
        "O301",
        "/relationship/sourceOntologyName",
    ),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=list(GOOD))
def test_a_line_that_fits_the_ontology_has_no_problems(good: dict[str, Any]) -> None:
    assert found(good) == []


@pytest.mark.parametrize(("bad", "code", "pointer"), MISFITS.values(), ids=list(MISFITS))
def test_a_misfit_is_found_with_code_line_and_pointer(
    bad: dict[str, Any], code: str, pointer: str
) -> None:
    ends = {**line("lane", line=RING), "uuid": B}
    assert found(line("car", bbox=BOX), bad, ends | {"dataRow": bad["dataRow"]}) == [
        (code, 2, pointer)
    ]


def test_every_plain_box_of_an_unknown_feature_is_reported() -> None:
    bad = line("bus", bbox=BOX)
    assert [number for _, number, _ in found(bad, line("car", bbox=BOX), bad, bad)] == [1, 3, 4]


def sentence(bad: dict[str, Any]) -> str:
    (problem,) = problems(bad)
    return problem.message


def test_the_sentences_name_the_nearest_spelling_and_the_right_place() -> None:
    assert "did you mean 'car'?" in sentence(line("cra", bbox=BOX))
    assert "did you mean 'Sunny'?" in sentence(line("weather", answer={"name": "Suny"}))
    assert "label 'Sunny'" in sentence(line("weather", answer={"name": "sunny"}))
    assert "it belongs under 'Red' of 'colour'" in sentence(
        nested({"name": "shade", "answer": "a"})
    )
    assert "it is not the schemaId of 'car'" in sentence(
        line("car", schemaId=schema_id(2), bbox=BOX)
    )


def test_an_ontology_without_ids_says_so_when_a_schema_id_is_looked_for() -> None:
    document = json.dumps({"tools": [{"tool": "rectangle", "name": "car"}]})
    bad = {"dataRow": {"id": "a"}, "schemaId": schema_id(1), "bbox": BOX}
    (problem,) = problems(bad, ontology=read_ontology(document.encode()))
    assert "this ontology has no ids" in problem.message


@pytest.mark.parametrize(
    ("source", "target", "direction", "codes"),
    [
        ("car", "lane", "unidirectional", []),
        ("lane", "car", "unidirectional", ["O307"]),
        ("lane", "car", "bidirectional", []),
        ("car", "car", "unidirectional", ["O307"]),
    ],
)
def test_an_edge_joins_only_the_pairs_that_its_constraints_list(
    source: str, target: str, direction: str, codes: list[str]
) -> None:
    shapes: dict[str, dict[str, Any]] = {"car": {"bbox": BOX}, "lane": {"line": RING}}
    ends = [
        {**line(source, **shapes[source]), "uuid": A},
        {**line(target, **shapes[target]), "uuid": B},
    ]
    relation = line("on", relationship={"source": A, "target": B, "type": direction})
    assert [code for code, _, _ in found(relation, *ends)] == codes


def test_a_name_and_its_schema_id_count_as_one_question() -> None:
    again = {
        "dataRow": {"globalKey": "gk-1"},
        "schemaId": schema_id(31),
        "answer": {"name": "Rainy"},
    }
    assert found(line("weather", answer={"name": "Sunny"}), again) == [("S507", 2, "/schemaId")]


def test_names_are_resolved_to_schema_ids_for_the_writer() -> None:
    assert feature_id(ONTOLOGY, "car") == schema_id(1)
    assert feature_id(ONTOLOGY, "bus") is None
    assert question_id(ONTOLOGY.questions, "weather") == schema_id(31)
    colour = ONTOLOGY.tools["car"].questions["colour"]
    assert option_id(colour, "Red") == schema_id(23)
    assert option_id(colour, "red") is None
    assert question_id(colour.options["Red"].questions, "shade") == schema_id(22)


def test_a_hint_without_a_likeness_lists_what_there_is() -> None:
    assert hint("zzz", ["a", "b"]) == " (it has 'a', 'b')"
    assert hint("zzz", []) == ""
    assert hint("zzz", [f"n{i}" for i in range(9)]).endswith("and 4 more)")
