"""Writes CVAT for video: a task for one video, a project of tasks for several.

Only keyframes are written; CVAT computes the frames between them. A row that is outside ends each
segment, on the frame after its last one.
"""

from __future__ import annotations

import graphlib
import shutil
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from labelconv import codes
from labelconv.cvatxml import attribute, escaped, spelled
from labelconv.formats.cvat_video.labels import written
from labelconv.formats.cvat_video.skeletons import usable
from labelconv.identity import whole_numbers
from labelconv.model import (
    Annotation,
    Classification,
    Dataset,
    Keyframe,
    Keypoints,
    Mask,
    Ontology,
    Sample,
    Track,
    Video,
)
from labelconv.problems import Report
from labelconv.tracks import form_of


def write(dataset: Dataset, target: Path, report: Report) -> None:
    """Write the file: what is said of all tasks first, then the tracks, which wait in a file."""
    ontology = dataset.ontology
    tasks: list[str] = []
    tracks = renamed = 0
    with tempfile.TemporaryFile() as waiting:
        for sample in dataset:
            spelling = _Spelling(ontology, sample, len(tasks))
            tasks.append(_task(sample, len(tasks)))
            annotations = usable(sample, report)
            ids, changed = whole_numbers([each.id for each in annotations], 0)
            for annotation, id in zip(annotations, ids, strict=True):
                waiting.write(spelling.track(annotation, id).encode())
            tracks += len(annotations)
            renamed += changed
        waiting.seek(0)
        with target.open("wb") as file:
            file.write(_header(tasks, ontology).encode())
            shutil.copyfileobj(waiting, file)
            file.write(b"</annotations>\n")
    if renamed:
        report.add(codes.IDS_CHANGED, count=renamed, reason="CVAT has whole numbers from 0 on")
    report.ledger.written["videos"] = len(tasks)
    report.ledger.written["tracks"] = tracks


def _header(tasks: list[str], ontology: Ontology) -> str:
    """What stands before the tracks. A single task has the labels itself, else the project."""
    said = ['<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n']
    labels = written(ontology, indent="      ")
    if len(tasks) == 1:
        said += ["  <meta>\n    <task>\n", tasks[0], labels, "    </task>\n  </meta>\n"]
    else:
        said += ["  <meta>\n    <project>\n", labels, "      <tasks>\n"]
        said += (f"      <task>\n{task}      </task>\n" for task in tasks)
        said += ["      </tasks>\n    </project>\n  </meta>\n"]
    return "".join(said)


def _task(sample: Sample, number: int) -> str:
    media = sample.media
    assert isinstance(media, Video)  # for mypy; `fit` sees to it
    name = escaped(sample.key)
    said = [f"      <id>{number}</id>\n      <name>{name}</name>\n"]
    if media.frame_count is not None:
        said.append(f"      <size>{media.frame_count}</size>\n")
    said.append(
        "      <mode>interpolation</mode>\n      <start_frame>0</start_frame>\n"
        "      <subset>default</subset>\n"  # datumaro looks for it in projects
    )
    size = _size(sample)
    if size is not None:
        said.append(
            f"      <original_size>\n        <width>{_plain(size[0])}</width>\n"
            f"        <height>{_plain(size[1])}</height>\n      </original_size>\n"
        )
    if media.frame_rate is not None:  # a field of ours: CVAT has none and reads over it
        said.append(f"      <frame_rate>{_plain(media.frame_rate)}</frame_rate>\n")
    said.append(f"      <source>{name}</source>\n")
    return "".join(said)


def _size(sample: Sample) -> tuple[float, float] | None:
    """Width and height: those of the video, else those of a mask, which is as large as it."""
    media: Any = sample.media
    if media.width is not None and media.height is not None:
        return media.width, media.height
    values: list[Any] = [annotation.value for annotation in sample.annotations]
    shapes = (k.shape for track in values for segment in track.segments for k in segment)
    mask = next((shape for shape in shapes if isinstance(shape, Mask)), None)
    return None if mask is None else (mask.size[1], mask.size[0])


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


