"""A program that uses pymodaq_data's savers; run with pymodaq_data's own backends, and with stook's.

It prints what it reads back, so that two runs can be compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from pymodaq_data.data import Axis, DataDistribution, DataRaw, DataToExport
from pymodaq_data.h5modules.browsing import H5BrowserUtil
from pymodaq_data.h5modules.data_saving import (
    DataToExportEnlargeableSaver,
    DataToExportExtendedSaver,
    DataToExportSaver,
    DataToExportTimedSaver,
    DataLoader,
)
from pymodaq_data.h5modules.saving import H5SaverLowLevel


def measured(i: int) -> DataToExport:
    """What two detectors give at one step."""
    axis = Axis("wavelength", "nm", data=np.linspace(400, 500, 16), index=0)
    spectrum = DataRaw("spectrum", data=[np.arange(16.0) + i, np.arange(16.0) * i], axes=[axis],
                       labels=["a", "b"])
    number = DataRaw("number", data=[np.array([float(i)])], labels=["n"])
    image = DataRaw("image", data=[np.full((6, 5), i, "f8")])
    return DataToExport("step", data=[spectrum, number, image])


def show(what: str, array: object) -> None:
    """One line a result."""
    values = np.asarray(array)
    print(what, values.dtype, values.shape, repr(float(np.nansum(values))))


def save(saver: H5SaverLowLevel) -> None:
    """A scan, an enlargeable scan, a logger, a snapshot."""
    scan = saver.add_scan_group(title="scan")
    extended = DataToExportExtendedSaver(saver, extended_shape=(3, 4))
    extended.add_nav_axes(scan, [Axis("x", "um", data=np.arange(3.0), index=0),
                                 Axis("y", "um", data=np.arange(4.0), index=1)])
    for i in range(12):
        extended.add_data(scan, measured(i), indexes=[i // 4, i % 4],
                          distribution=DataDistribution["uniform"])
    growing = saver.add_scan_group(title="growing")
    enlargeable = DataToExportEnlargeableSaver(saver, enl_axis_names=["x", "y"],
                                               enl_axis_units=["um", "um"])
    for i in range(5):
        enlargeable.add_data(growing, measured(i), axis_values=[float(i), 2.0 * i])
    logger = saver.get_set_group(saver.raw_group, "LoggerGroup")
    timed = DataToExportTimedSaver(saver)
    for i in range(4):
        timed.add_data(logger, measured(i))
    snapshot = saver.add_det_group(saver.raw_group, title="snapshot", settings_as_xml="<a/>")
    DataToExportSaver(saver).add_data(snapshot, measured(7))
    saver.add_log("a line")
    saver.flush()


def main(backend: str, folder: Path) -> None:
    path = folder / f"{backend}.h5"
    saver = H5SaverLowLevel(backend=backend)
    saver.init_file(path, new_file=True, metadata={"author": "nobody"})
    save(saver)
    saver.close_file()
    reader = H5SaverLowLevel(backend=backend)
    reader.init_file(path, mode="a")
    loader = DataLoader(reader)
    for node in reader.walk_nodes("/"):
        kind = node.attrs["CLASS"]
        data_type = node.attrs.get("data_type")
        print(node.path, kind, data_type)
        if kind in ("CARRAY", "EARRAY"):
            is_time = "Logger" in node.path and "Axis" in node.name
            show(node.path, node.read() if not is_time else np.shape(node.read()))
        if data_type in ("Data", "EnlData"):
            loaded = loader.load_data(node, load_all=False)
            show(f"{node.path} loaded {len(loaded.axes)} axes", loaded[0])
    print(reader.get_node("/RawData/Logger").read())
    reader.close_file()
    browser = H5BrowserUtil(backend=backend)
    browser.open_file(path)
    number = [n.path for n in browser.walk_nodes("/") if "Number" in n.path or "Data0D" in n.path]
    leaf = next(p for p in number if "Detector" in p and browser.get_node(p).attrs["CLASS"] == "CARRAY")
    browser.export_data(leaf, str(folder / f"{backend}.txt"), "Text files (*.txt)")
    print((folder / f"{backend}.txt").read_text())
    print(browser.get_h5_attributes("/RawData")[0]["author"])
    browser.close_file()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
