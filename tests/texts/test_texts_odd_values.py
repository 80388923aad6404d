"""Records of which one part is of another kind, or missing: every part, by every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelconv.convert import convert
from labelconv.errors import SourceError
from labelconv.problems import Report

ODD = [None, True, 7, -1.5, "x", [], {}, [7], [[]], {"a": 7}]
RING = [0, 0, 9, 0, 9, 9, 0, 9]
CORNERS = [{"x": 0.1, "y": 0.1}, {"x": 0.2, "y": 0.1}, {"x": 0.2, "y": 0.2}]
SHARES = {"BoundingBox": {"Left": 0.1, "Top": 0.1, "Width": 0.1, "Height": 0.1}}
SPAN = {"start": 0, "end": 3, "label": "X", "text": "Ann"}
ENTITY = {"id": 1, "start_offset": 0, "end_offset": 3, "label": "X"}
LAYOUT = {
    "textAnchor": {"textSegments": [{"startIndex": 0, "endIndex": 1}]},
    "boundingPoly": {"normalizedVertices": CORNERS},
    "confidence": 1,
}
PROV = {"page_no": 1, "charspan": [0, 1], "bbox": {"l": 1, "t": 1, "r": 2, "b": 2}}
WORD = {"content": "a", "polygon": RING, "confidence": 1, "span": {"offset": 0}}
TOKEN = {"id": "t", "content": "a", "geometry": {"left": 1, "top": 1, "width": 5, "height": 5}}

#: By name of the format, and a name for the test; each has all that its reader looks at.
WHOLE: dict[tuple[str, str], Any] = {
    ("doccano", "spans"): {
        "id": 1,
        "text": "Ann Lee",
        "label": [[0, 3, "X"], "c"],
        "entities": [ENTITY, {**ENTITY, "id": 2}],
        "relations": [{"id": 1, "from_id": 1, "to_id": 2, "type": "r"}],
        "cats": ["a"],
    },
    ("chat", "messages"): {
        "id": "c",
        "labels": ["x"],
        "messages": [
            {"messageId": "m", "role": "u", "content": "Ann", "spans": [SPAN, [0, 1, "Y"]]},
            {"from": {"name": "b"}, "content": [{"text": "a"}], "labels": ["a"]},
        ],
    },
    ("hf-tokens", "row"): {"id": 1, "tokens": ["Ann", "b"], "tags": ["B-X", "O"], "text": "Ann b"},
    ("spacy", "prodigy"): {
        "text": "Ann Lee",
        "spans": [
            {**SPAN, "id": 1, "token_end": 0},
            {"start": 4, "end": 7, "label": "X", "token_end": 1},
        ],
        "cats": {"a": 1.0},
        "relations": [{"label": "r", "head": 0, "child": 1, "head_span": {"start": 0, "end": 3}}],
        "meta": {"a": 1},
        "accept": ["a"],
        "answer": "accept",
    },
    ("spacy", "training"): [
        {
            "id": 0,
            "paragraphs": [
                {
                    "raw": "Ann",
                    "sentences": [{"tokens": [{"orth": "Ann", "ner": "U-X"}]}],
                    "cats": [{"label": "a", "value": 1}],
                }
            ],
        }
    ],
    ("azure-di", "words"): {
        "analyzeResult": {
            "pages": [
                {
                    "pageNumber": 1,
                    "unit": "pixel",
                    "width": 99,
                    "height": 99,
                    "words": [WORD],
                    "lines": [{"content": "a", "polygon": RING, "spans": [{"offset": 0}]}],
                }
            ]
        }
    },
    ("docai", "tokens"): {
        "text": "a",
        "pages": [{"dimension": {"width": 9, "height": 9}, "tokens": [{"layout": LAYOUT}]}],
    },
    ("textract", "words"): {
        "Blocks": [
            {
                "BlockType": "WORD",
                "Id": "w",
                "Text": "a",
                "Page": 1,
                "Confidence": 9,
                "Geometry": {**SHARES, "Polygon": [{"X": 0.1, "Y": 0.1}] * 3},
            },
            {
                "BlockType": "LINE",
                "Id": "l",
                "Geometry": SHARES,
                "Relationships": [{"Type": "CHILD", "Ids": ["w"]}],
            },
        ]
    },
    ("docling", "texts"): {
        "pages": {"1": {"size": {"width": 9, "height": 9}}},
        "texts": [{"text": "a", "label": "text", "self_ref": "#", "prov": [PROV, PROV]}],
    },
    ("labelbox-text-layer", "page"): [
        {
            "number": 1,
            "units": "POINTS",
            "width": 9,
            "height": 9,
            "groups": [{"id": "g", "content": "a", "tokens": [TOKEN]}],
        }
    ],
}


def mutants(value: Any) -> Iterator[Any]:
    """The value with each part of it replaced by each odd one, or left out."""
    yield from ODD
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: each for other, each in value.items() if other != name}
            for mutant in mutants(inner):
                yield {**value, name: mutant}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            for mutant in mutants(inner):
                yield [*value[:place], mutant, *value[place + 1 :]]


def report_of(path: Path, format: str, value: Any, **options: Any) -> Report | None:
    """None for a source that is none of the format at all, which is said to the caller."""
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")
    report = Report()
    target = path.with_name("out.ndjson")
    settings = {"reader_options": options, "allow": ["loss"], "dry_run": True}
    try:
        convert(path, target, from_=format, to="native", report=report, **settings)
    except SourceError:
        return None
    return report


@pytest.mark.parametrize(("format", "name"), WHOLE)
def test_no_part_of_another_kind_raises_or_upsets_the_ledger(
    tmp_path: Path, format: str, name: str
) -> None:
    whole = WHOLE[format, name]
    documents = {"azure-di", "docai", "textract", "docling", "labelbox-text-layer"}
    options = {"page_size": "99x99"} if format in documents else {}
    right = report_of(tmp_path / "in.jsonl", format, whole, **options)
    assert right is not None
    assert right.errors == 0
    unlike = 0
    for mutant in mutants(whole):
        report = report_of(tmp_path / "in.jsonl", format, mutant, **options)
        if report is None:
            continue
        assert report.ledger.balanced, mutant
        unlike += report.counts != right.counts or report.fields != right.fields
    assert unlike > 20
