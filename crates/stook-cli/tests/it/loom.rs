//! `stook loom`: each action on a small loom.

use crate::{Folder, Run};

/// Runs a command of words.
fn run(folder: &Folder, words: &str) -> Run {
    folder.run(&words.split(' ').collect::<Vec<_>>())
}

/// A table of three genes and four cells.
const TABLE: &str = "gene\tc1\tc2\tc3\tc4\nA\t1\t0\t2\t4\nB\t0\t0\t5\t1\nC\t7\t1\t0\t0\n";

fn with_loom() -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.path("t.tsv"), TABLE).unwrap();
    let made = run(&folder, "loom import t.tsv a.loom");
    assert_eq!(made.expect(0).out, "a.loom: 3 rows, 4 columns\n");
    folder
}

#[test]
fn looms_are_looked_at() {
    let folder = with_loom();
    let info = run(&folder, "loom info a.loom");
    assert!(info.out.contains("layer  main matrix: float32"), "{info}");
    assert!(info.out.contains("column  CellID: string [4]"), "{info}");
    let json = run(&folder, "loom info --json a.loom");
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["shape"], serde_json::json!([3, 4]));
    assert_eq!(json["rows"]["attributes"][0]["name"], "Gene");
    let valid = run(&folder, "loom validate a.loom");
    assert!(valid.status == Some(0) && valid.out.contains("valid: version 3.0.0"), "{valid}");
    assert_eq!(run(&folder, "loom repair a.loom").out, "nothing to repair\n");
}

#[test]
fn looms_are_cut_joined_sorted_and_folded() {
    let folder = with_loom();
    let cut = run(&folder, "loom subset a.loom b.loom --rows 2,0 --columns 1:");
    assert_eq!(cut.out, "b.loom: 2 rows, 3 columns\n", "{cut}");
    let joined = run(&folder, "loom merge a.loom a.loom -o c.loom --key Gene");
    assert_eq!(joined.out, "c.loom: 3 rows, 8 columns\n", "{joined}");
    assert_ne!(run(&folder, "loom merge a.loom a.loom -o c.loom").status, Some(0), "it is there");
    let sorted = run(&folder, "loom permute a.loom columns --by CellID --descending");
    assert_eq!(sorted.status, Some(0), "{sorted}");
    assert_eq!(run(&folder, "cat a.loom /matrix 0 --format csv").out.lines().count(), 4);
    let folded = run(&folder, "loom aggregate c.loom d.loom --by CellID --with sum");
    assert_eq!(folded.out, "d.loom: 3 rows, 4 columns\n", "{folded}");
    let wrong = run(&folder, "loom aggregate c.loom e.loom --by CellID --with mode");
    assert!(wrong.status == Some(1) && wrong.err.contains("aggregate `mode`"), "{wrong}");
    assert_eq!(run(&folder, "loom compact a.loom").status, Some(0));
}

#[test]
fn looms_get_a_sidecar_and_become_text() {
    let folder = with_loom();
    let expected = run(&folder, "loom aggregate a.loom b.loom --by CellID").out;
    let made = run(&folder, "loom sidecar a.loom");
    assert!(
        made.out.ends_with("a.loom.csr: main matrix, 7 elements that are not zero\n"),
        "{made}"
    );
    assert!(run(&folder, "loom info a.loom").out.contains("stored, valid in the sidecar"));
    let json = run(&folder, "loom info --json a.loom");
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["layers"][0]["sidecar"], "valid");
    let again = run(&folder, "loom aggregate a.loom b.loom --by CellID --force");
    assert_eq!(again.out, expected, "{again}");
    assert_eq!(
        run(&folder, "loom permute a.loom columns --by CellID --descending").status,
        Some(0)
    );
    assert!(run(&folder, "loom info a.loom").out.contains("stale in the sidecar"));
    assert_eq!(run(&folder, "loom sidecar --drop a.loom").out, "deleted\n");
    assert_eq!(run(&folder, "loom sidecar --drop a.loom").out, "there is none\n");
    assert_eq!(run(&folder, "loom sidecar a.loom --layer x").status, Some(1));
    assert_eq!(run(&folder, "loom export a.loom a.tab").out, "a.tab\n");
    let text = std::fs::read_to_string(folder.path("a.tab")).unwrap();
    assert!(
        text.starts_with("\tCellID\tc4\tc3\tc2\tc1\t\n")
            && text.contains("A\t\t4.0\t2.0\t0.0\t1.0\t\n")
    );
    assert_eq!(run(&folder, "loom export a.loom a.tab").status, Some(1));
    assert_eq!(run(&folder, "loom export a.loom a.tab -f").status, Some(0));
}

#[test]
fn looms_go_to_anndata_and_back() {
    let folder = with_loom();
    for name in ["a.h5ad", "b.zarr"] {
        let there = run(&folder, &format!("loom convert a.loom {name}"));
        assert_eq!(there.status, Some(0), "{there}");
        let back = run(&folder, &format!("loom convert {name} {name}.loom"));
        assert_eq!(back.out, format!("{name}.loom: 3 rows, 4 columns\n"), "{back}");
    }
    assert_ne!(run(&folder, "loom import nothing x.loom").status, Some(0));
}
