"""Loom files: :mod:`stook.loompy` has the names, signatures and behaviour of loompy 3.0.8, over HDF5
files that loompy and R read, and over Zarr.

``python -m stook.compat loompy -- script.py`` runs a script whose ``import loompy`` finds this.

>>> from stook import loompy
>>> path = str(getfixture("tmp_path") / "cells.loom")
>>> matrix = np.arange(12).reshape(3, 4)
>>> loompy.create(path, matrix, {"Gene": ["a", "b", "c"]}, {"Age": [3, 1, 2, 5]})
>>> with loompy.connect(path) as ds:
...     ds[1, :], ds.ra.Gene[ds[:, 0] > 3], ds.map([np.mean], axis=1)
(array([4, 5, 6, 7]), array(['b', 'c'], dtype=object), [array([4., 5., 6., 7.])])
"""

from ._version import __version__, loom_spec_version
from .attribute_manager import AttributeManager
from .bus_file import create_from_fastq
from .cell_calling import call_cells
from .global_attribute_manager import GlobalAttributeManager
from .graph_manager import GraphManager
from .layer_manager import LayerManager
from .loom_layer import LoomLayer, MemoryLoomLayer
from .loom_validator import LoomValidator
from .loom_view import LoomView
from .loompy import (
    LoomConnection,
    combine,
    combine_faster,
    compact,
    connect,
    create,
    create_append,
    create_from_10x,
    create_from_cellranger,
    create_from_matrix_market,
    create_from_star,
    create_from_tsv,
    from_anndata,
    new,
    repair,
    to_anndata,
)
from .metadata_loaders import (
    load_gene_metadata,
    load_sample_metadata,
    make_row_attrs_from_gene_annotations,
    make_row_attrs_from_gene_metadata,
)
from .normalize import materialize_attr_values, normalize_attr_values
from .to_html import to_html
from .utils import compare_loom_spec_version, deprecated, get_loom_spec_version, timestamp
from .view_manager import ViewManager

__all__ = [
    "AttributeManager",
    "GlobalAttributeManager",
    "GraphManager",
    "LayerManager",
    "LoomConnection",
    "LoomLayer",
    "LoomValidator",
    "LoomView",
    "MemoryLoomLayer",
    "ViewManager",
    "__version__",
    "call_cells",
    "combine",
    "combine_faster",
    "compact",
    "compare_loom_spec_version",
    "connect",
    "create",
    "create_append",
    "create_from_10x",
    "create_from_cellranger",
    "create_from_fastq",
    "create_from_matrix_market",
    "create_from_star",
    "create_from_tsv",
    "deprecated",
    "from_anndata",
    "get_loom_spec_version",
    "load_gene_metadata",
    "load_sample_metadata",
    "loom_spec_version",
    "make_row_attrs_from_gene_annotations",
    "make_row_attrs_from_gene_metadata",
    "materialize_attr_values",
    "new",
    "normalize_attr_values",
    "repair",
    "timestamp",
    "to_anndata",
    "to_html",
]
