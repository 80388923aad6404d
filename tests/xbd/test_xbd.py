"""xBD: damage as an answer, a folder as a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelconv as lc
from labelconv import registry
from labelconv.errors import SourceError
from labelconv.formats.xbd import DAMAGES
from labelconv.io import Source
from labelconv.model import Image, Radio

FIXTURES = Path(__file__).parents[1] / "fixtures" / "xbd"
LABELS = FIXTURES / "post-disaster" / "input" / "guatemala-volcano_00000003_post_disaster.json"


def test_damage_answers_the_question_that_the_ontology_has() -> None:
    dataset = lc.read(LABELS, options={"question": "state"})
    (sample,) = list(dataset)
    assert sample.media == Image(1024, 1024)
    (asked,) = sample.annotations[0].classifications
    assert (asked.name, asked.answer) == ("state", Radio("destroyed"))
    assert sample.annotations[1].classifications == ()  # from before the disaster
    (question,) = dataset.ontology.categories[0].questions
    assert tuple(option.name for option in question.options) == DAMAGES


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        list(lc.read(tmp_path, "xbd"))


def test_a_file_is_recognised_by_its_two_lists(tmp_path: Path) -> None:
    sniff = registry.get("xbd").sniff
    assert sniff is not None
    assert sniff(Source(LABELS).peek()).certainty == 3
    assert sniff(Source(tmp_path).peek()).certainty == 0
    (tmp_path / "a.json").write_text('{"features":[]}')
    assert sniff(Source(tmp_path / "a.json").peek()).certainty == 0
