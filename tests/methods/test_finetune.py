"""Fine-tuning by the Trainer: every family learns, every word and row is predicted once, in order."""

from __future__ import annotations

import gc
import json
import random
import shutil
import weakref
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
from transformers import ModernBertConfig, ModernBertForMaskedLM, PreTrainedModel, set_seed
from transformers.trainer_pt_utils import LengthGroupedSampler

from benchmarks.data.loading import load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.encoders import load_encoder, load_model, load_tokenizer
from benchmarks.lock import Lock
from benchmarks.methods import siamese, training
from benchmarks.methods.dropout import quick_dropout
from benchmarks.methods.features import IGNORED, features_of, join_windows
from benchmarks.methods.finetune import prepared
from benchmarks.methods.training import Numbered, training_arguments
from benchmarks.recipes import Finetune
from benchmarks.runner import run
from benchmarks.schema import TAGS, TEXTS, Protocol, RunResult, RunSpec
from benchmarks.selection import from_checkpoint

QUICK = Finetune(learning_rate=3e-3, epochs=6, batch_size=8, precision="fp32")


def change(path: Path, **fields) -> None:
    """Of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def rows_of(folder: Path, write=make.text_task, rows: int = 60):
    task = load_task(write(folder, rows=rows))
    return task, load(task, origin_of(task, folder / "data", {}), folder / "cache", Lock())


def trained(folder: Path, encoder: Path, write=make.text_task, recipe: Finetune = QUICK, seed: int = 0, rows: int = 60):
    task, data = rows_of(folder, write, rows)
    spec = RunSpec(task, from_checkpoint(str(encoder)), recipe, Protocol(seed=seed), {})
    result, predictions = run(spec, data, encoder, folder)
    assert isinstance(result, RunResult), result.error["traceback"]
    return result, predictions


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_every_family_learns(tmp_path, checkpoints, family, write):
    result, _ = trained(tmp_path, checkpoints[family], write)
    assert result.metrics[result.primary_metric] > 0.9
    assert result.cost["trainable_parameters"] == result.cost["parameters"] > 1000
    assert result.environment["precision"] == "fp32"


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 48), (1e9, 0)])
def test_what_batches_have_freed_is_given_back_when_it_is_time(tmp_path, checkpoints, monkeypatch, seconds, times):
    """Of 60 rows, 8 at once, six times."""
    calls = []
    monkeypatch.setattr(training.heap, "give_back", lambda: calls.append(1))
    monkeypatch.setattr(training, "SECONDS_BETWEEN_GIVING_BACK", seconds)
    trained(tmp_path, checkpoints["bert"])
    assert len(calls) == times + 1  # one by the meter, when the run begins


def german(folder: Path, rows: int) -> Path:
    """Names that differ from other words by a capital or an umlaut alone, as some of German's do."""
    path, draw = make.tag_task(folder, rows), random.Random(0)
    for part in ("train", "test"):
        items = ["\n".join(f"{w}\t{GERMAN[w]}" for w in draw.choices(list(GERMAN), k=5)) for _ in range(rows)]
        (folder / "data" / "names" / f"{part}.tsv").write_text("\n\n".join(items) + "\n", encoding="utf-8")
    return path


GERMAN = {"Essen": "B-LOC", "essen": "O", "Müller": "B-PER", "müller": "O", "Muller": "O", "wir": "O", "die": "O"}


def test_a_cased_encoder_tells_capitals_and_umlauts_apart_and_an_uncased_one_does_not(tmp_path):
    found = {}
    for lower_case in (False, True):
        encoder = tiny.checkpoint(tmp_path / str(lower_case), sentences=GERMAN, lower_case=lower_case)
        result, _ = trained(tmp_path / f"run {lower_case}", encoder, german)
        found[lower_case] = result.metrics["entity_f1"]
    assert found[False] > 0.95
    assert found[True] < 0.8


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(tmp_path, checkpoints):
    recipe = QUICK.model_copy(update={"epochs": 1})
    scores = [trained(tmp_path, checkpoints["bert"], recipe=recipe, seed=seed)[1].scores for seed in (0, 0, 1)]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


@pytest.fixture
def telling_rows_apart(checkpoints, tmp_path) -> Path:
    """A checkpoint that gives each row a score of its own: by the small weights of a fresh one all are alike."""
    from transformers import AutoModel

    folder = shutil.copytree(checkpoints["bert"], tmp_path / "apart")
    model = AutoModel.from_pretrained(folder)
    torch.manual_seed(0)
    for weights in model.parameters():
        if weights.ndim == 2:
            torch.nn.init.normal_(weights, std=0.1)
    model.save_pretrained(folder)
    return folder


