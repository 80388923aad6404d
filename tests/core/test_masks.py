"""Masks against pycocotools, Pillow and numpy, which share nothing with our code."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from labelconv import masks
from labelconv.model import Box, Mask, Polygon

Pixels = NDArray[np.uint8]


@st.composite
def pixels(draw: st.DrawFn) -> Pixels:
    """Any picture of 1 × 1 to 9 × 9 pixels, the empty and the full one among them."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    fill = draw(st.sampled_from(("none", "all", "any", "any", "any")))
    if fill != "any":
        return np.full((height, width), fill == "all", dtype=np.uint8)
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    return np.array(bits, dtype=np.uint8).reshape(height, width)


def judged(array: Pixels) -> dict[str, object]:
    """COCO's own encoding of an array."""
    return coco.encode(np.asfortranarray(array))


@given(pixels())
def test_an_array_becomes_the_runs_that_pycocotools_has(array: Pixels) -> None:
    mask = masks.from_array(array)
    assert masks.to_text(mask).encode() == judged(array)["counts"]
    assert np.array_equal(masks.to_array(mask), array)


@given(pixels())
def test_compressed_text_is_read_as_pycocotools_reads_it(array: Pixels) -> None:
    counts = judged(array)["counts"]
    assert isinstance(counts, bytes)
    assert masks.from_text(array.shape, counts) == masks.from_array(array)
    assert masks.from_text(array.shape, counts.decode()) == masks.from_array(array)


@given(pixels())
def test_area_and_bounds_are_those_of_pycocotools(array: Pixels) -> None:
    mask = masks.from_array(array)
    assert masks.area(mask) == int(coco.area(judged(array)))
    left, top, width, height = (float(number) for number in coco.toBbox(judged(array)))
    expected = None if not array.any() else Box(left, top, left + width, top + height)
    assert masks.bounds(mask) == expected


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 6))
def test_runs_of_zero_are_merged_without_changing_a_pixel(runs: list[int], height: int) -> None:
    runs = [*runs, -sum(runs) % height]  # fills the last column
    width = sum(runs) // height
    drawn = np.repeat(np.arange(len(runs)) % 2, runs)
    mask = masks.from_runs((height, width), runs)
    assert 0 not in mask.runs[1:]
    assert np.array_equal(masks.to_array(mask).T.ravel(), drawn)


def test_several_runs_of_zero_in_a_row_are_merged() -> None:
    assert masks.from_runs((1, 5), [3, 0, 0, 0, 2]).runs == (5,)
    assert masks.from_runs((1, 5), [0, 0, 0, 5]).runs == (0, 5)
    assert masks.from_runs((1, 5), [3, 2, 0]).runs == (3, 2)


@pytest.mark.parametrize(
    ("size", "runs"),
    [((2, 2), [3]), ((2, 2), [5]), ((2, 2), [-1, 5]), ((2, 2), []), ((-2, -2), [4])],
)
def test_runs_that_do_not_fill_the_picture_are_refused(
    size: tuple[int, int], runs: list[int]
) -> None:
    with pytest.raises(masks.MaskError):
        masks.from_runs(size, runs)


@pytest.mark.parametrize("text", ["\x20", "\x7f", "é", "o", "P"])
def test_text_that_is_no_run_lengths_is_refused(text: str) -> None:
    with pytest.raises(masks.MaskError):
        masks.from_text((2, 2), text)


@given(pixels())
def test_png_holds_ones_and_zeros_as_pillow_reads_it(array: Pixels) -> None:
    data = masks.to_png(masks.from_array(array))
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert picture.mode == "L"
        assert np.array_equal(np.asarray(picture), array)
    assert masks.from_png(data) == masks.from_array(array)


@given(pixels(), st.sampled_from(("L", "1", "P")), st.integers(1, 255))
def test_png_of_pillow_is_read_whatever_its_mode(array: Pixels, mode: str, value: int) -> None:
    buffer = io.BytesIO()
    picture = Image.fromarray((array * value).astype(np.uint8))
    if mode == "1":
        picture = Image.fromarray(array * 255).convert("1")
    elif mode == "P":
        picture = picture.copy()
        picture.putpalette([7] * 768)  # all indices have one colour: indices must count
    picture.save(buffer, "PNG")
    assert masks.from_png(buffer.getvalue()) == masks.from_array(array)


@given(pixels())
def test_colours_come_back_from_png(array: Pixels) -> None:
    colours = np.stack([array * 200, array * 3, 255 - array], axis=2).astype(np.uint8)
    data = masks.colours_to_png(colours)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), colours)
    assert np.array_equal(masks.colours_from_png(data), colours)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        masks.PNG_MAGIC,
        masks.PNG_MAGIC + b"nonsense" * 4,
        masks.to_png(Mask((4, 4), (16,)))[:-20],
        masks.PNG_MAGIC
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", b""),
    ],
    ids=["nothing", "gif", "magic", "nonsense", "cut", "huge"],
)
def test_data_that_is_no_whole_png_is_refused(data: bytes) -> None:
    with pytest.raises(masks.MaskError):
        masks.from_png(data)


@st.composite
def rings(draw: st.DrawFn) -> tuple[float, ...]:
    number = st.floats(-1, 10, allow_subnormal=False)
    points = draw(st.lists(st.tuples(number, number), min_size=3, max_size=7, unique=True))
    return tuple(number for pair in points for number in pair)


@given(st.lists(rings(), min_size=1, max_size=3), st.integers(1, 9), st.integers(1, 9))
def test_parts_become_the_pixels_that_pycocotools_draws(
    parts: list[tuple[float, ...]], height: int, width: int
) -> None:
    mask = masks.from_polygon(Polygon(tuple((ring,) for ring in parts)), height, width)
    drawn = coco.merge(coco.frPyObjects([list(ring) for ring in parts], height, width))
    assert masks.to_text(mask).encode() == drawn["counts"]


@given(rings(), rings())
def test_a_hole_takes_the_pixels_of_its_ring_away(
    shell: tuple[float, ...], hole: tuple[float, ...]
) -> None:
    mask = masks.to_array(masks.from_polygon(Polygon(((shell, hole),)), 9, 8))
    outer = masks.to_array(masks.from_polygon(Polygon(((shell,),)), 9, 8))
    inner = masks.to_array(masks.from_polygon(Polygon(((hole,),)), 9, 8))
    assert np.array_equal(mask, outer & (1 - inner))


def test_base64_is_the_png() -> None:
    import base64

    mask = Mask((2, 3), (1, 4, 1))
    assert base64.b64decode(masks.png_base64(mask)) == masks.to_png(mask)


def test_pictures_without_pixels_have_one_run() -> None:
    assert masks.from_array(np.zeros((0, 3), dtype=np.uint8)) == Mask((0, 3), (0,))
    assert masks.from_runs((0, 3), []) == Mask((0, 3), (0,))


def test_a_png_is_the_same_in_every_process() -> None:
    """A fast compressor was given up since it was not (docs/decisions/0007)."""
    program = (
        "import hashlib; from labelconv import masks; from labelconv.model import Mask;"
        "small = masks.to_png(Mask((4, 4), (16,)));"
        "large = masks.to_png(Mask((480, 640), (1_000, 500, 480 * 640 - 1_500)));"
        "print(hashlib.sha256(small + large).hexdigest())"
    )
    seen = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(8)
    }
    assert len(seen) == 1
