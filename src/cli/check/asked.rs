//! The addresses that a check is asked for, from the command line and from standard input.

use std::io::BufRead;

use anyhow::Context;

use crate::{
    cli::exit::UsageError,
    mailboxes::PlainLine,
    model::{Address, visible},
};

/// What was asked for: the addresses, and what is wrong with the rest.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) addresses: Vec<Address>,
    pub(super) faults: Vec<String>,
}

impl Asked {
    pub(super) fn read<'a>(arguments: impl IntoIterator<Item = &'a String>) -> anyhow::Result<Self> {
        let (mut asked, mut reads) = (Self::default(), false);
        for argument in arguments {
            if argument != "-" {
                asked.add(argument, "");
                continue;
            }
            reads = true;
            for (at, line) in std::io::stdin().lock().split(b'\n').enumerate() {
                let line = line.context("standard input cannot be read")?;
                let line = String::from_utf8_lossy(&line);
                if !line.trim().is_empty() {
                    asked.add(&line, &format!("line {} of standard input: ", at + 1));
                }
            }
        }
        if asked.addresses.is_empty() && asked.faults.is_empty() {
            let place = if reads { "on standard input" } else { "to check" };
            return Err(UsageError(format!("no address {place}")).into());
        }
        Ok(asked)
    }

    fn add(&mut self, text: &str, place: &str) {
        match Address::parse(PlainLine::read(text).address) {
            Ok(address) => self.addresses.push(address),
            Err(error) => {
                let fault = format!("{place}`{}` is not an address that can be checked: {error}", text.trim());
                self.faults.push(visible(&fault).into_owned());
            }
        }
    }
}
