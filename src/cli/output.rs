//! Standard output. Whoever read it may go away, as `head` does: then nothing more is written, and the work goes on to its end and
//! to the exit code that it deserves.

use std::io::{self, BufWriter, Stdout, Write};

/// Standard output, buffered.
#[derive(Debug)]
pub(super) struct Output {
    out: BufWriter<Stdout>,
    has_gone: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { out: BufWriter::new(io::stdout()), has_gone: false }
    }

    /// Whether nobody reads any more.
    pub(super) fn has_gone(&self) -> bool {
        self.has_gone
    }

    /// The same for work that nobody needs without a reader: once he has gone, writing fails.
    pub(super) fn while_read(&mut self) -> WhileRead<'_> {
        WhileRead(self)
    }

    fn noting<T>(&mut self, written: io::Result<T>, otherwise: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.has_gone = true;
                Ok(otherwise)
            }
            written => written,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_gone {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.noting(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_gone {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.noting(flushed, ())
    }
}

/// Fails once the reader has gone.
pub(super) struct WhileRead<'a>(&'a mut Output);

impl WhileRead<'_> {
    fn require_reader(&self) -> io::Result<()> {
        if self.0.has_gone { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl Write for WhileRead<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.require_reader().map(|()| written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.require_reader()
    }
}
