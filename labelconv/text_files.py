"""Texts as files: Labelbox takes texts and conversations as files of their own.

Where a source has only tokens, the text that offsets belong to is made by the reader; `write_texts`
puts it into files, byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from labelconv import codes
from labelconv.model import Conversation, Dataset, Message, Sample, Samples, Text
from labelconv.problems import Report, Where
from labelconv.spelling import Paths
from labelconv.targets import publishing


def write_texts(dataset: Dataset, folder: str | os.PathLike[str]) -> int:
    """Write the content of every text and conversation to a file of `folder`; how many there are.

    A text becomes `KEY.txt` (or `KEY`, where that ends so): its exact characters in UTF-8, without
    a byte order mark and without a change of newlines. A conversation becomes `KEY.json` in
    Labelbox's form for data rows. What cannot be in a path is percent-encoded. `folder` must be new
    or empty, and appears whole or not at all (`TargetError`).
    """
    with publishing(folder, folder=True, sources=[]) as opened:
        writer = TextFiles(opened.part)
        for sample in dataset:
            writer.add(sample)
        opened.publish()
    return writer.count


class TextFiles:
    """Writes texts to the files of a folder while samples stream by; see `write_texts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths = Paths()
        self.count = 0
        folder.mkdir()

    def add(self, sample: Sample, report: Report | None = None) -> None:
        """Write the sample's content, if it has any and is known."""
        media = sample.media
        if isinstance(media, Text) and media.content is not None:
            content, ending = media.content.encode("utf-8", "surrogatepass"), ".txt"
        elif isinstance(media, Conversation) and media.messages:
            content, ending = conversation_row(media.messages), ".json"
        else:
            return
        wanted = sample.key if sample.key.endswith(ending) else sample.key + ending
        name = self._paths.path(wanted)
        if name != wanted and report is not None:
            where = Where(sample=sample.key)
            report.add(codes.KEY_RESPELLED, where, name=sample.key, spelled=name)
        path = self._folder / name
        if "/" in name:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.count += 1

    def passing(self, dataset: Dataset, report: Report) -> Dataset:
        """A pass (see `labelconv.passes`) that writes the texts of what goes by."""

        def start() -> Iterator[Sample]:
            for sample in dataset:
                self.add(sample, report)
                yield sample
            report.ledger.written["text files"] = self.count

        return Samples(start, lambda: dataset.ontology, dataset.info)


def conversation_row(messages: tuple[Message, ...]) -> bytes:
    """A conversation as the JSON that Labelbox takes for a data row."""
    first = messages[0].author if messages else None
    return msgspec.json.encode(
        {
            "type": "application/vnd.labelbox.conversational",
            "version": 1,
            "messages": [
                {
                    "messageId": message.id,
                    "content": message.content,
                    "user": {"userId": message.author or "", "name": message.author or ""},
                    "align": "left" if message.author == first else "right",
                    "canLabel": True,
                }
                for message in messages
            ],
        }
    )
