"""Files of other programs."""

from __future__ import annotations

import gzip
import os

import numpy as np
import scipy.io
import scipy.sparse
from loompy_api.bodies._data import counts, make, state
from loompy_api.outcomes import differs


def _cellranger(version: int) -> str:
    matrix = scipy.sparse.coo_matrix(counts(6, 4).astype("i4"))
    genes = [(f"ENSG{i}", f"gene{i}", "Gene Expression") for i in range(6)]
    barcodes = [f"ACGT{i}-1" for i in range(4)]
    if version == 2:
        folder = "sample1/outs/filtered_gene_bc_matrices/mm10"
        os.makedirs(folder)
        scipy.io.mmwrite(f"{folder}/matrix.mtx", matrix)
        with open(f"{folder}/genes.tsv", "w") as file:
            file.writelines("\t".join(gene[:2]) + "\n" for gene in genes)
        with open(f"{folder}/barcodes.tsv", "w") as file:
            file.writelines(barcode + "\n" for barcode in barcodes)
    else:
        folder = "sample1/outs/filtered_feature_bc_matrix"
        os.makedirs(folder)
        with gzip.open(f"{folder}/matrix.mtx.gz", "wb") as file:
            scipy.io.mmwrite(file, matrix)
        with gzip.open(f"{folder}/features.tsv.gz", "wt") as file:
            file.writelines("\t".join(gene) + "\n" for gene in genes)
        with gzip.open(f"{folder}/barcodes.tsv.gz", "wt") as file:
            file.writelines(barcode + "\n" for barcode in barcodes)
    tsne = "sample1/outs/analysis/tsne" + ("/2_components" if version == 3 else "")
    os.makedirs(tsne)
    with open(f"{tsne}/projection.csv", "w") as file:
        file.write("Barcode,TSNE-1,TSNE-2\n")
        file.writelines(f"{barcode},{i * 0.5},{-i}\n" for i, barcode in enumerate(barcodes))
    os.makedirs("sample1/outs/analysis/clustering/graphclust")
    with open("sample1/outs/analysis/clustering/graphclust/clusters.csv", "w") as file:
        file.write("Barcode,Cluster\n")
        file.writelines(f"{barcode},{i % 2 + 1}\n" for i, barcode in enumerate(barcodes))
    for name, text in (("_cmdline", "cellranger count\n"), ("_versions", '{\n"a": "3.0"\n}\n')):
        with open(f"sample1/{name}", "w") as file:
            file.write(text)
    return "sample1"


def cellranger_2(loompy):
    path = loompy.create_from_cellranger(_cellranger(2))
    with loompy.connect(path, "r") as ds:
        return [path, state(ds)]


def cellranger_3(loompy):
    os.makedirs("out")
    path = loompy.create_from_cellranger(_cellranger(3), "out", "hg38", {"title": "of ten"})
    with loompy.connect(path, "r") as ds:
        return [path, state(ds)]


def cellranger_that_is_not_there(loompy):
    loompy.create_from_cellranger("nowhere")


def _market(name: str, dtype="i4", seed=0) -> str:
    scipy.io.mmwrite(name, scipy.sparse.coo_matrix(counts(6, 4, seed).astype(dtype)))
    return name


def _metadata(columns: int = 2) -> tuple[str, str]:
    with open("genes.tsv", "w") as file:
        file.writelines("\t".join([f"ENSG{i}", f"gene{i}"][:columns]) + "\n" for i in range(6))
    with open("barcodes.tsv", "w") as file:
        file.writelines(f"cell{i}\n" for i in range(4))
    return "genes.tsv", "barcodes.tsv"


def matrix_market(loompy):
    loompy.create_from_matrix_market("a.loom", "s1", {"": _market("m.mtx")}, *_metadata())
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


@differs("ends of lines are no part of accessions")
def matrix_market_of_layers(loompy):
    paths = {"spliced": _market("s.mtx"), "unspliced": _market("u.mtx", seed=1)}
    loompy.create_from_matrix_market("a.loom", "s1", paths, *_metadata(1), file_attrs={"a": "b"})
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def matrix_market_of_floats_transposed(loompy):
    scipy.io.mmwrite("t.mtx", scipy.sparse.coo_matrix(counts(4, 6) / 3))
    loompy.create_from_matrix_market("a.loom", "s1", {"": "t.mtx"}, *_metadata(),
                                     matrix_transposed=True)
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def _tsv(corner: bool = True, quote: str = "", delimiter: str = "\t") -> str:
    matrix = counts(6, 4)
    with open("m.tsv", "w") as file:
        header = [f"{quote}c{i}{quote}" for i in range(4)]
        file.write(delimiter.join((["gene"] if corner else []) + header) + "\n")
        for i, row in enumerate(matrix):
            file.write(delimiter.join([f"{quote}g{i}{quote}", *map(str, row)]) + "\n")
    return "m.tsv"


