//! The socket: bound at the start, so that a wrong address is told then.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use super::{Shared, State, connection};
use crate::config::{ListenAddress, ListenerSettings};

/// A socket that is bound, and shows nothing yet.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Socket,
    names: Option<Vec<String>>,
}

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: SocketFile },
}

/// Removed when it is dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

/// Why nothing can be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address is taken, or none of ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: ListenAddress,
        /// Why not.
        source: io::Error,
    },
    /// Something else has the path.
    #[error("cannot listen on `{}`: {problem}", path.display())]
    Taken {
        /// The path.
        path: PathBuf,
        /// By what.
        problem: &'static str,
    },
}

impl Listener {
    /// Binds the address; `None` where it is `off`. To be called within the runtime.
    ///
    /// # Errors
    /// [`ListenerError`].
    pub fn bind(settings: &ListenerSettings) -> Result<Option<Self>, ListenerError> {
        let failed = |source| ListenerError::Bind { address: settings.address.clone(), source };
        match &settings.address {
            ListenAddress::Off => Ok(None),
            ListenAddress::Unix(path) => {
                make_room(path)?;
                let (listener, file) = (UnixListener::bind(path).map_err(failed)?, SocketFile(path.clone()));
                fs::set_permissions(path, fs::Permissions::from_mode(OWNER_AND_GROUP)).map_err(failed)?;
                Ok(Some(Self { socket: Socket::Unix { listener, _file: file }, names: None }))
            }
            ListenAddress::Tcp(address) => {
                let listener = std::net::TcpListener::bind(address).map_err(failed)?;
                listener.set_nonblocking(true).map_err(failed)?;
                let listener = TcpListener::from_std(listener).map_err(failed)?;
                // on other addresses there is a token, and names that we do not know
                let names = address.ip().to_canonical().is_loopback().then(|| names_of(address, &settings.names));
                Ok(Some(Self { socket: Socket::Tcp(listener), names }))
            }
        }
    }

    /// The address with the port that it has got; `None` for a socket in the file system.
    #[must_use]
    pub fn local_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }

    /// Answers until it is stopped; what is under way then gets a few seconds to end.
    pub async fn serve(self, state: State, stop: CancellationToken) {
        let shared = Arc::new(Shared::new(state, self.names));
        connection::serve(&self.socket, &shared, &stop).await;
    }
}

/// The names under which a loopback address is called.
fn names_of(address: &SocketAddr, further: &[String]) -> Vec<String> {
    let own = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    let known = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
    known.into_iter().chain([own]).chain(further.iter().cloned()).collect()
}

/// Removes the socket of a process that is gone; anything else stays.
fn make_room(path: &Path) -> Result<(), ListenerError> {
    let taken = |problem| ListenerError::Taken { path: path.to_owned(), problem };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Err(taken("it is there and no socket; remove it")),
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => Err(taken("another process listens there")),
        Ok(_) => fs::remove_file(path).map_err(|_| taken("the socket of an earlier process cannot be removed")),
        // whatever else is wrong, binding will tell
        Err(_) => Ok(()),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // what cannot be removed is removed by the next start
        drop(fs::remove_file(&self.0));
    }
}

const OWNER_AND_GROUP: u32 = 0o660;
