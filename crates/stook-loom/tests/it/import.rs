//! Looms are made of what other programs write.

use std::fs;
use std::path::Path;

use stook::codec::CodecSpec;
use stook::{DType, Error, ErrorKind, File, Result, Selection, Values};
use stook_loom::import::{
    CellFilter, ImportOptions, MatrixMarket, Mtx, Orientation, Star, Tsv, cellranger,
    matrix_market, star, ten_x_folder, ten_x_h5, tsv,
};
use stook_loom::{Axis, Loom, MatrixSource, numbers};

fn texts(loom: &Loom, axis: Axis, name: &str) -> Vec<String> {
    let values = loom.attributes(axis).get(name).unwrap();
    (0..values.len()).map(|at| values.text_at(at).unwrap()).collect()
}

fn layer<T: stook::Element>(loom: &Loom, name: &str) -> Vec<T> {
    loom.layer_array(name).unwrap().read_as::<T>(&Selection::All).unwrap()
}

const MTX: &str =
    "%%MatrixMarket matrix coordinate integer general\n% a comment\n3 2 3\n1 1 5\n3 1 7\n2 2 -1\n";

fn write(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn folders_of_cellranger_become_looms() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("10X_1");
    let matrix = sample.join("outs/filtered_gene_bc_matrices/mm10");
    write(matrix.join("matrix.mtx"), MTX);
    write(matrix.join("genes.tsv"), "ENS1\tActb\nENS2\tGapdh\nENS3\tÉté\n");
    write(matrix.join("barcodes.tsv"), "AA-1\nCC-1\n");
    write(sample.join("outs/analysis/tsne/projection.csv"), "Barcode,A,B\nAA-1,1.5,2\nCC-1,-1,0\n");
    write(
        sample.join("outs/analysis/clustering/graphclust/clusters.csv"),
        "Barcode,C\nAA-1,2\nCC-1,1\n",
    );
    write(sample.join("_cmdline"), "cellranger count\n");
    let loom = cellranger(&sample, None, &ImportOptions::default()).unwrap();
    assert!(loom.path().ends_with("10X_1/10X_1.loom"));
    assert_eq!(layer::<i64>(&loom, ""), [5, 0, 0, -1, 7, 0]);
    assert_eq!(texts(&loom, Axis::Rows, "Gene"), ["Actb", "Gapdh", "Été"]);
    assert_eq!(texts(&loom, Axis::Columns, "CellID"), ["10X_1:AA-1", "10X_1:CC-1"]);
    let of = |name: &str| loom.attributes(Axis::Columns).get(name).unwrap();
    assert_eq!(of("X"), numbers(vec![2], &[1.5_f32, -1.0]).unwrap());
    assert_eq!(of("ClusterID"), numbers(vec![2], &[1_i64, 0]).unwrap());
    let told = |name: &str| loom.file_attributes().get(name).unwrap().text_at(0).unwrap();
    assert_eq!((told("Genome"), told("Cmdline")), ("mm10".into(), "cellranger count".into()));
    let again = cellranger(&sample, None, &ImportOptions::default()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn files_of_matrix_market_are_read_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.mtx");
    let read = |text: &str| -> Result<(DType, Vec<f64>)> {
        write(&path, text);
        let mtx = Mtx::open(&path, &stook::Limits::default())?;
        let file = File::in_memory()?;
        let array = file.root_group()?.array("m").shape(mtx.shape()).dtype(DType::Float64);
        let array = array.chunks([2, 2]).codecs([CodecSpec::Gzip { level: 1 }]).create()?;
        mtx.store(&array, [0, 0])?;
        Ok((mtx.dtype(), array.read_as::<f64>(&Selection::All)?))
    };
    let head = |kind: &str| format!("%%MatrixMarket matrix {kind}\n");
    let case = |kind: &str, body: &str| read(&(head(kind) + body));
    let sorted = case("coordinate real general", "2 2 2\n1 1 1.5\n2 2 -2e1\n").unwrap();
    assert_eq!(sorted, (DType::Float64, vec![1.5, 0.0, 0.0, -20.0]));
    let unsorted = case("coordinate real general", "2 2 3\n2 2 1\n1 1 3\n2 2 4\n").unwrap();
    assert_eq!(unsorted.1, [3.0, 0.0, 0.0, 5.0]);
    let symmetric = case("coordinate integer symmetric", "2 2 2\n1 1 1\n2 1 3\n").unwrap();
    assert_eq!(symmetric, (DType::Int64, vec![1.0, 3.0, 3.0, 0.0]));
    let skew = case("coordinate integer skew-symmetric", "2 2 1\n2 1 3\n").unwrap();
    assert_eq!(skew.1, [0.0, -3.0, 3.0, 0.0]);
    let pattern = case("coordinate pattern general", "1 3 2\n1 1\n1 3\n").unwrap();
    assert_eq!(pattern, (DType::Int8, vec![1.0, 0.0, 1.0]));
    let dense = case("array real general", "2 3\n1\n2\n3\n4\n5\n6\n").unwrap();
    assert_eq!(dense.1, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    let fails = |kind: &str, body: &str| case(kind, body).unwrap_err().to_string();
    let general = "coordinate integer general";
    assert!(fails(general, "2 2 1\n3 1 1\n").contains("line 3: element 3 1 of 2 rows"));
    assert!(fails(general, "2 2 1\n0 1 1\n").contains("line 3"));
    assert!(fails(general, "2 2 2\n1 1 1\n").contains("expected 2 elements, found 1"));
    assert!(fails(general, "2 2 1\n1 1 1\n2 2 1\n").contains("and more"));
    assert!(fails(general, "2 2 1\n1 1 x\n").contains("a row, a column and a number"));
    assert!(fails(general, "2 2\n").contains("the shape"));
    assert!(fails("coordinate complex general", "1 1 0\n").contains("complex"));
    assert!(read("nonsense\n").unwrap_err().to_string().contains("%%MatrixMarket"));
    // A length that no memory has is refused, not tried.
    let huge = fails("array real general", "99999999999 99999999999\n1\n");
    assert!(!huge.is_empty());
}

#[test]
fn layers_without_a_main_one_are_summed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(at("a.mtx"), MTX);
    write(at("b.mtx"), MTX);
    write(at("rows"), "head\nE1\tG1\nE2\tG2\nE3\tG3\n");
    write(at("columns"), "c1\nc2\n");
    let files = MatrixMarket {
        layers: vec![("a".into(), at("a.mtx")), ("b".into(), at("b.mtx"))],
        rows: at("rows"),
        columns: at("columns"),
        sample: "s".into(),
        n_row_heads: 1,
        ..MatrixMarket::default()
    };
    let loom = matrix_market(at("x.loom"), &files, &ImportOptions::default()).unwrap();
    assert_eq!(layer::<i64>(&loom, ""), [10, 0, 0, -2, 14, 0]);
    assert_eq!(layer::<i64>(&loom, "b"), [5, 0, 0, -1, 7, 0]);
    assert_eq!(texts(&loom, Axis::Rows, "Accession"), ["E1", "E2", "E3"]);
    assert_eq!(texts(&loom, Axis::Columns, "CellID"), ["s:c1", "s:c2"]);
    let turned = MatrixMarket {
        orientation: Orientation::Transposed,
        rows: at("columns"),
        columns: at("rows"),
        n_row_heads: 0,
        n_column_heads: 1,
        ..files
    };
    let loom = matrix_market(at("y.loom"), &turned, &ImportOptions::default()).unwrap();
    assert_eq!(layer::<i64>(&loom, "a"), [5, 0, 7, 0, -1, 0]);
}

#[test]
fn tables_of_text_become_looms() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for head in ["gene\t\"c1\"\tc2", "\"c1\"\tc2"] {
        write(at("t.tsv"), &format!("{head}\n\"A\"\t1\t2.5\nB\t0\t-1\n"));
        let _ = fs::remove_file(at("t.loom"));
        let loom = tsv(at("t.loom"), &Tsv::new(at("t.tsv")), &ImportOptions::default()).unwrap();
        assert_eq!(layer::<f32>(&loom, ""), [1.0, 2.5, 0.0, -1.0]);
        assert_eq!(texts(&loom, Axis::Rows, "Gene"), ["A", "B"]);
        assert_eq!(texts(&loom, Axis::Columns, "CellID"), ["c1", "c2"]);
    }
    // Genes as another loom has them: those it lacks are left out, those missing are zero.
    write(at("u.tsv"), "c1\nB\t5\nZ\t6\n");
    write(at("cells"), "CellID\tTissue\nx_c1\tliver\n");
    let table = Tsv {
        like: Some((at("t.loom"), "Gene".into())),
        cells: Some((at("cells"), "\t".into())),
        prefix: "x_".into(),
        ..Tsv::new(at("u.tsv"))
    };
    let loom = tsv(at("u.loom"), &table, &ImportOptions::default()).unwrap();
    assert_eq!(layer::<f32>(&loom, ""), [0.0, 5.0]);
    assert_eq!(texts(&loom, Axis::Columns, "Tissue"), ["liver"]);
    write(at("bad.tsv"), "x\tc1\tc2\nA\t1\t2\nB\t1\n");
    let error = tsv(at("v.loom"), &Tsv::new(at("bad.tsv")), &ImportOptions::default());
    assert!(error.unwrap_err().to_string().contains("line 3: expected"), "named");
    assert!(!at("v.loom").exists());
}

