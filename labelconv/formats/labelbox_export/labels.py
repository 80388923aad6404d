"""Data rows with their labels, of v2 and v1 alike, and which of several labels count."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from labelconv.formats.labelbox_export.faults import (
    Refused,
    escaped,
    listed,
    malformed,
    record,
    shown,
)
from labelconv.texts import Chunk, Fault


class Spot(msgspec.Struct, frozen=True):
    """The record that something stands in."""

    chunk: Chunk[Any]
    index: int


class Label(msgspec.Struct, frozen=True):
    """What one person or model said. `said` has objects, classifications and so on, at `at`."""

    id: str | None
    said: Any
    at: str
    spot: Spot
    kind: str = ""
    changed: str = ""
    score: float | None = None
    benchmark: str | None = None
    details: dict[str, Any] = {}


class Group(msgspec.Struct, frozen=True):
    """The labels of a project or a part of a model run; those marked as skipped apart."""

    id: str
    name: str
    labels: list[Label]
    skipped: list[Label] = []


class Row(msgspec.Struct, frozen=True):
    """A data row. `row_data` is the address of the media; `told` what has no place in the model.

    `faults` are (place, fault, part) of labels that cannot be used, `skipped` the labels that are
    marked so: the labeler passed the data row over, perhaps after some objects were drawn.
    """

    spot: Spot
    id: str | None
    global_key: str | None
    external_id: str | None
    row_data: Any
    attributes: dict[str, Any]
    projects: list[Group]
    runs: dict[str, list[Group]]
    told: dict[str, Any]
    faults: list[tuple[str, Refused, Any]]
    skipped: list[Label]


def row_of(value: Any, spot: Spot) -> Row:
    """A line of export v2. Raises `Fault` for what is no data row."""
    given = value.get("data_row") if isinstance(value, dict) else None
    if not isinstance(given, dict):
        raise Fault("a data_row", shown(value), "/data_row" if isinstance(value, dict) else "")
    about = value.get("media_attributes")
    attributes = about if isinstance(about, dict) else {}
    known = ("data_row", "projects", "experiments")
    told = {name: each for name, each in value.items() if name not in known and each is not about}
    own = ("id", "global_key", "external_id")
    told.update(
        (name, each)
        for name, each in given.items()
        if name != "row_data" and not (name in own and isinstance(each, str))
    )
    told.update(
        (name, each)
        for name, each in attributes.items()
        if not isinstance(each, _ATTRIBUTES.get(name, ()))
    )
    if not isinstance(about, dict):
        told["media_attributes"] = about
    faults: list[tuple[str, Refused, Any]] = []
    projects = _projects(value.get("projects"), spot, faults)
    runs = _runs(value.get("experiments"), spot, faults)
    groups = [*projects, *(group for part in runs.values() for group in part)]
    return Row(
        spot=spot,
        id=_text(given.get("id")),
        global_key=_text(given.get("global_key")),
        external_id=_text(given.get("external_id")),
        row_data=given.get("row_data"),
        attributes=attributes,
        projects=projects,
        runs=runs,
        told=told,
        faults=faults,
        skipped=[label for group in groups for label in group.skipped],
    )


#: What is read of `media_attributes`, with its types.
_ATTRIBUTES: dict[str, tuple[type, ...]] = {
    "width": (int, float),
    "height": (int, float),
    "mime_type": (str,),
    "asset_type": (str,),
    "frame_count": (int,),
    "frame_rate": (int, float),
}


def _projects(given: Any, spot: Spot, faults: list[tuple[str, Refused, Any]]) -> list[Group]:
    groups = []
    for id, project in _members(given, "/projects", faults):
        at = f"/projects/{escaped(id)}"
        about = {"project": id, **_beside(project, "project_name", ("labels",))}
        labels = _labels(project.get("labels"), f"{at}/labels", about, spot, faults)
        groups.append(Group(id, str(project.get("name", "")), *labels))
    return groups


def _runs(given: Any, spot: Spot, faults: list[tuple[str, Refused, Any]]) -> dict[str, list[Group]]:
    """The labels and the predictions of model runs."""
    parts: dict[str, list[Group]] = {"labels": [], "predictions": []}
    for experiment, model in _members(given, "/experiments", faults):
        inside = f"/experiments/{escaped(experiment)}/runs"
        for id, run in _members(model.get("runs"), inside, faults):
            about = {
                "experiment": experiment,
                **_beside(model, "experiment_name", ("runs",)),
                "model_run": id,
                **_beside(run, "model_run_name", tuple(parts)),
            }
            for part, groups in parts.items():
                at = f"{inside}/{escaped(id)}/{part}"
                labels = _labels(run.get(part), at, about, spot, faults)
                groups.append(Group(id, str(run.get("name", "")), *labels))
    return parts


def _beside(given: dict[str, Any], name: str, read: tuple[str, ...]) -> dict[str, Any]:
    """What a project or a model run says besides its labels; its name as `name`."""
    return {
        name if member == "name" else member: said
        for member, said in given.items()
        if member not in read and said
    }


def _members(
    given: Any, at: str, faults: list[tuple[str, Refused, Any]]
) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a map that may be missing."""
    if not given:
        return []
    found = []
    try:
        for id, each in record(given, at, "a map by ids").items():
            try:
                found.append((id, record(each, f"{at}/{escaped(id)}")))
            except Refused as fault:
                faults.append((f"{at}/{escaped(id)}", fault, each))
    except Refused as fault:
        faults.append((at, fault, given))
    return found


