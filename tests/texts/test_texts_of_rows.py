"""Texts of Labelbox's data rows: what is found of them, and what is said of files of no use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelconv.media import NO_MEDIA, MediaFiles
from labelconv.model import Conversation, Message, Text
from labelconv.problems import Report, Where
from labelconv.row_texts import RowTexts, content_of

HARD = "a\r\n😂 e\u0301 👩\u200d🚀 𝕏"


def told(texts: RowTexts) -> list[tuple[str, str | None]]:
    report = Report()
    texts.tell(report, Where("lines.ndjson"))
    return [(problem.code, problem.where.path) for problem in report.problems]


@pytest.mark.parametrize("name", ["k", "k.txt"])
@pytest.mark.parametrize("as_media", [True, False])
def test_a_text_is_found_by_its_key_byte_for_byte(
    tmp_path: Path, name: str, as_media: bool
) -> None:
    (tmp_path / name).write_bytes(HARD.encode())
    media = MediaFiles(tmp_path) if as_media else NO_MEDIA
    texts = RowTexts(None if as_media else str(tmp_path), media, "utf16")
    assert texts.text(("other", "k")) == Text(HARD)
    assert texts.text(("../k",)) == Text()
    assert told(texts) == []


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
def test_offsets_of_each_unit_are_found_and_those_inside_characters_are_not(unit: Any) -> None:
    texts = RowTexts(None, NO_MEDIA, unit)
    encoding, width = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2)}.get(
        unit, ("utf-8", 1)
    )
    offsets = [len(HARD[:at].encode(encoding)) // width for at in range(len(HARD) + 1)]
    for at, offset in enumerate(offsets):
        assert texts.codepoints(HARD, offset, offsets[-1]) == (at, len(HARD))
    for offset in set(range(offsets[-1])) - set(offsets):
        assert texts.codepoints(HARD, offset, offsets[-1]) is None
        assert "inside a character" in str(texts.impossible(offset, offsets[-1])["found"])
    assert texts.codepoints(HARD, 0, offsets[-1] + 1) is None
    assert "inside" not in str(texts.impossible(0, offsets[-1] + 1)["found"])


def test_files_of_no_use_are_told_once_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "k.txt").write_bytes(b"\xff")
    (tmp_path / "c.json").write_bytes(b"{")
    message = {"messageId": "m", "content": HARD, "user": {"name": "ann"}}
    (tmp_path / "d.json").write_text(json.dumps({"messages": [message, {"content": "x"}]}))
    texts = RowTexts(str(tmp_path), NO_MEDIA, "utf16")
    for _ in range(2):
        assert texts.text(("k",)) == Text()
        assert texts.conversation(("c",)) == Conversation()
        found = texts.conversation(("d",))
        assert found == Conversation((Message("m", HARD, "ann"),))
    assert content_of(found, "m") == HARD
    assert content_of(found, "n") is None
    assert told(texts) == [("R124", "lines.ndjson")] * 3
