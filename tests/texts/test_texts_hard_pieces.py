"""Emoji, ZWJ sequences, combining marks, CRLF and astral characters on pages and in sounds.

Pieces of recognised text have no offsets of their own on Labelbox's wire, but their text is an
answer, and the tokens of their text layer are found by offsets. Labels in sounds are answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelconv as lc
from labelconv.model import Audio, Classification, FreeText, Radio, Sample, Samples
from labelconv.textlayers import GROUP, layer_of, places_in, tokens_at

#: All five kinds; and on which line of the page each word is.
WORDS = ["😂", "👩\u200d🚀", "e\u0301cole", "a\r\nb", "𝕏𝕐"]
LINES = [0, 0, 1, 1, 1]
TEXT = " ".join(WORDS)


def box(number: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a word, in a page of 100 × 100."""
    return 10 * number, 20 * LINES[number], 10 * number + 8, 20 * LINES[number] + 10


def ring(number: int) -> list[int]:
    left, top, right, bottom = box(number)
    return [left, top, right, top, right, bottom, left, bottom]


def start(number: int) -> int:
    """Of a word in the text, in code points."""
    return sum(len(word) + 1 for word in WORDS[:number])


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def alto() -> str:
    """In XML, a carriage return stays one only as a reference."""
    words = [
        f'<String CONTENT="{word}" HPOS="{x0}" VPOS="{y0}" WIDTH="{x1 - x0}" HEIGHT="{y1 - y0}"/>'
        for number, word in enumerate(WORDS)
        for x0, y0, x1, y1 in (box(number),)
    ]
    lines = f"<TextLine>{''.join(words[:2])}</TextLine><TextLine>{''.join(words[2:])}</TextLine>"
    lines = lines.replace("\r\n", "&#13;&#10;")
    return (
        f'<alto>\r\n<Layout><Page WIDTH="100" HEIGHT="100"><PrintSpace>\r\n<TextBlock>{lines}'
        "</TextBlock></PrintSpace></Page></Layout></alto>"
    )


def hocr() -> str:
    words = [
        f'<span class="ocrx_word" title="bbox {" ".join(map(str, box(number)))}">{word}</span>\r\n'
        for number, word in enumerate(WORDS)
    ]
    lines = (f'<span class="ocr_line">{"".join(each)}</span>' for each in (words[:2], words[2:]))
    return f'<div class="ocr_page" title="bbox 0 0 100 100">\r\n{"".join(lines)}</div>'


def textract() -> str:
    blocks: list[dict[str, Any]] = [
        {
            "BlockType": "WORD",
            "Id": f"w{number}",
            "Text": word,
            "Geometry": {"BoundingBox": {"Left": x0, "Top": y0, "Width": 0.08, "Height": 0.1}},
        }
        for number, word in enumerate(WORDS)
        for x0, y0 in ((box(number)[0] / 100, box(number)[1] / 100),)
    ]
    for line in (0, 1):
        ids = [f"w{number}" for number, of in enumerate(LINES) if of == line]
        relations = [{"Type": "CHILD", "Ids": ids}]
        blocks.append({"BlockType": "LINE", "Id": f"l{line}", "Relationships": relations})
    return json.dumps({"Blocks": blocks}, ensure_ascii=False)


def azure() -> str:
    """Spans count UTF-16 units, as the service does by default for some of its clients."""
    words = [
        {
            "content": word,
            "polygon": ring(number),
            "span": {"offset": units(TEXT[: start(number)]), "length": units(word)},
        }
        for number, word in enumerate(WORDS)
    ]
    lines = [{"spans": [{"offset": units(TEXT[: start(first)])}]} for first in (0, 2)]
    page = {"pageNumber": 1, "unit": "pixel", "width": 100, "height": 100}
    answer = {"stringIndexType": "utf16CodeUnit", "content": TEXT}
    return json.dumps({**answer, "pages": [{**page, "words": words, "lines": lines}]})


def docai() -> str:
    """Anchors count code points."""

    def layout(first: int, last: int) -> dict[str, Any]:
        end = start(last) + len(WORDS[last])
        pairs = zip(ring(first)[::2], ring(first)[1::2], strict=True)
        vertices = [{"x": x / 100, "y": y / 100} for x, y in pairs]
        segments = [{"startIndex": str(start(first)), "endIndex": str(end)}]
        anchor = {"textSegments": segments}
        return {"layout": {"textAnchor": anchor, "boundingPoly": {"normalizedVertices": vertices}}}

    page = {
        "dimension": {"width": 100, "height": 100},
        "tokens": [layout(number, number) for number in range(len(WORDS))],
        "lines": [layout(0, 1), layout(2, 4)],
    }
    return json.dumps({"text": TEXT, "pages": [page]}, ensure_ascii=False)


