"""Reads labelme: files, what they say of their picture, and shapes joined by group_id."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from labelconv import codes
from labelconv.format import Reading
from labelconv.formats.labelme.options import LabelmeReaderOptions
from labelconv.formats.labelme.shapes import (
    Drawn,
    answers_of,
    label_of,
    malformed,
    number_at,
    points_of,
    values_of,
)
from labelconv.io import UTF8_MARK, Source, walk
from labelconv.model import (
    Annotation,
    Box,
    Dataset,
    Extra,
    Image,
    Keypoint,
    Keypoints,
    Mask,
    OrientedBox,
    Point,
    Polygon,
    Sample,
    Samples,
    Shape,
)
from labelconv.problems import Where
from labelconv.spelling import stem_of
from labelconv.unusable import Unusable

#: What is read of a file and of a shape; everything else is kept as `extra` or counted.
_ASKED = frozenset(("flags", "attributes", "description"))
_FILE_FIELDS = _ASKED | {"version", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
_SHAPE_FIELDS = _ASKED | {"label", "points", "shape_type", "mask", "score", "group_id"}
_SHAPE_FIELDS |= {"derived", "difficult"}
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


def read(source: Source, options: LabelmeReaderOptions, reading: Reading) -> Dataset:
    """The samples of one file, or of all JSON files below a folder."""
    folder = Path(source.name) if source.is_folder else None

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        files = _Files(options, reading)
        for name in [None] if folder is None else walk(folder, (".json",)):
            file = source if folder is None or name is None else Source(folder / name)
            with file.open() as opened:
                data = opened.read()
            sample = files.sample(data, file.name, name)
            if sample is not None:
                yield sample
        files.finish(source.name)

    return Samples(samples)


class _Files:
    """Reads files one after the other and sums up what is told once."""

    def __init__(self, options: LabelmeReaderOptions, reading: Reading) -> None:
        self._join = options.groups == "join"
        self._reading = reading
        self._report = reading.report
        wanted = reading.wanted.extra
        self._keep = wanted is None or "labelme" in wanted
        self._joined = 0
        self._unsized = 0

    def sample(self, data: bytes, path: str, inside: str | None) -> Sample | None:
        """The sample in a file; `inside` is its path in the folder that is read, if one is."""
        report, ledger = self._report, self._report.ledger
        ledger.samples.read += 1
        if data.startswith(UTF8_MARK):
            report.add(codes.ENCODING_MARK, Where(path=path))
            data = data[3:]
        raws: list[msgspec.Raw] = []
        try:
            fields = _members(data)
            raws = _decode_list(fields.get("shapes"))
            width, height = _size(fields, "imageWidth"), _size(fields, "imageHeight")
            picture = _picture(fields.get("imagePath"))
            name = _name(picture, inside or "", Path(path).stem)
            key = self._key(name, fields)
        except Unusable as bad:
            where = Where(path=path, pointer=bad.pointer)
            ledger.annotations.read += len(raws)
            ledger.annotations.rejected += len(raws)
            report.reject(bad.code, where, data, "samples", **bad.values)
            return None
        image = self._image(width, height, name)
        extra: Extra = {}
        for field in sorted(fields.keys() - _FILE_FIELDS):
            self._beside(field, _decoded(fields[field]), extra, " (of files)")
        if bytes(fields.get("imageData", b"null")) != b"null":
            report.field("labelme:imageData (of files)")
        asked = {field: _decoded(fields[field]) for field in _ASKED & fields.keys()}
        answers = answers_of(asked, report)
        ledger.classifications.read += len(answers)
        shapes: list[Drawn] = []
        for number, raw in enumerate(raws):
            where = Where(path=path, pointer=f"/shapes/{number}", sample=key)
            try:
                found = self._shapes(raw, number, image, where)
            except Unusable as bad:
                place = msgspec.structs.replace(where, pointer=f"{where.pointer}{bad.pointer}")
                report.reject(bad.code, place, bytes(raw), **bad.values)
                found = []
            ledger.annotations.read += max(len(found), 1)
            shapes += found
        return Sample(
            key,
            image,
            tuple(self._annotations(shapes)),
            answers,
            uri=picture or None,
            key_is_id=self._reading.keys.are_ids,
            extra=extra,
        )

    def finish(self, path: str) -> None:
        """Tell the sums."""
        if self._joined:
            what = f"{self._joined} groups of shapes with one group_id are read as one object each"
            evidence = "labelme joins them so; `-O groups=apart` does not"
            self._report.add(
                codes.CONVENTION_GUESSED, Where(path=path), what=what, evidence=evidence
            )
        if self._unsized:
            self._report.add(codes.SIZE_UNKNOWN, Where(path=path), count=self._unsized)

    def _key(self, name: str, fields: dict[str, msgspec.Raw]) -> str:
        keys = self._reading.keys
        known: dict[str, object] = {}
        if keys.needs_fields:
            known = {f: _decoded(raw) for f, raw in fields.items() if f not in _LARGE}
        key, problem = keys.key(name, stem_of(name), known)
        if key is None:
            assert problem is not None  # keys give one or the other
            raise Unusable(problem[0], **problem[1])
        return key

    def _image(self, width: float | None, height: float | None, name: str) -> Image:
        if width and height:
            return Image(width, height)
        media = self._reading.media
        found = media.image(name) if media.given else None
        self._unsized += found is None
        return found or Image()

    def _beside(self, field: str, value: Any, extra: Extra, of: str = "") -> None:
        """A field that the model has no place for: kept where somebody writes it, else counted."""
        if value in (None, "", [], {}) or value is False:
            return  # what the tools write where nothing was said
        if self._keep:
            extra[f"labelme:{field}"] = value
        else:
            self._report.field(f"labelme:{field}{of}")

    # ------------------------------------------------------------------ shapes

    def _shapes(self, raw: msgspec.Raw, number: int, image: Image, where: Where) -> list[Drawn]:
        """The shapes of a record. Raises `Unusable`."""
        record = _decoded(raw)
        if not isinstance(record, dict):
            raise malformed("", "a shape as an object", record)
        label, kind = label_of(record), str(record.get("shape_type") or "polygon")
        score, group = record.get("score"), record.get("group_id")
        confidence = None if score is None else number_at(score, "/score")
        values = values_of(
            kind, points_of(record.get("points")), record, image, self._report, where
        )
        extra: Extra = {}
        hidden = bool(record.get("difficult")) and record.get("difficult") != "false"
        for field in sorted(record.keys() - _SHAPE_FIELDS):
            if field != "direction" or not isinstance(values[0], OrientedBox):
                self._beside(field, record[field] or None, extra)
        if hidden and kind != "point":
            self._beside("difficult", True, extra)
        if not isinstance(group, int | str | None):
            self._beside("group_id", group, extra)
        answers = answers_of(record, self._report)
        return [
            Drawn(
                str(number) if len(values) == 1 else f"{number}/{position}",
                label,
                value,
                group if isinstance(group, (int, str)) else None,
                answers,
                confidence,
                extra,
                hidden and kind == "point",
                record.get("derived") is True,
            )
            for position, value in enumerate(values)
        ]

    # ------------------------------------------------------------------ groups

    def _annotations(self, shapes: list[Drawn]) -> Iterator[Annotation]:
        """The annotations, each where its first shape stands."""
        groups: dict[int | str, list[Drawn]] = {}
        for shape in shapes:
            if shape.group is not None:
                groups.setdefault(shape.group, []).append(shape)
        joined: dict[str, Annotation | None] = {}
        if self._join:
            for members in groups.values():
                if len(members) > 1:
                    self._together(members, joined)
        for shape in shapes:
            if shape.id in joined:
                one = joined[shape.id]
                if one is not None:
                    yield one
                continue
            if shape.group is not None:
                if self._keep:
                    shape.extra["labelme:group_id"] = shape.group
                else:
                    self._report.field("labelme:group_id")
            if shape.hidden:
                self._beside("difficult", True, shape.extra)
            yield _annotation(shape, shape.value)

    def _together(self, members: list[Drawn], joined: dict[str, Annotation | None]) -> None:
        """Join what of a group is one object; `joined` gets the object at its first shape."""
        points = [each for each in members if isinstance(each.value, Point)]
        outlines = [each for each in members if isinstance(each.value, (Box, Polygon, Mask))]
        whole = len(points) + len(outlines) == len(members)
        alike = len({each.label for each in outlines}) == 1
        polygons = all(isinstance(each.value, Polygon) for each in outlines)
        named = points and len({each.label for each in points}) == len(points)
        if whole and named and alike and (len(outlines) == 1 or polygons):
            outline = None if outlines[0].derived else _parts(outlines)
            value = Keypoints(tuple(map(_keypoint, points)), outline)
            self._one(members, outlines[0], value, joined)
            return
        by_label: dict[str, list[Drawn]] = {}
        for each in outlines:
            if isinstance(each.value, Polygon):
                by_label.setdefault(each.label, []).append(each)
        for parts in by_label.values():
            if len(parts) > 1:
                self._one(parts, parts[0], _parts(parts), joined)

    def _one(
        self,
        members: list[Drawn],
        first: Drawn,
        value: Shape,
        joined: dict[str, Annotation | None],
    ) -> None:
        """Several records that are one annotation, which is what is counted as read."""
        self._joined += 1
        self._report.ledger.annotations.read -= len(members) - 1
        joined.update((each.id, None) for each in members)
        joined[members[0].id] = _annotation(first, value)
        own = (first.answers, first.confidence, first.extra)
        for each in members:
            point = isinstance(each.value, Point)
            said = (each.answers, each.confidence, each.extra)
            if each is not first and said != (((), None, {}) if point else own):
                of = "keypoints" if point else "further parts"
                self._report.field(f"labelme:flags, score and other fields of {of}")


def _annotation(shape: Drawn, value: Shape) -> Annotation:
    return Annotation(shape.id, shape.label, value, shape.answers, shape.confidence, shape.extra)


def _keypoint(shape: Drawn) -> Keypoint:
    value: Any = shape.value
    return Keypoint(shape.label, value.x, value.y, not shape.hidden)


def _parts(shapes: list[Drawn]) -> Box | Polygon | Mask:
    """One outline as it is, several polygons as one of several parts."""
    if len(shapes) == 1:
        return cast("Box | Polygon | Mask", shapes[0].value)
    polygons = cast("list[Polygon]", [each.value for each in shapes])
    return Polygon(tuple(part for each in polygons for part in each.parts))


# ------------------------------------------------------------------------------------------ files

_LARGE = frozenset(("shapes", "imageData"))
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _members(data: bytes) -> dict[str, msgspec.Raw]:
    """The members of the file's object; NaN and the like are let through. Raises `Unusable`."""
    try:
        return _MEMBERS.decode(data)
    except _UNDECODABLE:
        pass
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError) as error:
        found = f"broken JSON ({error})"
        raise Unusable(codes.RECORD_MALFORMED, expected="a JSON object", found=found) from None
    if not isinstance(loaded, dict):
        raise malformed("", "a JSON object", loaded)
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in loaded.items()}


