"""Emoji, ZWJ sequences, combining marks, CRLF and astral characters, through every format.

One text has all five kinds. Each format says the same spans of it in its own way; what arrives at
Labelbox is judged by the bytes: the text file to upload is the text, byte for byte, and the text's
UTF-16 form, cut from `start` to the inclusive `end`, is the phrase.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

import labelconv as lc
from labelconv.model import Annotation, Conversation, Message, Sample, Samples, Text, TextSpan
from labelconv.problems import Report

EMOJI, ZWJ, COMBINING, ASTRAL = "😂", "👩\u200d🚀", "e\u0301cole", "𝕏𝕐"
TEXT = f"I like {EMOJI} New York,\r\n{ZWJ} an {COMBINING} by Łódź {ASTRAL}\r\n"
#: Spans over and behind each kind, none within another, so that tags can say them too.
PHRASES = {
    "EMOJI": EMOJI,
    "CITY": "New York",
    "ZWJ": ZWJ,
    "MARK": COMBINING,
    "TOWN": "Łódź",
    "ASTRAL": ASTRAL,
}
#: Longer ones, which only formats of free spans hold: over the line's end and around others.
WIDE = {"LINES": f"York,\r\n{ZWJ} an", "ALL": TEXT.strip()}
TOKENS = ["I", "like", EMOJI, "New", "York", ",", ZWJ, "an", COMBINING, "by", "Łódź", ASTRAL]
TAGS = ["O", "O", "B-EMOJI", "B-CITY", "I-CITY", "O", "B-ZWJ", "O", "B-MARK", "O"]
TAGS += ["B-TOWN", "B-ASTRAL"]
#: What stands behind each token.
BLANKS = [" ", " ", " ", " ", "", "\r\n", " ", " ", " ", " ", " ", "\r\n"]


def places(phrases: dict[str, str], text: str = TEXT) -> list[tuple[str, int, int]]:
    """(label, start, end): half-open code points, by Python's own search."""
    return [
        (name, text.index(held), text.index(held) + len(held)) for name, held in phrases.items()
    ]


def measured(unit: str) -> list[tuple[str, int, int]]:
    """The same in another unit, by Python's own encoders."""
    encoding, width = {"utf16": ("utf-16-le", 2), "utf8": ("utf-8", 1)}[unit]
    return [
        (
            name,
            len(TEXT[:start].encode(encoding)) // width,
            len(TEXT[:end].encode(encoding)) // width,
        )
        for name, start, end in places({**PHRASES, **WIDE})
    ]


def lines(path: Path, *records: Any) -> Path:
    path.write_bytes(
        "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records).encode()
    )
    return path


# ------------------------------------------------------------------------------------ sources


def spacy_objects(folder: Path) -> Path:
    spans = [{"start": a, "end": b, "label": name} for name, a, b in places({**PHRASES, **WIDE})]
    return lines(folder / "doc.jsonl", {"text": TEXT, "spans": spans})


def spacy_tuples(folder: Path) -> Path:
    spans = [[a, b, name] for name, a, b in places({**PHRASES, **WIDE})]
    return lines(folder / "doc.jsonl", [TEXT, {"entities": spans}])


def spacy_tags(folder: Path) -> Path:
    return lines(folder / "doc.jsonl", {"text": TEXT, "words": TOKENS, "entities": TAGS})


def spacy_training(folder: Path) -> Path:
    tokens = [{"orth": word, "ner": tag} for word, tag in zip(TOKENS, TAGS, strict=True)]
    paragraph = {"raw": TEXT, "sentences": [{"tokens": tokens}]}
    path = folder / "doc.json"
    path.write_text(json.dumps([{"id": 0, "paragraphs": [paragraph]}]), encoding="utf-8")
    return path


def spacy_docbin(folder: Path) -> Path:
    """Made by spaCy itself, of tokens and of what stands between them."""
    cut: list[tuple[str, bool]] = []
    for word, after in zip(TOKENS, BLANKS, strict=True):
        cut.append((word, after == " "))
        cut += [(after, False)] if after == "\r\n" else []
    document = Doc(spacy.blank("xx").vocab, [w for w, _ in cut], [b for _, b in cut])
    assert document.text == TEXT
    ents = [document.char_span(a, b, name) for name, a, b in places(PHRASES)]
    document.set_ents([ent for ent in ents if ent is not None])
    wide = [document.char_span(a, b, name) for name, a, b in places(WIDE)]
    document.spans["sc"] = [span for span in wide if isinstance(span, Span)]
    path = folder / "doc.spacy"
    DocBin(docs=[document], store_user_data=True).to_disk(path)
    return path


