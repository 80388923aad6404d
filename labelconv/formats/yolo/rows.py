"""Rows of label files, each rejected alone where it cannot be read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from labelconv import codes, fractions
from labelconv.format import Reading
from labelconv.formats.yolo.deciding import Decision
from labelconv.formats.yolo.description import Description
from labelconv.formats.yolo.meanings import (
    Meaning,
    expectation,
    meaning,
    numbers,
    text,
)
from labelconv.fractions import Bad
from labelconv.model import Annotation, Box
from labelconv.problems import Where

_WORD = re.compile(rb"\S+")
MARK = b"\xef\xbb\xbf"
#: Ids of annotations: the numbers of their lines.
_IDS = [str(number) for number in range(2_000)]


class Rows:
    """Makes annotations of label files.

    `settle` gives a decision by all rows of the dataset when a row is met that has no meaning
    without; never if the decision is `final`.
    """

    def __init__(
        self,
        described: Description,
        reading: Reading,
        decision: Decision | None,
        settle: Callable[[], Decision],
        *,
        final: bool,
        skip_duplicates: bool,
    ) -> None:
        self._report = reading.report
        self._account = reading.report.ledger.annotations
        self._described = described
        self._decision = decision
        self._final = final
        self._settle = settle
        self._skip = skip_duplicates
        wanted = reading.wanted.extra
        self._keeps_tracks = wanted is None or "yolo" in wanted
        self._names = {str(number).encode(): name for number, name in described.names.items()}
        self._numbers = {str(n).encode(): n for n in described.names}
        self._meanings: dict[int, Meaning | None] = {5: Meaning("box", 5)}
        self._points: dict[int, tuple[str, ...]] = {}
        self.settled = False
        self.made = 0
        self.others = 0
        self.duplicates = 0
        self.duplicate_files = 0

    def read(self, data: bytes, path: str, width: float, height: float) -> list[Annotation]:
        """The annotations of one file. Bad rows are rejected, each alone."""
        rows = self._lines(data, path)
        annotations: list[Annotation] = []
        append = annotations.append
        names = self._names
        read = 0
        odd = b"_" in data  # which Python takes for part of a number
        seen: set[bytes] | None = set() if self._skip else None
        for number, row in enumerate(rows, 1):
            fields = row.split()
            if seen is not None and fields:
                if row in seen:
                    read += 1
                    self._account.skipped += 1
                    continue
                seen.add(row)
            if len(fields) != 5 or odd:
                if fields:
                    read += 1
                    annotation = self._row(row, fields, number, path, width, height)
                    if annotation is not None:
                        append(annotation)
                continue
            read += 1
            try:
                x = float(fields[1]) * width
                y = float(fields[2]) * height
                half_width = float(fields[3]) * width / 2
                half_height = float(fields[4]) * height / 2
                category = names[fields[0]]
            except (ValueError, KeyError):
                category = ""
            else:
                x0 = x - half_width
                y0 = y - half_height
                x1 = x + half_width
                y1 = y + half_height
            if category and 0.0 <= x0 <= x1 <= width and 0.0 <= y0 <= y1 <= height:
                id = _IDS[number] if number < 2_000 else str(number)
                append(Annotation(id, category, Box(x0, y0, x1, y1)))
                continue
            annotation = self._row(row, fields, number, path, width, height)
            if annotation is not None:
                append(annotation)
        self._account.read += read
        self.made += len(annotations)
        return annotations

    def _lines(self, data: bytes, path: str) -> list[bytes]:
        if data[:3] == MARK:
            data = data[3:]
            self._report.add(codes.ENCODING_MARK, Where(path))
        rows = data.splitlines()
        if len(set(rows)) < len(rows):
            self._count_duplicates(rows)
        return rows

    def _count_duplicates(self, rows: list[bytes]) -> None:
        filled = [row for row in rows if row.strip()]
        repeated = len(filled) - len(set(filled))
        self.duplicates += repeated
        self.duplicate_files += repeated > 0

    def _row(
        self,
        row: bytes,
        fields: list[bytes],
        number: int,
        path: str,
        width: float,
        height: float,
    ) -> Annotation | None:
        """One row, carefully; None when it is rejected."""
        try:
            return self._annotation(fields, number, path, width, height)
        except Bad as bad:
            found = list(_WORD.finditer(row))
            column = found[bad.at].start() + 1 if bad.at < len(found) else len(row) + 1
            values: dict[str, Any] = bad.values
            self._report.reject(bad.code, Where(path, number, column), row, **values)
            return None

    def _annotation(
        self, fields: list[bytes], number: int, path: str, width: float, height: float
    ) -> Annotation:
        meaning = self._meaning(fields)
        index = self._class(fields[0])
        values = numbers(fields, 1, meaning.end)
        confidence = self._confidence(fields, meaning.conf)
        place = Where(path, number)
        value: Any
        frame = fractions.Frame(width, height, self._report, place)
        try:
            if meaning.kind == "box":
                value = fractions.box(values, frame)
            elif meaning.kind == "polygon":
                value = fractions.polygon(values, frame)
            elif meaning.kind == "corners":
                value = fractions.corners(values, frame)
            else:
                value = self._skeleton(values, index, frame)
        except Bad as bad:
            bad.at += 1  # the class stands before the numbers
            raise
        if meaning.kind != "box":
            self.others += 1
        extra = {}
        if meaning.track is not None:
            (track,) = numbers(fields, meaning.track, meaning.track + 1)
            if track != int(track):
                raise Bad(
                    codes.RECORD_MALFORMED,
                    meaning.track,
                    expected="a whole number as the track id",
                    found=text(fields[meaning.track]),
                )
            if self._keeps_tracks:
                extra = {"yolo:track": int(track)}
            else:
                self._report.field("yolo:track")
        name = self._described.names[index]
        return Annotation(str(number), name, value, (), confidence, extra)

    # ------------------------------------------------------------------------------- meanings

    def _meaning(self, fields: list[bytes]) -> Meaning:
        length = len(fields)
        known = self._meanings.get(length)
        if known is None and length not in self._meanings:
            known = self._look_up(length)
        if known is None:
            assert self._decision is not None
            raise Bad(
                codes.RECORD_MALFORMED,
                min(length, 5),
                expected=expectation(self._decision, self._keypoints),
                found=f"{length} words" if length > 1 else "1 word",
            )
        return known

    def _look_up(self, length: int) -> Meaning | None:
        found = None
        if self._decision is not None:
            found = meaning(length, self._decision, self._keypoints)
        if found is None and not self._final:
            self._decision, self._final, self.settled = self._settle(), True, True
            found = meaning(length, self._decision, self._keypoints)
            self._meanings = {5: self._meanings[5]}
        self._meanings[length] = found
        return found

    @property
    def _keypoints(self) -> int:
        shape = self._described.kpt_shape or (0, 0)
        return shape[0] * shape[1]

    def _class(self, word: bytes) -> int:
        index = self._numbers.get(word)
        if index is not None:
            return index
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value != math.floor(value) or b"_" in word:
            raise Bad(
                codes.RECORD_MALFORMED, 0, expected="a whole number as the class", found=text(word)
            )
        index = int(value)
        if index not in self._described.names:
            known = self._described.names
            listed = f"{len(known)} classes ({min(known)} to {max(known)})" if known else "classes"
            raise Bad(codes.REFERENCE_DANGLING, 0, field="class", value=index, known=listed)
        return index

    def _confidence(self, fields: list[bytes], at: int | None) -> float | None:
        if at is None:
            return None
        (confidence,) = numbers(fields, at, at + 1)
        if not 0 <= confidence <= 1:
            raise Bad(
                codes.RECORD_MALFORMED,
                at,
                expected="a confidence from 0 to 1",
                found=text(fields[at]),
            )
        return confidence

    def _skeleton(self, values: list[float], index: int, frame: fractions.Frame) -> Any:
        assert self._described.kpt_shape is not None
        names = self._points.get(index)
        if names is None:
            names = self._points[index] = self._described.keypoints(index)
        dims = self._described.kpt_shape[1]
        value, unsure = fractions.skeleton(values, names, dims, frame)
        if unsure:
            self._report.field("yolo:keypoint confidence", unsure)
        return value
