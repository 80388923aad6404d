"""Puts the pixels of SegmentationObject and the objects of the XML file together."""

from __future__ import annotations

import msgspec

from labelconv import codes, masks
from labelconv.formats.voc.objects import Found
from labelconv.formats.voc.segmentation import Segment
from labelconv.formats.voc.tally import Pass
from labelconv.model import Annotation, Box
from labelconv.problems import Where

#: A declared box may differ so far from the pixels of its mask: the devkit's void is 5 wide.
_VOID_BORDER_PX = 8.0


def join(segments: list[Segment], found: Found, name: str, pass_: Pass) -> None:
    """Give objects their pixels: segment k belongs to object k, if they are of one class.

    A segment that has no such object is an annotation of its own.
    """
    report = pass_.reading.report
    for position, segment in enumerate(segments, 1):
        place = found.by_number.get(segment.number or 0)
        given = None if place is None else found.annotations[place]
        if (
            given is not None
            and type(given.value) is Box
            and segment.category in (None, given.category)
        ):
            box = given.value
            extra = given.extra
            if pass_.keeps:
                extra = {**extra, "voc:bndbox": [box.x0, box.y0, box.x1, box.y1]}
            drift, computed = _box_drift(box, segment)
            if drift > _VOID_BORDER_PX:
                report.add(
                    codes.BOX_MISMATCH,
                    Where(name, annotation=given.id),
                    declared=[box.x0, box.y0, box.x1, box.y1],
                    computed=computed,
                    drift=drift,
                )
            assert place is not None
            found.annotations[place] = msgspec.structs.replace(
                given, value=segment.mask, extra=extra
            )
            continue
        report.ledger.annotations.read += 1
        if segment.category is None:
            expected = f"object {segment.number} in the XML file, or its class"
            report.reject(
                codes.RECORD_MALFORMED,
                Where(name),
                f"object {segment.number} of SegmentationObject".encode(),
                expected=expected,
                found="neither",
            )
            continue
        id = f"segment {segment.number or position}"
        found.annotations.append(Annotation(id, segment.category, segment.mask))


def _box_drift(box: Box, segment: Segment) -> tuple[float, list[float]]:
    own = masks.bounds(segment.mask)
    assert own is not None  # segments have pixels
    computed = [own.x0, own.y0, own.x1, own.y1]
    declared = (box.x0, box.y0, box.x1, box.y1)
    return max(abs(a - b) for a, b in zip(declared, computed, strict=True)), computed
