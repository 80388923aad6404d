"""The walker over JSON files, judged by `json` on the same bytes with windows of any size."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labelconv import jsonstream
from labelconv.errors import SourceError
from labelconv.jsonstream import Walker

_ANY = msgspec.json.Decoder(list[Any])
_NUMBERED = msgspec.json.Decoder(list[dict[str, int]])

_TEXTS = st.sampled_from(
    ["},{", "}, {", "]", "[", '"', "\\", '\\"', "},\n{", '"},{"', "é", "\u2028", "\U0001f600", ""]
) | st.text(max_size=6)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | _TEXTS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_RECORDS = st.lists(st.dictionaries(_TEXTS, _VALUES, max_size=3) | _VALUES, max_size=8)
_INDENTS = st.sampled_from([None, 0, 1, 4])
_WINDOWS = st.integers(1, 200)


def spelled(value: object, indent: int | None, ascii: bool) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=ascii).encode()


def elements(data: bytes, decoder: msgspec.json.Decoder[Any] = _ANY) -> list[Any]:
    """All elements of the array in `data`; their bytes and places are checked on the way."""
    walker = Walker(io.BytesIO(data), "file")
    found: list[Any] = []
    for batch in walker.array(decoder):
        raws, places = batch.raws(), batch.places()
        values = batch.values if batch.values is not None else [json.loads(raw) for raw in raws]
        assert batch.index == len(found)
        assert len(values) == len(raws) == len(places)
        for value, raw, (offset, length) in zip(values, raws, places, strict=True):
            assert data[offset : offset + length] == raw
            assert json.loads(raw) == value
        found.extend(values)
    assert walker.ended()
    return found


@given(_RECORDS, _INDENTS, st.booleans(), _WINDOWS)
@example([{"a": "},{"}, {"b": "]"}], None, True, 1)
@example([{"a": '\\"},{'}] * 5, 1, False, 7)
def test_elements_are_those_of_the_standard_library(
    records: list[Any], indent: int | None, ascii: bool, window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "WINDOW_BYTES", window)
        assert elements(spelled(records, indent, ascii)) == records


@given(st.lists(st.dictionaries(_TEXTS, st.integers() | _TEXTS, max_size=2), max_size=8), _WINDOWS)
def test_elements_of_another_type_come_as_bytes(records: list[Any], window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "WINDOW_BYTES", window)
        assert elements(spelled(records, None, True), _NUMBERED) == records


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4), _RECORDS, _INDENTS, _WINDOWS)
def test_members_are_those_of_the_standard_library(
    members: dict[str, Any], records: list[Any], indent: int | None, window: int
) -> None:
    members = {**members, "records": records}
    data = spelled(members, indent, False)
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "WINDOW_BYTES", window)
        walker = Walker(io.BytesIO(data), "file")
        for name in walker.members():
            if name == "records":
                batches = list(walker.array(_ANY))
                found[name] = [json.loads(raw) for batch in batches for raw in batch.raws()]
            else:
                found[name] = json.loads(walker.value())
        assert walker.ended()
    assert found == members
    assert list(found) == list(members)


_DOCUMENTS = [
    {"images": [{"id": 1, "n": "},{"}, {"id": 2}], "info": {"a": [1, 2]}, "categories": []},
    {"a": 1, "images": [1, "]", None, True, [2, 3], {"x": '"'}]},
    {"images": []},
]


@pytest.mark.parametrize("window", [1, 16, 200, 262_144])
@pytest.mark.parametrize("document", _DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_cut_off_at_any_byte_is_refused(
    document: dict[str, Any], indent: int | None, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonstream, "WINDOW_BYTES", window)
    data = spelled(document, indent, False)
    for length in range(len(data)):
        with pytest.raises(SourceError) as caught:
            walked(data[:length])
        assert str(caught.value).startswith("file: ")
    assert walked(data) == document


def walked(data: bytes) -> dict[str, Any]:
    walker = Walker(io.BytesIO(data), "file")
    found: dict[str, Any] = {}
    for name in walker.members():
        if name == "images":
            found[name] = [json.loads(raw) for batch in walker.array(_ANY) for raw in batch.raws()]
        else:
            found[name] = json.loads(walker.value())
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1]",
        b"{,}",
        b'{"a":}',
        b'{"a" 1}',
        b'{"a":1 "b":2}',
        b'{"a":1,}',
        b"{1:2}",
        b'{"images":[1,,2]}',
        b'{"images":[1,]}',
        b'{"images":[1 2]}',
        b'{"images":[{"a":1}{"a":2}]}',
        b'{"images":{"a":1}}',
        b'{"images":[1}',
        b'{"\xff":1}',
    ],
)
def test_broken_json_is_refused_with_its_byte(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"^file: .* byte \d+"):
        walked(data)


def test_an_array_in_the_middle_is_left_with_its_path_in_the_message() -> None:
    with pytest.raises(SourceError, match="/images/2"):
        walked(b'{"images":[{"a":1},{"a":2},{"a":')


def test_the_walker_goes_on_where_it_is_sent() -> None:
    data = b'{"annotations":[{"a":1},{"a":2}],"images":[]}'
    walker = Walker(io.BytesIO(data), "file")
    offsets = {}
    for name in walker.members():
        offsets[name] = walker.offset
        walker.value()
    walker.seek(offsets["annotations"])
    values = [value for batch in walker.array(_ANY) for value in batch.values or []]
    assert values == [{"a": 1}, {"a": 2}]
    assert walker.peek() == b","


def test_a_huge_value_is_read_in_ever_larger_steps() -> None:
    class Counting(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Counting.reads += 1
            return super().read(size)

    text = "x" * 8_000_000
    walker = Walker(Counting(b'{"a":"' + text.encode() + b'"}'), "file")
    assert [len(walker.value()) for _ in walker.members()] == [len(text) + 2]
    assert Counting.reads < 12
