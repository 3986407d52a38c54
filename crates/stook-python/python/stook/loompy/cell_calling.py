"""Which barcodes are of cells: those whose molecules are no draw from the ambient ones.

The method is EmptyDrops (Lun et al., Genome Biology 2019): the profile of ambient molecules is
estimated by Good and Turing's formula as Gale and Sampson simplified it, and each barcode is tested
against multinomial draws from that. Draws are random: p-values differ a little from call to call.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

__all__ = ["call_cells"]

_N_DRAWS = 1000
# Fewer molecules than these are not worth a look; so few counts of counts tell nothing.
_FEWEST_MOLECULES, _FEWEST_OF_A_CELL, _FEWEST_COUNTS = 20, 500, 10
# How far Turing's estimate must be from the line to be better than it, in standard deviations.
_FAR = 1.65


class _NoEstimateError(Exception):
    """The counts are not such as the estimate needs."""


def call_cells(matrix: Any, expected_n_cells: int = 5000) -> tuple[float, np.ndarray]:
    """The most molecules that a barcode without a cell has, and for each barcode (column) the
    p-value, adjusted for how many there are, of its being without one.

    Barcodes with too few molecules to be looked at have the p-value 1.
    """
    from scipy.sparse import csc_matrix  # type: ignore[import-untyped, unused-ignore]

    counts = csc_matrix(matrix)
    n_barcodes = counts.shape[1]
    n_cells = min(expected_n_cells, n_barcodes // 5)
    totals = np.asarray(counts.sum(axis=0)).ravel()
    found = np.ones(n_barcodes)
    most = float(np.percentile(totals, 100 * (n_barcodes - n_cells * 2) / n_barcodes))
    largest = totals[totals > np.percentile(totals, 100 * (n_barcodes - n_cells) / n_barcodes)]
    ambient = (totals < most) & (totals > _FEWEST_MOLECULES)
    if not ambient.any() or not largest.size:
        logging.warning("No ambient RNA beads were found; maybe sample had too few cells?")
        return most, found
    genes = np.flatnonzero(np.asarray(counts.sum(axis=1)).ravel())
    try:
        profile = _profile(np.asarray(counts[genes][:, ambient].sum(axis=1)).ravel())
    except _NoEstimateError as error:
        logging.error(str(error))
        return most, found
    tested = totals > int(max(_FEWEST_OF_A_CELL, np.median(largest) * 0.1))
    if tested.any():
        found[tested] = _adjusted(_p_values(counts[genes][:, tested], profile))
    return most, found


def _profile(counts: np.ndarray) -> np.ndarray:
    """The probability of each gene, also of those that were not seen."""
    seen = counts > 0
    smoothed, unseen = _good_turing(counts[seen].astype(np.int64))
    found = np.full(len(counts), unseen / max(int((~seen).sum()), 1))
    found[seen] = smoothed
    return found / found.sum()


def _good_turing(counts: np.ndarray) -> tuple[np.ndarray, float]:
    """The probabilities of what was counted, and that of all else together."""
    r, which, n = np.unique(counts, return_inverse=True, return_counts=True)
    if len(r) < _FEWEST_COUNTS:
        raise _NoEstimateError(f"counts of {len(r)} sizes are too few for an estimate")
    total = float(counts.sum())
    unseen = n[0] / total if r[0] == 1 else 0.0
    gaps = np.diff(r, prepend=0).astype(float)
    z = n / np.append((gaps[:-1] + gaps[1:]) / 2 if len(r) > 1 else [], gaps[-1])
    slope, _ = np.polyfit(np.log(r), np.log(z), 1)
    if slope > -1:
        raise _NoEstimateError(f"the slope of the counts, {slope:.2f}, is above -1")
    line = r * (1 + 1 / r) ** (slope + 1)
    after = np.append(np.where(r[1:] == r[:-1] + 1, n[1:], 0), 0)
    turing = (r + 1) * after / n
    spread = (r + 1) * np.sqrt(after / n**2 * (1 + after / n))
    is_far = (after > 0) & (np.abs(line - turing) > _FAR * spread)
    # From the first that is not, the line.
    estimate = np.where(np.minimum.accumulate(is_far), turing, line)
    return ((1 - unseen) * estimate / (n * estimate).sum())[which], unseen


def _p_values(counts: Any, profile: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln  # type: ignore[import-untyped, unused-ignore]

    logs = np.log(profile)
    totals = np.asarray(counts.sum(axis=0)).ravel().astype(np.int64)
    each = counts.copy().astype(float)
    each.data = each.data * logs[each.indices] - gammaln(each.data + 1)
    observed = np.asarray(each.sum(axis=0)).ravel()
    sizes, which = np.unique(totals, return_inverse=True)
    random, n_lower = np.random.default_rng(), np.zeros(len(totals))
    for _ in range(_N_DRAWS):
        drawn = random.choice(len(profile), size=int(sizes[-1]), p=profile)
        order = np.argsort(drawn, kind="stable")
        starts = np.flatnonzero(np.diff(drawn[order], prepend=-1))
        nth = np.empty(len(drawn))
        nth[order] = np.arange(len(drawn)) - np.repeat(starts, np.diff([*starts, len(drawn)])) + 1
        # One draw has within it those of all smaller sizes; n! is on both sides.
        likelihood = np.cumsum(logs[drawn] - np.log(nth))[sizes - 1]
        n_lower += likelihood[which] < observed
    return (1 + n_lower) / (1 + _N_DRAWS)


def _adjusted(p: np.ndarray) -> np.ndarray:
    """Adjusted for many tests, by Benjamini and Hochberg."""
    falling = np.argsort(p)[::-1]
    found = np.empty(len(p))
    found[falling] = np.minimum.accumulate(p[falling] * len(p) / np.arange(len(p), 0, -1))
    return np.minimum(found, 1)
