//! What is expected of a mail domain: its shape, and what is odd about it.

use autodiscover_audit::model::{Authority, Hosting};

use super::{
    ExpectedObstacle, WorldMailbox,
    client::{BASE, FAIREMAIL, PAIR, SRV, THUNDERBIRD, WHOLE},
    domain::DomainBuilder,
    expected::Should,
    shape::{PASSED_OVER, STANDARD, Shape},
};

impl DomainBuilder<'_> {
    /// The users of the mailboxes so far must type settings by hand.
    pub fn manual(mut self) -> Self {
        for mailbox in self.mailboxes() {
            mailbox.needs_manual = true;
        }
        self
    }

    /// The same for one of them.
    pub fn manual_for(mut self, local: &str) -> Self {
        self.mailbox(local).needs_manual = true;
        self
    }

    /// Every client ends as in domains of a shape; a later word counts.
    pub fn shape(mut self, shape: Shape) -> Self {
        for (clients, should) in shape {
            self = self.by(clients, *should);
        }
        self
    }

    /// Clients end with this.
    pub fn by(mut self, clients: &[&'static str], should: Should) -> Self {
        for mailbox in self.mailboxes().to_vec() {
            for client in clients {
                self.world.say(&mailbox, client, should);
            }
        }
        self
    }

    /// Who takes what a document says ends with this; of the second, those that take IMAP and SMTP alone.
    pub fn document(self, whole: Should, pair: Should) -> Self {
        self.by(WHOLE, whole).by(PAIR, pair)
    }

    /// Nobody can say with certainty what these clients end with.
    pub fn open(mut self, clients: &[&'static str]) -> Self {
        for mailbox in self.mailboxes().to_vec() {
            for client in clients {
                self.world.leave_open(&mailbox, client);
            }
        }
        self
    }

    pub fn thunderbird(self, should: Should) -> Self {
        self.by(&[THUNDERBIRD], should)
    }

    pub fn base(self, should: Should) -> Self {
        self.by(&[BASE], should)
    }

    pub fn by_srv(self, should: Should) -> Self {
        self.by(&[SRV], should)
    }

    /// What `FairEmail` ends with, whatever the MX.
    pub fn by_fairemail(mut self, should: Should) -> Self {
        let addresses: Vec<_> = self.mailboxes().iter().map(WorldMailbox::address).collect();
        self.world.otherwise.extend(addresses);
        self.by(&[FAIREMAIL], should)
    }

    /// The same for one mailbox.
    pub fn by_fairemail_for(mut self, local: &str, should: Should) -> Self {
        let address = self.mailbox(local).address();
        self.world.otherwise.insert(address);
        self.by_for(local, &[FAIREMAIL], should)
    }

    /// A shape, for one mailbox.
    pub fn shape_for(mut self, local: &str, shape: Shape) -> Self {
        for (clients, should) in shape {
            self = self.by_for(local, clients, *should);
        }
        self
    }

    /// Clients end with this, for one mailbox.
    pub fn by_for(mut self, local: &str, clients: &[&'static str], should: Should) -> Self {
        let mailbox = self.mailbox(local).clone();
        for client in clients {
            self.world.say(&mailbox, client, should);
        }
        self
    }

    /// The standard shape, with something at `autoconfig.D` that every client passes over.
    pub fn passed_over(self) -> Self {
        self.shape(STANDARD).shape(PASSED_OVER)
    }

    /// Nobody can say with certainty what these clients end with, for one mailbox.
    pub fn open_for(mut self, local: &str, clients: &[&'static str]) -> Self {
        let mailbox = self.mailbox(local).clone();
        for client in clients {
            self.world.leave_open(&mailbox, client);
        }
        self
    }

    /// Where the mailboxes so far live, and who says so.
    pub fn lives(mut self, hosting: Hosting, authority: Authority) -> Self {
        for mailbox in self.mailboxes() {
            mailbox.home = Some((hosting, authority));
        }
        self
    }

    /// The same for one mailbox.
    pub fn lives_for(mut self, local: &str, hosting: Hosting, authority: Authority) -> Self {
        self.mailbox(local).home = Some((hosting, authority));
        self
    }

    /// The authorities contradict each other.
    pub fn conflict(mut self) -> Self {
        for mailbox in self.mailboxes() {
            mailbox.conflict = true;
        }
        self
    }

    /// The same for one mailbox.
    pub fn conflict_for(mut self, local: &str) -> Self {
        self.mailbox(local).conflict = true;
        self
    }

    /// The addresses are personal accounts, too.
    pub fn personal(mut self) -> Self {
        for mailbox in self.mailboxes() {
            mailbox.personal = true;
        }
        self
    }

    /// What stands in the way of a lookup; `{d}` stands for the domain.
    pub fn obstacle(mut self, asked: &str, obstacle: &'static str) -> Self {
        let asked = self.fill(asked);
        let address = self.mailboxes()[0].address();
        self.world.obstacles.push(ExpectedObstacle { address, asked, obstacle });
        self
    }
}
