"""Reads COCO: ground truth of all tasks, results lists, LVIS. Panoptic is in `panoptic`."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from labelconv import codes
from labelconv.errors import OptionError, SourceError
from labelconv.format import Reading
from labelconv.formats.coco import panoptic
from labelconv.formats.coco.pictures import (
    Categories,
    Pictures,
    read_categories,
    read_pictures,
)
from labelconv.formats.coco.shapes import (
    Outline,
    Picture,
    outline,
    plain_box,
    plain_polygon,
    skeleton,
)
from labelconv.formats.coco.wire import (
    ABSENT,
    ANNOTATION,
    ANNOTATION_FIELDS,
    ANNOTATIONS,
    AnnotationRecord,
    Id,
    Lenient,
    Unusable,
    annotation_record,
    fields_of,
    shown,
)
from labelconv.grouping import by_row
from labelconv.identity import Seen
from labelconv.io import PEEK_BYTES, Source, skip_mark
from labelconv.jsonstream import Batch, Walker
from labelconv.model import (
    Annotation,
    Category,
    Classification,
    Dataset,
    Extra,
    FreeText,
    Keypoints,
    Ontology,
    Sample,
    Samples,
    Value,
)
from labelconv.problems import Report, Where


class CocoReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the COCO reader (`-O key=value`).

    - `shape`: which outline is read: the most exact (`auto`), boxes only (`box`, polygons stay
      undecoded), polygons (masks are traced), or masks (polygons are drawn, sizes needed).
    - `crowd`: `keep` crowd regions as annotations, or `skip` and count them.
    - `class_key`: the field of a category that names the class, such as `synset` in LVIS.
    - `categories`: for results lists: the ground-truth file with `categories` (and `images`).
    - `segments`: for panoptic files: the folder of the PNGs.
    - `caption`: the name of the question that captions answer.
    """

    shape: Literal["auto", "box", "polygon", "mask"] = "auto"
    crowd: Literal["keep", "skip"] = "keep"
    class_key: str = "name"
    categories: str | None = None
    segments: str | None = None
    caption: str = "caption"


def read(source: Source, options: CocoReaderOptions, reading: Reading) -> Dataset:
    """The dataset in a COCO file. Raises `SourceError` for what is not COCO at all."""
    file = _File(source, options, reading)
    return Samples(file.samples, file.ontology, file.info)


class _File:
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
        return Ontology(categories=tuple(self._categories_needed()))

    def _categories_needed(self) -> Categories:
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
        data = self._categories_at_end()
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
        try:
            msgspec.json.decode(data, type=list[msgspec.Raw])
        except msgspec.DecodeError as error:
            raise SourceError(f"{path}: a list expected at /categories: {error}") from None
        self.categories = read_categories(data, self.reading, self.options.class_key, path)

    def _categories_at_end(self) -> bytes | None:
        """COCO's own order has the categories last, where they are found without a pass."""
        with self.source.open() as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 16 * PEEK_BYTES))
            tail = file.read()
        at = tail.rfind(b'"categories"')
        if at < 0:
            return None
        try:
            # All that follows must be the rest of the top-level object: then this is its member.
            rest = msgspec.json.decode(b"{" + tail[at:], type=dict[str, msgspec.Raw])
        except msgspec.DecodeError:
            return None
        return bytes(rest["categories"])

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
                raise SourceError(
                    f"{self.source.name}: a COCO file expected, which starts with {{ or [; "
                    f"{'an empty file' if not start else repr(start.decode(errors='replace'))} found"
                )

    def _ground_truth(self, walker: Walker) -> Iterator[Sample]:
        pictures = Pictures()
        pending: list[int] = []
        seen: set[str] = set()
        stream = _Annotations(self, pictures)
        for name in walker.members():
            if name in seen:
                place = Where(path=self.source.name, pointer="/" + name)
                self.reading.report.add(codes.KEY_REPEATED, place, key=name)
            seen.add(name)
            if name == "images":
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
                self.info[f"coco:{name}"] = _decoded(walker.value())
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

    def _results(self, walker: Walker) -> Iterator[Sample]:
        """A results list has neither pictures nor categories; they come with the option."""
        pictures = Pictures()
        if self.options.categories is not None:
            given = Source(self.options.categories)
            with given.open() as file:
                skip_mark(file, given.name)
                beside = Walker(file, given.name)
                for name in beside.members():
                    if name == "images":
                        read_pictures(beside, pictures, self.reading, given.name)
                    else:
                        _skip(beside)
        self._categories_needed()
        stream = _Annotations(self, pictures, results=True)
        yield from stream.samples(walker)
        yield from stream.rest()


