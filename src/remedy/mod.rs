//! What would mend a cause: the settings that a user types, and what an administrator publishes so that nobody has to. Knows no
//! network. Sources: `clients-and-standards.md` section 7.

mod advice;
mod settings;

pub use advice::advice;
pub use settings::{SettingsTable, SettingsTableError};
