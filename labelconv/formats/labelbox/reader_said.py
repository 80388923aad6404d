"""What one line of a MAL file says, counted; or why it is rejected, in its place."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from labelconv import codes
from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.reader_files import File, Spot, any_line, kind_of
from labelconv.formats.labelbox.reader_lenient import lenient_line
from labelconv.formats.labelbox.reader_lines import Lines
from labelconv.formats.labelbox.reader_media import Made, MediaLines
from labelconv.formats.labelbox.reader_rows import Rows, identity
from labelconv.formats.labelbox.reader_whole import kind_of_line, too_deep
from labelconv.formats.labelbox.records import Line
from labelconv.formats.labelbox.wire import fault
from labelconv.formats.labelbox.writer_answers import answer_id
from labelconv.identity import Names
from labelconv.model import Annotation, Classification, Media, Relation
from labelconv.problems import Report, Where


class Said:
    """Makes annotations, answers and relations of lines, and counts them.

    `suspects` are hashes of uuids that several lines may have.
    """

    def __init__(
        self, files: list[File], rows: Rows, lines: Lines, media: MediaLines, report: Report
    ) -> None:
        self._files = files
        self._rows = rows
        self._lines = lines
        self._media = media
        self._report = report
        self.suspects: Collection[int] = ()
        self._first_lines: dict[tuple[int, str], int] = {}
        self._made_ids = Names()

    def by_older_rules(self, spot: Spot, row: int | None = None) -> Line | None:
        """A line that today's rules refuse; None when older ones do too and it is rejected.

        `row` is its data row, where that is known.
        """
        try:
            return any_line(spot.raw)
        except Fault as problem:
            kind = kind_of(spot.raw)
            getattr(self._report.ledger, kind).read += 1
            self.reject(problem, spot, kind, row)
            return None

    def made(
        self, line: Line, row: int, spot: Spot, id: str | None, odd: bool
    ) -> Annotation | Classification | Relation | None:
        """What a line says, counted; None when it was rejected. `odd`: by older rules only."""
        kind = kind_of_line(line)
        getattr(self._report.ledger, kind).read += 1
        try:
            return self._usable(line, row, spot, id, odd)
        except Fault as problem:
            self.reject(problem, spot, kind, row)
        except RecursionError:
            self.reject(too_deep(), spot, kind, row)
        return None

    def made_of_media(
        self, line: Line, row: int, spot: Spot, id: str | None, odd: bool, media: Media
    ) -> list[Made]:
        """What a line says about other media than pictures, counted; nothing when rejected."""
        kind = kind_of_line(line)
        account = getattr(self._report.ledger, kind)
        account.read += 1
        made: list[Made] = []
        try:
            line, where = self._checked(line, row, spot, odd)
            folder = self._files[spot.file].folder
            made = self._media.made(line, id or f"line {spot.number}", where, folder, media)
            for each in made:
                if isinstance(each, Classification):
                    self._count_answer(each, row, id)
        except Fault as problem:
            self.reject(problem, spot, kind, row)
            return []
        except RecursionError:
            self.reject(too_deep(), spot, kind, row)
            return []
        account.read += len(made) - 1
        for each in made:
            if isinstance(each, Fault):
                self.reject(each, spot, kind, row)
        return [each for each in made if not isinstance(each, Fault)]

    def _usable(
        self, line: Line, row: int, spot: Spot, id: str | None, odd: bool
    ) -> Annotation | Classification | Relation:
        """What a line says; raises `Fault`."""
        line, where = self._checked(line, row, spot, odd)
        folder = self._files[spot.file].folder
        made = self._lines.made(line, id or f"line {spot.number}", where, folder)
        if isinstance(made, Classification):
            self._count_answer(made, row, id)
        return made

    def _checked(self, line: Line, row: int, spot: Spot, odd: bool) -> tuple[Line, Where]:
        """A line by today's rules or older ones, and its place; raises `Fault`."""
        path = self._files[spot.file].source.name
        where = Where(path, spot.number, None, None, self._rows.keys[row])
        problem = self._rows.refused.get(row)
        if problem is not None:
            raise Fault(problem[0], "/dataRow", **problem[1])
        if odd or fault(line) is not None:
            # Once more, now that the notes about it may be told.
            line = lenient_line(self._report, where, spot.raw)
        return line, where

    def _count_answer(self, made: Classification, row: int, id: str | None) -> None:
        """Raise `Fault` for a second answer to one question."""
        asked = answer_id(made)
        if not made.ranges and self._rows.answered(row, asked):
            value = f"{made.name!r} of this data row"
            first = "an earlier line"
            raise Fault(codes.ID_DUPLICATE, "", field="question", value=value, first=first)
        # Answers have no id in the model; the writer makes this one again.
        if id not in (None, self._made_ids.uuid(self._rows.keys[row], f"answer:{asked}")):
            self._report.field("labelbox:uuid (of answers)")

    def told_apart(self, made: Annotation, row: int, spot: Spot) -> Annotation:
        """The annotation, under another id when its data row has one of that id already."""
        if self.suspects and hash(made.id.encode()) in self.suspects:
            first = self._first_lines.setdefault((row, made.id), spot.number)
            if first != spot.number:
                return self.renamed(made, row, spot)
        return made

    def renamed(self, made: Annotation, row: int, spot: Spot) -> Annotation:
        path = self._files[spot.file].source.name
        where = Where(path, spot.number, None, "/uuid", self._rows.keys[row])
        id = f"{made.id}@{spot.number}"
        self._report.add(codes.ANNOTATION_ID_DUPLICATE, where, value=made.id, renamed=id)
        return msgspec.structs.replace(made, id=id)

    def joined(self, row: int, ends: set[str], relation: Relation, spot: Spot) -> Relation | None:
        """The relation with its ends as annotation ids; None when one is not there."""
        found = []
        for name, end in (("source", relation.source), ("target", relation.target)):
            id = identity(end)
            if id is None or id not in ends:
                problem = Fault(codes.RELATION_END_MISSING, f"/relationship/{name}", missing=end)
                self.reject(problem, spot, "relations", row)
                return None
            found.append(id)
        return msgspec.structs.replace(relation, source=found[0], target=found[1])

    def reject(self, problem: Fault, spot: Spot, kind: str, row: int | None) -> None:
        key = None if row is None else self._rows.keys[row]
        path = self._files[spot.file].source.name
        where = Where(path, spot.number, None, problem.pointer, key)
        self._report.reject(problem.code, where, spot.raw, kind, **problem.values)
