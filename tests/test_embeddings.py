"""Vectors of frozen encoders: those of a plain forward pass, the same whatever else is computed, each computed once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny

from benchmarks.embeddings import Embedded, _digest, encoding, of_padded, of_pieces, of_words, pooled, store
from benchmarks.embeddings.encoding import POOLINGS, Frozen
from benchmarks.embeddings.store import Sequences, Vectors, find, key_of, write
from benchmarks.encoders import load_encoder, load_tokenizer, parameters
from benchmarks.errors import UserError
from benchmarks.files import alone
from benchmarks.methods.features import features_of, join_windows
from benchmarks.schema import TAGS, TEXTS

LENGTH = 24
LONG = " ".join(tiny.SENTENCES)
TEXTS_OF_ALL_LENGTHS = [" ".join(LONG.split()[start : start + 1 + start]) for start in range(20)] + ["", LONG * 2]
ROWS_OF_WORDS = [text.split() or ["a"] for text in TEXTS_OF_ALL_LENGTHS]


def with_dropout(folder: Path, family: str) -> Path:
    """A checkpoint that would give other vectors at every pass if it were not in evaluation mode."""
    config = tiny.checkpoint(folder, family) / "config.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps({**said, **{name: 0.5 for name in said if "dropout" in name and said[name]}}))
    assert "0.5" in config.read_text()
    return folder


@pytest.fixture(scope="session")
def encoders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("with dropout")
    return {family: with_dropout(folder / family, family) for family in tiny.FAMILIES}


@pytest.fixture
def encoder(tmp_path) -> Path:
    return tiny.checkpoint(tmp_path / "encoder")


def plain(encoder: Path, text: str, length: int = LENGTH):
    """Hidden states of every layer, (pieces, width), by transformers alone: no batch, no padding."""
    import torch

    encoded = load_tokenizer(encoder, TEXTS)(text, truncation=True, max_length=length, return_tensors="pt")
    with torch.no_grad():
        states = load_encoder(encoder).eval()(**encoded, output_hidden_states=True).hidden_states
    return [layer[0].numpy() for layer in states]


@pytest.mark.parametrize("most", [1, 3])
def test_a_pass_without_memory_is_made_in_halves(tmp_path, encoder, monkeypatch, most):
    import torch

    whole = pooled(TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", tmp_path / "whole")
    forward, sizes = encoding._forward, []

    def lacking(frozen, model, windows, padded):
        if len(windows) > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(windows))
        return forward(frozen, model, windows, padded)

    monkeypatch.setattr(encoding, "_forward", lacking)
    monkeypatch.setattr(encoding, "give_back", lambda: None)  # a quarter of a second each, and no memory is lacking
    found = pooled(TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", tmp_path / "halves")
    np.testing.assert_allclose(found, whole, atol=1e-5)
    assert sizes and max(sizes) <= most


# -- what is computed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_texts_have_the_vectors_of_a_plain_forward_pass_without_dropout(tmp_path, encoders, family):
    texts, cache = TEXTS_OF_ALL_LENGTHS, tmp_path / "cache"
    found = {pooling: pooled(texts, encoders[family], LENGTH, pooling, cache) for pooling in POOLINGS}
    pieces = of_pieces(texts, encoders[family], LENGTH, cache)
    for row, text in enumerate(texts):
        *_, last_but_one, last = plain(encoders[family], text)
        assert np.allclose(found["cls"][row], last[0], atol=1e-5)
        assert np.allclose(found["mean"][row], last.mean(axis=0), atol=1e-5)
        of_both_layers = np.mean([last_but_one, last], axis=(0, 1))  # it has two
        assert np.allclose(found["mean_last_four"][row], of_both_layers, atol=1e-5)
        assert pieces[row].dtype == np.float16
        assert pieces[row].shape == last.shape
        assert np.allclose(pieces[row], last, atol=2e-3)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_padded_texts_have_what_the_encoder_gives_for_padding_behind_their_own_vectors(tmp_path, encoders, family):
    import torch

    texts, cache = TEXTS_OF_ALL_LENGTHS, tmp_path / "cache"
    found = of_padded(texts, encoders[family], LENGTH, cache)
    tokenizer, model = load_tokenizer(encoders[family], TEXTS), load_encoder(encoders[family]).eval()
    rows = tokenizer(texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
    with torch.inference_mode():
        states = model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]).last_hidden_state
    for row, expected in enumerate(states.numpy()):
        assert found[row].shape == expected.shape == (LENGTH, 32)
        assert np.allclose(found[row], expected, atol=2e-3)
    pieces = of_pieces(texts, encoders[family], LENGTH, cache)
    assert any(len(own) < LENGTH for own in pieces), "else nothing is padded"
    assert all(np.allclose(found[row][: len(own)], own, atol=2e-3) for row, own in enumerate(pieces))


def test_a_file_of_padded_texts_holds_no_more_vectors_than_one_of_others(tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(encoding, "FILE", 4 * LENGTH)
    sizes = []
    monkeypatch.setattr(store, "write", lambda rows, folder: sizes.append(sum(len(row.values) for row in rows)))
    with pytest.raises(UserError, match="can't be read back"):
        of_padded([f"good town {number}" for number in range(20)], encoder, LENGTH, tmp_path)
    assert sizes == [4 * LENGTH] * 5


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_words_have_the_vector_of_their_first_piece_where_they_stand_furthest_from_an_edge(tmp_path, encoders, family):
    import torch
    from datasets import Dataset

    tokenizer, model = load_tokenizer(encoders[family], TAGS), load_encoder(encoders[family]).eval()
    rows = Dataset.from_dict({"tokens": ROWS_OF_WORDS, "tags": [[0] * len(words) for words in ROWS_OF_WORDS]})
    windows = features_of(rows, tokenizer, LENGTH)
    assert len(windows.row) > len(rows)
    assert any(len(set(words)) < len(words) - 1 for words in windows.features["words"]), "no word of several pieces"
    with torch.no_grad():
        states = [model(torch.tensor([pieces])).last_hidden_state[0] for pieces in windows.features["input_ids"]]
    numbered = np.cumsum([0, *map(len, states)])  # each piece of each window by a number of its own
    longest = max(map(len, states))
    numbers = np.array([np.arange(longest) + first for first in numbered[:-1]])
    expected = torch.cat(states).numpy()
    for vectors, own in zip(
        of_words(ROWS_OF_WORDS, encoders[family], LENGTH, tmp_path),
        join_windows(numbers, windows, ROWS_OF_WORDS),
        strict=True,
    ):
        assert np.allclose(vectors, expected[own], atol=2e-3)


def test_a_word_of_which_the_tokenizer_leaves_nothing_has_zeros(tmp_path, encoder):
    vectors = of_words([["anna", "\u200d", "berlin"]], encoder, LENGTH, tmp_path)[0]
    assert vectors.shape == (3, 32)
    assert vectors[0].any() and not vectors[1].any() and vectors[2].any()


def test_mean_pooling_is_that_of_sentence_transformers(tmp_path, bundled):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    transformer = Transformer(str(bundled), max_seq_length=LENGTH)
    theirs = SentenceTransformer(modules=[transformer, Pooling(384, "mean")], device="cpu")
    expected = theirs.encode(TEXTS_OF_ALL_LENGTHS, normalize_embeddings=False, show_progress_bar=False)
    assert np.allclose(pooled(TEXTS_OF_ALL_LENGTHS, bundled, LENGTH, "mean", tmp_path), expected, atol=1e-5)


def test_the_mean_of_the_last_four_layers_leaves_out_those_below(tmp_path, bundled):
    layers = plain(bundled, LONG)
    assert len(layers) == 7  # the embeddings, and six
    found = pooled([LONG], bundled, LENGTH, "mean_last_four", tmp_path)
    assert np.allclose(found[0], np.mean(layers[-4:], axis=(0, 1)), atol=1e-5)


def test_an_encoder_whose_positions_are_no_multiple_of_eight_reads_up_to_the_last(tmp_path, encoder):
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(encoder)
    config.max_position_embeddings = 45
    AutoModel.from_config(config).save_pretrained(encoder)
    assert of_pieces([LONG], encoder, 100, tmp_path)[0].shape == (45, 32)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_weights_are_counted_without_the_head_that_a_checkpoint_brings(tmp_path, encoders, family):
    from transformers import AutoModelForSequenceClassification

    expected = sum(weights.numel() for weights in load_encoder(encoders[family]).parameters())
    AutoModelForSequenceClassification.from_pretrained(encoders[family]).save_pretrained(tmp_path)
    assert parameters(tmp_path) == parameters(encoders[family]) == expected


# -- the same whatever else is computed ------------------------------------------------------------------------------


@pytest.mark.parametrize("embed", [of_pieces, of_words])
def test_the_vectors_of_a_row_depend_on_that_row_alone(tmp_path, bundled, embed):
    rows = TEXTS_OF_ALL_LENGTHS if embed is of_pieces else ROWS_OF_WORDS
    whole = embed(rows, bundled, LENGTH, tmp_path / "whole")
    for chosen in ([3], [20, 1, 12], range(len(rows) - 1, 4, -1)):
        alone = embed([rows[i] for i in chosen], bundled, LENGTH, tmp_path / str(chosen))
        assert [vectors.tobytes() for vectors in alone] == [whole[i].tobytes() for i in chosen]


def test_the_pooled_vector_of_a_text_depends_on_that_text_alone_bit_for_bit(tmp_path, bundled):
    texts = [" ".join(LONG.split()[i : i + 3]) for i in range(30)]  # of few lengths: some share a batch
    whole = pooled(texts, bundled, LENGTH, "mean_last_four", tmp_path / "whole")
    for chosen in ([7], [20, 1, 12, 25], range(29, 4, -2)):
        alone = pooled([texts[i] for i in chosen], bundled, LENGTH, "mean_last_four", tmp_path / str(chosen))
        assert np.array_equal(alone, whole[list(chosen)])


# -- each computed once ----------------------------------------------------------------------------------------------


def told(embed, *arguments) -> tuple[object, Embedded]:
    said: list[Embedded] = []
    return embed(*arguments, said.append), said[0]


def test_what_is_cached_needs_no_encoder(tmp_path, encoder, monkeypatch):
    cache = tmp_path / "cache"
    first, said = told(pooled, TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", cache)
    assert (said.rows, said.computed, said.length) == (22, 22, LENGTH)
    lengths = [len(pieces) for pieces in load_tokenizer(encoder, TEXTS)(TEXTS_OF_ALL_LENGTHS)["input_ids"]]
    assert said.cut_rows == sum(length > LENGTH for length in lengths)
    assert any(LENGTH < length < 2 * LENGTH for length in lengths)
    assert said.seconds > 0
    loaded: list[Path] = []
    monkeypatch.setattr(encoding, "load_encoder", lambda folder: loaded.append(folder) or load_encoder(folder))
    again, said_again = told(pooled, TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", cache)
    assert np.array_equal(first, again)
    assert said_again.computed == 0
    assert said_again.seconds == said.seconds, "what it took is known of cached rows, too"
    other, _ = told(pooled, TEXTS_OF_ALL_LENGTHS[:3], encoder, LENGTH, "cls", cache)
    assert not np.allclose(other, first[:3])
    assert not loaded
    pooled(["a new text"], encoder, LENGTH, "mean", cache)
    assert loaded == [encoder]


def test_only_rows_that_no_file_has_are_computed_and_each_text_once(tmp_path, encoder):
    texts = ["a good film", "a bad film", "a good film", LONG]
    vectors, said = told(of_pieces, texts, encoder, LENGTH, tmp_path)
    assert (len(vectors), said.rows, said.computed, said.cut_rows) == (4, 3, 3, 1)
    assert np.array_equal(vectors[0], vectors[2])
    _, said = told(of_pieces, [*texts, LONG, "berlin"], encoder, LENGTH, tmp_path)
    assert (said.rows, said.computed, said.cut_rows) == (4, 1, 2)


def test_rows_of_words_are_known_by_the_borders_between_them(tmp_path, encoder):
    first, second, third = of_words([["a", "dog"], ["ad", "og"], ["a dog"]], encoder, LENGTH, tmp_path)
    assert [len(first), len(second), len(third)] == [2, 2, 1]
    assert not np.array_equal(first, second)


def test_another_length_and_other_weights_are_computed_anew(tmp_path, encoder):
    import torch

    first, _ = told(pooled, [LONG], encoder, LENGTH, "mean", tmp_path / "cache")
    longer, said = told(pooled, [LONG], encoder, 2 * LENGTH, "mean", tmp_path / "cache")
    assert said.computed == 1
    assert not np.array_equal(first, longer)
    model = load_encoder(encoder)
    torch.nn.init.normal_(next(model.parameters()))
    model.save_pretrained(encoder)
    other, said = told(pooled, [LONG], encoder, LENGTH, "mean", tmp_path / "cache")
    assert said.computed == 1
    assert not np.array_equal(first, other)


def files_of(kind: str, encoder: Path, length: int, cache: Path) -> list[Path]:
    return sorted((cache / "embeddings" / Frozen.of(kind, encoder, length).key).glob("*.arrow"))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def spoilt(content: bytes) -> bytes:
    middle = len(content) // 2  # inside of the vectors
    return content[:middle] + bytes(byte ^ 0x40 for byte in content[middle : middle + 8]) + content[middle + 8 :]


@pytest.mark.parametrize("spoil", [cut, spoilt, lambda content: b""])
def test_a_file_that_is_not_as_it_was_written_is_computed_again(tmp_path, encoder, spoil):
    before = pooled(TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", tmp_path / "cache")
    (file,) = files_of("pooled", encoder, LENGTH, tmp_path / "cache")
    file.write_bytes(spoil(file.read_bytes()))
    after, said = told(pooled, TEXTS_OF_ALL_LENGTHS, encoder, LENGTH, "mean", tmp_path / "cache")
    assert said.computed == 22
    assert np.array_equal(before, after)


def test_what_a_kill_loses_is_one_file_of_many(tmp_path, encoder):
    texts = [f"{LONG} {LONG} {i}" for i in range(700)]  # of 64 pieces each
    whole = of_pieces(texts, encoder, 64, tmp_path / "cache")
    files = files_of("pieces", encoder, 64, tmp_path / "cache")
    assert len(files) == 2
    files[0].unlink()
    vectors, said = told(of_pieces, texts, encoder, 64, tmp_path / "cache")
    assert said.computed in (512, 188)
    assert all(np.array_equal(vectors[i], whole[i]) for i in range(700))


def test_vectors_of_sequences_are_read_from_the_file_and_not_held(tmp_path, encoder):
    vectors = of_pieces([LONG], encoder, LENGTH, tmp_path)[0]
    assert not vectors.flags.owndata
    assert not vectors.flags.writeable


def test_a_cache_that_cannot_be_written_is_said(tmp_path, encoder):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="the cache folder can't be written"):
        pooled(["a"], encoder, LENGTH, "mean", tmp_path / "cache")


def test_one_pass_over_texts_gives_poolings_and_pieces_but_no_pieces_beside_the_poolings_of_very_many(
    tmp_path, encoder, monkeypatch
):
    texts, said = ["a good film", "a bad film with a long story"], []
    pooled(texts, encoder, LENGTH, "mean", tmp_path / "cache")
    beside = of_pieces(texts, encoder, LENGTH, tmp_path / "cache", said.append)
    alone_made = of_pieces(texts, encoder, LENGTH, tmp_path / "other", said.append)
    mean = pooled(texts, encoder, LENGTH, "mean", tmp_path / "other", said.append)
    monkeypatch.setattr(encoding, "BESIDE", 100)
    pooled(texts, encoder, LENGTH, "mean", tmp_path / "many")
    of_pieces(texts, encoder, LENGTH, tmp_path / "many", said.append)
    assert [one.computed for one in said] == [0, 2, 0, 2]
    for number in range(len(texts)):
        assert np.array_equal(beside[number], alone_made[number])
        np.testing.assert_allclose(mean[number], beside[number].astype(np.float32).mean(axis=0), atol=2e-3)


# -- several processes -----------------------------------------------------------------------------------------------

OF_A_PROCESS = """
import sys
from pathlib import Path
from benchmarks.embeddings import pooled

