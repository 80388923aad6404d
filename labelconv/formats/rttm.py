"""RTTM: who speaks when, ten columns a line (NIST Rich Transcription 2009, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from labelconv import codes
from labelconv.format import Evidence, Format, Holds, NoOptions, Reading
from labelconv.io import Peek, Source, files
from labelconv.model import Audio, Classification, Dataset, FreeText, Radio, Sample, Samples
from labelconv.problems import Where
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
    clock = Clock(report)
    turns: dict[str, list[Classification]] = {}
    keys: dict[str, str | None] = {}
    with file.open() as opened:
        for number, line in enumerate(opened, 1):
            columns = line.decode("utf-8-sig", "backslashreplace").split()
            if not columns or columns[0].startswith(";;"):
                continue
            where = Where(file.name, number)
            if columns[0] not in _TYPES:
                report.field(f"rttm:{columns[0][:30]}")
                continue
            report.ledger.classifications.read += 1
            turn = _turn(columns, where, options, clock)
            name = columns[1] if len(columns) > 1 else ""
            if isinstance(turn, str):
                values = {"expected": "ten columns of RTTM", "found": turn}
                report.reject(codes.RECORD_MALFORMED, where, line, "classifications", **values)
                continue
            if name not in keys:
                report.ledger.samples.read += 1
                keys[name], problem = reading.keys.key(name, name, {"channel": columns[2]})
                if problem is not None:
                    report.reject(problem[0], where, line, "samples", **problem[1])
            if keys[name] is None:
                report.ledger.classifications.rejected += 1
                continue
            turns.setdefault(name, []).append(turn)
    clock.finish(file.name)
    are_ids = reading.keys.are_ids
    for name, said in turns.items():
        key = keys[name]
        assert key is not None
        yield Sample(key, Audio(), (), tuple(said), key_is_id=are_ids)


def _turn(
    columns: list[str], where: Where, options: RttmOptions, clock: Clock
) -> Classification | str:
    """The turn of a line, or what was found in its stead. The last column may be missing."""
    if len(columns) < 9:
        return f"{len(columns)} columns"
    kind, _, _, start, length, spelling, subtype, name, certainty = columns[:9]
    try:
        first = float(start)
        when = clock.range(first, first + float(length), name, where)
        confidence = None if certainty == _NOTHING else float(certainty)
    except ValueError:
        return f"{start} {length} … {certainty}"
    if when is None:
        return f"a time from {start} of length {length}"
    if kind == "SPEAKER":
        if name == _NOTHING:
            return "no name of a speaker"
        return Classification(options.question, Radio(name, (), confidence), (when,))
    question = kind.lower()
    if spelling != _NOTHING:
        return Classification(question, FreeText(spelling, (), confidence), (when,))
    said = subtype if subtype != _NOTHING else name
    return Classification(
        question, Radio(said if said != _NOTHING else kind, (), confidence), (when,)
    )


def sniff(peek: Peek) -> Evidence:
    """By the first word of the first line, or by file names."""
    if peek.is_folder:
        if any(name.lower().endswith(_ENDINGS) for name in peek.entries):
            return Evidence(3, "a folder with .rttm files")
        return Evidence(0, "a folder without .rttm files")
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