fn sparse_h5(path: &Path, group: &str, genes: [&str; 2]) {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    let root = root.create_group(group).unwrap();
    let put = |name: &str, values: Values| {
        let array = root.array(name).dtype(values.dtype().clone()).shape(values.shape());
        array.create().unwrap().write(&Selection::All, &values).unwrap();
    };
    put("data", numbers(vec![3], &[5_i32, 7, -1]).unwrap());
    put("indices", numbers(vec![3], &[0_i64, 2, 1]).unwrap());
    put("indptr", numbers(vec![3], &[0_i64, 2, 3]).unwrap());
    put("shape", numbers(vec![2], &[3_i32, 2]).unwrap());
    put("barcodes", Values::from_strings(vec![2], &["AA", "CC"]).unwrap());
    for name in genes {
        put(name, Values::from_strings(vec![3], &["a", "b", "c"]).unwrap());
    }
    file.commit().unwrap();
}

#[test]
fn files_of_10x_become_looms() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    sparse_h5(&at("v2.h5"), "hg19", ["genes", "gene_names"]);
    sparse_h5(&at("v3.h5"), "matrix", ["features/id", "features/name"]);
    for name in ["v2", "v3"] {
        let (from, to) = (at(&format!("{name}.h5")), at(&format!("{name}.loom")));
        let loom = ten_x_h5(from, to, &ImportOptions::default()).unwrap();
        assert_eq!(layer::<i32>(&loom, ""), [5, 0, 0, -1, 7, 0]);
        assert_eq!(texts(&loom, Axis::Rows, "Gene"), ["a", "b", "c"]);
        assert_eq!(texts(&loom, Axis::Columns, "CellID"), ["AA", "CC"]);
    }
    let wrong = ImportOptions { genome: Some("mm10".into()), ..ImportOptions::default() };
    let error = ten_x_h5(at("v2.h5"), at("x.loom"), &wrong).unwrap_err();
    assert!(error.to_string().contains("genome `mm10`: found hg19"), "{error}");
    // What points beyond its arrays is an error, and leaves nothing behind.
    for (array, value) in [("indptr", 9_i64), ("indices", 3), ("indices", -1)] {
        fs::copy(at("v2.h5"), at("bad.h5")).unwrap();
        let file = File::open_read_write(at("bad.h5")).unwrap();
        let array = file.array(&format!("hg19/{array}")).unwrap();
        array.write_elements(&Selection::parse("1").unwrap(), &[], &[value]).unwrap();
        file.commit().unwrap();
        drop((array, file));
        let error: Error =
            ten_x_h5(at("bad.h5"), at("bad.loom"), &ImportOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(!at("bad.loom").exists());
    }
}

