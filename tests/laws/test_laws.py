"""The laws, for every installed format and every kind of media that it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelconv import model, registry, testing
from labelconv.format import Format, Holds
from labelconv.model import Samples

_MEDIA = (
    model.Image,
    model.Video,
    model.Text,
    model.Conversation,
    model.Document,
    model.TiledImage,
    model.Audio,
)
_WRITABLE = [each for each in registry.all_formats() if each.write is not None]
_HELD = [
    pytest.param(each, holds, id=f"{each.name}-{holds.media.__name__}")
    for each in _WRITABLE
    for holds in each.holds(each.writer_options())
]


def test_at_least_two_formats_are_under_the_laws() -> None:
    assert {"native", "labelbox"} <= {each.name for each in _WRITABLE}


@pytest.mark.parametrize(("format", "holds"), _HELD)
@given(data=st.data())
def test_what_a_format_says_it_holds_obeys_the_laws(
    format: Format, holds: Holds, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.datasets(holds))
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"))


@pytest.mark.parametrize(("format", "holds"), _HELD)
@given(data=st.data())
def test_anything_obeys_the_laws_once_it_is_cut_to_a_format(
    format: Format, holds: Holds, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.everything(holds.media))
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"))


@pytest.mark.parametrize("format", _WRITABLE, ids=lambda each: each.name)
@settings(max_examples=10)
@given(data=st.data())
def test_media_that_a_format_does_not_hold_are_lost_and_the_laws_hold(
    format: Format, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    held = {holds.media for holds in format.holds(format.writer_options())}
    others = [media for media in _MEDIA if media not in held]
    if not others:  # native and labelbox hold all of them
        assert held == set(_MEDIA)
        return
    dataset = data.draw(testing.everything(data.draw(st.sampled_from(others))))
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"))


@pytest.mark.parametrize("format", _WRITABLE, ids=lambda each: each.name)
def test_no_samples_at_all_obey_the_laws(format: Format, tmp_path: Path) -> None:
    testing.check_laws(format, Samples([]), tmp_path)
