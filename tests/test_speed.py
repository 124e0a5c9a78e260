"""Speed is measured by ratios of one round; what is kept makes a page that says what was reached and what was not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch

from benchmarks.cli import main
from benchmarks.cli.speed import MEASURED
from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.encoders import load_model
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.methods.finetune import finetune
from benchmarks.recipes import Finetune
from benchmarks.schema import TEXTS
from benchmarks.speed import PARTS, frozen, gpu, growth, loops, many, page, together, training, vocabulary
from benchmarks.speed.timing import Goal, Measured, Ratio, Table, in_turn, ratios

# -- timing ----------------------------------------------------------------------------------------------------------


def test_every_round_goes_through_all_ways_and_none_always_follows_the_same_one():
    done: list[str] = []
    ways = {name: lambda name=name: done.append(name) or len(done) for name in "abc"}
    found = in_turn(ways, 3, lambda said: None)
    assert "".join(done) == "abcbcacab"
    assert found == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}


def test_a_ratio_is_of_one_round_however_slow_the_machine_is_in_it():
    assert ratios([10.0, 100.0, 14.0], [5.0, 50.0, 2.0]) == Ratio(2.0, 2.0, 7.0)


@pytest.mark.parametrize(
    ("wanted", "at_most", "reached", "met"),
    [(2, False, 2.5, True), (2, False, 1.5, False), (2, True, 1.5, True), (2, True, 2.5, False), (2, True, None, None)],
)
def test_a_goal_is_met_by_the_middle_of_all_rounds(wanted, at_most, reached, met):
    found = None if reached is None else Ratio(reached, 0, 100)
    assert Goal("what", wanted, found, at_most=at_most).met is met


# -- the page --------------------------------------------------------------------------------------------------------


def measured(value: float) -> Measured:
    goals = [Goal("fast", 2, Ratio(value, value - 1, value + 1)), Goal("on a GPU", 4, None, why="none was there")]
    return Measured(goals, [Table("A table", ["way", "seconds"], [["ours", value]], "A note.")])


def test_the_page_says_what_was_reached_missed_and_not_measured(tmp_path):
    page.keep(tmp_path, "training", measured(3.0))
    text = page.write(tmp_path).read_text()
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert ["fast", "≥ 2 ×", "3 × (2 × to 4 ×)", "met", ""] in lines
    assert ["on a GPU", "≥ 4 ×", "not measured", "", "none was there"] in lines
    assert ["ours", "3.0"] in lines and "A note." in text and "torch" in text


def test_what_a_person_says_of_it_stands_after_the_goals(tmp_path):
    page.keep(tmp_path, "training", measured(1.0))
    (tmp_path / "speed" / "notes.md").write_text("Slow, since the machine is.\n")
    text = page.write(tmp_path).read_text()
    assert text.index("**missed**") < text.index("Slow, since the machine is.") < text.index("## A table")


def test_a_part_that_is_measured_anew_takes_its_own_place_and_leaves_the_others(tmp_path):
    page.keep(tmp_path, "many", measured(5.0))
    page.keep(tmp_path, "training", measured(3.0))
    page.keep(tmp_path, "training", measured(1.5))
    text = page.write(tmp_path).read_text()
    assert "**missed**" in text and "3 × (2" not in text
    assert text.index("| ours  |       1.5 |") < text.index("| ours  |       5.0 |")  # in the order of the parts


def test_every_part_can_be_asked_for():
    assert tuple(MEASURED) == PARTS


# -- what is timed ---------------------------------------------------------------------------------------------------


def work(folder: Path, write=make.text_task) -> loops.Work:
    task = load_task(write(folder))
    data = load(task, origin_of(task, folder / "data", {}), folder / "tables", Lock())
    encoder = tiny.checkpoint(folder / "encoder", sentences=jobs.VOCABULARY)
    return loops.Work(data, encoder, Finetune(epochs=1, batch_size=8), 40, folder / "cache")


@pytest.mark.parametrize("write", [make.text_task, make.tag_task], ids=["texts", "words"])
def test_every_loop_trains_the_same_rows_in_as_many_updates(tmp_path, write, monkeypatch):
    steps: dict[str, int] = {}
    counted = torch.optim.AdamW.step
    current = [""]

    def step(self, *args, **kwargs):
        steps[current[0]] = steps.get(current[0], 0) + 1
        return counted(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    here = work(tmp_path, write)
    for way, loop in training.LOOPS.items():
        current[0] = way
        taken = loop(here)
        assert taken.seconds > 0 and taken.peak_mb > 0
    rows = steps[training.OURS] * 8  # a row of words may be several windows
    assert set(steps.values()) == {steps[training.OURS]} and rows >= 40


def test_one_run_has_a_goal_and_a_line_for_every_way(tmp_path):
    told: list[str] = []
    found = training.one_run([work(tmp_path)], 2, told.append)
    assert len(told) == 2 * len(training.LOOPS)
    assert [goal.wanted for goal in found.goals] == [12.0, 2.5, 1.3, 0.05]
    assert [line[0] for line in found.tables[0].rows] == list(training.LOOPS)
    assert sum(int(str(line[1]).removesuffix("%")) for line in found.tables[1].rows) == pytest.approx(100, abs=3)


def test_useful_products_are_those_of_word_pieces_and_not_of_padding(tmp_path):
    here = work(tmp_path)
    tokenizer = loops.load_tokenizer(here.encoder, here.data.task.type)
    texts = here.job().data.train["text"]
    assert here.pieces == sum(len(tokenizer(text)["input_ids"]) for text in texts)


def test_a_head_on_a_frozen_encoder_and_its_folds_are_of_the_same_rows(tmp_path):
    here = work(tmp_path)
    found = frozen.frozen_heads(here.data, here.encoder, 40, here.cache, 1, lambda said: None)
    assert [goal.wanted for goal in found.goals] == [7.0, 40.0]
    assert all(goal.reached.middle > 0 for goal in found.goals)


def test_many_runs_are_made_in_every_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make.text_task(tmp_path)
    monkeypatch.setattr(many, "RUNS", 2)
    monkeypatch.setattr(many, "_rates", lambda: [[], []])
    command = ["--tasks", "./mine.yaml", "--systems", "tfidf-svm", "--data-dir", "data"]
    loads = []

    def load() -> None:
        began = time.perf_counter()
        time.sleep(0.05)
        loads.append(time.perf_counter() - began)

    found = many.many_runs(command, 1, tmp_path / "cache", load, lambda said: None)
    shares = [goal.reached.middle for goal in found.goals if goal.at_most]
    assert len(loads) == 2 and loads[-1] / found.tables[0].rows[0][1] == pytest.approx(shares[0], rel=0.2)
    assert len(found.tables[0].rows) == 3 and all(line[1] > 0 for line in found.tables[0].rows)
    with pytest.raises(UserError, match=r"(?s)ended with exit code 2.*no-such-system"):
        many.many_runs([*command[:3], "no-such-system"], 1, tmp_path / "cache", lambda: None, lambda said: None)


def test_a_runs_record_says_what_loading_its_encoder_and_tokens_took(tmp_path):
    job = work(tmp_path).job()
    finetune(job)
    assert 0 < job.meter.notes["prepare_seconds"] < 60


def test_growth_beside_the_size_leaves_out_what_every_size_takes():
    def goal(*seconds):
        return growth._linear("it", dict(zip((1, 10, 100), ({"s": one} for one in seconds), strict=True)), "s")

    assert goal(5.0, 14.0, 104.0).reached.middle == pytest.approx(1.0)
    assert goal(5.0, 14.0, 204.0).met is False
    assert goal(5.0, 5.0, 6.0).met is True  # whatever the smaller step, this is not more than the size
    unknown = goal(2.05, 2.0, 60.0)
    assert (unknown.met, unknown.why) == (None, growth.TOO_LITTLE)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells memory of its own")
def test_memory_of_its_own_is_what_no_file_stands_behind(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(60_000_000))
    with growth._own_memory() as mapped:
        numbers = np.memmap(path, dtype=np.uint8, mode="r")
        assert numbers.sum() == 0
        time.sleep(0.1)
    with growth._own_memory() as taken:
        held = np.ones(60_000_000, np.uint8)
        time.sleep(0.1)
    assert held[-1] == 1 and max(taken) - max(mapped) > 50


def test_a_large_vocabulary_is_trained_whole_and_as_far_as_it_occurs(monkeypatch):
    sizes = {"PIECES": 2000, "WIDTH": 12, "LAYERS": 1, "OCCURRING": 50, "ROWS": 2, "LENGTH": 5}
    for name, value in sizes.items():
        monkeypatch.setattr(vocabulary, name, value)
    found = vocabulary.multilingual(1, lambda said: None)
    assert [line[0] for line in found.tables[0].rows] == [vocabulary.WHOLE, vocabulary.KEPT]
    assert all(line[2] > 0 for line in found.tables[0].rows)


def test_seeds_as_one_batched_model_are_those_trained_apart(tmp_path, monkeypatch):
    """Without dropout, whose numbers the two draw in another order."""
    encoder = tiny.checkpoint(tmp_path / "encoder", sentences=growth.WORDS)
    batches = [together.batch_of(step, pieces=20, rows=6, length=9, seeds=3) for step in range(5)]
    found = {}
    for way in (together.apart, together.together):
        models = together.models_of(encoder, 3)
        for model in models:
            model.eval()
        found[way] = way(models, batches)
    first = load_model(encoder, TEXTS, ["negative", "positive"]).state_dict()
    for apart, beside in zip(*found.values(), strict=True):
        for name, weights in apart.items():
            torch.testing.assert_close(beside[name], weights, atol=1e-5, rtol=0, msg=name)
    moved = [torch.dist(weights, first[name]) for name, weights in found[together.apart][0].items()]
    assert max(moved) > 1e-3
    measured = together.seeds_together(encoder, 1, lambda said: None)
    assert [line[0] for line in measured.tables[0].rows] == [together.APART, together.TOGETHER]


def test_what_is_measured_on_a_gpu_runs_on_a_processor_too(tmp_path, monkeypatch):
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
    for name, value in {"SIZE": small, "BATCHES": (4, 8), "PIECES": 16, "UPDATES": 2}.items():
        monkeypatch.setattr(gpu, name, value)
    goal, table = gpu.filled(tiny.checkpoint(tmp_path / "encoder", sentences=growth.WORDS), 2, lambda said: None)
    assert 0 < goal.reached.middle < 0.4 and goal.met is False
    assert [line[0] for line in table.rows] == ["batches of 4", "batches of 8"]
    assert all(rate > 0 and products >= 0 for _, rate, products, *_ in table.rows)
    make.text_task(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gpu, "RUNS", 2)
    command = ["--tasks", "./mine.yaml", "--systems", "tfidf-svm", "--data-dir", "data"]
    assert gpu.packed(command, 1, tmp_path / "cache", lambda said: None).reached.middle > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_without_a_gpu_its_goals_are_not_measured_and_say_so(tmp_path):
    found = gpu.on_a_gpu(tmp_path, [], 1, tmp_path, lambda said: None)
    assert [(goal.wanted, goal.reached, goal.why) for goal in found.goals] == [
        (0.4, None, gpu.NO_GPU), (4.0, None, gpu.NO_GPU), (1.0, None, gpu.NO_GPU)
    ]  # fmt: skip


@pytest.mark.parametrize(("what", "size"), [("rows", 50), ("labels", 3), ("pieces", 16), ("runs", 3)])
def test_growth_measures_one_size_in_a_process_of_its_own(tmp_path, what, size):
    encoder = tiny.checkpoint(tmp_path / "encoder", sentences=growth.WORDS)
    found = growth._each(what, [size], encoder, lambda said: None)
    assert found[size]["seconds"] > 0 and found[size]["MB"] > 10


def test_a_size_that_fails_is_told_with_its_reason(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)3 pieces.*max_length"):
        growth._each("pieces", [3], tmp_path, lambda said: None)


# -- the command -----------------------------------------------------------------------------------------------------


def test_the_command_measures_a_part_and_writes_the_page(tmp_path, bundled, capsys):
    assert main(["speed", "starting", "--rounds", "1", "--results-dir", str(tmp_path)]) == 0
    assert "SPEED.md" in capsys.readouterr().out
    assert "--dry-run" in (tmp_path / "SPEED.md").read_text()
    assert json.loads((tmp_path / "speed" / "starting.json").read_text())["environment"]["cores"]
    assert (
        "`encoder-bench speed starting --tasks rotten-tomatoes,mit-movie --rows 640 --rounds 1`"
        in (tmp_path / "SPEED.md").read_text()
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["trainng"], "Did you mean 'training'?"),
        (["training", "--rows", "10"], "--rows"),
        (["training", "--rounds", "0"], "--rounds"),
        (["starting,frozen", "--sample", "--tasks", "ner-sample"], "text"),
        (["training", "--sample", "--rows", "5000"], "5,000"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, bundled, capsys, given, said):
    assert main(["speed", *given, "--results-dir", str(tmp_path / "results")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