#[test]
fn folders_of_star_become_looms() {
    let folder = tempfile::tempdir().unwrap();
    let velocyto = folder.path().join("Solo.out/Velocyto/filtered");
    let gene = folder.path().join("Solo.out/GeneFull/filtered");
    for folder in [&velocyto, &gene] {
        write(folder.join("features.tsv"), "E1\tG1\nE2\tG2\nE3\tG3\n");
    }
    write(velocyto.join("barcodes.tsv"), "AA\nCC\n");
    write(gene.join("barcodes.tsv"), "CC\nTT\n");
    for name in ["spliced", "unspliced", "ambiguous"] {
        write(velocyto.join(format!("{name}.mtx")), MTX);
    }
    write(gene.join("matrix.mtx"), MTX);
    let what = Star { sample: "s".into(), layers: vec!["GeneFull".into()], ..Star::default() };
    let path = folder.path().join("a.loom");
    let loom = star(folder.path(), &path, &what, &ImportOptions::default()).unwrap();
    assert_eq!(layer::<i64>(&loom, ""), [15, 0, 0, -3, 21, 0]);
    assert_eq!(layer::<i64>(&loom, "GeneFull"), [0, 5, 0, 0, 0, 7]);
    let valid = loom.attributes(Axis::Columns).get("Valid_GeneFull").unwrap();
    assert_eq!(valid, numbers(vec![2], &[0_i64, 1]).unwrap());
    let what = Star { cells: CellFilter::Combine, main: Some("GeneFull".into()), ..what };
    let path = folder.path().join("b.loom");
    let loom = star(folder.path().join("Solo.out"), &path, &what, &ImportOptions::default());
    let loom = loom.unwrap();
    assert_eq!(texts(&loom, Axis::Columns, "CellID"), ["s:AA", "s:CC", "s:TT"]);
    assert_eq!(layer::<i64>(&loom, ""), [0, 5, 0, 0, 0, -1, 0, 7, 0]);
    assert_eq!(layer::<i64>(&loom, "spliced"), [5, 0, 0, 0, -1, 0, 7, 0, 0]);
}

