"""What a recipe can change of a training: schedule, clipping, head, pooling, frozen layers, loss."""

from __future__ import annotations

import math
from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import tiny
import torch
import transformers
from sklearn.metrics import recall_score
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax
from transformers import DistilBertModel
from watched import watched

from benchmarks.definitions import load_systems, resolved_recipe
from benchmarks.encoders import layers_of, load_encoder, load_model, load_tokenizer
from benchmarks.errors import UserError
from benchmarks.methods.finetune import finetune, freeze, model_of
from benchmarks.methods.heads import EncoderWithHead, classifier, pooled
from benchmarks.methods.training import balanced_weights, loss_of
from benchmarks.recipes import Finetune
from benchmarks.schema import TEXTS

QUICK = {"learning_rate": 3e-3, "epochs": 4, "batch_size": 8, "precision": "fp32"}
TEXT = "a good film with a great story"
UPDATES = 8
"""Of an epoch: 60 rows in batches of 8."""


def fine_tuned(folder: Path, encoder: Path, write=make.text_task, **recipe):
    """What the training did, and its predictions."""
    job = jobs.job(folder, encoder, Finetune(**{**QUICK, **recipe}), write)
    return watched(lambda: finetune(job))


def share_right(predictions) -> float:
    """Of rows, or of words."""
    gold, predicted = (np.hstack(labels) for labels in (predictions.gold, predictions.predicted))
    return float(np.mean(gold == predicted))


# -- schedule and clipping -------------------------------------------------------------------------------------------

WARM, ALL = 6, 3 * UPDATES
# The share of the learning rate after `done` updates of ALL, of which WARM are the warm-up.
SCHEDULES = {
    "linear": lambda done: min(done / WARM, (ALL - done) / (ALL - WARM)),
    "cosine": lambda done: done / WARM if done < WARM else (1 + math.cos(math.pi * (done - WARM) / (ALL - WARM))) / 2,
    "constant": lambda done: 1.0,
    "constant_with_warmup": lambda done: min(done / WARM, 1.0),
    "inverse_sqrt": lambda done: done / WARM if done < WARM else math.sqrt(WARM / done),
}


def rates(folder: Path, encoder: Path, learning_rate: float, schedule: str) -> list[float]:
    """Of every update of a short training, as the optimizer gets them."""
    settings = {"epochs": 3, "warmup": WARM / ALL, "learning_rate": learning_rate, "schedule": schedule}
    return fine_tuned(folder, encoder, **settings)[0].rates


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_update_has_the_learning_rate_of_the_schedule(tmp_path, checkpoints, schedule):
    found = rates(tmp_path, checkpoints["bert"], 2e-4, schedule)
    assert found == pytest.approx([2e-4 * SCHEDULES[schedule](done) for done in range(ALL)])


def test_inverse_square_root_is_noams_formula_at_every_update(tmp_path, checkpoints):
    width = tiny.SIZE["hidden_size"]
    first, *found = rates(tmp_path, checkpoints["bert"], (width * WARM) ** -0.5, "inverse_sqrt")
    assert first == 0  # the updates done are counted, and the formula begins with one
    assert found == pytest.approx([width**-0.5 * min(step**-0.5, step * WARM**-1.5) for step in range(1, ALL)])


def test_inverse_square_root_without_a_warm_up_is_refused():
    with pytest.raises(ValueError, match="inverse_sqrt falls from the end of the warm-up"):
        Finetune(schedule="inverse_sqrt", warmup=0)


def test_clipping_bounds_the_gradients_and_nought_leaves_them_alone(tmp_path, checkpoints):
    norms = {
        clipping: fine_tuned(tmp_path, checkpoints["bert"], epochs=1, clipping=clipping)[0].norms
        for clipping in (0.0, 1e-3, 1e9)
    }
    assert len(norms[0.0]) == UPDATES
    assert min(norms[0.0]) > 0.05
    assert norms[0.0] == norms[1e9]
    assert norms[1e-3] == pytest.approx([1e-3] * UPDATES, rel=1e-2)


# -- the head --------------------------------------------------------------------------------------------------------

OURS = {"pooling": "mean", "head_layers": [16]}


