"""k-means over a frozen sentence encoder's embeddings of the test texts; no label takes part in making the clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.encoders import parameters
from benchmarks.errors import UserError
from benchmarks.methods import Job
from benchmarks.methods.embedded import pooled_texts
from benchmarks.metrics.clustering import matched, silhouettes
from benchmarks.recipes import SbertCluster
from benchmarks.schema import Predictions


def cluster(job: Job) -> Predictions:
    """As many clusters as the task has classes; predicted are the classes that clusters are matched to, with gold.

    Vectors are brought to length one: distances then go by the cosine, which sentence encoders are trained for, and
    not by a text's length, on which that of its vector depends. Raises UserError for too few test rows.
    """
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize

    recipe = job.recipe
    assert isinstance(recipe, SbertCluster)
    assert job.encoder is not None
    rows, k = len(job.data.test), len(job.task.labels)
    if rows <= k:
        raise UserError(f"{job.task.name}: {rows} test rows can't be clustered into {k} classes: give more than {k}.")
    vectors = normalize(pooled_texts(job, "test", "mean"))
    with job.meter.measuring("predict", rows):
        clusters = KMeans(n_clusters=k, n_init=recipe.restarts, random_state=job.seed).fit_predict(vectors)
    job.meter.parameters = parameters(job.encoder)
    predicted = matched(np.array(job.data.test["label"]), clusters, k)
    return replace(job.predictions(predicted.tolist()), silhouettes=silhouettes(vectors, clusters))
