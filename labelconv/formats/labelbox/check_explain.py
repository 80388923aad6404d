"""Words for lines that typed decoding refuses: what JSON, schema or encoding say against them.

Only lines with a fault get here, so that speed matters little; jsonschema is imported here at last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from labelconv import schema
from labelconv.codes import LINE_BLANK, SCHEMA_BROKEN, SEPARATOR_RAW
from labelconv.formats.labelbox.wire import decode_line
from labelconv.problems import KEEP_PER_CODE, Report, Where

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_A_NUMBER = re.compile(rb"[:,\[\s](-?(?:NaN|Infinity))")
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
#: Characters that Python's `str.splitlines` takes for line ends inside a JSON text (the SDK 7.17.0
#: parser uses it). Their first bytes only ever start characters, so bytes can be searched.
_SEPARATORS = {
    b"\xe2\x80\xa8": "U+2028 (line separator)",
    b"\xe2\x80\xa9": "U+2029 (paragraph separator)",
    b"\xc2\x85": "U+0085 (next line)",
}


def explain(report: Report, path: str | None, number: int, raw: bytes) -> None:
    """Report everything that makes `raw`, line `number`, no line of Labelbox MAL NDJSON."""
    if not raw.strip():
        report.add(LINE_BLANK, Where(path=path, line=number))
        return
    try:
        instance = msgspec.json.decode(raw)
    except RecursionError:
        _broken(report, Where(path=path, line=number), "the record is nested too deeply")
        return
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message, column = _not_json(raw, error)
        _broken(report, Where(path=path, line=number, column=column), message)
        return
    key = sample_key(instance)
    # Nobody reads more words than a report keeps, and jsonschema takes a millisecond for them.
    enough = report.counts.get(SCHEMA_BROKEN.id, 0) >= KEEP_PER_CODE
    found = () if enough else schema.errors("labelbox-mal", instance)
    for fact in found:
        _broken(
            report, Where(path=path, line=number, pointer=fact.pointer, sample=key), fact.message
        )
    if not found:
        _broken(report, Where(path=path, line=number, sample=key), _typed_words(raw))


def separators(report: Report, path: str | None, first: int, data: bytes) -> None:
    """Report characters in `data` (lines from `first` on) that the SDK's parser would replace."""
    if data.isascii():
        return
    for character, name in _SEPARATORS.items():
        if character in data:
            for number, line in enumerate(data.split(b"\n"), first):
                if character in line:
                    column = len(line[: line.index(character)].decode(errors="replace")) + 1
                    where = Where(path=path, line=number, column=column)
                    report.add(SEPARATOR_RAW, where, character=name)


def encoding_fault(data: bytes) -> str | None:
    """A sentence about the first bytes of a file that are not plain UTF-8, or None."""
    if data.startswith(BYTE_ORDER_MARK):
        return "a file that starts with { expected, a byte order mark found; save it without one"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-8 expected, UTF-16 found; save the file as UTF-8"
    return None


def sample_key(instance: object) -> str | None:
    """The data row's key in a decoded line of any form, if it has one."""
    row = instance.get("dataRow") if isinstance(instance, dict) else None
    if isinstance(row, dict):
        for key in (row.get("globalKey"), row.get("id")):
            if isinstance(key, str):
                return key
    return None


def _broken(report: Report, where: Where, message: str) -> None:
    report.add(SCHEMA_BROKEN, where, message=message)


def _typed_words(raw: bytes) -> str:
    try:
        decode_line(raw)
    except msgspec.DecodeError as error:
        return str(error)
    return "the line was refused"


def _not_json(raw: bytes, error: Exception) -> tuple[str, int | None]:
    """A sentence and the 1-based column of the byte that is at fault, if it is known."""
    if isinstance(error, UnicodeDecodeError):
        return "UTF-8 expected, other bytes found", None
    number = _NOT_A_NUMBER.search(raw)
    if number is not None and "invalid character" in str(error):
        return f"a finite number expected, {number[1].decode()} found", number.start(1) + 1
    if "out of range" in str(error):
        return "a finite number expected, one that no double holds found", None
    if "truncated" in str(error):
        if _HALF_PAIR.search(raw) and raw.rstrip().endswith(b"}"):
            return "valid JSON expected, half of a surrogate pair found", None
        return "valid JSON expected, the line is cut off", len(raw) + 1
    place = re.search(r"\(byte (\d+)\)", str(error))
    words = str(error).removeprefix("JSON is malformed: ").partition(" (byte")[0]
    return f"valid JSON expected, {words} found", int(place[1]) + 1 if place else None


def lines_of(data: bytes) -> Iterator[bytes]:
    """The lines of `data` without their ends; nothing after a last line feed."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        yield line.removesuffix(b"\r")