def doccano(folder: Path) -> Path:
    spans = [[a, b, name] for name, a, b in places({**PHRASES, **WIDE})]
    return lines(folder / "doc.jsonl", {"text": TEXT, "label": spans})


def conll_comments(folder: Path) -> Path:
    path = folder / "doc.conll"
    rows = "".join(f"{word}\t{tag}\n" for word, tag in zip(TOKENS, TAGS, strict=True))
    path.write_bytes(f"# text_json = {json.dumps(TEXT)}\n{rows}\n".encode())
    return path


def conll_universal(folder: Path) -> Path:
    spelled = {"": "SpaceAfter=No", " ": "SpacesAfter=\\s", "\r\n": "SpacesAfter=\\r\\n"}
    rows = "".join(
        f"{number}\t{word}" + "\t_" * 7 + f"\tNE={tag}|{spelled[blank]}\r\n"
        for number, (word, tag, blank) in enumerate(zip(TOKENS, TAGS, BLANKS, strict=True), 1)
    )
    path = folder / "doc.conllu"
    path.write_bytes(f"{rows}\r\n".encode())
    return path


def brat(folder: Path) -> Path:
    source = folder / "in"
    source.mkdir()
    (source / "doc.txt").write_bytes(TEXT.encode())
    rows = (
        f"T{n}\t{name} {a} {b}\t" + TEXT[a:b].replace("\r", " ").replace("\n", " ") + "\n"
        for n, (name, a, b) in enumerate(places({**PHRASES, **WIDE}), 1)
    )
    (source / "doc.ann").write_bytes("".join(rows).encode())
    return source


def label_studio(folder: Path) -> Path:
    """Offsets in UTF-16 units, as the browser counts them."""
    results = [
        {"type": "labels", "value": {"start": a, "end": b, "labels": [name]}}
        for name, a, b in measured("utf16")
    ]
    task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": results}]}
    path = folder / "doc.json"
    path.write_text(json.dumps([task], ensure_ascii=False), encoding="utf-8")
    return path


def hf_tokens(folder: Path) -> Path:
    return lines(folder / "doc.jsonl", {"tokens": TOKENS, "tags": TAGS, "text": TEXT})


def hf_parquet(folder: Path) -> Path:
    path = folder / "doc.parquet"
    pq.write_table(pa.table({"tokens": [TOKENS], "tags": [TAGS], "text": [TEXT]}), path)
    return path


def native(folder: Path) -> Path:
    path = folder / "doc.native.ndjson"
    lc.write(Samples([sample()]), path, "native")
    return path


Build = Callable[[Path], Path]
#: Format, what makes its source, and whether it has the wide spans too.
SOURCES: list[tuple[str, Build, bool]] = [
    ("spacy", spacy_objects, True),
    ("spacy", spacy_tuples, True),
    ("spacy", spacy_tags, False),
    ("spacy", spacy_training, False),
    ("spacy", spacy_docbin, True),
    ("doccano", doccano, True),
    ("conll", conll_comments, False),
    ("conll", conll_universal, False),
    ("brat", brat, True),
    ("label-studio", label_studio, True),
    ("hf-tokens", hf_tokens, False),
    ("hf-tokens", hf_parquet, False),
    ("native", native, True),
]


def sample(media: Text | None = None) -> Sample:
    found = places({**PHRASES, **WIDE})
    made = [Annotation(str(n), name, TextSpan(a, b)) for n, (name, a, b) in enumerate(found)]
    return Sample("doc", media or Text(TEXT), tuple(made))


def by_utf16(text: str, location: dict[str, int]) -> str:
    """What Labelbox shows: UTF-16 units, the end inclusive; by the bytes and nothing of ours."""
    units = text.encode("utf-16-le")
    return units[2 * location["start"] : 2 * location["end"] + 2].decode("utf-16-le")


