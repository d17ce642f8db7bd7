//! `golive attach`: a report with its decisions and signatures into a ticket.

mod files;
mod show;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::{exit, load, passphrase};
use crate::model::{NotMeasured, Secret, SecretSource};
use crate::net::clock;
use crate::net::ticket::{
    self, Attachment, BadPlace, Credentials, Fate, Patience, Place, Record, Site, Ticket,
};
use crate::report::seal::{Gravity, Problem, Standing};
use crate::report::{self, Document, Field};

/// Attach a report, its decisions and signatures to a ticket of ServiceNow, Jira or Jira Service
/// Management, by their documented REST calls.
///
/// It attaches report.pdf if there is one, made anew from the report, report.json, decisions, signatures and the lists for
/// ssh-keygen; with --fields it also fills a ServiceNow change's text fields. It never approves,
/// moves or closes anything. The token comes from the environment variable `GOLIVE_TICKET_TOKEN`,
/// another variable, a file or a prompt, never from the command line. Proxies of the environment
/// (`HTTPS_PROXY`, `NO_PROXY`) are used; redirects are not followed.
///
/// Ends with 0 when everything is attached, 69 when the ticket system cannot be reached or refuses,
/// 79 when the report, or the paper beside it, is not what it says it is.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("system").required(true))]
#[expect(clippy::struct_excessive_bools, reason = "switches of the command line, each by itself")]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// ServiceNow's address, such as <https://example.service-now.com>.
    #[arg(long, value_name = "URL", group = "system", requires = "change")]
    servicenow: Option<String>,
    /// The change request's `sys_id` (32 hexadecimal digits).
    #[arg(long, value_name = "SYS_ID", requires = "servicenow")]
    change: Option<String>,
    /// Write justification, implementation plan, risk and impact analysis, backout plan and test
    /// plan of the change, too: approvers may see these and not the attachments.
    #[arg(long, requires = "servicenow")]
    fields: bool,
    /// Jira's address, such as <https://example.atlassian.net>.
    #[arg(long, value_name = "URL", group = "system", requires = "issue")]
    jira: Option<String>,
    /// The issue's key, such as OPS-123.
    #[arg(long, value_name = "KEY", requires = "jira")]
    issue: Option<String>,
    /// Jira Service Management's address.
    #[arg(long, value_name = "URL", group = "system", requires_all = ["servicedesk", "request"])]
    jsm: Option<String>,
    /// The service desk's id, a number.
    #[arg(long, value_name = "ID", requires = "jsm")]
    servicedesk: Option<String>,
    /// The request's key; attachments are internal, customers do not see them.
    #[arg(long, value_name = "KEY", requires = "jsm")]
    request: Option<String>,
    /// The user that the token belongs to (Basic); without it the token is sent as Bearer.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The environment variable that holds the token.
    #[arg(long, value_name = "NAME", default_value = "GOLIVE_TICKET_TOKEN")]
    token_env: String,
    /// The file whose first line is the token.
    #[arg(long, value_name = "FILE", conflicts_with = "token_env")]
    token_file: Option<PathBuf>,
    /// Ask for the token at the terminal.
    #[arg(long, conflicts_with_all = ["token_env", "token_file"])]
    token_prompt: bool,
    /// Attach report.html, made anew from the report, too; some sites refuse web pages.
    #[arg(long)]
    html: bool,
    /// Show what would be sent where, and send nothing; needs no token.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let place = place(args).map_err(|error| exit::Failure::new(exit::USAGE, error.to_string()))?;
    let bundle = load::bundle(&args.file)?;
    let standing = load::with_papers(&bundle, load::verified(&bundle, None, clock::now()))?;
    let document = attachable(&standing)?;
    let files = files::of(&bundle, &standing, document, args.html)?;
    let fields = args.fields.then(|| texts(document, &standing.sha256));
    let mut out = io::stdout().lock();
    for problem in &standing.problems {
        writeln!(out, "note: {problem}")?;
    }
    if args.dry_run {
        let calls = ticket::calls(&place, &files, fields.as_ref());
        out.write_all(show::calls(&place.site, args.user.is_some(), &calls).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let credentials = credentials(args)?;
    let host = report::line(place.site.host());
    let ticket = Ticket::new(place, credentials, Patience::default()).map_err(|error| unavailable(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(async {
            let mut told = |file: &Attachment, fate: Fate| {
                // a closed pipe must not end what goes on in the ticket
                let _ = writeln!(io::stdout(), "{}", show::fate(file, fate, &host));
            };
            drop(out);
            ticket.attach(&files, &mut told).await?;
            if let Some(fields) = &fields {
                ticket.write_fields(fields).await?;
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                let _ = writeln!(io::stdout(), "written: {}", names.join(", "));
            }
            Ok(())
        })
        .map_err(|error| unavailable(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn place(args: &Args) -> Result<Place, BadPlace> {
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    let (url, record) = match (&args.servicenow, &args.jira, &args.jsm) {
        (Some(url), ..) => (url, Record::service_now(&text(&args.change))?),
        (_, Some(url), _) => (url, Record::jira(&text(&args.issue))?),
        (_, _, Some(url)) => (url, Record::jsm(&text(&args.servicedesk), &text(&args.request))?),
        (None, None, None) => return Err(BadPlace::NotUrl),
    };
    Ok(Place { site: Site::new(url)?, record })
}

/// A report that is not what it says it is goes into no ticket; one that is open may.
fn attachable(standing: &Standing) -> anyhow::Result<&Document> {
    if let Some(problem) = standing.problems.iter().find(|problem| problem.gravity() == Gravity::Forged) {
        let code = if matches!(problem, Problem::Report { .. }) { exit::DATA } else { exit::BAD_SIGNATURE };
        return Err(exit::Failure::new(code, format!("nothing was attached: {problem}")).into());
    }
    standing.document.as_ref().ok_or_else(|| exit::Failure::new(exit::DATA, "this is no report").into())
}

fn texts(document: &Document, sha256: &str) -> Map<String, Value> {
    let text = |field: Field| (field.name().to_owned(), report::field(document, sha256, field).into());
    Field::ALL.into_iter().map(text).collect()
}

fn credentials(args: &Args) -> anyhow::Result<Credentials> {
    let token = match &args.token_file {
        _ if args.token_prompt => passphrase::token("Token of the ticket system: ")?,
        Some(file) => token(&SecretSource::File(file.clone()))?,
        None => token(&SecretSource::Env(args.token_env.clone()))?,
    };
    Ok(match &args.user {
        Some(user) => Credentials::Basic { user: user.clone(), token },
        None => Credentials::Bearer(token),
    })
}

fn token(source: &SecretSource) -> anyhow::Result<Secret> {
    crate::net::secret::read(source).map_err(|NotMeasured { detail, remedy, .. }| {
        exit::Failure::new(
            exit::USAGE,
            format!("no token: {detail}; {remedy}, or give --token-file or --token-prompt"),
        )
        .into()
    })
}

fn unavailable(error: &ticket::TicketError) -> anyhow::Error {
    exit::Failure::new(exit::UNAVAILABLE, error.to_string()).into()
}