#[test]
fn plain_folders_and_compressed_text_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(at("features.tsv"), "E1\tG1\nE2\tG2\nE3\tG3\n");
    write(at("barcodes.tsv"), "AA\nCC\n");
    // The gzip member of `MTX`, stored.
    let mut gz = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let len = MTX.len() as u16;
    gz.extend(len.to_le_bytes());
    gz.extend((!len).to_le_bytes());
    gz.extend(MTX.as_bytes());
    let mut crc = !0_u32;
    for byte in MTX.bytes() {
        crc ^= u32::from(byte);
        (0..8).for_each(|_| crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)));
    }
    gz.extend((!crc).to_le_bytes());
    gz.extend(u32::from(len).to_le_bytes());
    fs::write(at("matrix.mtx.gz"), &gz).unwrap();
    let options = ImportOptions::default();
    let loom = ten_x_folder(folder.path(), at("x.loom"), "", &options).unwrap();
    assert_eq!(layer::<i64>(&loom, ""), [5, 0, 0, -1, 7, 0]);
    // Cut short anywhere, it is an error and no panic.
    for len in 0..gz.len() {
        fs::write(at("matrix.mtx.gz"), &gz[..len]).unwrap();
        assert!(ten_x_folder(folder.path(), at("y.loom"), "", &options).is_err(), "{len}");
    }
}
