"""YAML of which every scalar is the text that stands there."""

from __future__ import annotations

import time

import pytest

from labelconv.errors import SourceError
from labelconv.yamltext import load


def place_of_fault(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        load(data, "data.yaml")
    return str(caught.value).partition(" ")[0]


def test_scalars_are_texts_whatever_yaml_1_1_thinks_of_them() -> None:
    data = b"names: [yes, no, on, 007, 1.0, 1e3, 0x1F, 12:30, ~, null, true, 2026-11-23, ' a ']\n"
    assert load(data, "data.yaml") == {
        "names": [
            "yes",
            "no",
            "on",
            "007",
            "1.0",
            "1e3",
            "0x1F",
            "12:30",
            "~",
            "null",
            "true",
            "2026-11-23",
            " a ",
        ]
    }


def test_keys_are_texts_too_and_keep_their_order() -> None:
    found = load(b"names:\n  1: cat\n  0: dog\n  007: bond\n  no: norway\n", "data.yaml")
    assert list(found["names"].items()) == [
        ("1", "cat"),
        ("0", "dog"),
        ("007", "bond"),
        ("no", "norway"),
    ]


def test_an_empty_document_is_none_and_a_mark_at_the_start_is_skipped() -> None:
    assert load(b"", "data.yaml") is None
    assert load(b"# only a comment\n", "data.yaml") is None
    assert load(b"\xef\xbb\xbfa: 1\r\n", "data.yaml") == {"a": "1"}


def test_aliases_give_the_same_value_and_a_bomb_of_them_costs_nothing() -> None:
    assert load(b"a: &x [1, 2]\nb: *x\n", "data.yaml") == {"a": ["1", "2"], "b": ["1", "2"]}
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True):
        rows.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    started = time.perf_counter()
    found = load("\n".join(rows).encode(), "data.yaml")
    assert time.perf_counter() - started < 2
    assert found["l"][0][0][0] is found["k"][0][0]


@pytest.mark.parametrize("data", [b"a: &a [*a]\n", b"&a\nb: {c: *a}\n"])
def test_a_document_that_refers_to_itself_is_refused(data: bytes) -> None:
    assert place_of_fault(data).startswith("data.yaml:1:")


def test_tags_make_no_objects() -> None:
    data = b'a: !!python/object/apply:os.system ["exit 1"]\nb: !!int 7\n'
    assert load(data, "data.yaml") == {"a": ["exit 1"], "b": "7"}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: [1,\n  b: }\n", "data.yaml:2:6:"),
        (b"a:\n\tb: 1\n", "data.yaml:2:1:"),
        (b"a: 1\n---\nb: 2\n", "data.yaml:2:1:"),
        (b"a: *nowhere\n", "data.yaml:1:4:"),
        (b"x: 1\nnames: {a: 1, a: 2}\n", "data.yaml:2:8:"),
        (b"? [a, b]\n: 1\n", "data.yaml:1:1:"),
        (b"a: \xe9\n", "data.yaml:"),
        (b"a: \x00\n", "data.yaml:"),
        ("a: 1".encode("utf-16"), "data.yaml:"),
    ],
    ids=["crossed", "tab", "two", "alias", "key twice", "key", "latin", "zero byte", "utf-16"],
)
def test_what_is_not_one_plain_document_is_refused_with_its_place(data: bytes, place: str) -> None:
    assert place_of_fault(data) == place


def test_a_document_nested_very_deeply_is_refused() -> None:
    assert place_of_fault(b"[" * 3_000 + b"]" * 3_000) == "data.yaml:"
