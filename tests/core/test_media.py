"""Media files: found by name, and the sizes of pictures from a table or from their headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import labelconv as lc
from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.media import NO_MEDIA, PICTURES, MediaFiles, MediaOptions, Size, is_picture


def picture(path: Path, size: tuple[int, int] = (4, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def missing(found: object) -> bool:
    return isinstance(found, tuple) and found[0] is codes.MEDIA_MISSING


def ambiguous(found: object) -> bool:
    return isinstance(found, tuple) and found[0] is codes.MEDIA_AMBIGUOUS


# ------------------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    "name",
    [
        "a/1.jpg",
        "./a/1.jpg",
        "a\\1.jpg",
        " a/1.jpg ",
        "/content/data/a/1.jpg",
        "C:\\data\\a\\1.jpg",
        "a/1",
        "1.jpg",
        "1",
    ],
)
def test_a_file_is_found_however_its_name_is_spelled(name: str, tmp_path: Path) -> None:
    wanted = picture(tmp_path / "a" / "1.jpg")
    picture(tmp_path / "b" / "2.jpg")
    assert MediaFiles(tmp_path).find(name) == wanted


def test_a_name_that_is_in_two_folders_is_ambiguous_and_lists_them(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.jpg")
    picture(tmp_path / "b" / "1.jpg")
    files = MediaFiles(tmp_path)
    found = files.find("1.jpg")
    assert ambiguous(found)
    assert found[1]["candidates"] == "'a/1.jpg', 'b/1.jpg'"
    assert files.find("b/1.jpg") == tmp_path / "b" / "1.jpg"


def test_a_file_of_the_same_name_in_another_folder_is_not_taken(tmp_path: Path) -> None:
    picture(tmp_path / "b" / "1.jpg")
    assert missing(MediaFiles(tmp_path).find("c/1.jpg"))
    assert missing(MediaFiles(tmp_path).find("c/1"))


def test_the_longest_ending_of_a_name_that_is_there_is_taken(tmp_path: Path) -> None:
    picture(tmp_path / "1.jpg")
    nearer = picture(tmp_path / "a" / "1.jpg")
    assert MediaFiles(tmp_path).find("data/a/1.jpg") == nearer
    assert MediaFiles(tmp_path).find("data/1.jpg") == tmp_path / "1.jpg"


@pytest.mark.parametrize(
    ("on_disk", "name"),
    [
        ("é.jpg", "e\u0301.jpg"),
        ("e\u0301.jpg", "é.jpg"),
        ("a b.jpg", "a%20b.jpg"),
        ("a%20b.jpg", "a%20b.jpg"),
        ("PHOTO.JPG", "PHOTO"),
        ("Photo.JpG", "Photo"),
        ("a.b.png", "a.b"),
    ],
)
def test_other_spellings_of_a_name_are_found(on_disk: str, name: str, tmp_path: Path) -> None:
    wanted = picture(tmp_path / "in" / on_disk)
    assert MediaFiles(tmp_path).find(name) == wanted


def test_one_stem_with_two_extensions_is_ambiguous_without_the_extension(tmp_path: Path) -> None:
    picture(tmp_path / "1.jpg")
    wanted = picture(tmp_path / "1.png")
    assert ambiguous(MediaFiles(tmp_path).find("1"))
    assert MediaFiles(tmp_path).find("1.png") == wanted


def test_hidden_files_and_text_files_are_not_taken_for_pictures(tmp_path: Path) -> None:
    wanted = picture(tmp_path / "x" / "1.jpg")
    (tmp_path / "x" / "._1.jpg").write_bytes(b"a fork of macOS")
    (tmp_path / "x" / "1.txt").write_text("0 0.5 0.5 1 1")
    assert MediaFiles(tmp_path).find("1") == wanted


def test_a_name_that_leads_out_of_the_folder_is_looked_for_inside_it(tmp_path: Path) -> None:
    picture(tmp_path / "secret.jpg")
    (tmp_path / "media").mkdir()
    assert missing(MediaFiles(tmp_path / "media").find("../secret.jpg"))
    inside = picture(tmp_path / "media" / "secret.jpg")
    assert MediaFiles(tmp_path / "media").find("../secret.jpg") == inside


@pytest.mark.parametrize("name", ["", "a\0b.jpg", "x" * 5_000 + ".jpg", "a/" * 3_000])
def test_names_that_no_file_can_have_are_missing(name: str, tmp_path: Path) -> None:
    assert missing(MediaFiles(tmp_path).find(name))


def test_a_link_to_a_folder_above_ends_the_listing_in_time(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.jpg")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert MediaFiles(tmp_path).find("1.jpg") == tmp_path / "a" / "1.jpg"


def test_the_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "in" / "1.jpg")
    files = MediaFiles(tmp_path)
    import os

    listed: list[Any] = []
    scan = os.scandir

    def counted(place: Any) -> Any:
        listed.append(place)
        return scan(place)

    monkeypatch.setattr(os, "scandir", counted)
    for _ in range(5):
        files.find("1.jpg")
        files.find("other.jpg")
    assert listed == [tmp_path / "", tmp_path / "in"]


def test_a_folder_that_is_not_there_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="nowhere"):
        MediaFiles(tmp_path / "nowhere")


def test_without_a_folder_everything_is_missing_and_the_hint_says_what_to_give() -> None:
    found = NO_MEDIA.find("1.jpg")
    assert missing(found)
    assert "--media" in found[1]["hint"]
    assert not NO_MEDIA.given


# ------------------------------------------------------------------------------- sizes


def test_a_table_of_sizes_comes_before_the_header_of_the_file(tmp_path: Path) -> None:
    picture(tmp_path / "1.jpg", (40, 20))
    table = tmp_path / "sizes.csv"
    table.write_text("name,width,height\n1.jpg,400,200\n", encoding="utf-8-sig")
    files = MediaFiles(tmp_path, MediaOptions(sizes=str(table)))
    assert files.size("1.jpg") == Size(400, 200, 400, 200)
    assert files.size("1.jpg", tmp_path / "1.jpg") == Size(400, 200, 400, 200)
    assert missing(files.size("2.jpg"))


@pytest.mark.parametrize("name", ["train/1.jpg", "/data/train/1.jpg", "train\\1.jpg", "1", "1.jpg"])
def test_rows_of_a_table_are_found_by_endings_too(name: str, tmp_path: Path) -> None:
    table = tmp_path / "sizes.csv"
    table.write_text("train/1.jpg,40,20\r\ntrain/2.jpg,1,1\r\n\r\n")
    assert MediaFiles(None, MediaOptions(sizes=str(table))).size(name) == Size(40, 20, 40, 20)


def test_two_rows_of_a_name_help_only_if_they_agree(tmp_path: Path) -> None:
    table = tmp_path / "sizes.csv"
    table.write_text("a/1.jpg,40,20\nb/1.jpg,30,20\na/2.jpg,5,5\nb/2.jpg,5,5\n")
    files = MediaFiles(None, MediaOptions(sizes=str(table)))
    assert missing(files.size("1.jpg"))
    assert files.size("2.jpg") == Size(5, 5, 5, 5)
    assert missing(files.size("c/1.jpg"))


@pytest.mark.parametrize(
    "row", ["1.jpg,40", "1.jpg,40,x", "1.jpg,-4,4", "1.jpg,0,4", "1.jpg,4,4,4"]
)
def test_a_table_that_cannot_be_read_says_the_line(row: str, tmp_path: Path) -> None:
    table = tmp_path / "sizes.csv"
    table.write_text(f"0.jpg,4,4\n{row}\n")
    with pytest.raises(SourceError, match="sizes.csv:2"):
        MediaFiles(None, MediaOptions(sizes=str(table)))


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        MediaFiles(None, MediaOptions(sizes=str(tmp_path / "none.csv")))


def test_what_is_no_picture_is_unreadable_and_what_is_not_there_is_missing(
    tmp_path: Path,
) -> None:
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    found = MediaFiles(tmp_path).size("1.jpg")
    assert isinstance(found, tuple)
    assert found[0] is codes.MEDIA_UNREADABLE
    assert missing(MediaFiles().size_of(tmp_path / "2.jpg"))
    (tmp_path / "folder.jpg").mkdir()
    at_folder = MediaFiles().size_of(tmp_path / "folder.jpg")
    assert isinstance(at_folder, tuple)
    assert at_folder[0] is codes.MEDIA_UNREADABLE


def test_it_is_known_whether_anything_was_asked(tmp_path: Path) -> None:
    picture(tmp_path / "1.jpg")
    files = MediaFiles(tmp_path)
    assert files.given
    assert not files.asked
    files.size("1.jpg")
    assert files.asked


def test_pictures_are_known_by_their_extension_in_any_case() -> None:
    assert all(is_picture(f"a{ending}") and is_picture(f"a{ending.upper()}") for ending in PICTURES)
    assert not any(map(is_picture, ("a.txt", "jpg", ".jpg", "a.jpg.txt", "")))


def test_media_that_a_reader_does_not_need_are_noted(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "fixtures" / "coco" / "street" / "input" / "instances.json"
    report = lc.convert(source, tmp_path / "out.ndjson", to="native", media=tmp_path)
    assert report.counts["R126"] == 1
