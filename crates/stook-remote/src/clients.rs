//! Clients of services, kept for the next store of the same place: to make one takes as long as
//! many requests (it reads the certificates of the machine), and its connections are open already.
//!
//! Two stores share a client where all that it is made of is the same: service, bucket, options, and
//! what the environment said when they were opened.

use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use stook_core::Result;

/// How many are kept; the one that was asked for longest ago goes first.
const KEPT: usize = 4;

static CLIENTS: Mutex<Clients> = Mutex::new(Clients { process: 0, kept: Vec::new() });

struct Clients {
    /// Whose connections these are.
    process: u32,
    kept: Vec<(String, Arc<dyn ObjectStore>)>,
}

/// The client that `made_of` describes, made by `make` if there is none yet.
///
/// # Errors
/// Those of `make`.
pub(crate) fn get(
    made_of: &str,
    make: impl FnOnce() -> Result<Arc<dyn ObjectStore>>,
) -> Result<Arc<dyn ObjectStore>> {
    let process = std::process::id();
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if clients.process != process {
        // Closing the connections of a parent process would end its conversations.
        std::mem::forget(std::mem::take(&mut clients.kept));
        clients.process = process;
    }
    clients.get(made_of, make)
}

impl Clients {
    fn get(
        &mut self,
        made_of: &str,
        make: impl FnOnce() -> Result<Arc<dyn ObjectStore>>,
    ) -> Result<Arc<dyn ObjectStore>> {
        let client = match self.kept.iter().position(|(known, _)| known == made_of) {
            Some(at) => self.kept.remove(at).1,
            None => make()?,
        };
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push((made_of.to_owned(), Arc::clone(&client)));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn a_client_is_made_once_and_few_are_kept() {
        let mut clients = Clients { process: 0, kept: Vec::new() };
        let mut is_new = |name: &str| {
            let mut is_new = false;
            let made = clients.get(name, || {
                is_new = true;
                Ok(Arc::new(InMemory::new()))
            });
            made.map(|_| is_new).unwrap()
        };
        assert!(is_new("a"));
        assert!(!is_new("a"));
        assert!(["b", "c", "d", "e"].into_iter().all(&mut is_new));
        assert!(!is_new("c"));
        assert!(is_new("a"));
    }
}
