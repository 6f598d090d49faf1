//! The one binary: settings, parts, links, commands.

mod agent;
mod cli;
mod commands;
mod config;
mod demo;
mod descriptions;
mod device;
mod engines;
mod foresight;
mod front;
mod home;
mod housekeeping;
mod links;
mod ml_ear;
mod mqtt_door;
mod nearest;
mod notify;
mod operator;
mod output;
mod page;
mod parts;
mod platform;
mod plugins;
mod sealing;
mod secret_files;
mod server;
mod speech;
mod up;
mod voice;
mod voice_door;
mod watch_check;
mod wyoming;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, DeviceCommand};
use output::Output;

/// What one worker allocates another one frees, at every request; the C library's heap then makes them wait for each
/// other (`bench http`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    // Two providers of TLS could be linked in; the choice is made once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&error),
    };
    match runtime.block_on(run(cli, &output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(error.as_ref()),
    }
}

async fn run(cli: Cli, output: &Output) -> Result<(), Box<dyn std::error::Error>> {
    if let Command::Check { defaults: true } = cli.command {
        output.text(config::DEFAULTS);
        return Ok(());
    }
    let sources = config::Sources {
        file: cli.config.clone(),
        data: cli.data.clone(),
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let settings = config::load(&sources)?;
    if opens_the_store(&cli.command) {
        commands::remote::note_another(&settings, output).await;
    }
    match cli.command {
        Command::Up { parts } => up::up(settings, &parts, output).await,
        Command::Demo => demo::demo(settings, output).await,
        Command::Check { .. } => commands::check::check(&settings, output),
        Command::Doctor => commands::doctor::doctor(&settings, output).await,
        Command::Migrate { dry_run } => commands::migrate::migrate(&settings, dry_run, output).await,
        Command::Source(command) => commands::source::source(&settings, command, output).await,
        Command::Device(DeviceCommand::Run(given)) => agent::run(&settings, given, output).await,
        Command::Device(command) => commands::device::device(&settings, command, output).await,
        Command::Key(command) => commands::key::key(&settings, command, output).await,
        Command::Token(command) => commands::token::token(&settings, command, output).await,
        Command::Link(command) => commands::link::link(&settings, command, output).await,
        Command::Dead(command) => commands::dead::dead(&settings, command, output).await,
        Command::Webhook(command) => commands::webhook::webhook(&settings, command, output).await,
        Command::Where { event_id } => commands::locate::locate(&settings, &event_id, output).await,
    }
}

/// Tells whether a command goes to the store itself, whichever platform runs here.
fn opens_the_store(command: &Command) -> bool {
    match command {
        Command::Device(command) => !matches!(command, DeviceCommand::Run(_)),
        Command::Token(_) | Command::Dead(_) | Command::Webhook(_) | Command::Where { .. } => true,
        _ => false,
    }
}
