"""What the header of a video file says: size, and when each frame that is played appears."""

from __future__ import annotations

import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from mp4_made import QUARTER, box, clock, mp4

from labelconv.videoheaders import VideoHeader, read_video_header


def header(path: Path, data: bytes) -> VideoHeader | None:
    path.write_bytes(data)
    return read_video_header(path)


def known(path: Path, data: bytes) -> VideoHeader:
    found = header(path, data)
    assert found is not None
    return found


def ticks(found: VideoHeader) -> list[int] | None:
    return None if found.ticks is None else found.ticks.tolist()


@pytest.mark.parametrize("version", [0, 1])
def test_an_even_video_has_its_size_its_frames_and_their_rate(tmp_path: Path, version: int) -> None:
    found = known(tmp_path / "a.mp4", mp4([(5, 20)], ticks=600, version=version))
    assert (found.width, found.height, found.count) == (640, 480, 5)
    assert ticks(found) == [0, 20, 40, 60, 80]
    assert (found.rate, found.hidden) == (Fraction(30), 0)
    assert found.seconds() == [0.0, 20 / 600, 40 / 600, 60 / 600, 80 / 600]


def test_a_video_that_is_turned_by_a_quarter_has_the_size_that_is_shown(tmp_path: Path) -> None:
    found = known(tmp_path / "a.mp4", mp4([(2, 20)], size=(1920, 1080), matrix=QUARTER))
    assert (found.width, found.height) == (1080, 1920)


def test_a_rate_that_varies_is_none_and_the_times_are_those_of_the_frames(tmp_path: Path) -> None:
    found = known(tmp_path / "a.mp4", mp4([(3, 20), (2, 40)]))
    assert ticks(found) == [0, 20, 40, 60, 100]
    assert found.rate is None


def test_a_clock_too_coarse_for_the_rate_does_not_make_it_vary(tmp_path: Path) -> None:
    # 30 frames a second in milliseconds.
    found = known(tmp_path / "a.mp4", mp4([(1, 33), (1, 33), (1, 34)] * 10, ticks=1000))
    assert found.rate is not None
    assert abs(float(found.rate) - 30) < 0.05


def test_frames_that_are_decoded_in_another_order_are_in_that_of_their_times(
    tmp_path: Path,
) -> None:
    # I P B B, as an encoder with B-frames stores them, two frames late.
    offsets = [(1, 40), (1, 80), (1, 20), (1, 20)]
    found = known(tmp_path / "a.mp4", mp4([(4, 20)], offsets=offsets))
    assert ticks(found) == [40, 60, 80, 100]
    assert found.rate == 30
    early = [(1, 0), (1, 40), (1, -20), (1, -20)]
    found = known(tmp_path / "a.mp4", mp4([(4, 20)], offsets=early, signed=True))
    assert ticks(found) == [0, 20, 40, 60]


@pytest.mark.parametrize("version", [0, 1])
def test_an_edit_list_that_only_takes_back_the_delay_of_b_frames_hides_nothing(
    tmp_path: Path, version: int
) -> None:
    data = mp4([(5, 20)], offsets=[(5, 40)], edits=[(167, 40)], version=version)
    found = known(tmp_path / "a.mp4", data)
    assert ticks(found) == [0, 20, 40, 60, 80]
    assert found.hidden == 0


def test_an_edit_list_that_begins_later_hides_the_frames_before(tmp_path: Path) -> None:
    found = known(tmp_path / "a.mp4", mp4([(10, 20)], edits=[(167, 60)]))
    assert ticks(found) == [0, 20, 40, 60, 80]
    assert found.hidden == 5  # three before it begins and two after its end


def test_a_pause_shifts_all_frames_and_two_edits_follow_each_other(tmp_path: Path) -> None:
    paused = known(tmp_path / "a.mp4", mp4([(3, 20)], edits=[(500, -1), (100, 0)]))
    assert ticks(paused) == [300, 320, 340]
    cut = known(tmp_path / "a.mp4", mp4([(10, 20)], edits=[(100, 0), (100, 140)]))
    assert ticks(cut) == [0, 20, 40, 60, 80, 100]
    assert cut.hidden == 4


def test_a_sound_track_before_the_video_is_passed_over(tmp_path: Path) -> None:
    sound = box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), b"soun", bytes(13))))
    found = known(tmp_path / "a.mp4", mp4([(2, 20)], before=sound))
    assert found.count == 2


