"""What is written in a GeoJSON file: features with their coordinates left as text.

A record of a collection or of a sequence is a feature, or a bare geometry; one struct takes both.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from labelconv.attributes import Answers

GEOMETRIES = frozenset(
    (
        *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
        "GeometryCollection",
    )
)


class Geometry(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A geometry; `coordinates` and `geometries` as text."""

    type: str
    coordinates: Raw = Raw()
    geometries: Raw = Raw()
    bbox: Raw | UnsetType = UNSET


class Record(msgspec.Struct, forbid_unknown_fields=True):
    """A feature, or a geometry by itself."""

    type: str
    geometry: Geometry | None = None
    properties: dict[str, Any] | None = None
    id: Any = None
    bbox: Raw | UnsetType = UNSET
    coordinates: Raw = Raw()
    geometries: Raw = Raw()


RECORDS = msgspec.json.Decoder(list[Record])
RECORD = msgspec.json.Decoder(Record)
GEOMETRY_LIST = msgspec.json.Decoder(list[Geometry])
MEMBERS = msgspec.json.Decoder(dict[str, Raw])
#: Members that a record and its geometry may have; others are counted and left.
RECORD_MEMBERS = frozenset(Record.__struct_fields__)
GEOMETRY_MEMBERS = frozenset(Geometry.__struct_fields__)


class Trailer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The member `labelconv` at the end of a collection that labelconv wrote: which property is
    what. Other readers pass over it (RFC 7946, section 6.1)."""

    version: int = 1
    class_key: str = "class"
    sample_key: str | None = None
    confidence_key: str = "confidence"
    answers: dict[str, Answers] = {}


TRAILER = msgspec.json.Decoder(Trailer)


def record_of(raw: bytes, unknown: dict[str, int]) -> Record:
    """A record with members that nobody knows, which are counted in `unknown`.

    Raises what `msgspec` raises.
    """
    members = MEMBERS.decode(raw)
    geometry = members.get("geometry")
    if geometry is not None and bytes(geometry).lstrip()[:1] == b"{":
        members["geometry"] = _known(geometry, GEOMETRY_MEMBERS, unknown, "geometry.")
    return RECORD.decode(_known_of(members, RECORD_MEMBERS, unknown, ""))


def _known(raw: Raw, known: frozenset[str], unknown: dict[str, int], prefix: str) -> Raw:
    return Raw(_known_of(MEMBERS.decode(raw), known, unknown, prefix))


def _known_of(
    members: dict[str, Raw], known: frozenset[str], unknown: dict[str, int], prefix: str
) -> bytes:
    for name in [name for name in members if name not in known]:
        del members[name]
        unknown[prefix + name] = unknown.get(prefix + name, 0) + 1
    return msgspec.json.encode(members)
