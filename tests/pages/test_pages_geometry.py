"""Pages of PDFs; boxes in user space, pixels, inches, percent as points from the top left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_help import page_object, write_pdf

from labelconv import codes, pages
from labelconv.errors import MissingDependencyError
from labelconv.geometry import map_xy
from labelconv.model import Box, OnPage, Page
from labelconv.pages import PdfPage

LETTER = (0.0, 0.0, 612.0, 792.0)


def ltwh(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (0, (72, 72, 128, 20)),
        (90, (700, 72, 20, 128)),
        (180, (412, 700, 128, 20)),
        (270, (72, 412, 20, 128)),
    ],
)
def test_case_47_a_box_in_user_space_lands_where_each_turn_puts_it(
    rotation: int, expected: tuple[float, ...]
) -> None:
    page = PdfPage(LETTER, rotation)
    box = map_xy(Box(72, 700, 200, 720), pages.to_displayed(page))
    assert ltwh(box) == expected
    assert map_xy(box, pages.to_user_space(page)) == Box(72, 700, 200, 720)


def test_case_48_a_turned_crop_that_is_not_at_the_origin(tmp_path: Path) -> None:
    entries = page_object(
        "[0 0 2919.69 2225.2]", crop="[14.1732 1615.75 856.063 2211.02]", rotate="270"
    )
    found = pages.read_pdf(write_pdf(tmp_path / "a.pdf", [(entries, ())]))
    assert isinstance(found[0], PdfPage)
    assert found[0].size.width == pytest.approx(595.27)
    assert found[0].size.height == pytest.approx(841.8898)
    box = map_xy(Box(14.1732, 1615.75, 114.1732, 1665.75), pages.to_displayed(found[0]))
    assert ltwh(box) == pytest.approx((545.27, 741.8898, 50, 100))


def test_case_48_a_crop_turned_by_90_degrees() -> None:
    page = PdfPage((50, 100, 250, 350), 90)
    assert page.size == Page(250, 200)
    box = map_xy(Box(60, 120, 100, 130), pages.to_displayed(page))
    assert ltwh(box) == (20, 10, 10, 40)


@given(
    rotation=st.sampled_from((0, 90, 180, 270)),
    left=st.integers(-500, 500),
    bottom=st.integers(-500, 500),
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
)
def test_the_displayed_page_is_the_crop_whatever_its_origin_and_turn(
    rotation: int, left: int, bottom: int, width: int, height: int
) -> None:
    page = PdfPage((left, bottom, left + width, bottom + height), rotation)
    box = map_xy(Box(*page.crop), pages.to_displayed(page))
    assert box == Box(0, 0, page.size.width, page.size.height)
    assert map_xy(box, pages.to_user_space(page)) == Box(*page.crop)


@pytest.mark.parametrize(
    ("entries", "above", "crop", "rotation"),
    [
        (page_object(), "", LETTER, 0),
        (page_object("[612 792 0 0]"), "", LETTER, 0),  # swapped corners
        (page_object("[10 20 622 812]"), "", (10.0, 20.0, 622.0, 812.0), 0),  # an offset
        (page_object(crop="[-50 -50 300 9999]"), "", (0.0, 0.0, 300.0, 792.0), 0),
        (page_object(crop="[300 400 100 200]"), "", (100.0, 200.0, 300.0, 400.0), 0),
        (page_object(crop="[700 0 900 100]"), "", LETTER, 0),  # outside: crops nothing
        (page_object(rotate="-90"), "", LETTER, 270),
        (page_object(rotate="450"), "", LETTER, 90),
        (page_object(rotate="45"), "", LETTER, 0),  # no turn that the standard knows
        (page_object(rotate="100 0 R"), "", LETTER, 180),
        (page_object(""), "/MediaBox [0 0 200 300] /Rotate 90", (0.0, 0.0, 200.0, 300.0), 90),
        (page_object(), "/CropBox [1 2 30 40] /Rotate 270", (1.0, 2.0, 30.0, 40.0), 270),
        (page_object(rotate="0"), "/Rotate 90", LETTER, 0),  # the page's own is nearer
        (page_object(""), "", LETTER, 0),  # no size at all: Letter, as PDFium has it
    ],
)
def test_boxes_and_turns_are_taken_as_viewers_take_them(
    entries: str,
    above: str,
    crop: tuple[float, ...],
    rotation: int,
    tmp_path: Path,
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [(entries, ())], above=above, further=("180",))
    assert pages.read_pdf(path) == (PdfPage(crop, rotation),)  # type: ignore[arg-type]


def test_a_user_unit_is_told_and_not_applied(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [(page_object(unit="2.5"), ())])
    (page,) = pages.read_pdf(path)
    assert page == PdfPage(LETTER, 0, 2.5)
    assert page.size == Page(612, 792)


@pytest.mark.parametrize(
    ("unit", "given_as"),
    [
        ("points", (61.2, 158.4, 244.8, 198.0)),
        ("inches", (0.85, 2.2, 3.4, 2.75)),
        ("fractions", (0.1, 0.2, 0.4, 0.25)),
        ("percent", (10.0, 20.0, 40.0, 25.0)),
        ("pixels", (102.5, 205.0, 410.0, 256.25)),
    ],
)
def test_units_become_points_and_back(unit: pages.Unit, given_as: tuple[float, ...]) -> None:
    page = Page(612, 792)
    there = pages.to_points(unit, page, pixels=(1025, 1025))
    back = pages.from_points(unit, page, pixels=(1025, 1025))
    value = map_xy(OnPage(3, Box(*given_as)), there)
    assert isinstance(value, OnPage)
    assert value.page == 3
    assert isinstance(value.shape, Box)
    assert ltwh(value.shape) == pytest.approx((61.2, 158.4, 183.6, 39.6))
    again = map_xy(value.shape, back)
    assert [again.x0, again.y0, again.x1, again.y1] == pytest.approx(given_as)


def test_case_50_values_of_a_thousand_to_the_page_are_pixels_of_a_picture_of_that_size() -> None:
    change = pages.to_points("pixels", Page(612, 792), pixels=(1000, 1000))
    assert np.allclose(change(np.array([[1.0, 1.0], [500, 250]])), [[0.612, 0.792], [306, 198]])


def test_pixels_without_a_page_go_by_their_resolution() -> None:
    assert pages.scales("pixels", dpi=300) == (0.24, 0.24)
    assert pages.scales("pixels", Page(612, 792), dpi=144) == (0.5, 0.5)
    with pytest.raises(ValueError, match="page's size expected"):
        pages.scales("percent")


def test_the_bottom_left_origin_is_turned_into_the_top_left_one() -> None:
    box = map_xy(Box(10, 20, 30, 50), pages.flipped(1000))
    assert ltwh(box) == (10, 950, 20, 30)
    assert np.array_equal(pages.flipped(5)(np.array([[1.0, 5.0]])), [[1.0, 0.0]])


# ------------------------------------------------------------------------------------ damage


def encrypted(path: Path, password: str) -> Path:
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(200, 100)
    writer.encrypt(password, "owner", algorithm="RC4-128")
    writer.write(path)
    return path


def test_an_encrypted_pdf_is_one_clear_problem(tmp_path: Path) -> None:
    code, values = pages.read_pdf(encrypted(tmp_path / "a.pdf", "secret"))  # type: ignore[misc]
    assert code is codes.MEDIA_UNREADABLE
    assert values["reason"] == "it is encrypted and needs a password"


def test_a_pdf_that_anyone_can_open_is_read_though_it_is_encrypted(tmp_path: Path) -> None:
    (page,) = pages.read_pdf(encrypted(tmp_path / "a.pdf", ""))
    assert page == PdfPage((0.0, 0.0, 200.0, 100.0))


def test_an_empty_pdf_is_one_clear_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.touch()
    code, values = pages.read_pdf(path)  # type: ignore[misc]
    assert (code, values["reason"]) == (codes.MEDIA_UNREADABLE, "it is empty")


def test_a_pdf_cut_off_anywhere_gives_pages_or_one_problem_and_no_noise(tmp_path: Path) -> None:
    whole = write_pdf(tmp_path / "whole.pdf", [(page_object(), ((72, 700, "Hello"),))] * 3)
    data = whole.read_bytes()
    cut = tmp_path / "cut.pdf"
    unreadable = 0
    for end in range(1, len(data), 61):
        cut.write_bytes(data[:end])
        found = pages.read_pdf(cut)
        if isinstance(found[0], PdfPage):
            assert 1 <= len(found) <= 3
        else:
            assert found[0] is codes.MEDIA_UNREADABLE
            unreadable += 1
    assert unreadable > 3
    program = (
        "import sys; from pathlib import Path; from labelconv import pages;"
        "pages.read_pdf(Path(sys.argv[1]))"
    )
    cut.write_bytes(data[: len(data) // 2])
    run = subprocess.run([sys.executable, "-c", program, str(cut)], capture_output=True, check=True)
    assert run.stderr == run.stdout == b""


def test_a_page_tree_that_leads_back_to_itself_does_not_hang(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [(page_object(), ())], above="/Parent 2 0 R")
    data = path.read_bytes().replace(b"/Kids [10 0 R]", b"/Kids [ 2 0 R]")
    path.write_bytes(data)
    found = pages.read_pdf(path)
    assert found[0] is codes.MEDIA_UNREADABLE


def test_a_pdf_that_needs_a_package_to_be_decrypted_says_so_without_the_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pypdf
    from pypdf.errors import DependencyError

    def refuse(*_: object) -> int:
        raise DependencyError("no AES here")

    path = encrypted(tmp_path / "a.pdf", "secret")
    monkeypatch.setattr(pypdf.PdfReader, "decrypt", refuse)
    code, values = pages.read_pdf(path)  # type: ignore[misc]
    assert code is codes.MEDIA_UNREADABLE
    assert "cryptography" in str(values["reason"])


def test_without_pypdf_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pdf(tmp_path / "a.pdf", [(page_object(), ())])
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(MissingDependencyError, match=r"labelconv\[pdf\]"):
        pages.read_pdf(path)
