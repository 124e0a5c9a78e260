"""The suite from Python, on an embedded sample corpus: no data, no network, some seconds."""

from pathlib import Path
from tempfile import mkdtemp

from benchmarks import api

results = Path(mkdtemp())

# What the command line does; the same call goes on where it stopped.
runs = api.run(["sentiment"], ["tfidf-svm", "tfidf-nb", "majority"], seeds=2, sample=True, results=results)
print(runs.groupby("system")[["accuracy", "average_precision", "train_seconds"]].mean())

# The leaderboard: a rank is a range where differences are within chance.
print(api.scores("sentiment-sample", results).to_string(index=False))

# Is the difference real?
(found,) = api.compare("tfidf-svm", "tfidf-nb", "sentiment-sample", results)
print(f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}], p = {found.p:.4f}")

# Every prediction is kept: a question of your own needs no training. It is of runs that were made alike: a folder may
# also hold those of other training sizes or folds, and smoke runs by --limit.
predicted = api.predictions("sentiment-sample", "tfidf-svm", results)
alike = predicted[(predicted.protocol == "Whole training split") & ~predicted.limited]
wrong = alike[alike.gold != alike.predicted]
print(f"{len(wrong)} of {len(alike)} predictions are wrong; most often:", wrong.gold.mode().tolist())
