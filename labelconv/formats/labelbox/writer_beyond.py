"""What relations of documents say beyond the model: `readonly`, and questions as their source.

The reader keeps it in the sample's extra; here it becomes what it was on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from labelconv import codes
from labelconv.formats.labelbox.names import ascii_name
from labelconv.formats.labelbox.writer_output import Line, MediaLine
from labelconv.model import Annotation, Sample
from labelconv.problems import Report, Where

#: Ids of the relations that cannot be changed by people (SDK 6.7.0).
READONLY = "labelbox:readonly"
#: Relations whose source is a global question (SDK 6.8.0), as `Beyond`.
BEYOND = "labelbox:relationships"


class Beyond(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relation from the question `source` to the annotation of the id `target`."""

    name: str
    source: str
    target: str
    directed: bool = True
    readonly: bool = False
    uuid: str | None = None


def relations_beyond(sample: Sample) -> list[Beyond]:
    """The relations whose source is a question; none where extra says something else."""
    given = sample.extra.get(BEYOND)
    if not given:
        return []
    try:
        return msgspec.convert(given, list[Beyond])
    except msgspec.ValidationError:
        return []


def readonly_relations(sample: Sample) -> set[str]:
    """Ids of the relations that people cannot change."""
    given = sample.extra.get(READONLY)
    return {each for each in given if isinstance(each, str)} if isinstance(given, list) else set()


def add_beyond(
    sample: Sample,
    row: Raw,
    annotations: Sequence[Annotation],
    lines: list[Line],
    uuids: Sequence[str],
    report: Report,
) -> None:
    """Add the relations whose source is a question to the lines of their annotations."""
    places = {each.id: n for n, each in reversed(list(enumerate(annotations)))}
    for relation in relations_beyond(sample):
        place = places.get(relation.target)
        if place is None:
            what = f"the relation {relation.name!r}, whose end {relation.target} is left out,"
            report.add(codes.DETAIL_DROPPED, Where(sample=sample.key), what=what)
            continue
        lines[place].uuid = uuids[place]
        line = MediaLine(UNSET if relation.uuid is None else relation.uuid, row)
        line.name = ascii_name(relation.name)
        line.relationship = _payload(relation, uuids[place])
        lines.append(line)


def _payload(relation: Beyond, target: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sourceOntologyName": ascii_name(relation.source),
        "target": target,
        "type": "unidirectional" if relation.directed else "bidirectional",
    }
    return found | {"readonly": True} if relation.readonly else found
