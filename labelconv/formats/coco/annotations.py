"""COCO's annotation records → samples, in pieces or grouped, each record accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from labelconv import codes
from labelconv.formats.coco import grouped, panoptic, sharing
from labelconv.formats.coco.pictures import Pictures
from labelconv.formats.coco.shapes import Outline, outline, skeleton
from labelconv.formats.coco.usual import (
    NO_OTHERS,
    Others,
    Record,
    Usual,
    alone,
    extra_of,
    usual,
    with_others,
)
from labelconv.formats.coco.wire import (
    ABSENT,
    ANNOTATION_FIELDS,
    ANNOTATIONS,
    OUTLINED,
    REFUSED,
    AnnotationRecord,
    Id,
    Lenient,
    annotation_record,
    dangling,
    fields_of,
    shown,
)
from labelconv.identity import Seen
from labelconv.jsonstream import Batch, Walker
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
from labelconv.problems import Where
from labelconv.unusable import Unusable

if TYPE_CHECKING:
    from labelconv.formats.coco.reader import CocoFile


class Annotations:
    """Turns annotation records into samples, in pieces or grouped, and accounts for each."""

    def __init__(
        self,
        file: CocoFile,
        pictures: Pictures,
        *,
        results: bool = False,
        before: Callable[[], int] = lambda: 0,
    ) -> None:
        self.file = file
        self.pictures = pictures
        self.is_results = results
        #: How many elements of the array are before the first one that is read here.
        self.before = before
        #: Whether nothing was read yet that what comes is compared with.
        self.is_fresh = True
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

    @cached_property
    def usual(self) -> Usual:
        """How usual records are read, once the pictures are known."""
        return usual(self)

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
            yield self.sample(row, made, [])
        self.crowds += context.crowds

    def samples(self, walker: Walker) -> Iterator[Sample]:
        if self.reading.wanted.pieces:
            walker.enter()
            index = yield from sharing.samples(self, walker)
            self.is_fresh = False
            if index is not None:
                for batch in walker.elements(ANNOTATIONS, index):
                    yield from self.of_batch(batch)
        else:
            yield from grouped.samples(self, walker)
            self.is_fresh = False

    def rest(self) -> Iterator[Sample]:
        """Samples without annotations, and the sums that are told once."""
        pictures = self.pictures
        for row, used in enumerate(pictures.used):
            if not used and not pictures.refused(row):
                yield self.sample(row, [], [])
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

    def of_batch(self, batch: Batch[AnnotationRecord]) -> Iterator[Sample]:
        """The batch as samples in pieces: neighbours of one picture together."""
        used = self.pictures.used
        usual = self.usual
        current = -1
        gathered: list[Annotation] = []
        asked: list[Classification] = []
        raws: list[bytes] | None = None
        records: Sequence[Record]
        others: list[Others] | None = None
        if batch.values is not None:
            records = batch.values
        else:
            found = with_others(batch.piece)
            records, others = (list(map(alone, batch.raws())), None) if found is None else found
        index = batch.index - 1
        for record in records:
            index += 1
            made: Annotation | Classification | None
            beside = NO_OTHERS if others is None else others[index - batch.index]
            try:
                row, made = usual(record, beside) or self.made(record, index, beside)
            except Unusable as problem:
                if raws is None:
                    raws = batch.raws()
                self.reject(problem, index, raws[index - batch.index])
                continue
            if row != current:
                used[row] = 1
                if gathered or asked:
                    yield self.sample(current, gathered, asked)
                    gathered, asked = [], []
                current = row
            if type(made) is Annotation:
                gathered.append(made)
            elif isinstance(made, Classification):
                asked.append(made)
        if gathered or asked:
            yield self.sample(current, gathered, asked)

    def sample(
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
        return Where(self.path, None, None, f"{self.array}/{self.before() + index}")

    def reject(self, problem: Unusable, index: int, raw: bytes) -> None:
        pointer = f"{self.array}/{self.before() + index}{problem.pointer}"
        where = Where(self.path, None, None, pointer)
        kind = "annotations" if self.kind is not Classification else "classifications"
        self.report.reject(problem.code, where, raw, kind, **problem.values)

    def made(
        self, record: Record, index: int, others: Others
    ) -> tuple[int, Annotation | Classification | None]:
        """What a record says, with the row of its picture; None when an option skips it.

        Counts it as read. Raises `Unusable`.
        """
        account = self.report.ledger.annotations
        account.read += 1
        self.kind = Annotation
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
            row = self.picture(record)
        if pictures.refused(row):
            raise dangling("image_id", record.image_id, REFUSED)
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
        outlined = others.get(OUTLINED) is True
        if outlined:
            others = {name: each for name, each in others.items() if name != OUTLINED}
        value = self._value(record, category, row, where, outlined=outlined)
        identity = self._identity(record, index, where)
        extra = self._extra(record, others)
        return row, Annotation(identity, category.name, value, (), record.score, extra)

    def picture(self, record: AnnotationRecord) -> int:
        row = self.pictures.find(record.image_id)
        if row is not None:
            return row
        if self.unlisted:
            return self._unlisted(record.image_id)
        raise dangling("image_id", record.image_id, "images")

    def _unlisted(self, id: Id) -> int:
        """A picture that only results mention: its id is all that is known of it."""
        key, problem = self.reading.keys.key("", str(id), {})
        if key is None:
            assert problem is not None  # keys give one or the other
            raise Unusable(problem[0], "/image_id", **problem[1])
        self.report.ledger.samples.read += 1
        extra: Extra = {"coco:id": id} if self.keep_extra else {}
        head = Sample(key, Image(), uri=str(id), key_is_id=self.reading.keys.are_ids, extra=extra)
        return self.pictures.add(id, head)

    def _category(self, record: AnnotationRecord) -> Category:
        categories = self.file.categories_needed()
        id = record.category_id
        category = None if id is None else categories.find(id)
        if category is None:
            none = "categories, since there are none; pass -O categories=FILE"
            raise dangling("category_id", id, "categories" if categories.by_id else none)
        return category

    def _identity(self, record: AnnotationRecord, index: int, where: Where) -> str:
        """The annotation's id as text; results have none, so their place in the list serves."""
        if record.id is None:
            return str(self.before() + index)
        identity = str(record.id)
        if self.ids.add(record.id):
            renamed = f"{identity}@{self.before() + index}"
            self.report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=identity, renamed=renamed)
            return renamed
        return identity

    def _value(
        self,
        record: AnnotationRecord,
        category: Category,
        row: int,
        where: Where,
        *,
        outlined: bool,
    ) -> Value:
        picture = self.pictures.picture(row)
        shape: Outline | None = outline(record, picture, self.options.shape, self.report, where)
        if self.options.shape == "box":
            self.unread += record.segmentation is not ABSENT
        elif record.keypoints:
            points: Keypoints | None = skeleton(
                record.keypoints, category.keypoints, shape, outlined=outlined
            )
            if points is not None:
                return points
        if shape is None:
            raise Unusable(
                codes.SHAPE_INVALID,
                "",
                found="neither a box nor an outline nor labelled keypoints",
            )
        return shape

    def _extra(self, record: AnnotationRecord, others: Others) -> Extra:
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
        return extra_of(record, others)

    def _caption(self, row: int, record: AnnotationRecord, others: Others) -> Classification:
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