def test_predictions_stand_in_the_order_of_the_rows_though_batches_are_sorted_by_length(tmp_path, telling_rows_apart):
    task, data = rows_of(tmp_path)
    spec = RunSpec(task, from_checkpoint("x/y"), QUICK.model_copy(update={"epochs": 2}), Protocol(), {})
    _, predictions = run(spec, data, telling_rows_apart, tmp_path)
    assert predictions.row_ids == list(data.splits["test"]["row_id"])
    one_by_one = _scores_one_by_one(tmp_path, telling_rows_apart, spec, data)
    assert np.median(np.abs(one_by_one[1:] - one_by_one[:-1])) > 0.05, "else any order would do"
    assert np.allclose(predictions.scores, one_by_one, rtol=2e-3, atol=2e-3)


def _scores_one_by_one(folder, encoder, spec, data):
    """The same training with transformers alone, then each test row by itself: no batch, no padding, no sorting."""
    import transformers
    from transformers import DataCollatorWithPadding, Trainer

    transformers.set_seed(0)
    tokenizer = load_tokenizer(encoder, TEXTS)
    model = load_model(encoder, TEXTS, spec.task.classes)
    features = features_of(data.splits["train"], tokenizer, spec.task.max_length).features
    arguments = training_arguments(spec.recipe, 0, len(features), str(folder / "out"))
    trainer = Trainer(model, arguments, DataCollatorWithPadding(tokenizer), features, processing_class=tokenizer)
    with quick_dropout(model):  # the same draws
        trainer.train()
    model.eval()
    with torch.no_grad():
        texts = (tokenizer(text, return_tensors="pt") for text in data.splits["test"]["text"])
        return np.concatenate([model(**encoded).logits.log_softmax(-1).numpy() for encoded in texts])


def test_every_word_of_a_row_longer_than_the_input_is_trained_and_predicted(tmp_path, checkpoints):
    result, predictions = trained(tmp_path, checkpoints["bert"], make.tag_task)
    assert result.training["cut_rows"] == {"train": 6, "test": 6}
    long = [i for i, gold in enumerate(predictions.gold) if len(gold) == 90]
    right = [p == g for i in long for p, g in zip(predictions.predicted[i], predictions.gold[i], strict=True)]
    assert len(right) == 6 * 90
    assert np.mean(right) > 0.9  # a tail that was cut off would be 'O', wrong for half of the words


@pytest.fixture
def splitting(tmp_path) -> dict[str, Path]:
    """Checkpoints whose tokenizers have not seen the task's words, and split most of them."""
    return {family: tiny.checkpoint(tmp_path / family, family) for family in ("bert", "roberta")}


def word_windows(folder: Path, encoder: Path, length: int):
    """The training rows of the tagging task as windows, in which some word has several pieces."""
    _, data = rows_of(folder, make.tag_task)
    features = features_of(data.splits["train"], load_tokenizer(encoder, TAGS), length)
    assert any(len(set(words)) < len(words) - 1 for words in features.features["words"])
    return data.splits["train"], features


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_windows_cover_every_word_and_joining_them_gives_each_its_own_tag(tmp_path, splitting, family):
    rows, windows = word_windows(tmp_path, splitting[family], 24)
    assert len(windows.row) > len(rows)
    labels = windows.features["labels"]
    width = max(map(len, labels))
    perfect = np.array([[*row, *[IGNORED] * (width - len(row))] for row in labels])
    assert join_windows(perfect, windows, rows["tokens"]) == [list(tags) for tags in rows["tags"]]


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_only_the_first_piece_of_a_word_is_trained(tmp_path, splitting, family):
    _, windows = word_windows(tmp_path, splitting[family], 48)
    for words, labels in zip(windows.features["words"], windows.features["labels"], strict=True):
        trained_pieces = [word for word, label in zip(words, labels, strict=True) if label != IGNORED]
        assert trained_pieces == sorted(set(words) - {-1})


def test_a_word_of_which_the_tokenizer_leaves_nothing_is_outside(tmp_path, checkpoints):
    task = load_task(make.tag_task(tmp_path))
    path = tmp_path / "data" / "names" / "test.tsv"
    path.write_text("anna\tB-PER\n\u200d\tO\nberlin\tB-LOC\n")
    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    spec = RunSpec(task, from_checkpoint("x/y"), QUICK, Protocol(), {})
    _, predictions = run(spec, data, checkpoints["bert"], tmp_path)
    assert [task.tags[tag] for tag in predictions.predicted[0]] == ["B-PER", "O", "B-LOC"]


