"""What texts and keys a format can carry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv.spelling import LONGEST_COMPONENT, Paths, as_path, spelled, stem_of
from labelconv.testing.strategies import names


@pytest.mark.parametrize(
    ("text", "spelling", "written"),
    [
        ("traffic light", "any", "traffic light"),
        ("traffic light", "line", "traffic light"),
        ("traffic light", "word", "traffic%20light"),
        (" a\t", "line", "%20a%09"),
        ("a\u2028b", "line", "a%E2%80%A8b"),
        ("a\rb\nc", "xml", "a%0Db\nc"),
        ("\x00", "xml", "%00"),
        ("", "word", "%00"),
        ("", "xml", ""),
        (" one\n\ntwo\n \nthree", "block", "%20one%0A\ntwo%0A \nthree"),
        ("one\ntwo", "block", "one\ntwo"),
        ("naïve 😂", "word", "naïve%20😂"),
    ],
)
def test_only_what_cannot_be_carried_is_encoded(text: str, spelling: str, written: str) -> None:
    assert spelled(text, spelling) == written


@given(names(), st.sampled_from(["xml", "line", "word"]))
def test_a_text_that_was_spelled_is_carried_as_it_is(text: str, spelling: str) -> None:
    written = spelled(text, spelling)
    assert spelled(written, spelling) == written


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("train/a b/1.jpg", "train/a b/1.jpg"),
        ("../up.jpg", "..%2Fup.jpg"),
        ("/root.jpg", "%2Froot.jpg"),
        ("a//b", "a%2F%2Fb"),
        ("..", "%2E%2E"),
        ("", "%00"),
        ("c:\\x", "c%3A%5Cx"),
        ("https://e.org/1.jpg?x=1", "https%3A%2F%2Fe.org%2F1.jpg%3Fx=1"),
    ],
)
def test_a_key_becomes_a_path_below_the_folder(key: str, path: str) -> None:
    assert as_path(key) == path


@given(st.text(max_size=30) | names())
def test_every_key_becomes_a_path_that_can_be_written_and_is_its_own(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    path = as_path(key)
    assert as_path(path) == path
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("here")
    found = [Path(room, name) for room, _, files in os.walk(folder) for name in files]
    assert [each.relative_to(folder).as_posix() for each in found] == [path]


def test_a_component_too_long_for_file_systems_is_cut_and_stays_different() -> None:
    one, other = as_path("é" * 300 + "1.jpg"), as_path("é" * 300 + "2.jpg")
    assert one != other
    assert all(len(each.encode()) <= LONGEST_COMPONENT for each in (one, other))
    assert one.endswith(".jpg")


def test_paths_differ_also_without_their_extension_where_that_is_needed() -> None:
    paths = Paths(stems=True)
    given = ["a.jpg", "a.png", "a.jpg", "b/a.jpg", "a"]
    assert [paths.path(key) for key in given] == [
        "a.jpg",
        "a~2.png",
        "a~3.jpg",
        "b/a.jpg",
        "a~4",
    ]
    plain = Paths()
    assert [plain.path(key) for key in given[:3]] == ["a.jpg", "a.png", "a~2.jpg"]


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a.b.jpg", "a.b"), ("x.y/a", "x.y/a"), (".hidden", ".hidden"), ("x/.b.jpg", "x/.b")],
)
def test_a_stem_is_the_path_without_the_last_extension(path: str, stem: str) -> None:
    assert stem_of(path) == stem
