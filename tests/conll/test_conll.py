"""CoNLL: texts put together from tokens, tags of every scheme, CoNLL-U; read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import labelconv as lc
from labelconv import testing
from labelconv.errors import SourceError
from labelconv.formats.conll import FORMAT, holds
from labelconv.formats.conll.options import ConllWriterOptions
from labelconv.model import Annotation, Sample, Samples, Text, TextSpan
from labelconv.reading import ReadDataset

DATA = Path(__file__).parents[3] / "shared" / "data" / "spacy" / "ner"
ASTRAL = "I like 😂 New York City a lot."


def read(path: Path, content: str | bytes, **options: Any) -> ReadDataset:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return lc.read(path, "conll", options=options)


def found(sample: Sample) -> list[tuple[str, str]]:
    assert isinstance(sample.media, Text)
    assert sample.media.content is not None
    return [
        (sample.media.content[each.value.start : each.value.end], each.category)
        for each in sample.annotations
        if isinstance(each.value, TextSpan)
    ]


def told(dataset: ReadDataset) -> list[tuple[str, int | None]]:
    return [(each.code, each.where.line) for each in dataset.report.problems]


def test_tags_become_spans_of_a_text_joined_by_blanks(tmp_path: Path) -> None:
    """source-formats.md D 45."""
    rows = "When O\nSebastian B-PERSON\nThrun I-PERSON\nstarted O\n\nAnn B-PER\nAcme I-ORG\n"
    dataset = read(tmp_path / "d.conll", rows)
    first, second = list(dataset)
    assert first.media == Text("When Sebastian Thrun started")
    assert first.annotations == (Annotation("0", "PERSON", TextSpan(5, 20)),)
    assert found(second) == [("Ann", "PER"), ("Acme", "ORG")]
    assert [each.key for each in (first, second)] == ["d-1", "d-2"]
    assert told(dataset) == [("R144", 6), ("R141", None)]


@pytest.mark.parametrize(
    ("rows", "entities"),
    [
        ("a I-X\nb I-X\nc B-X\nd O\n", [("a b", "X"), ("c", "X")]),
        ("a B-X\nb I-X\nc L-X\nd U-Y\n", [("a b c", "X"), ("d", "Y")]),
        ("a B-X\nb E-X\nc S-X\nd O\n", [("a b", "X"), ("c", "X")]),
        ("a\tNN\tB-X\nb\tNN\tI-X\n", [("a b", "X")]),
        ("a NN _ (X*\nb NN _ *)\nc NN _ *\n", [("a b", "X")]),
        ("a|NN|B-X b|NN|I-X ,|,|O\n", [("a b", "X")]),
        ("😂 B-X\n👩\u200d🚀 I-X\ne\u0301 O\n", [("😂 👩\u200d🚀", "X")]),
        ("# O\nhash O\n#tag B-X\n", [("#tag", "X")]),
        ("a B-X\r\nb I-X\r\n\r\n", [("a b", "X")]),
    ],
)
def test_every_scheme_and_layout_is_read(
    tmp_path: Path, rows: str, entities: list[tuple[str, str]]
) -> None:
    dataset = read(tmp_path / "d.conll", rows)
    assert [pair for each in dataset for pair in found(each)] == entities


def test_marks_of_documents_join_sentences(tmp_path: Path) -> None:
    rows = "-DOCSTART- -X- O O\n\na N x B-X\n\nb N x O\n\n-DOCSTART- -X- O O\n\nc N x I-X\n"
    texts = [each.media for each in read(tmp_path / "d.conll", rows)]
    assert texts == [Text("a\nb"), Text("c")]
    texts = [each.media for each in read(tmp_path / "d.conll", rows, documents="sentence")]
    assert texts == [Text("a"), Text("b"), Text("c")]
    texts = [each.media for each in read(tmp_path / "d.conll", rows, documents="file")]
    assert texts == [Text("a\nb\nc")]


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    rows = "1\ta\tB-X\tO\n2\tb\tI-X\tO\n"
    dataset = read(tmp_path / "d.conll", rows, token=2, column="3")
    assert [found(each) for each in dataset] == [[("a b", "X")]]
    dataset = read(tmp_path / "d.conll", rows, token=2, column="9")
    assert list(dataset) == []
    assert told(dataset) == [("R101", 1)]


def test_a_column_that_counts_the_words_is_not_that_of_the_tokens(tmp_path: Path) -> None:
    rows = "# a page\n1\tIn\tO\tO\n2\tBerlin\tB-LOC\tB-X\n\n1\tAnn\tB-PER\tO\n\n"
    dataset = read(tmp_path / "d.tsv", rows)
    assert [found(each) for each in dataset] == [[("Berlin", "X")], []]
    assert dataset.report.fields["conll:comments"] == 1
    dataset = read(tmp_path / "d.tsv", rows, column="3")
    assert [found(each) for each in dataset] == [[("Berlin", "LOC")], [("Ann", "PER")]]
    (first, *_) = read(tmp_path / "d.tsv", "1\tB-X\n2\tI-X\n")
    assert found(first) == [("1 2", "X")]  # of two columns the first has tokens, whatever they are


PREDICATES = """#begin document (bc/cctv_0001); part 000
bc/cctv 0 0 In IN (TOP* - - - A * * -
bc/cctv 0 1 Beijing NNP (NP*) - - - A (GPE) * (0
bc/cctv 0 2 the DT (NP* - - - A (ORG* * -
bc/cctv 0 3 UN NNP *)) - - - A *) * 0)

