"""Reads COCO: ground truth of all tasks, results lists, LVIS. Panoptic is in `panoptic`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.format import Reading
from labelconv.formats.coco.annotations import Annotations
from labelconv.formats.coco.categories import Categories, read_categories
from labelconv.formats.coco.options import CocoReaderOptions
from labelconv.formats.coco.pictures import Pictures, read_pictures
from labelconv.io import PEEK_BYTES, Source, skip_mark
from labelconv.jsonstream import UNDECODABLE, Walker
from labelconv.model import Dataset, Extra, Ontology, Sample, Samples
from labelconv.problems import Where

#: The members of a ground truth that are lists of records.
_ARRAYS = frozenset({"images", "annotations", "categories"})


def read(source: Source, options: CocoReaderOptions, reading: Reading) -> Dataset:
    """The dataset in a COCO file. Raises `SourceError` for what is not COCO at all."""
    file = CocoFile(source, options, reading)
    if reading.wanted.extra is None or "coco" in reading.wanted.extra:
        file.find_info()
    return Samples(file.samples, file.ontology, file.info)


class CocoFile:
    """One COCO file being read: where its sections are and what they refer to."""

    def __init__(self, source: Source, options: CocoReaderOptions, reading: Reading) -> None:
        self.source = source
        self.options = options
        self.reading = reading
        self.info: Extra = {}
        self.categories: Categories | None = None
        self._raw_categories: bytes | None = None

    # ---------------------------------------------------------------- what all samples share

    def ontology(self) -> Ontology:
        return Ontology(categories=tuple(self.categories_needed()))

    def categories_needed(self) -> Categories:
        if self.categories is None:
            self._find_categories()
        assert self.categories is not None
        return self.categories

    def _find_categories(self) -> None:
        """From the option's file, from the end of the file, or by walking to them."""
        if self.options.categories is not None:
            given = Source(self.options.categories)
            self._set_categories(_section(given, "categories"), given.name)
            return
        data = self._members_at_end().get("categories")
        if data is None:
            with self.source.open() as file:
                skip_mark(file, self.source.name)
                walker = Walker(file, self.source.name)
                if walker.peek() == b"{":
                    for name in walker.members():
                        if name == "categories":
                            data = walker.value()
                            break
                        _skip(walker)
        self._set_categories(data or b"[]", self.source.name)

    def _set_categories(self, data: bytes, path: str) -> None:
        if self._raw_categories is not None:
            if self._raw_categories != data:
                raise SourceError(
                    f"{path}: one list of categories expected, two different ones found"
                )
            return
        self._raw_categories = data
        data = b"[]" if data == b"null" else data
        try:
            msgspec.json.decode(data, type=list[msgspec.Raw])
        except UNDECODABLE as error:
            raise SourceError(f"{path}: a list expected at /categories: {error}") from None
        self.categories = read_categories(data, self.reading, self.options.class_key, path)

    def _members_at_end(self) -> dict[str, bytes]:
        """The categories, which COCO's own order has last, and what follows them; found without
        a pass."""
        with self.source.open() as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 16 * PEEK_BYTES))
            tail = file.read()
        at = tail.rfind(b'"categories"')
        if at < 0:
            return {}
        try:
            # All that follows must be the rest of the top-level object: then this is its member.
            rest = msgspec.json.decode(b"{" + tail[at:], type=dict[str, msgspec.Raw])
        except UNDECODABLE:
            return {}
        return {name: bytes(value) for name, value in rest.items()}

    # ---------------------------------------------------------------- samples

    def samples(self) -> Iterator[Sample]:
        self.reading.keys.restart()
        with self.source.open() as file:
            if skip_mark(file, self.source.name):
                self.reading.report.add(codes.ENCODING_MARK, Where(path=self.source.name))
            walker = Walker(file, self.source.name)
            start = walker.peek()
            if start == b"[":
                yield from self._results(walker)
            elif start == b"{":
                yield from self._ground_truth(walker)
            else:
                found = repr(start.decode(errors="replace")) if start else "an empty file"
                raise SourceError(
                    f"{self.source.name}: a COCO file expected, which starts with {{ or [; "
                    f"{found} found"
                )

    def _ground_truth(self, walker: Walker) -> Iterator[Sample]:
        pictures = Pictures()
        pending: list[int] = []
        seen: set[str] = set()
        stream = Annotations(self, pictures)
        for name in walker.members():
            if name in seen:
                place = Where(path=self.source.name, pointer="/" + name)
                self.reading.report.add(codes.KEY_REPEATED, place, key=name)
            seen.add(name)
            if name in _ARRAYS and walker.peek() == b"n":
                walker.value()  # null, as some tools write an empty list
            elif name == "images":
                read_pictures(walker, pictures, self.reading, self.source.name)
            elif name == "categories":
                self._set_categories(walker.value(), self.source.name)
            elif name == "annotations":
                if "images" in seen:
                    yield from stream.any_samples(walker)
                else:
                    pending.append(walker.offset)
                    _skip(walker)
            elif name in ("videos", "sequences"):
                raise SourceError(
                    f"{self.source.name}: pictures expected, {name} found; this is a file of video "
                    f"tracks, not of the coco format"
                )
            else:
                self._member(name, walker.value())
        if not walker.ended():
            raise SourceError(f"{self.source.name}: more data after the end of the JSON object")
        if "images" not in seen:
            raise SourceError(
                f"{self.source.name}: a COCO file with images expected; only "
                f"{', '.join(sorted(seen)) or 'an empty object'} found"
            )
        for offset in pending:
            walker.seek(offset)
            yield from stream.any_samples(walker)
        yield from stream.rest()

    def _member(self, name: str, value: bytes) -> None:
        """A member beside the three arrays: kept where somebody writes it, else counted."""
        wanted = self.reading.wanted.extra
        if wanted is None or "coco" in wanted:
            self.info[f"coco:{name}"] = _decoded(value)
        else:
            self.reading.report.field(f"coco:{name} (of the file)")

    def find_info(self) -> None:
        """What is said before the first array and after the categories, found without a pass."""
        with self.source.open() as file:
            skip_mark(file, self.source.name)
            walker = Walker(file, self.source.name)
            if walker.peek() != b"{":
                return
            for name in walker.members():
                if name in _ARRAYS:
                    break
                self.info[f"coco:{name}"] = _decoded(walker.value())
        for name, value in self._members_at_end().items():
            if name not in _ARRAYS:
                self.info[f"coco:{name}"] = _decoded(value)

    def _results(self, walker: Walker) -> Iterator[Sample]:
        """A results list has neither pictures nor categories; they come with the option."""
        pictures = Pictures()
        if self.options.categories is not None:
            given = Source(self.options.categories)
            with given.open() as file:
                skip_mark(file, given.name)
                beside = Walker(file, given.name)
                for name in beside.members() if beside.peek() == b"{" else ():
                    if name == "images":
                        read_pictures(beside, pictures, self.reading, given.name)
                    else:
                        _skip(beside)
        self.categories_needed()
        stream = Annotations(self, pictures, results=True)
        yield from stream.samples(walker)
        yield from stream.rest()


def _section(source: Source, wanted: str) -> bytes:
    """One member of a JSON object's file. Raises `SourceError` when it is not there."""
    with source.open() as file:
        skip_mark(file, source.name)
        walker = Walker(file, source.name)
        if walker.peek() == b"{":
            for name in walker.members():
                if name == wanted:
                    return walker.value()
                _skip(walker)
        elif walker.peek() == b"[":
            return walker.value()
    raise OptionError(f"{source.name}: {wanted} expected in it, not found")


_SKIPPED = msgspec.json.Decoder(list[msgspec.Raw])


def _skip(walker: Walker) -> None:
    """Pass over a value, in windows if it is an array."""
    if walker.peek() == b"[":
        for _ in walker.array(_SKIPPED):
            pass
    else:
        walker.value()


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")
