"""Recurrent networks over frozen embeddings: they learn, and padding takes part only where the recipe says so."""

from __future__ import annotations

from pathlib import Path

import jobs
import make
import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks import encoders
from benchmarks.definitions import load_systems, load_tasks, resolved_recipe
from benchmarks.methods import Job, load
from benchmarks.methods import recurrent as recurrent_module
from benchmarks.methods.recurrent import Network, _word_vectors
from benchmarks.methods.word2vec import trained, vectors_of, words_of
from benchmarks.plan import recipe_identity
from benchmarks.recipes import Recurrent, Word2vecRecurrent
from benchmarks.schema import TAGS, TEXTS, Predictions

SYSTEMS = {name: system for name, system in load_systems().items() if "recurrent" in system.tags}
QUICK = {"learning_rate": 1e-2, "epochs": 6, "batch_size": 8, "hidden_size": 16}
WORD2VEC = {"vector_size": 16, "min_count": 1}


def recurrent(**changes) -> Recurrent:
    return Recurrent(**{**QUICK, **changes})


def word2vec(**changes) -> Word2vecRecurrent:
    return Word2vecRecurrent(**{**QUICK, **WORD2VEC, **changes})


def predicted(job: Job) -> Predictions:
    return load("recurrent-word2vec" if isinstance(job.recipe, Word2vecRecurrent) else "recurrent")(job)


def scores(folder: Path, encoder: Path, recipe: Recurrent, **protocol: int) -> np.ndarray:
    return predicted(jobs.job(folder, encoder, recipe, **protocol)).scores


# -- it learns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_recurrent_system_tells_two_classes_of_texts_apart(tmp_path, bert, name):
    recipe = resolved_recipe(SYSTEMS[name], TEXTS).model_copy(update={**QUICK, "epochs": 12})
    found = predicted(jobs.job(tmp_path, bert, recipe))
    assert np.mean(np.array(found.predicted) == found.gold) > 0.9
    assert found.scores.shape == (60, 2)
    assert np.allclose(np.exp(found.scores).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["bilstm-bert", "bilstm-word2vec"])
def test_both_bilstms_tag_every_word_of_rows_of_any_length(tmp_path, bert, name):
    recipe = resolved_recipe(SYSTEMS[name], TAGS).model_copy(update={**QUICK, "epochs": 12})
    found = predicted(jobs.job(tmp_path, bert, recipe, make.tag_task))
    assert list(map(len, found.predicted)) == list(map(len, found.gold))
    for length in (90, 5):  # the longest input has 48
        rows = [(p, g) for p, g in zip(found.predicted, found.gold, strict=True) if len(g) == length]
        assert np.mean([p == g for row in rows for p, g in zip(*row, strict=True)]) > 0.9


def test_a_tagging_system_has_two_directions_no_attention_and_every_word():
    task = load_tasks()["ner-sample"]
    assert Recurrent().misfit(task) is None
    assert "no tags" in Recurrent(attention=True).misfit(task)
    assert "both sides" in Recurrent(bidirectional=False).misfit(task)
    assert "all need tags" in Word2vecRecurrent(cleaning=True).misfit(task)


# -- padding ---------------------------------------------------------------------------------------------------------

KINDS = {
    "lstm": {"bidirectional": False},
    "bilstm": {},
    "lstm with attention": {"bidirectional": False, "attention": True},
    "bilstm with attention": {"attention": True},
    "tags": {},
}


def network(kind: str, **changes) -> Network:
    torch.manual_seed(0)
    return Network(7, 3, recurrent(**KINDS[kind], **changes), tags=kind == "tags").eval()