def _decode_list(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """The records of `shapes`. Raises `Unusable`."""
    if raw is None:
        raise Unusable(
            codes.RECORD_MALFORMED, "/shapes", expected="a list of shapes", found="nothing"
        )
    try:
        return _LIST.decode(raw)
    except _UNDECODABLE:
        loaded = _value(raw, "/shapes")
    if loaded is None:
        return []
    if not isinstance(loaded, list):
        raise malformed("/shapes", "a list of shapes", loaded)
    return [msgspec.Raw(json.dumps(each).encode()) for each in loaded]


def _value(raw: msgspec.Raw, pointer: str) -> Any:
    """A member of the file that must be read for the file to be of use. Raises `Unusable`."""
    value = _decoded(raw)
    if value is None and bytes(raw).strip() != b"null":
        found = bytes(raw)[:40].decode("utf-8", "backslashreplace")
        raise Unusable(codes.RECORD_MALFORMED, pointer, expected="JSON in UTF-8", found=found)
    return value


def _decoded(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except _UNDECODABLE:
        try:
            return json.loads(bytes(raw))
        except (ValueError, RecursionError):
            return None


def _size(fields: dict[str, msgspec.Raw], name: str) -> float | None:
    """The picture's width or height; None where it is not said, or -1 or 0. Raises `Unusable`."""
    value = _value(fields[name], f"/{name}") if name in fields else None
    if value is None:
        return None
    number = number_at(value, f"/{name}")
    return number if number > 0 else None


def _picture(raw: msgspec.Raw | None) -> str:
    """The picture's path with `/`; labelme reads both kinds of slash too. Raises `Unusable`."""
    value = None if raw is None else _value(raw, "/imagePath")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise malformed("/imagePath", "a path", value)
    return value.replace("\\", "/")


def _name(picture: str, inside: str, stem: str) -> str:
    """What the sample is called: where the picture is, seen from the folder that is read."""
    folder = posixpath.dirname(inside)
    if not picture:
        return posixpath.join(folder, stem)
    if _ABSOLUTE.match(picture):
        picture = posixpath.basename(picture)
    name = posixpath.normpath(posixpath.join(folder, picture))
    while name.startswith("../"):
        name = name[3:]
    return name
