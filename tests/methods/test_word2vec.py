"""word2vec: which words a row has, and which vectors they get."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from gensim.models import KeyedVectors, Word2Vec

from benchmarks.errors import UserError
from benchmarks.methods.word2vec import read, trained, vectors_of, words_of
from benchmarks.plan import recipe_identity
from benchmarks.recipes import Word2vecRecurrent
from benchmarks.recipes import vectors as files
from benchmarks.schema import TEXTS

SENTENCES = [["a", "good", "film"], ["a", "bad", "film", "a", "bad", "ending"], ["the", "good", "story"]] * 20
SMALL = Word2vecRecurrent(vector_size=8, word2vec_epochs=3)


# -- words -----------------------------------------------------------------------------------------------------------


def words(text: str, cleaning: bool = False) -> list[str]:
    return list(words_of(Dataset.from_dict({"text": [text]}), cleaning)[0])


def test_a_text_is_its_lower_cased_words_and_signs():
    assert words("Don't STOP: it isn’t well-made…") == ["don't", "stop", ":", "it", "isn’t", "well", "-", "made", "…"]
    assert words("'Ærlig talt', 3.5 €!") == ["'", "ærlig", "talt", "'", ",", "3", ".", "5", "€", "!"]
    assert words("") == words(" \n\t") == []


def test_cleaning_leaves_out_stop_words_and_signs_and_nothing_else():
    text = "No, this is NOT the worst film I have seen: 7 of 10 (__)!"
    assert words(text, cleaning=True) == ["worst", "film", "seen", "7", "10"]
    assert {"no", "not", ",", "the"} <= set(words(text))


def test_the_words_of_tagged_rows_are_the_given_ones_in_lower_case():
    rows = Dataset.from_dict({"tokens": [["The", "U.S.", "-"], ["Ørsted"]], "tags": [[0, 1, 0], [1]]})
    assert words_of(rows) == [["the", "u.s.", "-"], ["ørsted"]]


# -- vectors of the training rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "skipgram"), [("skipgram", 1), ("cbow", 0)])
def test_vectors_are_those_of_gensim(algorithm, skipgram):
    recipe = Word2vecRecurrent(algorithm=algorithm, vector_size=6, window=3, min_count=30, word2vec_epochs=4)
    theirs = Word2Vec(
        SENTENCES, sg=skipgram, vector_size=6, window=3, min_count=30, epochs=4, seed=5, workers=1
    ).wv  # fmt: skip
    ours = trained(SENTENCES, recipe, seed=5)
    assert set(ours.index_to_key) == {"a", "good", "bad", "film"}
    assert ours.key_to_index == theirs.key_to_index
    assert np.array_equal(ours.vectors, theirs.vectors)
    assert not np.array_equal(ours.vectors, trained(SENTENCES, recipe, seed=6).vectors)


def test_vectors_are_the_same_in_a_process_that_hashes_otherwise():
    script = (
        "from benchmarks.methods.word2vec import Word2vecRecurrent, trained\n"
        f"known = trained({SENTENCES[:6]!r}, Word2vecRecurrent(vector_size=8), seed=1)\n"
        "print(known.index_to_key, known.vectors.tolist())"
    )
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    known = trained(SENTENCES[:6], Word2vecRecurrent(vector_size=8), seed=1)
    assert done.stdout == f"{known.index_to_key} {known.vectors.tolist()}\n", done.stderr


@pytest.mark.parametrize("rows", [[["a", "b"], ["b"]], [[], []]])
def test_rows_without_a_word_that_is_frequent_enough_are_the_users_to_mend(rows):
    with pytest.raises(UserError, match=r"^recipe\.min_count: 3, but no word of the training rows"):
        trained(rows, Word2vecRecurrent(min_count=3), seed=0)


# -- a row's vectors -------------------------------------------------------------------------------------------------


def test_each_word_has_its_standardised_vector_and_an_unknown_one_zeros():
    known = trained(SENTENCES, SMALL, seed=0)
    known.vectors[:, 7] = 0.5  # a dimension in which no word differs
    mean, deviation = known.vectors.mean(axis=0), known.vectors.std(axis=0)
    deviation[7] = 1
    film, bad = ((known[word] - mean) / deviation for word in ("film", "bad"))
    vectors = vectors_of([["film", "unseen", "bad"], ["bad"]], known)
    assert np.allclose(vectors[0], [film, np.zeros(8), bad], atol=1e-5)
    assert np.allclose(vectors[1], [bad], atol=1e-5)
    assert vectors[0].dtype == np.float32
    assert (len(vectors), vectors.unknown) == (2, 1)


def test_a_row_without_words_is_one_vector_of_zeros():
    vectors = vectors_of([[], ["unseen"]], trained(SENTENCES, SMALL, seed=0))
    assert np.array_equal(vectors[0], np.zeros((1, 8)))
    assert np.array_equal(vectors[1], np.zeros((1, 8)))
    assert vectors.unknown == 1


def test_only_vectors_of_words_that_occur_are_kept():
    known = KeyedVectors(4)
    known.add_vectors([f"word{i}" for i in range(1000)], np.ones((1000, 4), dtype=np.float32))
    assert vectors_of([["word7", "word8", "word7"]], known).matrix.shape == (3, 4)


# -- pretrained vectors ----------------------------------------------------------------------------------------------


def written(path: Path, seed: int = 0) -> KeyedVectors:
    """Vectors of three words, written to a file that is binary where its name says so, and gzipped."""
    known = KeyedVectors(5)
    known.add_vectors(["film", "größe", "bad"], np.random.default_rng(seed).normal(size=(3, 5)).astype(np.float32))
    known.save_word2vec_format(str(path), binary=".bin" in path.name)
    return known


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.txt.gz", "v.bin", "v.bin.gz"])
def test_pretrained_vectors_are_read_from_text_and_binary_files(tmp_path, name):
    expected = written(tmp_path / name)
    found = read(tmp_path / name)
    assert found.index_to_key == ["film", "größe", "bad"]
    assert np.allclose(found.vectors, expected.vectors, atol=1e-6)
    assert len(files.content(str(tmp_path / name))) == 64


def test_the_content_says_which_format_a_file_is_in_not_its_name(tmp_path):
    for name, other in (("v.txt", "text.bin"), ("v.bin", "binary.txt")):
        expected = written(tmp_path / name)
        (tmp_path / name).rename(tmp_path / other)
        assert np.allclose(read(tmp_path / other).vectors, expected.vectors, atol=1e-6)


def test_a_word_that_was_cut_off_in_the_middle_of_a_character_spoils_no_other(tmp_path):
    numbers = np.ones(5, dtype=np.float32).tobytes()
    (tmp_path / "v.bin").write_bytes(b"2 5\n" + "größe".encode()[:3] + b" " + numbers + b"film " + numbers)
    assert np.array_equal(read(tmp_path / "v.bin")["film"], np.ones(5))


def spoilt(path: Path, content: bytes) -> UserError:
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read(path)
    return error.value


def test_a_file_in_another_format_is_named_with_what_was_expected(tmp_path):
    written(tmp_path / "good.txt")
    written(tmp_path / "good.bin")
    text, binary = (tmp_path / "good.txt").read_bytes(), (tmp_path / "good.bin").read_bytes()
    contents = {"glove.txt": text.partition(b"\n")[2], "cut.txt": text[: len(text) // 2],
        "empty.txt": b"", "words.txt": b"3 5\nno numbers here at all\n", "cut.bin": binary[:-9],
        "none.gz": text, "cut.txt.gz": gzip.compress(text)[:30], "none.bin.gz": binary}  # fmt: skip
    for name, content in contents.items():
        said = f"{tmp_path / name}: expected vectors in word2vec's text or binary format: "
        assert str(spoilt(tmp_path / name, content)).startswith(said)


def test_a_file_that_can_not_be_right_is_told_before_any_training(tmp_path):
    written(tmp_path / "good.txt")
    (tmp_path / "glove.txt").write_bytes((tmp_path / "good.txt").read_bytes().partition(b"\n")[2])
    for name, said in {
        "absent.txt": "can't be read: No such file",
        "glove.txt": r"begins with b'film .*expected word2vec's format",
    }.items():
        with pytest.raises(UserError, match=rf"{name}: {said}"):
            files.content(str(tmp_path / name))


def test_the_content_of_the_file_is_part_of_the_identity_and_its_name_is_not(tmp_path):
    def identity(name: str) -> dict:
        vectors = str(tmp_path / name)
        return recipe_identity(Word2vecRecurrent(vectors=vectors), TEXTS, {vectors: files.content(vectors)})

    written(tmp_path / "a.txt", seed=0)
    written(tmp_path / "b.txt", seed=0)
    before = identity("a.txt")
    assert before == identity("b.txt")
    written(tmp_path / "a.txt", seed=1)
    os.utime(tmp_path / "a.txt", ns=(1, 1))  # another moment than that of the first content
    assert identity("a.txt") != before
    assert identity("a.txt") != recipe_identity(Word2vecRecurrent(), TEXTS)


def test_an_identity_that_is_not_told_the_content_of_a_file_is_none():
    """Its name would be taken for what a run is known by."""
    with pytest.raises(KeyError, match=r"v\.txt"):
        recipe_identity(Word2vecRecurrent(vectors="v.txt"), TEXTS)
