"""The version of the peer whose API this is, and that of the specification of new files."""

__version__ = "3.0.8"
loom_spec_version = "3.0.0"
