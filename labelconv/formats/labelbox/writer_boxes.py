"""Lines of plain boxes on pictures, which most data consist of, many of them in one go."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from labelconv.formats.labelbox.faults import Fault
from labelconv.formats.labelbox.names import Feature, ascii_name
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.formats.labelbox.writer_cap import Cap
from labelconv.formats.labelbox.writer_output import Output, named, text_of
from labelconv.formats.labelbox.writer_shapes import BoxSizes
from labelconv.formats.labelbox.writer_uuids import SHORTEST_UUID
from labelconv.identity import uuids_between
from labelconv.model import Box, Sample

#: Lines that wait to be spelled together.
TOGETHER = 256


class PlainBoxes:
    """Spells the lines of samples that have nothing but boxes with a name.

    The bytes are those that lines one by one would give. They wait here until `flush`, which must
    be called before other lines are written.
    """

    def __init__(
        self,
        feature: Callable[[str, str], Feature],
        output: Output,
        cap: Cap,
        options: LabelboxWriterOptions,
    ) -> None:
        self._feature = feature
        self._output = output
        self._cap = cap
        self._with_uuids = options.uuid
        self._heads: dict[str, str] = {}
        self._encode = msgspec.json.Encoder().encode
        #: Whether the keys of waiting lines are ids of data rows.
        self._are_ids = False
        #: Of each waiting line: its key, the key as JSON, its id, what is before its box, its box.
        self._keys: list[str] = []
        self._quoted: list[str] = []
        self._ids: list[str] = []
        self._before: list[str] = []
        self._boxes: list[BoxSizes] = []

    def take(self, sample: Sample) -> bool:
        """Take all lines of a sample; False where any is not plain, and nothing is taken then."""
        if sample.classifications or sample.relations:
            return False
        if sample.key_is_id is not self._are_ids:
            self.flush()
            self._are_ids = sample.key_is_id
        key = sample.key
        quoted = key  # without its quotes
        if not (key and key.isascii() and key.isprintable()) or '"' in key or "\\" in key:
            try:
                quoted = text_of(ascii_name(key))[1:-1]
            except Fault:  # told by the way that goes line by line
                return False
        heads, ids, before, boxes = self._heads, self._ids, self._before, self._boxes
        waiting = len(boxes)
        for annotation in sample.annotations:
            value = annotation.value
            id = annotation.id
            if (
                type(value) is not Box
                or annotation.confidence is not None
                or annotation.classifications
                or len(id) >= SHORTEST_UUID
            ):
                break
            x0, y0 = value.x0, value.y0
            width, height = value.x1 - x0, value.y1 - y0
            if not (0 <= width < inf and 0 <= height < inf):
                break
            category = annotation.category
            head = heads.get(category)
            if head is None:
                head = self._head(category)
                if head is None:
                    break
            ids.append(id)
            before.append(head)
            boxes.append(BoxSizes(y0, x0, height, width))
        else:
            count = len(boxes) - waiting
            if (count < 2 or len(set(ids[waiting:])) == count) and self._cap.counted(key, count):
                self._keys += [key] * count
                self._quoted += [quoted] * count
                if len(boxes) >= TOGETHER:
                    self.flush()
                return True
        del ids[waiting:], before[waiting:], boxes[waiting:]
        return False

    def _head(self, category: str) -> str | None:
        """What is between the data row and the numbers of a box; None for what is refused."""
        try:
            head = f'"}},{named(self._feature(category, "bbox"))}"bbox":{{'
        except Fault:  # told by the way that goes line by line
            return None
        self._heads[category] = head
        return head

    def flush(self) -> None:
        """Write what waits."""
        if not self._boxes:
            return
        # No field of a box can have such borders in it: all are numbers.
        shapes = self._encode(self._boxes).decode("ascii")[2:-2].split("},{")
        start = '",' if self._with_uuids else "{"  # behind the uuid
        start += f'"dataRow":{{"{"id" if self._are_ids else "globalKey"}":"'
        lines = [
            f"{start}{quoted}{before}{shape}}}}}\n"
            for quoted, before, shape in zip(self._quoted, self._before, shapes, strict=True)
        ]
        if self._with_uuids:
            spelled = uuids_between(self._keys, self._ids, '{"uuid":"', lines)
        else:
            spelled = "".join(lines)
        self._output.add_bytes(spelled.encode("ascii"), len(lines))
        for waiting in (self._keys, self._quoted, self._ids, self._before, self._boxes):
            waiting.clear()
