"""Connections and functions on files, under the name that loompy has them by."""

from ._connection import LoomConnection
from ._creating import combine, combine_faster, connect, create, create_append, new
from ._importing import (
    create_from_10x,
    create_from_cellranger,
    create_from_matrix_market,
    create_from_star,
    create_from_tsv,
    from_anndata,
    to_anndata,
)
from ._mending import compact, repair
from .utils import timestamp

__all__ = [
    "LoomConnection",
    "combine",
    "combine_faster",
    "compact",
    "connect",
    "create",
    "create_append",
    "create_from_10x",
    "create_from_cellranger",
    "create_from_matrix_market",
    "create_from_star",
    "create_from_tsv",
    "from_anndata",
    "new",
    "repair",
    "timestamp",
    "to_anndata",
]
