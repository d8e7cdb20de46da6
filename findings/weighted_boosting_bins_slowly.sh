#!/bin/sh
# scikit-learn 1.9.1: a histogram gradient boosting fit with sample weights spends most of its time on its bins. Without
# weights the edges of a feature's bins come of one pass; with weights each edge is a weighted percentile that sorts the
# feature anew, 254 times a feature at the default max_bins=255. On 200,000 rows of 30 features and five trees a fit
# with weights took 24 s where one without took 1.6 s, on one core; the trees are the same work in both. max_bins=63
# asks for a quarter of the edges and took 9 s. Whoever fits few trees on many weighted rows waits for bins, not trees.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet scikit-learn==1.9.1 numpy==2.4.6

cat >fit.py <<'CODE'
import time
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

random = np.random.default_rng(0)
rows = 60_000
inputs = random.normal(size=(rows, 30)).astype(np.float32)
touched = random.random(rows) < 0.3
weights = random.uniform(0.5, 2, rows)


def seconds(bins=255, **given):
    begun = time.perf_counter()
    HistGradientBoostingClassifier(max_iter=5, max_bins=bins, early_stopping=False).fit(inputs, touched, **given)
    return time.perf_counter() - begun


seconds()
plain = min(seconds() for _ in range(3))
weighted = min(seconds(sample_weight=weights) for _ in range(2))
few = min(seconds(bins=63, sample_weight=weights) for _ in range(2))
print(f"seconds: {plain:.2f} without weights, {weighted:.2f} with them, {few:.2f} with them and 63 bins")
print("with weights:", "more than three times as long" if weighted > 3 * plain else "about as long")
print("63 bins:", "less than two thirds of it" if few < 0.66 * weighted else "about as long")
CODE
OMP_NUM_THREADS=1 venv/bin/python fit.py >seen
cat seen
cat >expected <<'TEXT'
with weights: more than three times as long
63 bins: less than two thirds of it
TEXT
grep -v ^seconds: seen | diff expected -
