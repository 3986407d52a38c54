//! What every byte store must do.

use std::collections::BTreeMap;
use std::sync::Arc;

use stook_core::store::{ByteRange, ByteStore, Edit, Guard, Listing, ReadTo};
use stook_core::{Durability, ErrorKind, Result};

use crate::random::Random;

/// A limit that no value here reaches.
const NO_LIMIT: u64 = u64::MAX;

/// Runs the suite; `create` gives a new, empty, writable store each time.
///
/// # Panics
/// If the store does not do what it must.
pub fn store_suite(create: &dyn Fn() -> Arc<dyn ByteStore>) {
    values_are_replaced_whole(create().as_ref());
    values_are_read_to_memory_that_is_given(create().as_ref());
    ranges_are_delivered_by_position(create().as_ref());
    a_new_key_is_set_once(&create());
    updates_depend_on_the_value(create().as_ref());
    no_update_is_lost(&create());
    erasing_takes_keys_away(create().as_ref());
    prefixes_are_moved(create().as_ref());
    names_are_listed(create().as_ref());
    bad_keys_are_refused(create().as_ref());
    versions_change_with_values(create().as_ref());
    readers_see_whole_values(&create());
    random_changes_match_a_map(create().as_ref());
}

/// The value of `key`.
///
/// # Panics
/// If it cannot be read.
pub fn get(store: &dyn ByteStore, key: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    store.get(key, &mut out, NO_LIMIT).unwrap().then_some(out)
}

/// Every key below `prefix` with its value's length.
///
/// # Panics
/// If they cannot be listed.
pub fn walk(store: &dyn ByteStore, prefix: &str) -> BTreeMap<String, u64> {
    let mut keys = BTreeMap::new();
    let mut visit = |key: &str, len: u64| {
        assert_eq!(keys.insert(key.to_owned(), len), None, "{key} is visited once");
        Ok(())
    };
    store.walk(prefix, &mut visit).unwrap();
    keys
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn listing(keys: &[&str], prefixes: &[&str]) -> Listing {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Listing { keys: owned(keys), prefixes: owned(prefixes) }
}

fn values_are_replaced_whole(store: &dyn ByteStore) {
    assert_eq!(get(store, "a/b"), None);
    assert_eq!(store.len_bytes("a/b").unwrap(), None);
    store.set("a/b", b"long value").unwrap();
    store.set("a/b", b"short").unwrap();
    store.set("empty", b"").unwrap();
    assert_eq!(get(store, "a/b").unwrap(), b"short");
    assert_eq!(get(store, "empty").unwrap(), b"");
    assert_eq!(store.len_bytes("a/b").unwrap(), Some(5));

    let mut out = b"before ".to_vec();
    assert!(store.get("a/b", &mut out, 5).unwrap());
    assert_eq!(out, b"before short", "a value is appended");
    assert_eq!(kind(store.get("a/b", &mut out, 4)), ErrorKind::LimitExceeded);
    assert_eq!(out, b"before short", "a failure leaves the buffer");
    for durability in [Durability::None, Durability::Flush, Durability::Fsync] {
        store.sync(durability).unwrap();
        assert_eq!(get(store, "a/b").unwrap(), b"short");
    }
    store.set("a/b", b"after the sync").unwrap();
    assert_eq!(get(store, "a/b").unwrap(), b"after the sync");
}

fn values_are_read_to_memory_that_is_given(store: &dyn ByteStore) {
    store.set("a", b"value").unwrap();
    let mut out = [0; 5];
    match store.get_to("a", &mut out).unwrap() {
        ReadTo::Unable => return,
        read => assert_eq!((read, &out), (ReadTo::Done, b"value")),
    }
    assert_eq!(store.get_to("b", &mut out).unwrap(), ReadTo::Missing);
    assert_eq!(store.get_to("empty", &mut []).unwrap(), ReadTo::Missing);
    for len in [0, 4, 6, 5000] {
        assert_eq!(kind(store.get_to("a", &mut vec![0; len])), ErrorKind::Corrupt, "{len}");
    }
}

fn ranges_are_delivered_by_position(store: &dyn ByteStore) {
    let value: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    store.set("v", &value).unwrap();
    let at = |offset, len| ByteRange::At { offset, len };
    let ranges = [at(90_000, 10), ByteRange::Last(7), at(0, 3), at(2, 5), at(100_000, 0), at(5, 0)];
    let mut found = vec![None; ranges.len()];
    let mut deliver = |i: usize, bytes: Option<&[u8]>| {
        assert!(found[i].is_none(), "range {i} is delivered once");
        found[i] = bytes.map(<[u8]>::to_vec);
        Ok(())
    };
    assert!(store.get_ranges("v", &ranges, &mut deliver).unwrap());
    for (range, found) in ranges.iter().zip(found) {
        let (offset, len) = range.resolve(value.len() as u64).unwrap();
        let start = usize::try_from(offset).unwrap();
        let expected = &value[start..start + usize::try_from(len).unwrap()];
        assert_eq!(found.unwrap(), expected, "{range:?}");
    }
    let mut nothing = |_: usize, _: Option<&[u8]>| panic!("nothing is delivered");
    assert!(!store.get_ranges("none", &ranges, &mut nothing).unwrap());
    for bad in [at(99_999, 2), at(u64::MAX, 2), ByteRange::Last(100_001)] {
        let ranges = [at(0, 1), bad];
        assert_eq!(kind(store.get_ranges("v", &ranges, &mut nothing)), ErrorKind::Corrupt);
    }
    let mut fail = |_: usize, _: Option<&[u8]>| Err(stook_core::Error::invalid("stop"));
    assert_eq!(kind(store.get_ranges("v", &[at(0, 1)], &mut fail)), ErrorKind::InvalidInput);
}

fn a_new_key_is_set_once(store: &Arc<dyn ByteStore>) {
    assert!(store.set_new("a/k", b"first").unwrap());
    assert!(!store.set_new("a/k", b"second").unwrap());
    assert_eq!(get(store.as_ref(), "a/k").unwrap(), b"first");
    let wins: usize = std::thread::scope(|scope| {
        let spawn = |i: u8| scope.spawn(move || store.set_new("race/k", &[i; 1000]).unwrap());
        let threads: Vec<_> = (0..8).map(spawn).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(wins, 1, "one of several creators wins");
    let value = get(store.as_ref(), "race/k").unwrap();
    assert!(value.len() == 1000 && value.iter().all(|&byte| byte == value[0]));
}

fn updates_depend_on_the_value(store: &dyn ByteStore) {
    let update = |edit: Edit, expected: Option<&[u8]>, new: &[u8]| {
        store.update("a/k", NO_LIMIT, &mut |old, out| {
            assert_eq!(old, expected);
            assert!(out.is_empty());
            out.extend_from_slice(new);
            Ok(edit)
        })
    };
    update(Edit::Keep, None, b"kept").unwrap();
    update(Edit::Erase, None, b"").unwrap();
    assert_eq!(get(store, "a/k"), None);
    update(Edit::Set, None, b"first").unwrap();
    update(Edit::Keep, Some(b"first"), b"kept").unwrap();
    update(Edit::Set, Some(b"first"), b"second").unwrap();
    let mut fail = |_: Option<&[u8]>, _: &mut Vec<u8>| Err(stook_core::Error::invalid("stop"));
    assert_eq!(kind(store.update("a/k", NO_LIMIT, &mut fail)), ErrorKind::InvalidInput);
    assert_eq!(
        kind(store.update("a/k", 5, &mut |_, _| Ok(Edit::Keep))),
        ErrorKind::LimitExceeded,
        "a longer value than the limit"
    );
    assert_eq!(get(store, "a/k").unwrap(), b"second");
    update(Edit::Erase, Some(b"second"), b"").unwrap();
    assert_eq!(get(store, "a/k"), None);
}

fn no_update_is_lost(store: &Arc<dyn ByteStore>) {
    const THREADS: usize = 4;
    const ROUNDS: usize = 8;
    if store.guard() != Guard::Everyone {
        return;
    }
    let count = |old: Option<&[u8]>| old.map_or(0, <[u8]>::len);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let mut add = |old: Option<&[u8]>, new: &mut Vec<u8>| {
                        new.resize(count(old) + 1, b'x');
                        Ok(Edit::Set)
                    };
                    store.update("race/k", NO_LIMIT, &mut add).unwrap();
                }
            });
        }
    });
    assert_eq!(count(get(store.as_ref(), "race/k").as_deref()), THREADS * ROUNDS);
}

