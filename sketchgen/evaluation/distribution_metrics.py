"""Distances of two sets of drawings in the features of a judge: KID and FID, with standard errors.

KID is the squared maximum mean discrepancy under the kernel (a . b / d + 1)^3, d being the number of
features, in its unbiased estimate (Binkowski et al. 2018, "Demystifying MMD GANs", section 3; Gretton et al.
2012, lemma 6): it may be negative, and is 0 on average for two samples of one distribution. FID is the
Frechet distance of two Gaussians with the samples' means and covariances (Heusel et al. 2017); it grows as
the samples get smaller, so that only samples of one size can be compared, with a floor of real drawings.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from sketchgen.errors import SettingError
from sketchgen.evaluation.statistics import Figure, figure

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]

GROUPS = 10
"""Groups that are left out in turn for the standard error of FID."""


def kid(one: Features, other: Others) -> Figure:
    """Return the unbiased squared MMD of two samples of one size.

    With h(i, j) = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i) it is the mean of h over i != j, a
    U-statistic. Its variance (Hoeffding 1948) is 4 (n - 2) / (n (n - 1)) times the variance of the rows'
    means plus 2 / (n (n - 1)) times that of h; the second counts where both samples are of one distribution.
    """
    count, width = one.shape
    if count != len(other) or count < 3:
        raise SettingError(f"KID needs two samples of one size, 3 or more, not {count} and {len(other)}")
    x, y = one.astype(np.float64), other.astype(np.float64)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / width + 1.0) ** 3

    cross = kernel(x, y)
    h = kernel(x, x) + kernel(y, y) - cross - cross.T
    np.fill_diagonal(h, 0.0)
    pairs = count * (count - 1)
    value = h.sum() / pairs
    whole = (h**2).sum() / pairs - value**2
    # The rows' means vary by a part of h's own variance, too, which is taken off.
    rows = (h.sum(1) / (count - 1)).var(ddof=1) - whole / (count - 1)
    variance = (4.0 * (count - 2) * max(rows, 0.0) + 2.0 * whole) / pairs
    return figure(float(value), float(np.sqrt(max(variance, 0.0))), drawings=count)


def frechet(one: Features, other: Others) -> float:
    """Return the Frechet distance of Gaussians of two samples: |m - n|^2 + tr(A + B - 2 (A B)^(1/2))."""
    if min(len(one), len(other)) < 2:
        raise SettingError(f"FID needs 2 drawings or more in each sample, not {len(one)} and {len(other)}")
    x, y = one.astype(np.float64), other.astype(np.float64)
    a, b = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # A B has the eigenvalues of the symmetric A^(1/2) B A^(1/2).
    both = np.linalg.eigvalsh(root @ b @ root)
    apart = ((x.mean(0) - y.mean(0)) ** 2).sum()
    return float(apart + np.trace(a) + np.trace(b) - 2.0 * np.sqrt(np.maximum(both, 0.0)).sum())


def fid(one: Features, other: Others) -> Figure:
    """Return the Frechet distance of two samples; its standard error leaves out a tenth of both in turn."""
    value = frechet(one, other)
    count = min(len(one), len(other))
    error = None
    if count >= 4 * GROUPS:
        parts = [
            frechet(*(np.delete(part, np.s_[group::GROUPS], axis=0) for part in (one, other)))
            for group in range(GROUPS)
        ]
        error = float(np.sqrt((GROUPS - 1) * np.var(parts)))
    return figure(value, error, drawings=count)
