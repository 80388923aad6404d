"""Lines that today's rules refuse but whose meaning is clear: older and hand-made spellings.

What is mended is told as a note, keys without a meaning are counted. What stays unclear raises
`Fault`. Only lines that typed decoding refuses get here.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeGuard

import msgspec

from labelconv import codes, schema
from labelconv.formats.labelbox.faults import Fault, malformed
from labelconv.formats.labelbox.records import (
    Box,
    DataRow,
    Keyframe,
    Line,
    Location,
    Mask,
    Nested,
    Option,
    Position,
    Relationship,
    Segment,
    TextSelection,
    VideoMasks,
    is_uuid,
)
from labelconv.formats.labelbox.wire import BESIDE, fault
from labelconv.problems import KEEP_PER_CODE, Report, Where

#: What the schema wants a schemaId to be long.
_SCHEMA_ID = 25
#: Keys → the media that they belong to, where that is not pictures.
ELSEWHERE = {
    "segments": "videos",
    "masks": "videos",
    "frames": "videos and sounds",
    "location": "texts",
    "textSelections": "documents",
    "page": "documents",
    "unit": "documents",
    "messageId": "conversations",
    "messageEvaluationTask": "conversations",
    "metricName": "model runs",
}


def _known(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind))


_KNOWN = {
    kind: _known(kind)
    for kind in (
        *(Box, DataRow, Keyframe, Line, Location, Mask, Nested, Option, Position, Relationship),
        *(Segment, TextSelection, VideoMasks),
    )
}
_PAYLOADS = {field.encode_name for field in msgspec.structs.fields(Line) if field.name in BESIDE}


class Lenient:
    """Reads one line that is not as usual, telling `report` what had to be bent."""

    def __init__(self, report: Report, where: Where) -> None:
        self._report = report
        self._where = where

    def line(self, raw: bytes) -> Line:
        """The line as a record; raises `Fault`."""
        given = _json(raw)
        for name in ("messageEvaluationTask", "metricName"):
            if given.get(name) is not None:
                about = ELSEWHERE[name]
                raise Fault(codes.PAYLOAD_NOT_READ, f"/{name}", found=name, media=about)
        cleaned = self._only(given, Line, "")
        if "segments" not in cleaned and "masks" not in cleaned and cleaned.pop("groupKey", None):
            self._report.field("labelbox:groupKey")  # the view of a medical volume
        self._envelope(cleaned)
        self._shape(cleaned)
        self._answers(cleaned, "")
        odd = self._uuid(cleaned)
        try:
            line = msgspec.convert(cleaned, Line)
            found = fault(line)
        except (msgspec.ValidationError, OverflowError) as error:
            found = str(error)
        if found is not None:
            # A misspelt payload is only seen in what was given.
            self._refuse(cleaned if _PAYLOADS & cleaned.keys() else given, found)
        return line if odd is None else msgspec.structs.replace(line, uuid=odd)

    def _refuse(self, instance: object, found: str) -> None:
        facts = []
        if self._report.counts.get(codes.SCHEMA_BROKEN.id, 0) < KEEP_PER_CODE:
            facts = schema.errors("labelbox-mal", instance)
        if facts:
            raise Fault(codes.SCHEMA_BROKEN, facts[0].pointer, message=facts[0].message)
        raise Fault(codes.SCHEMA_BROKEN, message=found)

    def _mended(self, pointer: str, found: str, result: str) -> None:
        place = msgspec.structs.replace(self._where, pointer=pointer)
        self._report.add(codes.SPELLING_MENDED, place, found=found, result=result)

    def _only(self, given: dict[str, Any], kind: type[Any], pointer: str) -> dict[str, Any]:
        """What of `given` the record has a place for; null says the same as nothing."""
        known = _KNOWN[kind]
        kept = {}
        for name, value in given.items():
            if name not in known:
                self._report.field(f"labelbox:{name}")
            elif value is not None:
                kept[name] = value
        schema_id = kept.get("schemaId")
        if isinstance(schema_id, str) and len(schema_id) != _SCHEMA_ID:
            found = f"a schemaId of {len(schema_id)} characters"
            self._mended(f"{pointer}/schemaId", found, "the name" if "name" not in kept else "none")
            kept.setdefault("name", kept.pop("schemaId"))
        return kept

    def _envelope(self, line: dict[str, Any]) -> None:
        row = line.get("dataRow")
        if not isinstance(row, dict):
            return
        row = line["dataRow"] = self._only(row, DataRow, "/dataRow")
        for name in [name for name, value in row.items() if value == ""]:
            del row[name]
        if len(row) == 2:
            self._mended("/dataRow", "a global key and an id", "the global key")
            del row["id"]

    def _uuid(self, line: dict[str, Any]) -> str | None:
        """Take out a uuid that is none; it still tells annotations apart."""
        uuid = line.get("uuid")
        if not isinstance(uuid, str) or is_uuid(uuid):
            return None
        del line["uuid"]
        if not uuid:
            return None
        self._mended("/uuid", f"{uuid[:60]!r}, which is no UUID,", "the annotation's id")
        return uuid

    def _shape(self, line: dict[str, Any]) -> None:
        box = line.get("bbox")
        if isinstance(box, dict):
            box = line["bbox"] = self._only(box, Box, "/bbox")
            width, left = box.get("width"), box.get("left")
            if _is_number(width) and _is_number(left) and width < 0:
                self._mended("/bbox/width", f"a width of {width:g}", "the box to the left")
                box["left"], box["width"] = left + width, -width
        for name in ("polygon", "line"):
            if isinstance(line.get(name), list):
                line[name] = [
                    self._only(item, Position, f"/{name}/{i}") if isinstance(item, dict) else item
                    for i, item in enumerate(line[name])
                ]
        if isinstance(line.get("point"), dict):
            line["point"] = self._only(line["point"], Position, "/point")
        mask = line.get("mask")
        if isinstance(mask, dict):
            if mask.get("counts") is not None:
                malformed(
                    "/mask",
                    "a mask as png, imBytes or instanceURI",
                    "run lengths, whose order (rows or columns first) is nowhere laid down",
                )
            mask = line["mask"] = self._only(mask, Mask, "/mask")
            if "png" in mask and "colorRGB" in mask:
                self._mended("/mask/colorRGB", "a colour beside a grey PNG", "the grey PNG")
                del mask["colorRGB"]
        if isinstance(line.get("relationship"), dict):
            line["relationship"] = self._only(line["relationship"], Relationship, "/relationship")
        for name, kind in (("location", Location), ("masks", VideoMasks)):
            if isinstance(line.get(name), dict):
                line[name] = self._only(line[name], kind, f"/{name}")
        self._list(line, "textSelections", TextSelection, "")
        for segment, at in self._list(line, "segments", Segment, ""):
            for keyframe, here in self._list(segment, "keyframes", Keyframe, at):
                if isinstance(keyframe.get("bbox"), dict):
                    keyframe["bbox"] = self._only(keyframe["bbox"], Box, f"{here}/bbox")
                self._asked(keyframe, here)

    def _list(
        self, given: dict[str, Any], name: str, kind: type[Any], pointer: str
    ) -> list[tuple[dict[str, Any], str]]:
        """The records in a list, cleaned, with their pointers."""
        items = given.get(name)
        if not isinstance(items, list):
            return []
        at = f"{pointer}/{name}"
        given[name] = cleaned = [
            self._only(item, kind, f"{at}/{i}") if isinstance(item, dict) else item
            for i, item in enumerate(items)
        ]
        return [(item, f"{at}/{i}") for i, item in enumerate(cleaned) if isinstance(item, dict)]

    def _answers(self, given: dict[str, Any], pointer: str) -> None:
        """The answer of a line or of a nested classification, and what hangs below."""
        answers = given.get("answers")
        if isinstance(answers, dict):
            given["answers"] = answers = [answers]
        if answers is not None and answers == given.get("answer"):
            del given["answers"]
        for name in ("answer", "answers"):
            answer = given.get(name)
            if isinstance(answer, dict):
                given[name] = self._option(answer, f"{pointer}/{name}")
            elif isinstance(answer, list):
                given[name] = [
                    self._option(item, f"{pointer}/{name}/{i}") if isinstance(item, dict) else item
                    for i, item in enumerate(answer)
                ]
        self._beside(given, pointer)
        self._asked(given, pointer)

    def _beside(self, given: dict[str, Any], pointer: str) -> None:
        """Options have a confidence of their own; one beside them belongs to the only one."""
        answer = given.get("answer", given.get("answers"))
        if not isinstance(answer, (dict, list)):
            return
        options = answer if isinstance(answer, list) else [answer]
        for name in ("confidence", "customMetrics"):
            if name not in given:
                continue
            value = given.pop(name)
            if len(options) == 1 and isinstance(options[0], dict):
                self._mended(f"{pointer}/{name}", f"{name} beside an option", "the option's own")
                options[0].setdefault(name, value)
            else:
                self._report.field(f"labelbox:{name}")

    def _nested(self, given: dict[str, Any], pointer: str) -> dict[str, Any]:
        cleaned = self._only(given, Nested, pointer)
        self._answers(cleaned, pointer)
        return cleaned

    def _asked(self, given: dict[str, Any], pointer: str) -> None:
        """The nested classifications of a record."""
        nested = given.get("classifications")
        if isinstance(nested, list):
            given["classifications"] = [
                self._nested(item, f"{pointer}/classifications/{i}")
                if isinstance(item, dict)
                else item
                for i, item in enumerate(nested)
            ]

    def _option(self, given: dict[str, Any], pointer: str) -> dict[str, Any]:
        cleaned = self._only(given, Option, pointer)
        self._asked(cleaned, pointer)
        return cleaned


def _json(raw: bytes) -> dict[str, Any]:
    """The object in a line, with finite numbers; raises `Fault`."""
    try:
        value = json.loads(raw)
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()  # one that stands alone is no character
    except UnicodeDecodeError:
        malformed("", "UTF-8", "other bytes")
    except UnicodeEncodeError:
        malformed("", "characters", "a surrogate that stands alone")
    except RecursionError:
        malformed("", "a JSON object", "one that is nested too deeply")
    except ValueError as error:
        malformed("", "a JSON object", f"broken JSON ({error})")
    if not isinstance(value, dict):
        malformed("", "a JSON object", f"a JSON {_JSON_NAMES.get(type(value), 'value')}")
    found = _not_finite(value)
    if found is not None:
        raise Fault(codes.NUMBER_NOT_FINITE, found[0], found=found[1])
    return value


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_JSON_NAMES: dict[type, str] = {list: "list", str: "text", int: "number", float: "number"}


def _not_finite(value: object) -> tuple[str, str] | None:
    """The pointer and the spelling of the first number that is not finite."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        pointer, item = waiting.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return pointer, str(item)
        if isinstance(item, dict):
            waiting.extend((f"{pointer}/{_escaped(str(k))}", v) for k, v in item.items())
        elif isinstance(item, list):
            waiting.extend((f"{pointer}/{i}", v) for i, v in enumerate(item))
    return None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def lenient_line(report: Report, where: Where, raw: bytes) -> Line:
    """`Lenient.line` in one call; JSON nested too deeply is a `Fault` too."""
    try:
        return Lenient(report, where).line(raw)
    except RecursionError:
        malformed("", "a JSON object", "one that is nested too deeply")
