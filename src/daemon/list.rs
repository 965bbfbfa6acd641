//! The lists of mailboxes on the disk: whether a file is another than before, and which domains of it are.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::model::{Domain, Mailbox};

/// What a file looks like from outside; `None`: it cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look(Option<(u64, u64, i64, i64)>);

impl Look {
    /// Looks at a file.
    pub(super) fn at(path: &Path) -> Self {
        Self(fs::metadata(path).ok().map(|file| (file.ino(), file.size(), file.mtime(), file.mtime_nsec())))
    }
}

/// What is in a list, by domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Content {
    mailboxes: usize,
    domains: HashMap<Domain, [u8; 32]>,
}

impl Content {
    /// Of a list in the order of its domains.
    pub(super) fn of(mailboxes: &[Mailbox]) -> Self {
        let parts = mailboxes.chunk_by(|one, next| one.address.domain() == next.address.domain());
        let digest = |part: &[Mailbox]| {
            let mut hash = Sha256::new();
            for mailbox in part {
                hash.update(format!("{}\n{:?}\n", mailbox.address.key(), mailbox.profile));
            }
            Some((part.first()?.address.domain().clone(), hash.finalize().into()))
        };
        Self { mailboxes: mailboxes.len(), domains: parts.filter_map(digest).collect() }
    }

    /// The domains that are new or other than before; none where the list has shrunk by more than half, which is for the next whole run
    /// to refuse.
    pub(super) fn changed_since(&self, before: &Self) -> BTreeSet<Domain> {
        if self.mailboxes * 2 < before.mailboxes {
            return BTreeSet::new();
        }
        let is_other = |(domain, digest): &(&Domain, &[u8; 32])| before.domains.get(*domain) != Some(*digest);
        self.domains.iter().filter(is_other).map(|(domain, _)| domain.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailboxes::read_from;

    fn content(text: &str) -> Content {
        Content::of(&read_from(text.as_bytes(), "list", &["thunderbird"]).unwrap().mailboxes)
    }

    #[test]
    fn new_and_changed_domains_are_told_and_a_list_that_shrank_is_not() {
        let before = content("anna@a.example\nbert@a.example\nanna@b.example\n");
        for (now, expected) in [
            ("anna@b.example\nbert@a.example\nanna@a.example\n", &[][..]),
            ("anna@a.example\nbert@a.example\nanna@b.example\nanna@c.example\n", &["c.example"]),
            ("anna@a.example\nanna@b.example\n", &["a.example"]),
            ("address,imap\nanna@a.example,\nbert@a.example,\nanna@b.example,false\n", &["b.example"]),
            ("anna@c.example\n", &[]),
        ] {
            let changed: Vec<String> = content(now).changed_since(&before).iter().map(ToString::to_string).collect();
            assert_eq!(changed, expected, "{now}");
        }
    }
}
