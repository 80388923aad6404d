"""Passes between reading and writing, and several files as one dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import labelconv
from labelconv.errors import OptionError, SourceError
from labelconv.io import natural_order
from labelconv.model import (
    Annotation,
    Box,
    Category,
    Dataset,
    Image,
    Ontology,
    Option,
    Question,
    Relation,
    Sample,
    Samples,
)
from labelconv.passes import merged_categories, read_names, rename_categories
from labelconv.problems import Report
from labelconv.several import chain, matching


def _dataset() -> Samples:
    annotations = tuple(
        Annotation(str(number), name, Box(0, 0, 1, 1))
        for number, name in enumerate(("cat", "dog", "hen"), 1)
    )
    relations = (Relation("r1", "near", "1", "2"), Relation("r2", "near", "1", "3"))
    ontology = Ontology(
        categories=(
            Category(name="cat", source_id=1, keypoints=("nose",)),
            Category(name="dog", source_id=2, keypoints=("nose", "tail")),
            Category(name="hen", source_id=3),
        )
    )
    return Samples([Sample("a", Image(), annotations, (), relations)], ontology)


def _renamed(names: dict[str, str]) -> tuple[Sample, Ontology, Report]:
    report = Report()
    dataset: Dataset = rename_categories(names)(_dataset(), report)
    return next(iter(dataset)), dataset.ontology, report


def test_several_names_with_one_new_name_are_merged() -> None:
    sample, ontology, _ = _renamed({"cat": "pet", "dog": "pet", "*": "*"})
    assert [annotation.category for annotation in sample.annotations] == ["pet", "pet", "hen"]
    assert [category.name for category in ontology.categories] == ["pet", "hen"]
    assert ontology.categories[0].source_id == 1
    assert ontology.categories[0].keypoints == ("nose", "tail")


def test_an_empty_new_name_leaves_out_and_counts_as_skipped_with_its_relations() -> None:
    sample, ontology, report = _renamed({"dog": "", "*": "*"})
    assert [annotation.category for annotation in sample.annotations] == ["cat", "hen"]
    assert [relation.id for relation in sample.relations] == ["r2"]
    assert [category.name for category in ontology.categories] == ["cat", "hen"]
    assert report.ledger.annotations.skipped == 1
    assert report.ledger.relations.skipped == 1


def test_names_without_an_entry_are_refused_all_at_once_with_the_nearest_entry() -> None:
    report = Report()
    with pytest.raises(OptionError) as caught:
        list(rename_categories({"Cat": "pet", "hen": "bird"})(_dataset(), report))
    assert "'cat' (the nearest entry is 'Cat')" in str(caught.value)
    assert "'dog'" in str(caught.value)
    assert "'hen'" not in str(caught.value)


@pytest.mark.parametrize(
    ("others", "categories"),
    [("*", ["bird", "cat", "dog"]), ("", ["bird"]), ("else", ["bird", "else", "else"])],
)
def test_names_without_an_entry_go_where_the_entry_for_others_says(
    others: str, categories: list[str]
) -> None:
    sample, _, _ = _renamed({"hen": "bird", "*": others})
    assert sorted(annotation.category for annotation in sample.annotations) == categories


def test_a_map_of_all_names_gives_the_order_of_the_categories() -> None:
    _, ontology, _ = _renamed({"hen": "bird", "dog": "pet", "cat": "pet"})
    assert [category.name for category in ontology.categories] == ["bird", "pet"]


def test_case_is_ignored_only_on_request_and_contradictions_are_refused() -> None:
    change = rename_categories({"CAT": "pet", "*": "*"}, ignore_case=True)
    report = Report()
    sample = next(iter(change(_dataset(), report)))
    assert sample.annotations[0].category == "pet"
    assert report.counts == {}
    with pytest.raises(OptionError, match="'a' and 'b'"):
        rename_categories({"Cat": "a", "CAT": "b"}, ignore_case=True)


def test_a_name_that_nothing_has_is_told_with_the_nearest() -> None:
    report = Report()
    for _ in rename_categories({"catt": "pet", "hen": "bird", "*": "*"})(_dataset(), report):
        pass
    assert report.counts == {"O308": 1}
    assert "'cat'" in report.problems[0].message


def test_a_category_without_annotations_is_no_slip_of_the_pen() -> None:
    ontology = Ontology(categories=(Category(name="cat"),))
    report = Report()
    assert list(rename_categories({"cat": "pet"})(Samples([], ontology), report)) == []
    assert report.counts == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.csv", "from,to\ncat,pet\n\ndog,\n"),
        ("n.csv", "\ufeffcat,pet\r\ndog,\r\n"),
        ("n.json", '{"cat": "pet", "dog": ""}'),
        ("n.yaml", "cat: pet\ndog:\n"),
        ("n.YML", "{cat: pet, dog: ''}"),
    ],
)
def test_names_are_read_from_csv_json_and_yaml(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_names(tmp_path / name) == {"cat": "pet", "dog": ""}


@pytest.mark.parametrize(
    "data",
    [b"cat\n", b"cat,pet,x\n", b"cat,a\ncat,b\n", b",pet\n", b'{"cat": 1}', b"{", b"\xff\xfe\x00"],
)
def test_a_file_of_names_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "n").write_bytes(data)
    with pytest.raises(SourceError, match=r"expected"):
        read_names(tmp_path / "n")
    with pytest.raises(SourceError, match=r"expected"):
        read_names(tmp_path / "missing")


def test_merged_categories_unite_questions_and_drop_an_id_used_twice() -> None:
    def asked(*options: str) -> tuple[Question, ...]:
        return (Question(name="fur", kind="radio", options=tuple(Option(name=o) for o in options)),)

    merged = merged_categories(
        [
            Category(name="cat", source_id=1, questions=asked("long")),
            Category(name="dog", source_id=1),
            Category(name="cat", source_id=9, questions=asked("long", "short")),
        ]
    )
    assert [(category.name, category.source_id) for category in merged] == [
        ("cat", 1),
        ("dog", None),
    ]
    assert [option.name for option in merged[0].questions[0].options] == ["long", "short"]


def _coco(path: Path, names: list[str], category: str, **others: object) -> None:
    images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [0, 0, n + 1, 1]}
        for n in range(len(names))
    ]
    categories = [{"id": 1, "name": category}]
    whole = {"images": images, "annotations": annotations, "categories": categories, **others}
    path.write_text(json.dumps(whole))


def test_a_glob_gives_its_files_in_natural_order_and_an_existing_name_is_none(
    tmp_path: Path,
) -> None:
    for name in ("p10.json", "p2.json", "p[1].json"):
        _coco(tmp_path / name, [name], "cat")
    found = [Path(name).name for name in matching(tmp_path / "p*.json")]
    assert found == sorted(("p10.json", "p2.json", "p[1].json"), key=natural_order)
    assert found.index("p2.json") < found.index("p10.json")
    assert matching(tmp_path / "p[1].json") == [str(tmp_path / "p[1].json")]
    assert matching("s3://bucket/*.json") == ["s3://bucket/*.json"]
    with pytest.raises(SourceError):
        matching(tmp_path / "q*.json")


def test_several_files_become_one_dataset_that_balances(tmp_path: Path) -> None:
    _coco(tmp_path / "p1.json", ["a.jpg", "b.jpg"], "cat", info={"year": 1}, licenses=[])
    _coco(tmp_path / "p2.json", ["c.jpg"], "dog", info={"year": 2}, licenses=[])
    report = labelconv.convert(tmp_path / "p*.json", tmp_path / "out.native.ndjson", to="native")
    assert report.errors == 0
    assert report.ledger.annotations.read == report.ledger.annotations.kept == 3
    assert report.fields == {"coco:info (which differs between the files)": 1}
    assert [words.partition(":")[0] for words in report.evidence].count("coco") == 1
    back = labelconv.read(tmp_path / "out.native.ndjson")
    assert [sample.key for sample in back] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [category.name for category in back.ontology.categories] == ["cat", "dog"]


def test_files_of_two_formats_are_not_one_dataset(tmp_path: Path) -> None:
    _coco(tmp_path / "p1.json", ["a.jpg"], "cat")
    labelconv.write(_dataset(), tmp_path / "p2.json", "native")
    with pytest.raises(OptionError, match=r"p2\.json: coco expected"):
        labelconv.convert(tmp_path / "p*.json", tmp_path / "out.ndjson", to="labelbox")


def test_a_sample_that_an_earlier_file_has_is_rejected_with_its_annotations(
    tmp_path: Path,
) -> None:
    _coco(tmp_path / "p1.json", ["a.jpg"], "cat")
    _coco(tmp_path / "p2.json", ["a.jpg", "b.jpg"], "cat")
    for to in ("native", "labelbox"):  # whole samples, and pieces
        out = tmp_path / f"out-{to}"
        report = labelconv.convert(tmp_path / "p*.json", out, to=to)
        assert report.counts["K601"] == 1
        assert report.ledger.annotations.rejected == 1
        assert report.ledger.samples.rejected == 1
        assert report.ledger.balanced
        assert (tmp_path / f"out-{to}.rejected.ndjson").read_text().count("\n") == 1


def test_pieces_of_one_sample_in_one_file_are_no_collision() -> None:
    def piece(name: str) -> Sample:
        return Sample("a", Image(), (Annotation(name, "cat", Box(0, 0, 1, 1)),))

    report = Report()
    first = Samples([piece("1"), piece("2")])
    again = Samples([piece("3"), piece("4")])
    assert len(list(chain([first, again], ["x", "y"], report))) == 2
    assert report.counts == {"K601": 2}
    assert report.ledger.samples.rejected == 1
    assert report.ledger.annotations.rejected == 2


def test_options_that_a_format_does_not_take_are_refused(tmp_path: Path) -> None:
    _coco(tmp_path / "a.json", ["a.jpg"], "cat")
    for arguments in ({"media": "pictures"}, {"ontology": "o.json", "to": "native"}):
        with pytest.raises(OptionError, match=next(iter(arguments))):
            labelconv.convert(tmp_path / "a.json", tmp_path / "out.ndjson", **arguments)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="twice"):
        labelconv.convert(
            tmp_path / "a.json",
            tmp_path / "out.ndjson",
            ontology="o.json",
            writer_options={"ontology": "p.json"},
        )


def test_the_functions_are_not_hidden_by_the_modules_of_their_names(tmp_path: Path) -> None:
    _coco(tmp_path / "a.json", ["a.jpg"], "cat")
    labelconv.read(tmp_path / "a.json")
    for name in ("convert", "check", "diff"):
        assert callable(getattr(labelconv, name)), name