def test_long_texts_are_cut_and_counted(tmp_path, checkpoints):
    _, data = rows_of(tmp_path)
    tokenizer = load_tokenizer(checkpoints["bert"], TEXTS)
    features = features_of(data.splits["train"], tokenizer, 8)
    lengths = [len(tokenizer(text)["input_ids"]) for text in data.splits["train"]["text"]]
    assert features.cut_rows == sum(length > 8 for length in lengths) > 0
    assert [len(pieces) for pieces in features.features["input_ids"]] == [min(8, length) for length in lengths]


@pytest.mark.parametrize("changes", [{}, {"head_layers": (16,)}], ids=str)
def test_tags_are_the_same_whatever_side_a_tokenizer_pads_on(tmp_path, bert, changes):
    left = shutil.copytree(bert, tmp_path / "left")
    change(left / "tokenizer_config.json", padding_side="left")
    assert load_tokenizer(left, TEXTS).padding_side == "left"
    recipe = QUICK.model_copy(update=changes)
    (_, found), (_, expected) = (trained(tmp_path, encoder, make.tag_task, recipe) for encoder in (left, bert))
    assert found.predicted == expected.predicted


WORDS = ["anna", "berlin-munich"]
SPLITS_FIRST = [
    {"type": "Split", "pattern": {"Regex": r" ?\w+|-"}, "behavior": "Isolated", "invert": False},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
]


def test_roberta_marks_the_start_of_every_given_word(checkpoints):
    pieces = load_tokenizer(checkpoints["roberta"], TAGS)(WORDS, is_split_into_words=True).tokens()
    assert sum(piece.startswith("Ġ") for piece in pieces) == 2


@pytest.mark.parametrize(
    "changes", [{}, {"pre_tokenizer": {"type": "Sequence", "pretokenizers": SPLITS_FIRST}}], ids=["alone", "in a row"]
)
def test_so_does_a_byte_level_tokenizer_of_no_family(tmp_path, checkpoints, changes):
    """ModernBERT's, and one that splits words before (Llama, Qwen)."""
    folder = shutil.copytree(checkpoints["roberta"], tmp_path / "general")
    (folder / "config.json").write_text('{"model_type": "modernbert"}')
    change(folder / "tokenizer_config.json", tokenizer_class="TokenizersBackend")
    change(folder / "tokenizer.json", **changes)
    found, expected = (
        load_tokenizer(one, TAGS)(WORDS, is_split_into_words=True) for one in (folder, checkpoints["roberta"])
    )
    assert (found.tokens(), found.word_ids()) == (expected.tokens(), expected.word_ids())
    plain = load_tokenizer(folder, TEXTS)("anna").tokens()
    assert not any("Ġ" in piece for piece in plain)


LOADED = {
    "texts": lambda folder: load_model(folder, TEXTS, ["a", "b"]),
    "tags": lambda folder: load_model(folder, TAGS, ["O", "B-a", "I-a"]),
    "bare": load_encoder,
    "siamese": lambda folder: siamese._transformer(folder).model,
}


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("loaded", LOADED)
def test_a_half_precision_checkpoint_is_trained_in_full_precision(tmp_path, checkpoints, family, loaded):
    from transformers import AutoModel

    half = AutoModel.from_pretrained(checkpoints[family], dtype=torch.bfloat16)
    half.save_pretrained(tmp_path)
    load_tokenizer(checkpoints[family], TEXTS).save_pretrained(tmp_path)
    assert {weights.dtype for weights in LOADED[loaded](tmp_path).parameters()} == {torch.float32}


ASKS = [
    {"problem_type": "multi_label_classification"},
    {"problem_type": "regression"},
    {"output_hidden_states": True},
    {"output_attentions": True},
    {"return_dict": False},
]


