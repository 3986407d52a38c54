//! Tasks behind S3: the asynchronous API of zarrs over `object_store`.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::prefix::PrefixStore;
use stook_bench::{Data, Kind, Prepared, Result, Task};
use tokio::runtime::Runtime;
use zarrs::array::{Array, ArraySubset};
use zarrs::group::Group;
use zarrs_object_store::AsyncObjectStore;

/// Requests under way at once, as many as the others are told.
const CONCURRENT: usize = 64;

type Store = AsyncObjectStore<PrefixStore<AmazonS3>>;

/// Tasks on a store that is there already; an array is opened as in the other tasks.
pub(super) fn prepare(task: Task) -> Result<Prepared> {
    zarrs::config::global_config_mut().set_codec_concurrent_target(CONCURRENT);
    let runtime = Arc::new(Runtime::new()?);
    let store = store(&task)?;
    let open = {
        let (runtime, store) = (Arc::clone(&runtime), Arc::clone(&store));
        move || runtime.block_on(Array::async_open(Arc::clone(&store), "/"))
    };
    match task.kind {
        Kind::Read => {
            let (array, mut call) = (open()?, 0);
            Ok(Prepared::new(move || {
                let subset = super::subset(&task, call)?;
                call += 1;
                Ok(Data::F32(runtime.block_on(array.async_retrieve_array_subset(&subset))?))
            }))
        }
        Kind::Open => Ok(Prepared::new(move || Ok(Data::Count(open()?.shape().iter().product())))),
        Kind::WriteZarr => {
            let Data::F32(items) = Data::load(&task.data, &task.dtype)? else {
                return Err("expected float32".into());
            };
            let subset = ArraySubset::new_with_shape(task.shape.clone());
            Ok(Prepared::with_reset(
                move || task.start_over(),
                move || {
                    let array = open()?;
                    runtime.block_on(array.async_store_array_subset(&subset, items.as_slice()))?;
                    Ok(Data::Count(subset.num_elements()))
                },
            ))
        }
        Kind::ListArrays => Ok(Prepared::new(move || {
            let arrays = runtime.block_on(async {
                let group = Group::async_open(Arc::clone(&store), "/").await?;
                Ok::<_, Box<dyn std::error::Error>>(group.async_child_arrays().await?)
            })?;
            Ok(Data::Count(arrays.iter().map(|array| array.shape().iter().product::<u64>()).sum()))
        })),
        _ => Err("no such task behind S3".into()),
    }
}

fn store(task: &Task) -> Result<Arc<Store>> {
    let (bucket, prefix) = task.bucket_and_prefix().ok_or("expected a URL of S3")?;
    // The one that stook asks its HTTP client for; a second call is told so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let s3 = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
    Ok(Arc::new(AsyncObjectStore::new(PrefixStore::new(s3, prefix))))
}
