"""XML from strangers: what is refused, what is read, and in how much time and memory."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest

from labelconv.safexml import XmlFault, elements, parse

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY x0 "lol">'
    + "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>&x9;</a>"
)
WHOLE = frozenset({"a"})


def both(data: bytes) -> list[XmlFault]:
    """What `parse` and `elements` say about a document that neither of them reads."""
    faults = []
    with pytest.raises(XmlFault) as one:
        parse(data)
    faults.append(one.value)
    with pytest.raises(XmlFault) as two:
        list(elements(io.BytesIO(data), WHOLE))
    faults.append(two.value)
    return faults


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS.encode(),
        b'<?xml version="1.0"?>\n' + LAUGHS.encode(),
        b"\xef\xbb\xbf" + LAUGHS.encode(),
        LAUGHS.encode("utf-16"),
        b"\xff\xfe" + LAUGHS.encode("utf-16-le"),
        LAUGHS.encode("utf-16-be"),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + LAUGHS.encode(),
        b"<!-- " + b"x" * 100_000 + b" -->" + LAUGHS.encode(),
    ],
    ids=["plain", "declared", "mark", "utf-16", "utf-16 le", "utf-16 be", "latin", "comment"],
)
def test_a_billion_laughs_are_refused_in_no_time_before_any_is_expanded(data: bytes) -> None:
    started = time.perf_counter()
    faults = both(data)
    assert time.perf_counter() - started < 0.1
    assert all(fault.line is not None and fault.column is not None for fault in faults)


def test_external_entities_are_refused_and_never_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def opened(*given: object, **named: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", opened)
    faults = both(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<a>&x;</a>')
    assert [(fault.line, fault.column) for fault in faults] == [(1, 13), (1, 13)]
    # Nothing is declared here, so `x` stays unknown; the file that might is not looked at.
    faults = both(b'<!DOCTYPE a SYSTEM "file:///etc/hostname">\n<a>&x;</a>')
    assert [(fault.line, fault.column) for fault in faults] == [(2, 4), (2, 4)]


@pytest.mark.parametrize("start", [b"<!DOCTYPE a>", b'<!DOCTYPE a SYSTEM "a.dtd">\n'])
def test_a_document_type_that_declares_nothing_is_accepted(start: bytes) -> None:
    assert parse(start + b"<a>1</a>").text == "1"
    assert [kind for kind, _ in elements(io.BytesIO(start + b"<a>1</a>"), WHOLE)] == [
        "start",
        "end",
    ]


def test_an_undeclared_name_is_a_fault_with_its_place() -> None:
    for fault in both(b"<a>\n one&nbsp;two</a>"):
        assert (fault.line, fault.column) == (2, 5)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Łódź 😀"),
        ("utf-16", "Łódź 😀"),
        ("iso-8859-1", "é"),
        ("windows-1252", "é€"),
        ("gbk", "中文"),
        ("gb2312", "中文"),
        ("shift_jis", "日本"),
        ("euc-kr", "한국"),
        ("big5", "中文"),
    ],
)
def test_text_in_the_encoding_that_is_declared_is_read(encoding: str, text: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>\n<a>{text}</a>'.encode(encoding)
    assert parse(data).text == text


def test_laughs_in_an_encoding_of_many_bytes_are_refused_too() -> None:
    with pytest.raises(XmlFault):
        parse(f'<?xml version="1.0" encoding="gbk"?>{LAUGHS}'.encode("gbk"))


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="nonsense-8"?><a>1</a>',
        b'<?xml version="1.0" encoding="rot13"?><!DOCTYPE a><a>1</a>',
        b'<?xml version="1.0" encoding="idna"?><a>1</a>',
        b'<?xml version="1.0" encoding="utf-7"?><a>+AGE-</a>',
        b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a [<!ENTITY x "l">]><a>&x;</a>',
        '<?xml version="1.0" encoding="cp037"?><a>1</a>'.encode("cp037"),
        b'<?xml version="1.0" encoding="gbk"?><a>\xff\xff</a>',
        b"<a>\xff</a>",
    ],
    ids=["unknown", "no text", "no bytes", "utf-7", "utf-7 type", "ebcdic", "not gbk", "not utf-8"],
)
def test_an_encoding_that_cannot_be_read_is_a_fault_and_no_other_exception(data: bytes) -> None:
    assert all(fault.found for fault in both(data))


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"", 1, 1),
        (b" \n", 2, 1),
        (b"hello", 1, 1),
        (b"<a>\n<b>", 2, 4),
        (b"<a>\n  <b></a>", 2, 8),
        (b"<a/><a/>", 1, 5),
        (b"<a>\0</a>", 1, 4),
    ],
    ids=["empty", "blank", "no XML", "cut off", "crossed", "two roots", "zero byte"],
)
def test_what_is_not_whole_is_a_fault_with_line_and_column(
    data: bytes, line: int, column: int
) -> None:
    assert [(fault.line, fault.column) for fault in both(data)] == [(line, column)] * 2


def test_a_document_nested_very_deeply_is_read_or_refused_but_breaks_nothing() -> None:
    data = b"<a>" * 100_000 + b"</a>" * 100_000
    assert len(parse(data)) == 1
    with pytest.raises(XmlFault, match="200"):
        list(elements(io.BytesIO(data), frozenset({"b"})))
    fits = b"<a>" * 200 + b"</a>" * 200
    assert sum(1 for _ in elements(io.BytesIO(fits), frozenset({"b"}))) == 0


def test_elements_come_in_order_whole_and_nested_ones_inside_of_theirs() -> None:
    data = b"<r><x/><a n='1'><b>one</b><a n='2'/></a>text<c><a n='3'/></c></r>"
    met = []
    for kind, element in elements(io.BytesIO(data), WHOLE):
        inside = [child.tag for child in element] if kind == "end" else None
        met.append((kind, element.get("n"), inside))
    assert met == [
        ("start", "1", None),
        ("start", "2", None),
        ("end", "2", []),
        ("end", "1", ["b", "a"]),
        ("start", "3", None),
        ("end", "3", []),
    ]


class Large(io.RawIOBase):
    """A document of many elements, made while it is read."""

    def __init__(self, count: int) -> None:
        self._pieces = (
            b"<r>" if n == 0 else b"</r>" if n > count else b"<a n='%d'><b>text</b></a>\n" % n
            for n in range(count + 2)
        )

    def read(self, size: int = -1) -> bytes:
        held = b""
        for piece in self._pieces:
            held += piece
            if len(held) >= 10_000:
                break
        return held


def test_memory_does_not_grow_with_a_document_of_many_elements() -> None:
    def most(count: int) -> int:
        tracemalloc.start()
        met = sum(kind == "end" for kind, _ in elements(Large(count), WHOLE))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert met == count
        return peak

    small, large = most(2_000), most(60_000)
    assert large < small + 200_000


def test_no_element_within_the_first_part_of_a_long_file_is_a_fault_not_a_search() -> None:
    data = b"<!--" + b"x" * 600_000 + b"-->" + LAUGHS.encode()
    with pytest.raises(XmlFault) as caught:
        list(elements(io.BytesIO(data), WHOLE))
    assert "262144" in caught.value.found
