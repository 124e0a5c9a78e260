"""What stored runs say of a plan: what is done, what is stale and why, how long the rest takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.estimates import BySplit, costs, declared_rows, guessed_costs
from benchmarks.plan import changed_fields, is_variant
from benchmarks.schema import Recipe, RunResult, RunSpec, Stored

SHARE_WITH_A_PACE = 0.02


class History:
    """The stored runs of a plan's tasks."""

    def __init__(self, runs: Iterable[Stored]) -> None:
        self._likes: dict[tuple[str, ...], list[RunResult]] = {}
        self._costs: dict[tuple[object, ...], BySplit | None] = {}
        self.keys: set[tuple[str, str, str]] = set()
        self.twins: dict[tuple[str, str], str] = {}
        self.stored: dict[tuple[str, str, str], list[Stored]] = {}
        for run in runs:
            self.stored.setdefault((run.task, run.system, _slot(run.key, run.fingerprint)), []).append(run)
            if isinstance(run, RunResult):
                for like in _likes(run.system, run.task, run.method, run.group):
                    self._likes.setdefault(like, []).append(run)
                self.keys.add((run.task, run.system, run.key))
                self.twins.setdefault((run.task, run.key), run.system)

    def done(self, spec: RunSpec) -> bool:
        """Whether exactly this run is stored; one that failed is not done. A variant's under whatever name: that of
        another system which, so changed, is the same.
        """
        return (spec.task.name, spec.system.name, spec.key) in self.keys or self.twin(spec) is not None

    def twin(self, spec: RunSpec) -> str | None:
        """Of a variant that is stored under another name alone, that name."""
        own = (spec.task.name, spec.system.name, spec.key) in self.keys
        return None if own or not is_variant(spec.system.name) else self.twins.get((spec.task.name, spec.key))

    def changes(self, spec: RunSpec) -> list[str]:
        """For each stored run of the same system, seed, size and fold under another identity: what differs."""
        slot = spec.task.name, spec.system.name, _slot(spec.key, spec.fingerprint)
        others = (run for run in self.stored.get(slot, ()) if run.fingerprint != spec.fingerprint)
        return ["; ".join(changed_fields(run.identity_, spec.identity)) for run in others]

    def seconds(self, spec: RunSpec) -> tuple[float, bool]:
        """Estimated seconds, and whether stored runs back them: of the likest that are there."""
        rows = declared_rows(spec)
        likes = _likes(spec.system.name, spec.task.name, spec.system.method, spec.task.group)
        known = (self._cost(like, type(spec.recipe)) for like in likes)
        stored = next((cost for cost in known if cost), None)
        cost = stored or guessed_costs(spec)
        seen = spec.recipe.seen(round(rows.trained), len(spec.task.labels))
        seconds = seen * cost.trained + rows.tested * cost.tested
        return (1 + (spec.tuning.trials if spec.tuning else 0)) * seconds, stored is not None

    def _cost(self, like: tuple[str, ...], recipe: type[Recipe]) -> BySplit | None:
        """Of the stored runs that are like this; computed once: plans and stores are long."""
        asked = like, recipe
        if asked not in self._costs:
            self._costs[asked] = costs(self._likes.get(like, ()), recipe)
        return self._costs[asked]


def _likes(system: str, task: str, method: str, group: str) -> tuple[tuple[str, ...], ...]:
    """By what two runs are like each other, the likest first."""
    return ("system and task", system, task), ("system", system), ("method and group", method, group)


def _slot(key: str, fingerprint: str) -> str:
    """A key without its fingerprint: seed, size, fold."""
    return key.removesuffix(fingerprint)


class Pace:
    """Seconds that are left: each run by its estimate, all by how the estimates held so far."""

    def __init__(self, specs: Sequence[RunSpec], history: History) -> None:
        self.open = {spec.path: history.seconds(spec)[0] for spec in specs}
        self.all = sum(self.open.values())
        self.spent = self.estimated = 0.0

    def estimate(self, spec: RunSpec) -> float:
        return self.open[spec.path]

    def finished(self, spec: RunSpec, took: float) -> None:
        estimate = self.open.pop(spec.path, 0.0)
        self.all -= estimate
        self.spent += took
        self.estimated += estimate

    def left(self, running: Iterable[tuple[RunSpec, float, float]], abreast: int = 1) -> float:
        """running: spec, share that is done, seconds since its start.

        A run in progress: its elapsed time scaled by its share, once that is above 2 %. Others: their estimates, times
        how far off finished runs' estimates were. All divided by `abreast`, but no less than any run in progress.
        """
        factor = self.spent / self.estimated if self.estimated else 1.0
        begun = {
            spec.path: elapsed * (1 - share) / share
            if share > SHARE_WITH_A_PACE
            else self.open.get(spec.path, 0.0) * factor
            for spec, share, elapsed in running
        }
        others = max(0.0, self.all - sum(self.open.get(path, 0.0) for path in begun)) * factor
        return max((others + sum(begun.values())) / abreast, *begun.values(), 0.0)