bc/cctv 0 0 Ann NNP (TOP*) - - - A (PERSON) -

#end document
#begin document (bc/cctv_0001); part 001
bc/cctv 1 0 spoke VBD (TOP*) speak 01 1 A * (V*) -

#end document
"""


def test_conll_2012_has_its_tokens_and_entities_in_columns_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "d.conll").write_text(PREDICATES)
    dataset = lc.read(tmp_path / "d.conll")
    first, second = list(dataset)
    assert first.media == Text("In Beijing the UN\nAnn")
    assert found(first) == [("Beijing", "GPE"), ("the UN", "ORG"), ("Ann", "PERSON")]
    assert second.media == Text("spoke")
    assert [first.key, second.key] == ["bc/cctv_0001/000", "bc/cctv_0001/001"]
    assert told(dataset) == [("R141", None)]


def test_comments_that_are_no_names_are_counted_as_one_kind(tmp_path: Path) -> None:
    rows = "".join(f"# id {n}\tdomain=en\na _ _ B-X\nb _ _ O\n\n" for n in range(9))
    dataset = read(tmp_path / "d.conll", rows)
    assert len(list(dataset)) == 9
    assert dataset.report.fields["conll:comments"] == 9
    assert len(dataset.report.fields) == 2


UNIVERSAL = """# newdoc id = doc-1
# sent_id = 1
# text = Vámonos al mar, Ann😂.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnos\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\tNE=B-LOC
4\tel\tel\tDET\t_\t_\t5\tdet\t_\tNE=I-LOC
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tNE=I-LOC|SpaceAfter=No
5.1\tx\tx\tNOUN\t_\t_\t_\t_\t_\t_
6\t,\t,\tPUNCT\t_\t_\t1\tpunct\t_\tNE=O
7\tAnn\tAnn\tPROPN\t_\t_\t1\tvocative\t_\tSpaceAfter=No|NE=B-PER
8\t😂\t😂\tSYM\t_\t_\t1\tpunct\t_\tSpaceAfter=No
9\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\tSpacesAfter=\\n\\n

1\tNew York\t_\tPROPN\t_\t_\t0\troot\t_\tNE=B-LOC|SpaceAfter=No
2\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

