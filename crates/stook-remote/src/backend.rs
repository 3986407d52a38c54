//! The client of a service, made anew in a child process.
//!
//! After a fork, the connections of the parent are open in the child as well: who would use them
//! there mixes two conversations. So a store keeps how its client is made.

use std::fmt::{self, Debug};
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use object_store::ObjectStore;
use stook_core::Result;

type Make = Box<dyn Fn() -> Result<Arc<dyn ObjectStore>> + Send + Sync>;

/// A client for each process that uses it.
pub(crate) struct Backend {
    make: Make,
    client: RwLock<(u32, Arc<dyn ObjectStore>)>,
}

impl Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").finish_non_exhaustive()
    }
}

impl Backend {
    /// The client that `make` makes.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn new(
        make: impl Fn() -> Result<Arc<dyn ObjectStore>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let client = make()?;
        Ok(Self { make: Box::new(make), client: RwLock::new((std::process::id(), client)) })
    }

    /// The client of this process.
    ///
    /// # Errors
    /// Those of making it.
    pub(crate) fn client(&self) -> Result<Arc<dyn ObjectStore>> {
        let process = std::process::id();
        {
            let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
            if client.0 == process {
                return Ok(Arc::clone(&client.1));
            }
        }
        let mut client = self.client.write().unwrap_or_else(PoisonError::into_inner);
        if client.0 != process {
            let old = mem::replace(&mut *client, (process, (self.make)()?));
            // Closing the connections would end those of the parent.
            mem::forget(old);
        }
        Ok(Arc::clone(&client.1))
    }
}
