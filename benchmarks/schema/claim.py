"""A reported number and the protocol that it was measured by: what a verdict is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from benchmarks.schema.value import Value

Kind = Literal["score", "order", "bound", "cost"]
ClassScores = tuple[float, float, float, int]
"""Precision, recall, F1 and the number of test rows of one class."""
FEWEST_DECIMALS = 2
CLASS_METRICS = ("precision", "recall", "f1")
LOSS = "loss"
"""What an order or a bound may be of beside metrics: the mean training loss of the last steps; lower is better."""


class Publication(Value):
    """Where numbers were reported."""

    title: str
    address: str | None = None


class Other(Value):
    """The system that an order names second."""

    system: str
    recipe: dict[str, Any] = {}


class Passes(Value):
    """Inferences that a task of n rows takes when every pair is read together, as a source counts them."""

    rows: int = Field(ge=2)
    pairs: int = Field(ge=1)


class Claim(Value):
    """One reported result: scores of a system, an order of two, a bound, or a count of what a method costs."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    source: str
    """A key of the file's `sources`."""
    says: str
    """What is claimed, in our words."""
    task: str
    system: str
    recipe: dict[str, Any] = {}
    """What the source's recipe changes in the system's."""
    encoder: str | None = None
    """In place of the system's own: another entry's name, or a Hub id."""
    protocol: dict[str, Any] = {}
    """Fields of a run's protocol but the seed and fold; none: the splits that the task declares."""
    test_size: int | None = Field(None, ge=1)
    """Rows that the numbers were measured on; not stated where there is none."""
    reported: dict[str, float] = {}
    """Metric -> value."""
    decimals: int | None = Field(None, ge=0, le=20)
    """Decimals of the source's values, where the numbers here don't show them. Without it a value has those written, at
    least two: 0.9 is 0.90."""
    per_class: dict[str, ClassScores] = {}
    metric: str | None = None
    """Of an order; or loss, of which less is better."""
    above: Other | None = None
    """The system that is said to be worse, on the same rows."""
    at_most: dict[str, float] = {}
    """Metric, or loss -> bound."""
    passes: Passes | None = None
    not_stated: tuple[str, ...] = ()
    """Of the protocol, by the source."""
    assumed: tuple[str, ...] = ()
    """What we put in its place."""
    needs: str | None = None
    """What may be lacking, such as what is not public: such a claim is planned only where the task's data are whole."""
    not_comparable: str | None = None
    """Why our rows or labels can't be the source's; the runs are made all the same."""

    @model_validator(mode="after")
    def _one_kind(self) -> Claim:
        given = [name for name in ("reported", "per_class", "above", "at_most", "passes") if getattr(self, name)]
        if not given:
            raise ValueError("reported: required, or one of per_class, above, at_most, passes")
        kinds = [name for name in given if name != "per_class" or "reported" not in given]  # both are scores
        if len(kinds) > 1:
            raise ValueError(f"{kinds[0]} and {kinds[1]}: of two kinds; write two claims")
        if len(self.at_most) > 1:
            raise ValueError("at_most: more than one bound; write a claim for each")
        for label, (*scores, rows) in self.per_class.items():
            if not all(0 <= score <= 1 for score in scores) or rows < 1:
                raise ValueError(f"per_class.{label}: expected precision, recall and F1 as shares, and 1 row or more")
        if (self.metric is None) != (self.above is None):
            raise ValueError("metric, above: an order has both, any other claim neither")
        return self

    @property
    def kind(self) -> Kind:
        """Of what it says."""
        if self.above:
            return "order"
        return "bound" if self.at_most else "cost" if self.passes else "score"

    @property
    def sides(self) -> tuple[Other, ...]:
        """What it is about: one system, or the two of an order, the one that is said to be better first."""
        return (Other(system=self.system, recipe=self.recipe), *([self.above] if self.above else []))

    def rounding(self, value: float) -> float:
        """How far a reported value may lie from the one that was measured: half of its last decimal."""
        own = max(FEWEST_DECIMALS, -int(Decimal(str(value)).as_tuple().exponent))
        return 0.5 * 10.0 ** -(own if self.decimals is None else self.decimals)