def model(job) -> nn.Module:
    transformers.set_seed(0)
    return model_of(job, job.recipe, job.encoder).eval()


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [{}, OURS], ids=["own", "ours"])
@pytest.mark.parametrize("write", [make.text_task, make.tag_task])
def test_a_head_that_begins_with_zeros_prefers_no_class(tmp_path, checkpoints, family, head, write):
    pieces = load_tokenizer(checkpoints[family], TEXTS)(TEXT, return_tensors="pt")
    models = {init: model(jobs.job(tmp_path, checkpoints[family], Finetune(head_init=init, **head), write))
        for init in ("zero", "random")}  # fmt: skip
    assert not models["zero"](**pieces)["logits"].any()
    assert models["random"](**pieces)["logits"].any()
    others = models["random"].state_dict()
    changed = {name for name, weights in models["zero"].state_dict().items() if not torch.equal(weights, others[name])}
    assert len(changed) == 1 or changed == {"head.4.weight", "head.4.bias"}  # transformers' biases begin with zeros
    assert all("classifier" in name or "head.4" in name for name in changed)


@pytest.mark.parametrize("family", ["distilbert", "roberta"])
def test_a_head_that_began_with_zeros_learns(tmp_path, checkpoints, family):
    _, predictions = fine_tuned(tmp_path, checkpoints[family], head_init="zero", epochs=6)
    assert share_right(predictions) > 0.9


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_pooling_reads_the_first_token_or_the_mean_whatever_the_padding(tmp_path, checkpoints, family, pooling):
    job = jobs.job(tmp_path, checkpoints[family], Finetune(pooling=pooling))
    made = model(job)
    tokenizer = load_tokenizer(checkpoints[family], TEXTS)
    alone, beside = (tokenizer(texts, return_tensors="pt", padding=True) for texts in ([TEXT], [TEXT, TEXT * 4]))
    with torch.inference_mode():
        states = made.encoder(**alone).last_hidden_state[0]
        expected = made.head(states[0] if pooling == "cls" else states.mean(dim=0))
        assert torch.allclose(made(**alone)["logits"][0], expected, atol=1e-5)
        assert torch.allclose(made(**beside)["logits"][0], expected, atol=1e-5)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_tags_are_read_off_every_token_whatever_the_pooling_and_padding(tmp_path, checkpoints, family):
    made = model(jobs.job(tmp_path, checkpoints[family], Finetune(pooling="mean"), make.tag_task))
    tokenizer = load_tokenizer(checkpoints[family], TEXTS)
    alone, beside = (tokenizer(texts, return_tensors="pt", padding=True) for texts in ([TEXT], [TEXT, TEXT * 4]))
    pieces = alone["input_ids"].shape[1]
    with torch.inference_mode():
        expected = made.head(made.encoder(**alone).last_hidden_state[0])
        assert expected.shape == (pieces, 5)
        assert torch.allclose(made(**beside)["logits"][0, :pieces], expected, atol=1e-5)


def test_pooling_leaves_padding_out_on_either_side():
    states, mask = torch.tensor([[[1.0], [3.0], [99.0]], [[99.0], [5.0], [7.0]]]), torch.tensor([[1, 1, 0], [0, 1, 1]])
    assert pooled(states, mask, "mean").tolist() == [[2.0], [6.0]]
    assert pooled(states, mask, "cls").tolist() == [[1.0], [5.0]]


@pytest.mark.parametrize(("name", "kind"), [("relu", nn.ReLU), ("gelu", nn.GELU), ("tanh", nn.Tanh)])
def test_the_head_is_built_as_the_recipe_says(name, kind):
    layers = list(classifier(32, 3, Finetune(head_layers=[16, 8], head_dropout=0.25, head_activation=name)))
    assert [type(layer) for layer in layers] == [*[nn.Dropout, nn.Linear, kind] * 2, nn.Dropout, nn.Linear]
    sizes = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
    assert sizes == [(32, 16), (16, 8), (8, 3)]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.25] * 3


CUSTOM = resolved_recipe(load_systems()["distilbert-custom-head"], TEXTS).model_dump(exclude_unset=True)


def test_the_custom_head_of_distilbert_is_linear_layers_on_the_first_token_of_the_bare_encoder(tmp_path, checkpoints):
    made = model(jobs.job(tmp_path, checkpoints["distilbert"], Finetune(**CUSTOM)))
    assert isinstance(made, EncoderWithHead)
    assert type(made.encoder) is DistilBertModel
    assert made.pooling == "cls"
    sizes = [(layer.in_features, layer.out_features) for layer in made.head if isinstance(layer, nn.Linear)]
    assert sizes == [(32, 256), (256, 64), (64, 2)]


