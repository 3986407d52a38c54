"""Files made of what other programs write."""

from __future__ import annotations

import os
from typing import Any

from .._errors import UnsupportedError
from .._stook import Loom
from ._creating import _expanded, _file_attributes, connect
from .metadata_loaders import load_sample_metadata, make_row_attrs_from_gene_metadata

Path = str | os.PathLike[str]

#: What STARsolo counts, besides spliced and unspliced molecules.
_FEATURES = ("Gene", "GeneFull", "GeneFull_ExonOverIntron", "GeneFull_Ex50pAS")


def create_from_cellranger(
    indir: Path,
    outdir: Path | None = None,
    genome: str | None = None,
    file_attrs: dict[str, Any] | None = None,
    selected_cellids: list[str] | None = None,
) -> str:
    """Makes ``<sample>.loom`` of the folder that Cell Ranger 2 or 3 wrote, the one with ``outs``.

    Returns
    -------
    str
        The path of the new file, in ``outdir`` or in the folder.
    """
    what = {"folder": os.fspath(indir), "genome": genome}
    to = None if outdir is None else os.fspath(outdir)
    Loom.import_from("cellranger", to, what, _file_attributes(file_attrs))
    sample = os.path.split(os.path.abspath(indir))[-1]
    path = os.path.join(os.fspath(indir) if to is None else to, f"{sample}.loom")
    if selected_cellids is not None:
        wanted = set(selected_cellids)
        with connect(path) as ds:
            ds.keep(cols=[cell in wanted for cell in ds.ca.CellID])
    return path


def create_from_10x(
    filename: Path,
    path: Path,
    *,
    sample_id: str = "",
    genome: str | None = None,
    file_attrs: dict[str, Any] | None = None,
) -> None:
    """Makes a file of the matrix of 10x Genomics at ``path``: a HDF5 file (of Cell Ranger 2, 3 and
    later), or a folder of ``matrix.mtx``, ``barcodes.tsv`` and ``features.tsv``, compressed or
    not."""
    of = "10x folder" if os.path.isdir(path) else "10x file"
    prefix = f"{sample_id}:" if sample_id else ""
    what = {"path": os.fspath(path), "prefix": prefix, "genome": genome}
    Loom.import_from(of, _expanded(filename), what, _file_attributes(file_attrs))


def create_from_matrix_market(
    out_file: Path,
    sample_id: str,
    layer_paths: dict[str, Path],
    row_metadata_path: Path,
    column_metadata_path: Path,
    delim: str = "\t",
    skip_row_headers: bool = False,
    skip_colums_headers: bool = False,
    file_attrs: dict[str, Any] | None = None,
    matrix_transposed: bool = False,
) -> None:
    """Makes a file of matrices in Matrix Market's format, compressed or not.

    ``layer_paths`` has their paths by the names of layers; without the main one (``""``), that is
    the sum of all. The tables of rows and columns have a line for each; of rows, accessions and
    genes.
    """
    what = {
        "layers": [(name, os.fspath(path)) for name, path in layer_paths.items()],
        "rows": os.fspath(row_metadata_path),
        "columns": os.fspath(column_metadata_path),
        "sample": sample_id,
        "delimiter": delim,
        "row_head": skip_row_headers,
        "column_head": skip_colums_headers,
        "transposed": matrix_transposed,
    }
    Loom.import_from("matrix market", _expanded(out_file), what, _file_attributes(file_attrs))


def create_from_tsv(
    out_file: Path,
    tsv_file: Path,
    row_metadata_loomfile: Path | None = None,
    row_metadata_attr: str = "Accession",
    delim: str = "\t",
    dtype: str = "float32",
    sample_id: str = "",
    file_attrs: dict[str, Any] | None = None,
    col_metadata_tsv: Path | None = None,
    metadata_delim: str = "\t",
) -> None:
    """Makes a file of a table of text, compressed or not: a line a gene, below a head of cells.

    ``row_metadata_loomfile`` is a file whose genes, in their order, the new one has;
    ``col_metadata_tsv`` a table of the cells in their order, their names first, below a head.
    """
    like, cells = row_metadata_loomfile, col_metadata_tsv
    what = {
        "path": os.fspath(tsv_file),
        "delimiter": delim,
        "dtype": dtype,
        "prefix": sample_id,
        "like": None if like is None else (os.fspath(like), row_metadata_attr),
        "cells": None if cells is None else (os.fspath(cells), metadata_delim),
    }
    Loom.import_from("tsv", _expanded(out_file), what, _file_attributes(file_attrs))


def create_from_star(
    indir: Path,
    outfile: Path,
    sample_id: str,
    cell_filter: str = "star",
    expected_n_cells: int = 0,
    min_total_umis: int = 0,
    ambient_pthreshold: float = 1.0,
    sample_metadata_file: Path | None = None,
    gtf_file: Path | None = None,
    main_layer: str = "velosum",
    extra_layers: list[str] | None = None,
    file_attrs: dict[str, Any] | None = None,
) -> None:
    """Makes a file of what STARsolo wrote, the folder with ``Solo.out``.

    ``cell_filter`` says whose cells: ``star``, ``none`` (all), ``combine`` (those of any layer), or
    those of a feature (``Gene``, ``GeneFull``, ...). ``main_layer`` is a feature, or ``velosum``:
    spliced, unspliced and ambiguous molecules together.
    """
    if cell_filter == "emptydrops":
        raise UnsupportedError(
            "cells are not called while STARsolo's output is read",
            hint="cell_filter='none', then call_cells on the layer, and LoomConnection.keep",
        )
    what = {
        "folder": os.fspath(indir),
        "sample": sample_id,
        "cells": cell_filter if cell_filter in ("none", "combine", *_FEATURES) else "star",
        "main": None if main_layer == "velosum" else main_layer,
        "layers": list(extra_layers or ()),
    }
    path = _expanded(outfile)
    Loom.import_from("star", path, what, _file_attributes(file_attrs))
    if sample_metadata_file is None and gtf_file is None:
        return
    with connect(path) as ds:
        if gtf_file is not None:
            rows = make_row_attrs_from_gene_metadata(gtf_file, ds.ra.Accession)
            for name, values in rows.items():
                ds.ra[name] = values
        if sample_metadata_file is not None:
            for name, value in load_sample_metadata(sample_metadata_file, sample_id).items():
                ds.ca[name] = [value] * ds.shape[1]


def to_anndata(filename: Path, output_file: Path) -> list[str]:
    """Writes a Loom file as AnnData: ``.h5ad``, or ``.zarr``.

    What came from AnnData goes back as it was. The names of what no longer fits the file, because
    rows or columns were added or removed since, are returned.
    """
    return Loom.to_anndata(os.fspath(filename), os.fspath(output_file))


def from_anndata(path: Path, filename: Path) -> None:
    """Makes a Loom file of AnnData: ``.h5ad``, or ``.zarr``."""
    Loom.from_anndata(os.fspath(path), _expanded(filename))