@pytest.mark.parametrize("pooling", ["own", "mean"])
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
@pytest.mark.parametrize("asks", ASKS, ids=str)
def test_a_checkpoint_is_trained_as_the_task_wants_whatever_its_configuration_asks_for(
    tmp_path, bert, configured, asks, write, pooling
):
    recipe = QUICK.model_copy(update={"epochs": 0.5, "pooling": pooling})
    (_, plain), (_, found) = (trained(tmp_path, encoder, write, recipe) for encoder in (bert, configured(**asks)))
    assert found.predicted == plain.predicted
    assert np.array_equal(found.scores, plain.scores) if plain.scores is not None else found.scores is None


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_the_dropout_that_acted_is_in_the_record(tmp_path, checkpoints, family, write):
    recipe = QUICK.model_copy(update={"epochs": 0.2})
    result, _ = trained(tmp_path, checkpoints[family], write, recipe)
    head = 0.2 if family == "distilbert" and write is make.text_task else 0.1
    assert result.training["dropout"] == {"hidden": 0.1, "attention": 0.1, "head": head}


@pytest.mark.parametrize(("fields", "acted"), [
    ({"classifier_dropout": 0.9}, {"hidden": 0.1, "attention": 0.1, "head": 0.9}),
    ({"hidden_dropout_prob": 0.3}, {"hidden": 0.3, "attention": 0.1, "head": 0.3}),
    ({"attention_probs_dropout_prob": 0.0}, {"hidden": 0.1, "attention": 0.0, "head": 0.1}),
])  # fmt: skip
def test_the_dropout_of_a_checkpoint_s_configuration_is_in_the_record(tmp_path, configured, fields, acted):
    encoder = configured(**fields)
    result, _ = trained(tmp_path, encoder, recipe=QUICK.model_copy(update={"epochs": 0.2}))
    assert result.training["dropout"] == acted
    ours = QUICK.model_copy(update={"epochs": 0.2, "pooling": "mean", "head_dropout": 0.4})
    result, _ = trained(tmp_path, encoder, recipe=ours)
    assert result.training["dropout"] == {**acted, "head": 0.4}


def filled(model: PreTrainedModel) -> PreTrainedModel:
    """With sevens: no initialisation gives one."""
    with torch.no_grad():
        for weights in model.parameters():
            weights.fill_(7)
    return model


def renewed(model: PreTrainedModel) -> set[str]:
    """The names of weights that are no sevens."""
    return {name for name, weights in model.named_parameters() if (weights != 7).any()}


@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "c"]], ids=len)
@pytest.mark.parametrize("task_type", [TEXTS, TAGS])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_checkpoint_with_a_head_of_its_own_gets_a_fresh_one(tmp_path, checkpoints, family, task_type, classes):
    filled(load_model(checkpoints[family], task_type, ["c", "d"])).save_pretrained(tmp_path)
    models = []
    for seed in (0, 0, 1):
        set_seed(seed)
        models.append(load_model(tmp_path, task_type, classes))
    assert models[0].num_labels == len(classes)
    encoder = f"{models[0].base_model_prefix}."
    assert renewed(models[0]) == {name for name, _ in models[0].named_parameters() if not name.startswith(encoder)}
    first, same, other = (torch.cat([weights.flatten() for weights in model.parameters()]) for model in models)
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_what_a_pretraining_leaves_of_a_head_stays(tmp_path):
    config = ModernBertConfig(**tiny.SIZE, vocab_size=9, pad_token_id=0, cls_token_id=1, sep_token_id=2)
    filled(ModernBertForMaskedLM(config)).save_pretrained(tmp_path)
    assert renewed(load_model(tmp_path, TEXTS, ["a", "b"])) == {"classifier.weight", "classifier.bias"}


def test_a_loss_that_is_no_number_is_a_failure_with_its_step(tmp_path, checkpoints):
    task, data = rows_of(tmp_path)
    recipe = QUICK.model_copy(update={"learning_rate": 1e30, "clipping": 0.0})
    result, _ = run(RunSpec(task, from_checkpoint("x/y"), recipe, Protocol(), {}), data, checkpoints["bert"], tmp_path)
    assert result.status == "failed"
    assert "the training loss is" in result.error["message"]


@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_outputs_that_are_no_numbers_are_a_failure_though_every_loss_was_one(tmp_path, bert, write):
    job = jobs.job(tmp_path, bert, QUICK.model_copy(update={"epochs": 0.2}), write)
    start = prepared(job, job.recipe)

    def spoil(layer, inputs, logits):
        if not layer.training:
            logits.view(-1)[0] = torch.nan  # of one class of one row: argmax would take it

    start.model.classifier.register_forward_hook(spoil)
    with pytest.raises(FloatingPointError, match=r"no numbers in \d of \d+ rows: try a smaller learning rate"):
        training.trained_outputs(job, start.model, start.rows)


