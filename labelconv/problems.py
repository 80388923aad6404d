"""Problems, where they are, and the ledger that accounts for everything read.

Nothing here raises on data and nothing here prints. A `Problem` has a stable code, a severity that
says who is hurt, a sentence and an exact place. The codes are declared in `labelconv.codes`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

Severity = Literal["error", "loss", "note"]

#: A report keeps this many problems of one code in full; the rest is counted.
KEEP_PER_CODE = 10_000


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of problem, declared once with its page.

    `id` is a letter and three digits: R1xx reading, M2xx values and geometry, O3xx ontology and
    names, L4xx what a target cannot hold, S5xx checks of a target's rules, K6xx keys.
    `message` is a template filled with the values given to `Report.add`.
    """

    id: str
    name: str
    severity: Severity
    message: str
    why: str
    do: str
    example: str


class Where(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place. Any part may be missing; `pointer` is an RFC 6901 JSON pointer (or an XML path).

    `line` and `column` count from 1. `sample` is a sample's key, `annotation` an annotation's id.
    """

    path: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    sample: str | None = None
    annotation: str | None = None

    def __str__(self) -> str:
        place = self.path or ""
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        if self.pointer is not None:
            place += f"#{self.pointer}"
        if self.sample is not None:
            place += f" [{self.sample}]"
        if self.annotation is not None:
            place += f" (annotation {self.annotation})"
        return place.strip()


class Problem(msgspec.Struct, frozen=True):
    """One thing that someone should know, with its place."""

    code: str
    severity: Severity
    message: str
    where: Where

    def __str__(self) -> str:
        place = str(self.where)
        sentence = f"{self.code} {self.message}"
        return f"{place}: {sentence}" if place else sentence


OUTCOMES = ("kept", "changed", "lost", "rejected", "skipped")
Outcome = Literal["kept", "changed", "lost", "rejected", "skipped"]


class Account(msgspec.Struct):
    """One row of the ledger: `read` is counted where the source is read, the outcomes where they
    are decided, so that `balanced` says something."""

    read: int = 0
    kept: int = 0
    changed: int = 0
    lost: int = 0
    rejected: int = 0
    skipped: int = 0

    @property
    def balanced(self) -> bool:
        return self.read == self.kept + self.changed + self.lost + self.rejected + self.skipped

    def move(self, source: Outcome, target: Outcome, count: int = 1) -> None:
        """Correct an outcome that was counted earlier in the pipeline."""
        setattr(self, source, getattr(self, source) - count)
        setattr(self, target, getattr(self, target) + count)


class Ledger(msgspec.Struct):
    """What became of everything read. `written` counts the records of the target by kind."""

    annotations: Account = msgspec.field(default_factory=Account)
    classifications: Account = msgspec.field(default_factory=Account)
    relations: Account = msgspec.field(default_factory=Account)
    samples: Account = msgspec.field(default_factory=Account)
    written: dict[str, int] = {}

    def rows(self) -> list[tuple[str, Account]]:
        return [
            ("samples", self.samples),
            ("annotations", self.annotations),
            ("classifications", self.classifications),
            ("relations", self.relations),
        ]

    @property
    def balanced(self) -> bool:
        return all(account.balanced for _, account in self.rows())


class Measure(msgspec.Struct):
    """How far lossy or changed geometry is from what was read, for one code.

    `unit` is `iou` (0 to 1, worst is the lowest) or `px`, `m` … (drift, worst is the highest).
    """

    unit: str
    count: int = 0
    total: float = 0.0
    worst: float | None = None
    worst_where: Where | None = None

    def add(self, value: float, where: Where) -> None:
        self.count += 1
        self.total += value
        if self._is_worse(value):
            self.worst = value
            self.worst_where = where

    def join(self, later: Measure, values: Iterable[float]) -> None:
        """Add what was measured later; one by one, since sums of floats depend on the order."""
        for value in values:
            self.total += value
        self.count += later.count
        if later.worst is not None and self._is_worse(later.worst):
            self.worst = later.worst
            self.worst_where = later.worst_where

    def _is_worse(self, value: float) -> bool:
        return self.worst is None or (
            value < self.worst if self.unit == "iou" else value > self.worst
        )


class Keyframes(msgspec.Struct):
    """Keyframes of tracks before and after those that lie on straight lines were left out.

    `drift`: the largest distance in pixels of what is left out from where it is now; `iou`: the
    lowest IoU, None where nothing left out is a box. Each with its place.
    """

    tracks: int = 0
    before: int = 0
    after: int = 0
    drift: float = 0.0
    drift_where: Where | None = None
    iou: float | None = None
    iou_where: Where | None = None

    def add(self, before: int, after: int, drift: float, iou: float | None, where: Where) -> None:
        """Count one track."""
        self.tracks += 1
        self.before += before
        self.after += after
        if after == before:
            return
        if drift > self.drift or self.drift_where is None:
            self.drift, self.drift_where = drift, where
        if iou is not None and (self.iou is None or iou < self.iou):
            self.iou, self.iou_where = iou, where


class StopAtFirstError(Exception):
    """Raised by `Report.add` when the report is strict; never leaves `labelconv.convert`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Report:
    """Collects problems, counts and the ledger of one run.

    With `strict`, the first error raises `StopAtFirstError`. The report of a `part` of a run, made
    by another process, keeps what `sealed` gives and `join` needs.
    """

    def __init__(self, *, strict: bool = False, part: bool = False) -> None:
        self.strict = strict
        self._values: dict[str, array[float]] | None = {} if part else None
        self.problems: list[Problem] = []
        self.counts: dict[str, int] = {}
        self.fields: dict[str, int] = {}
        self.measures: dict[str, Measure] = {}
        self.evidence: list[str] = []
        self.ledger = Ledger()
        self.keyframes = Keyframes()
        #: Whether the reader left out keyframes already, as `Wanted.tolerance` asked, so that
        #: `fit` does not do it a second time, which would add up what they are off.
        self.thinned = False
        #: What `fit` decided about the annotations of the sample that was fitted last, for writers
        #: that have to correct it: its key, then written id → (id in the source, outcome). Those
        #: that are kept as they are, are not listed.
        self.fates: tuple[str, dict[str, tuple[str, Outcome]]] = ("", {})
        #: What a pass did to the annotations of the sample that it gave last: the sample's key,
        #: then id → outcome. `fit` counts them so.
        self.passed: tuple[str, dict[str, Outcome]] = ("", {})
        self._codes: dict[str, Code] = {}
        self._rejected: list[Rejected] = []

    def add(self, code: Code, where: Where = Where(), /, **values: object) -> None:  # noqa: B008 - it is frozen
        """Note a problem. `values` fill the code's message."""
        count = self.counts.get(code.id, 0) + 1
        self.counts[code.id] = count
        self._codes[code.id] = code
        if count > KEEP_PER_CODE and not (self.strict and code.severity == "error"):
            return
        problem = Problem(code.id, code.severity, code.message.format_map(values), where)
        self.problems.append(problem)
        if self.strict and code.severity == "error":
            raise StopAtFirstError(problem)

    def reject(
        self,
        code: Code,
        where: Where,
        record: bytes,
        /,
        kind: str = "annotations",
        **values: object,
    ) -> None:
        """Leave a record out: note the problem, keep the record verbatim, count it as rejected.

        `kind` names the ledger's row. The caller counts the record as read.
        """
        getattr(self.ledger, kind).rejected += 1
        self._rejected.append(Rejected(code.id, code.message.format_map(values), where, record))
        self.add(code, where, **values)

    def field(self, name: str, count: int = 1) -> None:
        """Count a field that the source has and the result has no place for."""
        self.fields[name] = self.fields.get(name, 0) + count

    def measure(self, code: Code, unit: str, value: float, where: Where) -> None:
        """Record how well changed geometry covers what was read (see `Measure`)."""
        if code.id not in self.measures:
            self.measures[code.id] = Measure(unit)
        self.measures[code.id].add(value, where)
        if self._values is not None:
            self._values.setdefault(code.id, array("d")).append(value)

    def take_rejected(self) -> list[Rejected]:
        """The rejected records since the last call; the caller writes them down."""
        taken, self._rejected = self._rejected, []
        return taken

    def sealed(self) -> Sealed:
        """All that the report of a part has, for `join`."""
        return Sealed(
            self.problems,
            self.counts,
            self.fields,
            self.measures,
            self._values or {},
            self.ledger,
            self._codes,
            self._rejected,
        )

    def join(self, part: Sealed) -> None:
        """Add what the next part of the run noted, as if it had been noted here all along."""
        room = {id: KEEP_PER_CODE - self.counts.get(id, 0) for id in part.counts}
        for problem in part.problems:
            if room[problem.code] > 0:
                self.problems.append(problem)
                room[problem.code] -= 1
        for id, count in part.counts.items():
            self.counts[id] = self.counts.get(id, 0) + count
        for name, count in part.fields.items():
            self.field(name, count)
        for id, measure in part.measures.items():
            own = self.measures.setdefault(id, Measure(measure.unit))
            own.join(measure, part.values[id])
        for name, account in part.ledger.rows():
            own_account = getattr(self.ledger, name)
            for outcome in account.__struct_fields__:
                total = getattr(own_account, outcome) + getattr(account, outcome)
                setattr(own_account, outcome, total)
        self._codes.update(part.codes)
        self._rejected.extend(part.rejected)

    def code(self, id: str) -> Code:
        """The declaration of a code that occurred in this run."""
        return self._codes[id]

    def count(self, severity: Severity) -> int:
        return sum(n for id, n in self.counts.items() if self._codes[id].severity == severity)

    @property
    def errors(self) -> int:
        return self.count("error")

    @property
    def losses(self) -> int:
        return self.count("loss")

    def refused(self, allowed: Iterable[str]) -> dict[str, int]:
        """Losses that occurred and that `allowed` does not cover: code → count.

        `allowed` holds code ids (`L402`), names (`shape-lowered`), prefixes (`L4`) or `loss`.
        """
        granted = tuple(allowed)
        return {
            id: n
            for id, n in sorted(self.counts.items())
            if self._codes[id].severity == "loss" and not _covers(granted, self._codes[id])
        }

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, as `--report FILE` writes it."""
        return {
            "ledger": {
                **{
                    name: {**msgspec.structs.asdict(account), "balanced": account.balanced}
                    for name, account in self.ledger.rows()
                },
                "written": dict(sorted(self.ledger.written.items())),
                "balanced": self.ledger.balanced,
            },
            "fields_left_out": dict(sorted(self.fields.items())),
            "measures": {k: msgspec.to_builtins(v) for k, v in sorted(self.measures.items())},
            "keyframes": msgspec.to_builtins(self.keyframes),
            "counts": dict(sorted(self.counts.items())),
            "evidence": list(self.evidence),
            "problems": msgspec.to_builtins(self.problems),
        }


class Sealed(msgspec.Struct):
    """The report of a part of a run, to be sent to another process (`Report.join`)."""

    problems: list[Problem]
    counts: dict[str, int]
    fields: dict[str, int]
    measures: dict[str, Measure]
    #: All that was measured, by code.
    values: dict[str, array[float]]
    ledger: Ledger
    codes: dict[str, Code]
    rejected: list[Rejected]


class Rejected(msgspec.Struct, frozen=True):
    """A record that could not be used, verbatim (`record` is the source's bytes)."""

    code: str
    message: str
    where: Where
    record: bytes

    def as_line(self) -> bytes:
        """One NDJSON line: code, message, where, and the record as text."""
        line: Mapping[str, object] = {
            "code": self.code,
            "message": self.message,
            "where": msgspec.to_builtins(self.where),
            "record": self.record.decode("utf-8", "backslashreplace"),
        }
        return msgspec.json.encode(line) + b"\n"


def _covers(granted: tuple[str, ...], code: Code) -> bool:
    return any(
        item in ("loss", code.id, code.name) or (len(item) == 2 and code.id.startswith(item))
        for item in granted
    )