def docling() -> str:
    texts = [
        {
            "text": word,
            "label": "text",
            "prov": [{"page_no": 1, "bbox": dict(zip("ltrb", box(number), strict=True))}],
        }
        for number, word in enumerate(WORDS)
    ]
    pages = {"1": {"size": {"width": 100, "height": 100}}}
    return json.dumps({"schema_name": "DoclingDocument", "pages": pages, "texts": texts})


def tesseract() -> str:
    """A row is a line of the file, so a word has none; the file has CRLF."""
    head = "level page_num block_num par_num line_num word_num left top width height conf text"
    rows = [
        "\t".join(map(str, (5, 1, 1, 1, LINES[number] + 1, number, x0, y0, 8, 10, 90, word)))
        for number, word in enumerate(WORDS)
        for x0, y0, _, _ in (box(number),)
        if "\n" not in word
    ]
    return "".join(f"{row}\r\n" for row in (head.replace(" ", "\t"), *rows))


def text_layer() -> str:
    groups: list[dict[str, Any]] = [{"id": f"g{n}", "content": "", "tokens": []} for n in (0, 1)]
    for number, word in enumerate(WORDS):
        x0, y0, _, _ = box(number)
        place = {"left": x0, "top": y0, "width": 8, "height": 10}
        token = {"id": f"t{number}", "content": word, "geometry": place}
        groups[LINES[number]]["tokens"].append(token)
    page = {"number": 1, "units": "POINTS", "width": 100, "height": 100, "groups": groups}
    return json.dumps([page], ensure_ascii=False)


#: HTML has white space of one kind only; a table of Tesseract has no line end in a word.
SPACED = [word.replace("\r\n", " ") for word in WORDS]
PAGES = {
    "alto": (alto, WORDS),
    "hocr": (hocr, SPACED),
    "textract": (textract, WORDS),
    "azure-di": (azure, WORDS),
    "docai": (docai, WORDS),
    "docling": (docling, WORDS),
    "tesseract": (tesseract, [word for word in WORDS if "\n" not in word]),
    "labelbox-text-layer": (text_layer, WORDS),
}


@pytest.mark.parametrize("format", PAGES)
def test_every_word_on_a_page_is_the_exact_answer_on_labelbox_s_wire(
    tmp_path: Path, format: str
) -> None:
    build, words = PAGES[format]
    (tmp_path / "doc").write_bytes(build().encode())
    page = {} if format == "docling" else {"dpi": 72.0}
    report = lc.convert(
        tmp_path / "doc",
        tmp_path / "mal.ndjson",
        from_=format,
        to="labelbox",
        reader_options={"page_size": "100x100", **page},
        allow=["loss"],
    )
    assert report.errors == 0
    mal = [json.loads(line) for line in (tmp_path / "mal.ndjson").read_text("ascii").splitlines()]
    assert [line["classifications"][0]["answer"] for line in mal] == words
    kept = [number for number, word in enumerate(WORDS) if word in words or format == "hocr"]
    corners = [line["bbox"][edge] for line in mal for edge in ("left", "top")]
    assert corners == pytest.approx([edge for number in kept for edge in box(number)[:2]])


@pytest.mark.parametrize("format", PAGES)
def test_the_tokens_of_the_text_layer_are_found_by_slices_of_its_text(
    tmp_path: Path, format: str
) -> None:
    build, words = PAGES[format]
    (tmp_path / "doc").write_bytes(build().encode())
    page = {} if format == "docling" else {"dpi": 72.0}
    options = {"page_size": "100x100", **page}
    target = tmp_path / "layers"
    lc.convert(
        tmp_path / "doc",
        target,
        from_=format,
        to="labelbox-text-layer",
        reader_options=options,
        allow=["loss"],
    )
    (path,) = target.iterdir()
    (sample,) = lc.read(path, "labelbox-text-layer")
    layer = layer_of(sample)
    contents = {
        token.id: token.content
        for page in layer.pages
        for each in page.groups
        for token in each.tokens
    }
    assert [*contents.values()] == words
    assert len(layer.pages[0].groups) == 2
    found = places_in(layer, layer.text)
    assert not isinstance(found, int)
    for word in words:
        at = layer.text.index(word)
        span = tokens_at(found, at, at + len(word))
        assert span is not None
        assert [contents[id] for group in span.groups for id in group.tokens] == [word]


