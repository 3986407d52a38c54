"""What pytest is told about the marks of the Zarr API's tests."""

from __future__ import annotations

from typing import Any


def pytest_configure(config: Any) -> None:
    """Makes the mark ``gpu`` known."""
    config.addinivalue_line("markers", "gpu: needs a GPU, which this package does not use")
