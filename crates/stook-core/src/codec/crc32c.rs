//! CRC-32C (Castagnoli).

use super::checksum::Sum;

/// CRC-32C, by the processor's instruction where it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc32c;

impl Sum for Crc32c {
    const NAME: &'static str = "crc32c";

    fn of(&self, data: &[u8]) -> u32 {
        crc32c::crc32c(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::checksum::Checksum;
    use crate::codec::{Codec, Scratch};

    const CRC32C: Checksum<Crc32c> = Checksum::appended(Crc32c);

    #[test]
    fn the_check_value_of_the_polynomial_is_written() {
        let mut out = Vec::new();
        CRC32C.encode_into(b"123456789", &mut out, &mut Scratch::new()).unwrap();
        assert_eq!(out[9..], 0xE306_9283_u32.to_le_bytes());
    }

    #[test]
    fn a_wrong_checksum_names_both() {
        let error = CRC32C.decode_into(&[1, 0, 0, 0, 0], &mut [0], &mut Scratch::new());
        let message = error.unwrap_err().message().to_owned();
        assert_eq!(message, "crc32c: expected checksum 0x00000000, found 0xa016d052");
    }
}