class _Spelling:
    """Spells the tracks of one video."""

    def __init__(self, ontology: Ontology, sample: Sample, task: int) -> None:
        self._task = task
        media: Any = sample.media
        self._end: int | None = media.frame_count
        self._points = {each.name: each.keypoints for each in ontology.categories}
        self._texts = {
            (category.name, question.name): question.kind == "text"
            for category in ontology.categories
            for question in category.questions
        }

    def track(self, annotation: Annotation, id: int) -> str:
        """The element of a track."""
        track = annotation.value
        assert isinstance(track, Track)  # for mypy; `fit` sees to it
        extra = {
            name.partition(":")[2]: value
            for name, value in annotation.extra.items()
            if isinstance(value, str)
        }
        said = "".join(
            f' {name}="{escaped(value)}"' for name, value in {"source": "manual", **extra}.items()
        )
        label = annotation.category
        said = f' task_id="{self._task}"{said}'
        parts = [f'  <track id="{id}" label="{escaped(label)}"{said}>\n']
        if isinstance(track.segments[0][0].shape, Keypoints):
            parts += self._skeleton(track, label)
        else:
            parts += self._shapes(track, label, annotation.extra.get("cvat-video:occluded"))
        parts.append("  </track>\n")
        return "".join(parts)

    def _shapes(self, track: Track, label: str, listed: object) -> Iterator[str]:
        flags = _flags(track, listed)
        for segment, after in _followed(track):
            for keyframe in segment:
                tag, fields = spelled(keyframe.shape)
                occluded = flags.get(keyframe.frame)
                yield self._row(tag, keyframe, fields, label, occluded)
            if self._is_shown(segment[-1].frame + 1, after):
                tag, fields = spelled(segment[-1].shape)
                yield _outside(tag, segment[-1].frame + 1, fields)

    def _is_shown(self, frame: int, after: int | None) -> bool:
        """Whether a row that is outside can stand on a frame."""
        return frame != after and (self._end is None or frame < self._end or after is not None)

    def _row(
        self, tag: str, keyframe: Keyframe, fields: str, label: str, occluded: bool | None
    ) -> str:
        start = (
            f'    <{tag} frame="{keyframe.frame}" outside="0" occluded="{int(bool(occluded))}" '
            f'keyframe="1"{fields} z_order="0">\n'
        )
        asked = [
            self._attribute(each, label)
            for each in keyframe.classifications
            if occluded is None or each.name != "occluded"
        ]
        return f"{start}{''.join(asked)}    </{tag}>\n"

    def _attribute(self, asked: Classification, label: str) -> str:
        declared = self._texts.get((label, asked.name), True)
        return f"      {attribute(asked, declared_text=declared)}\n"

    def _skeleton(self, track: Track, label: str) -> Iterator[str]:
        """The skeleton's own rows, then a track for each of its points."""
        held = [(_held(segment), after) for segment, after in _followed(track)]
        names = _order(track, self._points.get(label, ()))
        flags = _flags(track, None)
        for segment, after in held:
            for keyframe in segment:
                places = ";".join(f"{float(p.x)!r},{float(p.y)!r}" for p in _points_of(keyframe))
                fields = f' points="{places}"'
                yield self._row("skeleton", keyframe, fields, label, flags.get(keyframe.frame))
            if self._is_shown(segment[-1].frame + 1, after):
                yield _outside("skeleton", segment[-1].frame + 1, ' points=""')
        for number, name in enumerate(names):
            yield f'    <track id="{number}" label="{escaped(name)}" source="manual">\n'
            for segment, after in held:
                fields = ' points="0.0,0.0"'
                for keyframe in segment:
                    point = next((p for p in _points_of(keyframe) if p.name == name), None)
                    if point is None:
                        yield _outside("points", keyframe.frame, fields)
                        continue
                    fields = f' points="{float(point.x)!r},{float(point.y)!r}"'
                    yield (
                        f'    <points frame="{keyframe.frame}" outside="0" '
                        f'occluded="{int(not point.visible)}" keyframe="1"{fields} '
                        f'z_order="0">\n    </points>\n'
                    )
                if self._is_shown(segment[-1].frame + 1, after):
                    yield _outside("points", segment[-1].frame + 1, fields)
            yield "    </track>\n"


def _followed(track: Track) -> Iterator[tuple[tuple[Keyframe, ...], int | None]]:
    """Each segment, and the first frame of the next."""
    starts = [segment[0].frame for segment in track.segments[1:]]
    return zip(track.segments, [*starts, None], strict=True)


def _flags(track: Track, listed: object) -> dict[int, bool]:
    """By frame whether it is occluded, where the answers `occluded` are such that they come back
    from CVAT's own field: true or false on all keyframes, and true on one."""
    keyframes = [keyframe for segment in track.segments for keyframe in segment]
    if isinstance(listed, list):
        return {keyframe.frame: True for keyframe in keyframes if keyframe.frame in listed}
    flags: dict[int, bool] = {}
    for keyframe in keyframes:
        said: list[Any] = [c.answer for c in keyframe.classifications if c.name == "occluded"]
        if len(said) != 1 or getattr(said[0], "name", None) not in ("true", "false"):
            return {}
        if keyframe.classifications[-1].name != "occluded":
            return {}
        flags[keyframe.frame] = said[0].name == "true"
    return flags if any(flags.values()) else {}


def _outside(tag: str, frame: int, fields: str) -> str:
    return (
        f'    <{tag} frame="{frame}" outside="1" occluded="0" keyframe="1"{fields} z_order="0">\n'
        f"    </{tag}>\n"
    )


def _points_of(keyframe: Keyframe) -> Any:
    shape = keyframe.shape
    return shape.points if isinstance(shape, Keypoints) else ()


def _order(track: Track, declared: tuple[str, ...]) -> list[str]:
    """All points of a skeleton, in an order that agrees with the declared one and each keyframe."""
    before: dict[str, dict[str, None]] = {}  # not sets: the order is to be the same always
    shown = ([p.name for p in _points_of(k)] for segment in track.segments for k in segment)
    for names in (declared, *shown):
        for name in names:
            before.setdefault(name, {})
        for one, other in pairwise(names):
            before[other][one] = None
    try:
        return list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError:
        return list(before)


def _held(segment: tuple[Keyframe, ...]) -> list[Keyframe]:
    """With a keyframe more where a skeleton changes its points: until then it stays as it is, while
    CVAT would move those points that stay."""
    held: list[Keyframe] = []
    for keyframe in segment:
        if held and form_of(held[-1].shape) != form_of(keyframe.shape):
            last = held[-1]
            if last.frame < keyframe.frame - 1:
                held.append(Keyframe(keyframe.frame - 1, last.shape, last.classifications))
        held.append(keyframe)
    return held
