"""The model card of a model that a run has kept: what it is, what it was trained and tested on, how it scored."""

from __future__ import annotations

import re
from typing import Any

from benchmarks.metrics import METRICS
from benchmarks.schema import TAGS, Encoder, RunResult, asked

NAME = "README.md"
DIGITS = 4
BODY = """\
# {title}

{encoder}, trained on **{task_title}** by `encoder-bench {version}`: run
`{task}/{system}/{key}`, made {created}.

## Scores

On {test:,} test rows, seed {seed}; trained on {train:,} rows ({protocol}).

{scores}

One run says nothing of how far another seed would be: the leaderboard's intervals do.

## Use

{use}

## Recipe

{recipe}

## What to know

{notes}
"""
USE = """\
```python
from transformers import pipeline

predict = pipeline("{type}", model="PATH")
```

or `encoder-bench predict {task}/{system} --text "..."`."""
USE_OWN_HEAD = """\
The encoder is a checkpoint of transformers; the head, of our own making, is in `head.safetensors`.
`encoder-bench predict {task}/{system} --text "..."` puts them together."""


def card(run: RunResult, encoder: Encoder | None, own_head: bool) -> str:
    """In the form of the Hub: metadata with every score, then the text. own_head: whether the head is of ours."""
    from huggingface_hub import ModelCard

    text = BODY.format(
        title=_line(f"{run.system} on {run.task}"),
        encoder=_line(encoder.checkpoint) if encoder else "A model",
        task_title=_line(run.title),
        task=_name(run.task),
        system=_name(run.system),
        key=run.key,
        created=run.created[:10],
        version=run.environment["encoder_bench"],
        test=run.data["used"]["test"],
        train=run.data["used"]["train"],
        seed=run.seed,
        protocol=_protocol(run),
        scores=_scores(run),
        use=(USE_OWN_HEAD if own_head else USE).format(type=run.type, task=_name(run.task), system=_name(run.system)),
        recipe="\n".join(f"- {name}: {_line(str(value))}" for name, value in run.recipe.items() if value is not None),
        notes="\n".join(f"- {note}" for note in _notes(run)),
    )
    return str(ModelCard(f"---\n{_metadata(run, encoder).to_yaml()}\n---\n\n{text}"))


def _protocol(run: RunResult) -> str:
    """What is trained on, but the seed: 'the whole training split', 'train_size 1000, balanced', 'fold 1 of 5'."""
    parts = [] if run.fold is None else [f"fold {run.fold + 1} of {run.protocol['folds']}"]
    drawn = asked(run.protocol, without=("seed", "fold", "folds"))
    parts += [name if value is True else f"{name} {value}" for name, value in drawn.items()]
    return ", ".join(_line(part) for part in parts) or "the whole training split"


def _line(text: str) -> str:
    """One line in which nothing is read as Markdown or HTML: a task's file may be a stranger's."""
    return re.sub(r"([*<`\\|#\[\]])", r"\\\1", " ".join(text.split()))


def _name(text: str) -> str:
    """As it may stand in code."""
    return " ".join(text.replace("`", "").split())


def _scores(run: RunResult) -> str:
    rows = [f"| {_header(name, run)} | {value:.{DIGITS}f} |" for name, value in run.metrics.items()]
    return "\n".join(["| metric | score |", "|:--|--:|", *rows])


def _header(name: str, run: RunResult) -> str:
    known = METRICS.get(name)
    return known.header.format(scheme=run.identity_["task"]["scheme"]) if known else name


def _notes(run: RunResult) -> list[str]:
    """Of the data: licence, warnings, oddities."""
    notes = [f"Licence of the data: {_line(run.about.get('licence', 'not stated'))}"]
    notes += ["The data hold offensive text."] if run.about.get("offensive") else []
    notes += ["The rows are synthetic: this model is a demonstration."] if run.sample else []
    return [*notes, *map(_line, run.data.get("notes", ()))]


def _metadata(run: RunResult, encoder: Encoder | None) -> Any:
    from huggingface_hub import EvalResult, ModelCardData

    from_hub = run.data["source"] == "hub"
    place = run.identity_["data"].get("path") if from_hub else None
    results = [
        EvalResult(
            task_type=run.type,
            dataset_type=place or run.task,
            dataset_name=run.title,
            dataset_split="test",
            metric_type=name,
            metric_name=_header(name, run),
            metric_value=round(value, DIGITS),
        )
        for name, value in run.metrics.items()
    ]
    return ModelCardData(
        language=run.about.get("language"),
        library_name="transformers",
        pipeline_tag="token-classification" if run.type == TAGS else "text-classification",
        base_model=_hub_id(encoder),
        datasets=[place] if place else None,
        tags=["encoder-bench"],
        model_name=f"{run.system} on {run.task}",
        eval_results=results,
    )


def _hub_id(encoder: Encoder | None) -> str | None:
    """'org/name'; None of a folder."""
    name = encoder.checkpoint if encoder else ""
    return name if name.count("/") == 1 and name[0] not in "./~" else None
