"""Names are checked against the project's ontology, and replaced by its ids where asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from labelconv.accounting import accounted
from labelconv.errors import OptionError, SourceError
from labelconv.fit import fit
from labelconv.format import Reading
from labelconv.formats.labelbox import FORMAT
from labelconv.formats.labelbox.check import check
from labelconv.formats.labelbox.ontology import read_ontology
from labelconv.formats.labelbox.reader import LabelboxReaderOptions, read
from labelconv.formats.labelbox.writer import LabelboxWriterOptions as Options
from labelconv.formats.labelbox.writer import write
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import (
    Annotation,
    Box,
    Checklist,
    Classification,
    FreeText,
    Image,
    Point,
    Polygon,
    Polyline,
    Radio,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Report


def id_of(text: str) -> str:
    return text.ljust(25, "-")


def option(label: str, *below: dict[str, Any]) -> dict[str, Any]:
    made = {"label": label, "value": label.lower().replace(" ", "_"), "options": list(below)}
    return made | {"featureSchemaId": id_of(f"o {label}")}


def question(kind: str, text: str, *options: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"type": kind, "name": f"{text}_slug", "instructions": text, "options": list(options)}
    return made | {"featureSchemaId": id_of(f"q {text}")} | more


def tool(kind: str, name: str, *asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"tool": kind, "name": name, "featureSchemaId": id_of(f"t {name}")}
    return made | {"classifications": list(asked)} | more


ONTOLOGY = {
    "tools": [
        tool(
            "rectangle",
            "car",
            question("radio", "colour", option("Dark Red", question("text", "shade"))),
            question("checklist", "parts", option("door"), option("wheel")),
        ),
        tool("polygon", "roof"),
        tool("raster-segmentation", "road"),
        tool("point", "tip"),
        tool("edge", "on", definition={"constraints": [[id_of("t car"), id_of("t roof")]]}),
        tool("edge", "near"),
    ],
    "classifications": [
        question("radio", "weather", option("Sunny"), scope="global"),
        question("text", "per frame", scope="index"),
    ],
}
BOX = Box(1.0, 2.0, 4.0, 6.0)
ROOF = Polygon((((0.0, 0.0, 4.0, 0.0, 4.0, 4.0),),))
ANSWERS = (
    Classification("colour", Radio("Dark Red", (Classification("shade", FreeText("ä")),))),
    Classification("parts", Checklist((Radio("door"), Radio("wheel")))),
)
GOOD = Sample(
    "a",
    Image(),
    (Annotation("1", "car", BOX, ANSWERS), Annotation("2", "roof", ROOF)),
    (Classification("weather", Radio("Sunny")),),
    (Relation("r", "on", "1", "2"),),
)


def ontology_file(folder: Path, content: Any = ONTOLOGY) -> str:
    path = folder / "ontology.json"
    path.write_text(json.dumps(content))
    return str(path)


def run(
    folder: Path, *samples: Sample, names: Any = "name", content: Any = ONTOLOGY
) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    options = Options(ontology=ontology_file(folder, content), names=names)
    target = folder / "out.ndjson"
    given = accounted(Samples(samples), report)
    write(fit(given, FORMAT, options, report), target, options, report)
    assert report.ledger.balanced
    return [json.loads(text) for text in target.read_text().splitlines()], report


@pytest.mark.parametrize("names", ["name", "schemaId"])
def test_what_fits_the_ontology_is_written_and_passes_the_check(tmp_path: Path, names: str) -> None:
    lines, report = run(tmp_path, GOOD, names=names)
    assert report.problems == []
    assert len(lines) == 4
    found = Report()
    known = read_ontology(json.dumps(ONTOLOGY).encode())
    check(str(tmp_path / "out.ndjson"), found, ontology=known)
    assert found.problems == []


def test_ids_stand_for_all_names_and_come_back_as_names(tmp_path: Path) -> None:
    lines, _ = run(tmp_path, GOOD, names="schemaId")
    assert '"name"' not in (tmp_path / "out.ndjson").read_text()
    assert lines[0]["schemaId"] == id_of("t car")
    assert lines[0]["classifications"][0] == {
        "schemaId": id_of("q colour"),
        "answer": {
            "schemaId": id_of("o Dark Red"),
            "classifications": [{"schemaId": id_of("q shade"), "answer": "ä"}],
        },
    }
    options = LabelboxReaderOptions(ontology=str(tmp_path / "ontology.json"))
    reading = Reading(report=Report(), keys=Keys())
    (back,) = read(Source(tmp_path / "out.ndjson"), options, reading)
    assert [each.category for each in back.annotations] == ["car", "roof"]
    assert back.annotations[0].classifications == ANSWERS
    assert back.classifications == GOOD.classifications
    assert back.relations[0].category == "on"


def test_a_question_named_by_its_slug_is_written_by_the_text_that_is_shown(
    tmp_path: Path,
) -> None:
    asked = (Classification("colour_slug", Radio("Dark Red")),)
    sample = Sample(
        "a",
        Image(),
        (Annotation("1", "car", BOX, asked),),
        (Classification("weather_slug", Radio("Sunny")),),
    )
    lines, report = run(tmp_path, sample)
    assert report.problems == []
    assert lines[0]["classifications"][0]["name"] == "colour"
    assert lines[1]["name"] == "weather"


def car(*asked: Classification) -> Annotation:
    return Annotation("bad", "car", BOX, asked)


BAD = [
    (Annotation("bad", "Car", BOX), "O301", "/name"),
    (Annotation("bad", "roof", Polyline((0.0, 0.0, 4.0, 4.0))), "O303", "/name"),
    (Annotation("bad", "weather", BOX), "O303", "/name"),
    (Annotation("bad", "car", Point(1.0, 1.0)), "O303", "/name"),
    (car(Classification("size", FreeText("t"))), "O301", "/classifications/0/name"),
    (car(Classification("shade", FreeText("t"))), "O304", "/classifications/0/name"),
    (car(Classification("colour", FreeText("t"))), "O303", "/classifications/0/name"),
    (car(Classification("colour", Radio("Blue"))), "O302", "/classifications/0/answer/name"),
    (car(Classification("colour", Radio("dark_red"))), "O305", "/classifications/0/answer/name"),
    (
        car(Classification("parts", Checklist((Radio("door"), Radio("hood"))))),
        "O302",
        "/classifications/0/answer/1/name",
    ),
]


@pytest.mark.parametrize("names", ["name", "schemaId"])
@pytest.mark.parametrize(("annotation", "code", "pointer"), BAD, ids=str)
def test_what_the_ontology_has_not_is_rejected_with_the_line_it_would_have_been(
    tmp_path: Path, names: str, annotation: Annotation, code: str, pointer: str
) -> None:
    good = Annotation("good", "car", BOX)
    lines, report = run(tmp_path, Sample("a", Image(), (annotation, good)), names=names)
    assert len(lines) == 1
    (rejected,) = report.take_rejected()
    assert rejected.code == code
    where = rejected.where
    assert (where.sample, where.annotation, where.pointer) == ("a", "bad", pointer)
    record = json.loads(rejected.record)
    assert (record["dataRow"], record["name"]) == ({"globalKey": "a"}, annotation.category)
    account = report.ledger.annotations
    assert (account.read, account.kept, account.rejected) == (2, 1, 1)


def test_an_unknown_feature_is_rejected_each_time_it_comes(tmp_path: Path) -> None:
    annotations = tuple(Annotation(str(n), "Car", BOX) for n in range(3))
    _, report = run(tmp_path, Sample("a", Image(), annotations))
    assert [each.where.annotation for each in report.take_rejected()] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("classification", "code"),
    [
        (Classification("climate", Radio("Sunny")), "O301"),
        (Classification("car", Radio("Sunny")), "O303"),
        (Classification("weather", Radio("sunny")), "O305"),
        (Classification("weather", Radio("Rain")), "O302"),
        (Classification("weather", FreeText("Sunny")), "O303"),
        (Classification("per frame", FreeText("t")), "O306"),
    ],
    ids=str,
)
def test_answers_that_the_ontology_has_not_are_rejected(
    tmp_path: Path, classification: Classification, code: str
) -> None:
    lines, report = run(tmp_path, Sample("a", Image(), (), (classification,)))
    assert lines == []
    assert [each.code for each in report.take_rejected()] == [code]
    assert report.ledger.classifications.rejected == 1


@pytest.mark.parametrize(
    ("relation", "code"),
    [
        (Relation("r", "on", "2", "1"), "O307"),
        (Relation("r", "under", "1", "2"), "O301"),
        (Relation("r", "car", "1", "2"), "O303"),
    ],
    ids=str,
)
def test_relations_that_the_ontology_has_not_are_rejected(
    tmp_path: Path, relation: Relation, code: str
) -> None:
    fine = (Relation("s", "on", "2", "1", False), Relation("t", "near", "2", "1"))
    sample = Sample("a", Image(), GOOD.annotations, (), (relation, *fine))
    lines, report = run(tmp_path, sample)
    assert Counter(line["name"] for line in lines) == Counter(("car", "roof", "on", "near"))
    assert [each.code for each in report.take_rejected()] == [code]
    assert report.ledger.relations.rejected == 1


def test_a_relation_to_what_was_rejected_is_rejected(tmp_path: Path) -> None:
    sample = Sample(
        "a",
        Image(),
        (Annotation("1", "car", BOX), Annotation("2", "Roof", ROOF)),
        (),
        (Relation("r", "near", "1", "2"),),
    )
    lines, report = run(tmp_path, sample)
    assert [line["name"] for line in lines] == ["car"]
    assert [each.code for each in report.take_rejected()] == ["O301", "M204"]


def test_an_ontology_without_ids_gives_none(tmp_path: Path) -> None:
    content = {"tools": [{"tool": "rectangle", "name": "car"}]}
    sample = Sample("a", Image(), (Annotation("1", "car", BOX),))
    assert len(run(tmp_path, sample, content=content)[0]) == 1
    lines, report = run(tmp_path, sample, content=content, names="schemaId")
    assert lines == []
    assert [(each.code, each.where.pointer) for each in report.problems] == [("O301", "/schemaId")]


def test_the_cap_holds_for_ids_as_it_does_for_names(tmp_path: Path) -> None:
    pieces = [
        Sample(
            "a", Image(), tuple(Annotation(str(n), "car", BOX) for n in range(start, start + 700))
        )
        for start in range(0, 5_600, 700)
    ]
    other = Sample("b", Image(), (Annotation("1", "car", BOX),))
    lines, report = run(tmp_path, *[each for piece in pieces for each in (piece, other)][:-1],
                        names="schemaId")  # fmt: skip
    assert Counter(line["dataRow"]["globalKey"] for line in lines) == {"a": 5_000, "b": 7}
    assert report.counts == {"L410": 600}


def test_ids_without_an_ontology_and_ontologies_that_are_none_are_refused(tmp_path: Path) -> None:
    sample = Samples([GOOD])
    target = tmp_path / "out.ndjson"
    with pytest.raises(OptionError, match="--ontology"):
        write(sample, target, Options(names="schemaId"), Report())
    with pytest.raises(SourceError, match=r"ontology\.json"):
        write(sample, target, Options(ontology=ontology_file(tmp_path, [])), Report())
    with pytest.raises(SourceError, match=r"none\.json"):
        write(sample, target, Options(ontology=str(tmp_path / "none.json")), Report())
    assert not target.exists()


def test_of_two_tools_of_one_name_the_one_that_draws_the_shape_gives_id_and_questions(
    tmp_path: Path,
) -> None:
    tools = [
        tool("polygon", "car", question("text", "outline"))
        | {"featureSchemaId": id_of("t outline")},
        tool("rectangle", "car", question("text", "plate")),
        tool("edge", "on", definition={"constraints": [[id_of("t car"), id_of("t outline")]]}),
    ]
    annotations = (
        Annotation("1", "car", BOX, (Classification("plate", FreeText("x")),)),
        Annotation("2", "car", ROOF, (Classification("outline", FreeText("x")),)),
        Annotation("3", "car", BOX, (Classification("outline", FreeText("x")),)),
    )
    relations = (Relation("r", "on", "1", "2"),)
    sample = Sample("a", Image(), annotations, (), relations)
    lines, report = run(tmp_path, sample, content={"tools": tools}, names="schemaId")
    assert [line["schemaId"] for line in lines] == [
        id_of("t car"),
        id_of("t outline"),
        id_of("t on"),
    ]
    assert [(each.code, each.where.annotation) for each in report.problems] == [("O304", "3")]
    options = LabelboxReaderOptions(ontology=str(tmp_path / "ontology.json"))
    (back,) = read(Source(tmp_path / "out.ndjson"), options, Reading(report=Report(), keys=Keys()))
    assert [each.category for each in back.annotations] == ["car", "car"]
