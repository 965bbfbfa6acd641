//! Alerts: incidents over time, and the way of their notices to people. Knows nothing of how discovery works.

mod back_off;
mod beat;
mod budget;
mod channel;
mod deliver;
mod digest;
mod error;
mod fate;
mod incident;
mod lane;
mod lines;
mod observe;
mod pace;
mod phrase;
mod route;
#[cfg(test)]
mod sample;
mod secret;
mod trial;
mod trouble;

pub use channel::{
    AlertmanagerSettings, Attachment, Channel, ChannelSettings, Encryption, JournaldSettings, Opening, PagerdutySettings, Priorities,
    Region, SlackSettings, SmtpSettings, TeamsSettings, TemplateSettings, WebhookSettings,
};
pub use deliver::{Attach, Delivery, DeliveryParts, Observe, Waker, queued};
pub use digest::{Digest, Group as NoticeGroup, Item, Story};
pub use error::AlertError;
pub use fate::Attempt;
pub use incident::{Decision, Moment, Policy, Seen, Sighting, decide};
pub use observe::{Advise, Group, observe};
pub use phrase::Wording;
pub use route::{RouteError, RouteSettings, destinations};
pub use secret::{MaybeSecret, SecretSource, Secrets};
pub use trial::test_channel;
