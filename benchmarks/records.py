"""What readers of stored runs rely on inside a record's fields: a record may come from anywhere."""

from __future__ import annotations

import math
from types import NoneType
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic takes that of typing from Python 3.12 on

from benchmarks.metrics import METRICS
from benchmarks.schema import Protocol, RunResult, Stored

_LARGEST = 2**53
"""What is larger is no count or time, and its sums may overflow."""
ROUNDING = 1e-9
"""By which a mean of ones may be above one."""

Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Amount = Annotated[float, Field(ge=0, le=_LARGEST)]
Number = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]
Scalar = bool | Count | Number | str | None


def _finite(found: Any) -> Any:
    """JSON's 1e999 is read as infinity, which has no fingerprint."""
    for value in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        _finite(value)
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError("a number is too large")
    return found


_NUMBERS = [name for name in Protocol.model_fields if name != "balanced"]


def _of_numbers(protocol: dict[str, Any]) -> dict[str, Any]:
    for name in _NUMBERS:
        if type(protocol.get(name)) not in (int, NoneType):
            raise ValueError(f"its {name!r} is no number")
    if not isinstance(protocol.get("balanced", False), bool):
        raise ValueError("its 'balanced' is neither true nor false")
    return protocol


ProtocolOf = Annotated[dict[str, Scalar], AfterValidator(_of_numbers)]


class HeldOut(TypedDict):
    take_from: str


Splits = dict[str, str | HeldOut | Count | None]


class Definition(TypedDict):
    type: str
    labels: Annotated[list[str], Field(min_length=1)]
    positive: str | None
    scheme: Literal["IOB2", "IO"]
    splits: NotRequired[Splits]


def _has_positive(task: Definition) -> Definition:
    if task["positive"] not in (None, *task["labels"]):
        raise ValueError(f"its positive label is none of {len(task['labels'])}")
    return task


class Place(TypedDict):
    path: NotRequired[str | None]
    corpus: NotRequired[str | None]
    splits: NotRequired[Splits | None]


class Identity(TypedDict):
    code: Count
    task: Annotated[Definition, AfterValidator(_has_positive)]
    data: Place
    recipe: dict[str, Any]
    protocol: ProtocolOf
    encoder: NotRequired[dict[str, Scalar] | None]


class MadeOn(TypedDict):
    device: str
    processor: str | None
    cores: Count | None
    precision: str | None
    processes: Count
    encoder_bench: str
    git: str | None


class Cost(TypedDict):
    train_seconds: Amount
    predict_seconds: Amount
    peak_memory_mb: Amount | None
    parameters: NotRequired[Count | None]
    trainable_parameters: NotRequired[Count | None]


class Duplicates(TypedDict):
    within: dict[str, Count]


def _of_two_splits(sizes: dict[str, int]) -> dict[str, int]:
    if not {"train", "test"} <= sizes.keys():
        raise ValueError("has no 'train' or no 'test'")
    return sizes


class Data(TypedDict):
    source: Literal["files", "hub", "sample"]
    rows: dict[str, Count]
    used: Annotated[dict[str, Count], AfterValidator(_of_two_splits)]
    sha256: NotRequired[dict[str, str]]
    revision: NotRequired[str | int | None]
    notes: NotRequired[list[str]]
    duplicates: NotRequired[Duplicates]


def _of_a_source(data: Data) -> Data:
    needed = "sha256" if data["source"] == "files" else "revision"
    if needed not in data:
        raise ValueError(f"has no {needed!r}, of the source {data['source']!r}")
    return data


class Scores(TypedDict):
    precision: Number
    recall: Number
    f1: Number
    support: Amount


class Report(TypedDict):
    per_class: NotRequired[dict[str, Scores]]
    labels: NotRequired[list[str]]
    confusion: NotRequired[list[list[Count]]]


def _square(report: Report) -> Report:
    sides = {len(report.get("labels", ())), *map(len, report.get("confusion", ()))}
    if "confusion" in report and sides != {len(report["confusion"])}:
        raise ValueError("its confusion matrix is not one of labels by labels")
    return report


class Training(TypedDict):
    trained_rows: NotRequired[Count | None]
    threshold: NotRequired[Number | None]
    losses: NotRequired[list[Annotated[list[Number], Field(min_length=2, max_length=2)]]]


class Tried(TypedDict):
    seconds: NotRequired[Amount]


class Search(TypedDict):
    metric: str
    validation_rows: Count
    chosen: dict[str, Any]
    tried: Annotated[list[Tried], Field(min_length=1)]


class About(TypedDict):
    language: NotRequired[str]
    licence: NotRequired[str]
    homepage: NotRequired[str]
    citation: NotRequired[str]
    notes: NotRequired[str]


class OfAny(TypedDict):
    seed: Count
    fold: Count | None
    train_size: Count | None
    identity_: Annotated[Identity, AfterValidator(_finite)]
    protocol: ProtocolOf


def _possible(metrics: dict[str, float]) -> dict[str, float]:
    """What is no share has no interval and no place on an axis; a metric that is not known may be anything."""
    for name, value in metrics.items():
        known = METRICS.get(name)
        if known is None or known.higher_is_better is None:  # a threshold is a place on a scale
            continue
        if not known.lowest - ROUNDING <= value <= 1 + ROUNDING:
            raise ValueError(f"{name} is {value:g}, expected {known.lowest:g} to 1")
    return metrics


class OfResult(OfAny):
    metrics: Annotated[dict[str, Number], AfterValidator(_possible)]
    environment: MadeOn
    cost: Cost
    data: Annotated[Data, AfterValidator(_of_a_source)]
    report: Annotated[Report, AfterValidator(_square)]
    training: Training
    tuning: Search | None
    about: About


class Error(TypedDict):
    type: str
    message: str


class OfFailure(OfAny):
    error: Error


_OF_RESULT, _OF_FAILURE = TypeAdapter(OfResult), TypeAdapter(OfFailure)


def check_fields(run: Stored) -> None:
    """Raises pydantic's ValidationError for what no reader could use."""
    adapter: TypeAdapter[Any] = _OF_RESULT if isinstance(run, RunResult) else _OF_FAILURE
    adapter.validate_python(dict(run), strict=True)