fn erasing_takes_keys_away(store: &dyn ByteStore) {
    for key in ["a/b/c", "a/b/d", "a/e", "ab", "f"] {
        store.set(key, key.as_bytes()).unwrap();
    }
    store.erase("a/b/c").unwrap();
    store.erase("a/b/c").unwrap();
    store.erase("no/such/key").unwrap();
    assert_eq!(get(store, "a/b/c"), None);
    store.erase_prefix("a").unwrap();
    store.erase_prefix("none").unwrap();
    assert_eq!(walk(store, "").into_keys().collect::<Vec<_>>(), ["ab", "f"]);
    assert_eq!(store.list("").unwrap(), listing(&["ab", "f"], &[]));
    store.set("a/b/c", b"again").unwrap();
    assert_eq!(get(store, "a/b/c").unwrap(), b"again");
    store.erase_prefix("").unwrap();
    assert!(walk(store, "").is_empty());
    assert_eq!(store.list("").unwrap(), Listing::default());
}

fn prefixes_are_moved(store: &dyn ByteStore) {
    for key in ["a/x", "a/y/z", "ab", "c/d"] {
        store.set(key, key.as_bytes()).unwrap();
    }
    store.rename_prefix("a", "new/place").unwrap();
    assert_eq!(get(store, "new/place/y/z").unwrap(), b"a/y/z");
    let keys: Vec<_> = walk(store, "").into_keys().collect();
    assert_eq!(keys, ["ab", "c/d", "new/place/x", "new/place/y/z"]);
    assert_eq!(kind(store.rename_prefix("new/place", "c")), ErrorKind::AlreadyExists);
    assert_eq!(kind(store.rename_prefix("c", "c/e")), ErrorKind::InvalidInput);
    assert_eq!(walk(store, "").len(), 4, "a failure moves nothing");
    store.sync(Durability::Fsync).unwrap();
    store.rename_prefix("new/place", "a").unwrap();
    assert_eq!(get(store, "a/x").unwrap(), b"a/x");
}

