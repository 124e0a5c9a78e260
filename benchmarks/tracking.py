"""Trackers that are told of runs while they are made: MLflow, TensorBoard, W&B.

The Trainer's own callbacks (its `report_to`) tell losses and learning rates. What is told here, by accelerate's
trackers into the same place, is what a run is and its test scores: also of systems that no Trainer trains.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import ranks
from benchmarks.errors import UserError
from benchmarks.files import ignored_by_git
from benchmarks.schema import without_secrets
from benchmarks.variables import variables

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker

    from benchmarks.schema import RunSpec

NAMES = ("mlflow", "tensorboard", "wandb")
FOLDER = "tracking"
PROJECT = "encoder-bench"


@dataclass(frozen=True)
class Followed:
    """Those that follow a run, by the Trainer's names, and what tells them its test scores."""

    by: tuple[str, ...] = ()
    tell: Callable[[Mapping[str, float | None]], None] = lambda metrics: None


@dataclass(frozen=True)
class Trackers:
    """Which ones, and the folder of what they write here unless their own variables name another place
    (MLFLOW_TRACKING_URI, TENSORBOARD_LOGGING_DIR, WANDB_DIR; names: MLFLOW_EXPERIMENT_NAME, WANDB_PROJECT).
    """

    names: tuple[str, ...] = ()
    folder: Path = Path()

    def check(self) -> None:
        """Raises UserError where one is not installed, or lets nobody in."""
        for name in self.names:
            if find_spec(name) is None:
                raise UserError(
                    f"--report-to {name}: not installed; in the clone: pip install -c constraints.txt -e '.[trackers]'"
                )
        with variables(self._variables()):
            for name in self.names:
                try:
                    self._enter(name)
                except Exception as error:  # each library has its own kinds
                    raise UserError(f"--report-to {name}: {error}") from error

    def _enter(self, name: str) -> None:
        """Raises where its place or its account isn't there: better now than once a run."""
        if name == "wandb":
            import wandb

            wandb.login()
        elif name == "mlflow":
            import mlflow

            ignored_by_git(self.folder)
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
            if mlflow.get_experiment_by_name(name) is None:  # before several workers want to make it at once
                mlflow.create_experiment(name)

    @contextmanager
    def following(self, spec: RunSpec) -> Iterator[Followed]:
        """Of the first rank. A tracker that fails costs no run: a warning says that it is not told. The trials of a
        search are not told: their scores are of validation rows.
        """
        if not self.names or spec.trial or not ranks.is_first():
            yield Followed()
            return
        ignored_by_git(self.folder)
        own = self._variables()
        own["TENSORBOARD_LOGGING_DIR"] = f"{own['TENSORBOARD_LOGGING_DIR'].rstrip('/')}/{spec.path}"  # or gs://...
        with ExitStack() as stack:
            stack.enter_context(variables(own))
            there: dict[str, GeneralTracker] = {}
            for name in self.names:
                with warned(name):
                    there[name] = _opened(name, spec)
                    stack.push(_ended(name, there[name]))
                    there[name].store_init_configuration(_described(spec))

            def tell(metrics: Mapping[str, float | None]) -> None:
                defined = {f"test/{metric}": value for metric, value in metrics.items() if value is not None}
                for name, tracker in there.items():
                    with warned(name):
                        tracker.log(defined)

            yield Followed(tuple(there), tell)

    def _variables(self) -> dict[str, str]:
        """Their own, where the user has set none."""
        own = {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder.absolute() / 'mlflow.db'}",
            "TENSORBOARD_LOGGING_DIR": str(self.folder / "tensorboard"),
            "WANDB_DIR": str(self.folder),
            "WANDB_CONSOLE": "off",  # one screen has one owner
            "WANDB_SILENT": "true",
        }
        # One run of the tracker for each of ours: those variables would make them one, or part of one.
        alone = {"MLFLOW_RUN_ID": "", "MLFLOW_NESTED_RUN": "false"}
        return {**{name: os.environ.get(name) or value for name, value in own.items()}, **alone}


NOBODY = Trackers()


def _opened(name: str, spec: RunSpec) -> GeneralTracker:
    """Started: the Trainer's callbacks write to a run that is open."""
    from accelerate import PartialState
    from accelerate.tracking import MLflowTracker, TensorBoardTracker, WandBTracker

    PartialState()  # accelerate's trackers ask it which rank they are on
    if name == "mlflow":
        tracker = MLflowTracker(PROJECT, run_name=spec.path)
    elif name == "wandb":
        project = os.environ.get("WANDB_PROJECT", PROJECT)
        tracker = WandBTracker(project, name=spec.path, group=f"{spec.task.name}/{spec.system.name}")
    else:
        tracker = TensorBoardTracker("", os.environ["TENSORBOARD_LOGGING_DIR"])
    tracker.start()
    return tracker


def _described(spec: RunSpec) -> dict[str, Any]:
    """What the run is, in plain values."""
    encoder = str(spec.system.encoder) if spec.system.encoder else None
    run = {"task": spec.task.name, "system": spec.system.name, "method": spec.system.method, "encoder": encoder}
    parts = {
        "run": run,
        "protocol": spec.protocol.model_dump(mode="json"),
        "recipe": spec.recipe.model_dump(mode="json"),
    }
    flat = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
    return {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in flat.items() if v is not None}


def _ended(name: str, tracker: GeneralTracker) -> Callable[..., None]:
    """What ends its run, as one that has failed after an exception."""

    def end(kind: type[BaseException] | None, *rest: object) -> None:
        with warned(name):
            if kind is not None and name == "wandb":
                tracker.tracker.finish(exit_code=1)
            elif kind is not None and name == "mlflow":
                import mlflow

                mlflow.end_run("FAILED")
            else:
                tracker.finish()

    return end


@contextmanager
def warned(name: str) -> Iterator[None]:
    """What goes wrong with a tracker is a warning."""
    try:
        yield
    except Exception as error:
        with suppress(Warning):  # where warnings are errors
            warnings.warn(without_secrets(f"--report-to {name}: {type(error).__name__}: {error}"), stacklevel=3)