def test_a_file_in_fragments_has_a_size_and_no_frames(tmp_path: Path) -> None:
    found = known(tmp_path / "a.mp4", mp4([]))
    assert (found.width, found.ticks, found.count, found.rate) == (640, None, None, None)
    assert found.seconds() == []
    # The lists in `moov` are those of the first fragment only.
    found = known(tmp_path / "a.mp4", mp4([(5, 20)], before=box(b"mvex", bytes(16))))
    assert (found.width, found.count) == (640, None)


@pytest.mark.parametrize("speed", [0, 1 << 15])
def test_edits_that_play_slower_or_stand_still_leave_the_frames_unknown(
    tmp_path: Path, speed: int
) -> None:
    found = known(tmp_path / "a.mp4", mp4([(5, 20)], edits=[(167, 0)], speed=speed))
    assert (found.width, found.count, found.hidden) == (640, None, 0)


def test_what_follows_the_header_is_not_looked_at(tmp_path: Path) -> None:
    assert known(tmp_path / "a.mp4", WHOLE + b"any bytes at all").count == 5


WHOLE = mp4([(5, 20)], offsets=[(5, 40)], edits=[(167, 40)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        WHOLE[:-30],
        mp4([(5, 20)], kind=b"soun"),
        mp4([(5, 20)], ticks=0),
        mp4([(5, 20)], offsets=[(4, 40)]),
        mp4([(1 << 31, 20)]),
        box(b"moov", clock(b"mvhd", 600), box(b"trak", b"\0\0\0\xff")),
        box(b"moov", box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), b"vide")))),
    ],
    ids=[
        "nothing",
        "a picture",
        "cut off",
        "sound",
        "a clock that stands still",
        "offsets for fewer frames",
        "more frames than there can be",
        "a box longer than what it is in",
        "no size",
    ],
)
def test_what_is_no_video_header_is_none(tmp_path: Path, data: bytes) -> None:
    assert header(tmp_path / "a.mp4", data) is None


@pytest.mark.parametrize(
    "data",
    [
        mp4([(1 << 20, 20)], edits=[(1 << 30, 0)] * 9),
        mp4([(5, 20)], edits=[(10, 0)] * 1001),
        mp4([(5, 20)], edits=[(2**64 - 1, -1), (100, 0)], version=1),
        mp4([(5, 20)], edits=[(0, 0), (100, 0)]),
        box(b"free") * (1 << 18) + mp4([(5, 20)]),
        box(b"free", bytes(8)) + b"\0\0\0\1free" + b"\xff" * 8 + mp4([(5, 20)]),
        box(b"free") + b"\0\0\0\1free" + bytes(8) + mp4([(5, 20)]),
    ],
    ids=[
        "edits that play all frames again and again",
        "too many edits",
        "a pause of ages",
        "an edit that plays at once with another",
        "too many boxes",
        "64 bits, longer than the file",
        "64 bits, shorter than its head",
    ],
)
def test_what_asks_for_more_time_or_memory_than_a_header_needs_is_none_at_once(
    tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    tracemalloc.start()
    try:
        assert read_video_header(tmp_path / "a.mp4") is None
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()


def test_lists_that_are_longer_than_what_is_believed_are_not_read(tmp_path: Path) -> None:
    # Two of 100 MB in a file that takes no room on the disk.
    movie = box(b"mvhd", bytes(12), b"\0\0\2\x58") + box(b"trak")
    long = 100 << 20
    whole = 8 + len(movie) + 2 * long
    with (tmp_path / "a.mp4").open("wb") as file:
        file.write(struct.pack(">I4s", whole, b"moov") + movie)
        for name in (b"stts", b"ctts"):
            at = file.tell()
            file.write(struct.pack(">I4s", long, name))
            file.seek(at + long)
        file.truncate(whole)
    tracemalloc.start()
    try:
        assert read_video_header(tmp_path / "a.mp4") is None
        assert tracemalloc.get_traced_memory()[1] < 150 << 20
    finally:
        tracemalloc.stop()


def test_no_cut_and_no_broken_byte_raises(tmp_path: Path) -> None:
    for at in range(0, len(WHOLE), 3):
        header(tmp_path / "a.mp4", WHOLE[:at])
        header(tmp_path / "a.mp4", WHOLE[:at] + b"\xff" + WHOLE[at + 1 :])
