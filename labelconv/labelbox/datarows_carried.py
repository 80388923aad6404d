"""What an export says about its data rows, as new data rows take it: metadata and attachments.

The reader of exports keeps both as it found them (`labelbox-export:metadata_fields`,
`labelbox-export:attachments`); what `Dataset.create_data_rows` takes is checked by SDK 7.17.0,
`parse_upsert_metadata` and `AssetAttachment.validate_attachment_json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelconv.labelbox.datarows_tables import ATTACHED, ATTACHMENTS
from labelconv.model import Extra, Sample
from labelconv.problems import Report

#: The format whose extra fields say something of data rows.
EXPORT = "labelbox-export"
METADATA = f"{EXPORT}:metadata_fields"
ATTACHED_TO_ROW = f"{EXPORT}:attachments"
#: What a data row says anyway, or what its labels alone are about.
_NOT_OF_ROWS = frozenset(f"{EXPORT}:{name}" for name in ("labels", "row_data", "media_attributes"))

Member = dict[str, Any]


def carried(sample: Sample, report: Report) -> tuple[list[Member], list[Member]]:
    """The metadata and the attachments of a sample; fields that rows do not take are counted."""
    extra = sample.extra
    if not extra:
        return [], []
    for name, said in extra.items():
        if name not in (METADATA, ATTACHED_TO_ROW, *_NOT_OF_ROWS) and said not in (None, [], {}):
            report.field(name)
    return (
        _usable(extra, METADATA, _metadata, report),
        _usable(extra, ATTACHED_TO_ROW, _attachment, report),
    )


def _usable(
    extra: Extra, name: str, made: Callable[[Member], Member | None], report: Report
) -> list[Member]:
    """What is listed under a name, as data rows have it; the rest is counted by that name."""
    given = extra.get(name)
    if not given:
        return []
    each = given if isinstance(given, list) else [given]
    found = [made(one) if isinstance(one, dict) else None for one in each]
    lost = found.count(None)
    if lost:
        report.field(name, lost)
    return [one for one in found if one is not None]


def _metadata(given: Member) -> Member | None:
    """A field by its name, which other organizations may have too, else by the id of its schema."""
    value = _value(given.get("value"))
    if value is None:
        return None
    for member, said in (("name", ("schema_name", "name")), ("schema_id", ("schema_id",))):
        for spelled in said:
            found = given.get(spelled)
            if isinstance(found, str) and found:
                return {member: found, "value": value}
    return None


def _value(given: Any) -> Any:
    """A text, a number or an embedding; of a chosen option, its name.

    None where it is none of these, or several of them.
    """
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if isinstance(given, dict):
        names = (given.get(name) for name in ("schema_name", "name", "value"))
        given = next((name for name in names if isinstance(name, str) and name), None)
    if isinstance(given, list):
        return given if given and all(type(each) in (int, float) for each in given) else None
    return given if type(given) in (int, float) or (isinstance(given, str) and given) else None


def _attachment(given: Member) -> Member | None:
    made = {name: given[name] for name in (*ATTACHED, "name") if _is_text(given.get(name))}
    return made if {*ATTACHED} <= made.keys() and made["type"] in ATTACHMENTS else None


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and given != ""
