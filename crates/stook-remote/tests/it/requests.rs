//! What is asked of a service: no more than must be, and much of it at once.

use std::collections::BTreeMap;
use std::time::Duration;

use stook_core::store::ByteRange;
use stook_core::{ErrorKind, Format, Selection};

use crate::arrays::{self, elements, root_array};
use crate::server::{Fault, Server};

#[test]
fn an_array_and_a_chunk_of_it_cost_two_requests() {
    let server = Server::of(root_array(Format::ZarrV3, None, "a"));
    let store = stook_remote::open(&format!("{}/a", server.url()), [], true).unwrap();
    let array = arrays::open(store, "").unwrap();
    assert_eq!(
        array.read_as::<i32>(&Selection::parse("0:2, 0:3").unwrap()).unwrap()[..3],
        [0, 1, 2]
    );
    assert_eq!(server.log(), ["GET /a/zarr.json", "GET /a/c/0/0"]);
    array.read_as::<i32>(&Selection::parse("0:2, 0:3").unwrap()).unwrap();
    assert_eq!(server.log(), ["GET /a/c/0/0"]);
}

#[test]
fn an_array_of_version_2_costs_its_documents_and_its_chunks() {
    let server = Server::of(root_array(Format::ZarrV2, None, "a"));
    let store = stook_remote::open(&format!("{}/a/", server.url()), [], true).unwrap();
    let array = arrays::open(store, "").unwrap();
    array.read_as::<i32>(&Selection::parse("0:2, 0:3").unwrap()).unwrap();
    let expected = ["GET /a/zarr.json", "GET /a/.zarray", "GET /a/.zattrs", "GET /a/0.0"];
    assert_eq!(server.log(), expected);
}

#[test]
fn a_shard_costs_its_index_once_and_its_chunks() {
    let values = root_array(Format::ZarrV3, Some([20, 50]), "a");
    let shard_len = values["a/c/0/0"].len();
    let server = Server::of(values);
    let store = stook_remote::open(&format!("{}/a", server.url()), [], true).unwrap();
    let array = arrays::open(store, "").unwrap();
    server.log();
    let half = Selection::parse("0:10").unwrap();
    assert_eq!(array.read_as::<i32>(&half).unwrap(), elements()[..500]);
    let log = server.log();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log[0].starts_with("GET /a/c/0/0 bytes=-"), "{log:?}");
    assert_eq!(array.read_as::<i32>(&half).unwrap(), elements()[..500]);
    assert_eq!(server.log().len(), 1, "the index is known");

    // Somebody else replaces the shard by one whose chunks lie elsewhere.
    let mut other = root_array(Format::ZarrV3, Some([20, 50]), "a").remove("a/c/1/0").unwrap();
    assert_eq!(other.len(), shard_len);
    server.put("a/c/0/0", &other);
    assert_eq!(array.read_as::<i32>(&half).unwrap(), elements()[1000..1500]);
    assert_eq!(server.log().len(), 3, "the old index was tried, then the new one read");
    other.truncate(10);
    server.put("a/c/0/0", &other);
    let error = array.read_as::<i32>(&half).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn neighbouring_ranges_are_one_request_and_gaps_are_bounded() {
    let value: Vec<u8> = (0..1_000_000_u32).map(|i| i as u8).collect();
    let server = Server::of(BTreeMap::from([("v".to_owned(), value.clone())]));
    let store = stook_remote::open(&server.url(), [("gap_len_bytes", "100")], true).unwrap();
    let ranges: Vec<ByteRange> =
        [0, 50, 200, 301, 900_000].map(|offset| ByteRange::At { offset, len: 40 }).into();
    let mut found = vec![Vec::new(); ranges.len()];
    let mut take = |i: usize, bytes: Option<&[u8]>| {
        found[i] = bytes.unwrap().to_vec();
        Ok(())
    };
    assert!(store.get_ranges("v", &ranges, &mut take).unwrap());
    assert_eq!(found[3], value[301..341]);
    let mut log = server.log();
    log.sort();
    assert_eq!(log, ["GET /v bytes=0-89", "GET /v bytes=200-340", "GET /v bytes=900000-900039"]);
}

#[test]
fn many_requests_are_under_way_at_once_but_not_too_many() {
    let server = Server::of(root_array(Format::ZarrV3, None, "a"));
    server.fail(|_| Some(Fault::Late(Duration::from_millis(10))));
    let open = |in_flight| {
        let options = [("in_flight", in_flight)];
        let store = stook_remote::open(&format!("{}/a", server.url()), options, true).unwrap();
        arrays::open(store, "").unwrap()
    };
    assert_eq!(open("4").read_as::<i32>(&Selection::All).unwrap(), elements());
    let few = server.most_at_once();
    assert!((3..=4).contains(&few), "{few}");
    assert_eq!(open("30").read_as::<i32>(&Selection::All).unwrap(), elements());
    let many = server.most_at_once();
    assert!((20..=30).contains(&many), "{many}");
}

#[test]
fn keys_are_not_listed_over_http() {
    let server = Server::of(root_array(Format::ZarrV3, None, "a"));
    let store = stook_remote::open(&server.url(), [], true).unwrap();
    let error = store.list("a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("consolidated"), "{error:?}");
    assert_eq!(store.walk("", &mut |_, _| Ok(())).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(server.log(), [""; 0]);
}

#[test]
fn a_server_that_tells_no_versions_is_asked_for_the_index_again() {
    let server = Server::of(root_array(Format::ZarrV3, Some([20, 50]), "a"));
    server.fail(|_| Some(Fault::NoTag));
    let store = stook_remote::open(&format!("{}/a", server.url()), [], true).unwrap();
    let array = arrays::open(store, "").unwrap();
    server.log();
    assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), elements());
    assert_eq!(server.log().len(), 9, "index, chunks and index of three shards");
}
