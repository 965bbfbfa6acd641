//! THE table of what `/metrics` shows. No label names a mailbox, a person or a domain.

use super::page::{Family, Kind};

/// Every family that `/metrics` can have.
pub const METRICS: [&Family; 34] = [
    &BUILD_INFO,
    &READY,
    &MAILBOXES,
    &NEEDS_MANUAL,
    &HOSTING_CONFLICTS,
    &PERSONAL_ACCOUNTS,
    &LAST_SUCCESS,
    &LAST_DUE,
    &NEXT_DUE,
    &RUN_DURATION,
    &RUN_IN_PROGRESS,
    &RUN_MAILBOXES,
    &RUN_MAILBOXES_DONE,
    &INCIDENTS,
    &DELIVERIES,
    &OUTBOX_DEPTH,
    &OUTBOX_OLDEST,
    &OUTBOX_DEAD,
    &CHANNEL_PAUSED,
    &STORE_BYTES,
    &STORE_WAL_BYTES,
    &STORE_DISK_LOW,
    &STORE_READ,
    &RELOAD_SUCCESSFUL,
    &RELOAD_SUCCESS_TIME,
    &LOOKUPS,
    &HTTP_REQUESTS,
    &DNS_QUERIES,
    &RECEIVED_BYTES,
    &RETRIES,
    &HELD,
    &PROCESS_START,
    &PROCESS_MEMORY,
    &PROCESS_FDS,
];

pub(super) const BUILD_INFO: Family = gauge("autodiscover_audit_build_info", &["version"], "Always 1; the version of the program.");
pub(super) const READY: Family = gauge("autodiscover_audit_ready", &["check"], "Whether this part of /readyz is well: 1 or 0.");
pub(super) const MAILBOXES: Family =
    gauge("autodiscover_audit_mailboxes", &["tenant", "verdict"], "Mailboxes on the list, by the worst verdict of the audited clients.");
pub(super) const NEEDS_MANUAL: Family =
    gauge("autodiscover_audit_mailboxes_needing_manual_configuration", &["tenant"], "Mailboxes whose users must type settings by hand.");
pub(super) const HOSTING_CONFLICTS: Family = gauge(
    "autodiscover_audit_mailboxes_with_hosting_conflict",
    &["tenant"],
    "Mailboxes about which the authorities contradict each other on where they live.",
);
pub(super) const PERSONAL_ACCOUNTS: Family = gauge(
    "autodiscover_audit_mailboxes_with_personal_account",
    &["tenant"],
    "Mailboxes whose address is a personal Microsoft account, too.",
);
pub(super) const LAST_SUCCESS: Family = gauge(
    "autodiscover_audit_run_last_success_timestamp_seconds",
    &["tenant"],
    "When the newest whole run of the tenant ended well, in seconds since 1970; 0 where none has.",
);
pub(super) const LAST_DUE: Family = gauge(
    "autodiscover_audit_run_last_due_timestamp_seconds",
    &["tenant"],
    "When the newest run of the tenant that was taken up was due, in seconds since 1970.",
);
pub(super) const NEXT_DUE: Family =
    gauge("autodiscover_audit_run_next_due_timestamp_seconds", &[], "When the next run is due, in seconds since 1970.");
pub(super) const RUN_DURATION: Family = histogram(
    "autodiscover_audit_run_duration_seconds",
    &["kind", "result"],
    "How long the runs took that ended since the start, by why they were made and how they ended.",
);
pub(super) const RUN_IN_PROGRESS: Family = gauge("autodiscover_audit_run_in_progress", &[], "Whether a run goes on: 1 or 0.");
pub(super) const RUN_MAILBOXES: Family = gauge("autodiscover_audit_run_mailboxes", &[], "Mailboxes of the run that goes on.");
pub(super) const RUN_MAILBOXES_DONE: Family =
    gauge("autodiscover_audit_run_mailboxes_done", &[], "Mailboxes of the run that goes on whose outcome is recorded.");
