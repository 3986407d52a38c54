"""What lies below the public modules, under the paths that scripts import it from."""