def uploaded(folder: Path, source: Path, format: str, **options: Any) -> tuple[str, dict[str, str]]:
    """The text file to upload, and what the lines of MAL hold of it, by name."""
    target, texts = folder / "mal.ndjson", folder / "texts"
    report = Report()
    lc.convert(
        source,
        target,
        from_=format,
        to="labelbox",
        media_out=texts,
        reader_options=options,
        report=report,
    )
    assert (report.errors, report.losses) == (0, 0)
    assert report.ledger.balanced
    (file,) = texts.rglob("*.txt")
    content = file.read_bytes().decode()
    mal = [json.loads(line) for line in target.read_text("ascii").splitlines()]
    assert len({line["name"] for line in mal}) == len(mal)
    return content, {line["name"]: by_utf16(content, line["location"]) for line in mal}


# ------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(("format", "build", "wide"), SOURCES)
def test_every_reader_of_texts_gives_labelbox_the_exact_slices(
    tmp_path: Path, format: str, build: Build, wide: bool
) -> None:
    content, held = uploaded(tmp_path, build(tmp_path), format)
    assert content == TEXT
    assert held == {**PHRASES, **(WIDE if wide else {})}


@pytest.mark.parametrize("unit", ["utf16", "utf8"])
@pytest.mark.parametrize("format", ["spacy", "doccano", "brat", "label-studio"])
def test_offsets_of_a_source_in_another_unit_give_the_same_slices(
    tmp_path: Path, format: str, unit: str
) -> None:
    found = measured(unit)
    if format == "spacy":
        spans: Any = [{"start": a, "end": b, "label": name} for name, a, b in found]
        source = lines(tmp_path / "doc.jsonl", {"text": TEXT, "spans": spans})
    elif format == "doccano":
        spans = [[a, b, name] for name, a, b in found]
        source = lines(tmp_path / "doc.jsonl", {"text": TEXT, "label": spans})
    elif format == "label-studio":
        spans = [
            {"type": "labels", "value": {"start": a, "end": b, "labels": [name]}}
            for name, a, b in found
        ]
        task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": spans}]}
        source = lines(tmp_path / "doc.json", task)
    else:
        source = brat(tmp_path)
        rows = (f"T{n}\t{name} {a} {b}\n" for n, (name, a, b) in enumerate(found, 1))
        (source / "doc.ann").write_text("".join(rows), encoding="utf-8")
    content, held = uploaded(tmp_path, source, format, source_offsets=unit)
    assert content == TEXT
    assert held == {**PHRASES, **WIDE}


@pytest.mark.parametrize(
    ("format", "name", "options", "wide"),
    [
        ("spacy", "out.jsonl", {}, True),
        ("spacy", "out.spacy", {}, True),
        ("doccano", "out.jsonl", {"style": "spans"}, True),
        ("doccano", "out.jsonl", {"style": "entities"}, True),
        ("brat", "out", {}, True),
        ("conll", "out.conll", {"scheme": "iob2"}, False),
        ("conll", "out.conll", {"scheme": "bioes"}, False),
        ("conll", "out.conll", {"scheme": "biluo"}, False),
        ("native", "out.native.ndjson", {}, True),
    ],
)
def test_what_every_writer_of_texts_writes_is_read_with_the_exact_slices(
    tmp_path: Path, format: str, name: str, options: dict[str, str], wide: bool
) -> None:
    phrases = {**PHRASES, **(WIDE if wide else {})}
    given = sample()
    kept = tuple(each for each in given.annotations if each.category in phrases)
    target = tmp_path / name
    report = Report()
    lc.write(
        Samples([Sample("doc", given.media, kept)]), target, format, options=options, report=report
    )
    assert report.losses == 0
    (again,) = lc.read(target, format)
    assert again.media == Text(TEXT)
    assert {
        each.category: TEXT[each.value.start : each.value.end]
        for each in again.annotations
        if isinstance(each.value, TextSpan)
    } == phrases
    content, held = uploaded(tmp_path, target, format)
    assert content == TEXT
    assert held == phrases