print("ready", flush=True)
encoder, cache = map(Path, sys.argv[1:])
pooled(["a good film", "a bad film"], encoder, 16, "mean", cache, lambda said: print(said.computed))
"""


def test_of_processes_that_want_the_same_rows_one_computes_them_and_the_others_wait(tmp_path, encoder):
    command = [sys.executable, "-c", OF_A_PROCESS, str(encoder), str(tmp_path / "cache")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    folder = tmp_path / "cache" / "embeddings" / Frozen.of("pooled", encoder, 16).key
    with alone(folder / _digest(map(key_of, ["a good film", "a bad film"]))):
        wanting = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert [process.stdout.readline() for process in wanting] == ["ready\n"] * 2
        with pytest.raises(subprocess.TimeoutExpired):
            wanting[0].communicate(timeout=3)
        assert not list(folder.glob("*.arrow"))
    assert sorted(process.communicate(timeout=120)[0].split() for process in wanting) == [["0"], ["2"]]
    assert len(list(folder.glob("*.arrow"))) == 1


OF_A_RANK = """
import sys
from pathlib import Path
import torch.distributed
from benchmarks.embeddings import pooled
from benchmarks.errors import UserError

rank, meeting, encoder, cache, blocked = sys.argv[1:]
torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=int(rank), world_size=2)
texts = ["a good film", "a bad film"]
pooled(texts, Path(encoder), 16, "mean", Path(cache), lambda said: print(f"rows {said.rows}"))
torch.distributed.barrier()
try:
    pooled(texts, Path(encoder), 16, "mean", Path(blocked if rank == "0" else cache + "2"))
