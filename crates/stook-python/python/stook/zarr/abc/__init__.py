"""The abstract classes that scripts extend: codecs, metadata, stores."""
