//! The command `kanban-bench`: takes the report that compares the engines with each other and with their own limits.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use kanban_bench::place::{DIR_VARIABLE, Place};
use kanban_bench::report::{self, Failed, Order, Scale, idle, shape::Report};
use kanban_bench::subject::Store;

/// Compares the engines with each other and with their own limits.
///
/// Ends with 0; with 1 if `--check` finds a target missed; with 2 if the arguments are wrong or nothing could be measured.
#[derive(Debug, Parser)]
#[command(name = "kanban-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures, and prints tables. Boards lie in the folder that `KANBAN_BENCH_DIR` names, or in cargo's target folder.
    Report(ReportArgs),
    /// Opens a board and prints what this process holds then. Used by `report`.
    #[command(hide = true)]
    Idle {
        /// The engine that the root was made with.
        #[arg(long)]
        engine: String,
        /// The root of the board.
        root: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Measures less, on boards of up to 100,000 tasks instead of a million: below 10 minutes.
    #[arg(long)]
    quick: bool,
    /// Measures so little that the figures mean nothing: tests the report itself.
    #[arg(long, hide = true, conflicts_with = "quick")]
    tiny: bool,
    /// Writes all figures as JSON, as `docs/benchmarks.schema.json` describes it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes one page with plots, which needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the tables as Markdown, between the marks `<!-- report -->` and `<!-- /report -->` if the file has them.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Ends with 1 if a target was missed.
    #[arg(long)]
    check: bool,
    /// Measures nothing, and shows what was written with `--json` before.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "tiny", "json"])]
    from: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Report(args) => report(&args),
        Command::Idle { engine, root } => hold(&engine, &root),
    };
    done.unwrap_or_else(|failed| {
        let mut words = failed.to_string();
        let mut source = failed.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        // Nobody is left to be told if standard error is gone.
        let _ = writeln!(io::stderr(), "kanban-bench: {words}");
        ExitCode::from(2)
    })
}

fn report(args: &ReportArgs) -> Result<ExitCode, Failed> {
    for file in [&args.json, &args.html, &args.markdown]
        .into_iter()
        .flatten()
    {
        report::expect_writable(file)?;
    }
    let report = match &args.from {
        Some(file) => report::read_json(file)?,
        None => report::take(&order(args)?)?,
    };
    // What was measured for so long comes first, then what can be made of it again; a terminal may be gone by now.
    if let Some(file) = &args.json {
        report::write_json(&report, file)?;
    }
    if let Some(file) = &args.html {
        report::write(file, &report::page(&report)?)?;
    }
    if let Some(file) = &args.markdown {
        report::write_markdown(&report, file)?;
    }
    print(&report::terminal(&report))?;
    Ok(code(args, &report))
}

fn code(args: &ReportArgs, report: &Report) -> ExitCode {
    let missed = report.targets.iter().any(|target| !target.met);
    ExitCode::from(u8::from(args.check && missed))
}

fn order(args: &ReportArgs) -> Result<Order, Failed> {
    let scale = match (args.quick, args.tiny) {
        (false, false) => Scale::Full,
        (true, _) => Scale::Quick,
        (_, true) => Scale::Tiny,
    };
    let program = std::env::current_exe().map_err(Failed::io("finding this program"))?;
    let place = Place::find().map_err(Failed::io("finding a place for boards"))?;
    let mut command = "cargo run --release -p kanban-bench -- report".to_owned();
    if scale != Scale::Full {
        command = format!("{command} --{}", scale.as_str());
    }
    if std::env::var_os(DIR_VARIABLE).is_some() {
        command = format!("{DIR_VARIABLE}={} {command}", place.folder.display());
    }
    Ok(Order {
        scale,
        place,
        command,
        program,
    })
}

fn hold(engine: &str, root: &std::path::Path) -> Result<ExitCode, Failed> {
    let known = Store::ALL.iter().find(|store| store.as_str() == engine);
    let Some(store) = known else {
        return Err(Failed::Child(format!("no engine is called {engine}")));
    };
    print(&idle::hold(*store, root)?)?;
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> Result<(), Failed> {
    match writeln!(io::stdout(), "{text}") {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => told.map_err(Failed::io("writing to standard output")),
    }
}
