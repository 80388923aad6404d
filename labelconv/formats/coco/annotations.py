"""COCO's annotation records → samples, in pieces or grouped, each record accounted for."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from labelconv import codes
from labelconv.formats.coco import panoptic
from labelconv.formats.coco.pictures import Pictures
from labelconv.formats.coco.shapes import (
    Outline,
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
from labelconv.jsonstream import UNDECODABLE, Batch, Walker
from labelconv.model import (
    Annotation,
    Category,
    Classification,
    Extra,
    FreeText,
    Image,
    Keypoints,
    Sample,
    Value,
)
from labelconv.problems import Report, Where

if TYPE_CHECKING:
    from labelconv.formats.coco.reader import CocoFile


class Annotations:
    """Turns annotation records into samples, in pieces or grouped, and accounts for each."""

    def __init__(self, file: CocoFile, pictures: Pictures, *, results: bool = False) -> None:
        self.file = file
        self.pictures = pictures
        #: Results of which no list of pictures is known: each id makes its picture.
        self.unlisted = results and not pictures.rows
        self.options = file.options
        self.reading = file.reading
        self.report = file.reading.report
        self.path = file.source.name
        self.array = "" if results else "/annotations"
        self.kind: type = Annotation
        self.keep_extra = file.reading.wanted.extra is None or "coco" in file.reading.wanted.extra
        self.ids = Seen()
        self.captions: dict[int, int] = {}
        self.crowds = 0
        self.unread = 0
        self.fields: dict[str, int] = {"area": 0, "iscrowd": 0}
        self._plain = self._plain_reader()

    def any_samples(self, walker: Walker) -> Iterator[Sample]:
        """The samples of an array of annotations, or of segments (panoptic)."""
        categories = self.file.categories_needed()
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
        plain = self._plain
        current = -1
        gathered: list[Annotation] = []
        asked: list[Classification] = []
        raws: list[bytes] | None = None
        records: list[Any] = batch.values if batch.values is not None else batch.raws()
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
        if self.keep_extra or shape_of is None:
            return lambda record: None
        find_row, heads = self.pictures.rows.get, self.pictures.heads
        find_category = self.file.categories_needed().by_id.get
        account = self.report.ledger.annotations
        seen = self.ids.add
        box_only = self.options.shape == "box"
        fields = self.fields

        def plain(record: AnnotationRecord | bytes) -> tuple[int, Annotation] | None:
            if type(record) is not AnnotationRecord or record.iscrowd:
                return None
            row = find_row(record.image_id)
            category = find_category(record.category_id)  # type: ignore[arg-type]
            id = record.id
            if row is None or category is None or id is None:
                return None
            head = heads[row]
            if head is None or record.keypoints is not None or record.caption is not None:
                return None
            value = shape_of(record, head.media)  # type: ignore[arg-type]
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
        head = self.pictures.heads[row]
        assert head is not None
        return Sample(
            head.key,
            head.media,
            tuple(annotations),
            tuple(asked),
            (),
            head.uri,
            head.key_is_id,
            head.extra,
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
        if pictures.refused(row):
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
            if record.iscrowd != 1:
                raise Unusable(
                    codes.RECORD_MALFORMED,
                    "/iscrowd",
                    expected="iscrowd as 0 or 1",
                    found=shown(record.iscrowd),
                )
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
        if self.unlisted:
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
        extra: Extra = {"coco:id": id} if self.keep_extra else {}
        head = Sample(key, Image(), uri=str(id), key_is_id=self.reading.keys.are_ids, extra=extra)
        return self.pictures.add(id, head)

    def _category(self, record: AnnotationRecord) -> Category:
        categories = self.file.categories_needed()
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
            self.report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=identity, renamed=renamed)
            return renamed
        return identity

    def _value(self, record: AnnotationRecord, category: Category, row: int, where: Where) -> Value:
        picture = self.pictures.picture(row)
        shape: Outline | None = outline(record, picture, self.options.shape, self.report, where)
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
        count = len(self.pictures.heads)
        order = by_row(rows, max(count, 1))  # without any picture, all records wait in row 0
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
                if row < count and not self.pictures.refused(row):
                    self.pictures.used[row] = 1
                    yield self._sample(row, annotations, asked)
        yield from self._without_annotations(next_row, count)
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
        except UNDECODABLE:
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
