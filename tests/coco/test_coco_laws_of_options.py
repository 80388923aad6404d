"""The laws for the writer's other options, which the general law tests do not set."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelconv import testing
from labelconv.formats.coco import FORMAT, holds
from labelconv.formats.coco.reader import CocoReaderOptions
from labelconv.formats.coco.writer import CocoWriterOptions
from labelconv.model import Image, Keypoints, Samples
from labelconv.problems import Report

_RESULTS = CocoWriterOptions(task="results")
_UNCOMPRESSED = CocoWriterOptions(rle="uncompressed")
_QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_QUICK
@given(data=st.data())
def test_run_lengths_in_plain_numbers_obey_the_laws(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.datasets(holds(_UNCOMPRESSED)[0]))
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=_UNCOMPRESSED)


@_QUICK
@given(data=st.data())
def test_results_obey_the_laws_when_their_ground_truth_is_given_with_them(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    room = tmp_path_factory.mktemp("laws")
    dataset = data.draw(testing.datasets(holds(_RESULTS)[0]))
    # A skeleton's outline has no place in results; the loss is told, and tested elsewhere.
    plain = Samples(
        [
            msgspec.structs.replace(
                sample,
                annotations=tuple(
                    msgspec.structs.replace(
                        annotation, value=msgspec.structs.replace(annotation.value, outline=None)
                    )
                    if isinstance(annotation.value, Keypoints)
                    else annotation
                    for annotation in sample.annotations
                ),
            )
            for sample in dataset
        ],
        dataset.ontology,
        dataset.info,
    )
    truth = room / "truth.json"
    # Classes alone: with the pictures, the keys would be their file names.
    FORMAT.write(Samples([], dataset.ontology), truth, CocoWriterOptions(), Report())
    folder = room / "results"
    folder.mkdir()
    testing.check_laws(
        FORMAT,
        plain,
        folder,
        options=_RESULTS,
        reader_options=CocoReaderOptions(categories=str(truth)),
    )


def test_what_results_hold_is_less_than_what_a_ground_truth_holds() -> None:
    (truth,), (results,) = holds(CocoWriterOptions()), holds(_RESULTS)
    assert truth.media is results.media is Image
    assert results.values < truth.values
    assert (results.empty, results.size, results.uri) == (False, False, False)
