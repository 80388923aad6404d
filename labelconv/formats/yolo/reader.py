"""Reads YOLO datasets: files are listed once, label files are read one by one as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labelconv import codes
from labelconv.errors import OptionError, SourceError, reason_of
from labelconv.format import Reading
from labelconv.formats.yolo import classes
from labelconv.formats.yolo.deciding import Decision, content, count, decide, infer_kpt_shape
from labelconv.formats.yolo.description import Description, kpt_shape
from labelconv.formats.yolo.layout import (
    SIZES_NAME,
    Layout,
    Split,
    describe,
    lay_out,
)
from labelconv.formats.yolo.options import YoloReaderOptions
from labelconv.formats.yolo.places import Item
from labelconv.formats.yolo.rows import Rows
from labelconv.formats.yolo.sizes import Known, read_sizes
from labelconv.io import Source
from labelconv.media import Size
from labelconv.model import Annotation, Dataset, Extra, Image, Sample, Samples
from labelconv.problems import Code, Report, Where
from labelconv.spelling import stem_of


def read(source: Source, options: YoloReaderOptions, reading: Reading) -> Dataset:
    """The samples of a YOLO dataset.

    Raises `SourceError` when there is nothing to read or the classes have no names, `OptionError`
    when keypoints have no shape.
    """
    folder, described = describe(source, options.names)
    dataset = _Dataset(folder, described, options, reading)
    dataset.prepare()
    ontology = described.ontology(pose=dataset.task == "pose", classify=dataset.task == "classify")
    return Samples(dataset.samples, ontology, described.info)


class _Dataset:
    """One dataset on disk."""

    def __init__(
        self, folder: Path, described: Description, options: YoloReaderOptions, reading: Reading
    ) -> None:
        self._folder = folder
        self._described = described
        self._options = options
        self._reading = reading
        self._layout: Layout | None = None
        self._decision: Decision | None = None
        self.task: str | None = None if options.task == "auto" else options.task
        self._columns: str | None = None if options.columns == "auto" else options.columns
        self._guessed: list[tuple[str, str]] = []

    @property
    def layout(self) -> Layout:
        """The files, listed when first asked for."""
        if self._layout is None:
            self._layout = lay_out(self._folder, self._described, self._options.split)
        return self._layout

    def prepare(self) -> None:
        """Find out what has to be known before the first sample: task, if said, and names."""
        described = self._described
        if self.task is None:
            self.task = described.task or ("pose" if described.kpt_shape else None)
        if self._columns is None:
            self._columns = described.columns
        if self._options.kpt_shape is not None:
            described.kpt_shape = kpt_shape(self._options.kpt_shape, "the option kpt_shape")
        if self.task == "pose" and described.kpt_shape is None:
            self._infer_shape()
        unnamed = not described.names and described.file is None
        if self.task is None and unnamed:
            self._without_names()
        if self.task == "classify":
            if not described.names:
                described.names = classes.names(self.layout)
        elif unnamed:
            raise SourceError(
                f"{self._folder}: the names of the classes expected beside the labels "
                f"(data.yaml, classes.txt, obj.names), none found; give -O names=FILE"
            )

    def _infer_shape(self) -> None:
        found = infer_kpt_shape(self.layout.label_files())
        if found is None:
            raise OptionError(
                f"{self._folder}: keypoints and numbers for each expected as `kpt_shape`, which "
                f"the rows do not tell; give it, such as -O kpt_shape=17x3"
            )
        self._described.kpt_shape = found
        self._guessed.append(
            (f"kpt_shape={found[0]}x{found[1]}", "all rows have as many numbers as that needs")
        )

    def _without_names(self) -> None:
        """Classes of whole pictures need no file of names."""
        if self.layout.are_classes():
            self.task = "classify"
            self._guessed.append(
                ("task=classify", "pictures lie in folders, and there are no labels")
            )
            return
        decision = decide(count(self.layout.label_files()), None, self._columns, 0)
        if decision.task == "classify":
            self.task = "classify"
            self._guessed.extend(decision.words)

    def _settle(self) -> Decision:
        """What rows mean, from all of them; told with its evidence."""
        if self._decision is None:
            shape = self._described.kpt_shape or (0, 0)
            counted = count(self.layout.label_files())
            self._decision = decide(counted, self.task, self._columns, shape[0] * shape[1])
        for what, evidence in self._decision.words:
            hint = f"; -O {what.partition('=')[0]}=… reads them otherwise"
            self._reading.report.add(
                codes.CONVENTION_GUESSED, what=what, evidence=f"{evidence}{hint}"
            )
        return self._decision

    def _known_decision(self) -> tuple[Decision | None, bool]:
        """What rows mean as far as it is said, and whether that is all there is to it.

        In a dataset that a data.yaml describes, columns behind the coordinates are not expected,
        but looked for when a row has them.
        """
        if self.task is None:
            return None, False
        if self._columns is not None:
            return Decision(self.task, self._columns), True
        return (Decision(self.task, "none") if self.layout.named_by_yaml else None), False

    # -------------------------------------------------------------------------------- samples

    def samples(self) -> Iterator[Sample]:
        reading = self._reading
        reading.keys.restart()
        layout = self.layout
        self._tell(reading.report)
        if self.task == "classify":
            yield from classes.samples(layout, self._known_sizes(), reading)
            return
        decision, final = self._known_decision()
        rows = Rows(
            self._described,
            reading,
            decision,
            self._settle,
            final=final,
            skip_duplicates=self._options.duplicates == "skip",
        )
        made = _Samples(layout, rows, self._known_sizes(), reading)
        layout.repeated, layout.shared = 0, []
        for split in layout.splits:
            yield from made.of(split)
        self._tell_after(rows)

    def _known_sizes(self) -> dict[str, Known]:
        return read_sizes(Path(self.layout.root) / SIZES_NAME)

    def _tell(self, report: Report) -> None:
        layout = self.layout
        self._described.complain(report)
        for what, evidence in (*self._guessed, *layout.guesses):
            report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)
        for name, place in layout.missing:
            where = Where(str(self._described.file), pointer=f"/{name}")
            report.add(codes.FILE_MISSING, where, file=place)

    def _tell_after(self, rows: Rows) -> None:
        report = self._reading.report
        layout = self.layout
        if layout.repeated:
            report.add(
                codes.CONVENTION_GUESSED,
                what="a picture is read with the first split that has it",
                evidence=f"{layout.repeated} pictures are in several splits",
            )
        if layout.shared:
            report.add(
                codes.CONVENTION_GUESSED,
                Where(layout.shared[0]),
                what="the labels are read for each picture",
                evidence=f"{len(layout.shared)} label files belong to several pictures of one name "
                f"with different extensions",
            )
        boxes = rows.made - rows.others
        if self.task is None and rows.made and not rows.settled:
            what, evidence = "task=detect", f"all {rows.made} rows have 5 numbers"
            report.add(codes.CONVENTION_GUESSED, what=what, evidence=evidence)
        elif rows.others and boxes:
            report.add(
                codes.CONVENTION_GUESSED,
                what="rows of 5 numbers are boxes",
                evidence=f"{boxes} of them are among {rows.others} others",
            )
        if rows.duplicates:
            kept = self._options.duplicates == "keep"
            choice = "kept; -O duplicates=skip leaves them out" if kept else "left out"
            report.add(
                codes.CONVENTION_GUESSED,
                what=f"rows that stand twice are {choice}",
                evidence=f"{rows.duplicates} rows in {rows.duplicate_files} files repeat another",
            )


class _Samples:
    """Makes samples of items."""

    def __init__(
        self, layout: Layout, rows: Rows, sizes: dict[str, Known], reading: Reading
    ) -> None:
        self._layout = layout
        self._rows = rows
        self._sizes = sizes
        self._reading = reading
        wanted = reading.wanted.extra
        self._keeps_split = wanted is None or "yolo" in wanted
        self._media: dict[tuple[float, float], Image] = {}
        self._seen: set[str] = set()

    def of(self, split: Split) -> Iterator[Sample]:
        """The samples of a split."""
        reading = self._reading
        report, keys, ledger = reading.report, reading.keys, reading.report.ledger
        rows = self._rows
        extra: Extra = {}
        told = split.name is not None and (len(self._layout.splits) > 1 or split.name != "train")
        if told and self._keeps_split:
            extra = {"yolo:split": split.name}
        uncounted = told and not extra
        fields = {"split": split.name or ""}
        for item in self._layout.items(split, self._seen):
            ledger.samples.read += 1
            if uncounted:
                report.field("yolo:split")
            name, uri, size = self._sized(item)
            if not isinstance(size, Image):
                self._reject(item, name, *size)
                continue
            key, problem = keys.key(name, stem_of(name), fields)
            if key is None:
                assert problem is not None  # keys give one or the other
                self._reject(item, name, *problem)
                continue
            annotations: list[Annotation] = []
            if item.labels is not None:
                try:
                    data = content(item.labels)
                except (FileNotFoundError, NotADirectoryError):
                    data = b""
                except OSError as error:
                    reason = reason_of(error)
                    values: dict[str, object] = {
                        "expected": "a label file that can be read",
                        "found": reason,
                    }
                    self._reject(item, name, codes.RECORD_MALFORMED, values)
                    continue
                if data:
                    width, height = size.width or 0.0, size.height or 0.0
                    annotations = rows.read(data, item.labels, width, height)
            yield Sample(
                key,
                size,
                tuple(annotations),
                (),
                (),
                uri,
                keys.are_ids,
                dict(extra) if extra else {},
            )

    def _sized(self, item: Item) -> tuple[str, str, Image | tuple[Code, dict[str, object]]]:
        """(name, address, media or what is wrong) of a picture."""
        name, uri, media = item.name, item.uri, self._reading.media
        if item.picture is None:  # it is looked for by the name of the label file
            found = media.find(name)
            if not isinstance(found, Path):
                return name, name, self._media_of(media.size(name))
            folder, slash, _ = name.rpartition("/")
            name = f"{folder}{slash}{found.name}"
            return name, name, self._media_of(media.size(name, found))
        known = self._sizes.get(uri)
        if known is not None:
            return known.key or name, uri, self._image(known.width, known.height)
        size = media.size(name, item.picture)
        if not isinstance(size, Size) and size[0] is codes.MEDIA_MISSING:
            size = media.size(name)
        return name, uri, self._media_of(size)

    def _media_of(
        self, found: Size | tuple[Code, dict[str, object]]
    ) -> Image | tuple[Code, dict[str, object]]:
        if not isinstance(found, Size):
            return found
        return self._image(float(found.width), float(found.height))

    def _image(self, width: float, height: float) -> Image:
        image = self._media.get((width, height))
        if image is None:
            image = self._media[width, height] = Image(width, height)
        return image

    def _reject(self, item: Item, name: str, code: Code, values: dict[str, object]) -> None:
        """Leave a sample out with its rows."""
        report = self._reading.report
        data = b""
        if item.labels is not None:
            try:
                data = content(item.labels)
            except OSError:
                data = b""
        rows = sum(1 for row in data.splitlines() if row.strip())
        report.ledger.annotations.read += rows
        report.ledger.annotations.rejected += rows
        where = Where(item.labels or item.picture, sample=name)
        report.reject(code, where, data, "samples", **values)


__all__ = ["read"]
