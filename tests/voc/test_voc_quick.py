"""The short way through a file says just what the parser says, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from voc_help import box, document, read_text

from labelconv.formats.voc.quick import match
from labelconv.safexml import parse

PLAIN = document(box("a", 1, 2, 3, 4), box("é", 1.5, 2, 3, 4, "<pose>Left</pose>"))
_PIECES = (
    "<object>",
    "</object>",
    "<name>",
    "</name>",
    "<!-- <object> -->",
    "<![CDATA[<object>]]>",
    "&amp;",
    "&lt;",
    "<a/>",
    "\ufffe",
    "\x0b",
    "\r\n",
    "]]>",
    "<?x y?>",
    "<pose>Left</pose>",
    "<part><name>head</name></part>",
    "</annotation>",
    " ",
    "é",
    "1",
    "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>",
)


def by_parser(data: bytes) -> list[tuple[str, ...]]:
    """Name and corners of the objects, by the parser; the document must be right."""
    found = []
    for element in parse(data).findall("object"):
        corners = [element.findtext(f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")]
        found.append((element.findtext("name"), *corners))
    return [tuple((text or "").strip() for text in row) for row in found]


def by_pattern(data: bytes) -> list[tuple[str, ...]] | None:
    quick = match(data)
    if quick is None:
        return None
    rows = [(name, *corners) for name, _, *corners, _ in quick.objects]
    return [tuple(text.decode().strip() for text in row) for row in rows]


def test_corners_in_roboflows_order_go_the_short_way_too() -> None:
    text = PLAIN.replace("<ymin>2</ymin><xmax>3</xmax>", "<xmax>3</xmax><ymin>2</ymin>")
    assert text != PLAIN
    assert by_pattern(text.encode()) == by_parser(PLAIN.encode())


def test_plain_files_go_the_short_way() -> None:
    assert by_pattern(PLAIN.encode()) == by_parser(PLAIN.encode())
    for start in ('<?xml version="1.0"?>\n', '<?xml version="1.0" encoding="UTF-8"?>', "\n"):
        text = (start if start.strip() else "") + PLAIN.replace(">\n<", ">\r\n\t<")
        assert by_pattern(text.encode()) == by_parser(text.encode())


@given(
    at=st.integers(0, len(PLAIN)),
    drop=st.integers(0, 9),
    pieces=st.lists(st.sampled_from(_PIECES) | st.text(max_size=2), max_size=3),
)
@example(at=PLAIN.index("<object>"), drop=0, pieces=["<!-- <object> -->"])
@example(at=PLAIN.rindex("</annotation>"), drop=0, pieces=["<owner/>"])
@example(at=PLAIN.index(">a<") + 1, drop=1, pieces=["\ufffe"])
def test_whatever_stands_in_a_file_the_short_way_agrees_with_the_parser_or_declines(
    at: int, drop: int, pieces: list[str]
) -> None:
    data = (PLAIN[:at] + "".join(pieces) + PLAIN[at + drop :]).encode("utf-8", "surrogatepass")
    found = by_pattern_or_odd(data)
    if found is not None:
        assert found == by_parser(data)


def by_pattern_or_odd(data: bytes) -> list[tuple[str, ...]] | None:
    """As the reader uses it: names go through `Names`, numbers through `float`."""
    from labelconv.formats.voc.quick import Names, boxes

    quick = match(data)
    if quick is None or boxes(quick, Names(), 0, 1e18, 1e18, {}) is None:
        return None
    return by_pattern(data)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("<annotation>", '<?xml version="1.0" encoding="iso-8859-1"?><annotation>'),
        PLAIN.replace("</pose>", "</truncated>"),
        PLAIN.replace("<bndbox>", "<actions><a>1</a></actions><bndbox>", 1),
        PLAIN.replace("<name>a", "<name>a\n"),
        PLAIN.replace("<name>a", "<name>&amp;"),
        PLAIN.replace("</object>", "</object>text", 1),
        PLAIN + "<more/>",
    ],
    ids=["latin", "crossed", "actions", "two lines", "reference", "text", "more"],
)
def test_files_with_anything_else_are_left_to_the_parser(text: str) -> None:
    assert by_pattern(text.encode()) is None


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        document(box("a", 3, 2, 1, 4), box("b", 1, 2, 3, 4)),
        document(box("a", 1, 2, "x", 4), box("b", 1, 2, 3, 4)),
        document(box("a", "1_0", 2, 30, 4)),
        document(box(" ", 1, 2, 3, 4)),
        document(box("a", 1, 2, 900, 4)),
        document(box("a", 1, 2, 1, 4)),
    ],
    ids=["plain", "swapped", "no number", "underscore", "no name", "outside", "no area"],
)
def test_a_reader_that_keeps_nothing_says_the_same_as_one_that_keeps_everything(
    text: str, tmp_path: Path
) -> None:
    everything = read_text(tmp_path, text)
    nothing = read_text(tmp_path, text, extra=frozenset())
    plain = [(a.id, a.category, a.value) for a in everything.annotations]
    assert [(a.id, a.category, a.value) for a in nothing.annotations] == plain
    assert nothing.codes() == everything.codes()
    assert nothing.told("R101") == everything.told("R101")
    fields = [name.removeprefix("voc:") for a in everything.annotations for name in a.extra]
    fields += [name.removeprefix("voc:") for name in everything.one.extra]
    assert nothing.report.fields == {f"voc:{name}": fields.count(name) for name in fields}
