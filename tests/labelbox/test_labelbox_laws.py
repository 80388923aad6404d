"""The laws under options, and what `check` says of every line that is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import testing
from labelconv.formats.labelbox import (
    FORMAT,
    LabelboxReaderOptions,
    LabelboxWriterOptions,
    check_file,
)
from labelconv.formats.labelbox.writer import write
from labelconv.model import Audio, Conversation, Document, Image, Text, TiledImage, Video
from labelconv.problems import Report

CASES = [
    (Video, {"frame_base": 0, "tolerance": 0.0}, {"frame_base": 0, "media": "video"}),
    (Video, {"video_polygon": "mask", "masks": "composite"}, {"media": "video"}),
    (Document, {"page_base": 1, "lines": 2}, {"page_base": 1, "media": "document"}),
    (Text, {"offset_unit": "codepoint"}, {"offset_unit": "codepoint", "media": "text"}),
    (Conversation, {"uuid": False}, {"media": "conversation"}),
    (Audio, {"lines": 1}, {"media": "audio"}),
    (TiledImage, {"uuid": False}, {"media": "tiled"}),
]


@pytest.mark.parametrize(("media", "writing", "reading"), CASES, ids=str)
@given(data=st.data())
def test_the_laws_hold_under_options_too(
    media: type[Any],
    writing: dict[str, Any],
    reading: dict[str, Any],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    options = LabelboxWriterOptions(**writing)
    holds = FORMAT.holds_of(media, options)
    assert holds is not None
    testing.check_laws(
        FORMAT,
        data.draw(testing.datasets(holds) | testing.everything(media)),
        tmp_path_factory.mktemp("laws"),
        options=options,
        reader_options=LabelboxReaderOptions(**reading),
    )


@pytest.mark.parametrize("media", [Image, Video, Text, Conversation, Document, TiledImage, Audio])
@given(data=st.data())
def test_check_has_nothing_against_any_line_that_is_written(
    media: type[Any], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("check") / "out.ndjson"
    options = LabelboxWriterOptions()
    fitted = testing.fitted(FORMAT, data.draw(testing.everything(media)), options, Report())
    write(fitted, target, options, Report())
    report = Report()
    check_file(str(target), report)
    told = [str(each) for each in report.problems if each.code != "S514"]  # an empty file
    assert told == []
