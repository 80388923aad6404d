"""Keys of samples: templates, tables, collisions, and names spelled by other systems."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.keys import LONGEST_KEY, Keys, normal


def table(folder: Path, text: str | bytes) -> Keys:
    path = folder / "keys.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Keys(table=path)


def found(keys: Keys, name: str) -> str:
    """The key of a name, or the code of its problem."""
    key, problem = keys.key(name, "", {})
    if key is not None:
        return key
    assert problem is not None
    code, values = problem
    assert code.message.format_map(values)
    return code.id


# ------------------------------------------------------------------------------ templates


@pytest.mark.parametrize(
    ("template", "path", "key"),
    [
        ("{file_name}", "a\\b\\1.jpg", "a\\b\\1.jpg"),
        ("{path}", "a\\b\\1.jpg", "a/b/1.jpg"),
        ("{name}", "C:\\data\\1.jpg", "1.jpg"),
        ("{stem}", "a/b.c/1.tar.gz", "1.tar"),
        ("{stem}", "a/.hidden", ".hidden"),
        ("{stem}", "a.b/plain", "plain"),
        ("{id}", "a.jpg", "17"),
        ("x-{id}-{stem}", "a.jpg", "x-17-a"),
        ("{coco_url}", "a.jpg", "http://x/a"),
        ("{number}", "a.jpg", "0"),
    ],
)
def test_a_template_is_filled(template: str, path: str, key: str) -> None:
    fields = {"coco_url": "http://x/a", "number": 0}
    assert Keys(template=template).key(path, "17", fields) == (key, None)


def test_without_a_template_the_sources_own_name_is_used_or_else_its_id() -> None:
    assert Keys().key("a/1.jpg", "17", {}) == ("a/1.jpg", None)
    assert Keys().key("", "17", {}) == ("17", None)


@pytest.mark.parametrize("template", ["", "plain", "{", "}", "{}", "{a", "a}", "{a}{", "{{a}}"])
def test_a_template_that_cannot_tell_samples_apart_is_refused(template: str) -> None:
    with pytest.raises(OptionError):
        Keys(template=template)


@pytest.mark.parametrize("value", [None, ""])
def test_a_field_that_is_missing_or_empty_is_named(value: object) -> None:
    key, problem = Keys(template="{url}").key("a.jpg", "1", {"url": value, "width": 4})
    assert key is None
    assert problem is not None
    assert problem[0] is codes.KEY_FIELD_MISSING
    assert problem[1]["field"] == "url"
    assert problem[1]["known"] == "file_name, id, name, path, stem, width"


def test_only_unusual_fields_need_the_record() -> None:
    assert not Keys().needs_fields
    assert not Keys(template="{stem}{id}{path}{name}{file_name}").needs_fields
    assert Keys(template="{stem}{url}").needs_fields
    assert not Keys().renames
    assert Keys(template="{stem}").renames
    assert not Keys(template="{stem}").are_ids


# ------------------------------------------------------------------------------ collisions


def test_same_stem_in_two_folders_collides_and_says_with_which() -> None:
    keys = Keys(template="{stem}")
    assert keys.key("a/1.jpg", "1", {}) == ("1", None)
    key, problem = keys.key("b/1.jpg", "2", {})
    assert key is None
    assert problem == (codes.KEY_COLLISION, {"key": "1", "first": "'a/1.jpg'"})
    assert keys.key("b/2.jpg", "3", {}) == ("2", None)


def test_the_very_same_name_twice_collides() -> None:
    keys, name = Keys(), "a.jpg"
    assert found(keys, name) == name
    assert found(keys, name) == codes.KEY_COLLISION.id


def test_keys_are_forgotten_when_the_source_is_read_again() -> None:
    keys = Keys()
    assert found(keys, "a") == "a"
    keys.restart()
    assert found(keys, "a") == "a"


def test_a_key_may_have_200_characters_and_no_more() -> None:
    assert len(found(Keys(), "é" * LONGEST_KEY)) == 200
    key, problem = Keys().key("é" * 201, "", {})
    assert key is None
    assert problem is not None
    assert problem[0] is codes.KEY_TOO_LONG
    assert problem[1]["length"] == 201


# ------------------------------------------------------------------------------ tables

NFC, NFD = "\u00e9.jpg", "e\u0301.jpg"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("a/1.jpg", "a/1.jpg"),
        ("a/1.jpg", "a\\1.jpg"),
        ("a\\1.jpg", "a/1.jpg"),
        ("a 1.jpg", "a%201.jpg"),
        ("a%201.jpg", "a 1.jpg"),
        (NFC, NFD),
        (NFD, NFC),
        ("%C3%A9.jpg", NFD),
        ("1.jpg", "data/a/1.jpg"),
        ("data/a/1.jpg", "a/1.jpg"),
        ("data/a/1.jpg", "1.jpg"),
        ("./1.jpg", "1.jpg"),
        ("1.jpg ", "1.jpg"),
        ("100%.jpg", "100%.jpg"),
    ],
)
def test_a_name_is_found_however_it_is_spelled(row: str, name: str, tmp_path: Path) -> None:
    assert found(table(tmp_path, f"{row},key-1\nother.jpg,key-2\n"), name) == "key-1"


def test_an_exact_name_wins_over_one_that_is_spelled_otherwise(tmp_path: Path) -> None:
    keys = table(tmp_path, f"{NFC},one\n{NFD},two\na/x.jpg,three\nx.jpg,four\n")
    assert [found(keys, name) for name in (NFC, NFD, "x.jpg", "a/x.jpg")] == [
        "one",
        "two",
        "four",
        "three",
    ]


def test_a_base_name_in_two_folders_is_ambiguous(tmp_path: Path) -> None:
    keys = table(tmp_path, "a/1.jpg,one\nb/1.jpg,two\n")
    key, problem = keys.key("1.jpg", "", {})
    assert key is None
    assert problem is not None
    assert problem[0] is codes.KEY_AMBIGUOUS
    assert problem[1]["candidates"] == "'a/1.jpg', 'b/1.jpg'"
    assert found(keys, "data/b/1.jpg") == "two"


def test_a_name_that_only_ends_alike_is_not_the_same(tmp_path: Path) -> None:
    keys = table(tmp_path, "a/1.jpg,one\n")
    assert found(keys, "xa/1.jpg") == codes.KEY_MISSING.id
    assert found(keys, "11.jpg") == codes.KEY_MISSING.id


def test_a_missing_name_comes_with_the_nearest(tmp_path: Path) -> None:
    key, problem = table(tmp_path, "img_001.jpg,one\n").key("img_01.jpg", "", {})
    assert key is None
    assert problem is not None
    assert problem[0] is codes.KEY_MISSING
    assert "'img_001.jpg'" in str(problem[1]["hint"])
    key, problem = table(tmp_path, "img_001.jpg,one\n").key("zzz", "", {})
    assert problem is not None
    assert problem[1]["hint"] == ""


@pytest.mark.parametrize(
    ("header", "ids"),
    [
        ("name,global_key\n", False),
        ("name,Global Key\n", False),
        ("file,data_row_id\n", True),
        ("file,DataRowId\n", True),
        ("", False),
    ],
)
def test_the_header_says_what_the_keys_are(header: str, ids: bool, tmp_path: Path) -> None:
    keys = table(tmp_path, header + "a.jpg,k\n\n")
    assert keys.are_ids is ids
    assert keys.renames
    assert found(keys, "a.jpg") == "k"
    assert found(keys, "name") == codes.KEY_MISSING.id


def test_marks_crlf_and_quotes_are_read(tmp_path: Path) -> None:
    keys = table(tmp_path, b'\xef\xbb\xbf"a,1.jpg", k1 \r\nb.jpg,k2\r\n')
    assert (found(keys, "a,1.jpg"), found(keys, "b.jpg")) == ("k1", "k2")


@pytest.mark.parametrize(
    "text", [b"a.jpg\n", b"a.jpg,\n", b"a.jpg,k1\na.jpg,k2\n", b"\xff\xfea,b\n"]
)
def test_a_table_that_is_none_is_refused(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"keys\.csv"):
        table(tmp_path, text)


def test_a_row_that_is_there_twice_is_no_matter(tmp_path: Path) -> None:
    assert found(table(tmp_path, "a.jpg,k\na.jpg,k\n"), "a.jpg") == "k"
    assert found(table(tmp_path, "x/a.jpg,k\ny/a.jpg,k\n"), "a.jpg") == "k"


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        Keys(table=tmp_path / "none.csv")


def test_a_template_and_a_table_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("a,b\n")
    with pytest.raises(OptionError):
        Keys(template="{id}", table=tmp_path / "k.csv")


@given(st.text())
def test_normal_names_are_composed_and_have_no_backslash(name: str) -> None:
    plain = normal(name)
    assert "\\" not in plain
    assert unicodedata.is_normalized("NFC", plain)