@pytest.mark.parametrize(
    ("family", "write"), [*((family, make.text_task) for family in tiny.FAMILIES), ("distilbert", make.tag_task)]
)
def test_the_custom_head_of_distilbert_learns_on_every_family(tmp_path, checkpoints, family, write):
    seen, predictions = fine_tuned(tmp_path, checkpoints[family], write, **CUSTOM)
    assert share_right(predictions) > 0.9
    assert {True} == {mode for module, modes in seen.modes.items() for mode in modes if module in seen.model.head}


# -- frozen layers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [{}, OURS], ids=["own", "ours"])
def test_frozen_layers_stay_as_they_were_and_those_above_learn(tmp_path, checkpoints, family, head):
    seen, _ = fine_tuned(tmp_path, checkpoints[family], frozen_layers=1, epochs=1, **head)
    encoder = seen.model.encoder if head else seen.model.base_model
    names = {id(weights): name for name, weights in seen.model.named_parameters()}
    below, layers = layers_of(encoder)
    *frozen, above = [{names[id(weights)] for weights in part.parameters()} for part in (*below, *layers)]
    assert not seen.moved() & set.union(*frozen)
    assert all(frozen)
    assert above <= seen.moved()
    assert {name for name in names.values() if "head" in name or "classifier" in name} <= seen.moved()


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_frozen_layers_train_without_dropout_and_those_above_with_it(tmp_path, checkpoints, family):
    seen, _ = fine_tuned(tmp_path, checkpoints[family], frozen_layers=1, epochs=0.2)
    below, layers = layers_of(seen.model.base_model)
    modes = [{mode for module in part.modules() for mode in seen.modes.get(module, ())} for part in (*below, *layers)]
    assert modes == [{False}, {False}, {True}]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_what_frozen_layers_give_in_training_is_the_same_every_time(checkpoints, family):
    pieces = load_tokenizer(checkpoints[family], TEXTS)(TEXT, return_tensors="pt")
    passes = {}
    for layers in (0, 1):
        encoder = load_encoder(checkpoints[family])
        freeze(encoder, layers)
        encoder.train()
        torch.manual_seed(0)
        passes[layers] = [encoder(**pieces, output_hidden_states=True).hidden_states for _ in range(2)]
    free, frozen = ([torch.equal(a, b) for a, b in zip(*passes[layers], strict=True)] for layers in (0, 1))
    assert free == [False, False, False]
    assert frozen == [True, True, False]


def untrained(family: str, **sizes):
    """A small encoder of a family that tests have no tokenizer for."""
    from transformers import AutoConfig, AutoModel

    small = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 8}
    return AutoModel.from_config(AutoConfig.for_model(family, **{**small, "vocab_size": 20, **sizes}))


def free(encoder) -> set[str]:
    return {name.split(".weight")[0].split(".bias")[0] for name, w in encoder.named_parameters() if w.requires_grad}


def test_all_that_stands_before_frozen_layers_is_frozen_and_what_follows_is_not():
    electra = untrained("electra", embedding_size=4)
    freeze(electra, 2)
    assert free(electra)
    assert all(name.startswith("encoder.layer.2.") for name in free(electra))
    modern = untrained("modernbert", pad_token_id=0, num_hidden_layers=2)
    freeze(modern, 2)
    assert free(modern) == {"final_norm"}


def test_a_family_without_a_stack_of_layers_is_fine_tuned_and_refused_only_where_layers_are_named():
    albert = untrained("albert", embedding_size=4)
    freeze(albert, 0)
    assert all(weights.requires_grad for weights in albert.parameters())
    with pytest.raises(UserError, match=r"frozen_layers and LoRA need a plain stack of layers; albert has none"):
        freeze(albert, 1)


def test_more_frozen_layers_than_there_are_is_told(tmp_path, checkpoints):
    with pytest.raises(UserError, match=r"recipe\.frozen_layers: 3, but the encoder has 2 layers"):
        fine_tuned(tmp_path, checkpoints["bert"], frozen_layers=3)


# -- the loss --------------------------------------------------------------------------------------------------------


def test_balanced_weights_are_those_of_scikit_learn(tmp_path, checkpoints):
    texts = jobs.job(tmp_path, checkpoints["bert"], Finetune(), jobs.few_positive)
    labels = np.array(texts.data.train["label"])
    assert balanced_weights(texts) == pytest.approx(
        compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    )
    tags = jobs.job(tmp_path / "tags", checkpoints["bert"], Finetune(), make.tag_task)
    words = np.concatenate(tags.data.train["tags"])
    expected = np.zeros(len(tags.task.tags))
    expected[np.unique(words)] = compute_class_weight("balanced", classes=np.unique(words), y=words)
    assert balanced_weights(tags) == pytest.approx(expected)
    assert 0 in balanced_weights(tags)  # no word is the second of a name


