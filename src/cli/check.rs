//! `check ADDRESS…`: single addresses, without configuration or database.

mod asked;
mod assume;

use std::{io::Write, sync::Arc};

use clap::{Args, ValueEnum};

use self::{asked::Asked, assume::AssumeArgs};
use super::{Common, Exit, audit::parse_tenant, exit::UsageError, network::NetworkArgs, output::Output, site::Site};
use crate::{
    audit::{Answers, Auditor, Case, Premise},
    clients::Client,
    config::read_allowed_host,
    model::{Address, Answer, ClientOutcome, Hosting, Outcome, Profile, Request, Subject, Tenant, TenantId},
    network::Alias,
    remedy::{Advisor, Overlay},
    report::{CheckView, ClientView, LookupView, Story, Tale},
};

/// Single addresses.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Mail addresses, or `-` for a list of them on standard input, one a line; one that is none is named at the end, the others are
    /// checked, and the exit code is then 3
    #[arg(required_unless_present = "explain", value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// A tenant of the configuration that the mailboxes belong to: where they live, which clients are audited and which hosts are right
    /// is what it says, as far as no option does
    #[arg(long, value_name = "ID", value_parser = parse_tenant)]
    tenant: Option<TenantId>,
    /// Looks only at this client (repeatable); it then counts as audited
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// Where the mailboxes live: exchange-online, exchange-online:CLOUD, on-premises, consumer, other; not given: exchange-online,
    /// unless Microsoft's services say otherwise
    #[arg(long)]
    hosting: Option<Hosting>,
    /// A host, or `*.SUFFIX`, that is right for these mailboxes besides (repeatable)
    #[arg(long, value_name = "HOST", value_parser = read_allowed_host)]
    allow_host: Vec<String>,
    /// Tells step by step how this client comes to its servers (repeatable), what decides, and by which commands a person can repeat
    /// that; without a name: every client that is looked at
    #[arg(long, value_name = "CLIENT", num_args = 0..=1, default_missing_value = "")]
    explain: Vec<String>,
    /// An account for a person, the JSON contract as one object, or one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: CheckFormat,
    #[command(flatten)]
    assume: AssumeArgs,
    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    Text,
    Json,
    Jsonl,
}

pub(super) async fn run(args: &CheckArgs, common: &Common, out: &mut Output) -> anyhow::Result<Exit> {
    // the name may be left out, and what stands in its place be an address
    let (behind, explained): (Vec<&String>, Vec<&String>) = args.explain.iter().partition(|name| name.contains('@') || *name == "-");
    let Asked { addresses, faults } = Asked::read(args.addresses.iter().chain(behind.iter().copied()))?;
    if args.format == CheckFormat::Json && addresses.len() + faults.len() != 1 {
        return Err(UsageError("--format json writes one object, for one address: use --format jsonl for several".to_owned()).into());
    }
    let explains_all = explained.iter().any(|name| name.is_empty()) || !behind.is_empty();
    let explained: Vec<String> = explained.into_iter().filter(|name| !name.is_empty()).cloned().collect();
    let site = Site::load(common)?;
    site.require_watchable(&args.client)?;
    site.require_watchable(&explained)?;
    let checker = Checker::new(args, &site, (explained, explains_all))?;
    let remedies = site.remedies()?;
    let count = addresses.len();
    let (mut findings, mut unsure) = (false, false);
    for (at, address) in addresses.into_iter().enumerate() {
        let view = checker.check(address).await;
        match args.format {
            CheckFormat::Text => {
                if at > 0 {
                    writeln!(out)?;
                }
                let wrong = view.clients.iter().filter(|client| client.is_finding()).map(|client| client.outcome.client.as_str());
                view.write_text(out, &remedies.to_type((&checker.tenant.id, view.lives_in), wrong))?;
            }
            CheckFormat::Jsonl => writeln!(out, "{}", serde_json::to_string(&view)?)?,
            CheckFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&view)?)?,
        }
        out.flush()?;
        findings |= view.needs_manual_configuration;
        unsure |= view.clients.iter().any(ClientView::is_unsure);
        if out.has_gone() {
            unsure |= at + 1 < count;
            break;
        }
    }
    if !faults.is_empty() {
        return Err(UsageError(faults.join("\n       ")).into());
    }
    Ok(match (findings, unsure) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Undetermined,
        (false, false) => Exit::Clean,
    })
}

/// Whose mailboxes they are.
fn tenant(args: &CheckArgs, site: &Site) -> anyhow::Result<Tenant> {
    let Some(id) = &args.tenant else { return site.only_tenant(args.hosting.unwrap_or_default()) };
    let named = site.tenants(std::slice::from_ref(id))?.pop();
    named.ok_or_else(|| UsageError("--tenant names a tenant of a configuration: name that with --config".to_owned()).into())
}

