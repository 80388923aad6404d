"""Reads Labelbox exports, a data row at a time: v2 by lines or as a list, v1 as a list of labels.

v2 has all labels of a data row together. v1 has a record for each label: a first look at the ids
tells which data rows have several, and only the labels of these wait for each other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from labelconv import codes
from labelconv.errors import OptionError
from labelconv.format import Reading
from labelconv.formats.labelbox_export.addressed import Addressed, Passes
from labelconv.formats.labelbox_export.answers import Answers
from labelconv.formats.labelbox_export.contents import Contents
from labelconv.formats.labelbox_export.labels import (
    Group,
    Label,
    Row,
    Spot,
    chosen,
    counted,
    is_v1,
    row_of,
    v1_row,
)
from labelconv.formats.labelbox_export.media import kind_of, last_of, media_of
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.formats.labelbox_export.pictures import Pictures
from labelconv.formats.labelbox_export.said import NAME, Maker, Said
from labelconv.formats.labelbox_export.shapes import Shapes
from labelconv.formats.labelbox_export.timed import Timed
from labelconv.io import Source
from labelconv.keys import Keys
from labelconv.model import Conversation, Dataset, Extra, Ontology, Sample, Samples, Text
from labelconv.problems import Report, Where
from labelconv.texts import Fault, Rows, records
from labelconv.usage import ontology_of

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class _V1Id(msgspec.Struct):
    """The one member of a record of export v1 that is needed first."""

    row: str | None = msgspec.field(name="DataRow ID", default=None)


_IDS: msgspec.json.Decoder[_V1Id] = msgspec.json.Decoder(_V1Id)


def read(source: Source, options: LabelboxExportReaderOptions, reading: Reading) -> Dataset:
    """The data rows of an export. Raises `SourceError` when it cannot be read, and `OptionError`
    for a project or a model run that it does not have."""
    passes = Passes()

    def samples() -> Iterator[Sample]:
        return _Run(source, options, reading, passes).samples()

    def ontology() -> Ontology:
        quiet = Reading(report=Report(), keys=Keys(), wanted=reading.wanted, media=reading.media)
        return ontology_of(_Run(source, options, quiet, passes, blind=True).samples())

    return Samples(samples, ontology)


class _Run:
    """One iteration over the records. A `blind` one decodes no masks."""

    def __init__(
        self,
        source: Source,
        options: LabelboxExportReaderOptions,
        reading: Reading,
        passes: Passes,
        *,
        blind: bool = False,
    ) -> None:
        self._source = source
        self._options = options
        self._report = reading.report
        self._keys = reading.keys
        self._rows = Rows(source, reading)
        wanted = reading.wanted.extra
        extra = not blind and (wanted is None or NAME in wanted)
        self._fields: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        addressed = Addressed(options, reading.media, passes)
        pictures = Pictures(addressed, blind=blind)
        self._contents = Contents(options, reading.media)
        shapes = Shapes(options, pictures, self._contents)
        answers = Answers(self._note)
        self._timed = Timed(shapes, answers)
        self._maker = Maker(
            report=self._report,
            path=source.name,
            shapes=shapes,
            answers=answers,
            timed=self._timed,
            addressed=addressed,
            note=self._note,
            left=self._left,
            extra=extra,
            frame_base=options.frame_base,
            group=options.group,
        )
        self._in_several = 0
        self._met: dict[str, str] = {}
        self._found = False

    def _note(self, name: str) -> None:
        self._fields[name] += 1

    # ------------------------------------------------------------------ records

    def samples(self) -> Iterator[Sample]:
        waiting: dict[str, list[tuple[dict[str, Any], Spot]]] = {}
        several: Counter[str] | None = None
        for value, spot in self._values():
            if is_v1(value):
                if several is None:
                    several = self._repeated()
                id = value.get("DataRow ID")
                if isinstance(id, str) and id in several:
                    gathered = waiting.setdefault(id, [])
                    gathered.append((value, spot))
                    if len(gathered) < several[id]:
                        continue
                    row = v1_row(waiting.pop(id))
                else:
                    row = v1_row([(value, spot)])
            else:
                try:
                    row = row_of(value, spot)
                except Fault as fault:
                    self._rows.malformed(spot.chunk, fault, spot.index)
                    continue
            sample = self._sample(row)
            if sample is not None:
                yield sample
        for rest in waiting.values():
            sample = self._sample(v1_row(rest))
            if sample is not None:
                yield sample
        self._tell()

    def _values(self) -> Iterator[tuple[Any, Spot]]:
        for chunk in records(self._source, _ANY, self._report):
            if chunk.values is not None:
                for index, value in enumerate(chunk.values):
                    yield value, Spot(chunk, index)
                continue
            try:
                value = _with_any_number(chunk.raw())
            except (ValueError, RecursionError) as error:
                found = str(error) if isinstance(error, ValueError) else "thousands of levels"
                self._rows.malformed(chunk, Fault("a JSON record", found))
                continue
            yield value, Spot(chunk, 0)

    def _repeated(self) -> Counter[str]:
        """The data rows that several labels of export v1 are about, and how many."""
        found: Counter[str] = Counter()
        for chunk in records(self._source, _IDS, Report()):
            found.update(each.row for each in chunk.values or () if each.row is not None)
        return Counter({id: count for id, count in found.items() if count > 1})

    # ------------------------------------------------------------------ samples

    def _sample(self, row: Row) -> Sample | None:
        self._report.ledger.samples.read += 1
        key, is_id = self._key(row)
        if key is None:
            self._leave_out([label for group in self._all(row) for label in group.labels], None)
            self._leave_out(row.skipped, None)
            return None
        self._leave_out(row.skipped, "they are marked as skipped")
        labels: list[Label] = []
        for group in self._groups(row):
            count = chosen(group.labels, self._options.label)
            labels += count
            if len(count) < len(group.labels):
                picked = {id(label) for label in count}
                rest = [label for label in group.labels if id(label) not in picked]
                self._leave_out(rest, f"other labels count (label={self._options.label})")
        kind = kind_of(row, labels, self._options.media)
        media = media_of(kind, row, labels)
        names = [key, row.global_key, row.external_id, last_of(row.row_data)]
        named = [name for name in dict.fromkeys(names) if name is not None]
        if isinstance(media, Text):
            media = self._contents.text(named, row.row_data)
        elif isinstance(media, Conversation):
            media = self._contents.conversation(named, row.row_data)
        address = row.row_data if isinstance(row.row_data, str) and "://" in row.row_data else None
        said = Said(self._maker, media, several=len(labels) > 1)
        for at, fault, part in row.faults:
            self._report.ledger.annotations.read += 1
            said.reject(fault, part, "annotations", at, row.spot)
        for label in labels:
            said.add(label)
        return Sample(
            key,
            media,
            tuple(said.annotations),
            tuple(said.classifications),
            tuple(said.relations),
            uri=address if self._options.uri else None,
            key_is_id=self._keys.are_ids if self._keys.renames else is_id,
            extra=self._extra(row, labels, key, None if self._options.uri else address),
        )

    def _key(self, row: Row) -> tuple[str | None, bool]:
        """The key and whether it is a data-row id; None where the row is rejected."""
        named = {"global_key": row.global_key, "external_id": row.external_id, "id": row.id}
        wanted = self._options.key
        order = ("global_key", "external_id", "id") if wanted == "auto" else (wanted,)
        used = next((name for name in order if named[name]), None)
        where = row.spot.chunk.where(self._source.name, row.spot.index)
        raw = row.spot.chunk.raw(row.spot.index)
        if used is None:
            expected = "a data row with " + (wanted if wanted != "auto" else "a key or an id")
            found = ", ".join(name for name, value in named.items() if value) or "none"
            self._rows.refuse(
                row.spot.chunk, Fault(expected, found, "/data_row"), row.spot.index, "samples"
            )
            return None, False
        path = str(named[used])
        fields: dict[str, object] = {}
        if self._keys.needs_fields:
            fields = {**row.told, **named, "data_row_id": row.id, "row_data": row.row_data}
        key, problem = self._keys.key(path, row.id or path, fields)
        if key is None:
            assert problem is not None  # for mypy: one of the two is
            code, values = problem
            self._report.reject(code, where, raw, "samples", **values)
        return key, used == "id"

    def _extra(self, row: Row, labels: list[Label], key: str, address: str | None) -> Extra:
        """What a data row has beside; counted where nobody wants it."""
        told = {name: said for name, said in row.told.items() if said not in (None, [], {}, "")}
        for name in ("global_key", "external_id"):
            value = getattr(row, name)
            if value is not None and value != key:
                told[name] = value
        if address is not None:
            told["row_data"] = address
        if row.id is not None and row.id != key:
            told["data_row_id"] = row.id
        details = [{**({"id": label.id} if label.id else {}), **label.details} for label in labels]
        if details:
            told["labels"] = details
        if not self._maker.extra:
            self._fields.update(told.keys())
            return {}
        return {f"{NAME}:{name}": said for name, said in told.items()}

    # ------------------------------------------------------------------ projects, model runs

    def _all(self, row: Row) -> list[Group]:
        return [*row.projects, *(group for part in row.runs.values() for group in part)]

    def _groups(self, row: Row) -> list[Group]:
        """The projects or model runs that are read; what the others say is skipped."""
        options = self._options
        wanted = options.project if options.model_run is None else options.model_run
        among = row.projects if options.model_run is None else row.runs.get(options.run_part, [])
        for group in among:
            self._met[group.id] = group.name
        taken = [group for group in among if wanted is None or wanted in (group.id, group.name)]
        self._found = self._found or bool(taken)
        picked = {id(group) for group in taken}
        for group in self._all(row):
            if id(group) in picked:
                continue
            if any(group is each for each in row.projects):
                reason = "they are of other projects than the one that is asked for"
                if options.model_run is not None:
                    reason = "a model run is asked for, they are of a project"
            else:
                reason = "they are of a model run (model_run=NAME, run_part=predictions|labels)"
            self._leave_out(group.labels, reason)
        self._in_several += sum(bool(group.labels) for group in taken) > 1
        return taken

    def _leave_out(self, labels: list[Label], reason: str | None) -> None:
        """Count what labels say as read and skipped, or without a reason as rejected."""
        ledger = self._report.ledger
        for label in labels:
            accounts = (ledger.annotations, ledger.classifications, ledger.relations)
            for account, count in zip(accounts, counted(label), strict=True):
                account.read += count
                if reason is None:
                    account.rejected += count
                else:
                    account.skipped += count
        if reason is not None and labels:
            self._left[reason] += len(labels)

    def _tell(self) -> None:
        """What is said once, at the end."""
        report, where = self._report, Where(path=self._source.name)
        options = self._options
        wanted = options.project if options.model_run is None else options.model_run
        if wanted is not None and self._met and not self._found:
            what = "project" if options.model_run is None else "model run"
            known = ", ".join(f"{name!r} ({id})" for id, name in sorted(self._met.items())[:10])
            raise OptionError(
                f"{self._source.name}: a {what} expected among {known}; {wanted!r} given"
            )
        for name, count in sorted(self._fields.items()):
            report.field(f"{NAME}:{name}", count)
        for reason, count in self._left.items():
            report.add(codes.SAMPLE_SKIPPED, where, count=count, reason=reason)
        self._contents.tell(report, where)
        for count, what, evidence in (
            (
                self._in_several,
                "data rows have labels in several projects",
                "all of them are read (-O project=NAME reads one)",
            ),
            (
                self._timed.filled,
                "segments begin or end in a frame that is not listed",
                "the object is put on its way there (interpolated_frames=true lists all)",
            ),
            (
                self._timed.outside,
                "frames are listed outside of the segments of their objects",
                "the objects are not to be seen there",
            ),
        ):
            if count:
                report.add(
                    codes.CONVENTION_GUESSED, where, what=f"{count} {what}", evidence=evidence
                )


def _with_any_number(raw: bytes) -> Any:
    """A record that msgspec refuses, perhaps for its numbers alone (NaN, 1e999), which are told
    where they stand. Raises `ValueError` or `RecursionError`."""
    value = json.loads(raw)
    # A surrogate that stands alone is no character; it would stop whoever writes it.
    json.dumps(value, ensure_ascii=False).encode()
    return value
