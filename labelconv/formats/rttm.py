"""RTTM: who speaks when, ten columns a line (NIST Rich Transcription 2009, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source, files
from labelconv.keys import KeyOrProblem
from labelconv.model import Audio, Classification, Dataset, FreeText, Radio, Sample, Samples
from labelconv.problems import Report, Where
from labelconv.sniffing import folder_evidence
from labelconv.timing import Clock

_ENDINGS = (".rttm",)
#: Types of objects with a time of their own; others (SPKR-INFO) describe the speakers.
_TYPES = frozenset(
    (
        *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH"),
        *("FILLER", "EDIT", "IP", "SU", "CB", "A/P", "SPEAKER"),
    )
)
_NOTHING = "<NA>"


class RttmOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the RTTM reader.

    - `question`: the question that the names of speakers answer.
    """

    question: str = "speaker"


def holds(options: NoOptions) -> tuple[Holds, ...]:
    """Answers in time; written by nobody here."""
    return (
        Holds(
            media=Audio,
            values=frozenset(),
            questions=1,
            answers=frozenset({Radio, FreeText}),
            ranges="only",
            confidence=True,
            size=False,
            uri=False,
        ),
    )


def read(source: Source, options: RttmOptions, reading: Reading) -> Dataset:
    """The turns of a file, or of all `.rttm` files of a folder: a sample for each recording.

    Lines of one recording need not be neighbours.
    """
    found = files(source, _ENDINGS)

    def samples() -> Iterator[Sample]:
        reading.keys.restart()
        for _, file in found:
            yield from _file(file, options, reading)

    return Samples(samples)


def _file(file: Source, options: RttmOptions, reading: Reading) -> Iterator[Sample]:
    report = reading.report
    account = report.ledger.classifications
    clock = Clock(report)
    turns: dict[str, list[Classification]] = {}
    keys: dict[str, KeyOrProblem] = {}
    with file.open() as opened:
        for number, line in enumerate(opened, 1):
            where = Where(file.name, number)
            try:
                columns = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
            except UnicodeDecodeError as error:
                account.read += 1
                values = {"expected": "ten columns in UTF-8", "found": str(error.reason)}
                report.reject(codes.RECORD_MALFORMED, where, line, "classifications", **values)
                continue
            if not columns or columns[0].startswith(";;"):
                continue
            if columns[0] not in _TYPES:
                report.field(f"rttm:{columns[0][:30]}")
                continue
            account.read += 1
            turn = _turn(columns, where, options, clock, report)
            if isinstance(turn, str):
                values = {"expected": "ten columns of RTTM", "found": turn}
                report.reject(codes.RECORD_MALFORMED, where, line, "classifications", **values)
                continue
            name = columns[1]
            if name not in keys:
                report.ledger.samples.read += 1
                keys[name] = reading.keys.key(name, name, {"channel": columns[2]})
                if keys[name][1] is not None:
                    report.ledger.samples.rejected += 1
            trouble = keys[name][1]
            if trouble is not None:  # each line of a recording that cannot be called
                report.reject(trouble[0], where, line, "classifications", **trouble[1])
                continue
            turns.setdefault(name, []).append(turn)
    clock.finish(file.name)
    are_ids = reading.keys.are_ids
    for name, said in turns.items():
        key = keys[name][0]
        assert key is not None
        yield Sample(key, Audio(), (), tuple(said), key_is_id=are_ids)


def _turn(
    columns: list[str], where: Where, options: RttmOptions, clock: Clock, report: Report
) -> Classification | str:
    """The turn of a line, or what was found in its stead. The last column may be missing."""
    if not 9 <= len(columns) <= 10:
        return f"{len(columns)} columns"
    kind, _, channel, start, length, spelling, subtype, name, certainty = columns[:9]
    try:
        first = float(start)
        confidence = None if certainty == _NOTHING else float(certainty)
        when = clock.range(first, first + float(length), name, where)
    except ValueError:
        return f"{start} {length} … {certainty}"
    if when is None:
        return f"a time from {start} of length {length}"
    if confidence is not None and not 0 <= confidence <= 1:
        report.field("rttm:confidence")
        confidence = None
    question = options.question if kind == "SPEAKER" else kind.lower()
    spelled = kind != "SPEAKER" and spelling != _NOTHING
    said = name if kind == "SPEAKER" else spelling if spelled else subtype
    if said == _NOTHING:
        said = name
    if kind == "SPEAKER" and said == _NOTHING:
        return "no name of a speaker"
    for field, value in (
        ("orthography", spelling),
        ("subtype", subtype),
        ("name", name),
        ("lookahead", columns[9] if len(columns) > 9 else _NOTHING),
    ):
        if value not in (_NOTHING, said):
            report.field(f"rttm:{field}")
    if channel not in (_NOTHING, "1"):
        report.field("rttm:channel")
    if spelled:
        return Classification(question, FreeText(said, (), confidence), (when,))
    answer = Radio(said if said != _NOTHING else kind, (), confidence)
    return Classification(question, answer, (when,))


def sniff(peek: Peek) -> Evidence:
    """By the first word of the first line, or by file names."""
    if peek.is_folder:
        return folder_evidence(peek, _ENDINGS)
    lines = (line.split() for line in peek.text.decode("utf-8", "replace").splitlines()[:50])
    first = next((words for words in lines if words and not words[0].startswith(";;")), [])
    if len(first) >= 9 and (first[0] in _TYPES or first[0] == "SPKR-INFO"):
        return Evidence(3, f"lines of RTTM that begin with {first[0]}")
    return Evidence(0, "no line of RTTM")


FORMAT = Format(
    name="rttm",
    about="RTTM: speakers and their turns",
    url="https://www.nist.gov/itl/iad/mig/rich-transcription-evaluation",
    holds=holds,
    read=read,
    reader_options=RttmOptions,
    sniff=sniff,
)