/// Checks one address after the other.
struct Checker {
    auditor: Auditor,
    advisor: Advisor,
    /// Its network takes for aliases what is assumed to be some; `None` where nothing is assumed.
    assuming: Option<Auditor>,
    overlay: Overlay,
    tenant: Tenant,
    profile: Arc<Profile>,
    /// Whom to look at.
    clients: Vec<String>,
    /// Whose story is told; `None`: everybody's.
    explained: Option<Vec<String>>,
}

impl Checker {
    fn new(args: &CheckArgs, site: &Site, (explained, explains_all): (Vec<String>, bool)) -> anyhow::Result<Self> {
        let overlay = args.assume.read()?;
        let auditor = site.auditor(&args.network)?;
        let alias = |(name, target): (&str, &str)| Alias { name: name.to_owned(), target: target.to_owned() };
        let aliases: Vec<Alias> = overlay.aliases().map(alias).collect();
        let assuming = if overlay.is_empty() { None } else { Some(site.auditor_with(&args.network, aliases)?) };
        let mut tenant = tenant(args, site)?;
        let mut clients = args.client.clone();
        if clients.is_empty() {
            clients.extend(auditor.clients_of(&tenant).into_iter().map(|client| client.name.clone()));
        } else {
            tenant.clients.clone_from(&clients);
        }
        tenant.allowed_hosts.extend(args.allow_host.iter().cloned());
        clients.extend(explained.iter().cloned());
        let explained = if explains_all { None } else { Some(explained) };
        let profile = Arc::new(Profile { hosting: args.hosting, ..Profile::default() });
        let advisor = Advisor::new(auditor.clients.intakes());
        Ok(Self { auditor, advisor, assuming, overlay, tenant, profile, clients, explained })
    }

    async fn check(&self, address: Address) -> CheckView {
        let subject = Subject { address };
        let case = Case { tenant: &self.tenant, profile: &self.profile, subject: &subject };
        let clients = self.auditor.clients_named(&self.clients);
        let whose = (&subject, self.tenant.hosting.cloud().unwrap_or_default());
        let answers = self.auditor.ask(&clients, whose).await;
        let as_it_is = self.auditor.judge(&clients, &case, &answers);
        let Some(assuming) = &self.assuming else { return self.view((&clients, &case), &answers, &as_it_is) };
        let premise = Premise { overlay: self.overlay.clone(), as_it_is: answers.readings };
        let answers = assuming.ask_assuming(&clients, whose, premise).await;
        let outcome = assuming.judge(&clients, &case, &answers);
        let asked: Vec<(&Request, &Answer)> =
            answers.lookups.iter().filter_map(|lookup| Some((&lookup.request, &*answers.readings.get(&lookup.request)?.answer))).collect();
        let texts = self.overlay.texts().map(str::to_owned).collect();
        let in_vain = self.overlay.idle(&asked).map(str::to_owned).collect();
        self.view((&clients, &case), &answers, &outcome).assuming((texts, in_vain), &as_it_is)
    }

    fn view(&self, (clients, case): (&[&Client], &Case<'_>), answers: &Answers, outcome: &Outcome) -> CheckView {
        let readings = answers.lookups.iter().filter_map(|lookup| Some((lookup, answers.readings.get(&lookup.request)?)));
        let lookups = readings
            .enumerate()
            .map(|(at, (lookup, reading))| LookupView {
                id: at + 1,
                lookup: lookup.kind,
                asked: lookup.request.asked(),
                outcome: reading.outcome,
                detail: reading.detail.clone(),
                redirected_to: reading.answer.hops.iter().skip(1).map(|hop| hop.url.clone()).collect(),
                cnames: reading.answer.cnames.clone(),
                attempts: reading.answer.attempts,
                took_ms: reading.answer.took_ms,
                assumed: self.overlay.answer(&lookup.request).is_some(),
            })
            .collect();
        let checked_at = self.auditor.clock.now().to_string();
        let mut view = CheckView::new((case.subject.address.clone(), checked_at), outcome, lookups, &self.advisor);
        for client in clients {
            let told = view.clients.iter_mut().find(|told| told.outcome.client == client.name && self.explains(&client.name));
            if let Some(told) = told {
                told.story = Some(self.story(client, (case, answers), &told.outcome));
            }
        }
        view
    }

    fn explains(&self, client: &str) -> bool {
        self.explained.as_ref().is_none_or(|explained| explained.iter().any(|name| name == client))
    }

    fn story(&self, client: &Client, (case, answers): (&Case<'_>, &Answers), outcome: &ClientOutcome) -> Story {
        let account = self.auditor.account(client, case, answers);
        Story::tell(&Tale {
            client,
            address: &case.subject.address,
            discovery: &account.discovery,
            next: account.next.as_ref(),
            mx: account.mx,
            readings: &answers.readings,
            lookups: &answers.lookups,
            outcome,
            overlay: &self.overlay,
        })
    }
}
