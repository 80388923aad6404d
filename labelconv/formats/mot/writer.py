"""Writes MOT: a folder for each video, with gt/gt.txt, seqinfo.ini and labels.txt if needed."""

from __future__ import annotations

from pathlib import Path

from labelconv import codes
from labelconv.formats.mot import classes
from labelconv.formats.mot.options import MotWriterOptions
from labelconv.identity import whole_numbers
from labelconv.model import Annotation, Box, Dataset, Sample, Track, Video
from labelconv.problems import Report

#: Fields of `extra` that have a column: what they say of each row, 1 where they say nothing.
_WRITTEN = ("mot:visibility", "mot:evaluated")


def write(dataset: Dataset, target: Path, options: MotWriterOptions, report: Report) -> None:
    """Write the sequences. Rows are sorted by track, then by frame, as MOT17 has them."""
    target.mkdir()
    shift = 1.0 if options.origin == "one" else 0.0
    numbers = {name: number for number, name in classes.official().items()}
    renumbered = rows = 0
    for sample in dataset:
        folder = target / sample.key
        (folder / "gt").mkdir(parents=True)
        ids, changed = whole_numbers([annotation.id for annotation in sample.annotations])
        renumbered += changed
        parts: list[str] = []
        for annotation, id in zip(sample.annotations, ids, strict=True):
            kind = numbers.setdefault(annotation.category, len(numbers) + 1)
            parts += _rows(annotation, id, kind, shift, report)
        rows += len(parts)
        (folder / "gt" / "gt.txt").write_text("".join(parts), encoding="ascii", newline="\n")
        if len(numbers) > len(classes.OFFICIAL):
            names = "".join(f"{name}\n" for name in numbers)
            (folder / "gt" / "labels.txt").write_text(names, encoding="utf-8", newline="\n")
        (folder / "seqinfo.ini").write_text(_info(sample), encoding="utf-8", newline="\n")
    if renumbered:
        reason = "MOT has whole numbers from 1 on"
        report.add(codes.IDS_CHANGED, count=renumbered, reason=reason)
    report.ledger.written["rows"] = rows


def _rows(annotation: Annotation, id: int, kind: int, shift: float, report: Report) -> list[str]:
    rows = []
    track = annotation.value
    assert isinstance(track, Track)  # for mypy; `fit` sees to it
    count = sum(map(len, track.segments))
    ones: list[object] = [1] * count
    said = dict.fromkeys(_WRITTEN, ones)
    for field, listed in annotation.extra.items():
        if field in _WRITTEN and isinstance(listed, list) and len(listed) == count:
            said[field] = listed
        else:
            report.field(field)
    shares, flags = said["mot:visibility"], said["mot:evaluated"]
    at = 0
    for segment in track.segments:
        for keyframe in segment:
            box = keyframe.shape
            assert isinstance(box, Box)  # for mypy; `fit` sees to it
            share, flag = shares[at], flags[at]
            at += 1
            rows.append(
                f"{keyframe.frame + 1},{id},{_plain(box.x0 + shift)},{_plain(box.y0 + shift)},"
                f"{_plain(box.x1 - box.x0)},{_plain(box.y1 - box.y0)},{flag},{kind},{share}\n"
            )
    return rows


def _plain(number: float) -> str:
    """The shortest spelling that reads back the same; whole numbers without a point."""
    whole = int(number)
    return str(whole) if whole == number else repr(float(number))


def _info(sample: Sample) -> str:
    media = sample.media
    assert isinstance(media, Video)  # for mypy; `fit` sees to it
    name = sample.key.rpartition("/")[2]
    said = ["[Sequence]", f"name={name}", "imDir=img1"]
    known = (
        ("frameRate", media.frame_rate),
        ("seqLength", media.frame_count),
        ("imWidth", media.width),
        ("imHeight", media.height),
    )
    said += [f"{field}={_plain(value)}" for field, value in known if value is not None]
    return "\n".join([*said, "imExt=.jpg", ""])
