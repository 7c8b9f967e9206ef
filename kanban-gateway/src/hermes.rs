//! Reads the board of `hermes-agent`, an `SQLite` file, into an import.
//!
//! The file may be in use: it is opened read-only and read in one transaction. Tables and columns are found by their
//! names, so that older files, with fewer columns, and newer ones, with more, are read as well. What the board has
//! no field for is kept under keys that begin with `hermes.`, in the attributes of a task, the metadata of a run, the
//! data of an event and the routing of a subscription. Seconds become milliseconds. Values over a limit are cut, and
//! every cut is listed.

mod around;
mod events;
mod fit;
mod row;
mod runs;
mod tasks;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use kanban_core::{
    Error, ErrorKind, ForeignNumbers, ImportForeign, Label, OnProgress, Progress, Repair, Result,
    Stage,
};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use self::row::{Row, Table};

/// How long the file's own program may hold it.
const BUSY: Duration = Duration::from_secs(10);

/// The tables that are taken over.
const TABLES: [&str; 7] = [
    "tasks",
    "task_links",
    "task_comments",
    "task_events",
    "task_runs",
    "task_attachments",
    "kanban_notify_subs",
];

/// What is the matter with a file that could not be read.
pub(crate) fn cause(error: &Error) -> String {
    match (error.kind(), std::error::Error::source(error)) {
        (ErrorKind::Corrupt, _) => "it is no SQLite database, or damaged".to_owned(),
        (_, Some(cause)) => cause.to_string(),
        (_, None) => error.to_string(),
    }
}

/// Reads a whole board.
///
/// # Errors
/// `Unavailable(Io)` if the file cannot be opened, `Corrupt` if it is no database, `Busy` if its own program held it
/// too long, `Invalid` if it is no board of hermes-agent.
pub(crate) fn read(
    file: &Path,
    actor: Label,
    on_progress: Option<OnProgress>,
) -> Result<ImportForeign> {
    let fault = |error| fault(file, error);
    // No `SQLITE_OPEN_URI`: a file's name is a name, whatever is in it.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // SQLite may be built to take a relative name that begins with `file:` for a URI all the same.
    let absolute = std::path::absolute(file).map_err(|error| {
        let kind = ErrorKind::Unavailable(kanban_core::Unavailable::Io);
        Error::new(kind, "finding the file").with_source(error)
    })?;
    let mut connection = Connection::open_with_flags(absolute, flags).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(fault)?;
    let transaction = connection.transaction().map_err(fault)?;
    let source = Source::open(&transaction, on_progress).map_err(fault)?;
    if !source.tables.contains("tasks") {
        return Err(kanban_core::Invalid {
            field: "file",
            must: "a board of hermes-agent, with a table tasks".to_owned(),
            limit: None,
            found: None,
        }
        .into());
    }
    source.begin().map_err(fault)?;
    source.import(actor).map_err(fault)
}

/// The open file.
struct Source<'a> {
    transaction: &'a Transaction<'a>,
    tables: BTreeSet<String>,
    now: Cell<Progress>,
    on_progress: Option<OnProgress>,
}

impl<'a> Source<'a> {
    fn open(
        transaction: &'a Transaction<'a>,
        on_progress: Option<OnProgress>,
    ) -> rusqlite::Result<Self> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let tables = transaction
            .prepare(sql)?
            .query_map((), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            transaction,
            tables,
            now: Cell::new(Progress {
                stage: Stage::Read,
                done: 0,
                total: None,
            }),
            on_progress,
        })
    }

    fn import(&self, actor: Label) -> rusqlite::Result<ImportForeign> {
        let origin = Label::new("origin", "hermes").expect("a short word");
        let mut import = ImportForeign::new(actor, origin);
        import.numbers = self.numbers()?;
        let mut repairs = Vec::new();
        let log = events::read(self.rows("task_events")?, &mut repairs);
        let runs = runs::read(self.rows("task_runs")?, &log, &mut repairs);
        import.tasks = tasks::read(self.rows("tasks")?, &log, &mut repairs);
        import.links = around::links(self.rows("task_links")?, &mut repairs);
        import.comments = around::comments(self.rows("task_comments")?, &mut repairs);
        import.attachments = around::attachments(self.rows("task_attachments")?, &mut repairs);
        let subscriptions = self.rows("kanban_notify_subs")?;
        import.subscriptions = around::subscriptions(subscriptions, &mut repairs);
        import.runs = runs;
        import.events = log.events;
        self.report_others(&mut repairs)?;
        import.repairs = repairs;
        Ok(import)
    }

    /// The rows of a table; none if there is no such table.
    fn rows(&self, name: &'static str) -> rusqlite::Result<Table> {
        if !self.tables.contains(name) {
            return Ok(Table::default());
        }
        let mut statement = self
            .transaction
            .prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(())?;
        let mut table = Table::default();
        while let Some(row) = rows.next()? {
            table.rows.push(Row::of(&columns, row)?);
            self.step();
        }
        Ok(table)
    }

    /// Tells how many rows there are to read.
    fn begin(&self) -> rusqlite::Result<()> {
        if self.on_progress.is_none() {
            return Ok(());
        }
        let mut total = 0;
        for name in TABLES.iter().filter(|name| self.tables.contains(**name)) {
            total += self.count(name)?;
        }
        self.tell(Progress {
            total: Some(total),
            ..self.now.get()
        });
        Ok(())
    }

    /// Tells that one more row was read.
    fn step(&self) {
        let now = self.now.get();
        self.tell(Progress {
            done: now.done + 1,
            ..now
        });
    }

    fn tell(&self, now: Progress) {
        self.now.set(now);
        if let Some(on_progress) = &self.on_progress {
            on_progress(&now);
        }
    }

    fn count(&self, table: &str) -> rusqlite::Result<u64> {
        let quoted = table.replace('"', "\"\"");
        let sql = format!("SELECT count(*) FROM \"{quoted}\"");
        let rows: i64 = self.transaction.query_one(&sql, (), |row| row.get(0))?;
        Ok(u64::try_from(rows).unwrap_or_default())
    }

    /// The highest number that each table ever gave.
    fn numbers(&self) -> rusqlite::Result<ForeignNumbers> {
        let mut given: BTreeMap<String, u64> = BTreeMap::new();
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
        let known: i64 = self.transaction.query_one(sql, (), |row| row.get(0))?;
        if known > 0 {
            let mut statement = self
                .transaction
                .prepare("SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer'")?;
            let pairs = statement.query_map((), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            for pair in pairs {
                let (name, number) = pair?;
                given.insert(name, u64::try_from(number).unwrap_or(0));
            }
        }
        let of = |name: &str| given.get(name).copied().unwrap_or(0);
        Ok(ForeignNumbers {
            run: of("task_runs"),
            event: of("task_events"),
            comment: of("task_comments"),
            attachment: of("task_attachments"),
        })
    }

    /// Lists the tables that are not taken over.
    fn report_others(&self, repairs: &mut Vec<Repair>) -> rusqlite::Result<()> {
        for name in &self.tables {
            if TABLES.contains(&name.as_str()) {
                continue;
            }
            let rows = self.count(name)?;
            repairs.push(Repair::dropped(name, "*", "table", format!("{rows} rows")));
        }
        Ok(())
    }
}

fn fault(file: &Path, error: rusqlite::Error) -> Error {
    let doing = format!("reading {}", file.display());
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => ErrorKind::Corrupt,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        _ => ErrorKind::Unavailable(kanban_core::Unavailable::Io),
    };
    Error::new(kind, doing).with_source(error)
}
