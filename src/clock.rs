//! The only place that names the system clock. Whoever needs the time is handed a [`Clock`].

use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// Tells the time; cloned freely.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that names it")]
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that shows what `tell` returns.
    pub fn from_fn(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// The present instant, in seconds since 1970 (UTC), as the database keeps it.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.now().as_second()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clock")
    }
}