def _labels(
    given: Any,
    at: str,
    about: dict[str, Any],
    spot: Spot,
    faults: list[tuple[str, Refused, Any]],
) -> tuple[list[Label], list[Label]]:
    """The labels that count, and those that are marked as skipped."""
    labels: list[Label] = []
    skipped: list[Label] = []
    try:
        found = listed(given, at, "a list of labels")
    except Refused as fault:
        faults.append((at, fault, given))
        return labels, skipped
    for n, each in enumerate(found):
        place = f"{at}/{n}"
        if not isinstance(each, dict) or not isinstance(each.get("annotations"), dict):
            faults.append((place, malformed(place, "a label with annotations", each), each))
            continue
        details = each.get("label_details")
        details = details if isinstance(details, dict) else {}
        measured = each.get("performance_details")
        measured = measured if isinstance(measured, dict) else {}
        told = {name: said for name, said in each.items() if name != "annotations" and said}
        among = skipped if measured.get("skipped") is True else labels
        among.append(
            Label(
                id=_text(each.get("id")),
                said=each["annotations"],
                at=f"{place}/annotations",
                spot=spot,
                kind=str(each.get("label_kind", "")),
                changed=_changed(details.get("updated_at"), details.get("created_at")),
                score=_score(measured.get("consensus_score")),
                benchmark=_text(measured.get("benchmark_reference_label")),
                details={**about, **told},
            )
        )
    return labels, skipped


# ------------------------------------------------------------------------------ export v1

#: What is read of a record of export v1.
_V1 = frozenset(("ID", "DataRow ID", "Global Key", "External ID", "Labeled Data", "Label"))


def is_v1(value: Any) -> bool:
    """Whether a record is a label of export v1."""
    return isinstance(value, dict) and "Labeled Data" in value and "data_row" not in value


def v1_row(records: list[tuple[dict[str, Any], Spot]]) -> Row:
    """The data row that some labels of export v1 are about."""
    first, spot = records[0]
    attributes = first.get("media_attributes", first.get("Media Attributes"))
    faults: list[tuple[str, Refused, Any]] = []
    labels: dict[str, list[Label]] = {}
    skipped: list[Label] = []
    for value, where in records:
        said = value.get("Label")
        # What nobody could label is an empty label, and long ago the word `Skip`.
        if said in (None, "Skip", "skip", "", {}):
            continue
        if value.get("Skipped") is True:
            if isinstance(said, dict):
                skipped.append(Label(_text(value.get("ID")), said, "/Label", where))
            continue
        if not isinstance(said, dict) or not said.keys() & _SAID:
            fault = malformed("/Label", "a label with objects or classifications", said)
            faults.append(("/Label", fault, said))
            continue
        project = str(value.get("Project Name", ""))
        label = Label(
            id=_text(value.get("ID")),
            said=said,
            at="/Label",
            spot=where,
            changed=_changed(value.get("Updated At"), value.get("Created At")),
            score=_score(value.get("Agreement")),
            benchmark=_text(value.get("Benchmark ID")),
            details={name: each for name, each in value.items() if name not in _V1 and each},
        )
        labels.setdefault(project, []).append(label)
    return Row(
        spot=spot,
        id=_text(first.get("DataRow ID")),
        global_key=_text(first.get("Global Key")),
        external_id=_text(first.get("External ID")),
        row_data=first.get("Labeled Data"),
        attributes=attributes if isinstance(attributes, dict) else {},
        projects=[Group(name, name, each) for name, each in labels.items()],
        runs={},
        told={},
        faults=faults,
        skipped=skipped,
    )


_SAID = frozenset(("objects", "classifications", "relationships", "frames", "segments"))


# ------------------------------------------------------------------------ which labels count


def chosen(
    labels: list[Label], how: Literal["latest", "all", "consensus", "benchmark"]
) -> list[Label]:
    """The labels of one project that count; where several are as good, the latest."""
    if how == "all":
        return labels
    if how == "benchmark":
        measures = {label.benchmark for label in labels if label.benchmark}
        labels = [label for label in labels if label.id in measures]
    if not labels:
        return []

    def rank(n: int) -> tuple[float, str, int]:
        score = labels[n].score if how == "consensus" else None
        return (-1.0 if score is None else score, labels[n].changed, n)

    return [labels[max(range(len(labels)), key=rank)]]


def counted(label: Label) -> tuple[int, int, int]:
    """How many objects, answers and relations a label has that is not read."""
    groups = label.said.get("groups")
    among = [label.said, *(groups.values() if isinstance(groups, dict) else ())]
    parts = [counted_of(said) for said in among if isinstance(said, dict)]
    return (sum(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts))


def counted_of(said: dict[str, Any]) -> tuple[int, int, int]:
    """How many objects, answers and relations are said."""
    objects, asked = _count(said.get("objects")), _count(said.get("classifications"))
    features: set[str] = set()
    questions: set[str] = set()
    frames = said.get("frames")
    for frame in frames.values() if isinstance(frames, dict) else ():
        if isinstance(frame, dict):
            shown_here = frame.get("objects")
            features.update(shown_here if isinstance(shown_here, dict) else ())
            answers = frame.get("classifications")
            for each in answers if isinstance(answers, list) else ():
                if isinstance(each, dict):
                    questions.add(str(each.get("feature_id", each.get("name"))))
    return objects + len(features), asked + len(questions), _count(said.get("relationships"))


def _count(given: Any) -> int:
    return len(given) if isinstance(given, list) else 0


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) and given else None


def _changed(*times: Any) -> str:
    """When a label was changed last. All times of an export are spelled alike, year first."""
    return next((time for time in times if isinstance(time, str) and time), "")


def _score(given: Any) -> float | None:
    return float(given) if type(given) in (int, float) else None
