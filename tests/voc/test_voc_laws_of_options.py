"""The laws for the writer's other options, which the general law tests do not set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voc_help import VOC

from labelconv import masks, testing
from labelconv.formats.voc import holds
from labelconv.formats.voc.options import VocReaderOptions, VocWriterOptions
from labelconv.model import Image, Mask, Sample, Samples

_OPTIONS = {
    "zero": VocWriterOptions(origin="zero"),
    "extended": VocWriterOptions(dialect="extended"),
    "extended zero": VocWriterOptions(dialect="extended", origin="zero", set="a"),
}


@pytest.mark.parametrize("options", _OPTIONS.values(), ids=_OPTIONS)
@given(data=st.data())
def test_other_origins_and_dialects_obey_the_laws(
    options: VocWriterOptions, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.datasets(holds(options)[0]))
    testing.check_laws(VOC, dataset, tmp_path_factory.mktemp("laws"), options=options)


@given(data=st.data())
def test_an_origin_that_is_given_obeys_the_laws_as_well(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = VocWriterOptions(origin="one")
    testing.check_laws(
        VOC,
        data.draw(testing.datasets(holds(options)[0])),
        tmp_path_factory.mktemp("laws"),
        options=options,
        reader_options=VocReaderOptions(origin="one", set="trainval"),
    )


@pytest.mark.parametrize("dialect", ["devkit", "extended"])
@given(data=st.data())
def test_masks_that_have_pixels_of_their_own_obey_the_laws(
    dialect: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = VocWriterOptions(masks="png", dialect=dialect)
    dataset = data.draw(testing.datasets(holds(options)[0]))
    apart = Samples([_apart(sample) for sample in dataset], dataset.ontology)
    testing.check_laws(VOC, apart, tmp_path_factory.mktemp("laws"), options=options)


@given(data=st.data())
def test_anything_obeys_the_laws_but_the_way_back_with_pngs_too(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = VocWriterOptions(masks="png", dialect="extended", round=True)
    dataset = data.draw(testing.everything(Image))
    room = tmp_path_factory.mktemp("laws")
    for law in (testing.check_ledger, testing.check_deterministic, testing.check_unchanged):
        place = room / law.__name__
        place.mkdir()
        law(VOC, dataset, place, options=options)


def _apart(sample: Sample) -> Sample:
    """Without masks that share pixels with earlier ones, or have none; a PNG cannot say those."""
    import msgspec

    kept = []
    taken = None
    for annotation in sample.annotations:
        if isinstance(annotation.value, Mask):
            pixels = masks.to_array(annotation.value) != 0
            if not pixels.any() or (taken is not None and (taken & pixels).any()):
                continue
            taken = pixels if taken is None else taken | pixels
        kept.append(annotation)
    return msgspec.structs.replace(sample, annotations=tuple(kept))