LOGITS = {
    make.text_task: torch.tensor([[0.3, 1.0], [2.0, -1.0], [0.5, 0.0], [0.0, 9.0]]),
    make.tag_task: torch.arange(30.0).sin().view(2, 3, 5),
}
LABELS = {make.text_task: torch.tensor([1, 0, 0, 0]), make.tag_task: torch.tensor([[0, 1, -100], [3, 0, -100]])}


@pytest.mark.parametrize("write", LOGITS)
def test_the_loss_is_the_weighted_mean_over_what_is_not_ignored(tmp_path, checkpoints, write):
    recipe = Finetune(class_weights="balanced")
    job = jobs.job(tmp_path, checkpoints["bert"], recipe, write)
    found = loss_of(recipe, job)({"logits": LOGITS[write]}, LABELS[write])
    weights = torch.tensor(balanced_weights(job))
    kept = LABELS[write] != -100
    own = -log_softmax(LOGITS[write][kept], dim=-1)[range(4), LABELS[write][kept]]
    weight = weights[LABELS[write][kept]]
    assert found.item() == pytest.approx(((own * weight).sum() / weight.sum()).item())


@pytest.mark.parametrize("write", LOGITS)
def test_label_smoothing_spreads_its_share_over_all_classes(tmp_path, checkpoints, write):
    recipe = Finetune(label_smoothing=0.2)
    job = jobs.job(tmp_path, checkpoints["bert"], recipe, write)
    found = loss_of(recipe, job)({"logits": LOGITS[write]}, LABELS[write])
    kept = LABELS[write] != -100
    losses = -log_softmax(LOGITS[write][kept], dim=-1)
    by_hand = 0.8 * losses[range(4), LABELS[write][kept]].mean() + 0.2 * losses.mean()
    assert found.item() == pytest.approx(by_hand.item())
    assert found == cross_entropy(LOGITS[write][kept], LABELS[write][kept], label_smoothing=0.2)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("write", LOGITS)
def test_a_loss_that_the_recipe_leaves_alone_is_the_familys_own(tmp_path, checkpoints, family, write):
    job = jobs.job(tmp_path, checkpoints[family], Finetune(), write)
    made = load_model(checkpoints[family], job.task.type, job.task.classes).eval()
    labels = LABELS[write][:1, :3] if write is make.tag_task else LABELS[write][:1]
    outputs = made(torch.tensor([[5, 6, 7]]), labels=labels)
    assert loss_of(Finetune(), job)({"logits": outputs.logits}, labels).item() == pytest.approx(outputs.loss.item())


def doubtful_texts(folder: Path) -> Path:
    """As make.text_task, and 'good' is positive in a third of its rows, 'bad' in none."""
    path = make.text_task(folder)
    rows = [f"{'good' if i % 2 == 0 else 'bad'},{'positive' if i % 6 == 0 else 'negative'}" for i in range(60)]
    for part in ("train", "test"):
        (folder / "data" / "mine" / f"{part}.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def doubtful_tags(folder: Path) -> Path:
    """As make.tag_task, and 'berlin' is a place in a third of its rows."""
    path = make.tag_task(folder)
    rows = [f"the\tO\nberlin\t{'B-LOC' if i % 3 == 0 else 'O'}\nworks\tO" for i in range(60)]
    for part in ("train", "test"):
        (folder / "data" / "names" / f"{part}.tsv").write_text("\n\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(("write", "rare"), [(doubtful_texts, 1), (doubtful_tags, 3)])
def test_balanced_classes_are_for_the_recall_of_the_rare_one(tmp_path, checkpoints, write, rare):
    recalls = []
    for weights in ("none", "balanced"):
        _, found = fine_tuned(tmp_path, checkpoints["bert"], write, class_weights=weights, learning_rate=1e-2)
        gold, predicted = np.hstack(found.gold), np.hstack(found.predicted)
        recalls.append(recall_score(gold == rare, predicted == rare))
    assert recalls[1] > recalls[0] + 0.5


def test_smoothed_labels_make_the_model_less_sure(tmp_path, checkpoints):
    _, found = fine_tuned(tmp_path, checkpoints["bert"], label_smoothing=0.4, epochs=6)
    assert share_right(found) > 0.9
    assert np.exp(found.scores).max(axis=1).mean() == pytest.approx(0.8, abs=0.05)  # 0.6 and half of the rest
