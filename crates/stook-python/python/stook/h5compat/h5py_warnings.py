"""Warnings, under the name that h5py has for them."""


class H5pyWarning(UserWarning):
    """A warning of this package."""


class H5pyDeprecationWarning(H5pyWarning):
    """What will go some day."""
