"""Sample data are the same for the same seed, have every kind, and are damaged on purpose only."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

import labelconv
from labelconv import registry
from labelconv.errors import OptionError, SourceError, TargetError
from labelconv.format import SHAPES, Format, Holds
from labelconv.model import Image, Polygon, Samples, Track, Video
from labelconv.sample_data import damaged, generate
from labelconv.sampling import MEDIA, media_of, write_sample

WRITABLE = [name for name in registry.names() if registry.get(name).write is not None]
READABLE = [name for name in WRITABLE if registry.get(name).read is not None]


def test_they_have_every_kind_of_shape_and_of_answer_and_an_empty_sample() -> None:
    samples = list(generate(4))
    annotations = [annotation for sample in samples for annotation in sample.annotations]
    assert {type(annotation.value) for annotation in annotations} == set(SHAPES)
    polygons = [a.value for a in annotations if isinstance(a.value, Polygon)]
    assert any(len(polygon.parts) > 1 for polygon in polygons)
    assert any(len(part) > 1 for polygon in polygons for part in polygon.parts)
    assert any(annotation.confidence is not None for annotation in annotations)
    assert any(annotation.classifications for annotation in annotations)
    assert any(sample.relations for sample in samples)
    assert any(not annotation.category.isascii() for annotation in annotations)
    assert samples[-1].annotations == ()


def test_they_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    assert list(generate(5, 1)) == list(generate(5, 1))
    assert list(generate(5, 1)) != list(generate(5, 2))
    with pytest.raises(OptionError):
        generate(0)


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("seed", [0, 1])
def test_they_are_read_back_without_a_problem_in_every_format(
    name: str, seed: int, tmp_path: Path
) -> None:
    chosen = registry.get(name)
    target = tmp_path / f"sample{chosen.extensions[0] if chosen.extensions else ''}"
    write_sample(generate(6, seed, media_of(chosen)), target, chosen)
    assert labelconv.check(target, name).errors == 0
    assert any(each.annotations or each.classifications for each in labelconv.read(target, name))


@pytest.mark.parametrize("name", WRITABLE)
def test_damaged_ones_are_found_out_in_every_format(name: str, tmp_path: Path) -> None:
    chosen = registry.get(name)
    target = tmp_path / f"sample{chosen.extensions[0] if chosen.extensions else ''}"
    dataset = generate(15, 0, media_of(chosen))
    if name == "vector":  # its files are no texts
        with pytest.raises(OptionError, match="texts to damage"):
            write_sample(dataset, target, chosen, broken=True)
        return
    write_sample(dataset, target, chosen, broken=True)
    if name == "labelbox-text-layer":  # sample documents have boxes and no words
        assert labelconv.check(target, name).errors == 0
        return
    if chosen.holds(chosen.writer_options())[0].media is not Image or "cvat" in name:
        # An XML file that is cut is none at all.
        with contextlib.suppress(SourceError):
            assert labelconv.check(target, name).errors > 0
    else:
        assert labelconv.check(target, name).errors > 0


def test_damage_is_the_same_for_the_same_seed_and_leaves_records_whole() -> None:
    lines = [json.dumps({"key": str(n), "parts": [n, n]}) for n in range(30)]
    text = "\n".join(lines).encode() + b"\n"
    assert damaged(text, 1) == damaged(text, 1)
    kept = set(damaged(text).decode().splitlines()) & set(lines)
    assert 20 <= len(kept) < 30
    assert damaged(b"a\tb\nc\td\ne\tf\n") == b"a\tb\nc\ne\tf\n"


def test_a_json_file_is_damaged_in_its_longest_list_and_stays_json() -> None:
    whole = {"few": [{"a": [1]}], "many": [{"a": [n, n]} for n in range(30)], "text": "x"}
    after = json.loads(damaged(json.dumps(whole).encode()))
    assert after["few"] == whole["few"]
    assert after["text"] == "x"
    assert "not an object" in after["many"]
    assert after["many"] != whole["many"]


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    native = registry.get("native")
    with pytest.raises(TargetError):
        write_sample(generate(1), "-", native, broken=True)

    def video(options: object) -> tuple[Holds, ...]:
        return (Holds(media=Video, values=frozenset({Track})),)

    films = Format(name="x", about="", url="", write=native.write, holds=video)
    assert media_of(films) is Video
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("media", [each for each in MEDIA if each is not Image])
def test_each_kind_of_media_has_samples_with_something_said_and_an_empty_one(
    media: type, tmp_path: Path
) -> None:
    made = list(generate(5, 3, media))
    assert made == list(generate(5, 3, media))
    assert {type(sample.media) for sample in made} == {media}
    assert all(sample.annotations or sample.classifications for sample in made[:-1])
    assert not made[-1].annotations
    report = labelconv.write(Samples(made), tmp_path / "out.native.ndjson")
    assert report.counts == {}