def rows_in_one_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of 5, 1, 9 and 3 vectors, with noise where their padding is."""
    torch.manual_seed(1)
    return 10 * torch.randn(4, 12, 7), torch.tensor([5, 1, 9, 3])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_has_the_logits_in_a_batch_that_it_has_alone(kind):
    vectors, lengths = rows_in_one_batch()
    model = network(kind)
    together = model(vectors, lengths)["logits"]
    for row, length in enumerate(lengths):
        alone = model(vectors[[row], :length], lengths[[row]])["logits"][0]
        assert torch.allclose(together[row, :length] if kind == "tags" else together[row], alone, atol=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "bilstm", "lstm with attention", "bilstm with attention"])
def test_unmasked_every_row_is_as_long_as_the_batch(kind):
    vectors, lengths = rows_in_one_batch()
    unmasked = network(kind, masked_attention=False)
    assert torch.equal(unmasked(vectors, lengths)["logits"], unmasked(vectors, lengths + 1)["logits"])
    as_long = network(kind)(vectors, torch.full_like(lengths, 12))["logits"]
    assert torch.equal(unmasked(vectors, lengths)["logits"], as_long)
    assert not torch.allclose(unmasked(vectors[:, :10], lengths)["logits"], as_long, atol=1e-3)


def test_two_directions_are_pytorchs_bidirectional_lstm_over_packed_rows():
    vectors, lengths = rows_in_one_batch()
    model = network("bilstm")
    theirs = torch.nn.LSTM(7, 16, batch_first=True, bidirectional=True)
    ours = {**model.from_start.state_dict(), **{f"{n}_reverse": w for n, w in model.from_end.state_dict().items()}}
    theirs.load_state_dict(ours)
    packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    expected, (expected_last, _) = theirs(packed)
    expected = pad_packed_sequence(expected, batch_first=True, total_length=12)[0]
    states, last = model._states(vectors, lengths)
    for row, length in enumerate(lengths):
        assert torch.allclose(states[row, :length], expected[row, :length], atol=1e-6)
    assert torch.allclose(last, torch.cat([*expected_last], dim=-1), atol=1e-6)


def test_attention_weighs_states_as_zhou_et_al_do():
    vectors, lengths = rows_in_one_batch()
    model = network("bilstm with attention")
    states = model._states(vectors, lengths)[0].detach().numpy()
    w, head = (layer.weight.detach().numpy() for layer in (model.attention, model.head))
    for row, length in enumerate(lengths):
        h = states[row, :length]
        alpha = np.exp(w[0] @ np.tanh(h).T)
        expected = (alpha / alpha.sum()) @ h @ head.T + model.head.bias.detach().numpy()
        assert np.allclose(model(vectors, lengths)["logits"][row].detach(), expected, atol=1e-5)


def test_dropout_is_before_and_after_the_lstm():
    vectors, lengths = rows_in_one_batch()
    model = network("bilstm", dropout=0.5).train()
    seen: dict[str, torch.Tensor] = {}
    for name, layer in (("before", model.from_start), ("after", model.head)):
        layer.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0]}))
    model(vectors, lengths)
    for dropped in seen.values():
        assert 0.2 < (dropped == 0).float().mean() < 0.8


@pytest.mark.parametrize("recipe", [recurrent(attention=True), word2vec(), word2vec(attention=True)])
def test_a_very_long_test_row_moves_the_scores_of_no_other(tmp_path, bert, recipe):
    def longer(folder: Path) -> Path:
        path = make.text_task(folder)
        with (folder / "data" / "mine" / "test.csv").open("a") as file:
            file.write(" ".join(["works"] * 60) + ",negative\n")
        return path

    recipe = recipe.model_copy(update={"epochs": 1})
    beside = predicted(jobs.job(tmp_path / "longer", bert, recipe, longer))
    before = predicted(jobs.job(tmp_path / "plain", bert, recipe))
    assert len(beside.predicted) == 61
    assert np.allclose(beside.scores[:60], before.scores, atol=1e-5)


@pytest.mark.parametrize("kind", [recurrent, word2vec])
def test_unmasked_scores_depend_on_the_longest_length_and_masked_ones_do_not(tmp_path, bert, kind):
    for masked in (True, False):
        recipes = (kind(attention=True, masked_attention=masked, epochs=1, max_length=n) for n in (16, 32))
        short, long = (scores(tmp_path, bert, recipe) for recipe in recipes)
        assert np.allclose(short, long, atol=1e-5) == masked


@pytest.mark.parametrize("attention", [True, False])
def test_padding_that_is_read_is_what_the_encoder_gives_for_it_unless_zeros_are_asked_for(tmp_path, bert, attention):
    def found(**fields):
        return scores(tmp_path, bert, recurrent(attention=attention, epochs=1, max_length=24, **fields))

    masked = [found(padding=padding) for padding in ("states", "zeros")]
    assert np.array_equal(*masked), "nothing reads it"
    states, zeros = (found(masked_attention=False, padding=padding) for padding in ("states", "zeros"))
    assert not np.allclose(states, zeros, atol=1e-4)
    assert np.array_equal(found(masked_attention=False), states)


def test_what_stands_in_padding_is_part_of_a_run_only_where_it_is_read():
    def identity(kind, **fields):
        return recipe_identity(kind(**fields), TEXTS)

    assert identity(Recurrent, masked_attention=False)["padding"] == "states"
    assert "padding" not in identity(Recurrent, masked_attention=False, padding="zeros")  # as before there was a choice
    assert "padding" not in identity(Recurrent) and "padding" not in identity(Word2vecRecurrent, masked_attention=False)


# -- seeds, rows and what is recorded --------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [recurrent(epochs=1), word2vec(epochs=1)])
def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(tmp_path, bert, recipe):
    first, again, other = (scores(tmp_path, bert, recipe, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_word2vec_is_trained_by_the_runs_seed(tmp_path):
    job = jobs.job(tmp_path, None, word2vec(), seed=3)
    words = words_of(job.data.train)
    known = _word_vectors(job, job.recipe, words)
    assert np.array_equal(known.vectors, trained(words, job.recipe, seed=3).vectors)
    assert not np.array_equal(known.vectors, trained(words, job.recipe, seed=0).vectors)


def test_words_of_the_test_rows_have_no_part_in_word2vec(tmp_path):
    def other_test_rows(folder: Path) -> Path:
        path = make.text_task(folder)
        test = folder / "data" / "mine" / "test.csv"
        kept = test.read_text().splitlines()[:21]
        test.write_text("\n".join([*kept, *["good dog unseen words,negative"] * 8, "word,positive"]) + "\n")
        return path

    first = jobs.job(tmp_path / "a", None, word2vec())
    second = jobs.job(tmp_path / "b", None, word2vec(), other_test_rows)
    assert np.allclose(predicted(first).scores[:20], predicted(second).scores[:20], atol=1e-5)
    assert second.meter.notes["unknown_test_words"] == 8 * 2 + 1
    assert second.meter.notes["test_words"] == sum(map(len, words_of(second.data.test)))
    vocabulary = {word for words in words_of(second.data.train) for word in words}
    assert second.meter.parameters == len(vocabulary) * 16 + second.meter.trainable_parameters


@pytest.mark.parametrize("attention", [False, True])
def test_rows_of_which_cleaning_leaves_nothing_are_trained_and_predicted(tmp_path, attention):
    def with_empty_rows(folder: Path) -> Path:
        path = make.text_task(folder)
        for part in ("train", "test"):
            file = folder / "data" / "mine" / f"{part}.csv"
            head, *rows = file.read_text().splitlines()
            # a batch of empty rows alone, too: predicting begins with the longest rows
            file.write_text("\n".join([head, *rows, *["...,negative", "the,positive"] * 40]) + "\n")
        return path

    job = jobs.job(tmp_path, None, word2vec(cleaning=True, attention=attention, epochs=12), with_empty_rows)
    assert words_of(job.data.test, cleaning=True)[60:] == [[]] * 80
    found = predicted(job)
    assert np.isfinite(found.scores).all()
    assert np.allclose(found.scores[60:], found.scores[60], atol=1e-6)
    assert np.mean(np.array(found.predicted[:60]) == found.gold[:60]) > 0.9


def test_cleaning_is_the_recipes_choice(tmp_path):
    plain, cleaned = (jobs.job(tmp_path, None, word2vec(cleaning=cleaning, epochs=1)) for cleaning in (False, True))
    predicted(plain)
    predicted(cleaned)
    kept = words_of(cleaned.data.test, cleaning=True)
    assert cleaned.meter.notes["test_words"] == sum(map(len, kept)) < plain.meter.notes["test_words"]


def test_texts_are_cut_at_the_longest_length_and_counted(tmp_path):
    def longer(folder: Path) -> Path:
        path = make.text_task(folder, max_length=8)
        with (folder / "data" / "mine" / "test.csv").open("a") as file:
            file.writelines(" ".join(["works"] * words) + ",negative\n" for words in (8, 9, 20))
        return path

    job = jobs.job(tmp_path, None, word2vec(epochs=1), longer)
    predicted(job)
    lengths = [len(words) for words in words_of(job.data.test)]
    assert max(lengths[:60]) == 7
    assert (job.meter.notes["max_length"], job.meter.notes["cut_rows"]) == (8, {"train": 0, "test": 2})
    assert job.meter.notes["test_words"] == sum(lengths[:60]) + 3 * 8
    wider = jobs.job(tmp_path, None, word2vec(epochs=1, max_length=9), longer)
    predicted(wider)
    assert (wider.meter.notes["max_length"], wider.meter.notes["cut_rows"]["test"]) == (9, 1)


def test_an_encoders_weights_count_among_the_parameters_and_only_the_network_is_trained(tmp_path, bert):
    job = jobs.job(tmp_path, bert, recurrent(epochs=1, attention=True))
    predicted(job)
    lstm = 2 * 4 * (16 * (32 + 16) + 2 * 16)
    assert job.meter.trainable_parameters == lstm + 32 + (32 * 2 + 2)
    assert job.meter.parameters == encoders.parameters(bert) + job.meter.trainable_parameters
    assert job.meter.notes["embedded"]["train"]["rows"] == len(set(job.data.train["text"]))


def test_training_word2vec_is_part_of_the_training_time_and_adds_no_rows(tmp_path, monkeypatch):
    job = jobs.job(tmp_path, None, word2vec(epochs=1))
    before_the_network = []

    def watched(rows, known):
        before_the_network.append(job.meter.seconds.get("train", 0.0))
        return vectors_of(rows, known)

    monkeypatch.setattr(recurrent_module, "vectors_of", watched)
    predicted(job)
    assert 0 < before_the_network[0] < job.meter.seconds["train"]
    assert job.meter.rows["train"] == 60


def test_pretrained_vectors_are_those_of_the_file(tmp_path):
    from gensim.models import KeyedVectors

    known = KeyedVectors(5)
    known.add_vectors([*make.GOOD, *make.BAD, "more"], np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32))
    known.save_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    job = jobs.job(tmp_path, None, word2vec(vectors=str(tmp_path / "v.bin"), epochs=12))
    found = predicted(job)
    assert np.mean(np.array(found.predicted) == found.gold) > 0.9
    others = sum(word in make.OTHER for words in words_of(job.data.test) for word in words)
    assert job.meter.notes["unknown_test_words"] == others == 60
    assert job.meter.parameters == 9 * 5 + job.meter.trainable_parameters
