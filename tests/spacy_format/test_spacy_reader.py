"""Reading what spaCy and Prodigy write, dialect by dialect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spacy_help import ASTRAL, CLUSTERS, WINDOWS, labelbox, lines, read, spans, told

import labelconv as lc
from labelconv import registry
from labelconv.io import Source
from labelconv.model import Checklist, Radio, Text

DATA = Path(__file__).parents[3] / "shared" / "data" / "spacy"


def test_the_numbered_text_cases_reach_labelbox_with_their_numbers(tmp_path: Path) -> None:
    """source-formats.md D 39, 40, 41, 43 (its first half) and 44."""
    path = lines(
        tmp_path / "d.jsonl",
        {"text": "Who is Shaka Khan?", "spans": [{"start": 7, "end": 17, "label": "PERSON"}]},
        {
            "text": ASTRAL,
            "spans": {"sc": [[9, 17, "CITY"], {"start": 9, "end": 22, "label": "GPE"}]},
        },
        [CLUSTERS, {"entities": [[11, 15, "LOC"]]}],
        ["a\r\nBob", {"entities": [[3, 6, "PERSON"]]}],
    )
    found = [
        (line["name"], line["location"]["start"], line["location"]["end"])
        for line in labelbox(path, tmp_path)
    ]
    assert found == [
        ("PERSON", 7, 16),
        ("CITY", 10, 17),
        ("GPE", 10, 22),
        ("LOC", 13, 16),
        ("PERSON", 3, 5),
    ]


def test_relations_of_prodigy_name_tokens_and_mean_spans(tmp_path: Path) -> None:
    """source-formats.md D 43."""
    text = "The protein, Smad, was found in the nucleus, where it acts on     Id1."
    assert (text[13:17], text[66:69]) == ("Smad", "Id1")
    ends = {"head_span": {"start": 13, "end": 17, "label": "GGP"}}
    ends["child_span"] = {"start": 66, "end": 69, "label": "GGP"}
    relation = {"head": 2, "child": 10, "label": "Pos-Reg", "color": "#fff"}
    path = lines(
        tmp_path / "d.jsonl",
        {
            "text": text,
            "spans": [
                {"start": 13, "end": 17, "label": "GGP", "token_start": 2, "token_end": 2},
                {"start": 66, "end": 69, "label": "GGP", "token_start": 10, "token_end": 10},
            ],
            "relations": [{**relation, **ends}, relation, {**relation, "child": 77}],
            "tokens": [],
            "answer": "accept",
        },
        {"text": "no", "spans": [{"start": 0, "end": 2, "label": "X"}], "answer": "reject"},
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert [(each.category, each.source, each.target) for each in sample.relations] == [
        ("Pos-Reg", "0", "1"),
        ("Pos-Reg", "0", "1"),
    ]
    assert told(dataset) == [("M204", "/relations/2"), ("R143", None)]
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.skipped) == (2, 1)
    assert (ledger.annotations.read, ledger.annotations.skipped) == (3, 1)
    assert dataset.report.fields == {"spacy:relations.color": 3, "spacy:tokens": 1}


def test_all_answers_are_read_when_asked_for(tmp_path: Path) -> None:
    record = {"text": "no", "spans": [{"start": 0, "end": 2, "label": "X"}], "answer": "reject"}
    assert len(list(read(lines(tmp_path / "d.jsonl", record), answers="all"))) == 1


def test_a_refused_label_of_prodigy_is_a_text_without_it(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "d.jsonl",
        {"text": "a", "label": "SPAM", "answer": "accept"},
        {"text": "b", "label": "SPAM", "answer": "reject"},
        {"text": "c", "label": "SPAM", "answer": "ignore"},
    )
    dataset = read(path, cats="radio", question="kind")
    samples = list(dataset)
    assert [[c.answer for c in each.classifications] for each in samples] == [[Radio("SPAM")], []]
    assert dataset.report.ledger.classifications.skipped == 1


def test_choices_of_prodigy_are_ticked_options(tmp_path: Path) -> None:
    options = [{"id": "A", "text": "a"}, {"id": "B", "text": "b"}]
    record = {"text": "a", "options": options, "accept": ["A", "B"], "answer": "accept"}
    (sample,) = list(read(lines(tmp_path / "d.jsonl", record)))
    assert sample.classifications[0].answer == Checklist((Radio("A"), Radio("B")))


def test_cats_become_a_checklist_or_a_radio_from_a_threshold_on(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "d.jsonl",
        {"text": "a", "cats": {"A": 1, "B": 0.75, "C": 0.2}},
        {"text": "b", "cats": {"A": 0, "B": 0.5}},
        {"text": "c", "cats": {"A": 0.1}},
    )
    ticked = [[c.answer for c in each.classifications] for each in read(path)]
    assert ticked == [
        [Checklist((Radio("A"), Radio("B", (), 0.75)))],
        [Checklist((Radio("B", (), 0.5),))],
        [],
    ]
    dataset = read(path, cats="radio", threshold=0.6, question="topic")
    chosen = list(dataset)
    assert told(dataset) == [("R101", "/cats")]
    assert dataset.report.ledger.classifications.rejected == 1
    assert [each.classifications for each in chosen] == [(), (), ()]
    dataset = read(path, cats="radio", threshold=0.8, question="topic")
    assert [c.answer for each in dataset for c in each.classifications] == [Radio("A")]
    (question,) = dataset.ontology.questions
    assert (question.name, question.kind) == ("topic", "radio")
    assert [option.name for option in question.options] == ["A", "B", "C"]


def test_tags_are_laid_onto_the_text_whatever_its_tokens_are(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "d.jsonl",
        ["Sebastian Thrun met 😂.", {"entities": ["B-PER", "L-PER", "O", "U-X"]}],
        ["Ann, Bob", {"entities": ["U-PER", "O", "U-PER"]}],
        ["New York's", {"entities": ["B-LOC", "L-LOC", "O"], "words": ["New", "York", "'s"]}],
        ["a b", {"entities": ["O", None, "U-X", "O"]}],
    )
    dataset = read(path)
    samples = list(dataset)
    assert [spans(each) for each in samples] == [
        [(0, 15, "PER"), (20, 22, "X")],
        [(0, 3, "PER"), (5, 8, "PER")],
        [(0, 8, "LOC")],
        [],
    ]
    assert told(dataset) == [("R101", "/entities")]


def test_entities_overlap_and_nest_and_stay(tmp_path: Path) -> None:
    entities = [[0, 8, "A"], [4, 8, "B"], [4, 12, "C"], [4, 8, "B"]]
    (sample,) = list(read(lines(tmp_path / "d.jsonl", ["New York City", {"entities": entities}])))
    assert spans(sample) == [tuple(each) for each in entities]
    assert [each.id for each in sample.annotations] == ["0", "1", "2", "3"]


def test_broken_spans_are_rejected_alone_each_with_its_place(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "d.jsonl",
        {
            "text": "Paris is nice",
            "spans": [
                {"start": 0, "end": 5, "label": "LOC"},
                {"start": 3, "end": 3, "label": "LOC"},
                {"start": 9, "end": 99, "label": "LOC"},
                {"start": "x", "end": 5, "label": "LOC"},
                {"start": 9.0, "end": 13.0, "label": "ADJ", "text": "nice"},
                {"start": 8, "end": 12, "label": "ADJ", "text": "nice"},
                {"points": [[1, 2]], "label": "box"},
                {"start": 0, "end": 5, "label": ""},
            ],
        },
    )
    dataset = read(path)
    (sample,) = list(dataset)
    assert spans(sample) == [(0, 5, "LOC"), (9, 13, "ADJ")]
    assert sorted(told(dataset)) == [
        ("M221", "/spans/1"),
        ("M222", "/spans/2"),
        ("M223", "/spans/5"),
        ("R101", "/spans/3/start"),
        ("R101", "/spans/6"),
    ]
    ledger = dataset.report.ledger.annotations
    assert (ledger.read, ledger.rejected) == (7, 5)


def test_records_that_are_no_texts_are_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n{"text": 1}\nnot json\n{"image": "x.png"}\n{"text": "b"}')
    dataset = read(path)
    assert [each.key for each in dataset] == ["d-1", "d-6"]
    assert [(each.code, each.where.line) for each in dataset.report.problems] == [
        ("R101", 3),
        ("R101", 4),
        ("R101", 5),
    ]
    assert dataset.report.ledger.samples.read == 5
    assert len(dataset.report.take_rejected()) == 3


@pytest.mark.parametrize(
    ("unit", "start", "end"), [("codepoint", 9, 17), ("utf16", 10, 18), ("utf8", 12, 20)]
)
def test_offsets_of_any_unit_are_read(tmp_path: Path, unit: str, start: int, end: int) -> None:
    record = {"text": ASTRAL, "spans": [{"start": start, "end": end, "label": "X"}]}
    (sample,) = list(read(lines(tmp_path / "d.jsonl", record), source_offsets=unit))
    assert spans(sample) == [(9, 17, "X")]


def test_texts_are_neither_normalised_nor_stripped(tmp_path: Path) -> None:
    texts = [ASTRAL, CLUSTERS, WINDOWS, "\ufeff \r\n", "😂" * 3]
    path = lines(tmp_path / "d.jsonl", *({"text": text} for text in texts))
    assert [each.media for each in read(path)] == [Text(text) for text in texts]


def test_keys_are_the_record_s_own_or_the_file_s_name_and_the_line(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "news.v1.jsonl", {"text": "a"}, {"text": "b", "id": 7}, {"text": "c", "key": "k"}
    )
    assert [each.key for each in read(path)] == ["news.v1-1", "7", "k"]
    path = lines(tmp_path / "m.jsonl", {"text": "a", "meta": {"source": "wire"}})
    assert [each.key for each in lc.read(path, "spacy", key="{source}/{id}")] == ["wire/1"]


def test_one_list_is_read_like_lines(tmp_path: Path) -> None:
    records = [
        ["Paris", {"entities": [[0, 5, "LOC"]], "links": {}}],
        {"text": "Bob", "ents": [{"start": 0, "end": 3, "label": "PER"}], "sents": []},
    ]
    path = tmp_path / "d.json"
    path.write_text(json.dumps(records, indent=1), encoding="utf-8")
    dataset = read(path)
    assert [spans(each) for each in dataset] == [[(0, 5, "LOC")], [(0, 3, "PER")]]
    assert dataset.report.fields == {"spacy:links": 1, "spacy:sents": 1}


@pytest.mark.parametrize("indent", [None, 2])
def test_tuples_in_the_object_of_a_web_annotator_are_texts(
    tmp_path: Path, indent: int | None
) -> None:
    pairs = [None, ["Hi 😂 Ann", {"entities": [[5, 8, "P"], [0, 99, "P"]]}], ["no pair"], 7]
    path = tmp_path / "annotations.json"
    whole = {"classes": ["P", "LOC"], "annotations": pairs}
    path.write_text(json.dumps(whole, indent=indent), encoding="utf-8")
    assert registry.sniff(Source(path))[0].name == "spacy"
    dataset = read(path)
    (sample,) = list(dataset)
    assert (sample.key, sample.media) == ("annotations-2", Text("Hi 😂 Ann"))
    assert spans(sample) == [(5, 8, "P")]
    assert told(dataset) == [
        ("M222", "/annotations/1/entities/1"),
        ("R101", "/annotations/2"),
        ("R101", "/annotations/3"),
    ]
    assert [each.name for each in read(path).ontology.categories] == ["P"]
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.rejected) == (3, 2)


def test_labels_of_refused_texts_are_not_in_the_ontology(tmp_path: Path) -> None:
    records = [
        {"text": "ab", "spans": [{"start": 0, "end": 1, "label": label}], "answer": answer}
        for label, answer in (("A", "accept"), ("R", "reject"), ("I", "ignore"))
    ]
    path = lines(tmp_path / "d.jsonl", *records)
    assert [each.name for each in read(path).ontology.categories] == ["A"]
    assert [each.name for each in read(path, answers="all").ontology.categories] == ["A", "R", "I"]


def test_a_score_beyond_all_floats_is_rejected_alone(tmp_path: Path) -> None:
    dataset = read(lines(tmp_path / "d.jsonl", {"text": "a", "cats": {"x": 10**400, "y": 1}}))
    (sample,) = list(dataset)
    assert [each.answer for each in sample.classifications] == [Checklist((Radio("y"),))]
    assert told(dataset) == [("R101", "/cats/x")]


def test_groups_can_be_chosen_and_named(tmp_path: Path) -> None:
    record = {
        "text": "New York",
        "ents": [{"start": 0, "end": 8, "label": "GPE"}],
        "spans": {"sc": [{"start": 4, "end": 8, "label": "N"}], "x": []},
    }
    path = lines(tmp_path / "d.jsonl", record)
    assert [spans(each) for each in read(path)] == [[(0, 8, "GPE"), (4, 8, "N")]]
    assert [spans(each) for each in read(path, groups="named")] == [[(0, 8, "GPE"), (4, 8, "sc:N")]]
    assert [spans(each) for each in read(path, spans="ents")] == [[(0, 8, "GPE")]]
    dataset = read(path, spans="sc")
    assert [spans(each) for each in dataset] == [[(4, 8, "N")]]
    assert dataset.report.ledger.annotations.skipped == 1


def test_training_data_is_laid_onto_the_raw_text(tmp_path: Path) -> None:
    def tokens(*pairs: tuple[str, str]) -> list[dict[str, str]]:
        return [{"orth": word, "ner": tag} for word, tag in pairs]

    quoted = tokens(("``", "O"), ("Hi", "U-X"), ("''", "O"), ("Ann", "B-P"), ("Lee", "L-P"))
    document = {
        "id": 42,
        "paragraphs": [
            {
                "raw": '"Hi"  Ann Lee',
                "sentences": [{"tokens": quoted}],
                "cats": [{"label": "A", "value": 1.0}],
            },
            {"sentences": [{"tokens": tokens(("Bob", "U-P"))}, {"tokens": tokens((".", "O"))}]},
            {"raw": "cannot", "sentences": [{"tokens": tokens(("can", "U-V"), ("nut", "U-N"))}]},
        ],
    }
    path = tmp_path / "train.json"
    path.write_text(json.dumps([document]), encoding="utf-8")
    dataset = read(path)
    samples = list(dataset)
    assert [each.key for each in samples] == ["42-1", "42-2", "42-3"]
    assert [spans(each) for each in samples] == [
        [(1, 3, "X"), (6, 13, "P")],
        [(0, 3, "P")],
        [(0, 3, "V")],
    ]
    assert samples[1].media == Text("Bob .")
    assert told(dataset) == [
        ("R101", "/0/paragraphs/2/sentences"),
        ("M224", "/0/paragraphs/2/spans/0"),
    ]


def test_an_id_that_repeats_in_a_text_is_told_apart(tmp_path: Path) -> None:
    record = {"text": "ab", "spans": [{"start": 0, "end": 2, "label": "X", "id": "q"}] * 2}
    dataset = read(lines(tmp_path / "d.jsonl", record))
    (sample,) = list(dataset)
    assert len({each.id for each in sample.annotations}) == 2
    assert told(dataset) == [("R105", "/spans/1/id")]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"text": "a", "spans": []}\n', "spacy"),
        (b'{"text": "a", "answer": "accept"}\n', "spacy"),
        (b'{"text": "a"}\n{"text": "b"}\n', "spacy"),
        (b'["a", {"entities": []}]\n', "spacy"),
        (b'[["a", {"entities": []}]]', "spacy"),
        (b'[{"id": 0, "paragraphs": [{"raw": "a"}]}]', "spacy"),
        (b'{"id": 1, "text": "a", "label": [[0, 1, "X"]]}\n', "doccano"),
        (b'{"text": "a", "entities": [{"id": 0, "start_offset": 0}], "relations": []}', "doccano"),
        (b'{"text": "a", "cats": ["x"], "entities": [[0, 1, "X"]]}\n', "doccano"),
        (b'{"text": "a", "cats": {"x": 1.0}, "entities": [[0, 1, "X"]]}\n', "spacy"),
        (b'{"data": "a", "label": [[0, 1, "X"]]}\n', "doccano"),
        (b'{"text": "a", "words": ["a"], "tags": ["X"], "entities": ["O"]}\n', "spacy"),
        (b'{"tokens": ["a"], "ner_tags": ["O"]}\n', "hf-tokens"),
        (b'{"messages": [{"role": "user", "content": "a"}]}\n', "chat"),
        (b'{"role": "user", "content": "a"}\n', "chat"),
        (b'[{"id": 1, "data": {"text": "a"}, "annotations": []}]', "label-studio"),
        (b"EU B-ORG\nrejects O\n\n", "conll"),
        (b'{"images": [], "annotations": [], "categories": []}', "coco"),
        (b'{"labelconv":1}\n', "native"),
        (b'{"dataRow":{"globalKey":"a"},"name":"x","location":{"start":0,"end":1}}\n', "labelbox"),
    ],
)
def test_formats_of_texts_are_told_apart_by_content(
    tmp_path: Path, content: bytes, name: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert registry.sniff(Source(path))[0].name == name


@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data")
def test_spacy_s_own_sample_of_training_data_is_read_whole() -> None:
    dataset = read(DATA / "training-data.json")
    (sample,) = list(dataset)
    assert isinstance(sample.media, Text)
    assert sample.media.content is not None
    found = [(sample.media.content[a:b], label) for a, b, label in spans(sample)]
    assert len(found) == 11
    assert ("The Misanthrope", "WORK_OF_ART") in found
    assert ("Oct. 19", "DATE") in found
    assert dataset.report.problems == []


@pytest.mark.parametrize(
    "record",
    [
        {"paragraphs": 7},
        {"paragraphs": [7]},
        {"paragraphs": [{"sentences": 1.5}]},
        {"paragraphs": [{"sentences": [{"tokens": 3}, 4, {"tokens": [1, {"orth": None}]}]}]},
        {"text": "a", "spans": 3, "cats": 4, "relations": 5, "meta": [], "answer": 0},
        {"text": "a", "spans": {"sc": 3}, "cats": {"A": "x"}, "relations": [1]},
        {"text": "a", "entities": [None, 1], "labelconv": {"key": 1}},
        ["a", {}, {}],
        [[]],
        None,
    ],
)
def test_records_of_wrong_types_never_raise_and_the_ledger_balances(
    tmp_path: Path, record: object
) -> None:
    path = tmp_path / "d.json"
    path.write_text(json.dumps([record, {"text": "good"}]), encoding="utf-8")
    report = lc.convert(path, tmp_path / "o.native.ndjson", from_="spacy")
    assert report.ledger.balanced
    assert "good" in (tmp_path / "o.native.ndjson").read_text()
