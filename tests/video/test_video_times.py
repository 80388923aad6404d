"""From times to frames by a list of when each appears."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelconv.errors import SourceError
from labelconv.frametimes import FrameTimes, read_times


def test_a_time_is_the_frame_that_is_on_screen_then() -> None:
    times = FrameTimes([0.0, 0.1, 0.2, 0.6])  # the third stays for four times as long
    seen = [times.on_screen(time) for time in (0.0, 0.099, 0.1, 0.25, 0.5, 0.6, 0.99)]
    assert seen == [0, 0, 1, 2, 2, 3, 3]
    assert (times.on_screen(-0.01), times.on_screen(1.01)) == (None, None)


def test_times_that_were_printed_with_six_decimals_are_their_frames() -> None:
    times = FrameTimes([0.0, 0.033333, 0.066667])
    assert [times.on_screen(n / 30) for n in range(3)] == [0, 1, 2]


def test_an_edit_list_that_shifts_the_beginning_is_in_the_times() -> None:
    assert FrameTimes([0.5, 0.6]).on_screen(0.4) is None
    assert FrameTimes([0.5, 0.6]).on_screen(0.5) == 0


def test_a_file_has_a_time_on_each_line_in_any_order_as_ffprobe_prints_them(tmp_path: Path) -> None:
    file = tmp_path / "times.txt"
    file.write_text("\ufeff0.000000,\r\n0.200000\r\n\r\n0.100000\r\n", encoding="utf-8")
    times = read_times(file)
    assert times.count == 3
    assert [times.on_screen(time) for time in (0.05, 0.15, 0.25)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "place"),
    [("0\n0.1\nN/A\n", ":3:"), ("0\nnan\n", ":2:"), ("0.5\n", ""), ("", ""), ("0\n1\n1\n", "")],
)
def test_what_is_no_list_of_times_is_refused_with_its_line(
    tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "times.txt"
    file.write_text(text)
    with pytest.raises(SourceError, match=f"times.txt{place}"):
        read_times(file)
    with pytest.raises(SourceError):
        read_times(tmp_path / "missing.txt")
