//! `worldbus deploy aws`: shows what would be done in an account and what it costs, asks, and has
//! it done.
//!
//! The work is in `worldbus-deploy`; here is what people see of it and what they are asked.

mod arguments;
mod progress;
mod show;

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::composition::composition;
use crate::output;
use crate::output::failure::{FAILED, WrongUse, complain};
use arguments::{Action, DownArguments, PlanArguments, TemplatesArguments, UpArguments};
use progress::Watch;
use worldbus_deploy::{Account, Deployment, Engine, Error, Kind, Options};
use worldbus_service::shutdown;

pub(crate) use arguments::{DeployCommand, Profile};

/// How long change sets may take to be deleted after Ctrl-C.
const ABANDON_MAX: Duration = Duration::from_secs(10);

/// Does what is asked for. 1 if it failed, was not agreed to, or `status` finds a difference.
pub(crate) async fn run(command: DeployCommand) -> Result<ExitCode> {
    let DeployCommand::Aws(arguments) = command;
    match arguments.action {
        Action::Plan(arguments) => plan(&arguments).await,
        Action::Up(arguments) => up(&arguments).await,
        Action::Status(arguments) => status(&arguments).await,
        Action::Down(arguments) => down(&arguments).await,
        Action::Templates(arguments) => templates(&arguments),
    }
}

/// Writes each template into a folder, which is made if it is not there.
fn templates(arguments: &TemplatesArguments) -> Result<ExitCode> {
    let folder = &arguments.folder;
    let cannot = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(|| cannot(folder))?;
    let mut written = Vec::new();
    for (name, text) in worldbus_deploy::templates(&composition()?).map_err(into_error)? {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| cannot(&path))?;
        written.push(path.display().to_string());
    }
    let text = || written.iter().map(|path| format!("{path}\n")).collect();
    output::page(&arguments.format.page(&json!({ "templates": written }), text))?;
    Ok(ExitCode::SUCCESS)
}

async fn plan(arguments: &PlanArguments) -> Result<ExitCode> {
    let engine = open(arguments.options()?, arguments.place.endpoint_url.as_deref()).await?;
    until_stopped(&engine, &Watch::default(), async {
        let shown = match engine.plan().await {
            Ok(plan) => show::plan(engine.deployment(), &plan, arguments.place.format),
            Err(error) => Err(into_error(error)),
        };
        let abandoned = engine.abandon().await.map_err(into_error);
        shown.and(abandoned).map(|()| ExitCode::SUCCESS)
    })
    .await
}

async fn up(arguments: &UpArguments) -> Result<ExitCode> {
    let options = arguments.plan.options()?;
    can_ask(arguments.yes)?;
    let engine = open(options, arguments.plan.place.endpoint_url.as_deref()).await?;
    let watch = Watch::new(arguments.plan.place.format);
    until_stopped(&engine, &watch, async {
        let done = carry_out(&engine, &watch, arguments).await;
        // What failed first is what people must hear of.
        let abandoned = engine.abandon().await.map_err(into_error);
        done.and_then(|code| abandoned.map(|()| code))
    })
    .await
}

async fn carry_out(engine: &Engine, watch: &Watch, arguments: &UpArguments) -> Result<ExitCode> {
    let format = arguments.plan.place.format;
    let plan = engine.plan().await.map_err(into_error)?;
    show::plan(engine.deployment(), &plan, format)?;
    if plan.is_empty() {
        show::outputs(&engine.outputs().await.map_err(into_error)?, format)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.yes && !is_agreed("Do this?").await? {
        complain("nothing was changed");
        return Ok(ExitCode::from(FAILED));
    }
    engine.up(&plan, &|progress| watch.show(&progress)).await.map_err(into_error)?;
    show::outputs(&engine.outputs().await.map_err(into_error)?, format)?;
    Ok(ExitCode::SUCCESS)
}

async fn status(arguments: &PlanArguments) -> Result<ExitCode> {
    let engine = open(arguments.options()?, arguments.place.endpoint_url.as_deref()).await?;
    until_stopped(&engine, &Watch::default(), async {
        let status = engine.status().await.map_err(into_error)?;
        show::status(&status, arguments.place.format)?;
        Ok(if status.differs() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    })
    .await
}

async fn down(arguments: &DownArguments) -> Result<ExitCode> {
    let (options, format) = (arguments.place.options()?, arguments.place.format);
    can_ask(arguments.yes)?;
    let engine = open(options, arguments.place.endpoint_url.as_deref()).await?;
    let watch = Watch::new(format);
    until_stopped(&engine, &watch, async {
        let farewell = engine.farewell(arguments.delete_data).await.map_err(into_error)?;
        show::farewell(&farewell, format)?;
        if farewell.goes.is_empty() && !farewell.idles {
            return Ok(ExitCode::SUCCESS);
        }
        if !arguments.yes && !is_agreed("Delete this?").await? {
            complain("nothing was deleted");
            return Ok(ExitCode::from(FAILED));
        }
        engine.down(&farewell, &|progress| watch.show(&progress)).await.map_err(into_error)?;
        show::kept(&farewell, format)?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}

async fn open(options: Options, endpoint: Option<&str>) -> Result<Engine> {
    let deployment = Deployment::new(options, composition()?).map_err(into_error)?;
    let account = Account::open(&deployment.region, endpoint).await;
    Ok(Engine::new(account, deployment))
}

/// Does it until it is done or a signal comes; then what is planned only is taken back, and what
/// AWS is at is said.
async fn until_stopped(
    engine: &Engine,
    watch: &Watch,
    work: impl Future<Output = Result<ExitCode>>,
) -> Result<ExitCode> {
    let stop = shutdown::on_signal()?;
    if let Some(done) = stop.run_until_cancelled(work).await {
        return done;
    }
    let abandoned = tokio::time::timeout(ABANDON_MAX, engine.abandon()).await;
    if !matches!(abandoned, Ok(Ok(()))) {
        complain("a change set may be left; the next plan replaces it");
    }
    complain(&watch.interrupted(engine.deployment()));
    Ok(ExitCode::from(FAILED))
}

/// An error of the deployment as one of the command line.
fn into_error(error: Error) -> anyhow::Error {
    match error.kind {
        Kind::WrongUse => WrongUse(error.to_string()).into(),
        _ => error.into(),
    }
}

/// Whether somebody is there to be asked.
fn can_ask(yes: bool) -> Result<()> {
    if yes || io::stdin().is_terminal() {
        return Ok(());
    }
    let text =
        "there is no terminal to ask on: look with `worldbus deploy aws plan`, then give --yes";
    Err(WrongUse(text.to_owned()).into())
}

/// Asks on the terminal. A thread reads, so that Ctrl-C is heard meanwhile.
async fn is_agreed(question: &str) -> Result<bool> {
    let mut err = io::stderr().lock();
    write!(err, "\n{question} [y/N] ")?;
    err.flush()?;
    drop(err);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await??;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
