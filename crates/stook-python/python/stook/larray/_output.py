"""Arrays to pandas and to files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stook.larray._warn import warn

if TYPE_CHECKING:
    from stook.larray._array import Array


class Output:
    """What turns an array into something else."""

    __slots__ = ()

    def to_series(self: Array, name: Any = None, dropna: Any = False) -> Any:  # type: ignore[misc]
        """A series of pandas with a level for each axis.

        :param dropna: whether NaN is left out
        """
        from stook.larray import _pandas

        return _pandas.to_series(self, name, dropna)

    def to_frame(self: Array, fold_last_axis_name: bool = False, dropna: Any = None, ncolaxes: int = 1) -> Any:  # type: ignore[misc]
        """A data frame of pandas, whose columns are the labels of the last axes.

        :param fold_last_axis_name: whether the name of the last axis is put behind that of the one before
        :param dropna: ``"all"`` or ``"any"``: rows that are left out for NaN
        :param ncolaxes: how many axes are columns
        """
        from stook.larray import _pandas

        return _pandas.to_frame(self, fold_last_axis_name, dropna, ncolaxes)

    def to_xarray(self: Array, name: Any = None) -> Any:  # type: ignore[misc]
        """A ``DataArray`` of xarray with a dimension for each axis; elements are not copied."""
        from stook.larray import _xarray

        return _xarray.to_xarray(self, name)

    @property
    def series(self: Array) -> Any:  # type: ignore[misc]
        """The array as a series of pandas."""
        return self.to_series()

    @property
    def df(self: Array) -> Any:  # type: ignore[misc]
        """The array as a data frame of pandas."""
        return self.to_frame()

    def to_csv(self: Array, filepath: Any, sep: str = ",", na_rep: str = "", wide: bool = True,  # type: ignore[misc]
               value_name: str = "value", dropna: Any = None, dialect: str = "default", **kwargs: Any) -> None:
        """Writes the array as text: a row for each combination of all labels but those of the last axis.

        :param wide: whether the labels of the last axis are columns; else each element has a row
        :param dialect: ``"default"``, or ``"classic"`` for a heading without the name of the last axis
        """
        from stook.larray import _io

        if "transpose" in kwargs:
            wide = bool(kwargs.pop("transpose"))
            warn(f"The transpose={wide} keyword is deprecated, use wide={wide} instead")
        _io.write_csv(self, filepath, sep, na_rep, wide, value_name, dropna, dialect, kwargs)

    def to_excel(self: Array, filepath: Any = None, sheet: Any = None, position: str = "A1",  # type: ignore[misc]
                 overwrite_file: bool = False, clear_sheet: bool = False, header: bool = True,
                 transpose: bool = False, wide: bool = True, value_name: str = "value", engine: Any = None,
                 *args: Any, **kwargs: Any) -> None:
        """Writes the array to a sheet of a workbook."""
        from stook.larray import _io

        _io.write_excel(self, filepath, sheet, position, overwrite_file, header, transpose, wide, value_name, engine)

    def to_hdf(self: Array, filepath: Any, key: str) -> None:  # type: ignore[misc]
        """Writes the array to a file of HDF5, under a name."""
        from stook.larray import _io

        _io.write_hdf(self, filepath, key)

    def to_stata(self: Array, filepath_or_buffer: Any, **kwargs: Any) -> None:  # type: ignore[misc]
        """Writes the array as a file of Stata, through pandas."""
        self.to_frame().to_stata(filepath_or_buffer, **kwargs)

    def to_clipboard(self: Array, *args: Any, **kwargs: Any) -> None:  # type: ignore[misc]
        """Copies the array, through pandas."""
        self.to_frame().to_clipboard(*args, **kwargs)

    @property
    def plot(self: Array) -> Any:  # type: ignore[misc]
        """The plots of pandas: of the array's frame, or of its series where it has one axis."""
        return self.series.plot if self.ndim == 1 else self.df.plot
