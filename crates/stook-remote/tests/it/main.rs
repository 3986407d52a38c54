//! Object stores as byte stores: the shared suite, a real S3 server, and faults on the way.

mod suite;
