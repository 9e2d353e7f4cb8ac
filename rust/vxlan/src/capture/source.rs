//! `Source`: bytes as they are, or out of gzip or zstd, by their first bytes.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::CaptureError;

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

pub(super) enum Source<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Whole<R>>>>),
}

impl<R: Read> Source<R> {
    pub(super) fn new(mut read: R) -> Result<Self, CaptureError> {
        let mut magic = Vec::new();
        read.by_ref().take(4).read_to_end(&mut magic)?;
        let gzip = magic.starts_with(&[0x1f, 0x8b]);
        let zstd = magic == [0x28, 0xb5, 0x2f, 0xfd];
        let whole = Cursor::new(magic).chain(read);
        Ok(if gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(whole)))
        } else if zstd {
            Self::Zstd(Box::new(zstd::stream::read::Decoder::new(whole)?))
        } else {
            Self::Plain(whole)
        })
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, CaptureError> {
        loop {
            let (read, format) = match self {
                Self::Plain(source) => (source.read(buffer), None),
                Self::Gzip(source) => (source.read(buffer), Some("gzip")),
                Self::Zstd(source) => (source.read(buffer), Some("zstd")),
            };
            return match (read, format) {
                (Ok(bytes), _) => Ok(bytes),
                (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => continue,
                (Err(error), Some(format)) => Err(CaptureError::Compression { format, error }),
                (Err(error), None) => Err(CaptureError::Io(error)),
            };
        }
    }
}
