"""A shell that has read the script completes verbs, flags, names, and the last of several names."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from benchmarks.cli import main

BASH = shutil.which("bash")


@pytest.fixture
def script(capsys) -> str:
    assert main(["completion", "bash"]) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(BASH is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["des"], {"describe"}),
        (["run", "--keep"], {"--keep-models"}),
        (["run", "--tasks", "mit-"], {"mit-movie", "mit-movie-trivia"}),
        (["run", "--tasks", "ner,new"], {"ner,news", "ner,news-sample", "ner,news-variants"}),
        (["compare", "a", "b", "--task", "sst"], {"sst2"}),
        (["run", "--systems", "tfidf-"], {"tfidf-svm", "tfidf-nb", "tfidf-logreg"}),
    ],
)
def test_words_are_completed(script, words, expected):
    command = " ".join(["encoder-bench", *words])
    ask = f"COMP_WORDS=({command}); COMP_CWORD={len(words)}; _shtab_encoder_bench; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run([BASH, "-c", f"{script}\n{ask}"], capture_output=True, text=True)
    assert set(done.stdout.split()) == expected, done.stderr


def test_a_shell_that_is_not_known_is_refused(capsys):
    assert main(["completion", "fish"]) == 2
    assert "choose from 'bash', 'zsh'" in capsys.readouterr().err
