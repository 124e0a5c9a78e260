"""An equal search for every system: which recipes are tried, and which of them a run is made with. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.definitions import changed, resolved_recipe
from benchmarks.metrics import METRICS
from benchmarks.plan import recipe_identity
from benchmarks.schema import Between, Dimension, RunFailure, RunResult, RunSpec

DIGITS = 3
"""Of a number drawn from a range: names and records stay readable."""
OWN_FAULTS = ("FloatingPointError", "LinAlgError", "_LinAlgError", "OverflowError", "ValueError", "ZeroDivisionError")
"""How a recipe fails by its numbers. What else is raised, such as by a full disk, says nothing of the recipe."""
DRAWN_AT_MOST = 20
"""Times the trials: a small space may not hold so many different recipes."""


@dataclass(frozen=True)
class Trial:
    """One recipe that a run may be made with. changes: from the run's own recipe; none: it is that one."""

    changes: dict[str, Any]
    spec: RunSpec


def trials(spec: RunSpec) -> list[Trial]:
    """The run's own recipe, then recipes drawn from its space (Bergstra, Bengio 2012, Random Search), no two alike.

    The draws depend on the run's seed, their number and the field's name alone: the first ten of twenty are those of
    ten, and systems that share a space try the same. Fewer come where the space doesn't hold so many.
    """
    assert spec.tuning is not None
    found: dict[str, Trial] = {}
    for number in range(spec.tuning.trials * DRAWN_AT_MOST):
        drawn = {name: _drawn(choice, spec.protocol.seed, number, name) for name, choice in spec.tuning.space.items()}
        trial = _trial(spec, drawn if number else {})
        found.setdefault(trial.spec.fingerprint, trial)
        if len(found) == spec.tuning.trials:
            break
    return list(found.values())


def _drawn(choice: Dimension, seed: int, number: int, name: str) -> Any:
    share = int(np.random.PCG64([seed, number, zlib.crc32(name.encode())]).random_raw()) / 2**64
    if isinstance(choice, Between):
        return float(f"{choice.low * (choice.high / choice.low) ** share:.{DIGITS}g}")
    return choice[int(share * len(choice))]


def _trial(spec: RunSpec, changes: Mapping[str, Any]) -> Trial:
    system = changed(spec.system, changes)
    recipe = resolved_recipe(system, spec.task.type)
    differing = {name: value for name, value in changes.items() if getattr(recipe, name) != getattr(spec.recipe, name)}
    own = {name: value for name, value in spec.identity.items() if name != "tuning"}
    read = recipe_identity(recipe, spec.task.type, _vectors(spec))
    identity = {**own, "recipe": read, "scored_on": "validation"}
    return Trial(differing, replace(spec, system=system, recipe=recipe, identity=identity, tuning=None, trial=True))


def _vectors(spec: RunSpec) -> dict[str, str]:
    """The file of word vectors as the plan found it: it may be another one by now, and is compared with that."""
    name = getattr(spec.recipe, "vectors", None)
    return {} if name is None else {name: spec.identity["recipe"]["vectors"]}


# -- what came out ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """A trial and what it gave."""

    trial: Trial
    outcome: RunResult | RunFailure

    def score(self, metric: str) -> float | None:
        """None where it failed, or the metric is not defined on the validation rows."""
        return self.outcome.metrics.get(metric) if isinstance(self.outcome, RunResult) else None


def hindrance(outcome: RunResult | RunFailure) -> str | None:
    """Why a trial failed by what is no fault of its recipe: it would count as a worse one."""
    if not isinstance(outcome, RunFailure) or outcome.error["type"] in OWN_FAULTS:
        return None
    return f"{outcome.error['type']}: {outcome.error['message']}"


def best(tried: Sequence[Tried], metric: str) -> Tried:
    """Of equal ones the first. Raises RuntimeError where none has a score."""
    scored = [(one, score) for one in tried if (score := one.score(metric)) is not None]
    if not scored:
        errors = [one.outcome.error for one in tried if isinstance(one.outcome, RunFailure)]
        said = f": {errors[0]['type']}: {errors[0]['message']}" if errors else ""
        raise RuntimeError(f"none of {len(tried)} trials gave a score on validation rows{said}")
    sign = -1 if METRICS[metric].higher_is_better is False else 1
    return max(scored, key=lambda pair: sign * pair[1])[0]


def record(spec: RunSpec, tried: Sequence[Tried], chosen: Tried) -> dict[str, Any]:
    """What a stored run says of how its recipe was chosen."""
    assert spec.tuning is not None
    assert isinstance(chosen.outcome, RunResult)
    return {
        **spec.tuning.identity(),
        "validation_rows": chosen.outcome.data["used"]["test"],
        "chosen": chosen.trial.changes,
        "tried": [_line(one, spec.tuning.metric) for one in tried],
    }


def _line(one: Tried, metric: str) -> dict[str, Any]:
    if isinstance(one.outcome, RunFailure):
        return {"changes": one.trial.changes, "error": f"{one.outcome.error['type']}: {one.outcome.error['message']}"}
    seconds = round(one.outcome.cost["train_seconds"] + one.outcome.cost["predict_seconds"], 3)
    return {"changes": one.trial.changes, "score": one.score(metric), "seconds": seconds}