except UserError:
    print("blocked")
torch.distributed.destroy_process_group()
"""


def test_ranks_share_the_rows_and_leave_none_waiting_where_one_fails(tmp_path, encoder):
    (tmp_path / "blocked").write_text("a file where the folder should be")
    places = [str(tmp_path / name) for name in ("meeting", "encoder", "cache", "blocked")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    ranks = [
        subprocess.Popen([sys.executable, "-c", OF_A_RANK, rank, *places], env=environment, stdout=subprocess.PIPE)
        for rank in "01"
    ]
    try:
        said = [rank.communicate(timeout=120)[0].decode().splitlines() for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert said == [["rows 2", "blocked"]] * 2
    assert len(files_of("pooled", encoder, 16, tmp_path / "cache")) == 2, "each rank computes its share"


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system doesn't tell what is mapped")
def test_vectors_that_were_read_do_not_stay_in_the_process_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "GIVEN_BACK_AFTER", 10)
    rows = {key_of(str(number)): np.full((1000, 100), number, np.float16) for number in range(200)}
    write([Vectors(key, cut=False, seconds=0.0, values=values) for key, values in rows.items()], tmp_path)
    (file,) = tmp_path.iterdir()
    found = find(rows, tmp_path)
    vectors = Sequences([found[key] for key in rows], width=100, length=1000)
    held = []
    for number, values in enumerate(rows.values()):
        assert np.array_equal(vectors[number], values)
        held.append(_mapped_pages(file))
    assert 200_000 < max(held) < file.stat().st_size / 2  # pages come by two megabytes
    assert np.array_equal(vectors[0], np.zeros((1000, 100)))  # read once more


def _mapped_pages(file: Path) -> int:
    """Bytes of the file that count as this process' memory."""
    about = Path("/proc/self/smaps").read_text().split(str(file))[1:]
    return sum(int(part.split("Rss:")[1].split()[0]) * 1024 for part in about)
