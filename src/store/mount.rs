//! The file system that the database is on. SQLite's write-ahead log needs memory that all its users share, so it works on local disks
//! only (sqlite.org/wal.html): on others it loses data without a word.

use std::path::Path;

use super::StoreError;

/// Refuses a path on a file system of another machine.
pub(super) fn require_local(path: &Path) -> Result<(), StoreError> {
    match remote_kind(path) {
        None => Ok(()),
        Some(kind) => Err(StoreError::Remote { path: path.to_owned(), kind }),
    }
}

/// The name of the file system, where it is one of another machine.
#[cfg(target_os = "linux")]
fn remote_kind(path: &Path) -> Option<&'static str> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file_system = rustix::fs::statfs(path).or_else(|_| rustix::fs::statfs(folder)).ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the magic numbers have 32 bits, in a word of any sign")]
    name_of(file_system.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn remote_kind(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn name_of(magic: u32) -> Option<&'static str> {
    REMOTE.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

/// By their magic numbers (`statfs(2)`, `linux/magic.h`).
#[cfg(target_os = "linux")]
const REMOTE: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x00c3_6400, "Ceph"),
];

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_known_by_name() {
        for (magic, expected) in [(0x6969, Some("NFS")), (0xff53_4d42, Some("CIFS")), (0xef53, None), (0x0102_1994, None)] {
            assert_eq!(name_of(magic), expected, "{magic:x}");
        }
    }

    #[test]
    fn a_local_folder_is_taken_whether_the_file_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        require_local(folder.path()).unwrap();
        require_local(&folder.path().join("audit.db")).unwrap();
    }
}
