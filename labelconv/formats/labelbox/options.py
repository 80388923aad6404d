"""Options of the Labelbox reader and writer."""

from __future__ import annotations

from typing import Literal

import msgspec


class LabelboxReaderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox reader (`-O key=value`).

    - `masks`: the folder of the pictures that `instanceURI` names; nothing is fetched.
    - `ontology`: a file with the project's normalized ontology, which turns schemaIds into names.
    """

    masks: str | None = None
    ontology: str | None = None


class LabelboxWriterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the Labelbox writer (`-W key=value`).

    - `parts`: a polygon of several parts becomes several lines (`split`) or one `mask`.
    - `holes`: a polygon with holes becomes a `mask`, or its holes are filled (`fill`, a loss).
    - `masks`: `png` puts each mask into its line; `composite` writes one coloured PNG for each
      data row into the folder `masks` and points at it with `mask_url`.
    - `mask_url`: what goes before the PNG's name in `instanceURI`.
    - `keypoint`: the feature of a skeleton's point, with `{category}` and `{keypoint}`.
    - `names`: features by `name` or by `schemaId`, which needs `ontology`.
    - `ontology`: a file with the project's normalized ontology; names are checked against it.
    - `uuid`: whether lines carry a uuid, always the same for the same key and annotation id.
    - `lines`: split the output into files of about so many lines, on data-row borders.
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
