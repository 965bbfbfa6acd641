//! The bearer token for the SOAP interface of Exchange Online's Autodiscover: read where it lies whenever it is needed, as it is renewed
//! from outside about once an hour. It is in no log, no error and no `Debug`.

use std::{fmt, sync::Arc};

use secrecy::SecretString;

/// Reads the token; what is wrong is a lowercase fragment for a person, without the secret.
type Read = dyn Fn() -> Result<SecretString, String> + Send + Sync;

/// Where the token is read.
#[derive(Clone)]
pub struct BearerToken(Arc<Read>);

impl BearerToken {
    /// A token that is read anew for every request.
    pub fn new(read: impl Fn() -> Result<SecretString, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) async fn read(&self) -> Result<SecretString, String> {
        let read = Arc::clone(&self.0);
        let told = tokio::task::spawn_blocking(move || read()).await;
        told.unwrap_or_else(|error| Err(format!("reading it broke off: {error}")))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BearerToken")
    }
}
