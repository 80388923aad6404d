"""Which line each status of an import job is about, and what it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from labelconv.labelbox.upload_parts import Line
from labelconv.labelbox.upload_server import Status

_UNNAMED = "the status file does not name it"
_UNTOLD = "it has no uuid, and the status file does not tell it from others of its data row"


class Outcome(msgspec.Struct):
    """How many lines were accepted; the others (1-based numbers) by reason."""

    accepted: int = 0
    refused: dict[str, list[int]] = msgspec.field(default_factory=dict)
    unknown: dict[str, list[int]] = msgspec.field(default_factory=dict)


def outcome_of(lines: Iterable[tuple[int, Line]], statuses: Sequence[Status]) -> Outcome:
    """What became of each line of a job, each exactly once; `lines` has their 1-based numbers.

    A status names its line by uuid. Lines without one (answers over time) are told by their data
    row, and by what is left over when all others are told.
    """
    by_uuid: dict[str, int] = {}
    nameless: dict[str, list[int]] = defaultdict(list)
    for number, line in lines:
        if line.uuid is None:
            nameless[line.key].append(number)
        else:
            by_uuid[_plain(line.uuid)] = number
    told: dict[int, str | None] = {}
    strangers: list[Status] = []
    for status in statuses:
        number = by_uuid.get(_plain(status.uuid or ""), 0)
        if not number:
            strangers.append(status)
        elif told.get(number) is None:  # of two statuses, the failure counts
            told[number] = _reason(status)
    found = Outcome()
    for number in by_uuid.values():
        if number not in told:
            found.unknown.setdefault(_UNNAMED, []).append(number)
        else:
            _put(found, number, told[number])
    _put_nameless(found, nameless, strangers)
    for numbers in (*found.refused.values(), *found.unknown.values()):
        numbers.sort()
    return found


def reason_of(statuses: Iterable[Status]) -> str:
    """What is said of a job as a whole: failures that name neither a line nor a data row."""
    said = (_reason(each) for each in statuses if not each.uuid and not _keys(each))
    return "; ".join(dict.fromkeys(words for words in said if words is not None))


def all_unknown(numbers: Iterable[int], reason: str) -> Outcome:
    """One reason for all lines."""
    return Outcome(unknown={reason: list(numbers)})


def _put(found: Outcome, number: int, reason: str | None) -> None:
    if reason is None:
        found.accepted += 1
    else:
        found.refused.setdefault(reason, []).append(number)


def _put_nameless(
    found: Outcome, nameless: dict[str, list[int]], strangers: Sequence[Status]
) -> None:
    count = sum(map(len, nameless.values()))
    failures: dict[str, list[str]] = defaultdict(list)
    lost = 0  # failures of a data row that is none of those in question
    for status in strangers:
        reason = _reason(status)
        if reason is not None:
            row = next((key for key in _keys(status) if key in nameless), None)
            if row is None:
                lost += 1
            else:
                failures[row].append(reason)
    complete = len(strangers) >= count and not lost
    for row, numbers in nameless.items():
        reasons = failures.get(row, [])
        if len(reasons) >= len(numbers):
            words = "; ".join(dict.fromkeys(reasons))
            for number in numbers:
                _put(found, number, words)
        elif reasons or not complete:
            found.unknown.setdefault(_UNTOLD, []).extend(numbers)
        else:
            for number in numbers:
                _put(found, number, None)


def _keys(status: Status) -> list[str]:
    row = status.data_row or {}
    return [key for key in (row.get("globalKey"), row.get("id")) if isinstance(key, str)]


def _plain(uuid: str) -> str:
    """A UUID whatever its spelling: the server may send back another one than it was given."""
    return uuid.strip("{}").replace("-", "").lower()


def _reason(status: Status) -> str | None:
    """The server's words; None for a success."""
    if status.status == "SUCCESS" and not status.errors:
        return None
    errors = status.errors
    said = errors if isinstance(errors, list) else [] if errors is None else [errors]
    return "; ".join(filter(None, map(_words, said))) or f"{status.status}, without a reason"


def _words(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    name, message = error.get("name"), error.get("message")
    words = ": ".join(str(each) for each in (name, message) if each)
    more = error.get("additional_info") or error.get("additionalInfo")
    if more:
        words += f" ({msgspec.json.encode(more).decode()})"
    return words
