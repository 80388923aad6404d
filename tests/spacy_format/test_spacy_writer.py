"""Writing DocBin and JSON lines; spaCy itself is the judge of the DocBin."""

from __future__ import annotations

import json
import warnings
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy_help import ASTRAL, CLUSTERS, WINDOWS, lines, read, spans, told

import labelconv as lc
from labelconv import codes, testing
from labelconv.errors import OptionError, SourceError
from labelconv.formats.spacy import FORMAT, holds
from labelconv.formats.spacy.options import SpacyWriterOptions
from labelconv.formats.spacy.symbols import SYMBOLS, hashes
from labelconv.model import (
    Annotation,
    Checklist,
    Classification,
    Radio,
    Relation,
    Sample,
    Samples,
    Text,
    TextSpan,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spacy
    from spacy.symbols import IDS
    from spacy.tokens import Doc, DocBin, Span


@pytest.fixture(scope="module")
def vocab() -> Any:
    return spacy.blank("xx").vocab


def judged(path: Path, vocab: Any) -> list[Doc]:
    """The texts as spaCy reads them."""
    return list(DocBin().from_disk(path).get_docs(vocab))


def sample(text: str, *given_spans: tuple[int, int, str], key: str = "k") -> Sample:
    made = [Annotation(str(n), x, TextSpan(a, b)) for n, (a, b, x) in enumerate(given_spans)]
    return Sample(key, Text(text), tuple(made))


def test_symbols_have_spacy_s_numbers() -> None:
    assert SYMBOLS == IDS


@given(st.lists(st.text(), max_size=20))
def test_hashes_are_spacy_s(strings: list[str]) -> None:
    store = spacy.strings.StringStore()
    assert hashes(strings) == [store.add(each) for each in strings]


def test_entities_are_entities_for_spacy(tmp_path: Path, vocab: Any) -> None:
    path = tmp_path / "d.spacy"
    samples = [
        sample("Who is Shaka Khan?", (7, 17, "PERSON"), (0, 3, "WH")),
        sample(ASTRAL, (9, 22, "GPE"), (7, 8, "😂"), key="2"),
        sample(CLUSTERS, (11, 15, "LOC"), (6, 9, "ZWJ"), key="3"),
        sample(WINDOWS, (3, 6, "PERSON"), (0, 3, "X"), key="4"),
    ]
    report = lc.write(Samples(samples), path, "spacy")
    assert report.ledger.annotations.kept == 8
    docs = judged(path, vocab)
    assert [doc.text for doc in docs] == [each.media.content for each in samples]  # type: ignore[union-attr]
    for doc, given_sample in zip(docs, samples, strict=True):
        ents = [(e.start_char, e.end_char, e.label_) for e in doc.ents]
        assert ents == sorted(spans(given_sample))
        assert doc.has_annotation("ENT_IOB")
    assert [spans(each) for each in read(path)] == [spans(each) for each in samples]


def test_overlapping_spans_are_a_group_for_spacy(tmp_path: Path, vocab: Any) -> None:
    path = tmp_path / "d.spacy"
    given_spans = ((9, 17, "CITY"), (9, 22, "GPE"), (9, 17, "CITY"))
    lc.write(Samples([sample(ASTRAL, *given_spans)]), path, "spacy", options={"group": "mine"})
    (doc,) = judged(path, vocab)
    assert list(doc.spans) == ["mine"]
    found = [(each.start_char, each.end_char, each.label_) for each in doc.spans["mine"]]
    assert found == list(given_spans)
    assert doc.ents == ()


def test_answers_are_cats_for_spacy_with_what_was_not_chosen(tmp_path: Path, vocab: Any) -> None:
    path = tmp_path / "d.spacy"
    one = Classification("topic", Radio("sport"))
    two = Classification("topic", Radio("film"))
    samples = [
        Sample("1", Text("a"), classifications=(one,)),
        Sample("2", Text("b"), classifications=(two,)),
        Sample("3", Text("c")),
    ]
    lc.write(Samples(samples), path, "spacy")
    assert [doc.cats for doc in judged(path, vocab)] == [
        {"sport": 1.0, "film": 0.0},
        {"sport": 0.0, "film": 1.0},
        {},
    ]
    assert [each.classifications for each in read(path)] == [(one,), (two,), ()]


def test_several_questions_are_told_apart_in_cats(tmp_path: Path, vocab: Any) -> None:
    path = tmp_path / "d.spacy"
    answers = (
        Classification("spam", Radio("yes")),
        Classification("tags", Checklist((Radio("yes"), Radio("new")))),
    )
    lc.write(Samples([Sample("1", Text("a"), classifications=answers)]), path, "spacy")
    (doc,) = judged(path, vocab)
    assert doc.cats == {"spam: yes": 1.0, "tags: yes": 1.0, "tags: new": 1.0}
    assert [each.classifications for each in read(path)] == [answers]


@settings(max_examples=60, deadline=None)
@given(dataset=testing.datasets(holds(SpacyWriterOptions())[0]))
def test_spacy_reads_any_docbin_of_ours_and_finds_the_same(
    dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("judge") / "d.spacy"
    lc.write(dataset, path, "spacy")
    docs = judged(path, spacy.blank("xx").vocab)
    for doc, given_sample in zip(docs, dataset, strict=True):
        assert isinstance(given_sample.media, Text)
        assert doc.text == given_sample.media.content
        found = [(e.start_char, e.end_char, e.label_) for e in doc.ents]
        found += [(e.start_char, e.end_char, e.label_) for g in doc.spans.values() for e in g]
        assert sorted(found) == sorted(spans(given_sample))
        chosen = sum(
            1 if isinstance(each.answer, Radio) else len(each.answer.options)  # type: ignore[union-attr]
            for each in given_sample.classifications
        )
        assert sum(doc.cats.values()) == chosen


@pytest.mark.parametrize("style", ["docbin", "jsonl"])
@settings(max_examples=40, deadline=None)
@given(dataset=testing.datasets(holds(SpacyWriterOptions())[0]))
def test_both_styles_obey_the_laws(
    style: str, dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = SpacyWriterOptions(style=style)  # type: ignore[arg-type]
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("style", ["docbin", "jsonl"])
def test_what_spacy_has_no_place_for_is_kept_beside(tmp_path: Path, style: str) -> None:
    path = tmp_path / "d"
    relations = (
        Relation("r", "likes", "b", "a"),
        Relation("s", "near", "a", "b", directed=False),
    )
    spoken = sample("Ann and Bob", (0, 3, "P"), (8, 11, "P"))
    spoken = msgspec.structs.replace(
        spoken,
        annotations=tuple(
            msgspec.structs.replace(each, id=id, extra={"spacy:kb_id": "Q1", "spacy:group": "g"})
            for each, id in zip(spoken.annotations, "ab", strict=True)
        ),
        relations=relations,
        extra={"spacy:meta": {"source": 1}},
    )
    lc.write(Samples([spoken]), path, "spacy", options={"style": style})
    assert list(read(path)) == [spoken]


def test_json_lines_are_what_prodigy_reads(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    spoken = sample(ASTRAL, (9, 17, "CITY"), (18, 22, "N"))
    spoken = msgspec.structs.replace(spoken, relations=(Relation("r", "of", "0", "1"),))
    lc.write(Samples([spoken]), path, "spacy")
    line = json.loads(path.read_text(encoding="utf-8"))
    assert line["text"] == ASTRAL
    assert line["answer"] == "accept"
    for each in line["tokens"]:
        assert ASTRAL[each["start"] : each["end"]] == each["text"]
    city, noun = line["spans"]
    assert (city["start"], city["end"], city["label"]) == (9, 17, "CITY")
    assert line["tokens"][city["token_start"]]["text"] == "New"
    assert line["tokens"][city["token_end"]]["text"] == "York"
    (relation,) = line["relations"]
    assert (relation["head"], relation["child"]) == (city["token_end"], noun["token_end"])
    assert (relation["head_span"]["start"], relation["child_span"]["start"]) == (9, 18)


def test_a_language_s_tokenizer_cuts_the_text(tmp_path: Path, vocab: Any) -> None:
    path = tmp_path / "d.spacy"
    spoken = sample("We don't.  Go to N.Y.!", (19, 20, "X"))
    lc.write(Samples([spoken]), path, "spacy", options={"language": "en"})
    (doc,) = judged(path, vocab)
    assert doc.text == "We don't.  Go to N.Y.!"
    assert [token.text for token in doc][:4] == ["We", "do", "n't", "."]
    assert [(e.start_char, e.end_char) for e in doc.ents] == [(19, 20)]
    with pytest.raises(OptionError):
        lc.write(Samples([spoken]), tmp_path / "e.spacy", "spacy", options={"language": "zzz"})


# ------------------------------------------------------------------------------ spaCy's own DocBin


def own(tmp_path: Path, **settings_: Any) -> Path:
    """A DocBin that spaCy wrote, with all that it can keep."""
    nlp = spacy.blank("en")
    docs = []
    for text in (ASTRAL, CLUSTERS, "One two  three", ""):
        doc = nlp(text)
        docs.append(doc)
    first = docs[0]
    first.ents = [Span(first, 3, 6, label="GPE", kb_id="Q60", span_id="e1")]
    first.spans["sc"] = [Span(first, 3, 5, label="CITY"), Span(first, 3, 6, label="GPE")]
    first.spans["empty"] = []
    first.cats = {"A": 1.0, "B": 0.25}
    first.user_data["note"] = "x"
    docs[2].ents = [Span(docs[2], 0, 1, label="N"), Span(docs[2], 1, 2, label="N")]
    docs.append(Doc(nlp.vocab, words=["x", "y"]))
    path = tmp_path / "own.spacy"
    DocBin(docs=docs, **settings_).to_disk(path)
    return path


def test_a_docbin_of_spacy_s_is_read_as_spacy_reads_it(tmp_path: Path, vocab: Any) -> None:
    path = own(tmp_path, store_user_data=True)
    dataset = read(path)
    samples = list(dataset)
    docs = judged(path, vocab)
    assert [each.media for each in samples] == [Text(doc.text) for doc in docs]
    assert [each.key for each in samples] == [f"own-{n}" for n in range(1, 6)]
    for doc, found in zip(docs, samples, strict=True):
        expected = [(e.start_char, e.end_char, e.label_) for e in doc.ents]
        expected += [(e.start_char, e.end_char, e.label_) for g in doc.spans.values() for e in g]
        assert spans(found) == expected
    first = samples[0]
    assert first.annotations[0].id == "e1"
    assert first.annotations[0].extra == {"spacy:kb_id": "Q60"}
    assert first.annotations[1].extra == {"spacy:group": "sc"}
    assert first.classifications[0].answer == Checklist((Radio("A"),))
    assert dataset.report.fields["spacy:user_data.note"] == 1
    assert told(dataset) == []


def test_a_docbin_of_few_attributes_is_read(tmp_path: Path) -> None:
    path = own(tmp_path, attrs=["ORTH"])
    assert [len(each.annotations) for each in read(path)] == [2, 0, 0, 0, 0]
    assert [len(each.annotations) for each in read(path, spans="ents")] == [0] * 5


def test_span_groups_of_the_old_layout_are_read(tmp_path: Path) -> None:
    path = own(tmp_path)
    packed = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()))
    groups = msgspec.msgpack.decode(packed["span_groups"][0])
    assert isinstance(groups, dict)
    packed["span_groups"][0] = msgspec.msgpack.encode(list(groups))
    packed["span_groups"][1] = b""
    path.write_bytes(zlib.compress(msgspec.msgpack.encode(packed)))
    first, *_ = read(path)
    assert spans(first) == [(9, 22, "GPE"), (9, 17, "CITY"), (9, 22, "GPE")]


@pytest.mark.parametrize("damage", ["cut", "lengths", "strings", "groups", "other"])
def test_a_damaged_docbin_gives_one_sentence(tmp_path: Path, damage: str) -> None:
    path = own(tmp_path)
    packed = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        if damage == "lengths":
            packed["lengths"] = packed["lengths"][:-4]
        elif damage == "strings":
            packed["strings"] = []
        elif damage == "groups":
            packed["span_groups"][0] = b"\x81\x01\x02"
        else:
            packed.pop("tokens")
        path.write_bytes(zlib.compress(msgspec.msgpack.encode(packed)))
    with pytest.raises(SourceError, match=r"own\.spacy"):
        list(read(path))


def test_converting_from_lines_to_docbin_and_back_keeps_all(tmp_path: Path, vocab: Any) -> None:
    path = lines(
        tmp_path / "d.jsonl",
        {"text": ASTRAL, "spans": [{"start": 9, "end": 17, "label": "CITY"}], "cats": {"A": 1.0}},
        {"text": WINDOWS, "spans": [{"start": 3, "end": 6, "label": "PERSON"}]},
    )
    binary, again = tmp_path / "d.spacy", tmp_path / "again.jsonl"
    report = lc.convert(path, binary, to="spacy")
    assert report.ledger.annotations.kept == 2
    assert [doc.text for doc in judged(binary, vocab)] == [ASTRAL, WINDOWS]
    lc.convert(binary, again, to="spacy")
    assert list(read(again)) == list(read(path))


def test_samples_whose_text_is_not_known_are_rejected(tmp_path: Path) -> None:
    unknown = Sample("k", Text(), (Annotation("0", "X", TextSpan(0, 1)),))
    report = lc.write(Samples([unknown]), tmp_path / "d.spacy", "spacy")
    assert [each.code for each in report.problems] == [codes.TEXT_UNKNOWN.id]
    assert report.ledger.annotations.rejected == 1


def test_numbers_too_large_for_msgpack_leave_their_meta_out(tmp_path: Path) -> None:
    path = lines(tmp_path / "d.jsonl", {"text": "a", "meta": {"n": 2**70}}, {"text": "b"})
    report = lc.convert(path, tmp_path / "d.spacy", to="spacy")
    assert report.fields == {"spacy:meta": 1}
    assert [each.extra for each in read(tmp_path / "d.spacy")] == [{}, {}]