"""


def test_conll_u_gives_texts_ranges_and_blanks(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.conllu", UNIVERSAL)
    (sample,) = list(dataset)
    assert sample.key == "doc-1"
    assert sample.media == Text("Vámonos al mar, Ann😂.\n\nNew York.")
    assert found(sample) == [("al mar", "LOC"), ("Ann", "PER"), ("New York", "LOC")]
    assert dataset.report.fields == {
        "conll:sent_id": 1,
        "conll:empty nodes": 1,
        "conll:rows with columns beside token and tag": 11,
    }
    (sample,) = list(read(tmp_path / "d.conllu", UNIVERSAL, column="4"))
    assert {each.category for each in sample.annotations} >= {"PROPN", "VERB"}


def test_a_text_that_is_not_its_tokens_is_rejected_alone(tmp_path: Path) -> None:
    rows = "# text = can not\ncan\tO\nnut\tB-X\n\n# text = ok\nok\tB-X\n"
    dataset = read(tmp_path / "d.conll", rows, documents="sentence")
    assert [each.media for each in dataset] == [Text("ok")]
    assert told(dataset) == [("R142", 1)]
    assert dataset.report.take_rejected()[0].record.startswith(b"# text = can not\n")


def test_broken_lines_reject_their_sentence(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.conll", b"a B-X\nb\n\nc \xff\n\n" + b"d O\n" * 30)
    assert len(list(dataset)) == 1
    assert told(dataset)[:2] == [("R101", 2), ("R101", 4)]
    assert dataset.report.ledger.samples.rejected == 2


SENTENCES = "Ann NNP B-PER\nLee NNP I-PER\n\nAcme NNP B-ORG\nof II O\nOslo I-LOC\n\n😂 SYM U-X\n"


def test_a_row_of_odd_width_rejects_its_sentence_alone(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.conll", SENTENCES)
    assert [found(each) for each in dataset] == [[("Ann Lee", "PER")], [("😂", "X")]]
    assert told(dataset) == [("R101", 6), ("R141", None)]
    (rejected,) = dataset.report.take_rejected()
    assert rejected.record == b"Acme NNP B-ORG\nof II O\nOslo I-LOC\n"
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.rejected) == (3, 1)
    report = lc.convert(tmp_path / "d.conll", tmp_path / "d.ndjson", to="labelbox")
    assert report.ledger.balanced


def test_an_odd_row_does_not_hide_what_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "d.conll"
    path.write_text(SENTENCES, encoding="utf-8")
    assert len(list(lc.read(path))) == 2


def test_an_odd_row_in_a_document_takes_one_sentence_of_it_away(tmp_path: Path) -> None:
    dataset = read(tmp_path / "d.conll", SENTENCES, documents="file")
    (sample,) = list(dataset)
    assert sample.media == Text("Ann Lee\n😂")
    assert found(sample) == [("Ann Lee", "PER"), ("😂", "X")]
    assert told(dataset)[0] == ("R101", 6)
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.rejected) == (1, 0)
    assert (ledger.annotations.read, ledger.annotations.rejected) == (3, 1)
    (rejected,) = dataset.report.take_rejected()
    assert rejected.record == b"Acme NNP B-ORG\nof II O\nOslo I-LOC\n"


def test_a_document_of_nothing_but_broken_sentences_is_one_rejected_text(tmp_path: Path) -> None:
    rows = "-DOCSTART-\tO\n\na\tO\tO\n\nb\tO\tO\n\n-DOCSTART-\tO\n\n" + "c\tB-X\n" * 9
    dataset = read(tmp_path / "d.conll", rows)
    assert [each.media for each in dataset] == [Text(" ".join("c" * 9))]
    assert told(dataset)[0] == ("R101", 3)
    ledger = dataset.report.ledger
    assert (ledger.samples.read, ledger.samples.rejected) == (2, 1)
    assert [each.record for each in dataset.report.take_rejected()] == [b"a\tO\tO\nb\tO\tO\n"]


@pytest.mark.parametrize(
    ("name", "rows", "line"),
    [
        ("d.iob", "a|B-X b|O\nc|O d\ne|O f|O\ng|O h|B-Y\n", 2),
        ("d.conllu", UNIVERSAL + "1\ta\tb\n2\tc\n", 20),
        ("d.conllu", UNIVERSAL + "4-3\tal" + "\t_" * 8 + "\n", 20),
        ("d.conllu", UNIVERSAL + "1" * 5000 + "\tal" + "\t_" * 8 + "\n", 20),
        ("d.conll", "a\tO\nb\tO\nc\tB-X\t\n\nd\tO\n", 3),
    ],
)
def test_odd_rows_of_every_layout_are_rejected_at_their_line(
    tmp_path: Path, name: str, rows: str, line: int
) -> None:
    dataset = read(tmp_path / name, rows)
    assert list(dataset)
    assert ("R101", line) in told(dataset)
    ledger = dataset.report.ledger
    assert ledger.samples.rejected + ledger.annotations.rejected == 1


def test_sentences_may_each_have_columns_of_their_own(tmp_path: Path) -> None:
    """CoNLL-2012 has a column for each predicate of a sentence."""
    rows = "a x (X*\nb x *)\n\nc x y (Y)\nd x y *\n\ne x y z *\nf x y z *\n\ng x *\nh x y *\n"
    dataset = read(tmp_path / "d.conll", rows, token=1)
    assert [found(each) for each in dataset] == [[("a b", "X")], [("c", "Y")], []]
    assert told(dataset)[0] == ("R101", 11)


def test_a_no_break_space_is_part_of_its_token(tmp_path: Path) -> None:
    (sample,) = list(read(tmp_path / "d.conll", "10\u00a0km B-LEN\naway O\n"))
    assert found(sample) == [("10\u00a0km", "LEN")]


def test_other_tags_of_the_words_in_a_token_are_counted(tmp_path: Path) -> None:
    row = "{}\t{}\t_\t_\t_\t_\t_\t_\t_\t{}\n".format
    rows = row("1-2", "al", "_") + row("1", "a", "NE=B-X") + row("2", "el", "NE=B-Y")
    dataset = read(tmp_path / "d.conllu", rows)
    assert [found(each) for each in dataset] == [[("al", "X")]]
    assert dataset.report.fields["conll:tags of words within a token"] == 1


def test_lines_without_columns_are_no_conll(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read(tmp_path / "d.conll", "just some prose\nof this and that kind\n")


@pytest.mark.parametrize("scheme", ["iob2", "bioes", "biluo"])
@settings(max_examples=40, deadline=None)
@given(dataset=testing.datasets(holds(ConllWriterOptions())[0]))
def test_every_scheme_obeys_the_laws(
    scheme: str, dataset: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = ConllWriterOptions(scheme=scheme)  # type: ignore[arg-type]
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


def nested() -> Sample:
    return Sample(
        "k",
        Text(ASTRAL),
        (
            Annotation("0", "CITY", TextSpan(9, 17)),
            Annotation("1", "BIG CITY", TextSpan(9, 23)),
            Annotation("2", "X", TextSpan(6, 7)),
        ),
    )


def test_what_tags_cannot_say_is_a_loss_and_what_is_said_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "d.conll"
    report = lc.write(Samples([nested()]), path, "conll", allow=["loss"])
    assert [(p.code, p.where.annotation) for p in report.problems if p.severity == "loss"] == [
        ("L401", "2"),
        ("L401", "0"),
    ]
    assert (report.ledger.annotations.lost, report.ledger.annotations.changed) == (2, 1)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "# newdoc id = k",
        f"# text = {ASTRAL}",
        "I\tO",
        "like\tO",
        "😂\tO",
        "New\tB-BIG%20CITY",
        "York\tI-BIG%20CITY",
        "City\tI-BIG%20CITY",
        "a\tO",
        "lot\tO",
        ".\tO",
        "",
    ]
    (sample,) = list(lc.read(path))
    assert found(sample) == [("New York City", "BIG%20CITY")]


def test_without_comments_the_lines_are_plain_and_what_is_gone_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "d.conll"
    spoken = Sample("k", Text("Ann\r\nLee."), (Annotation("0", "P", TextSpan(0, 8)),))
    report = lc.write(Samples([spoken]), path, "conll", options={"comments": False})
    assert path.read_text() == "-DOCSTART-\tO\n\nAnn\tB-P\nLee\tI-P\n.\tO\n\n"
    assert set(report.fields) == {"conll:key", "conll:blanks of texts"}


@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data")
@pytest.mark.parametrize("name", ["-2003", "-with-pos", ""])
def test_spacy_s_own_samples_say_the_same_in_every_dialect(name: str) -> None:
    stem = "ner-token-per-line"
    path = DATA / f"{stem}{'-conll2003' if name == '-2003' else name}.iob"
    entities = [pair for each in lc.read(path) for pair in found(each)]
    piped = [pair for each in lc.read(DATA / "ner-sent-per-line.iob") for pair in found(each)]
    assert entities == piped
    assert entities[0] == ("Sebastian Thrun", "PERSON")