fn names_are_listed(store: &dyn ByteStore) {
    for key in ["b/x/1", "b/x/2", "b/y", "b-c/z", "a.json", ".hidden", "b/é"] {
        store.set(key, b"12").unwrap();
    }
    assert_eq!(store.list("").unwrap(), listing(&[".hidden", "a.json"], &["b", "b-c"]));
    assert_eq!(store.list("b").unwrap(), listing(&["y", "é"], &["x"]));
    assert_eq!(store.list("b/x").unwrap(), listing(&["1", "2"], &[]));
    assert_eq!(store.list("none").unwrap(), Listing::default());
    assert_eq!(
        walk(store, "b").into_iter().collect::<Vec<_>>(),
        [
            ("b/x/1".to_owned(), 2),
            ("b/x/2".to_owned(), 2),
            ("b/y".to_owned(), 2),
            ("b/é".to_owned(), 2)
        ]
    );
    let mut stop = |_: &str, _: u64| Err(stook_core::Error::invalid("stop"));
    assert_eq!(kind(store.walk("", &mut stop)), ErrorKind::InvalidInput);
}

fn bad_keys_are_refused(store: &dyn ByteStore) {
    for key in ["", "/a", "a/", "a//b", ".", "..", "a/../../b", "./a", "a\0b"] {
        assert_eq!(kind(store.set(key, b"")), ErrorKind::InvalidInput, "{key:?}");
        assert_eq!(kind(store.set_new(key, b"")), ErrorKind::InvalidInput, "{key:?}");
        assert_eq!(kind(store.erase(key)), ErrorKind::InvalidInput, "{key:?}");
    }
    assert_eq!(kind(store.erase_prefix("../x")), ErrorKind::InvalidInput);
    assert_eq!(kind(store.list("..")), ErrorKind::InvalidInput);
    assert_eq!(kind(store.rename_prefix("a", "../x")), ErrorKind::InvalidInput);
    assert!(walk(store, "").is_empty());
}

fn versions_change_with_values(store: &dyn ByteStore) {
    assert_eq!(store.version("k").unwrap(), None);
    let mut last = None;
    for round in 0..20_u8 {
        // The same length each time: only the contents tell the values apart.
        store.set("k", &[round; 8]).unwrap();
        let version = store.version("k").unwrap();
        assert!(version.is_none() || version != last, "round {round}: {version:?}");
        last = version.or(last);
    }
    store.erase("k").unwrap();
    assert_eq!(store.version("k").unwrap(), None);
}

fn readers_see_whole_values(store: &Arc<dyn ByteStore>) {
    store.set("k", &[0; 5000]).unwrap();
    std::thread::scope(|scope| {
        for writer in 1..=2_u8 {
            scope.spawn(move || {
                for round in 0..50_u8 {
                    let len = 4000 + usize::from(round) * 17;
                    store.set("k", &vec![writer * 100 + round; len]).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                for _ in 0..200 {
                    let value = get(store.as_ref(), "k").expect("a key that is replaced is there");
                    assert!(value.len() >= 4000 && value.iter().all(|&byte| byte == value[0]));
                }
            });
        }
    });
}

fn random_changes_match_a_map(store: &dyn ByteStore) {
    const FOLDERS: [&str; 4] = ["", "a/", "a/b/", "c/"];
    let mut random = Random::new(7);
    let mut map = BTreeMap::new();
    for _ in 0..600 {
        let folder = FOLDERS[random.below(FOLDERS.len())];
        let key = format!("{folder}k{}", random.below(5));
        match random.below(10) {
            0..=4 => {
                let value = random.bytes(300);
                store.set(&key, &value).unwrap();
                map.insert(key, value);
            }
            5 | 6 => {
                store.erase(&key).unwrap();
                map.remove(&key);
            }
            7 => {
                let value = random.bytes(20);
                let is_new = store.set_new(&key, &value).unwrap();
                assert_eq!(is_new, !map.contains_key(&key));
                map.entry(key).or_insert(value);
            }
            8 if random.below(5) == 0 => {
                let prefix = folder.trim_end_matches('/');
                store.erase_prefix(prefix).unwrap();
                map.retain(|key, _| !key.starts_with(folder));
            }
            _ if random.below(10) == 0 => store.sync(Durability::Flush).unwrap(),
            _ => assert_eq!(get(store, &key), map.get(&key).cloned()),
        }
    }
    let lengths = map.iter().map(|(key, value)| (key.clone(), value.len() as u64)).collect();
    assert_eq!(walk(store, ""), lengths);
    for (key, value) in &map {
        assert_eq!(get(store, key).as_ref(), Some(value));
    }
}