@pytest.mark.parametrize("format", ["alto", "hocr", "textract", "azure-di", "docai"])
def test_words_find_their_line_behind_characters_of_several_units(
    tmp_path: Path, format: str
) -> None:
    (tmp_path / "doc").write_bytes(PAGES[format][0]().encode())
    options = {"page_size": "100x100", "dpi": 72.0}
    (sample,) = lc.read(tmp_path / "doc", format, options=options)
    groups = [annotation.extra[GROUP] for annotation in sample.annotations]
    assert [groups.index(group) for group in groups] == [0, 0, 2, 2, 2]


# ------------------------------------------------------------------------------------ sounds

SAID = " ".join(word for word in WORDS if "\n" not in word)
SOUNDS = {
    "audacity": ("doc.txt", f"0\t1\t{SAID}\r\n1\t2\tnext\r\n", SAID),
    "textgrid": (
        "doc.TextGrid",
        (
            'File type = "ooTextFile"\r\nObject class = "TextGrid"\r\n0 2 <exists> 1\r\n'
            f'"IntervalTier" "{SAID}" 0 2 2\r\n0 1 "{SAID}\r\n{SAID}"\r\n1 2 "next"\r\n'
        ),
        f"{SAID}\r\n{SAID}",
    ),
    "subtitles": (
        "doc.srt",
        (
            f"1\r\n00:00:00,000 --> 00:00:01,000\r\n{SAID}\r\n{SAID}\r\n\r\n"
            "2\r\n00:00:01,000 --> 00:00:02,000\r\nnext\r\n"
        ),
        f"{SAID}\n{SAID}",
    ),
    "rttm": (
        "doc.rttm",
        (
            f"SPEAKER doc 1 0 1 <NA> <NA> {''.join(SAID.split())} <NA> <NA>\r\n"
            "SPEAKER doc 1 1 1 <NA> <NA> next <NA> <NA>\r\n"
        ),
        "".join(SAID.split()),
    ),
}


def texts(sample: Sample) -> list[tuple[str, tuple[int, int]]]:
    return [
        (each.answer.name if isinstance(each.answer, Radio) else each.answer.text, each.ranges[0])
        for each in sample.classifications
        if isinstance(each.answer, (Radio, FreeText))
    ]


@pytest.mark.parametrize("format", SOUNDS)
def test_every_label_in_a_sound_is_the_exact_answer(tmp_path: Path, format: str) -> None:
    name, content, said = SOUNDS[format]
    (tmp_path / name).write_bytes(content.encode())
    (sample,) = lc.read(tmp_path / name, format)
    assert texts(sample) == [(said, (0, 1000)), ("next", (1000, 2000))]
    report = lc.convert(tmp_path / name, tmp_path / "mal.ndjson", from_=format, to="labelbox")
    assert report.errors == 0
    mal = (tmp_path / "mal.ndjson").read_text("ascii")
    assert json.dumps(said) in mal


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("audacity", {"answers": "text"}),
        ("audacity", {"answers": "radio"}),
        ("textgrid", {"answers": "text"}),
        ("subtitles", {"kind": "srt"}),
        ("subtitles", {"kind": "vtt"}),
    ],
)
def test_what_every_writer_of_sounds_writes_is_read_exactly(
    tmp_path: Path, format: str, options: dict[str, str]
) -> None:
    question = {"audacity": "label", "subtitles": "transcript"}.get(format, SAID)
    answer = Radio(SAID) if options.get("answers") == "radio" else FreeText(SAID)
    asked = (Classification(question, answer, ((0, 1000),)),)
    target = tmp_path / "out"
    report = lc.write(Samples([Sample(SAID, Audio(), (), asked)]), target, format, options=options)
    assert report.losses == 0
    given = {name: value for name, value in options.items() if name != "kind"}
    (sample,) = lc.read(target, format, options=given)
    assert (sample.key, texts(sample)) == (SAID, [(SAID, (0, 1000))])
    assert sample.classifications[0].name == question
