//! Compression, once and as hard as it goes: the files are served far more often than they are built.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A compressed copy that stands beside the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Brotli, quality 11, a window of 4 MB.
    Brotli,
    /// Gzip, level 9.
    Gzip,
}

impl Coding {
    /// What is appended to the file's name.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Compresses `bytes`.
    pub(crate) fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let mut out = Vec::with_capacity(bytes.len() / 3);
                let params = brotli::enc::BrotliEncoderParams {
                    quality: 11,
                    lgwin: 22,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
                Ok(out)
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::best());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const TEXT: &[u8] = b".letter{color:var(--ink)}.letter{color:var(--ink)}.letter{color:var(--ink)}";

    #[test]
    fn brotli_comes_back_as_it_went_in() {
        let packed = Coding::Brotli.encode(TEXT).unwrap();
        let mut text = Vec::new();
        brotli::Decompressor::new(&*packed, 4096).read_to_end(&mut text).unwrap();
        assert_eq!(text, TEXT);
        assert!(packed.len() < TEXT.len());
    }

    #[test]
    fn gzip_comes_back_as_it_went_in_and_is_the_same_every_time() {
        let packed = Coding::Gzip.encode(TEXT).unwrap();
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&*packed).read_to_end(&mut text).unwrap();
        assert_eq!(text, TEXT);
        assert_eq!(packed, Coding::Gzip.encode(TEXT).unwrap());
    }
}
