//! What would mend a cause: the settings that a user types, and what an administrator publishes so that nobody has to; and the
//! overlay for "what if it were so". Knows no network. Sources: `clients-and-standards.md` section 7.

mod advice;
mod overlay;
mod remedies;
mod settings;

pub use overlay::{Overlay, OverlayError};
pub use remedies::{Advisor, Remedies};
pub use settings::SettingsTableError;
