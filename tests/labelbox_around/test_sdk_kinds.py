"""Every kind that a Labelbox line can have goes through the SDK's types, kind by kind.

`test_sdk` draws any data; here each cell of what the labelbox format holds is written once, so that
a kind that has no way through the SDK has a test of its own that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from test_sdk import FORMAT, assert_same, serialized

from labelconv import codes, model, tracks
from labelconv.formats.labelbox.options import LabelboxWriterOptions
from labelconv.labelbox.sdk import from_sdk

MEDIA: dict[str, model.Media] = {
    "Image": model.Image(8.0, 6.0),
    "Video": model.Video(8.0, 6.0, 50, 25.0),
    "Text": model.Text("any text"),
    "Conversation": model.Conversation(
        (model.Message("m1", "any text"), model.Message("m2", "more"))
    ),
    "Document": model.Document(),
    "TiledImage": model.TiledImage(),
    "Audio": model.Audio(9_000),
}
SHAPES: dict[str, model.Shape] = {
    "Point": model.Point(1.5, 2.0),
    "Box": model.Box(1.0, 2.0, 4.5, 5.0),
    "Polyline": model.Polyline((1.0, 2.0, 4.5, 5.0)),
    "Polygon": model.Polygon((((1.0, 1.0, 5.0, 1.0, 5.0, 4.0),),)),
    "Mask": model.Mask((6, 8), (12, 3, 33)),
}
ANSWERS: dict[str, model.Answer] = {
    "Radio": model.Radio("a"),
    "Checklist": model.Checklist((model.Radio("a"), model.Radio("b"))),
    "FreeText": model.FreeText("so"),
    "nested": model.Radio("a", (model.Classification("why", model.FreeText("so")),)),
}


def _values(media: str) -> Iterator[tuple[str, model.Value]]:
    """A value of each kind that Labelbox takes for media, from what the format says it holds."""
    (holds,) = (
        each
        for each in FORMAT.holds(LabelboxWriterOptions())
        if each.media.__name__ == media and (media != "TiledImage" or each.read_as is not None)
    )
    for kind in sorted(each.__name__ for each in holds.values):
        if kind == "Track":
            for shape in sorted(each.__name__ for each in holds.keyframes):
                moved = (model.Keyframe(3, SHAPES[shape]), model.Keyframe(9, SHAPES[shape]))
                yield (
                    f"Track of {shape}",
                    model.Track((moved, (model.Keyframe(20, SHAPES[shape]),))),
                )
        elif kind == "OnPage":
            for shape in sorted(each.__name__ for each in holds.on_page):
                yield f"{shape} on a page", model.OnPage(2, SHAPES[shape])
        elif kind == "TokenSpan":
            yield (
                kind,
                model.TokenSpan(
                    (model.TokenGroup(1, "g", ("t1", "t2")), model.TokenGroup(2, "h", ("t3",)))
                ),
            )
        elif kind == "TextSpan":
            yield kind, model.TextSpan(1, 4, "m1" if media == "Conversation" else None)
        else:
            yield kind, SHAPES[kind]


def _asked(media: str) -> Iterator[tuple[str, model.Classification]]:
    """A question of each kind: about all of it, at times, about a message."""
    for kind, answer in ANSWERS.items():
        yield f"global {kind}", model.Classification("q", answer)
        if media in ("Video", "Audio"):
            yield f"{kind} over time", model.Classification("q", answer, ((2, 5), (8, 12)))
        if media == "Conversation":
            yield f"{kind} of a message", model.Classification("q", answer, message="m2")


CELLS = [
    *(
        (m, kind, model.Annotation("a", "thing", value))
        for m in MEDIA
        for kind, value in _values(m)
    ),
    *((m, kind, asked) for m in MEDIA for kind, asked in _asked(m)),
]


@pytest.mark.parametrize(
    ("media", "kind", "said"), CELLS, ids=[f"{media}: {kind}" for media, kind, _ in CELLS]
)
def test_each_kind_goes_through_the_sdk_and_comes_back(
    media: str, kind: str, said: model.Annotation | model.Classification
) -> None:
    annotated = isinstance(said, model.Annotation)
    sample = model.Sample(
        "k", MEDIA[media], (said,) if annotated else (), () if annotated else (said,)
    )
    labels = assert_same(model.Samples((sample,)), offset_unit="codepoint")
    read_as = {"TiledImage": "tiled"}.get(media, media.lower())
    (back,) = from_sdk(labels, options={"media": read_as, "offset_unit": "codepoint"})
    if annotated:
        (one,) = back.annotations
        assert (one.category, _dense(one.value)) == ("thing", _dense(said.value))
    elif kind in ("Radio over time", "nested over time"):
        assert {each.ranges for each in back.classifications} == {said.ranges}
    else:
        assert set(back.classifications) == {said}


def _dense(value: model.Value) -> model.Value:
    """Masks of videos are written for each frame."""
    return tracks.expand(value) if isinstance(value, model.Track) else value


def test_the_cells_are_all_kinds_that_the_format_holds() -> None:
    assert len(CELLS) == len({(media, kind) for media, kind, _ in CELLS})
    kinds = {(media, kind) for media, kind, said in CELLS if isinstance(said, model.Annotation)}
    assert kinds >= {
        *(("Image", kind) for kind in SHAPES),
        *(("TiledImage", kind) for kind in ("Point", "Box", "Polyline", "Polygon")),
        *(("Video", f"Track of {kind}") for kind in ("Point", "Box", "Polyline", "Mask")),
        ("Text", "TextSpan"),
        ("Conversation", "TextSpan"),
        ("Document", "TokenSpan"),
        ("Document", "Box on a page"),
    }


@pytest.mark.parametrize("media", ["Image", "Text", "Conversation", "Document", "TiledImage"])
@pytest.mark.parametrize("directed", [True, False])
def test_relations_go_through_the_sdk_wherever_labelbox_takes_them(
    media: str, directed: bool
) -> None:
    values = dict(_values(media))
    one, other = (model.Annotation(id, "thing", next(iter(values.values()))) for id in "ab")
    relation = model.Relation("r", "near", "a", "b", directed)
    sample = model.Sample("k", MEDIA[media], (one, other), (), (relation,))
    taken = any(
        holds.relations
        for holds in FORMAT.holds(LabelboxWriterOptions())
        if holds.media.__name__ == media
    )
    labels = assert_same(model.Samples((sample,)), offset_unit="codepoint")
    lines = [line for line in serialized(labels) if "relationship" in line]
    assert len(lines) == taken


# ------------------------------------------------------- what the SDK has and the model has not


def _unreadable() -> dict[str, Any]:
    from labelbox import types as sdk

    info = sdk.MessageInfo(message_id="m1", model_config_name="A")
    first = sdk.OrderedMessageInfo(message_id="m1", model_config_name="A", order=1)
    tasks = {
        "selection": sdk.MessageSingleSelectionTask(
            message_id="m1", model_config_name="A", parent_message_id="p"
        ),
        "selections": sdk.MessageMultiSelectionTask(
            parent_message_id="p", selected_messages=[info]
        ),
        "ranking": sdk.MessageRankingTask(parent_message_id="p", ranked_messages=[first]),
    }
    judged = {
        name: sdk.MessageEvaluationTaskAnnotation(name="q", value=task)
        for name, task in tasks.items()
    }
    return judged | {
        "metric": sdk.ScalarMetric(metric_name="my_iou", value=0.5),
        "confusion": sdk.ConfusionMatrixMetric(metric_name="m", value=[1, 2, 3, 4]),
    }


@pytest.mark.parametrize("kind", ["selection", "selections", "ranking", "metric", "confusion"])
def test_types_without_a_place_in_the_model_are_rejected_alone(kind: str) -> None:
    from labelbox import types as sdk

    box = sdk.ObjectAnnotation(name="car", value=sdk.Rectangle.from_xyhw(0, 0, 1, 1))
    label = sdk.Label(data={"global_key": "k"}, annotations=[_unreadable()[kind], box])
    back = from_sdk([label])
    assert [[each.category for each in sample.annotations] for sample in back] == [["car"]]
    assert back.report.counts == {codes.PAYLOAD_NOT_READ.id: 1}


def test_members_without_a_place_in_the_model_are_counted() -> None:
    from labelbox import types as sdk
    from labelbox.data.mixins import CustomMetric

    metric = CustomMetric(name="x", value=1)
    box = sdk.ObjectAnnotation(
        name="car", value=sdk.Rectangle.from_xyhw(0, 0, 1, 1), custom_metrics=[metric]
    )
    answer = sdk.ClassificationAnnotation(name="q", value=sdk.Text(answer="so"))
    label = sdk.Label(
        data={"global_key": "k"}, annotations=[box, answer], is_benchmark_reference=True
    )
    back = from_sdk([label])
    (sample,) = back
    assert (len(sample.annotations), len(sample.classifications)) == (1, 1)
    assert back.report.fields["labelbox:customMetrics"] == 1
    assert back.report.fields["labelbox:isBenchmarkReferenceLabel"] == 2


def test_answers_to_prompts_are_texts() -> None:
    from labelbox import types as sdk

    prompt = sdk.PromptClassificationAnnotation(name="ask", value=sdk.PromptText(answer="why?"))
    (sample,) = from_sdk([sdk.Label(data={"global_key": "k"}, annotations=[prompt])])
    assert sample.classifications == (model.Classification("ask", model.FreeText("why?")),)


def test_a_sample_by_its_id_goes_through_the_sdk_as_one() -> None:
    sample = model.Sample(
        "ckrow", model.Image(), (model.Annotation("a", "car", SHAPES["Box"]),), key_is_id=True
    )
    (label,) = assert_same(model.Samples((sample,)))
    assert (label.data.uid, label.data.global_key) == ("ckrow", None)
    (back,) = from_sdk([label])
    same = msgspec.structs.replace(back.annotations[0], id="a")
    assert (back.key, back.key_is_id, same) == ("ckrow", True, sample.annotations[0])
