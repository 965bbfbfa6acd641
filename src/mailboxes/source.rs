//! Bytes to UTF-8: byte order marks, UTF-16 as Windows PowerShell writes it, and what is no text at all.
//! What has no mark is passed on as it is; rows that are not UTF-8 are dealt with one by one.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

use super::{error::ListProblem, list::TextEncoding};

/// The text of the list without its byte order mark, and how it was encoded.
pub(super) fn decode<'a>(input: impl Read + 'a) -> Result<(Box<dyn Read + 'a>, TextEncoding), ListProblem> {
    let (head, mut input) = peek(input)?;
    let (encoding, mark) = recognise(&head)?;
    io::copy(&mut input.by_ref().take(mark), &mut io::sink()).map_err(ListProblem::Read)?;
    let text: Box<dyn Read + 'a> = match encoding {
        TextEncoding::Utf16Le => Box::new(Transcoder::new(input, UTF_16LE)),
        TextEncoding::Utf16Be => Box::new(Transcoder::new(input, UTF_16BE)),
        TextEncoding::Utf8 | TextEncoding::Utf8Bom | TextEncoding::Windows1252 => Box::new(input),
    };
    Ok((text, encoding))
}

/// The first bytes, and a reader that still begins with them.
pub(super) fn peek<'a>(mut input: impl Read + 'a) -> Result<(Vec<u8>, impl Read + 'a), ListProblem> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(ListProblem::Read)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

/// The encoding and the length of the byte order mark.
fn recognise(head: &[u8]) -> Result<(TextEncoding, u64), ListProblem> {
    if WORKBOOKS.iter().any(|magic| head.starts_with(magic)) {
        return Err(ListProblem::Workbook);
    }
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0x1F, 0x8B, ..] => Err(ListProblem::NotText),
        [0xEF, 0xBB, 0xBF, ..] => Ok((TextEncoding::Utf8Bom, 3)),
        [0xFF, 0xFE, ..] => Ok((TextEncoding::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Ok((TextEncoding::Utf16Be, 2)),
        _ if !head.contains(&0) => Ok((TextEncoding::Utf8, 0)),
        // without a mark: the first line is ASCII, so every other byte of its start is zero
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Ok((TextEncoding::Utf16Le, 0)),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Ok((TextEncoding::Utf16Be, 0)),
        _ => Err(ListProblem::NotText),
    }
}

/// Decodes as it is read; holds one block.
struct Transcoder<R> {
    input: R,
    decoder: Decoder,
    block: Vec<u8>,
    text: Cursor<String>,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { input, decoder, block: vec![0; BLOCK_BYTES], text: Cursor::default(), ended: false }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(out)?;
            if count > 0 || self.ended || out.is_empty() {
                return Ok(count);
            }
            let read = self.input.read(&mut self.block)?;
            self.ended = read == 0;
            let mut text = std::mem::take(self.text.get_mut());
            text.clear();
            text.reserve(self.decoder.max_utf8_buffer_length(read).unwrap_or(BLOCK_BYTES * 4));
            let _ = self.decoder.decode_to_string(self.block.get(..read).unwrap_or_default(), &mut text, self.ended);
            self.text = Cursor::new(text);
        }
    }
}

const HEAD_BYTES: u64 = 64 * 1024;
const BLOCK_BYTES: usize = 16 * 1024;
/// ZIP (`.xlsx`, `.ods`) and OLE (`.xls`).
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", &[0xD0, 0xCF, 0x11, 0xE0]];
