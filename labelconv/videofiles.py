"""Video files beside the labels: what their headers say, and whether the labels agree with it.

Frame numbers are those of the frames that are played. A rate in a source, or in an option, only
places labels where the file has that rate; so a file that is at hand is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from labelconv import codes
from labelconv.media import MediaFiles
from labelconv.model import Sample, Track, Video
from labelconv.problems import Report, Where

if TYPE_CHECKING:
    from labelconv.videoheaders import VideoHeader

#: What can be read of a file (see `labelconv.videoheaders`).
_ENDINGS = (".mp4", ".m4v", ".mov", ".qt", ".3gp")


def header_of(files: MediaFiles, name: str) -> VideoHeader | None:
    """The header of the video that a source calls `name`; None where it cannot be had."""
    if files.folder is None:
        return None
    found = (files.find(name + ending) for ending in ("", *_ENDINGS))
    path = next((p for p in found if isinstance(p, Path) and _is_video(p.name)), None)
    if path is None:
        return None
    from labelconv.videoheaders import read_video_header

    try:
        return read_video_header(path)
    except OSError:
        return None


def _is_video(name: str) -> bool:
    return name.lower().endswith(_ENDINGS)


def agrees(header: VideoHeader, rate: float) -> bool | None:
    """Whether a video has this rate, so that its last frame is where it should be to half a frame;
    None where the header does not say it."""
    if header.count is None or header.count < 2:
        return None
    found = header.rate
    return found is not None and abs(rate / float(found) - 1) * header.count < 0.5


def rate_in_words(header: VideoHeader) -> str:
    """What a header says of the rate."""
    found = header.rate
    return "a rate that varies" if found is None else f"{_short(found)} frames a second"


def _short(rate: Fraction) -> str:
    return f"{float(rate):.6g}"


def with_videos(
    samples: Iterable[Sample], files: MediaFiles, report: Report, *, by_rate: bool
) -> Iterator[Sample]:
    """The samples; videos with what their file says and the source does not.

    Where both say it and differ, that is noted. `by_rate`: frames were placed by the rate that the
    sample states (the option `fps`): then a file of another rate, or one that varies, refuses the
    sample, and one that does not say its rate is noted.
    """
    latest: tuple[str, VideoHeader | None] = ("", None)
    for sample in samples:
        media = sample.media
        if type(media) is not Video:  # nearly all: other media have no such header
            yield sample
            continue
        new = latest[0] != sample.key  # a video may come in pieces
        if new:
            latest = sample.key, header_of(files, sample.uri or sample.key)
        header = latest[1]
        rate = media.frame_rate if by_rate else None
        if rate and new and (header is None or header.count is None):
            found = "its file has no list of frames that can be read here"
            expected = f"{rate:g} a second asked"
            values = {"name": sample.key, "found": found, "expected": expected}
            report.add(codes.VIDEO_DIFFERS, Where(sample=sample.key), **values)
        if header is None:
            _check_end(sample, media.frame_count, report)
            yield sample
        elif rate and agrees(header, rate) is False:
            _refuse(sample, rate, header, report, new=new)
        else:
            _compare(sample, media, header, report, new=new)
            yield msgspec.structs.replace(sample, media=_filled(media, header))


def _filled(media: Video, header: VideoHeader) -> Video:
    rate = header.rate
    return Video(
        media.width or header.width or None,
        media.height or header.height or None,
        header.count if media.frame_count is None else media.frame_count,
        media.frame_rate or (None if rate is None else float(rate)),
    )


def _compare(
    sample: Sample, media: Video, header: VideoHeader, report: Report, *, new: bool
) -> None:
    """Note where a source and its file differ."""
    place = Where(sample=sample.key)
    rate, count = media.frame_rate, header.count

    def differ(found: str, expected: str) -> None:
        found = f"its file has {found}"
        report.add(codes.VIDEO_DIFFERS, place, name=sample.key, found=found, expected=expected)

    if new:
        if rate and agrees(header, rate) is False:
            differ(rate_in_words(header), f"{rate:g} frames a second in the source")
        if count is not None and media.frame_count not in (None, count):
            differ(f"{count} frames", f"{media.frame_count} in the source")
        if header.hidden:
            differ(f"{header.hidden} frames that an edit list hides", "frames count what is played")
        size = media.width, media.height
        if None not in size and size != (header.width, header.height):
            wide, high = size
            differ(f"{header.width} × {header.height}", f"{wide:g} × {high:g} in the source")
    if count is None:
        _check_end(sample, media.frame_count, report)
    else:
        last = _last_frame(sample)
        if last >= count:
            differ(f"{count} frames", f"labels up to frame {last}, counted from 0")


def _check_end(sample: Sample, count: int | None, report: Report) -> None:
    """Note labels beyond the end that the source says."""
    if count is not None and (last := _last_frame(sample)) >= count:
        found = f"the source has labels up to frame {last}, counted from 0"
        values = {"name": sample.key, "found": found, "expected": f"{count} frames by what it says"}
        report.add(codes.VIDEO_DIFFERS, Where(sample=sample.key), **values)


def _last_frame(sample: Sample) -> int:
    """The last frame on which a track has a keyframe; -1 if there is none."""
    tracks = (each.value for each in sample.annotations if isinstance(each.value, Track))
    return max((track.segments[-1][-1].frame for track in tracks if track.segments), default=-1)


def _refuse(sample: Sample, rate: float, header: VideoHeader, report: Report, *, new: bool) -> None:
    """Reject a sample, or another piece of one."""
    ledger = report.ledger
    ledger.annotations.rejected += len(sample.annotations)
    ledger.classifications.rejected += len(sample.classifications)
    ledger.relations.rejected += len(sample.relations)
    if not new:
        ledger.samples.rejected -= 1
    report.reject(
        codes.FRAMES_UNPLACED,
        Where(sample=sample.key),
        msgspec.json.encode(sample),
        "samples",
        name=sample.key,
        expected=f"{rate:g} frames a second",
        found=rate_in_words(header),
    )