class _Annotations:
    """Turns annotation records into samples, in pieces or grouped, and accounts for each."""

    def __init__(self, file: _File, pictures: Pictures, *, results: bool = False) -> None:
        self.file = file
        self.pictures = pictures
        self.results = results
        self.options = file.options
        self.reading = file.reading
        self.report = file.reading.report
        self.path = file.source.name
        self.array = "" if results else "/annotations"
        self.kind: type = Annotation
        self.keep_extra = (
            file.reading.wanted.extra is None or "coco" in file.reading.wanted.extra
        )
        self.ids = Seen()
        self.captions: dict[int, int] = {}
        self.crowds = 0
        self.unread = 0
        self.fields: dict[str, int] = {"area": 0, "iscrowd": 0}

    def any_samples(self, walker: Walker) -> Iterator[Sample]:
        """The samples of an array of annotations, or of segments (panoptic)."""
        categories = self.file._categories_needed()
        if not panoptic.is_panoptic(self.file.source, walker.offset):
            yield from self.samples(walker)
            return
        context = panoptic.Context(
            source=self.file.source,
            folder=self.options.segments,
            shape=self.options.shape,
            crowd=self.options.crowd,
            pictures=self.pictures,
            categories=categories,
            report=self.report,
            keep_extra=self.keep_extra,
        )
        for row, made in panoptic.samples(walker, context):
            yield self._sample(row, made, [])
        self.crowds += context.crowds

    def samples(self, walker: Walker) -> Iterator[Sample]:
        if self.reading.wanted.pieces:
            for batch in walker.array(ANNOTATIONS):
                yield from self._pieces(batch)
        else:
            yield from self._grouped(walker)

    def rest(self) -> Iterator[Sample]:
        """Samples without annotations, and the sums that are told once."""
        pictures = self.pictures
        for row, used in enumerate(pictures.used):
            if not used and not pictures.refused(row):
                yield self._sample(row, [], [])
        if self.crowds and self.options.crowd == "keep":
            self.report.add(codes.CROWD_KEPT, Where(path=self.path), count=self.crowds)
        if self.unread:
            self.report.add(
                codes.SHAPE_NOT_READ,
                Where(path=self.path),
                count=self.unread,
                field="a segmentation",
                option=f"shape={self.options.shape}",
            )
        for name, count in self.fields.items():
            if count:
                self.report.field(f"coco:{name}", count)

    def _pieces(self, batch: Batch[AnnotationRecord]) -> Iterator[Sample]:
        """The batch as samples: neighbours of one picture together."""
        used = self.pictures.used
        current = -1
        gathered: list[Annotation] = []
        asked: list[Classification] = []
        raws: list[bytes] | None = None
        records: list[Any] = batch.values if batch.values is not None else batch.raws()
        plain = self._plain_reader()
        index = batch.index - 1
        for record in records:
            index += 1
            made: Annotation | Classification | None
            try:
                found = plain(record)
                row, made = self._made(record, index) if found is None else found
            except Unusable as problem:
                if raws is None:
                    raws = batch.raws()
                self._reject(problem, index, raws[index - batch.index])
                continue
            if row != current:
                used[row] = 1
                if gathered or asked:
                    yield self._sample(current, gathered, asked)
                    gathered, asked = [], []
                current = row
            if type(made) is Annotation:
                gathered.append(made)
            elif made is not None:
                asked.append(made)  # type: ignore[arg-type]
        if gathered or asked:
            yield self._sample(current, gathered, asked)

    def _plain_reader(
        self,
    ) -> Callable[[AnnotationRecord | bytes], tuple[int, Annotation] | None]:
        """A function that reads the records about which nothing has to be said.

        It says the same as `_made`, which reads every other record (None); it exists for speed,
        and a test compares the two.
        """
        shape_of = {"box": plain_box, "auto": plain_polygon, "polygon": plain_polygon}.get(
            self.options.shape
        )
        pictures = self.pictures
        rows, keys = pictures.rows, pictures.keys
        widths, heights = pictures.widths, pictures.heights
        categories = self.file._categories_needed().by_id
        account = self.report.ledger.annotations
        seen = self.ids.add
        box_only = self.options.shape == "box"
        fields = self.fields
        unusual = self.keep_extra or shape_of is None

        def plain(record: AnnotationRecord | bytes) -> tuple[int, Annotation] | None:
            if unusual or type(record) is not AnnotationRecord or record.iscrowd:
                return None
            row = rows.get(record.image_id)
            category = categories.get(record.category_id)  # type: ignore[arg-type]
            id = record.id
            if row is None or category is None or id is None or not keys[row]:
                return None
            if record.keypoints is not None or record.caption is not None:
                return None
            value = shape_of(record, widths[row], heights[row])  # type: ignore[misc]
            if value is None or seen(id):
                return None
            account.read += 1
            if box_only and record.segmentation is not ABSENT:
                self.unread += 1
            if record.area is not None:
                fields["area"] += 1
            return row, Annotation(str(id), category.name, value, (), record.score)

        return plain

    def _sample(
        self, row: int, annotations: list[Annotation], asked: list[Classification]
    ) -> Sample:
        pictures = self.pictures
        return Sample(
            pictures.keys[row],
            pictures.image(row),
            tuple(annotations),
            tuple(asked),
            (),
            None if row in pictures.without_uri else pictures.names[row],
            self.reading.keys.are_ids or row in pictures.with_data_row_id,
            pictures.extras[row],
        )

    # ------------------------------------------------------------------ one record

    def _where(self, index: int) -> Where:
        return Where(self.path, None, None, f"{self.array}/{index}")

    def _reject(self, problem: Unusable, index: int, raw: bytes) -> None:
        where = Where(self.path, None, None, f"{self.array}/{index}{problem.pointer}")
        kind = "annotations" if self.kind is not Classification else "classifications"
        self.report.reject(problem.code, where, raw, kind, **problem.values)

    def _made(
        self, record: AnnotationRecord | bytes, index: int
    ) -> tuple[int, Annotation | Classification | None]:
        """What a record says, with the row of its picture; None when an option skips it.

        Counts it as read. Raises `Unusable`.
        """
        account = self.report.ledger.annotations
        account.read += 1
        self.kind = Annotation
        others: dict[str, Any] = {}
        where = self._where(index)
        if isinstance(record, bytes):
            fields = fields_of(record)
            record = annotation_record(Lenient(fields, self.report, where))
            others = {k: v for k, v in fields.items() if k not in ANNOTATION_FIELDS}
        pictures = self.pictures
        if record.caption is not None and record.category_id is None:
            account.read -= 1
            self.report.ledger.classifications.read += 1
            self.kind = Classification
        row = pictures.rows.get(record.image_id)
        if row is None:
            row = self._picture(record)
        if pictures.keys[row] == "":
            raise Unusable(
                codes.REFERENCE_DANGLING,
                "/image_id",
                field="image_id",
                value=shown(record.image_id),
                known="usable images (this one was refused)",
            )
        if self.kind is Classification:
            return row, self._caption(row, record, others)
        if record.iscrowd:
            self.crowds += 1
            if self.options.crowd == "skip":
                account.skipped += 1
                return row, None
        category = self._category(record)
        value = self._value(record, category, row, where)
        identity = self._identity(record, index, where)
        extra = self._extra(record, others)
        return row, Annotation(identity, category.name, value, (), record.score, extra)

    def _picture(self, record: AnnotationRecord) -> int:
        row = self.pictures.find(record.image_id)
        if row is not None:
            return row
        if self.results and self.options.categories is None or not self.pictures.rows:
            return self._unlisted(record.image_id)
        raise Unusable(
            codes.REFERENCE_DANGLING,
            "/image_id",
            field="image_id",
            value=shown(record.image_id),
            known="images",
        )
    def _unlisted(self, id: Id) -> int:
        """A picture that only results mention: its id is all that is known of it."""
        key, problem = self.reading.keys.key("", str(id), {})
        if key is None:
            code, values = problem  # type: ignore[misc]
            raise Unusable(code, "/image_id", **values)
        self.report.ledger.samples.read += 1
        self.pictures.add(id, key, str(id), (0.0, 0.0), {"coco:id": id} if self.keep_extra else {})
        return len(self.pictures.keys) - 1

    def _category(self, record: AnnotationRecord) -> Category:
        categories = self.file._categories_needed()
        id = record.category_id
        category = None if id is None else categories.find(id)
        if category is None:
            raise Unusable(
                codes.REFERENCE_DANGLING,
                "/category_id",
                field="category_id",
                value=shown(id),
                known="categories"
                if categories.by_id
                else "categories, since there are none; pass -O categories=FILE",
            )
        return category

    def _identity(self, record: AnnotationRecord, index: int, where: Where) -> str:
        """The annotation's id as text; results have none, so their place in the list serves."""
        if record.id is None:
            return str(index)
        identity = str(record.id)
        if self.ids.add(record.id):
            renamed = f"{identity}@{index}"
            self.report.add(
                codes.ANNOTATION_ID_DUPLICATE, where, value=identity, renamed=renamed
            )
            return renamed
        return identity

    def _value(
        self, record: AnnotationRecord, category: Category, row: int, where: Where
    ) -> Value:
        picture = Picture(self.pictures.widths[row], self.pictures.heights[row])
        shape: Outline | None = outline(
            record, picture, self.options.shape, self.report, where
        )
        if self.options.shape == "box":
            self.unread += record.segmentation is not ABSENT
        elif record.keypoints:
            points: Keypoints | None = skeleton(record.keypoints, category.keypoints, shape)
            if points is not None:
                return points
        if shape is None:
            raise Unusable(
                codes.SHAPE_INVALID,
                "",
                found="neither a box nor an outline nor labelled keypoints",
            )
        return shape

    def _extra(self, record: AnnotationRecord, others: dict[str, Any]) -> Extra:
        """What the model has no place for: kept where somebody writes it, else counted."""
        fields = self.fields
        if not self.keep_extra:
            if record.area is not None:
                fields["area"] += 1
            if record.iscrowd:
                fields["iscrowd"] += 1
            for name in others:
                fields[name] = fields.get(name, 0) + 1
            return {}
        extra: Extra = {f"coco:{name}": value for name, value in others.items()}
        if record.area is not None:
            extra["coco:area"] = record.area
        if record.iscrowd:
            extra["coco:iscrowd"] = 1
        if isinstance(record.id, str):
            extra["coco:id"] = record.id
        if record.bbox is not None and record.segmentation is not ABSENT:
            extra["coco:bbox"] = list(record.bbox)
        if record.caption is not None:
            extra["coco:caption"] = record.caption
        if record.num_keypoints is not None and not record.keypoints:
            extra["coco:num_keypoints"] = record.num_keypoints
        return extra

    def _caption(
        self, row: int, record: AnnotationRecord, others: dict[str, Any]
    ) -> Classification:
        """A picture's first caption answers `caption`, the next ones `caption 2` and so on.

        `question` is what labelconv's writer adds to a text answer that is called otherwise.
        """
        number = self.captions.get(row, 0) + 1
        self.captions[row] = number
        name = self.options.caption if number == 1 else f"{self.options.caption} {number}"
        for field, value in others.items():
            if field == "question" and isinstance(value, str):
                name = value
            else:
                self.fields[field] = self.fields.get(field, 0) + 1
        return Classification(name, FreeText(record.caption or "", (), record.score))

    # ------------------------------------------------------------------ grouping

    def _grouped(self, walker: Walker) -> Iterator[Sample]:
        """Whole samples in the order of the pictures, by an index of where their records are."""
        rows, offsets, lengths = array("L"), array("Q"), array("L")
        for batch in walker.array(ANNOTATIONS):
            records: list[Any] = batch.values if batch.values is not None else batch.raws()
            for position, (offset, length) in enumerate(batch.places()):
                row = self._row_of(records[position])
                rows.append(row)
                offsets.append(offset)
                lengths.append(length)
        after = walker.offset
        order = by_row(rows, len(self.pictures.keys))
        next_row = 0
        with self.file.source.open() as file:
            for row, indexes in order:
                yield from self._without_annotations(next_row, row)
                next_row = row + 1
                annotations: list[Annotation] = []
                asked: list[Classification] = []
                for index in indexes:
                    file.seek(offsets[index])
                    raw = file.read(lengths[index])
                    made = self._made_or_rejected(raw, index)
                    if type(made) is Annotation:
                        annotations.append(made)
                    elif made is not None:
                        asked.append(made)  # type: ignore[arg-type]
                self.pictures.used[row] = 1
                if not self.pictures.refused(row):
                    yield self._sample(row, annotations, asked)
        yield from self._without_annotations(next_row, len(self.pictures.keys))
        walker.seek(after)

    def _row_of(self, record: AnnotationRecord | bytes) -> int:
        """The row of a record's picture; 0 for what will be rejected when its turn comes."""
        try:
            if isinstance(record, bytes):
                record = annotation_record(Lenient(fields_of(record), Report(), Where()))
            return self._picture(record)
        except Unusable:
            return 0

    def _made_or_rejected(self, raw: bytes, index: int) -> Annotation | Classification | None:
        try:
            record: AnnotationRecord | bytes = ANNOTATION.decode(raw)
        except msgspec.DecodeError:
            record = raw
        try:
            return self._made(record, index)[1]
        except Unusable as problem:
            self._reject(problem, index, raw)
            return None

    def _without_annotations(self, start: int, end: int) -> Iterator[Sample]:
        for row in range(start, end):
            if not self.pictures.used[row] and not self.pictures.refused(row):
                self.pictures.used[row] = 1
                yield self._sample(row, [], [])


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
    except ValueError:
        return data.decode("utf-8", "replace")
