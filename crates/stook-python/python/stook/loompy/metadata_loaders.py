"""What other files say of genes and samples."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from .._errors import InvalidInputError, MissingFileError

__all__ = [
    "load_gene_metadata",
    "load_sample_metadata",
    "make_row_attrs_from_gene_annotations",
    "make_row_attrs_from_gene_metadata",
]

_TAG = re.compile(r'(gene_biotype|gene_id|gene_name) "([^"]+)"')


class _MissingError(MissingFileError, ValueError):
    """The file does not exist."""


def load_gene_metadata(gtf_file: Any) -> dict[str, dict[str, Any]]:
    """The genes of a GTF file, by their identifiers and by their names."""
    path = _existing(gtf_file)
    found: dict[str, dict[str, Any]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip().split("\t")
            if line.startswith("#") or len(fields) != 9 or fields[2] != "gene":
                continue
            tags = dict(_TAG.findall(fields[8]))
            if "gene_id" not in tags:
                raise InvalidInputError(f"a gene without a gene_id: {line.strip()}", file=str(path))
            name = tags.get("gene_name", tags["gene_id"])
            gene: dict[str, Any] = {
                "Gene": name,
                "Accession": tags["gene_id"],
                "Biotype": tags.get("gene_biotype", "n/a"),
                "Chromosome": fields[0],
                "Start": int(fields[3]),
                "End": int(fields[4]),
            }
            found[str(tags["gene_id"])] = found[str(name)] = gene
    return found


def make_row_attrs_from_gene_annotations(
    acc2annots: dict[str, dict[str, Any]], ordered_features: Iterable[str]
) -> dict[str, np.ndarray]:
    """Attributes of rows, of genes in an order; what is not known of one is filled in."""
    features = list(ordered_features)
    names = list(next(iter(acc2annots.values())))
    found = {name: np.zeros(len(features), dtype=object) for name in names}
    for at, feature in enumerate(features):
        gene = acc2annots.get(feature)
        if gene is None:
            gene = {"Gene": feature, "Accession": feature, "Biotype": "n/a", "Chromosome": "Un",
                    "Start": "0", "End": "0"}  # fmt: skip
        for name in names:
            found[name][at] = gene[name]
    return found


def make_row_attrs_from_gene_metadata(
    gtf_file: Any, ordered_features: Iterable[str]
) -> dict[str, np.ndarray]:
    """Attributes of rows, of the genes of a GTF file in an order."""
    return make_row_attrs_from_gene_annotations(load_gene_metadata(gtf_file), ordered_features)


def load_sample_metadata(path: Any, sample_id: str) -> dict[str, Any]:
    """What a table (text with tabs, or a SQLite database) says of a sample."""
    table = _existing(path)
    if table.suffix == ".db":
        with closing(sqlite3.connect(f"file:{table}?mode=ro", uri=True)) as database:
            cursor = database.execute("SELECT * FROM sample WHERE name = ?", (sample_id,))
            row = cursor.fetchone()
            if row is None:
                raise InvalidInputError(f"SampleID '{sample_id}' was not found in {table}")
            return dict(zip((column[0] for column in cursor.description), row, strict=True))
    lines = table.read_text(encoding="utf-8").splitlines()
    names = lines[0].lower().split("\t") if lines else []
    key = next((key for key in ("sampleid", "name") if key in names), None)
    if key is None:
        raise InvalidInputError(
            "Required column 'SampleID' or 'Name' not found in sample metadata file"
        )
    at, found = names.index(key), None
    for line in lines[1:]:
        items = line.split("\t")
        if len(items) > at and items[at] == sample_id:
            found = dict(zip(names, items, strict=False))
    if found is None:
        raise InvalidInputError(f"SampleID '{sample_id}' not found in sample metadata file")
    return found


def _existing(path: Any) -> Path:
    found = Path(path)
    if not found.exists():
        raise _MissingError("the file does not exist", file=str(path))
    return found
