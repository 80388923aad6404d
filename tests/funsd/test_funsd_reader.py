"""FUNSD: entities and words, pictures beside the labels, links that both ends list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.errors import OptionError
from labelconv.io import Source
from labelconv.model import Box, Document, FreeText, Image, OnPage, Page, Relation, Sample
from labelconv.problems import Report
from labelconv.registry import sniff

FIXTURES = Path(__file__).parent.parent / "fixtures" / "funsd"
FORM = FIXTURES / "form" / "input" / "training_data"


def entity(id: Any, linking: list[Any], **more: Any) -> dict[str, Any]:
    box, text = [10, 20, 30, 50], f"text {id}"
    return {"id": id, "box": box, "text": text, "label": "other", "linking": linking, **more}


def write(path: Path, *entities: Any) -> Path:
    path.write_text(json.dumps({"form": entities}), encoding="utf-8")
    return path


def read(path: Path, **options: Any) -> tuple[Sample, Report]:
    report = Report()
    (sample,) = lc.read(path, "funsd", options=options, report=report)
    return sample, report


def texts(sample: Sample) -> list[str]:
    answers = (each.answer for a in sample.annotations for each in a.classifications)
    return [answer.text for answer in answers if isinstance(answer, FreeText)]


def test_case_50_a_box_is_its_edges_so_its_width_is_right_less_left(tmp_path: Path) -> None:
    sample, _ = read(write(tmp_path / "1.json", entity(0, [], box=[292, 91, 376, 175])))
    (annotation,) = sample.annotations
    assert annotation.value == OnPage(0, Box(292, 91, 376, 175))
    target = tmp_path / "mal.ndjson"
    lc.convert(tmp_path / "1.json", target, from_="funsd", to="labelbox")
    payload = json.loads(target.read_bytes())
    assert payload["bbox"] == {"top": 91, "left": 292, "height": 84, "width": 376 - 292}


def test_a_folder_has_a_form_for_each_file_with_its_picture_of_the_same_name() -> None:
    sample, report = read(FORM)
    assert (sample.key, sample.uri) == ("0001", "images/0001.png")
    assert sample.media == Document((Page(754, 1000),))
    assert [a.category for a in sample.annotations] == [
        *("question", "answer", "header", "other", "other")
    ]
    assert texts(sample) == [
        *("DATE:", "3 May 2031 🚀", "ORDER OF THE DAY", "e\u0301cole 👩‍🚀\r\n𝔸-1")
    ]
    assert report.counts == {"R113": 1}  # no resolution


def test_the_parts_of_the_data_set_are_parts_of_keys(tmp_path: Path) -> None:
    for part in ("training_data", "testing_data"):
        shutil.copytree(FORM, tmp_path / part)
    samples = list(lc.read(tmp_path, "funsd"))
    assert [sample.key for sample in samples] == ["testing_data/0001", "training_data/0001"]
    assert [sample.uri for sample in samples] == [
        "testing_data/images/0001.png",
        "training_data/images/0001.png",
    ]
    assert sniff(Source(tmp_path))[0].name == "funsd"


def test_a_picture_among_the_media_files_goes_before_the_one_beside_the_labels(
    tmp_path: Path,
) -> None:
    from PIL import Image as Pictures

    shutil.copytree(FORM, tmp_path / "data")
    (tmp_path / "media").mkdir()
    Pictures.new("1", (100, 200)).save(tmp_path / "media" / "0001.png")
    for media, size in ((tmp_path / "media", Page(36, 72)), (None, Page(754 * 0.36, 360))):
        target = tmp_path / "out.native.ndjson"
        lc.convert(
            tmp_path / "data",
            target,
            from_="funsd",
            to="native",
            media=media,
            reader_options={"dpi": 200.0},
        )
        (sample,) = lc.read(target)
        assert sample.media == Document((size,))


def test_a_picture_that_cannot_be_read_is_one_problem_and_the_form_goes_on(tmp_path: Path) -> None:
    shutil.copytree(FORM, tmp_path / "data")
    (tmp_path / "data" / "images" / "0001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    sample, report = read(tmp_path / "data")
    assert report.counts == {"R113": 1, "R124": 1}
    assert (len(sample.annotations), sample.media) == (5, Document())


def test_a_page_size_needs_the_picture_or_a_resolution(tmp_path: Path) -> None:
    path = write(tmp_path / "1.json", entity(0, []))
    report = Report()
    options = {"page_size": "612x792"}
    assert list(lc.read(path, "funsd", options=options, report=report)) == []
    assert report.counts == {"R122": 1}
    assert report.take_rejected()[0].record == path.read_bytes()
    sample, _ = read(path, page_size="612x792", dpi=144.0)
    assert sample.annotations[0].value == OnPage(0, Box(5, 10, 15, 25))


def test_a_link_that_both_ends_list_is_one_relation(tmp_path: Path) -> None:
    first, second = entity(7, [[7, 13]]), entity(13, [[7, 13], [13, 2]])
    sample, report = read(write(tmp_path / "1.json", first, second, entity(2, [[13, 2], [13, 2]])))
    assert sample.relations == (
        Relation("r1", "linking", "7", "13"),
        Relation("r2", "linking", "13", "2"),
    )
    assert report.ledger.relations.read == 2
    sample, _ = read(tmp_path / "1.json", relation="answered by")
    assert {relation.category for relation in sample.relations} == {"answered by"}


def test_a_link_listed_the_other_way_round_at_its_other_end_is_the_same_and_counted(
    tmp_path: Path,
) -> None:
    sample, report = read(write(tmp_path / "1.json", entity(1, [[1, 2]]), entity(2, [[2, 1]])))
    assert sample.relations == (Relation("r1", "linking", "1", "2"),)
    assert report.fields == {"funsd:linking the other way round": 1}


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ([1, 9], "M204"),
        ([9, 1], "M204"),
        ([1, 3], "M204"),
        ([1, 1], "R101"),
        ([1], "R101"),
        ([1, 2, 3], "R101"),
        ([1, None], "R101"),
        ([1, True], "R101"),
        ("12", "R101"),
        (None, "R101"),
    ],
)
def test_a_link_without_two_entities_is_rejected_alone(
    link: Any, code: str, tmp_path: Path
) -> None:
    broken = entity(3, [], box=[0, 0, 1])
    path = write(tmp_path / "1.json", entity(1, [[1, 2], link]), entity(2, []), broken)
    sample, report = read(path)
    assert len(sample.relations) == 1
    problem = report.problems[-1]
    assert (problem.code, problem.where.pointer) == (code, "/form/0/linking/1")
    assert report.ledger.relations.read == 2
    assert report.ledger.relations.rejected == 1
    assert report.take_rejected()[-1].record == json.dumps(link, separators=(",", ":")).encode()


def test_words_have_the_label_of_their_entity_and_are_a_group() -> None:
    sample, report = read(FORM, level="word")
    assert [a.id for a in sample.annotations][:5] == ["0.0", "1.0", "1.1", "1.2", "1.3"]
    assert [a.category for a in sample.annotations][:5] == ["question"] + ["answer"] * 4
    assert sample.annotations[2].value == OnPage(0, Box(176, 404, 208, 424))
    assert texts(sample)[-3:] == ["e\u0301cole", "👩‍🚀", "𝔸-1"]
    assert sample.relations == ()
    assert report.fields == {"funsd:linking": 2}


def test_words_are_kept_in_extra_fields_or_counted(tmp_path: Path) -> None:
    sample, _ = read(FORM)
    assert sample.annotations[0].extra == {
        "funsd:words": [{"box": [102, 406, 147, 423], "text": "DATE:"}]
    }
    report = lc.convert(FORM, tmp_path / "mal.ndjson", from_="funsd", to="labelbox")
    assert report.fields["funsd:words"] == 4
    report = Report()
    path = write(tmp_path / "1.json", entity(0, [], words=[], page=1))
    list(lc.read(path, "funsd", options={"level": "word"}, report=report))
    assert report.fields == {"funsd:page": 1, "funsd:text of entities without words": 1}


def test_words_that_are_none_are_rejected_alone(tmp_path: Path) -> None:
    words = [{"box": [1, 2, 3, 4], "text": "a"}, 7, {"text": "b"}, {"box": [1, 2, 3, 4], "text": 1}]
    path = write(tmp_path / "1.json", entity(0, [], words=words), "none")
    sample, report = read(path, level="word")
    assert texts(sample) == ["a"]
    places = ["/form/0/words/1", "/form/0/words/2", "/form/0/words/3", "/form/1"]
    assert [p.where.pointer for p in report.problems if p.code == "R101"] == places
    assert report.ledger.annotations.read == 5


def test_entities_that_are_none_are_rejected_alone_with_their_place() -> None:
    sample, report = read(FIXTURES / "faults" / "input" / "form.json")
    assert [a.id for a in sample.annotations] == ["0", "1", "1~2", "5"]
    assert [p.where.pointer for p in report.problems if p.code == "R101"][:5] == [
        *("/form/3", "/form/4", "/form/5", "/form/8", "/form/9")
    ]
    assert report.ledger.annotations.read == 10
    assert report.ledger.annotations.rejected == 6
    reversed_link = {"funsd:linking the other way round": 1}
    assert report.fields == {"funsd:lang": 1, "funsd:page": 1, **reversed_link}


@pytest.mark.parametrize("label", [None, ""])
def test_an_entity_without_a_label_is_called_an_entity(label: Any, tmp_path: Path) -> None:
    sample, _ = read(write(tmp_path / "1.json", entity(0, [], label=label)))
    assert sample.annotations[0].category == "entity"


@pytest.mark.parametrize("text", ["[]", "{}", '{"form": {}}', "7", '{"form": [', '{"form": "x"}'])
def test_what_is_no_form_is_rejected_verbatim(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = Report()
    assert list(lc.read(tmp_path / "a.json", "funsd", report=report)) == []
    assert report.counts == {"R101": 1}
    assert report.take_rejected()[0].record == text.encode()


def test_a_form_is_told_by_its_content() -> None:
    assert sniff(Source(FORM / "annotations" / "0001.json"))[0].name == "funsd"


def test_forms_are_pictures_where_the_pictures_are_uploaded(tmp_path: Path) -> None:
    sample, report = read(FORM, media="image")
    assert sample.media == Image(754, 1000)
    assert sample.annotations[0].value == Box(102, 406, 147, 423)
    assert report.counts == {}
    target = tmp_path / "mal.ndjson"
    options = {"media": "image"}
    report = lc.convert(FORM, target, from_="funsd", to="labelbox", reader_options=options)
    assert report.losses == report.errors == 0
    first, *_, link = (json.loads(line) for line in target.read_bytes().splitlines())
    assert first["bbox"] == {"top": 406, "left": 102, "height": 17, "width": 45}
    assert not {"page", "unit"} & first.keys()
    assert link["relationship"]["target"] == first["uuid"]
    alone, _ = read(write(tmp_path / "1.json", entity(0, [])), media="image")
    assert (alone.media, alone.annotations[0].value) == (Image(), Box(10, 20, 30, 50))


@pytest.mark.parametrize("option", [{"dpi": 72.0}, {"page_size": "612x792"}])
def test_pictures_have_no_points(option: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        read(FORM, media="image", **option)


def test_labelbox_gets_boxes_texts_and_links_between_them(tmp_path: Path) -> None:
    target = tmp_path / "mal.ndjson"
    report = lc.convert(FORM, target, from_="funsd", to="labelbox", reader_options={"dpi": 100.0})
    assert report.ledger.balanced
    assert report.losses == report.errors == 0
    lines = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert len(lines) == 7
    bbox = lines[1]["bbox"]
    edges = [bbox[name] for name in ("left", "top", "width", "height")]
    assert edges == pytest.approx([115.2, 290.88, 72, 14.4])
    assert (lines[1]["page"], lines[1]["unit"], lines[1]["name"]) == (0, "POINTS", "answer")
    assert lines[1]["classifications"] == [{"name": "text", "answer": "3 May 2031 🚀"}]
    assert lines[3]["classifications"][0]["answer"] == "e\u0301cole 👩‍🚀\r\n𝔸-1"
    question, answer, header = (line["uuid"] for line in lines[:3])
    ends = [(line["relationship"]["source"], line["relationship"]["target"]) for line in lines[5:]]
    assert ends == [(question, answer), (header, question)]


def test_numbers_that_no_float_can_be_are_rejected_alone(tmp_path: Path) -> None:
    beyond = entity(1, [[1, 2]], box=[0, 0, 10**400, 5])
    sample, report = read(write(tmp_path / "1.json", entity(0, []), beyond, entity(2, [])))
    assert [each.id for each in sample.annotations] == ["0", "2"]
    assert report.ledger.annotations.rejected == report.ledger.relations.rejected == 1
    (wrong,) = [each for each in report.problems if each.code == "R101"]
    assert wrong.where.pointer == "/form/1"
