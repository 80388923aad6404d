"""Options of the GeoJSON reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class GeojsonReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the GeoJSON reader (`-O key=value`).

    - `source_crs`: the CRS of the coordinates (`EPSG:32616`, WKT, a PROJ string), against what the
      file says or where it says nothing. They are x, y whatever the CRS declares.
    - `axes`: `yx` for files that hold y (latitude) first, against the rule.
    - `space`: coordinates of a `map`, or of the `pixel`s of a picture, y down.
    - `class_key`: the property that names the class; found and noted where not given.
    - `unnamed`: the class of features that have none.
    - `sample_key`: the property that names the image of a feature; without it the file is one.
    - `confidence_key`: the property that is the confidence, 0 to 1.
    - `radio`: properties that answer a question with one option each, with commas; `*` for all.
    - `checklist`: properties that are lists of ticked options, with commas.
    - `text`: properties that are answers in words, with commas; `*` for all.
    """

    source_crs: str | None = None
    axes: Literal["xy", "yx"] = "xy"
    space: Literal["map", "pixel"] = "map"
    class_key: str | None = None
    unnamed: str = "feature"
    sample_key: str | None = None
    confidence_key: str = "confidence"
    radio: str = ""
    checklist: str = ""
    text: str = ""


class GeojsonWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the GeoJSON writer (`-W key=value`).

    - `crs`: another CRS than RFC 7946's longitude and latitude, told in the `crs` member of 2008.
    - `form`: one `collection`, one feature a line (`lines`), or a text sequence of RFC 8142 (`rs`).
      Sequences have no place for the kinds of answers: read them with `-O radio=…` and the like.
    - `class_key`: the property that the class is written to.
    - `sample_key`: the property that the key of the sample is written to; empty to leave it away.
    - `digits`: digits after the point, all that are needed when not given.
    """

    crs: str | None = None
    form: Literal["collection", "lines", "rs"] = "collection"
    class_key: str = "class"
    sample_key: str = "sample"
    digits: int | None = None