def test_lines_of_mal_are_read_again_with_the_same_code_points(tmp_path: Path) -> None:
    lc.write(Samples([sample()]), tmp_path / "mal.ndjson", "labelbox")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "doc.txt").write_bytes(TEXT.encode())
    options = {"texts": str(tmp_path / "texts")}
    (again,) = lc.read(tmp_path / "mal.ndjson", "labelbox", options=options)
    assert again.media == Text(TEXT)
    found = [(each.category, each.value.start, each.value.end) for each in again.annotations]
    assert found == places({**PHRASES, **WIDE})


def test_an_export_of_labelbox_is_read_with_the_code_points_that_its_tokens_say(
    tmp_path: Path,
) -> None:
    objects = [
        {
            "feature_id": f"c{number}",
            "name": name,
            "value": name.lower(),
            "annotation_kind": "TextEntity",
            "classifications": [],
            "location": {"start": a, "end": b - 1, "token": {**PHRASES, **WIDE}[name]},
        }
        for number, (name, a, b) in enumerate(measured("utf16"))
    ]
    annotations = {"objects": objects, "classifications": [], "relationships": []}
    label = {"label_kind": "Default", "version": "1.0.0", "id": "c", "annotations": annotations}
    row = {
        "data_row": {"id": "crow", "global_key": "doc", "row_data": "https://example.org/doc.txt"},
        "media_attributes": {"mime_type": "text/plain"},
        "projects": {"cproject": {"name": "p", "labels": [{**label, "label_details": {}}]}},
    }
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "doc.txt").write_bytes(TEXT.encode())
    source = lines(tmp_path / "export.ndjson", row)
    dataset = lc.read(source, "labelbox-export", options={"texts": str(tmp_path / "texts")})
    (again,) = dataset
    assert dataset.report.errors == 0
    assert again.media == Text(TEXT)
    found = [(each.category, each.value.start, each.value.end) for each in again.annotations]
    assert found == places({**PHRASES, **WIDE})


# ------------------------------------------------------------------------------------ conversations


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
@pytest.mark.parametrize("rows", ["chat", "labelbox rows", "messages"])
def test_offsets_in_messages_reach_labelbox_with_their_message(
    tmp_path: Path, rows: str, unit: str
) -> None:
    found = places({**PHRASES, **WIDE}) if unit == "codepoint" else measured(unit)
    spans = [{"start": a, "end": b, "label": name} for name, a, b in found]
    before = {"messageId": "m0", "role": "user", "content": f"{EMOJI}{ASTRAL}\r\n"}
    said = {"messageId": "m1", "role": "bot", "content": TEXT, "spans": spans}
    if rows == "chat":
        source = lines(tmp_path / "doc.jsonl", {"messages": [before, said]})
    elif rows == "messages":
        source = lines(tmp_path / "doc.jsonl", before, said)
    else:
        kind = "application/vnd.labelbox.conversational"
        row = {"type": kind, "version": 1, "messages": [before, said]}
        source = lines(tmp_path / "doc.json", {"row_data": row, "global_key": "doc"})
    report = lc.convert(
        source,
        tmp_path / "mal.ndjson",
        from_="chat",
        to="labelbox",
        media_out=tmp_path / "texts",
        reader_options={"source_offsets": unit},
    )
    assert (report.errors, report.losses) == (0, 0)
    (file,) = (tmp_path / "texts").iterdir()
    contents = {
        each["messageId"]: each["content"] for each in json.loads(file.read_bytes())["messages"]
    }
    assert contents == {"m0": before["content"], "m1": TEXT}
    mal = [json.loads(line) for line in (tmp_path / "mal.ndjson").read_text("ascii").splitlines()]
    held = {line["name"]: by_utf16(contents[line["messageId"]], line["location"]) for line in mal}
    assert held == {**PHRASES, **WIDE}
    (again,) = lc.read(
        tmp_path / "mal.ndjson",
        "labelbox",
        options={"texts": str(tmp_path / "texts"), "media": "conversation"},
    )
    assert again.media == Conversation(
        (Message("m0", before["content"], "user"), Message("m1", TEXT, "bot"))
    )
    spans_again = [(each.category, each.value.start, each.value.end) for each in again.annotations]
    assert spans_again == places({**PHRASES, **WIDE})
