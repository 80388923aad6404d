"""Sizes and orientations from headers; Pillow, which shares nothing with ours, is the judge."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps, features

from labelconv.imageheaders import Header, read_header
from labelconv.media import MediaFiles, MediaOptions, Size

FORMATS = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"]
WITH_EXIF = ["JPEG", "PNG", "WEBP", "TIFF"]
SIZES = [(40, 20), (1, 1), (300, 7), (17, 641)]


def saved(path: Path, format: str, size: tuple[int, int], **options: Any) -> Path:
    picture = Image.new("RGB", size, (200, 10, 10))
    file = path / f"picture.{format.lower()}"
    picture.save(file, format, **options)
    return file


def exif(orientation: int, *, filler: int = 0) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    if filler:
        data[0x010E] = "x" * filler  # a description, so that the rest lies further back
    return data.tobytes()


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("format", FORMATS)
def test_sizes_are_those_that_pillow_sees(
    format: str, size: tuple[int, int], tmp_path: Path
) -> None:
    file = saved(tmp_path, format, size)
    with Image.open(file) as judge:
        assert judge.size == size
    assert read_header(file) == Header(*size)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", WITH_EXIF)
def test_turned_pictures_have_the_size_that_pillow_shows(
    format: str, orientation: int, tmp_path: Path
) -> None:
    file = saved(tmp_path, format, (40, 20), exif=exif(orientation))
    assert read_header(file) == Header(40, 20, orientation)
    with Image.open(file) as picture:
        shown = ImageOps.exif_transpose(picture).size
    assert shown == ((40, 20) if orientation < 5 else (20, 40))
    found = MediaFiles().size_of(file)
    assert found == Size(*shown, 40, 20, orientation)
    ignored = MediaFiles(options=MediaOptions(exif="ignore")).size_of(file)
    assert ignored == Size(40, 20, 40, 20, orientation)


@pytest.mark.parametrize("lossless", [True, False])
def test_both_kinds_of_webp_and_its_transparency_are_read(lossless: bool, tmp_path: Path) -> None:
    file = tmp_path / "picture.webp"
    Image.new("RGBA", (33, 21), (1, 2, 3, 100)).save(file, lossless=lossless)
    assert read_header(file) == Header(33, 21)


def test_progressive_jpegs_and_those_with_large_segments_before_the_frame_are_read(
    tmp_path: Path,
) -> None:
    file = saved(tmp_path, "JPEG", (90, 50), progressive=True, exif=exif(6, filler=60_000))
    profile = saved(tmp_path, "PNG", (90, 50), icc_profile=bytes(range(256)) * 400)
    assert read_header(file) == Header(90, 50, 6)
    assert read_header(profile) == Header(90, 50)


def test_the_frame_of_a_thumbnail_inside_exif_is_not_taken_for_the_pictures(
    tmp_path: Path,
) -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (8, 8)).save(thumbnail, "JPEG")
    inside = exif(8) + thumbnail.getvalue()
    file = saved(tmp_path, "JPEG", (64, 32), exif=inside)
    assert read_header(file) == Header(64, 32, 8)


def test_fill_bytes_between_the_markers_of_a_jpeg_are_passed_over(tmp_path: Path) -> None:
    file = saved(tmp_path, "JPEG", (64, 32))
    data = file.read_bytes()
    assert data[:4] == b"\xff\xd8\xff\xe0"
    assert read_header(put(file, data[:2] + b"\xff" * 9 + data[2:])) == Header(64, 32)


def test_bitmaps_of_os2_and_those_with_rows_from_the_top_are_read(tmp_path: Path) -> None:
    old = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 31, 17, 1, 24) + bytes(8)
    top = b"BM" + bytes(12) + struct.pack("<Iii", 40, 31, -17) + bytes(30)
    assert read_header(put(tmp_path / "old.bmp", old)) == Header(31, 17)
    assert read_header(put(tmp_path / "top.bmp", top)) == Header(31, 17)


def test_a_tiff_larger_than_pillow_wants_to_decode_has_a_size(tmp_path: Path) -> None:
    def entry(tag: int, kind: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, 1, value)

    entries = [entry(256, 4, 40_000), entry(257, 4, 30_000), entry(258, 3, 8), entry(259, 3, 1)]
    entries += [entry(262, 3, 1), entry(273, 4, 8), entry(277, 3, 1), entry(278, 4, 30_000)]
    entries += [entry(279, 4, 1)]
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    before = Image.MAX_IMAGE_PIXELS
    assert read_header(put(tmp_path / "large.tif", data)) == Header(40_000, 30_000)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_off_anywhere_gives_its_size_or_nothing(format: str, tmp_path: Path) -> None:
    options = {"exif": exif(6)} if format in WITH_EXIF else {}
    data = saved(tmp_path, format, (40, 20), **options).read_bytes()
    whole = read_header(put(tmp_path / "whole", data))
    assert whole is not None
    told = 0
    for end in range(min(len(data), 700)):
        try:
            found = read_header(put(tmp_path / "cut", data[:end]))
        except OSError:
            continue
        assert found is None or (found.width, found.height) == (40, 20)
        told += found is not None
    assert told > 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text, not a picture",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\0",
        b"\xff\xd8" + b"\0" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"RIFF\0\0\0\0WEBPVP8Z" + bytes(40),
        b"GIF89a" + bytes(10),
        b"BM" + bytes(30),
        b"II*\0" + b"\xff" * 40,
    ],
    ids=range(10),
)
def test_what_is_no_picture_has_no_header(data: bytes, tmp_path: Path) -> None:
    try:
        found = read_header(put(tmp_path / "file", data))
    except OSError:
        found = None
    assert found is None


@pytest.mark.parametrize(
    "block", [b"", b"XX*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05"]
)
def test_exif_that_makes_no_sense_leaves_a_picture_upright(block: bytes, tmp_path: Path) -> None:
    file = saved(tmp_path, "PNG", (40, 20))
    data = file.read_bytes()
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + block))
    assert read_header(put(file, data[:33] + chunk + data[33:])) == Header(40, 20)


def test_an_orientation_out_of_range_is_taken_for_upright(tmp_path: Path) -> None:
    assert read_header(saved(tmp_path, "JPEG", (40, 20), exif=exif(9))) == Header(40, 20)


def test_a_file_that_is_not_there_raises_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "nothing.jpg")


def test_avif_is_read_where_pillow_has_it(tmp_path: Path) -> None:
    file = tmp_path / "picture.avif"
    if features.check("avif"):
        Image.new("RGB", (40, 20)).save(file)
        assert read_header(file) == Header(40, 20)
    else:
        assert read_header(put(file, bytes(40))) is None
