"""Options of the Labelbox reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class LabelboxReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox reader (`-O key=value`).

    - `masks`: the folder of the pictures that `instanceURI` names; nothing is fetched.
    - `ontology`: a file with the project's normalized ontology, which turns schemaIds into names.
    - `media`: what data rows are about whose lines do not tell it: global answers alone, shapes
      that may be pixels or degrees (`tiled`), ranges of time that may be frames or milliseconds.
    - `crs`: what the shapes of `media=tiled` count: degrees (EPSG:4326), or `pixel` for layers
      that are no map.
    - `scale`: what the pixels of layers that are no map are multiplied by: 64 from pixels at zoom 0
      to those at zoom 6.
    - `texts`: a folder with the text of each data row in a file named as its key, with or without
      `.txt`; of a conversation, its data-row JSON, with or without `.json`. Needed to count
      offsets in code points.
    - `offset_unit`: what offsets into texts count, UTF-16 units or code points.
    - `frame_base`: the number of a video's first frame.
    - `page_base`: the number of a document's first page, in boxes; tokens count it as 1.
    - `page_size`: width and height of all pages in points (`612x792`), for boxes in PERCENT.
    - `dpi`: pixels an inch, for boxes in PIXELS.
    """

    masks: str | None = None
    ontology: str | None = None
    media: Literal["image", "video", "text", "conversation", "document", "tiled", "audio"] = "image"
    crs: Literal["EPSG:4326", "pixel"] = "EPSG:4326"
    scale: float = 1.0
    texts: str | None = None
    offset_unit: Literal["utf16", "codepoint"] = "utf16"
    frame_base: int = 1
    page_base: int = 0
    page_size: str | None = None
    dpi: float | None = None


class LabelboxWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox writer (`-W key=value`).

    - `parts`: a polygon of several parts becomes several lines (`split`) or one `mask`.
    - `holes`: a polygon with holes becomes a `mask`, or its holes are filled (`fill`, a loss).
    - `masks`: `png` puts each mask into its line; `composite` writes one coloured PNG for each
      data row, or frame of a video, into the folder `masks` and points at it with `mask_url`.
    - `mask_url`: what goes before the PNG's name in `instanceURI`.
    - `keypoint`: the feature of a skeleton's point, with `{category}` and `{keypoint}`.
    - `names`: features by `name` or by `schemaId`, which needs `ontology`.
    - `ontology`: a file with the project's normalized ontology; names are checked against it.
    - `uuid`: whether lines carry a uuid, always the same for the same key and annotation id.
    - `lines`: split the output into files of about so many lines, on data-row borders.
    - `tolerance`: keyframes of tracks are left out where interpolation is at most so many pixels
      off; 0 keeps every frame exact.
    - `video_polygon`: a polygon or rotated box of a video becomes a `box` or a `mask`.
    - `frame_base`: the number of a video's first frame.
    - `page_base`: the number of a document's first page, in boxes; tokens count it as 1.
    - `offset_unit`: what offsets into texts count, UTF-16 units or code points.
    - `boxes`: a box on a map that is none in degrees becomes a `polygon`, or the box around it
      (`grow`, a loss that is measured in metres).
    - `scale`: what the pixels of layers that are no map are multiplied by: 0.015625 from pixels at
      zoom 6 to those at zoom 0.
    - `unknown_text`: spans of a text that is not known are rejected (`reject`), or written as if
      it had no character above U+FFFF (`keep`).
    """

    parts: Literal["split", "mask"] = "split"
    holes: Literal["mask", "fill"] = "mask"
    masks: Literal["png", "composite"] = "png"
    mask_url: str = "masks/"
    keypoint: str = "{category} {keypoint}"
    names: Literal["name", "schemaId"] = "name"
    ontology: str | None = None
    uuid: bool = True
    lines: int | None = None
    tolerance: float = 1.0
    video_polygon: Literal["box", "mask"] = "box"
    frame_base: int = 1
    page_base: int = 0
    offset_unit: Literal["utf16", "codepoint"] = "utf16"
    boxes: Literal["polygon", "grow"] = "polygon"
    scale: float = 1.0
    unknown_text: Literal["reject", "keep"] = "reject"