pub(super) const INCIDENTS: Family = gauge(
    "autodiscover_audit_incidents",
    &["tenant", "kind", "state", "severity"],
    "Incidents that are suspected or open; those about the service itself have no tenant.",
);
pub(super) const DELIVERIES: Family = counter(
    "autodiscover_audit_deliveries_total",
    &["channel", "result"],
    "Attempts to deliver a notice since the start, by what they came to.",
);
pub(super) const OUTBOX_DEPTH: Family = gauge("autodiscover_audit_outbox_depth", &["channel"], "Notices that wait or are being sent.");
pub(super) const OUTBOX_OLDEST: Family = gauge(
    "autodiscover_audit_outbox_oldest_seconds",
    &["channel"],
    "Age of the oldest notice that waits or is being sent; 0 where there is none.",
);
pub(super) const OUTBOX_DEAD: Family =
    gauge("autodiscover_audit_outbox_dead", &["channel"], "Notices that were given up, as far back as they are kept.");
pub(super) const CHANNEL_PAUSED: Family = gauge(
    "autodiscover_audit_channel_paused",
    &["channel"],
    "Whether the channel has refused us for good and is tried only now and then: 1 or 0.",
);
pub(super) const STORE_BYTES: Family = gauge("autodiscover_audit_store_bytes", &[], "Size of the database without its write-ahead log.");
pub(super) const STORE_WAL_BYTES: Family = gauge("autodiscover_audit_store_wal_bytes", &[], "Size of the write-ahead log's file.");
pub(super) const STORE_DISK_LOW: Family =
    gauge("autodiscover_audit_store_disk_low", &[], "Whether the disk is so full that nothing new is begun: 1 or 0.");
pub(super) const STORE_READ: Family =
    gauge("autodiscover_audit_store_read_seconds", &[], "How long it took to read these numbers from the database.");
pub(super) const RELOAD_SUCCESSFUL: Family = gauge(
    "autodiscover_audit_config_last_reload_successful",
    &[],
    "Whether the configuration could be taken when it was last read: 1 or 0.",
);
pub(super) const RELOAD_SUCCESS_TIME: Family = gauge(
    "autodiscover_audit_config_last_reload_success_timestamp_seconds",
    &[],
    "When the configuration was last taken, in seconds since 1970.",
);
pub(super) const LOOKUPS: Family = counter("autodiscover_audit_lookups_total", &["outcome"], "Lookups of all runs, by what they came to.");
pub(super) const HTTP_REQUESTS: Family =
    counter("autodiscover_audit_http_requests_total", &[], "HTTP requests of all runs, every hop and every attempt.");
pub(super) const DNS_QUERIES: Family =
    counter("autodiscover_audit_dns_queries_total", &[], "DNS lookups of all runs, A and AAAA counted apart.");
pub(super) const RECEIVED_BYTES: Family =
    counter("autodiscover_audit_received_bytes_total", &[], "Bytes of bodies that all runs kept, after decompression.");
pub(super) const RETRIES: Family = counter("autodiscover_audit_retries_total", &[], "Lookups of all runs that were asked a second time.");
pub(super) const HELD: Family =
    counter("autodiscover_audit_held_total", &[], "Lookups of all runs that were left alone as their host had asked for a pause.");
pub(super) const PROCESS_START: Family = gauge("process_start_time_seconds", &[], "When the service started, in seconds since 1970.");
pub(super) const PROCESS_MEMORY: Family = gauge("process_resident_memory_bytes", &[], "Memory that is resident.");
pub(super) const PROCESS_FDS: Family = gauge("process_open_fds", &[], "File descriptors that are open.");

type Labels = &'static [&'static str];

const fn gauge(name: &'static str, labels: Labels, help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help, labels }
}

const fn counter(name: &'static str, labels: Labels, help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, help, labels }
}

const fn histogram(name: &'static str, labels: Labels, help: &'static str) -> Family {
    Family { name, kind: Kind::Histogram, help, labels }
}
