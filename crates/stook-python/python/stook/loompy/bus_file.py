"""What loompy makes of raw reads by kallisto, which stook does not."""

from __future__ import annotations

from typing import NoReturn

from .._errors import UnsupportedError

__all__ = ["create_from_fastq"]


def create_from_fastq(
    out_file: str,
    sample_id: str,
    fastqs: list[str],
    index_path: str,
    samples_metadata_file: str,
    n_threads: int = 1,
    temp_folder: str | None = None,
    synchronous: bool = False,
) -> NoReturn:
    """Raises :class:`stook.UnsupportedError`: raw reads are aligned by other programs.

    What those write is read by :func:`create_from_star`, :func:`create_from_cellranger` and
    :func:`create_from_matrix_market`.
    """
    raise UnsupportedError(
        "raw reads are not aligned here",
        hint="align them by STARsolo, Cell Ranger or kb-python, and import what those write",
    )


