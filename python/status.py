"""Writes docs/status.md: what stook reads and writes, and which test shows it with which peer.

    python python/status.py            writes the page
    python python/status.py --check    fails if the page is not what would be written

Versions come from `constraints.txt` and the manifest of the fixtures, counts from the manifest and
from what `suites/run.py` recorded. A row names its tests; that they exist is tested in
`tests/test_status.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/status.md"
MANIFEST = ROOT / "crates/stook-hdf5/tests/fixtures/matrix/manifest.json"
SUITES = ROOT / "python/suites"
# What a test of another project may be, in the order of columns.
OUTCOMES = ("passed", "failed", "skipped", "xfailed")

MATRIX = "python/tests/test_hdf5_matrix.py::test_read_as_h5py_reads_it"
TO_HDF5 = "python/tests/test_hdf5_matrix.py::test_converted_to_hdf5"
TO_ZARR = "python/tests/test_hdf5_matrix.py::test_converted_to_zarr_and_back"
H5PY_READS = "python/tests/test_peers_read.py::test_h5py_reads_each_dtype_and_layout"
ZARR_2 = "python/tests/test_zarr_matrix.py::test_codecs_of_version_2"
ZARR_3 = "python/tests/test_zarr_matrix.py::test_codecs_of_version_3"

# Section → rows of feature, reads, writes, peers, tests. In `reads` and `writes`: yes, no, or what
# there is of it.
SECTIONS: dict[str, list[tuple[str, str, str, str, list[str]]]] = {
    "HDF5: structure": [
        ("superblocks 0 to 3, sizes of 4 and 8 bytes, user blocks", "yes", "superblock 0, 2 and 3, user blocks",
         "h5py tables",
         [MATRIX, "python/tests/test_peers_read.py::test_the_form_is_one_that_old_readers_know",
          "python/tests/h5compat/test_making.py::test_bytes_before_the_file_are_its_users"]),
        ("structures that are crafted to mislead, with the right checksums", "refused by name, or read", "", "h5py",
         ["python/tests/test_crafted.py::test_crafted_structures_are_refused_or_read"]),
        ("paged files, free space kept, shared messages, deep trees", "yes", "no: written plainly",
         "h5py", [MATRIX, TO_HDF5]),
        ("the order in which names were made (track order)", "yes", "where it is asked for; by conversions no", "h5py",
         [MATRIX, TO_HDF5,
          "python/tests/h5compat/test_making.py::test_groups_list_their_names_in_the_order_that_they_keep"]),
        ("files of a single writer with many readers (SWMR), also unfinished ones", "yes", "no", "h5py", [MATRIX]),
        ("groups of old and new style, 1,500 links", "yes", "yes", "h5py",
         [MATRIX, TO_HDF5, "crates/stook-hdf5/tests/it/tree.rs::thousands_of_nodes_are_listed_fast"]),
        ("hard, soft and external links", "yes; those to other files beside the file", "yes", "h5py",
         [MATRIX, "python/tests/test_h5py.py::test_links",
          "crates/stook-hdf5/tests/it/outside.rs::external_links_are_followed_beside_their_file"]),
        ("attributes in headers and dense ones, over 64 KiB", "yes", "yes", "h5py", [MATRIX, TO_HDF5]),
        ("named datatypes", "of arrays and attributes; the nodes are listed", "by name; by conversions no: a loss", "h5py",
         [MATRIX, TO_HDF5, "python/tests/h5compat/test_types.py::test_named_types"]),
        ("dimension scales", "yes, as names of axes", "yes", "h5py netCDF4 h5netcdf xarray",
         [MATRIX, "crates/stook-hdf5/tests/it/scales.rs::coordinates_of_named_axes_become_their_scales"]),
        ("files in parts (family driver)", "no", "no", "", []),
    ],
    "HDF5: layouts and storage": [
        ("contiguous and compact", "yes", "contiguous", "h5py", [MATRIX, H5PY_READS]),
        ("chunks by B-tree 1 and 2, fixed and extensible array, single, implicit; layout 5", "yes", "B-tree 1",
         "h5py", [MATRIX, H5PY_READS]),
        ("chunks over the edge without filters, chunks that skip filters", "yes", "no", "h5py", [MATRIX]),
        ("null, scalar, zero-length and resizable extents, up to 32 axes", "yes", "yes", "h5py", [MATRIX, TO_HDF5]),
        ("fill values, sparse arrays, arrays that shrank and grew", "yes", "yes", "h5py",
         [MATRIX, TO_HDF5, "python/tests/test_h5py.py::test_fill_values_and_what_was_never_written"]),
        ("external storage", "beside the file", "no", "h5py",
         [MATRIX, "crates/stook-hdf5/tests/it/outside.rs::external_storage_is_read_beside_its_file"]),
        ("virtual datasets", "sources beside the file", "no: become arrays of their own", "h5py",
         [MATRIX, "crates/stook-hdf5/tests/it/outside.rs::virtual_arrays_are_read_from_sources_beside_them"]),
        ("editing files of others in place: nodes, links, attributes, elements, extents", "", "yes", "h5py",
         ["crates/stook-hdf5/tests/it/edit.rs::files_of_others_are_changed_as_h5py_changes_them"]),
    ],
    "HDF5: filters": [
        ("gzip, shuffle, fletcher32, lzf, in any chain", "yes", "yes", "h5py",
         [MATRIX, H5PY_READS]),
        ("szip", "yes", "yes", "h5py", [MATRIX, H5PY_READS]),
        ("n-bit, scale-offset", "yes", "yes, of integers", "h5py",
         [MATRIX, "crates/stook-hdf5/tests/it/filters.rs::numbers_of_few_bits_are_written_by_the_filters_of_the_library"]),
        ("blosc, blosc2, bzip2, bitshuffle, lz4, zstd", "yes", "yes", "hdf5plugin tables",
         [MATRIX, H5PY_READS, "crates/stook-hdf5/tests/it/filters.rs::every_filter_is_written_and_read_by_h5py"]),
        ("zfp", "yes", "yes", "hdf5plugin",
         [MATRIX, "crates/stook-hdf5/tests/it/filters.rs::every_filter_is_written_and_read_by_h5py"]),
        ("sz, sz3, sperr, lzo, others", "no: named in the error", "no", "hdf5plugin", [MATRIX]),
    ],
    "HDF5: datatypes": [
        ("integers of 8 to 64 bits, float16, 32 and 64, both byte orders", "yes", "yes", "h5py tables",
         [MATRIX, H5PY_READS]),
        ("integers and floats of other widths", "yes, as the next wider", "as the next wider", "h5py", [MATRIX]),
        ("bfloat16, floats of 8 bits", "yes", "yes", "h5py", [MATRIX, "python/tests/test_tree.py::test_types_of_ml_dtypes"]),
        ("long double", "yes", "yes", "h5py", [MATRIX, TO_HDF5]),
        ("complex64, complex128: as structs and as libhdf5 2 has them", "yes", "as structs", "h5py",
         [MATRIX, H5PY_READS]),
        ("bool, enumerations, bitfields, opaque bytes, numpy's times", "yes", "yes", "h5py", [MATRIX, TO_HDF5]),
        ("text of fixed and varying length, ASCII and UTF-8, all paddings", "yes", "yes", "h5py",
         [MATRIX, "python/tests/test_peers_read.py::test_h5py_reads_what_varies_in_length"]),
        ("sequences, also of text and structs", "yes", "yes", "h5py",
         [MATRIX, "python/tests/test_peers_read.py::test_h5py_reads_what_varies_in_length"]),
        ("structs: nested, padded, with arrays, text, sequences, mixed byte orders", "yes", "yes", "h5py",
         [MATRIX, TO_HDF5]),
        ("references to regions", "yes, as path and index", "yes", "h5py", [MATRIX, TO_HDF5]),
        ("items that are arrays", "yes", "kept by conversions", "h5py", [MATRIX, TO_HDF5]),
        ("times, integers and floats that nothing else has", "as bytes", "kept by conversions", "h5py tables",
         [MATRIX, "python/tests/test_peers_read.py::test_pytables_reads_its_own_after_a_conversion",
          "crates/stook-hdf5/src/ffi/kept.rs::a_type_comes_back_from_its_tag"]),
        ("complex long double", "as a struct of its parts", "as a struct of its parts", "h5py", [MATRIX]),
        ("references of HDF5 1.12 (`H5T_STD_REF`)", "no", "no", "", []),
        ("references to objects", "yes, as paths", "yes", "h5py",
         [MATRIX, "crates/stook-hdf5/tests/it/attributes.rs::references_may_be_written_before_what_they_name"]),
    ],
    "Conventions on HDF5": [
        ("PyTables: Array, CArray, EArray, VLArray, Table, nested, indexed, links", "yes", "kept by conversions", "tables",
         [MATRIX, "python/tests/test_peers_read.py::test_pytables_reads_its_own_after_a_conversion",
          "crates/stook-hdf5/tests/it/edit.rs::tables_of_pytables_stay_whole"]),
        ("pandas 2 and 3, fixed and table", "yes", "kept by conversions", "pandas",
         [MATRIX, "python/tests/test_peers_read.py::test_pandas_reads_its_own_after_a_conversion"]),
        ("netCDF-4", "yes", "kept by conversions", "netCDF4 h5netcdf xarray", [MATRIX, TO_HDF5]),
        ("h5ad", "yes", "kept by conversions", "anndata", [MATRIX, TO_HDF5, "python/tests/test_samples.py"]),
        ("Loom", "yes", "kept by conversions", "loompy", [MATRIX, TO_HDF5]),
        ("sessions of larray", "yes", "kept by conversions", "larray", [MATRIX, TO_HDF5]),
        ("files of pymodaq_data", "yes", "kept by conversions", "pymodaq_data", [MATRIX, TO_HDF5]),
        ("MATLAB 7.3, Keras, NeXus, NWB, 10x: files laid out alike", "yes", "kept by conversions", "h5py", [MATRIX, TO_HDF5]),
    ],
    "Zarr": [
        ("version 2: each dtype, order, codec and filter of zarr-python", "yes", "yes", "zarr numcodecs tensorstore",
         [ZARR_2, "python/tests/test_peers_read.py::test_zarr_python_and_tensorstore_read_version_2"]),
        ("version 3: each dtype and codec of zarr-python", "yes", "yes", "zarr numcodecs tensorstore",
         [ZARR_3, "python/tests/test_peers_read.py::test_zarr_python_and_tensorstore_read_version_3"]),
        ("layouts: chunk keys, shards, shapes, orders", "yes", "yes", "zarr", ["python/tests/test_zarr_matrix.py::test_layouts"]),
        ("fill values", "yes", "yes", "zarr", ["python/tests/test_zarr_matrix.py::test_fill_values"]),
        ("consolidated metadata, zip archives", "yes", "yes", "zarr",
         ["python/tests/test_zarr.py::test_consolidated_metadata_and_deep_trees"]),
        ("HDF5 to Zarr 3 and back", "", "values and dtypes; what Zarr cannot hold is reported", "h5py", [TO_ZARR]),
    ],
    "Zarr from several processes": [
        ("dask: from_zarr, to_zarr, regions, store; local and S3", "yes", "yes", "dask",
         ["python/tests/test_distributed.py::test_dask_writes_and_reads"]),
        ("xarray: open_zarr, to_zarr, regions, append_dim, safe_chunks; local and S3", "yes", "yes", "xarray",
         ["python/tests/test_distributed.py::test_xarray_writes_regions_and_appends"]),
        ("dask.distributed: two processes write one array on S3", "yes", "yes", "distributed",
         ["python/tests/test_distributed.py::test_two_processes_of_dask_write_one_array"]),
        ("icechunk: two processes write in one transaction on S3", "yes", "yes", "icechunk",
         ["python/tests/test_distributed.py::test_icechunk_commits_what_two_processes_wrote"]),
        ("parts of a chunk written to a store that does not guard them", "", "yes, with a warning", "",
         ["python/tests/test_distributed.py::test_a_process_that_was_given_an_array_is_warned_of_writing_parts"]),
    ],
    "Sessions": [
        ("onedata files: arrays, recipes, objects of numpy 1 and 2", "yes", "yes, recipes byte for byte", "numpy",
         ["python/tests/vranalysis_api/test_bytes.py::test_arrays_are_written_as_numpy_writes_them_and_come_back",
          "python/tests/vranalysis_api/test_bytes.py::test_recipes_are_written_as_numpy_1_writes_them",
          "crates/stook-onedata/tests/it/files.rs::recipes_of_every_numpy_are_read_and_written_byte_for_byte"]),
        ("sparse matrices by columns (csc)", "yes, columns alone", "stored, deflated", "scipy",
         ["python/tests/vranalysis_api/test_bytes.py::test_sparse_matrices_go_to_scipy_and_back",
          "python/tests/vranalysis_api/test_catalogue.py::test_columns_are_loaded_alone"]),
        ("checksums of saved files", "yes", "yes", "",
         ["python/tests/vranalysis_api/test_catalogue.py::test_checksums_are_those_of_sha256sum",
          "crates/stook-onedata/tests/it/killed.rs::killed_savers_leave_the_old_or_the_new",
          "python/tests/vranalysis_api/test_full_disk.py::test_a_full_disk_leaves_what_was_saved"]),
        ("a session in one Zarr or HDF5 file, in the place of its folder", "yes", "yes", "",
         ["crates/stook-onedata/tests/it/packed.rs::a_folder_goes_into_one_file_and_back_byte_for_byte",
          "python/tests/vranalysis_api/test_catalogue.py::test_a_session_may_lie_in_one_file",
          "python/tests/vranalysis_api/test_catalogue.py::test_sessions_in_one_file_are_found_and_loaded"]),
        ("a catalogue of sessions: queries, tags, fields", "yes", "yes", "",
         ["crates/stook-onedata/tests/it/catalogue.rs::sessions_in_one_file_are_found_and_known",
          "python/tests/vranalysis_api/test_catalogue.py::test_sessions_are_found_by_what_they_are_and_what_people_say",
          "crates/stook-onedata/tests/it/catalogue.rs::conditions_choose_and_what_people_say_survives",
          "crates/stook-onedata/tests/it/catalogue.rs::what_is_no_catalogue_is_left_as_it_is"]),
        ("the names of ALF, qualities, and tables for ONE-api", "yes", "yes", "ONE-api",
         ["python/tests/vranalysis_api/test_catalogue.py::test_datasets_have_a_quality",
          "python/tests/vranalysis_api/test_catalogue.py::test_one_api_reads_the_tables",
          "crates/stook-onedata/tests/it/alf.rs::datasets_are_listed_and_objects_loaded_with_their_recipes"]),
        ("suite2p's output by recipes: `S2P`, `roiPosition`", "yes", "no", "numpy",
         ["python/tests/vranalysis_api/test_base.py::test_suite2p",
          "crates/stook-onedata/tests/it/suite2p.rs::planes_are_joined_and_trimmed"]),
    ],
    "Acquisitions": [
        ("pymodaq_data's `backends` on its files of PyTables and h5py", "yes", "yes", "pymodaq_data tables h5py",
         ["python/tests/pymodaq_api/test_backends.py::test_arrays_that_grow",
          "python/tests/pymodaq_api/test_files.py::test_files_hold_the_same_whoever_wrote_and_reads_them",
          "python/tests/pymodaq_api/test_files.py::test_pytables_opens_every_node_as_what_it_is",
          "python/tests/pymodaq_api/test_files.py::test_h5dump_reads_every_node"]),
        ("pymodaq_data's savers, exporters and browser on `stook.pymodaq`", "yes", "yes", "pymodaq_data",
         ["python/tests/pymodaq_api/test_dropin.py::test_savers_write_and_read_a_scan_a_logger_and_an_export"]),
        ("the same tree on Zarr", "yes", "yes", "",
         ["python/tests/pymodaq_api/test_defects.py::test_an_acquisition_goes_to_zarr"]),
        ("small arrays made in one piece, and trees read, without the library", "yes", "yes", "",
         ["crates/stook-hdf5/tests/it/native.rs::trees_are_as_the_library_reads_them",
          "crates/stook-hdf5/tests/it/native.rs::arrays_in_one_piece_are_as_the_library_makes_them",
          "crates/stook-hdf5/tests/it/native.rs::arrays_in_one_piece_are_there_after_each_commit",
          "crates/stook-hdf5/tests/it/young.rs::groups_are_as_the_library_reads_them",
          "crates/stook-hdf5/tests/it/young.rs::commits_have_what_waits"]),
    ],
    "npy and npz": [
        ("each dtype, order and version of the header", "yes", "yes", "numpy",
         ["python/tests/test_numpy.py::test_npy_that_numpy_wrote",
          "python/tests/test_peers_read.py::test_numpy_reads_npy_and_npz"]),
        ("arrays of objects: pickles read as data, never run", "yes", "yes", "numpy",
         ["crates/stook-npy/tests/it/pickle.rs::what_would_run_is_refused_by_name",
          "crates/stook-npy/tests/it/pickle.rs::objects_are_written_as_numpy_reads_them"]),
        ("sparse matrices: csr, csc, coo, bsr, dia", "yes", "yes", "scipy",
         ["crates/stook-npy/tests/it/sparse.rs::every_layout_of_scipy_is_read",
          "python/tests/test_peers_read.py::test_scipy_reads_its_own_after_a_conversion"]),
    ],
    "Codecs on their own": [
        ("each codec of numcodecs, on buffers", "yes", "yes", "numcodecs",
         ["python/tests/test_codecs.py::test_either_decodes_what_the_other_encoded"]),
    ],
    "The command": [
        ("tree, info, cat of any selection as table, csv, json, npy", "yes", "", "numpy",
         ["crates/stook-cli/tests/it/cat.rs::csv_is_what_spreadsheets_read", "crates/stook-cli/tests/it/cat.rs::npy_goes_through_a_pipe"]),
        ("diff, check", "yes", "", "",
         ["crates/stook-cli/tests/it/diff.rs::differences_are_told_node_by_node",
          "crates/stook-cli/tests/it/check.rs::a_reader_that_hangs_is_ended"]),
        ("tail, monitor of files that grow", "yes", "", "h5py",
         ["crates/stook-cli/tests/it/live.rs::rows_are_printed_as_a_writer_flushes_them",
          "crates/stook-cli/tests/it/live.rs::a_writer_of_h5py_with_swmr_is_followed"]),
        ("convert, rm, mv, ln, attr", "", "yes", "",
         ["crates/stook-cli/tests/it/convert.rs::every_format_becomes_every_other",
          "crates/stook-cli/tests/it/edit.rs::types_of_attributes_are_kept_where_the_format_has_types"]),
    ],
    "Loom": [
        ("loompy's API: `stook.loompy`, on HDF5 and Zarr", "yes", "yes", "loompy",
         ["python/tests/loompy_api/test_same.py::test_as_with_loompy",
          "python/tests/loompy_api/test_surface.py::test_signatures_are_the_same",
          "python/tests/loompy_api/test_interop.py::test_one_api_on_every_container"]),
        ("files of loompy 3.0.8, and files that it reads and edits", "yes", "yes", "loompy",
         ["python/tests/loompy_api/test_interop.py::test_loompy_reads_what_is_written_here",
          "python/tests/loompy_api/test_interop.py::test_loompy_edits_what_is_written_here"]),
        ("versions 0.1 to 3.0.0 of the specification", "yes", "version 3; others in their form", "loompy h5py",
         ["python/tests/loompy_api/test_interop.py::test_files_of_older_versions_are_read_and_changed_in_their_form"]),
        ("files of tools of R: enumerations, compounds, floats for nodes", "yes", "mended by `repair`", "h5py",
         ["python/tests/loompy_api/test_interop.py::test_files_of_other_writers_open_are_told_and_mended"]),
        ("anndata's `read_loom` and `write_loom`", "yes", "yes", "anndata",
         ["python/tests/loompy_api/test_anndata.py::test_what_anndata_writes_and_reads_is_the_same"]),
    ],
    "Labelled arrays": [
        ("larray's API: `stook.larray`", "", "", "larray",
         ["python/tests/larray_api/test_same.py::test_as_with_larray",
          "python/tests/larray_api/test_surface.py::test_signatures_are_the_same"]),
        ("sessions in Zarr, Arrow and Parquet: all that they hold, in its order", "yes", "yes", "pyarrow",
         ["python/tests/larray_api/test_tables.py::test_everything_comes_back_in_its_order",
          "python/tests/larray_api/test_tables.py::test_pyarrow_and_pandas_read_the_tables",
          "python/tests/larray_api/test_tables.py::test_tables_of_others_are_arrays"]),
        ("Excel workbooks, also narrow ones and of larray's merged cells", "yes", "yes", "larray",
         ["python/tests/larray_api/test_tables.py::test_sheets_of_larray_are_read",
          "python/tests/larray_api/test_tables.py::test_workbooks_keep_everything_with_a_sidecar"]),
        ("sessions in folders of text, HDF5 and pickles", "yes", "yes", "larray",
         ["python/tests/larray_api/test_files.py::test_text_keeps_every_number",
          "python/tests/larray_api/test_stores.py::test_larray_loads_what_is_saved_here",
          "python/tests/larray_api/test_stores.py::test_what_larray_saves_is_loaded_here"]),
    ],
    "Python": [
        ("arrays and groups: indexing as numpy's, `out=`, no copies, other threads run", "yes", "yes", "numpy",
         ["python/tests/test_indexing.py", "python/tests/test_memory.py::test_other_threads_run_meanwhile"]),
        ("h5py's API: `stook.h5compat`, on HDF5 and Zarr", "yes", "yes", "h5py",
         ["python/tests/h5compat/test_selection.py", "python/tests/h5compat/test_tree.py", "python/tests/h5compat/test_types.py",
          "python/tests/h5compat/test_containers.py"]),
        ("forks, pools, pickling by reference, Ctrl-C", "yes", "yes", "",
         ["python/tests/test_processes.py::test_pools_take_arrays", "python/tests/test_processes.py::test_ctrl_c_ends_long_work"]),
    ],
}


def page() -> str:
    manifest = json.loads(MANIFEST.read_text())
    versions = known_versions(manifest)
    files = manifest["files"].values()
    total = {what: sum(file[what] for file in files) for what in ("datasets", "attributes")}
    lines = [
        "# What is read and written, and what shows it",
        "",
        "Written by `python/status.py`; change the rows there. A peer is the library that wrote what is",
        "read, or read what was written, in the tests that a row names.",
        "",
        f"The HDF5 matrix is {len(files)} files with {total['datasets']:,} datasets and"
        f" {total['attributes']:,} attributes; its [manifest]({link(str(MANIFEST.relative_to(ROOT)))}) says"
        " what made each. Each is read as h5py reads it, converted to HDF5, and to Zarr 3 and back.",
    ]
    for section, rows in SECTIONS.items():
        lines += ["", f"## {section}", "", "| | reads | writes | peers | tests |", "|---|---|---|---|---|"]
        for feature, reads, writes, peers, tests in rows:
            named = ", ".join(f"{peer} {versions[peer]}" for peer in peers.split())
            links = ", ".join(f"[{short(test)}]({link(test.partition('::')[0])})" for test in tests)
            lines.append(f"| {feature} | {reads or '–'} | {writes or '–'} | {named or '–'} | {links or '–'} |")
    return "\n".join(lines + suites(versions) + suite_of_h5py(versions)) + "\n"


def suites(versions: dict[str, str]) -> list[str]:
    """How the Zarr tests of other projects end, and why some fail."""
    counts = json.loads((SUITES / "counts.json").read_text())
    groups = tomllib.loads((SUITES / "expected.toml").read_text())["expected"]
    lines = [
        "",
        "## Zarr tests of other projects",
        "",
        f"[python/suites/run.py]({link('python/suites/run.py')}) runs them, unchanged, over `stook.zarr` that"
        " lends its name to",
        f"`zarr`, and over zarr-python {versions['zarr']}, in one environment. A test that a project expects to"
        " fail is",
        "“xfailed”.",
        "",
        "| suite | over | " + " | ".join(OUTCOMES) + " |",
        "|---|---|" + "---|" * len(OUTCOMES),
    ]
    for suite, packages in counts.items():
        for package, name in (("zarr", "zarr-python"), ("stook", "`stook.zarr`")):
            found = " | ".join(f"{packages[package].get(outcome, 0):,}" for outcome in OUTCOMES)
            lines.append(f"| {suite} {versions[suite]} | {name} | {found} |")
    lines += ["", "What fails over `stook.zarr`, with the reasons:", ""]
    for group in groups:
        n, reason = len(group["tests"]), " ".join(group["reason"].split())
        lines.append(f"- {group['suite']}, {n} test{'s' * (n > 1)}: {reason}.")
    return lines


def suite_of_h5py(versions: dict[str, str]) -> list[str]:
    """How h5py's own tests end, and why some fail."""
    known = json.loads((SUITES / "h5py_counts.json").read_text())
    counts = known["counts"]
    lines = [
        "",
        "## h5py's own tests",
        "",
        f"[python/suites/h5py_suite.py]({link('python/suites/h5py_suite.py')}) runs those that h5py"
        f" {versions['h5py']} ships, but for the files that test its",
        f"low-level modules, over `stook.h5compat` that lends its name to `h5py`: {counts['passed']:,} pass,"
        f" {counts['failed']:,} fail,",
        f"{counts.get('skipped', 0):,} are skipped. What fails:",
        "",
    ]
    return lines + [f"- {n:,}: {reason}." for reason, n in known["reasons"].items()]


def known_versions(manifest: dict) -> dict[str, str]:
    """Versions of peers: of the tests' environment and of the fixtures' environments."""
    found: dict[str, list[str]] = {}
    for environment in manifest["environments"].values():
        for tool, version in environment.items():
            found.setdefault(tool, []).append(version)
    pinned = re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "python/constraints.txt").read_text(), re.M)
    # It lives in an environment apart.
    of_one = (ROOT / "python/requirements-one.txt").read_text()
    pinned += re.findall(r"^(ONE-api|pyarrow)==(\S+)$", of_one, re.M)
    for tool, version in pinned:
        found.setdefault(tool, []).append(version)
    return {tool: " and ".join(sorted(set(versions))) for tool, versions in found.items()}


def short(test: str) -> str:
    file, _, name = test.partition("::")
    return f"`{name or Path(file).name}`"


def link(path: str) -> str:
    return f"../{path}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        return PAGE.read_text() != page()
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
