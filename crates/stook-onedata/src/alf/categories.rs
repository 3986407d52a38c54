//! A Parquet column of few texts in an order of their own: what pandas calls ordered categories.
//!
//! A reader takes the dictionary of the column for the categories, and it has all of them in their order,
//! whether a row has them or not. A column writer would put there what it meets as it meets it.

use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// A number in a data page has so many bits: enough for eight categories.
const N_BITS: u8 = 3;

/// The column of `ranks`, places in `categories`, as it lies in a file, and what tells of it.
pub(super) fn column(
    about: ColumnDescPtr,
    categories: &[&str],
    ranks: &[u8],
) -> Result<(Vec<u8>, ColumnCloseResult)> {
    let mut dictionary = Vec::new();
    for text in categories {
        dictionary.extend_from_slice(&(text.len() as u32).to_le_bytes());
        dictionary.extend_from_slice(text.as_bytes());
    }
    let mut sink = TrackedWrite::new(Vec::new());
    let (dictionary_len, data_len) = (dictionary.len(), packed(ranks).len());
    let mut pages = SerializedPageWriter::new(&mut sink);
    let head = pages.write_page(CompressedPage::new(
        Page::DictionaryPage {
            buf: dictionary.into(),
            num_values: categories.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        },
        dictionary_len,
    ))?;
    let body = pages.write_page(CompressedPage::new(
        Page::DataPage {
            buf: packed(ranks).into(),
            num_values: ranks.len() as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        },
        data_len,
    ))?;
    let len = i64::try_from(head.bytes_written + body.bytes_written).unwrap_or(i64::MAX);
    let metadata = ColumnChunkMetaData::builder(about)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
        .set_compression(Compression::UNCOMPRESSED)
        .set_num_values(ranks.len() as i64)
        .set_total_compressed_size(len)
        .set_total_uncompressed_size(len)
        .set_dictionary_page_offset(Some(head.offset as i64))
        .set_data_page_offset(body.offset as i64)
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: head.bytes_written + body.bytes_written,
        rows_written: ranks.len() as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok((sink.into_inner()?, close))
}

/// The data of a page: the width of a number, and one run of numbers packed bit behind bit, whose length
/// is told in groups of eight.
fn packed(ranks: &[u8]) -> Vec<u8> {
    let mut bytes = vec![N_BITS];
    let mut header = (ranks.len().div_ceil(8) << 1) | 1;
    while header >= 0x80 {
        bytes.push((header & 0x7f) as u8 | 0x80);
        header >>= 7;
    }
    bytes.push(header as u8);
    for group in ranks.chunks(8) {
        let mut bits = 0_u32;
        for (at, rank) in group.iter().enumerate() {
            bits |= u32::from(*rank) << (at * usize::from(N_BITS));
        }
        bytes.extend_from_slice(bits.to_le_bytes().get(..usize::from(N_BITS)).unwrap_or_default());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_bit_behind_bit() {
        assert_eq!(packed(&[]), [3, 1]);
        // The example of the format's documentation.
        assert_eq!(
            packed(&[0, 1, 2, 3, 4, 5, 6, 7]),
            [3, 3, 0b1000_1000, 0b1100_0110, 0b1111_1010]
        );
        assert_eq!(packed(&[1; 9]).len(), 2 + 6);
        assert_eq!(packed(&[0; 8 * 64])[..3], [3, 0x81, 0x01]);
    }
}
