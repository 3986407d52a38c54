//! Object stores (S3, Google Cloud, Azure, HTTP) as byte stores.
