//! Reads all of a Zarr array behind a URL, several times, and says how long each took.
//!
//! `cargo run --release -p stook-remote --example read_all -- s3://bucket/array.zarr`

use std::error::Error;
use std::time::Instant;

use stook_core::{Array, Container, NodePath, OpenOptions, Selection};
use stook_zarr::ZarrContainer;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("expected a URL")?;
    for _ in 0..5 {
        let begun = Instant::now();
        let store = stook_remote::open(&url, [], true)?;
        let container = ZarrContainer::open(store, &OpenOptions::read())?;
        let source = container.open_array(&NodePath::root())?;
        let array = Array::new(source, container.location(), NodePath::root());
        let opened = begun.elapsed();
        let values = array.read(&Selection::All)?;
        let (all, n) = (begun.elapsed(), values.items().len());
        eprintln!("opened in {opened:?}, read {n} bytes in {:?}", all - opened);
    }
    Ok(())
}
