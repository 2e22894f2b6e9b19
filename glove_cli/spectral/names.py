"""Names of methods, apart, so that the command line knows them without importing what computes."""

from __future__ import annotations

GLOVE = "glove"
PCA, LOG_PCA, PPMI_SVD = "pca", "log-pca", "ppmi-svd"
METHODS = (GLOVE, PCA, LOG_PCA, PPMI_SVD)