def tsv(loompy):
    loompy.create_from_tsv("a.loom", _tsv(), sample_id="s:")
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def tsv_without_a_corner(loompy):
    loompy.create_from_tsv("a.loom", _tsv(False, '"', ","), delim=",", dtype="int32",
                           file_attrs={"title": "of text"})
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def tsv_with_rows_of_a_file(loompy):
    names = np.array(["g5", "g1", "x", "g0"])
    loompy.create("rows.loom", counts(4, 2), {"Gene": names, "Accession": names, "Other": names}, {})
    loompy.create_from_tsv("a.loom", _tsv(), "rows.loom")
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def tsv_with_metadata(loompy):
    with open("cells.tsv", "w") as file:
        file.write("CellID\tKind\n")
        file.writelines(f"c{i}\tkind{i % 2}\n" for i in range(4))
    loompy.create_from_tsv("a.loom", _tsv(), col_metadata_tsv="cells.tsv")
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def _star(newer: bool) -> str:
    for part in ("Velocyto", "Gene"):
        os.makedirs(f"run/Solo.out/{part}/filtered")
    velocyto = "run/Solo.out/Velocyto/filtered"
    with open(f"{velocyto}/features.tsv", "w") as file:
        file.writelines(f"ENSG{i}\tgene{i}\tGene Expression\n" for i in range(6))
    for part, n in (("Velocyto", 4), ("Gene", 3)):
        with open(f"run/Solo.out/{part}/filtered/barcodes.tsv", "w") as file:
            file.writelines(f"AC{i}\n" for i in range(n))
    layers = {name: counts(6, 4, seed).astype(int)
              for seed, name in enumerate(("spliced", "unspliced", "ambiguous"))}
    if newer:
        for name, matrix in layers.items():
            _triplets(f"{velocyto}/{name}.mtx", [matrix])
    else:
        _triplets(f"{velocyto}/matrix.mtx", list(layers.values()))
    _triplets("run/Solo.out/Gene/filtered/matrix.mtx", [counts(6, 3, 5).astype(int)])
    return "run"


def _triplets(path: str, matrices: list) -> None:
    total = sum(matrices)
    at = np.argwhere(total.T)
    with open(path, "w") as file:
        file.write("%%MatrixMarket matrix coordinate integer general\n%\n")
        file.write(f"{total.shape[0]} {total.shape[1]} {len(at)}\n")
        for column, row in at:
            values = " ".join(str(matrix[row, column]) for matrix in matrices)
            file.write(f"{row + 1} {column + 1} {values}\n")


@differs("counts of STARsolo are integers, and stay so")
def star(loompy):
    loompy.create_from_star(_star(True), "a.loom", "s1", file_attrs={"title": "of STAR"})
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


@differs("counts of STARsolo are integers, and stay so")
def star_of_before(loompy):
    loompy.create_from_star(_star(False), "a.loom", "s1")
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


@differs("counts of STARsolo are integers, and stay so")
def star_with_cells_of_genes(loompy):
    loompy.create_from_star(_star(True), "a.loom", "s1", cell_filter="Gene", main_layer="Gene")
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)


def genes_of_a_gtf(loompy):
    with open("genes.gtf", "w") as file:
        file.write("#comment\n")
        file.write('1\tx\tgene\t10\t90\t.\t+\t.\tgene_id "E1"; gene_name "one"; gene_biotype "rna";\n')
        file.write('2\tx\tgene\t5\t9\t.\t-\t.\tgene_id "E2";\n')
    genes = loompy.load_gene_metadata("genes.gtf")
    return [genes, loompy.make_row_attrs_from_gene_metadata("genes.gtf", ["E2", "E1", "no"])]


def samples(loompy):
    with open("samples.tsv", "w") as file:
        file.write("SampleId\tSpecies\nS1\tmouse\nS2\thuman\n")
    return [loompy.load_sample_metadata("samples.tsv", "S2"), make(loompy)]
