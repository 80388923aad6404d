"""Ids that are remembered, and UUIDs made from names."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import identity
from labelconv.identity import NAMESPACE, Names, Seen, uuids_between

_IDS = st.integers() | st.integers(0, 9_000) | st.integers(2**62, 2**70) | st.text(max_size=3)


@given(st.lists(_IDS, max_size=40))
def test_seen_says_what_a_set_says(ids: list[int | str]) -> None:
    seen, judge = Seen(), set[int | str]()
    for id in ids:
        assert seen.add(id) is (id in judge)
        judge.add(id)
    assert all(seen.add(id) for id in judge)


def test_seen_goes_on_when_ids_are_too_sparse_for_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MOST_PAGES", 2)
    seen = Seen()
    ids = [0, 5_000, 10_000, 15_000, 10_001]
    assert [seen.add(id) for id in ids] == [False] * 5
    assert [seen.add(id) for id in ids] == [True] * 5
    assert len(seen._pages) == 2


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=12))
def test_uuids_are_those_of_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    names = Names()
    expected = [str(uuid.uuid5(NAMESPACE, f"{key}\0{name}")) for key, name in pairs]
    assert [names.uuid(key, name) for key, name in pairs] == expected
    at_once = uuids_between(
        [key for key, _ in pairs], [name for _, name in pairs], "<", [">"] * len(pairs)
    )
    assert at_once == "".join(f"<{each}>" for each in expected)


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 1000])
def test_many_uuids_are_those_of_the_standard_library(count: int) -> None:
    names = [f"{number} 😂" for number in range(count)]
    expected = [str(uuid.uuid5(NAMESPACE, f"key\0{name}")) for name in names]
    assert uuids_between(["key"] * count, names, "", [","] * count).split(",")[:-1] == expected


def test_uuids_of_one_sample_and_of_others_are_those_of_the_standard_library() -> None:
    names = Names()
    for key, name in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("a", "1"), ("", "")]:
        assert names.uuid(key, name) == str(uuid.uuid5(NAMESPACE, f"{key}\0{name}"))


def test_the_namespace_never_changes() -> None:
    assert Names().uuid("img_1.jpg", "17") == str(
        uuid.uuid5(uuid.UUID("8b0e6f2a-52c7-5d0e-9a55-3f1d8f6f1c11"), "img_1.jpg\00017")
    )


def test_lone_surrogates_have_a_uuid_too() -> None:
    assert uuid.UUID(Names().uuid("a\ud800", "b\udfff")).version == 5