def test_the_recipe_reaches_the_trainer(tmp_path):
    recipe = Finetune(learning_rate=1e-4, epochs=2, batch_size=16, warmup=0.2, weight_decay=0.3, clipping=0.5,
        schedule="cosine")  # fmt: skip
    arguments = training_arguments(recipe, 7, 100, str(tmp_path))
    assert (arguments.learning_rate, arguments.num_train_epochs, arguments.per_device_train_batch_size) == (1e-4, 2, 16)
    assert (arguments.weight_decay, arguments.max_grad_norm, arguments.seed, arguments.data_seed) == (0.3, 0.5, 7, 7)
    assert arguments.lr_scheduler_type == "cosine"
    assert arguments.get_warmup_steps(50) == 10
    assert arguments.optim == "adamw_torch_fused"
    assert (arguments.save_strategy, arguments.report_to, arguments.train_sampling_strategy) == (
        "no", [], "group_by_length",
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["auto", "bf16", "fp32"])
@pytest.mark.parametrize("fast", [True, False])
def test_bf16_is_used_where_it_is_asked_for_or_fast(tmp_path, monkeypatch, precision, fast):
    monkeypatch.setattr(training, "computes_in_bf16", lambda: fast)
    arguments = training_arguments(QUICK.model_copy(update={"precision": precision}), 0, 100, str(tmp_path))
    assert arguments.bf16 == (precision == "bf16" or (precision == "auto" and fast))


@pytest.mark.parametrize("launched", ["no", "fp16", "bf16"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_launcher_s_precision_moves_no_recipe_s(tmp_path, bert, monkeypatch, precision, launched):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", launched)
    made, computed = [], set()
    monkeypatch.setattr(training, "note_training", lambda job, trainer: made.append(trainer))
    job = jobs.job(tmp_path, bert, QUICK.model_copy(update={"epochs": 0.2, "precision": precision}))
    start = prepared(job, job.recipe)
    start.model.classifier.register_forward_hook(lambda layer, inputs, logits: computed.add(logits.dtype))
    training.trained_outputs(job, start.model, start.rows)
    mixed = made[0].accelerator.mixed_precision
    assert (mixed, computed) == (("no", {torch.float32}) if precision == "fp32" else ("bf16", {torch.bfloat16}))


@pytest.mark.parametrize(("rows", "between"), [(40, 5), (800, 10), (80_000, 200)])
def test_losses_are_read_seldom_since_each_time_the_processor_waits_for_the_gpu(tmp_path, rows, between):
    recipe = Finetune(epochs=1, batch_size=8)
    assert training_arguments(recipe, 0, rows, str(tmp_path)).logging_steps == between


@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_nothing_of_a_run_is_left_in_the_process(tmp_path, checkpoints, monkeypatch, write):
    made, trainer_of = [], training.trainer_of

    def watched(*given):
        trainer = trainer_of(*given)
        made.extend(map(weakref.ref, (trainer, trainer.model, *trainer.model.parameters())))
        return trainer

    monkeypatch.setattr(training, "trainer_of", watched)
    trained(tmp_path, checkpoints["bert"], write, QUICK.model_copy(update={"epochs": 0.2}))
    gc.collect()
    assert len(made) > 2
    assert [type(left()) for left in made if left() is not None] == []


def test_many_runs_in_one_process_do_not_pile_up_memory(tmp_path, checkpoints):
    import psutil

    task, data = rows_of(tmp_path)
    spec = RunSpec(task, from_checkpoint("x/y"), QUICK.model_copy(update={"epochs": 0.2}), Protocol(), {})
    sizes = []
    for _ in range(8):
        run(spec, data, checkpoints["bert"], tmp_path)
        sizes.append(psutil.Process().memory_info().rss / 2**20)
    assert sizes[-1] - sizes[2] < 30


def test_a_length_is_asked_for_once_a_row_however_many_epochs_group_by_it():
    asked = []

    class Counted(Numbered):
        def __getitem__(self, place):
            asked.append(place)
            return super().__getitem__(place)

    lengths = [3, 9, 1, 7, 7, 2, 30, 5, 4, 4]
    sampler = LengthGroupedSampler(2, Counted(20, lengths), generator=torch.Generator().manual_seed(0))
    orders = [list(sampler) for _ in range(3)]
    assert set(map(tuple, map(sorted, orders))) == {tuple(range(10))}
    assert orders[0] != orders[1]
    assert max(lengths[place] for place in orders[0][:2]) == 30  # the longest batch comes first
    assert [asked.count(place) for place in range(1, 10)] == [1] * 9
